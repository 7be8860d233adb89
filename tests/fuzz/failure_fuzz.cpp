// This file is part of coppice. License: see LICENSE in the source root.

// Any bytes at all as a failure message: refused, or a failure that is within
// its limits, travels, and prints. For libFuzzer (COPPICE_FUZZ=ON, clang), or
// with replay_main.cpp as a program that any compiler builds.

#include "coppice/failure.hpp"
#include "coppice/failure_codec.hpp"
#include "coppice/failure_json.hpp"
#include "coppice/failure_limits.hpp"
#include "coppice/failure_user.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

void require(bool holds, const char* what) {
  if (holds)
    return;
  std::fprintf(stderr, "failure_fuzz: does not hold: %s\n", what);
  std::abort();
}

bool is_one_line(std::string_view text) {
  for (const auto c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return false;
  return true;
}

void check(const coppice::failure& x) {
  require(is_within_limits(x), "what is read is within the limits");
  const auto bytes = encode(x);
  require(bytes.size() <= coppice::failure_limits::bytes_max,
          "what is written is bounded");
  coppice::failure back;
  require(decode(bytes, back), "what is written can be read");
  require(back == x, "and is the same");
  require(encode(back) == bytes, "and is written the same");
  const auto line = to_string(x);
  require(line.size() <= coppice::failure_limits::line_max,
          "a line is bounded");
  require(is_one_line(line), "a line is one line");
  require(!describe(x).empty(), "there is a report");
  require(!to_json(x).empty(), "there is JSON");
  require(!for_user(x).text.empty(), "users are told something");
  require(problem_json(x).find('\n') == std::string::npos,
          "a problem is on one line");
}

} // namespace

// libFuzzer looks for this name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  coppice::failure x;
  const auto before = x;
  if (decode(bytes, x))
    check(x);
  else
    require(x == before, "what is refused changes nothing");
  return 0;
}
