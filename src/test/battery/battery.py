"""Serves models. Compares the answers to each form of a request with the outputs of ONNX Runtime in Python."""
import http.client
import json
import os
import random
import socket
import struct
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime

import models
import packages

# A start takes 3 seconds, and much longer beside other builds with a higher priority.
START_SECONDS = 300
CLIENTS = 8
CALLS_PER_CLIENT = 3
SERVERS = 3
# Relative to the largest number of an output. It is not 0, because the order of additions may differ in a batch.
TOLERANCE = 1e-5

DATA_TYPES = {"tensor(bool)": "BOOL", "tensor(float16)": "FP16", "tensor(float)": "FP32", "tensor(double)": "FP64",
              "tensor(string)": "BYTES",
              **{f"tensor({kind})": kind.upper() for kind in (
                  "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")}}
NUMPY_TYPES = {"BOOL": "?", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8", "INT8": "<i1", "INT16": "<i2",
               "INT32": "<i4", "INT64": "<i8", "UINT8": "<u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8"}


class Reference:
    """A model in ONNX Runtime, with the signature that a client sees."""

    def __init__(self, file):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        self.session = onnxruntime.InferenceSession(file, options)
        self.types = {node.name: DATA_TYPES[node.type] for node in self.session.get_inputs()}
        self.has_fixed_rows = any(node.shape and isinstance(node.shape[0], int) for node in self.session.get_inputs())

    def run(self, inputs):
        """Returns the outputs as arrays by name, and the keys of each output that is a map."""
        outputs, keys = {}, {}
        for node, value in zip(self.session.get_outputs(), self.session.run(None, inputs)):
            if not isinstance(value, list):
                outputs[node.name] = np.asarray(value)
            elif isinstance(value[0], dict):
                keys[node.name] = list(value[0])
                outputs[node.name] = np.array([list(row.values()) for row in value], np.float32)
            elif len({tensor.shape for tensor in map(np.asarray, value)}) == 1:
                outputs[node.name] = np.stack(value, axis=np.ndim(value[0]) and 1)
            else:
                outputs.update({f"{node.name}.{i}": np.asarray(tensor) for i, tensor in enumerate(value)})
        return outputs, keys


class Server:
    """A server process with one model."""

    def __init__(self, command, file, log):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = Path(log)
        with open(log, "wb") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output, env={
                **os.environ, "SERVER_PORT": str(self.port), "INFERENCE_MODEL_LOCATION": str(file),
                "INFERENCE_BATCHING_MAX_SIZE": "8", "INFERENCE_BATCHING_MAX_DELAY": "2ms",
                "INFERENCE_DEADLINE": "60s",
                "LOGGING_STRUCTURED_FORMAT_CONSOLE": ""})

    def await_ready(self):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if self.call("GET", "/readyz")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        lines = self.log.read_text(errors="replace").strip().splitlines() or ["no log"]
        raise Difference("is not ready: " + " ".join(lines[-1:]))

    def is_batched(self):
        return json.loads(self.call("GET", "/actuator/info")[1])["batching"]["maxSize"] > 1

    def call(self, method, path, body=None, headers={}):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            connection.close()

    def predict(self, path, body, headers={}):
        status, answer, headers = self.call("POST", path, body, headers)
        if status != 200:
            raise Refused(f"{status} {answer.decode(errors='replace')[:300]}")
        return answer, headers

    def stop(self):
        self.process.kill()
        self.process.wait()


class Difference(Exception):
    pass


class Refused(Difference):
    pass


