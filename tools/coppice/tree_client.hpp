// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Asks a running tree over HTTP.
///
/// Layer: L4.
/// Threads: one thread per client.
/// Rules: docs/command_line.md, "How it is reached".

#include "runtime_file.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>

namespace coppice::tool {

struct http_answer {
  /// 0: there was none, and `body` says why.
  int status = 0;
  std::string body;

  [[nodiscard]] bool is_good() const noexcept {
    return status >= 200 && status < 300;
  }
};

/// One of a stream of events.
struct stream_event {
  std::string name;
  std::string id;
  std::string data;
};

class tree_client {
public:
  explicit tree_client(running_tree tree) : tree_(std::move(tree)) {}

  [[nodiscard]] const running_tree& tree() const noexcept { return tree_; }

  [[nodiscard]] http_answer get(const std::string& path) const;
  /// @param json  The body.
  [[nodiscard]] http_answer post(const std::string& path,
                                 const std::string& json) const;
  /// Until `on_event` returns false, the other end closes, or nothing comes
  /// for `idle`.
  [[nodiscard]] http_answer
  stream(const std::string& path, std::chrono::seconds idle,
         const std::function<bool(const stream_event&)>& on_event) const;

private:
  running_tree tree_;
};

/// Cuts server-sent events out of what comes in pieces.
/// Source: WHATWG HTML, 9.2.6.
class event_parser {
public:
  using callback = std::function<bool(const stream_event&)>;

  /// False as soon as `f` says so.
  [[nodiscard]] bool feed(const char* data, std::size_t size,
                          const callback& f);

private:
  bool line(const callback& f);

  std::string line_;
  stream_event event_;
};

} // namespace coppice::tool
