-- For wrk: users who think for 2 to 8 ms between two requests, and ask for
-- blobs at random. At the end, one line of figures.

local blobs = 64

local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

function init(args)
  math.randomseed((tonumber(args[1]) or 1) * 100 + number)
end

function request()
  return wrk.format("GET", "/blob/blob-" .. math.random(0, blobs - 1))
end

function delay()
  return math.random(2, 8)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    "figures %d %.3f %.3f %.3f %.3f %d\n", summary.requests,
    summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    latency:percentile(99.9) / 1e3,
    errors.connect + errors.read + errors.write + errors.status
      + errors.timeout))
end
