// This file is part of coppice. License: see LICENSE in the source root.

#include "argument_values.hpp"

#include <charconv>
#include <cstddef>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace coppice::tool {

std::optional<policy::duration> duration_from(std::string_view text) {
  double x = 0;
  const auto end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, x);
  if (error != std::errc{})
    return std::nullopt;
  const std::string_view unit{at, static_cast<std::size_t>(end - at)};
  const auto scale = unit == "ms"    ? 1e6
                     : unit == "s"   ? 1e9
                     : unit == "min" ? 60e9
                     : unit == "h"   ? 3600e9
                                     : 0.0;
  if (const auto span = x * scale; span >= 1 && span <= 365.0 * 86400e9)
    return policy::duration{static_cast<policy::duration::rep>(span)};
  return std::nullopt;
}

std::optional<listen_address> address_from(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0)
    return std::nullopt;
  auto host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2); // IPv6
  listen_address result{.host = std::move(host)};
  const auto begin = text.data() + colon + 1;
  const auto end = text.data() + text.size();
  const auto [at, error] = std::from_chars(begin, end, result.port);
  if (begin == end || at != end || error != std::errc{})
    return std::nullopt;
  return result;
}

std::string token_from(const std::string& file) {
  std::ifstream in{file};
  std::string line;
  if (!std::getline(in, line) || line.empty())
    throw std::runtime_error{"--token-file: '" + file
                             + "' has no token in its first line"};
  return line;
}

} // namespace coppice::tool
