// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/observer/observer_options.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <random>

namespace coppice {

namespace {

using namespace std::chrono_literals;

bool is_numeric(const std::string& address) noexcept {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(AF_INET, address.c_str(), bytes.data()) == 1
         || inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1;
}

bool is_token(const std::string& text) noexcept {
  constexpr std::size_t least = 16;
  constexpr std::size_t most = 256;
  return text.size() >= least && text.size() <= most
         && std::ranges::all_of(text, [](char c) {
              return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                     || (c >= '0' && c <= '9') || c == '-' || c == '_'
                     || c == '.' || c == '~';
            });
}

class checker {
public:
  explicit checker(std::string where) : where_(std::move(where) + '.') {}

  void refuse_unless(bool sound, const char* field, std::string value,
                     const char* expected) {
    if (!sound)
      defects_.push_back({where_ + field, std::move(value), expected});
  }

  void length(const char* field, duration value, duration least, duration most,
              const char* expected) {
    refuse_unless(value >= least && value <= most, field,
                  policy::to_string(value), expected);
  }

  policy::spec_defects take() { return std::move(defects_); }

private:
  std::string where_;
  policy::spec_defects defects_;
};

} // namespace

policy::spec_defects validate(const observer_options& x,
                              const std::string& where) {
  checker is{where};
  is.refuse_unless(x.address == "localhost" || is_numeric(x.address), "address",
                   x.address, "a numeric address, or localhost");
  is.refuse_unless(x.port >= 0 && x.port <= 65'535, "port",
                   std::to_string(x.port), "a number from 0 to 65535");
  // The token itself is a secret.
  is.refuse_unless(x.token.empty() || is_token(x.token), "token",
                   "(" + std::to_string(x.token.size()) + " bytes)",
                   "16 to 256 letters, digits, '-', '_', '.' or '~'");
  is.refuse_unless(is_loopback(x.address) || !x.token.empty(), "token",
                   "(none)",
                   "a token, as the address is not of this machine alone");
  is.length("refresh", x.refresh, 50ms, 1h, "a length from 50ms to 1h");
  is.length("snapshot_within", x.snapshot_within, 1ms, 1min,
            "a length from 1ms to 1min");
  is.length("command_within", x.command_within, 1ms, 10min,
            "a length from 1ms to 10min");
  is.length("viewer_patience", x.viewer_patience, 10ms, 10min,
            "a length from 10ms to 10min");
  is.refuse_unless(x.viewers_max <= 1'000, "viewers_max",
                   std::to_string(x.viewers_max), "a number from 0 to 1000");
  return is.take();
}

bool is_loopback(const std::string& address) noexcept {
  if (address == "localhost")
    return true;
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(AF_INET, address.c_str(), bytes.data()) == 1)
    return bytes[0] == 127;
  return inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1
         && std::all_of(bytes.begin(), bytes.end() - 1,
                        [](auto x) { return x == 0; })
         && bytes[15] == 1;
}

std::string new_token() {
  std::random_device source;
  std::string res;
  for (int i = 0; i < 4; ++i) {
    const auto bits = source();
    for (int shift = 28; shift >= 0; shift -= 4)
      res += "0123456789abcdef"[(bits >> shift) & 15];
  }
  return res;
}

} // namespace coppice
