// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/observer/request_guard.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace coppice {

namespace {

bool is_number(const std::string& address) noexcept {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(AF_INET, address.c_str(), bytes.data()) == 1
         || inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1;
}

std::string lower(std::string_view text) {
  std::string res{text};
  for (auto& c : res)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return res;
}

bool is_json(std::string_view content_type) {
  const auto kind = lower(content_type.substr(0, content_type.find(';')));
  const auto end = kind.find_last_not_of(" \t");
  return end != std::string::npos
         && std::string_view{kind}.substr(0, end + 1) == "application/json";
}

/// "http://localhost:80" is the same as the host "localhost:80".
bool is_same_origin(std::string_view origin, std::string_view host) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (origin.starts_with(scheme))
      return lower(origin.substr(scheme.size())) == lower(host);
  return false;
}

std::string_view bearer_of(std::string_view authorization) {
  constexpr std::string_view scheme = "bearer ";
  if (lower(authorization.substr(0, scheme.size())) != scheme)
    return {};
  return authorization.substr(scheme.size());
}

/// Parts of the page without which it could not ask for the token.
bool is_open_to_all(std::string_view path) {
  return path == "/page.js" || path == "/page.css";
}

} // namespace

std::string_view host_of(std::string_view authority) noexcept {
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    return end == authority.npos ? std::string_view{}
                                 : authority.substr(1, end - 1);
  }
  const auto host = authority.substr(0, authority.find(':'));
  return host.find_first_of("/@?#\\ ") == host.npos ? host : std::string_view{};
}

bool same_secret(std::string_view x, std::string_view secret) noexcept {
  unsigned differs = x.size() == secret.size() ? 0u : 1u;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto other = secret.empty() ? '\0' : secret[i % secret.size()];
    differs |= static_cast<unsigned char>(x[i])
               ^ static_cast<unsigned char>(other);
  }
  return differs == 0;
}

request_guard::request_guard(const observer_options& options)
  : token_(options.token),
    is_loopback_(is_loopback(options.address)),
    is_any_(options.address == "0.0.0.0" || options.address == "::") {
  hosts_ = {lower(options.address), "localhost"};
  if (is_loopback_)
    hosts_.insert(hosts_.end(), {"127.0.0.1", "::1"});
  for (const auto& name : options.hosts)
    hosts_.push_back(lower(name));
}

bool request_guard::knows_host(std::string_view authority) const {
  const auto host = lower(host_of(authority));
  // A number cannot be a stranger's name for something else.
  return std::ranges::find(hosts_, host) != hosts_.end()
         || (is_any_ && is_number(host));
}

std::optional<refusal> request_guard::judge(const request_facts& x) const {
  if (!knows_host(x.host))
    return refusal{403, "Unknown host",
                   "this server does not go by the name in the header Host; "
                   "use its address, or add the name to `hosts`"};
  if ((x.has_origin && !is_same_origin(x.origin, x.host))
      || x.fetch_site == "cross-site")
    return refusal{403, "Foreign origin",
                   "requests of other sites' pages are refused"};
  if (x.method != "GET" && x.method != "HEAD" && !is_json(x.content_type))
    return refusal{400, "Wrong content type",
                   "send the header Content-Type: application/json"};
  return judge_token(x);
}

std::optional<refusal>
request_guard::judge_token(const request_facts& x) const {
  const auto changes = x.method != "GET" && x.method != "HEAD";
  if (!changes && (is_loopback_ || is_open_to_all(x.path)))
    return std::nullopt;
  if (token_.empty())
    return refusal{403, "Read-only",
                   "this observer was started without a token, so nothing can "
                   "be changed through it"};
  // Links with a token in them must not change anything.
  const auto given = x.authorization.empty() && !changes
                       ? x.token
                       : bearer_of(x.authorization);
  if (given.empty())
    return refusal{401, "Token needed",
                   "send the header Authorization: Bearer <token>"};
  if (!same_secret(given, token_))
    return refusal{403, "Wrong token",
                   "this is not the token of this observer"};
  return std::nullopt;
}

} // namespace coppice
