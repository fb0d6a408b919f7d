-- What every connection sends, and what is left of it all: one line for bench.Figures.

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Inference-Header-Content-Length"] = os.getenv("BENCH_JSON_LENGTH")
local file = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
wrk.body = file:read("*a")
file:close()

function done(summary, latency)
	local errors = summary.errors
	local failed = errors.status + errors.connect + errors.read + errors.write + errors.timeout
	print(string.format("figures %d %d %d %d %d", summary.requests, summary.duration,
		latency:percentile(50), latency:percentile(99), failed))
end
