// This file is part of coppice. License: see LICENSE in the source root.

// Contexts as bytes, the same on all CAFs:
//
//     version:u8=1 criticality:u8 kind:u8 remaining:u64 size:u8 reference cause
//     version:u8=2 criticality:u8 kind:u8 remaining:u64 size:u8 reference
//       mark:u8 size:u8 key [number:u32 serial:u64] cause
//
// Version 2 is for marked contexts alone, the part in brackets for copies. What
// nodes that know version 1 only are sent by others, they understand.
//
// Integers with the lowest byte first. `remaining` is 0 unless the kind says
// that there is a deadline; the cause, a failure, is there if it is over.

#include "coppice/context.hpp"
#include "coppice/context_node.hpp"
#include "coppice/copy_registry.hpp"
#include "coppice/failure_codec.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace coppice {

namespace {

enum class kind : std::uint8_t { unlimited, limited, over };

constexpr char version_unmarked = 1;
constexpr char version_marked = 2;
constexpr std::size_t head_size = 3 + 8 + 1;
constexpr std::size_t cause_max = std::size_t{1} << 24;

void put(std::string& out, std::uint64_t x, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i, x >>= 8)
    out += static_cast<char>(x & 0xff);
}

void put(std::string& out, std::string_view text) {
  out += static_cast<char>(text.size());
  out += text;
}

std::uint8_t byte_at(std::string_view in, std::size_t i) {
  return static_cast<std::uint8_t>(in[i]);
}

std::uint64_t get(std::string_view in, std::size_t bytes) {
  std::uint64_t x = 0;
  for (std::size_t i = bytes; i > 0; --i)
    x = x << 8 | byte_at(in, i - 1);
  return x;
}

/// Takes the first bytes of `in`, if there are so many.
bool take(std::string_view& in, std::size_t bytes, std::string_view& out) {
  if (in.size() < bytes)
    return false;
  out = in.substr(0, bytes);
  in.remove_prefix(bytes);
  return true;
}

bool take_text(std::string_view& in, std::size_t max, std::string_view& out) {
  std::string_view size;
  return take(in, 1, size) && byte_at(size, 0) <= max
         && take(in, byte_at(size, 0), out);
}

/// Longer than any process lives is as good as the longest.
policy::duration duration_of(std::uint64_t count) {
  constexpr auto most = static_cast<std::uint64_t>(INT64_MAX);
  return policy::duration{static_cast<std::int64_t>(std::min(count, most))};
}

// -- marks -------------------------------------------------------------------

struct marking {
  context_flag::mark_kind kind = context_flag::unmarked;
  request_copy what;
};

void put_mark(std::string& out, const context& x) {
  const auto* copy = x.copy();
  out += static_cast<char>(copy != nullptr ? context_flag::copy
                                           : context_flag::idempotent);
  put(out, x.dedup_key());
  if (copy == nullptr)
    return;
  put(out, copy->number, 4);
  put(out, copy->serial, 8);
}

bool take_mark(std::string_view& in, marking& x) {
  std::string_view kind;
  std::string_view key;
  if (!take(in, 1, kind) || byte_at(kind, 0) > context_flag::copy
      || !take_text(in, context_limits::dedup_key_bytes_max, key)
      || key.empty())
    return false;
  x.kind = static_cast<context_flag::mark_kind>(byte_at(kind, 0));
  x.what.dedup_key = key;
  if (x.kind != context_flag::copy)
    return x.kind == context_flag::idempotent;
  std::string_view number;
  std::string_view serial;
  if (!take(in, 4, number) || !take(in, 8, serial))
    return false;
  x.what.number = static_cast<std::uint32_t>(get(number, 4));
  x.what.serial = get(serial, 8);
  return x.what.serial != 0;
}

context marked(const context& root, marking x) {
  if (x.kind == context_flag::unmarked)
    return root;
  if (x.kind == context_flag::idempotent)
    return root.idempotent(std::move(x.what.dedup_key));
  auto result = root.with_copy(std::move(x.what));
  copy_registry::of_process().add(result);
  return result;
}

// -- ends --------------------------------------------------------------------

bool decode_end(std::string_view in, kind what, policy::duration remaining,
                request_entry entry, context& x) {
  if (what == kind::over) {
    failure cause;
    if (in.size() > cause_max || !decode(in, cause))
      return false;
    x = context_node::handle(
      context_node::make_over(std::move(entry), std::move(cause)));
    return true;
  }
  if (!in.empty())
    return false;
  x = what == kind::unlimited ? context::without_deadline(std::move(entry))
                              : context::lasting(remaining, std::move(entry));
  return true;
}

} // namespace

std::string encode_context(const context& x) {
  const auto remaining = x.remaining();
  const auto is_over = x.is_over();
  const auto what = is_over                   ? kind::over
                    : remaining.is_infinite() ? kind::unlimited
                                              : kind::limited;
  std::string out{x.is_idempotent() ? version_marked : version_unmarked};
  out += static_cast<char>(x.criticality());
  out += static_cast<char>(what);
  put(out,
      what == kind::limited
        ? static_cast<std::uint64_t>(remaining.span().count())
        : 0,
      8);
  put(out, x.reference());
  if (x.is_idempotent())
    put_mark(out, x);
  if (is_over)
    out += encode(*x.cause());
  return out;
}

bool decode_context(std::string_view bytes, context& x) {
  if (bytes.size() < head_size
      || (bytes[0] != version_unmarked && bytes[0] != version_marked))
    return false;
  request_entry entry{.reference = {}};
  const auto what = static_cast<kind>(byte_at(bytes, 2));
  const auto remaining = duration_of(get(bytes.substr(3), 8));
  auto rest = bytes.substr(head_size - 1);
  std::string_view reference;
  marking mark;
  if (!policy::from_integer(byte_at(bytes, 1), entry.criticality)
      || what > kind::over
      || !take_text(rest, context_limits::reference_bytes_max, reference)
      || (bytes[0] == version_marked && !take_mark(rest, mark)))
    return false;
  entry.reference = reference;
  context root;
  if (!decode_end(rest, what, remaining, std::move(entry), root))
    return false;
  x = marked(root, std::move(mark));
  return true;
}

} // namespace coppice