def compare(name, actual, expected, exact_shape=True):
    """Compares an output with an array."""
    actual = np.asarray(actual)
    if exact_shape and actual.shape != expected.shape:
        raise Difference(f"{name}: shape {list(actual.shape)} in place of {list(expected.shape)}")
    actual = actual.ravel()
    wanted = expected.ravel()
    if actual.size != wanted.size:
        raise Difference(f"{name}: {actual.size} elements in place of {wanted.size}")
    if wanted.dtype.kind in "fc":
        finite = np.abs(wanted[np.isfinite(wanted)].astype(float))
        scale = max(finite.max(initial=0), 1e-30)
        with np.errstate(over="ignore"):
            given = actual.astype(float).astype(wanted.dtype)
        same = np.isclose(given.astype(float), wanted.astype(float), TOLERANCE, TOLERANCE * scale, equal_nan=True)
    elif wanted.dtype.kind in "OU":
        same = np.array([str(a) == str(b) for a, b in zip(actual, wanted)], bool)
    else:
        same = actual == wanted
    if not np.all(same):
        first = int(np.argmin(same))
        raise Difference(f"{name}: {actual[first]!r} in place of {wanted[first]!r} at element {first}")


def compare_all(actual, expected, exact_shape=True):
    if set(actual) != set(expected):
        raise Difference(f"outputs {sorted(actual)} in place of {sorted(expected)}")
    for name, tensor in expected.items():
        compare(name, actual[name], tensor, exact_shape)


def encode(value):
    return json.dumps(value, ensure_ascii=False).encode()


def to_bytes(tensor):
    if tensor.dtype.kind != "O":
        return np.ascontiguousarray(tensor).tobytes()
    texts = [text.encode() for text in tensor.ravel()]
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def from_bytes(data, output):
    if output["datatype"] != "BYTES":
        return np.frombuffer(data, NUMPY_TYPES[output["datatype"]]).reshape(output["shape"])
    texts = []
    while data:
        length, = struct.unpack_from("<I", data)
        texts.append(data[4:4 + length].decode())
        data = data[4 + length:]
    return np.array(texts, object).reshape(output["shape"])


def oip_json(server, reference, inputs, expected, keys):
    tensors = [{"name": name, "shape": tensor.shape, "datatype": reference.types[name],
                "data": tensor.ravel().tolist()} for name, tensor in inputs.items()]
    answer, _ = server.predict("/v2/models/iris/infer", encode({"inputs": tensors}))
    outputs = json.loads(answer)["outputs"]
    compare_all({output["name"]: np.array(output["data"], object).reshape(output["shape"]) for output in outputs},
                expected)
    for output in outputs:
        wanted = expected[output["name"]].dtype
        if wanted.kind not in "OU" and np.dtype(NUMPY_TYPES[output["datatype"]]) != wanted:
            raise Difference(f"{output['name']}: data type {output['datatype']} in place of {wanted}")


def oip_binary(server, reference, inputs, expected, keys):
    chunks = {name: to_bytes(tensor) for name, tensor in inputs.items()}
    tensors = [{"name": name, "shape": tensor.shape, "datatype": reference.types[name],
                "parameters": {"binary_data_size": len(chunks[name])}} for name, tensor in inputs.items()]
    header = encode({"inputs": tensors, "parameters": {"binary_data_output": True}})
    answer, headers = server.predict("/v2/models/iris/infer", header + b"".join(chunks.values()),
                                     {"Inference-Header-Content-Length": str(len(header))})
    end = int(headers["Inference-Header-Content-Length"])
    outputs = {}
    for output in json.loads(answer[:end])["outputs"]:
        start, end = end, end + output["parameters"]["binary_data_size"]
        outputs[output["name"]] = from_bytes(answer[start:end], output)
    compare_all(outputs, expected)


def v1_columns(server, reference, inputs, expected, keys):
    columns = {name: tensor.tolist() for name, tensor in inputs.items()}
    answer, _ = server.predict("/v1/models/iris:predict", encode({"inputs": columns}))
    outputs = json.loads(answer)["outputs"]
    outputs = {next(iter(expected)): outputs} if len(expected) == 1 else outputs
    compare_all({name: flatten(value) for name, value in outputs.items()}, expected, exact_shape=False)


