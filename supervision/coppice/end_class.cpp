// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/end_class.hpp"

#include <utility>

namespace coppice {

const char* to_string(end_class x) noexcept {
  switch (x) {
    case end_class::normal:
      return "normal";
    case end_class::shutdown:
      return "shutdown";
    case end_class::shutdown_with_note:
      return "shutdown_with_note";
    case end_class::killed:
      return "killed";
    case end_class::node_lost:
      return "node_lost";
    case end_class::unreachable:
      return "unreachable";
    case end_class::failed:
      return "failed";
  }
  return "unknown";
}

end_class classify(const caf::error& reason) {
  if (!compat::is_error(reason))
    return end_class::normal;
  if (compat::is_code(reason, errc::shutdown))
    return reason.context().empty() ? end_class::shutdown
                                    : end_class::shutdown_with_note;
  if (compat::is_code(reason, caf::exit_reason::user_shutdown))
    return end_class::shutdown;
  if (compat::is_code(reason, caf::exit_reason::kill))
    return end_class::killed;
  if (compat::is_code(reason, caf::exit_reason::remote_link_unreachable))
    return end_class::node_lost;
  if (compat::is_code(reason, caf::exit_reason::unreachable))
    return end_class::unreachable;
  return end_class::failed;
}

bool is_clean(end_class x) noexcept {
  return x == end_class::normal || x == end_class::shutdown
         || x == end_class::shutdown_with_note;
}

bool is_clean(const caf::error& reason) {
  return is_clean(classify(reason));
}

caf::error shutdown_note(std::string note) {
  return caf::make_error(errc::shutdown, std::move(note));
}

std::string note_of(const caf::error& reason) {
  if (classify(reason) != end_class::shutdown_with_note)
    return {};
  const auto& context = reason.context();
  return context.match_elements<std::string>() ? context.get_as<std::string>(0)
                                               : std::string{};
}

} // namespace coppice
