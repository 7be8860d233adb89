// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/process_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>
#include <cstdint>
#include <cstring>

namespace coppice {

namespace {

/// 0: none.
std::uint16_t parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, port);
  return parsed.ec == std::errc{} && parsed.ptr == end ? port
                                                       : std::uint16_t{0};
}

template <class Address>
socket_address stored(const Address& x) {
  socket_address result;
  std::memcpy(&result.storage, &x, sizeof(x));
  result.size = sizeof(x);
  return result;
}

} // namespace

std::optional<socket_address> parse_address(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos)
    return {};
  const auto port = parse_port(std::string_view{text}.substr(colon + 1));
  auto host = text.substr(0, colon);
  if (port == 0)
    return {};
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    sockaddr_in6 x{};
    x.sin6_family = AF_INET6;
    x.sin6_port = htons(port);
    host = host.substr(1, host.size() - 2);
    if (::inet_pton(AF_INET6, host.c_str(), &x.sin6_addr) == 1)
      return stored(x);
    return {};
  }
  sockaddr_in x{};
  x.sin_family = AF_INET;
  x.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &x.sin_addr) == 1)
    return stored(x);
  return {};
}

} // namespace coppice
