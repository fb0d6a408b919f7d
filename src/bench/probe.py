# Asks GET /readyz on a new connection 20 times a second: probe.py PORT SECONDS
# Prints how many probes there were, how many failed, and the p99 and the maximum of the times in ms.
import http.client
import sys
import time

port, seconds = int(sys.argv[1]), int(sys.argv[2])
millis, failure_count = [], 0
end = time.monotonic() + seconds
while time.monotonic() < end:
    start = time.monotonic()
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=10)
    try:
        connection.request('GET', '/readyz')
        failure_count += connection.getresponse().status != 200
    except OSError:
        failure_count += 1
    finally:
        connection.close()
    millis.append((time.monotonic() - start) * 1000)
    time.sleep(0.05)
millis.sort()
print(len(millis), failure_count, f'{millis[int(len(millis) * 0.99)]:.1f}', f'{millis[-1]:.1f}')
