// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/failure_user.hpp"

#include "coppice/failure.hpp"
#include "coppice/text_escape.hpp"

#include <algorithm>

namespace coppice {

namespace {

/// The link that speaks to the user, or null. A bug ends the search.
const failure* speaker_of(const failure& x) {
  for (auto link = &x; link != nullptr; link = link->inner.shared().get()) {
    if (!link->user_message.empty())
      return link;
    if (link->is_bug)
      return nullptr;
  }
  return nullptr;
}

bool is_bug_down_to(const failure& x, const failure* speaker) {
  for (auto link = &x; link != nullptr; link = link->inner.shared().get()) {
    if (link->is_bug)
      return true;
    if (link == speaker)
      return false;
  }
  return false;
}

std::string waiting_time(std::chrono::nanoseconds span) {
  const auto seconds = std::max<std::int64_t>(
    std::chrono::ceil<std::chrono::seconds>(span).count(), 1);
  return std::to_string(seconds) + (seconds == 1 ? " second" : " seconds");
}

} // namespace

user_report for_user(const failure& x) {
  const auto* speaker = speaker_of(x);
  user_report res{.text = default_user_text,
                  .reference = x.reference,
                  .help_link = {},
                  .retry_after = {},
                  .failure_class = {},
                  .is_bug = is_bug_down_to(x, speaker)};
  if (speaker != nullptr)
    res.text = speaker->user_message;
  if (res.is_bug)
    return res;
  res.retry_after = x.retry_after;
  if (speaker != nullptr) {
    res.help_link = speaker->help_link;
    res.failure_class = speaker->failure_class;
    if (!res.retry_after)
      res.retry_after = speaker->retry_after;
  }
  return res;
}

std::string to_string(const user_report& x) {
  auto res = escaped(x.text) + '\n';
  if (x.retry_after)
    res += "You can try again in " + waiting_time(*x.retry_after) + ".\n";
  if (!x.help_link.empty())
    res += "More: " + escaped(x.help_link) + '\n';
  return res + "Reference: " + escaped(x.reference) + '\n';
}

} // namespace coppice
