"""Sends 100,000 damaged requests, always the same ones. Arguments: the server's port and its log file.

Every error must be JSON, and no status may be 5xx except 501, 504 and 505. The server may log one line for each request.
No line may contain the value of a header or a part of a body.
"""

import collections
import json
import random
import socket
import sys

REQUESTS = 100_000
port, log = int(sys.argv[1]), sys.argv[2]
rng = random.Random(1)
SECRET = "s3cr3t"
JSON = b'{"instances":[[6.8,2.8,4.8,1.4]],"%s":1}' % SECRET.encode()
OIP = b'{"id":"%s","inputs":[{"name":"input-0","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}' % SECRET.encode()
METHODS = ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT", "get", "F\x00", ""]
PATHS = ["/", "/livez", "/readyz", "/v1/models", "/v1/models/iris", "/v1/models/iris:predict", "/v2", "/v2/models/iris",
         "/v2/models/iris/infer", "/v2/models/stats", "/v2/repository/index", "/actuator/prometheus", "/actuator/health",
         "/actuator/info", "/openapi.json", "/api/predict/s", "/api/predict/s/..", "/error", "*", "http://a/livez"]
PARTS = ["%00", "%zz", "%2F", "%2e%2e", "..;", ";a=b", "?a=%zz", "?" + SECRET, "\\", "//", "{", "é", "#", ":", "%c0%af", " "]
HEADERS = ["Accept", "Accept-Encoding", "Authorization", "Connection", "Content-Encoding", "Content-Length",
           "Content-Type", "Cookie", "Expect", "Host", "If-None-Match", "Inference-Header-Content-Length", "Origin",
           "Range", "TE", "Transfer-Encoding", "Upgrade", "X-Forwarded-For", "X-Forwarded-Prefix", "X-HTTP-Method-Override",
           "X-Request-Timeout-Ms", "traceparent", "", "A B", "X" * 9000]
VALUES = ["", "0", "-1", "1", "5", "99999999999999999999", "x", "gzip", "deflate", "chunked", "gzip, chunked", "identity",
          "*/*", "text/html", ";", "application/json", "multipart/form-data", "application/x-www-form-urlencoded",
          "100-continue", "h2c", "close", "keep-alive", "a, b", "[::1]:1", "a_b:80", "\"", "\x01", "\xff", "a" * 9000]
VALUES += [SECRET, SECRET + "\x01", "Bearer " + SECRET, f"a={SECRET}; b=\""]


def request():
    body = rng.choice([b"", JSON, OIP, JSON[:20], b"\x1f\x8b" + JSON, bytes(range(256))])
    path = rng.choice(PATHS) + "".join(rng.choices(PARTS, k=rng.choice([0, 0, 0, 0, 0, 1, 2])))
    version = rng.choice(["HTTP/1.1"] * 30 + ["HTTP/1.0", "HTTP/2.0", "HTTP/1.", ""])
    lines = [" ".join([rng.choice(["GET", "GET", "POST", "POST", "POST", rng.choice(METHODS)]), path, version])]
    lines += ["Host: a", "Connection: close"][rng.randrange(8) == 0:]
    for _ in range(rng.choice([0, 0, 1, 1, 2])):
        lines.append(rng.choice(HEADERS) + rng.choice([": "] * 8 + [":", " : ", ""]) + rng.choice(VALUES))
    framing = rng.randrange(8)
    if framing == 0:
        lines.append("Transfer-Encoding: chunked")
        size = rng.choice([b"%x" % len(body), b"%x" % len(body), b"x", b"-1", b"fffffffff", b"0", b"5;" + b"a" * 9000])
        body = size + rng.choice([b"\r\n", b"\n", b""]) + body + rng.choice([b"\r\n0\r\n\r\n", b"0\r\n", b""])
    elif framing < 7:
        lines.append(f"Content-Length: {len(body) + rng.choice([0] * 9 + [-1, 1])}")
    raw = rng.choice(["\r\n"] * 9 + ["\n"]).join(lines).encode("latin-1") + b"\r\n\r\n" + body
    if rng.randrange(8) == 0:
        place = rng.randrange(len(raw))
        raw = raw[:place] + rng.randbytes(rng.randrange(4)) + raw[place + rng.randrange(9):]
    return raw


def send(raw):
    with socket.create_connection(("localhost", port), 20) as connection:
        answer = b""
        try:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                answer += part
        except TimeoutError:
            raise
        except OSError:
            pass  # The server answered and closed the connection before it had the whole request.
        return answer


def verify(raw, answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head[9:12].decode()
    if not head.startswith(b"HTTP/1.1 "):
        return "none" if not head else "other"
    if status == "100":
        return verify(raw, body)
    assert status < "500" or status in ("501", "504", "505"), (raw, answer)
    is_page = b"text/html" in head.lower() and status == "200" and b"text/html" in raw.lower()
    assert is_page or b"<html" not in answer.lower(), (raw, answer)
    if status >= "400" and body:
        assert list(json.loads(body.split(b"HTTP/1.1 ")[0])) == ["error"], (raw, answer)
    return status


statuses = collections.Counter()
with open(log, encoding="utf-8") as lines:
    send(b"GET /v2 HTTP/1.0\r\n\r\n")  # The first request starts Spring MVC, which logs.
    lines.read()
    for number in range(REQUESTS):
        raw = request()
        try:
            statuses[verify(raw, send(raw))] += 1
        except (TimeoutError, ValueError) as error:
            raise AssertionError(raw) from error
        logged = lines.read()
        assert logged.count("\n") <= 1 and SECRET not in logged, (raw, logged)
print(f"{REQUESTS} requests:", dict(sorted(statuses.items())))
