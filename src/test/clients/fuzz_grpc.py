"""Sends 10,000 damaged calls over gRPC, always the same ones. Arguments: the server's gRPC port and its log file.

Every call must end, and no call of the Open Inference Protocol may end with UNKNOWN. The server must not log a line, and
must serve a valid call afterwards. The script needs the package h2.
"""

import random
import socket
import sys

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, ResponseReceived, StreamEnded, StreamReset, TrailersReceived
from h2.exceptions import ProtocolError

CALLS = 10_000
OK, UNKNOWN = "0", "2"
port, log = int(sys.argv[1]), sys.argv[2]
rng = random.Random(1)
# A ModelInferRequest for irises: model_name, inputs (name, datatype, shape), raw_input_contents
TENSOR = b"\x0a\x07input-0\x12\x04FP32\x1a\x02\x01\x04"
MESSAGE = b"\x0a\x04iris\x2a" + bytes([len(TENSOR)]) + TENSOR + b"\x3a\x10" + b"\x9a\x99\xd9@333@\x9a\x99\x99@33\xb3?"
HEADERS = {":method": "POST", ":scheme": "http", ":path": "/inference.GRPCInferenceService/ModelInfer", ":authority": "a",
           "content-type": "application/grpc", "te": "trailers"}
NAMES = ["grpc-timeout", "grpc-encoding", "grpc-accept-encoding", "grpc-status", "traceparent", "x-request-id", "data-bin",
         "content-encoding", "user-agent", "expect", "k" * 500, *HEADERS]
VALUES = ["", "0", "x", "99999999999S", "-1S", "1Q", "0n", "identity", "gzip", "zstd", "GET", "TRACE", "*", "/", "/a/b/c",
          "/grpc.health.v1.Health/Check", "/inference.GRPCInferenceService/Nope", "application/grpc+json", "text/plain",
          "\"{}~", "%zz", "a" * 9000]


def framed(message):
    return b"\0" + len(message).to_bytes(4, "big") + message


def call():
    headers, message = dict(HEADERS), bytearray(MESSAGE)
    for _ in range(rng.choice([0, 1, 1, 2])):
        headers[rng.choice(NAMES)] = rng.choice(VALUES)
    if rng.randrange(4) == 0:
        del headers[rng.choice(list(headers))]
    if rng.randrange(3) == 0:
        message[rng.randrange(len(message))] = rng.randrange(256)
    body = framed(bytes(message))
    if rng.randrange(3) == 0:
        place = rng.randrange(len(body))
        body = body[:place] + rng.randbytes(rng.randrange(9)) + body[place + rng.randrange(9):]
    return headers, body


class Connection:
    def __init__(self):
        self.socket = socket.create_connection(("localhost", port), 20)
        self.http = H2Connection(H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False,
                                                 header_encoding="utf-8"))
        self.http.initiate_connection()

    def send(self, headers, body):
        """Returns the call's status, or None if the server ended the stream or the connection."""
        stream = self.http.get_next_available_stream_id()
        self.http.send_headers(stream, headers.items())
        self.http.send_data(stream, body, end_stream=True)
        status = None
        while True:
            self.socket.sendall(self.http.data_to_send())
            received = self.socket.recv(65536)
            if not received:
                raise ConnectionError
            for event in self.http.receive_data(received):
                match event:
                    case ResponseReceived() | TrailersReceived():
                        status = dict(event.headers).get("grpc-status", status)
                    case DataReceived():
                        self.http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    case StreamEnded() | StreamReset():
                        return status
                    case ConnectionTerminated():
                        raise ConnectionError


with open(log) as before:
    initial_line_count = len(before.readlines())
connection = Connection()
for _ in range(CALLS):
    sent = call()
    try:
        status = connection.send(*sent)
        assert status != UNKNOWN or not str(sent[0].get(":path")).startswith("/inference"), sent
    except (ConnectionError, ProtocolError):
        connection = Connection()
assert Connection().send(HEADERS, framed(MESSAGE)) == OK
with open(log) as after:
    lines = after.readlines()[initial_line_count:]
assert not lines, lines[:50]
