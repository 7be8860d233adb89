// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/errc.hpp"

#include <array>
#include <cstddef>

namespace coppice {

namespace {

struct row {
  const char* name;
  const char* sentence;
};

constexpr std::array<row, std::size_t{1} + static_cast<std::uint8_t>(last_errc)>
  table{{
    {"none", "nothing went wrong"},
    {"invalid_spec", "the spec breaks a rule"},
    {"already_started", "the child runs already"},
    {"already_present", "a child with this id exists, without a life"},
    {"unknown_child", "no child has this id"},
    {"child_running", "the child runs; stop it first"},
    {"child_restarting", "the child is between two lives"},
    {"children_max_reached", "there is no room for one more child"},
    {"needs_id", "children of pools have no ids"},
    {"needs_handle", "children of pools are named by their handles"},
    {"start_failed", "the child failed while it started"},
    {"start_timeout", "the child was not ready by its start deadline"},
    {"crashed", "the child ended by an exception or an error"},
    {"stalled", "the child had work in hand and made no progress"},
    {"killed", "the child was killed"},
    {"gave_up", "the restart budget is spent"},
    {"shutting_down", "the supervisor is ending"},
    {"stopped", "the child is stopped"},
    {"unavailable", "the child is between two lives; ask again later"},
    {"parking_full", "too many messages wait for the next life of the child"},
    {"request_timeout", "there was no answer by the deadline"},
    {"node_lost", "the node of the child cannot be reached"},
    {"permanent_failure", "a restart cannot help"},
    {"abandoned_cap", "too many lives would not end"},
    {"declined", "the child declined to start"},
    {"unknown", "the failure is of an unknown class"},
    {"shutdown", "ended as asked"},
    {"cancelled", "the request was cancelled"},
    {"deadline_exceeded", "the deadline of the request has passed"},
    {"overloaded", "too many requests wait; ask again later"},
    {"cannot_finish", "there is not enough time left to do it"},
    {"reload_refused", "the tree cannot go over to that spec while it runs"},
  }};

class category final : public std::error_category {
public:
  const char* name() const noexcept override { return "coppice"; }

  std::string message(int value) const override {
    auto x = errc::none;
    if (value < 0 || value > UINT8_MAX
        || !from_integer(static_cast<std::uint8_t>(value), x))
      return "unknown(" + std::to_string(value) + ")";
    return describe(x);
  }
};

} // namespace

std::string to_string(errc x) {
  const auto value = static_cast<std::uint8_t>(x);
  if (value >= table.size())
    return "unknown(" + std::to_string(value) + ")";
  return table[value].name;
}

bool from_string(std::string_view text, errc& x) noexcept {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (text == table[i].name) {
      x = static_cast<errc>(i);
      return true;
    }
  }
  return false;
}

bool from_integer(std::uint8_t value, errc& x) noexcept {
  if (value >= table.size())
    return false;
  x = static_cast<errc>(value);
  return true;
}

const char* describe(errc x) noexcept {
  const auto value = static_cast<std::uint8_t>(x);
  return value < table.size() ? table[value].sentence : "unknown";
}

const std::error_category& error_category() noexcept {
  static const category instance;
  return instance;
}

std::error_code make_error_code(errc x) noexcept {
  return {static_cast<int>(x), error_category()};
}

} // namespace coppice
