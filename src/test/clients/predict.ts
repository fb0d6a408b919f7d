// Lets the clients of openapi-typescript and openapi-generator predict three irises. The argument is the server's port.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./openapi-typescript.js";
import { Configuration, DataType, DefaultApi, ResponseError } from "./openapi-generator/index.js";

const url = `http://localhost:${process.argv[2]}`;
const rows = [[5.1, 3.5, 1.4, 0.2], [6.8, 2.8, 4.8, 1.4], [6.3, 3.3, 6.0, 2.5]];
const labels = ["setosa", "versicolor", "virginica"];
const labelsOf = (predictions?: unknown[]) => predictions?.map((row) => (row as { label: string }).label);
const tensor = { name: "input-0", shape: [3, 4], datatype: DataType.Fp32, data: rows };

const client = createClient<paths>({ baseUrl: url });
const iris = { params: { path: { model: "iris" } } };
const predicted = await client.POST("/v1/models/{model}:predict", { ...iris, body: { instances: rows } });
assert.deepEqual(labelsOf(predicted.data?.predictions), labels);
const inferred = await client.POST("/v2/models/{model}/infer", { ...iris, body: { inputs: [tensor] } });
assert.ok(typeof inferred.data === "object");
assert.deepEqual(inferred.data.outputs[0].data, labels);
const refused = await client.POST("/v2/models/{model}/infer", { ...iris, body: { inputs: [] } });
assert.match(refused.error!.error, /input-0/);

const api = new DefaultApi(new Configuration({ basePath: url }));
assert.deepEqual(labelsOf((await api.predict({ model: "iris", v1Request: { instances: rows } })).predictions), labels);
const answer = await api.infer({ model: "iris", v2Request: { inputs: [tensor] }, xRequestTimeoutMs: 3000 });
assert.deepEqual(answer.outputs[0].data, labels);
await assert.rejects(api.infer({ model: "iris", v2Request: { inputs: [] } }), ResponseError);
