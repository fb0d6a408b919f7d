-- Builds the request body of $WORKLOAD, and prints one line of figures that src/bench/run reads.

local function input(name, datatype, rows, row)
	local data = {}
	for i = 1, rows do
		data[i] = table.concat(row, ",")
	end
	return string.format('{"name":"%s","shape":[%d,%d],"datatype":"%s","data":[%s]}', name, rows, #row, datatype,
		table.concat(data, ","))
end

local function body(workload)
	if workload == "iris" then
		return input("input-0", "FP32", 1, {6.8, 2.8, 4.8, 1.4})
	end
	local rows = assert(tonumber(workload:match("^minilm%-(%d+)$")), "Unknown workload " .. workload)
	local ids, ones, zeros = {}, {}, {}
	for i = 1, 64 do
		ids[i], ones[i], zeros[i] = 2000 + i, 1, 0
	end
	return table.concat({ input("input_ids", "INT64", rows, ids), input("attention_mask", "INT64", rows, ones),
		input("token_type_ids", "INT64", rows, zeros) }, ",")
end

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"inputs":[' .. body(os.getenv("WORKLOAD")) .. "]}"

function done(summary, latency)
	local good = summary.requests - summary.errors.status
	print(string.format("figures %.1f %.3f %.3f %.1f", good / summary.duration * 1e6, latency:percentile(50) / 1e3,
		latency:percentile(99) / 1e3, 100 * summary.errors.status / math.max(summary.requests, 1)))
end
