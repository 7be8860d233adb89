// This file is part of coppice. License: see LICENSE in the source root.

// Records as fields and lines, and the sink that writes lines.

#include "coppice/failure_log.hpp"
#include "coppice/text_escape.hpp"

#include <algorithm>
#include <ostream>

namespace coppice {

namespace {

/// The references of the links below `x`, outermost first.
std::string references_below(const failure& x) {
  std::string res;
  for (auto i = x.inner.shared().get(); i != nullptr;
       i = i->inner.shared().get()) {
    if (!res.empty())
      res += ',';
    res += i->reference;
  }
  return res;
}

std::string quoted(const std::string& text) {
  const auto is_plain = !text.empty()
                        && text.find_first_of(" =\"\\") == std::string::npos;
  if (is_plain)
    return text;
  std::string res = "\"";
  for (const auto c : text) {
    if (c == '"' || c == '\\')
      res += '\\';
    res += c;
  }
  return res + '"';
}

} // namespace

const char* to_string(log_severity x) noexcept {
  switch (x) {
    case log_severity::warning:
      return "warning";
    case log_severity::error:
      return "error";
    case log_severity::critical:
      return "critical";
  }
  return "error";
}

std::vector<log_field> fields_of(const failure_record& x) {
  const auto& why = *x.why;
  std::vector<log_field> res{
    {"time", utc_text(x.when)},
    {"level", to_string(x.severity)},
    {"path", escaped(x.path)},
    {"incarnation", std::to_string(x.incarnation)},
    {"decision", x.decision},
    {"attempts", std::to_string(x.attempts)},
    {"class", escaped(why.failure_class)},
    {"bug", why.is_bug ? "true" : "false"},
    {"reference", escaped(why.reference)},
  };
  if (why.inner)
    res.emplace_back("causes", escaped(references_below(why)));
  res.emplace_back("message", to_string(why));
  return res;
}

std::string to_line(const failure_record& x, std::size_t skip) {
  const auto fields = fields_of(x);
  std::string res;
  for (auto i = std::min(skip, fields.size()); i < fields.size(); ++i) {
    if (!res.empty())
      res += ' ';
    res += fields[i].first + '=' + quoted(fields[i].second);
  }
  return res;
}

failure_log::~failure_log() = default;

void ostream_failure_log::write(const failure_record& x) {
  out_ << to_line(x) << std::endl;
}

} // namespace coppice
