// This file is part of coppice. License: see LICENSE in the source root.

#include "workers.hpp"

#include "coppice/failure_convert.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <map>
#include <string>
#include <system_error>

using namespace std::literals;
using coppice::failure;
using coppice::failure_error;

namespace example {

namespace {

/// A file descriptor that closes itself.
class descriptor {
public:
  explicit descriptor(int value) : value_(value) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (value_ >= 0)
      close(value_);
  }
  [[nodiscard]] int get() const noexcept { return value_; }

private:
  int value_;
};

std::error_code last_error() {
  return {errno, std::generic_category()};
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in res{};
  res.sin_family = AF_INET;
  res.sin_port = htons(port);
  res.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return res;
}

const sockaddr* generic(const sockaddr_in& x) {
  return reinterpret_cast<const sockaddr*>(&x);
}

/// A port that is taken, so that nobody else opens it, but does not listen.
sockaddr_in closed_port(const descriptor& holder) {
  auto res = loopback(0);
  socklen_t size = sizeof(res);
  bind(holder.get(), generic(res), size);
  getsockname(holder.get(), reinterpret_cast<sockaddr*>(&res), &size);
  return res;
}

// --(doc:known_failure-begin)--
[[noreturn]] void throw_no_stock(std::error_code why, int port,
                                 const std::string& customer) {
  throw failure_error{
    failure{.failure_class = "stock_unreachable",
            .code = why,
            .message = "cannot ask the stock server for {customer}",
            .user_message = "We cannot see our stock right now.",
            .help_link = "https://shop.example/help/stock",
            .misc = {{"host", "127.0.0.1"}, {"port", std::to_string(port)}},
            .sensitive = {{"customer", customer}},
            .retry_after = 30s}};
}
// --(doc:known_failure-end)--

int ask_server(const std::string& customer) {
  const descriptor holder{socket(AF_INET, SOCK_STREAM, 0)};
  const auto address = closed_port(holder);
  const descriptor client{socket(AF_INET, SOCK_STREAM, 0)};
  if (connect(client.get(), generic(address), sizeof(address)) != 0)
    throw_no_stock(last_error(), ntohs(address.sin_port), customer);
  return 0;
}

int append(const std::string& line) {
  const auto* path = "/dev/full"; // accepts nothing
  const descriptor file{open(path, O_WRONLY)};
  if (write(file.get(), line.data(), line.size()) >= 0)
    return 0;
  throw failure_error{
    failure{.failure_class = "journal_full",
            .code = last_error(),
            .message = "cannot write the order",
            .user_message = "We cannot take orders right now. Nothing was "
                            "charged.",
            .misc = {{"path", path}, {"bytes", std::to_string(line.size())}},
            .retry_after = 5min}};
}

[[gnu::noinline]] int price_of(const std::string& article) {
  const std::map<std::string, int> table{{"ACME rocket", 4'200}};
  return table.at(article); // the bug: not every article has a price
}

} // namespace

caf::behavior stock(coppice::worker*) {
  return {[](const std::string&) { return ask_server("Ada Lovelace"); }};
}

caf::behavior journal(coppice::worker*) {
  return {[](const std::string& article) { return append(article + '\n'); }};
}

caf::behavior prices(coppice::worker*) {
  return {[](const std::string& article) { return price_of(article); }};
}

} // namespace example
