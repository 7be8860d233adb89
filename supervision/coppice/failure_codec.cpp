// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/failure_codec.hpp"

#include "coppice/failure.hpp"
#include "coppice/failure_limits.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

namespace coppice {

namespace {

namespace limits = failure_limits;

constexpr char version = 1;

// -- zigzag: small negative numbers become small positive ones ---------------

std::uint64_t zigzag(std::int64_t x) {
  return (static_cast<std::uint64_t>(x) << 1)
         ^ static_cast<std::uint64_t>(x >> 63);
}

std::int64_t unzigzag(std::uint64_t x) {
  return static_cast<std::int64_t>((x >> 1) ^ (~(x & 1) + 1));
}

// -- writing and reading the same fields -------------------------------------

class writer {
public:
  void number(std::uint64_t x) {
    for (; x > 0x7f; x >>= 7)
      out_ += static_cast<char>(0x80 | (x & 0x7f));
    out_ += static_cast<char>(x);
  }

  void small(std::uint32_t x) { number(x); }

  void integer(std::int64_t x) { number(zigzag(x)); }

  void flag(bool x) { number(x ? 1 : 0); }

  void text(std::string_view x, std::size_t) {
    number(x.size());
    out_ += x;
  }

  template <class List, class F>
  void list(const List& xs, std::size_t, F f) {
    number(xs.size());
    for (const auto& x : xs)
      f(*this, x);
  }

  template <class Map>
  void map(const Map& xs, std::size_t, std::size_t, std::size_t) {
    number(xs.size());
    for (const auto& [key, value] : xs) {
      text(key, 0);
      text(value, 0);
    }
  }

  /// Fields with their size in front.
  template <class F>
  void block(F f) {
    writer inner;
    f(inner);
    text(inner.out_, 0);
  }

  std::string take() { return std::move(out_); }

private:
  std::string out_;
};

/// After the first error everything reads as 0 or empty.
class reader {
public:
  explicit reader(std::string_view in) : in_(in) {}

  void number(std::uint64_t& x) { x = number(); }

  void small(std::uint32_t& x) {
    x = static_cast<std::uint32_t>(up_to(UINT32_MAX));
  }

  void integer(std::int64_t& x) { x = unzigzag(number()); }

  void flag(bool& x) { x = up_to(1) == 1; }

  void text(std::string& x, std::size_t max) { x = bytes(max); }

  template <class List, class F>
  void list(List& xs, std::size_t max, F f) {
    xs.clear();
    for (auto n = up_to(max); ok_ && n > 0; --n)
      f(*this, xs.emplace_back());
  }

  template <class Map>
  void
  map(Map& xs, std::size_t max, std::size_t key_max, std::size_t value_max) {
    xs.clear();
    for (auto n = up_to(max); ok_ && n > 0; --n) {
      auto key = std::string{bytes(key_max)};
      auto value = std::string{bytes(value_max)};
      ok_ = xs.emplace(std::move(key), std::move(value)).second && ok_;
    }
  }

  /// Ignores what follows the last field that `f` knows.
  template <class F>
  void block(F f) {
    reader inner{bytes(in_.size())};
    f(inner);
    ok_ = ok_ && inner.ok_;
  }

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return in_.empty(); }

private:
  std::uint64_t number() {
    std::uint64_t res = 0;
    for (unsigned shift = 0; ok_ && !in_.empty() && shift < 64; shift += 7) {
      const auto octet = static_cast<unsigned char>(in_.front());
      in_.remove_prefix(1);
      if (shift == 63 && octet > 1)
        break; // more than 64 bits
      res |= static_cast<std::uint64_t>(octet & 0x7f) << shift;
      if (octet < 0x80)
        return res;
    }
    ok_ = false;
    return 0;
  }

  std::uint64_t up_to(std::uint64_t max) {
    const auto res = number();
    ok_ = ok_ && res <= max;
    return ok_ ? res : 0;
  }

  std::string_view bytes(std::size_t max) {
    const auto size = static_cast<std::size_t>(up_to(max));
    ok_ = ok_ && size <= in_.size();
    if (!ok_)
      return {};
    const auto res = in_.substr(0, size);
    in_.remove_prefix(size);
    return res;
  }