def v1_rows(server, reference, inputs, expected, keys):
    counts = {tensor.shape[0] if tensor.ndim else None for tensor in inputs.values()}
    if len(counts) != 1 or None in counts:
        return
    count = counts.pop()
    instances = [{name: tensor.tolist()[row] for name, tensor in inputs.items()} for row in range(count)]
    if len(inputs) == 1:
        instances = [next(iter(instance.values())) for instance in instances]
    has_row_per_instance = all(tensor.ndim and tensor.shape[0] == count for tensor in expected.values())
    try:
        answer, _ = server.predict("/v1/models/iris:predict", encode({"instances": instances}))
    except Refused as refused:
        if has_row_per_instance and not reference.has_fixed_rows:
            raise
        if "400" not in str(refused) or "inputs" not in str(refused):
            raise
        return
    if not has_row_per_instance:
        raise Difference("an output without a row for each instance is answered as rows")
    rows = json.loads(answer)["predictions"]
    rows = [{next(iter(expected)): row} for row in rows] if len(expected) == 1 else rows
    for name in keys:
        for row in rows:
            if list(row[name]) != [str(key) for key in keys[name]]:
                raise Difference(f"{name}: keys {list(row[name])} in place of {keys[name]}")
            row[name] = list(row[name].values())
    compare_all({name: flatten([row[name] for row in rows]) for name in expected}, expected, exact_shape=False)


def flatten(nested):
    """The elements of nested lists, which numpy takes apart wrongly if a dimension is 0."""
    if not isinstance(nested, list):
        return np.array([nested], object)
    elements = []

    def collect(value):
        for inner in value:
            collect(inner) if isinstance(inner, list) else elements.append(inner)

    collect(nested)
    array = np.empty(len(elements), object)
    array[:] = elements
    return array


def concurrent_clients(server, reference, inputs, expected, keys):
    """Sends requests as several concurrent clients, each with other rows."""
    sizes = {tensor.shape[:1] for tensor in inputs.values()}
    can_choose_rows = len(sizes) == 1 and sizes != {()} and not reference.has_fixed_rows and next(iter(sizes))[0] > 1

    def client(number):
        client_inputs = inputs
        if can_choose_rows:
            count = next(iter(sizes))[0]
            chosen = random.Random(number).sample(range(count), 1 + number % min(3, count))
            client_inputs = {name: tensor[chosen] for name, tensor in inputs.items()}
        wanted, _ = reference.run(client_inputs)
        for _ in range(CALLS_PER_CLIENT):
            oip_binary(server, reference, client_inputs, wanted, keys)

    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(client, range(CLIENTS)))


FORMS = {"OIP JSON": oip_json, "OIP binary": oip_binary, "v1 columns": v1_columns, "v1 rows": v1_rows,
         f"{CLIENTS} clients": concurrent_clients}


def check(command, folder, name, file, inputs):
    """Serves one model. Returns the differences that it finds, and whether requests were batched."""
    path = folder / f"{name}.onnx"
    path.write_bytes(file)
    reference = Reference(str(path))
    expected, keys = reference.run(inputs)
    server = Server(command, path, folder / f"{name}.log")
    differences = []
    try:
        server.await_ready()
        for form, ask in FORMS.items():
            try:
                ask(server, reference, inputs, expected, keys)
            except Exception as ex:
                differences.append(f"{name}: {form}: {ex if isinstance(ex, Difference) else repr(ex)}")
        is_batched = server.is_batched()
    except Difference as ex:
        return [f"{name}: {ex}"], False
    finally:
        server.stop()
        path.unlink()
    return differences, is_batched


def main():
    command, chosen = sys.argv[1].split(), sys.argv[2:]
    start_time = time.monotonic()
    all_models = [(name, model.SerializeToString(), inputs) for name, model, inputs in models.models()]
    all_models += packages.models()
    all_models = [model for model in all_models if not chosen or model[0] in chosen]
    print(f"{len(all_models)} models, exported in {time.monotonic() - start_time:.0f} s", flush=True)
    start_time = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(SERVERS) as pool:
        results = []
        for differences, is_batched in pool.map(lambda model: check(command, Path(folder), *model), all_models):
            results.append((differences, is_batched))
            for difference in differences:
                print(difference, flush=True)
    failed = sum(bool(differences) for differences, _ in results)
    batched = sum(is_batched for _, is_batched in results)
    print(f"{len(results)} models served in {time.monotonic() - start_time:.0f} s, {batched} with batching: "
          f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
