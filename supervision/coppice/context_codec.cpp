// This file is part of coppice. License: see LICENSE in the source root.

// Contexts as bytes, the same on all CAFs:
//
//     version:u8=1 criticality:u8 kind:u8 remaining:u64 size:u8 reference cause
//
// Integers with the lowest byte first. `remaining` is 0 unless the kind says
// that there is a deadline; the cause, a failure, is there if it is over.

#include "coppice/context.hpp"
#include "coppice/context_node.hpp"
#include "coppice/failure_codec.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace coppice {

namespace {

enum class kind : std::uint8_t { unlimited, limited, over };

constexpr char version = 1;
constexpr std::size_t head_size = 3 + 8 + 1;
constexpr std::size_t cause_max = std::size_t{1} << 24;

void put(std::string& out, std::uint64_t x) {
  for (auto i = 0; i < 8; ++i, x >>= 8)
    out += static_cast<char>(x & 0xff);
}

std::uint8_t byte_at(std::string_view in, std::size_t i) {
  return static_cast<std::uint8_t>(in[i]);
}

std::uint64_t get(std::string_view in) {
  std::uint64_t x = 0;
  for (std::size_t i = 8; i > 0; --i)
    x = x << 8 | byte_at(in, i - 1);
  return x;
}

/// Longer than any process lives is as good as the longest.
policy::duration duration_of(std::uint64_t count) {
  constexpr auto most = static_cast<std::uint64_t>(INT64_MAX);
  return policy::duration{static_cast<std::int64_t>(std::min(count, most))};
}

} // namespace

std::string encode_context(const context& x) {
  const auto remaining = x.remaining();
  const auto is_over = x.is_over();
  const auto what = is_over                   ? kind::over
                    : remaining.is_infinite() ? kind::unlimited
                                              : kind::limited;
  std::string out{version};
  out += static_cast<char>(x.criticality());
  out += static_cast<char>(what);
  put(out, what == kind::limited
             ? static_cast<std::uint64_t>(remaining.span().count())
             : 0);
  out += static_cast<char>(x.reference().size());
  out += x.reference();
  if (is_over)
    out += encode(*x.cause());
  return out;
}

bool decode_context(std::string_view bytes, context& x) {
  if (bytes.size() < head_size || bytes[0] != version)
    return false;
  request_entry entry{.reference = {}};
  const auto what = static_cast<kind>(byte_at(bytes, 2));
  const auto size = std::size_t{byte_at(bytes, head_size - 1)};
  if (!policy::from_integer(byte_at(bytes, 1), entry.criticality)
      || what > kind::over || size > context_limits::reference_bytes_max
      || bytes.size() < head_size + size)
    return false;
  const auto remaining = duration_of(get(bytes.substr(3)));
  entry.reference = bytes.substr(head_size, size);
  const auto rest = bytes.substr(head_size + size);
  if (what == kind::over) {
    failure cause;
    if (rest.size() > cause_max || !decode(rest, cause))
      return false;
    x = context_node::handle(
      context_node::make_over(std::move(entry), std::move(cause)));
    return true;
  }
  if (!rest.empty())
    return false;
  x = what == kind::unlimited ? context::without_deadline(std::move(entry))
                              : context::lasting(remaining, std::move(entry));
  return true;
}

} // namespace coppice