  std::string_view in_;
  bool ok_ = true;
};

// A chrono type goes as its count, through a copy, in either direction.
template <class Codec, class Time>
void time(Codec& f, Time& x) {
  if constexpr (std::is_const_v<Time>) {
    f.integer(x.time_since_epoch().count());
  } else {
    std::int64_t count = 0;
    f.integer(count);
    x = wall_time{wall_time::duration{count}};
  }
}

template <class Codec, class Span>
void optional_span(Codec& f, Span& x) {
  if constexpr (std::is_const_v<Span>) {
    f.flag(x.has_value());
    f.integer(x.value_or(std::chrono::nanoseconds{0}).count());
  } else {
    bool given = false;
    std::int64_t count = 0;
    f.flag(given);
    f.integer(count);
    x.reset();
    if (given)
      x = std::chrono::nanoseconds{count};
  }
}

// The one list of fields each; `X` is const for writing.

template <class Codec, class X>
void where_fields(Codec& f, X& x) {
  f.text(x.host, limits::name_max);
  f.number(x.process);
  f.text(x.thread, limits::name_max);
  f.text(x.path, limits::name_max);
  f.number(x.incarnation);
  f.text(x.file, limits::name_max);
  f.small(x.line);
  f.text(x.function, limits::name_max);
}

template <class Codec, class X>
void frame_fields(Codec& f, X& x) {
  time(f, x.when);
  f.text(x.path, limits::name_max);
  f.number(x.incarnation);
  f.text(x.decision, limits::name_max);
  f.small(x.attempt);
  f.small(x.attempts_in_window);
}

template <class Codec, class X>
void link_fields(Codec& f, X& x) {
  f.text(x.failure_class, limits::name_max);
  f.text(x.code.category, limits::name_max);
  f.integer(x.code.value);
  f.text(x.code.name, limits::name_max);
  f.text(x.message, limits::text_max);
  f.text(x.user_message, limits::text_max);
  f.text(x.help_link, limits::text_max);
  f.text(x.reference, limits::name_max);
  time(f, x.when);
  f.block([&x](auto& g) { where_fields(g, x.where); });
  f.map(x.misc, limits::misc_max, limits::name_max, limits::misc_value_max);
  f.flag(x.is_bug);
  optional_span(f, x.retry_after);
  f.list(x.frames, limits::frames_max, [](auto& g, auto& frame) {
    g.block([&frame](auto& h) { frame_fields(h, frame); });
  });
  f.list(x.stack, limits::stack_max,
         [](auto& g, auto& address) { g.number(address); });
  f.list(x.stack_text, limits::stack_max,
         [](auto& g, auto& line) { g.text(line, limits::name_max); });
  f.small(x.frames_left_out);
  f.small(x.links_left_out);
  f.small(x.misc_left_out);
}

} // namespace

std::string encode(const failure& x) {
  auto root = x;
  enforce_limits(root);
  std::vector<const failure*> links{&root};
  while (links.back()->inner)
    links.push_back(links.back()->inner.shared().get());
  writer out;
  out.number(static_cast<std::uint64_t>(version));
  out.list(links, limits::links_max, [](writer& f, const failure* link) {
    f.block([link](writer& g) { link_fields(g, *link); });
  });
  return out.take();
}

bool decode(std::string_view bytes, failure& x) {
  reader in{bytes};
  std::uint32_t found = 0;
  in.small(found);
  if (found != version)
    return false;
  std::vector<failure> links;
  in.list(links, limits::links_max, [](reader& f, failure& link) {
    f.block([&link](reader& g) { link_fields(g, link); });
  });
  if (!in.ok() || !in.at_end() || links.empty())
    return false;
  auto chain = std::move(links.back());
  for (links.pop_back(); !links.empty(); links.pop_back()) {
    links.back().inner = failure_cause{std::move(chain)};
    chain = std::move(links.back());
  }
  x = std::move(chain);
  return true;
}

} // namespace coppice
