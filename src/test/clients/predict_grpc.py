"""Asks a running server over gRPC with unmodified clients. It needs tritonclient[grpc] and grpcio-health-checking.

Usage: predict_grpc.py [host:port], for a server that serves irises with inference.grpc.enabled=true.
"""

import queue
import sys

import grpc
import numpy
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput, service_pb2
from tritonclient.utils import InferenceServerException

ADDRESS = sys.argv[1] if len(sys.argv) > 1 else "localhost:8001"
ROWS = numpy.array([[6.8, 2.8, 4.8, 1.4], [5.1, 3.5, 1.4, 0.2]], numpy.float32)


def irises(rows=ROWS):
    tensor = InferInput("input-0", list(rows.shape), "FP32")
    tensor.set_data_from_numpy(rows)
    return [tensor]


def refusal(call, status):
    try:
        call()
    except InferenceServerException as error:
        assert status in error.status(), error
        return error.message()
    raise AssertionError("not refused")


client = InferenceServerClient(ADDRESS)
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("iris")
assert client.get_server_metadata().name == "inference-server"
metadata = client.get_model_metadata("iris", "1")
assert [(tensor.name, tensor.datatype, list(tensor.shape)) for tensor in metadata.inputs] == [("input-0", "FP32", [-1, 4])]

answer = client.infer("iris", irises(), request_id="an id")
assert list(answer.as_numpy("label")) == [b"versicolor", b"setosa"], answer.as_numpy("label")
assert answer.as_numpy("probabilities").shape == (2, 3) and answer.get_response().id == "an id"
answer = client.infer("iris", irises(), outputs=[InferRequestedOutput("label")])
assert answer.as_numpy("probabilities") is None

answers = queue.Queue()
client.async_infer("iris", irises(), lambda result, error: answers.put(error or result))
assert list(answers.get(timeout=10).as_numpy("label")) == [b"versicolor", b"setosa"]
large = numpy.repeat(ROWS, 30_000, axis=0)
assert client.infer("iris", irises(large)).as_numpy("probabilities").shape == (60_000, 3)

print(refusal(lambda: client.infer("other", irises()), "NOT_FOUND"))
print(refusal(lambda: client.infer("iris", irises(ROWS[:, :3])), "INVALID_ARGUMENT"))
print(refusal(lambda: client.infer("iris", irises(numpy.zeros((2_000_000, 4), numpy.float32))), "RESOURCE_EXHAUSTED"))

typed = service_pb2.ModelInferRequest(model_name="iris")
tensor = typed.inputs.add(name="input-0", datatype="FP32", shape=[1, 4])
tensor.contents.fp32_contents.extend(ROWS[0])
with grpc.insecure_channel(ADDRESS) as channel:
    infer = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer",
                                request_serializer=service_pb2.ModelInferRequest.SerializeToString,
                                response_deserializer=service_pb2.ModelInferResponse.FromString)
    assert infer(typed).raw_output_contents[0][4:] == b"versicolor"
    for service in ("", "liveness", "readiness", "startup", "inference.GRPCInferenceService"):
        status = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service)).status
        assert status == health_pb2.HealthCheckResponse.SERVING, service
print("All clients were answered.")
