"""Lets one Python client predict irises over gRPC. Arguments: the client's name and the server's gRPC port."""

import asyncio
import queue
import sys

import numpy

client, port = sys.argv[1:]
address = f"localhost:{port}"
ROWS = numpy.array([[6.8, 2.8, 4.8, 1.4], [5.1, 3.5, 1.4, 0.2]], numpy.float32)
LABELS = ["versicolor", "setosa"]


def check(actual, expected):
    assert actual == expected, f"{actual} instead of {expected}"


def strings(array):
    return [text.decode() if isinstance(text, bytes) else text for text in array.tolist()]


def tritonclient():
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc
    from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput, service_pb2
    from tritonclient.utils import InferenceServerException

    def irises(rows=ROWS):
        tensor = InferInput("input-0", list(rows.shape), "FP32")
        tensor.set_data_from_numpy(rows)
        return [tensor]

    def check_refused(status, model, rows):
        try:
            triton.infer(model, irises(rows))
        except InferenceServerException as error:
            assert status in error.status(), error
        else:
            raise AssertionError("the request should have been refused")

    triton = InferenceServerClient(address)
    check([triton.is_server_live(), triton.is_server_ready(), triton.is_model_ready("iris", "0")], [True] * 3)
    check(triton.get_server_metadata().name, "inference-server")
    tensor = triton.get_model_metadata("iris", "1").inputs[0]
    check((tensor.name, tensor.datatype, list(tensor.shape)), ("input-0", "FP32", [-1, 4]))

    answer = triton.infer("iris", irises(), request_id="an id")
    check(strings(answer.as_numpy("label")), LABELS)
    check((answer.as_numpy("probabilities").shape, answer.get_response().id), ((2, 3), "an id"))
    answer = triton.infer("iris", irises(), outputs=[InferRequestedOutput("label")])
    check(answer.as_numpy("probabilities"), None)

    answers = queue.Queue()
    triton.async_infer("iris", irises(), lambda result, error: answers.put(error or result))
    check(strings(answers.get(timeout=10).as_numpy("label")), LABELS)
    large = numpy.repeat(ROWS, 30_000, axis=0)
    check(triton.infer("iris", irises(large)).as_numpy("probabilities").shape, (60_000, 3))

    check_refused("NOT_FOUND", "other", ROWS)
    check_refused("INVALID_ARGUMENT", "iris", ROWS[:, :3])
    check_refused("RESOURCE_EXHAUSTED", "iris", numpy.zeros((2_000_000, 4), numpy.float32))

    typed = service_pb2.ModelInferRequest(model_name="iris")
    tensor = typed.inputs.add(name="input-0", datatype="FP32", shape=[1, 4])
    tensor.contents.fp32_contents.extend(ROWS[0])
    with grpc.insecure_channel(address) as channel:
        infer = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer",
                                    request_serializer=service_pb2.ModelInferRequest.SerializeToString,
                                    response_deserializer=service_pb2.ModelInferResponse.FromString)
        check(infer(typed).raw_output_contents[0][4:], b"versicolor")
        for service in "", "liveness", "readiness", "startup", "inference.GRPCInferenceService":
            request = health_pb2.HealthCheckRequest(service=service)
            check(health_pb2_grpc.HealthStub(channel).Check(request).status, health_pb2.HealthCheckResponse.SERVING)


def kserve():
    from kserve import InferenceGRPCClient, InferInput, InferRequest

    async def ask():
        server = InferenceGRPCClient(address)
        check([await server.is_server_live(), await server.is_server_ready(), await server.is_model_ready("iris")], [True] * 3)
        for binary in True, False:
            tensor = InferInput("input-0", [2, 4], "FP32")
            tensor.set_data_from_numpy(ROWS, binary_data=binary)
            result = await server.infer(InferRequest("iris", [tensor]))
            check(strings(result.outputs[0].as_numpy()), LABELS)

    asyncio.run(ask())


{"tritonclient": tritonclient, "kserve": kserve}[client]()
