// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/failure_codec.hpp"

#include "coppice/failure.hpp"
#include "coppice/failure_limits.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
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

  /// Fields with their size in front, which is known only afterwards.
  template <class F>
  void block(F f) {
    const auto begin = out_.size();
    f(*this);
    writer size;
    size.number(out_.size() - begin);
    out_.insert(begin, size.out_);
  }

  template <class Map>
  void keys(const Map& xs, std::size_t, std::size_t) {
    number(xs.size());
    for (const auto& [key, value] : xs)
      text(key, 0);
  }

  void reserve(std::size_t n) { out_.reserve(n); }

  std::string take() { return std::move(out_); }

private:
  std::string out_;
};

/// After the first error everything reads as 0 or empty.
class reader {
public:
  explicit reader(std::string_view in, std::size_t levels = 0)
    : in_(in), levels_(levels) {}

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
    auto n = up_to(max);
    // Each element takes at least a byte.
    xs.reserve(
      static_cast<std::size_t>(std::min<std::uint64_t>(n, in_.size())));
    for (; ok_ && n > 0; --n)
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

  /// The values stay what their constructor makes of them.
  template <class Map>
  void keys(Map& xs, std::size_t max, std::size_t key_max) {
    xs.clear();
    for (auto n = up_to(max); ok_ && n > 0; --n)
      ok_ = xs.try_emplace(std::string{bytes(key_max)}).second && ok_;
  }

  /// Ignores what follows the last field that `f` knows.
  template <class F>
  void block(F f) {
    reader inner{bytes(in_.size()), levels_};
    f(inner);
    ok_ = ok_ && inner.ok_;
  }

  /// Of elements that follow.
  std::uint64_t count(std::size_t max) { return up_to(max); }

  /// Of secondary failures, from 0. Entering one too many is an error.
  bool enter_level() {
    ok_ = ok_ && levels_ < limits::secondary_levels_max;
    ++levels_;
    return ok_;
  }

  void fail() { ok_ = false; }

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
  std::size_t levels_;
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

// -- what was added since version 1 was fixed --------------------------------

enum class tag : std::uint64_t {
  sensitive = 1,
  secondary = 2,
  secondary_left_out = 3,
  stack_left_out = 4,
};

void write_chain(writer& f, const failure& root);
bool read_chain(reader& f, failure& x);

/// Nothing for what is empty: most failures have none of it.
void added_fields(writer& f, const failure& x) {
  const auto add = [&f](bool is_there, tag t, auto write) {
    if (!is_there)
      return;
    f.number(static_cast<std::uint64_t>(t));
    f.block(write);
  };
  add(!x.sensitive.empty(), tag::sensitive, [&x](writer& g) {
    g.keys(x.sensitive, limits::misc_max, limits::name_max);
  });
  add(!x.secondary.empty(), tag::secondary, [&x](writer& g) {
    g.list(x.secondary, limits::secondary_max,
           [](writer& h, const failure_cause& cause) {
             h.block([&cause](writer& i) { write_chain(i, *cause); });
           });
  });
  add(x.secondary_left_out > 0, tag::secondary_left_out,
      [&x](writer& g) { g.small(x.secondary_left_out); });
  add(x.stack_left_out > 0, tag::stack_left_out,
      [&x](writer& g) { g.small(x.stack_left_out); });
}

/// Without the reference and the time that a new one has: they cost more than
/// reading.
failure blank() {
  return {.failure_class = {}, .reference = {}, .when = {}};
}

void secondary_field(reader& f, failure_cause& x) {
  f.block([&x](reader& g) {
    auto cause = blank();
    if (g.enter_level() && read_chain(g, cause))
      x = failure_cause{std::move(cause)};
    else
      g.fail();
  });
}

void added_field(reader& f, std::uint64_t which, failure& x) {
  switch (static_cast<tag>(which)) {
    case tag::sensitive:
      return f.keys(x.sensitive, limits::misc_max, limits::name_max);
    case tag::secondary:
      return f.list(x.secondary, limits::secondary_max, secondary_field);
    case tag::secondary_left_out:
      return f.small(x.secondary_left_out);
    case tag::stack_left_out:
      return f.small(x.stack_left_out);
  }
  // Of a later version: the end of the block is the end of it.
}

void added_fields(reader& f, failure& x) {
  while (f.ok() && !f.at_end()) {
    std::uint64_t which = 0;
    f.number(which);
    f.block([which, &x](reader& g) { added_field(g, which, x); });
  }
}

// -- a link, and a chain -----------------------------------------------------

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
  added_fields(f, x);
}

void write_chain(writer& f, const failure& root) {
  std::vector<const failure*> links{&root};
  while (links.back()->inner)
    links.push_back(links.back()->inner.shared().get());
  f.list(links, limits::links_max, [](writer& g, const failure* link) {
    g.block([link](writer& h) { link_fields(h, *link); });
  });
}

bool read_chain(reader& f, failure& x) {
  std::vector<failure> links;
  for (auto n = f.count(limits::links_max); f.ok() && n > 0; --n) {
    auto& link = links.emplace_back(blank());
    f.block([&link](reader& g) { link_fields(g, link); });
  }
  if (!f.ok() || links.empty())
    return false;
  auto chain = std::move(links.back());
  for (links.pop_back(); !links.empty(); links.pop_back()) {
    links.back().inner = failure_cause{std::move(chain)};
    chain = std::move(links.back());
  }
  x = std::move(chain);
  return true;
}

std::string encode_bounded(const failure& x) {
  constexpr std::size_t usual_size = 2'048;
  writer out;
  out.reserve(usual_size);
  out.number(static_cast<std::uint64_t>(version));
  write_chain(out, x);
  return out.take();
}

} // namespace

std::string encode(const failure& x) {
  if (is_within_limits(x))
    return encode_bounded(x);
  auto copy = x;
  enforce_limits(copy);
  return encode_bounded(copy);
}

bool decode(std::string_view bytes, failure& x) {
  if (bytes.size() > limits::wire_max)
    return false;
  reader in{bytes};
  std::uint32_t found = 0;
  in.small(found);
  auto res = blank();
  if (found != version || !read_chain(in, res) || !in.at_end())
    return false;
  // Nodes of other versions may have other limits.
  if (!is_within_limits(res))
    enforce_limits(res);
  x = std::move(res);
  return true;
}

} // namespace coppice
