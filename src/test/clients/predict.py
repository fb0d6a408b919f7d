"""Lets one Python client predict three irises. Arguments: the client's name and the server's port."""

import asyncio
import json
import logging
import subprocess
import sys
import tempfile
from pathlib import Path

ROWS = [[5.1, 3.5, 1.4, 0.2], [6.8, 2.8, 4.8, 1.4], [6.3, 3.3, 6.0, 2.5]]
LABELS = ["setosa", "versicolor", "virginica"]
VALUES = [value for row in ROWS for value in row]
TENSOR = {"name": "input-0", "shape": [3, 4], "datatype": "FP32", "data": VALUES}

client, port = sys.argv[1:]
address = f"localhost:{port}"
url = f"http://{address}"


def check(actual, expected=None):
    expected = LABELS if expected is None else expected
    assert actual == expected, f"{actual} instead of {expected}"


def check_refused(call, *sentences):
    try:
        call()
    except Exception as error:
        text = f"{error} {vars(error)}"
        assert all(sentence in text for sentence in sentences), text
    else:
        raise AssertionError("the request should have been refused")


def strings(array):
    return [text.decode() if isinstance(text, bytes) else text for text in array.tolist()]


def tritonclient():
    import numpy
    from tritonclient import http

    triton = http.InferenceServerClient(address)
    check([triton.is_server_live(), triton.is_server_ready(), triton.is_model_ready("iris")], [True] * 3)
    check(triton.get_model_metadata("iris")["inputs"][0]["name"], "input-0")
    check(triton.get_model_config("iris")["input"][0]["dims"], [4])
    check(triton.get_model_repository_index()[0]["name"], "iris")
    tensor = http.InferInput("input-0", [3, 4], "FP32")
    for binary_input in True, False:
        tensor.set_data_from_numpy(numpy.array(ROWS, numpy.float32), binary_data=binary_input)
        for binary_output in True, False:
            label = http.InferRequestedOutput("label", binary_data=binary_output)
            for compression in None, "gzip", "deflate":
                result = triton.infer("iris", [tensor], outputs=[label], request_compression_algorithm=compression,
                                      response_compression_algorithm=compression)
                check(strings(result.as_numpy("label")))
    check(strings(triton.async_infer("iris", [tensor]).get_result().as_numpy("label")))
    check_refused(lambda: triton.infer("other", [tensor]), "There is no model 'other'")


def kserve():
    import numpy
    from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

    async def ask():
        v1, v2 = (InferenceRESTClient(RESTConfig(protocol=protocol)) for protocol in ("v1", "v2"))
        answers = [await v2.is_server_live(url), await v2.is_server_ready(url), await v2.is_model_ready(url, "iris"),
                   await v1.is_server_live(url), await v1.is_model_ready(url, "iris")]
        check(answers, [True] * 5)
        rows = await v1.infer(url, {"instances": ROWS}, "iris")
        check([row["label"] for row in rows["predictions"]])
        for binary in True, False:
            tensor = InferInput("input-0", [3, 4], "FP32")
            tensor.set_data_from_numpy(numpy.array(ROWS, numpy.float32), binary_data=binary)
            result = await v2.infer(url, InferRequest("iris", [tensor]), "iris")
            check(strings(result.outputs[0].as_numpy()))
        try:
            await v2.infer(url, {"inputs": []}, "iris")
        except Exception as error:
            assert "400" in str(error), error

    asyncio.run(ask())


def mlserver():
    request = json.dumps({"inputs": [TENSOR]})
    with tempfile.TemporaryDirectory() as directory:
        requests, answers = Path(directory, "requests"), Path(directory, "answers")
        requests.write_text(f"{request}\n{request}\n")
        for options in [], ["--binary-data"]:
            subprocess.run([Path(sys.executable).with_name("mlserver"), "infer", "-u", address, "-m", "iris",
                            "-i", requests, "-o", answers, *options], check=True, capture_output=True)
            for line in answers.read_text().splitlines():
                check(json.loads(line)["outputs"][0]["data"])


def ovmsclient():
    import numpy
    from ovmsclient import make_http_client

    ovms = make_http_client(address)
    check(ovms.get_model_metadata("iris")["model_spec"]["name"], "iris")
    check(ovms.get_model_status("iris")[1]["state"], "AVAILABLE")
    result = ovms.predict({"input-0": numpy.array(ROWS, numpy.float32)}, "iris")
    check(strings(result["label"]))
    check_refused(lambda: ovms.predict({"other": numpy.zeros(1)}, "iris"), "other")


def open_inference():
    from open_inference.openapi import InferenceRequest, RequestInput
    from open_inference.openapi.client import OpenInferenceClient

    oip = OpenInferenceClient(base_url=url)
    oip.check_server_liveness()
    oip.check_server_readiness()
    oip.check_model_readiness("iris")
    check(oip.read_model_metadata("iris").inputs[0].shape, [-1, 4])
    check(oip.model_infer("iris", request=InferenceRequest(inputs=[RequestInput(**TENSOR)])).outputs[0].data.__root__)
    check_refused(lambda: oip.model_infer("iris", request=InferenceRequest(inputs=[])), "input-0")


def eas_prediction():
    from eas_prediction import PredictClient, StringRequest

    for path in "", "/v1/models/iris:predict":
        eas = PredictClient(address, "a_service" + path)
        eas.set_token("token")
        eas.init()
        rows = json.loads(eas.predict(StringRequest(json.dumps({"instances": ROWS}))).response_data)
        check([row["label"] for row in rows["predictions"]])
        check_refused(lambda: eas.predict(StringRequest("{")), "400")


def alipai():
    from pai.predictor import LocalPredictor

    pai = LocalPredictor(port=int(port))
    rows = pai.raw_predict({"instances": ROWS}).json()
    check([row["label"] for row in rows["predictions"]])


def openapi_python_client():
    from inference_server_client import Client
    from inference_server_client.api.default import infer, predict
    from inference_server_client.models import RowRequest, V2Request

    generated = Client(base_url=url)
    rows = predict.sync("iris", client=generated, body=RowRequest(instances=ROWS))
    check([row["label"] for row in rows.predictions])
    request = V2Request.from_dict({"inputs": [TENSOR]})
    check(infer.sync("iris", client=generated, body=request, x_request_timeout_ms=3000).outputs[0].data)
    check("There is no model" in infer.sync("other", client=generated, body=request).error, True)


def openapi_generator():
    import openapi_client
    from openapi_client.models import V1Request, RowRequest, V2Request

    generated = openapi_client.DefaultApi(openapi_client.ApiClient(openapi_client.Configuration(host=url)))
    check(generated.is_model_ready("iris").ready, True)
    rows = generated.predict("iris", V1Request(RowRequest(instances=ROWS)))
    check([row["label"] for row in rows.predictions])
    request = V2Request.from_dict({"inputs": [TENSOR]})
    check(generated.infer("iris", request, x_request_timeout_ms=3000).outputs[0].data)
    check_refused(lambda: generated.infer("other", request), "There is no model")


logging.disable(logging.CRITICAL)
globals()[client]()
