// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/failure_convert.hpp"

#include "coppice/end_class.hpp"
#include "coppice/failure_limits.hpp"
#include "coppice/failure_stack.hpp"

#include <cxxabi.h>

#include <array>
#include <cstdlib>
#include <new>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

namespace coppice {

namespace {

// -- classes and codes -------------------------------------------------------

struct pairing {
  const char* failure_class;
  errc code;
};

// Where the two differ; all others have the name of the enumerator.
constexpr std::array pairings{
  pairing{failure_classes::crash, errc::crashed},
  pairing{failure_classes::stall, errc::stalled},
  pairing{failure_classes::start_failure, errc::start_failed},
};

std::string class_of(errc x) {
  for (const auto& [name, code] : pairings)
    if (code == x)
      return name;
  return to_string(x);
}

/// The code of `err` if it is one of ours.
errc own_code(const caf::error& err) {
  auto x = errc::none;
  if (!compat::is_error(err) || !from_integer(err.code(), x)
      || !compat::is_code(err, x))
    return errc::none;
  return x;
}

/// The code of `x` if it is one of ours.
errc own_code(const failure_code& x) noexcept {
  auto res = errc::none;
  if (x.category == error_category().name() && x.value >= 0
      && x.value <= UINT8_MAX)
    static_cast<void>(from_integer(static_cast<std::uint8_t>(x.value), res));
  return res;
}

// -- parts -------------------------------------------------------------------

failure_where completed(failure_where x) {
  if (!x.host.empty() || x.process != 0)
    return x;
  auto local = here();
  x.host = std::move(local.host);
  x.process = local.process;
  if (x.thread.empty())
    x.thread = std::move(local.thread);
  return x;
}

failure own_failure(errc x, std::string message) {
  return {.failure_class = class_of(x),
          .code = x,
          .message = message.empty() ? describe(x) : std::move(message)};
}

std::string demangled(const char* name) {
  auto status = 0;
  std::unique_ptr<char, void (*)(void*)> text{
    abi::__cxa_demangle(name, nullptr, nullptr, &status), std::free};
  auto res = std::string{status == 0 ? text.get() : name};
  // What std::throw_with_nested makes of T in libstdc++.
  constexpr std::string_view wrapper = "std::_Nested_exception<";
  if (res.starts_with(wrapper) && res.ends_with('>'))
    res = res.substr(wrapper.size(), res.size() - wrapper.size() - 1);
  return res;
}

// -- exceptions --------------------------------------------------------------

failure crash(std::string type, std::string message) {
  return {.failure_class = failure_classes::crash,
          .code = {"exception", 0, std::move(type)},
          .message = std::move(message),
          .is_bug = true};
}

std::string type_of_current_exception() {
  const auto* type = abi::__cxa_current_exception_type();
  return type != nullptr ? demangled(type->name()) : "an unknown type";
}

std::string text_of(const std::exception& x) {
  const auto* text = x.what();
  return text != nullptr ? text : "";
}

/// The cause in `x`, if it has one.
template <class T>
std::exception_ptr nested_in(const T& x) {
  const auto* nested = dynamic_cast<const std::nested_exception*>(&x);
  return nested != nullptr ? nested->nested_ptr() : nullptr;
}

/// The outermost exception alone.
struct unpacked {
  failure what;
  std::exception_ptr inner;
};

// Failures come back as they are; all others get `where`.
unpacked unpack(const std::exception_ptr& ptr, const failure_where& where) {
  const auto raw = [&where](failure x, std::exception_ptr inner = nullptr) {
    x.where = where;
    return unpacked{std::move(x), std::move(inner)};
  };
  try {
    std::rethrow_exception(ptr);
  } catch (const failure_error& x) {
    return {x.get(), nested_in(x)};
  } catch (const failure& x) {
    return {x, nullptr};
  } catch (const std::system_error& x) {
    auto res = crash({}, text_of(x));
    res.code = x.code();
    res.misc.emplace("exception", demangled(typeid(x).name()));
    return raw(std::move(res), nested_in(x));
  } catch (const std::exception& x) {
    return raw(crash(demangled(typeid(x).name()), text_of(x)), nested_in(x));
  } catch (const std::nested_exception& x) {
    return raw(crash(type_of_current_exception(), {}), x.nested_ptr());
  } catch (const caf::error& x) {
    return {from_error(x, where), nullptr};
  } catch (std::error_code x) {
    return {from_error_code(x, where), nullptr};
  } catch (const std::string& x) {
    return raw(crash("std::string", x));
  } catch (const char* x) {
    return raw(crash("char const*", x != nullptr ? x : ""));
  } catch (...) {
    return raw(crash(type_of_current_exception(), {}));
  }
}

} // namespace

failure_error::failure_error(failure x, const char* file, int line,
                             const char* function) {
  auto spot = here({}, 0, file, line, function);
  if (x.where.file.empty()) {
    x.where.file = std::move(spot.file);
    x.where.line = spot.line;
    x.where.function = std::move(spot.function);
  }
  x.where = completed(std::move(x.where));
  enforce_limits(x);
  ptr_ = std::make_shared<const failure>(std::move(x));
}

const char* failure_error::what() const noexcept {
  return ptr_->message.c_str();
}

failure from_exception(const std::exception_ptr& ptr, failure_where where) {
  where = completed(std::move(where));
  if (ptr == nullptr) {
    auto res = crash({}, "no exception");
    res.where = std::move(where);
    return res;
  }
  // Outermost first. A chain of exceptions can have any length.
  std::vector<failure> links;
  auto next = ptr;
  while (next != nullptr && links.size() < failure_limits::links_max) {
    auto [what, inner] = unpack(next, where);
    attach_stack(what, next);
    links.push_back(std::move(what));
    next = std::move(inner);
  }
  if (auto& count = links.back().links_left_out;
      next != nullptr && count < UINT32_MAX)
    ++count; // or more: nobody counted
  auto res = std::move(links.back());
  for (links.pop_back(); !links.empty(); links.pop_back())
    res = attach(std::move(links.back()), std::move(res));
  enforce_limits(res);
  return res;
}

// -- caf::error --------------------------------------------------------------

namespace {

/// What CAF says about how an actor ended is nobody's bug.
std::string class_of(end_class x) {
  switch (x) {
    case end_class::killed:
      return failure_classes::killed;
    case end_class::node_lost:
      return failure_classes::node_lost;
    case end_class::unreachable:
      return failure_classes::unreachable;
    default:
      return to_string(x);
  }
}

std::string foreign_class(const caf::error& err, end_class how) {
  if (how != end_class::failed)
    return class_of(how);
  return compat::died_of_exception(err) ? failure_classes::crash
                                        : failure_classes::error;
}

failure foreign_failure(const caf::error& err) {
  auto text = compat::text(err);
  const auto value = compat::is_error(err) ? err.code() : std::uint8_t{0};
  const auto how = classify(err);
  return {.failure_class = foreign_class(err, how),
          .code = {compat::category(err), value, text},
          .message = text,
          .is_bug = how == end_class::failed};
}

std::string note_in(const caf::error& err) {
  const auto& context = err.context();
  return context.match_elements<std::string>() ? context.get_as<std::string>(0)
                                               : std::string{};
}

/// What CAF answers a request with on its own is an edge case that everybody
/// has to reckon with, and coppice has a code for it.
errc request_code(const caf::error& err) {
  if (compat::is_code(err, caf::sec::request_timeout))
    return errc::request_timeout;
  if (compat::is_code(err, caf::sec::request_receiver_down))
    return errc::unavailable;
  return errc::none;
}

failure unplaced(const caf::error& err) {
  if (const auto code = own_code(err); code != errc::none)
    return own_failure(code, note_in(err));
  if (const auto code = request_code(err); code != errc::none)
    return own_failure(code, compat::text(err));
  try {
    return foreign_failure(err);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (...) {
    return {.message = "an error whose text function threw", .is_bug = true};
  }
}

} // namespace

failure from_error(const caf::error& err, failure_where where) {
  if (compat::is_error(err) && err.context().match_elements<failure>())
    return err.context().get_as<failure>(0);
  auto res = unplaced(err);
  res.where = completed(std::move(where));
  enforce_limits(res);
  return res;
}

std::string failure_class_of(const caf::error& err, end_class how) {
  if (compat::is_error(err) && err.context().match_elements<failure>())
    return err.context().get_as<failure>(0).failure_class;
  if (const auto code = own_code(err); code != errc::none)
    return class_of(code);
  if (const auto code = request_code(err); code != errc::none)
    return class_of(code);
  return foreign_class(err, how);
}

caf::error to_error(failure x) {
  enforce_limits(x);
  const auto code = to_errc(x);
  return caf::make_error(code, std::move(x));
}

// -- std::error_code ---------------------------------------------------------

failure from_error_code(std::error_code code, failure_where where) {
  failure_code kept{code};
  auto res = own_code(kept) != errc::none
               ? own_failure(own_code(kept), {})
               : failure{.code = kept, .message = kept.name, .is_bug = true};
  res.where = completed(std::move(where));
  enforce_limits(res);
  return res;
}

std::error_code to_error_code(const failure& x) {
  const auto fits = x.code.value == static_cast<int>(x.code.value);
  if (fits && x.code.category == std::generic_category().name())
    return {static_cast<int>(x.code.value), std::generic_category()};
  if (fits && x.code.category == std::system_category().name())
    return {static_cast<int>(x.code.value), std::system_category()};
  return to_errc(x);
}

errc to_errc(const failure& x) noexcept {
  if (const auto code = own_code(x.code); code != errc::none)
    return code;
  for (const auto& [name, code] : pairings)
    if (x.failure_class == name)
      return code;
  auto res = errc::none;
  if (from_string(x.failure_class, res) && res != errc::none)
    return res;
  return errc::unknown;
}

} // namespace coppice
