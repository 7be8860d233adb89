// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Says which requests to an observer are refused before they are looked at.
///
/// Layer: L3. No HTTP library: what counts of a request is a plain value.
/// Threads: immutable, so safe to share.
/// Rules: none; the reasons are at `request_guard`.

#include "coppice/observer/observer_options.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coppice {

/// Of a request, what decides. What was not sent is empty.
struct request_facts {
  /// "GET", "POST".
  std::string_view method = {};
  std::string_view path = {};
  std::string_view host = {};
  bool has_origin = false;
  std::string_view origin = {};
  std::string_view authorization = {};
  std::string_view content_type = {};
  /// Of the query.
  std::string_view token = {};
  /// As browsers say by themselves where a request comes from.
  std::string_view fetch_site = {};
};

/// Why a request is refused.
struct refusal {
  int status = 400;
  std::string title = {};
  std::string detail = {};
};

/// A browser sends requests for any page that is open in it, with whatever
/// name that page's owner gives to our address. So the name must be one of
/// ours (DNS rebinding), a page's request must come from our own page (CSRF),
/// and what changes something needs a token that browsers do not add by
/// themselves, in a request that no form can make.
class request_guard {
public:
  explicit request_guard(const observer_options& options);

  /// Nothing: let it through. The token is compared in constant time.
  [[nodiscard]] std::optional<refusal> judge(const request_facts& x) const;

private:
  [[nodiscard]] bool knows_host(std::string_view authority) const;
  [[nodiscard]] std::optional<refusal>
  judge_token(const request_facts& x) const;

  std::string token_;
  bool is_loopback_;
  bool is_any_;
  std::vector<std::string> hosts_;
};

/// "[::1]:80" -> "::1", "localhost:80" -> "localhost". Empty if malformed.
[[nodiscard]] std::string_view host_of(std::string_view authority) noexcept;

/// Takes as long whatever the two have in common; `x` is the stranger's.
[[nodiscard]] bool same_secret(std::string_view x,
                               std::string_view secret) noexcept;

} // namespace coppice
