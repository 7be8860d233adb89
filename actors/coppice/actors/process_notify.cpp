// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/process_notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace coppice {

namespace {

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end)
    return {};
  return value;
}

void take(notification& to, std::string_view name, std::string_view value) {
  constexpr std::uint64_t a_year = 365ull * 24 * 3600 * 1'000'000;
  if (name == "READY")
    to.ready = to.ready || value == "1";
  else if (name == "STOPPING")
    to.stopping = to.stopping || value == "1";
  else if (name == "WATCHDOG" && value == "1")
    to.beat = true;
  else if (name == "WATCHDOG" && value == "trigger")
    to.trigger = true;
  else if (name == "STATUS")
    to.status = std::string{value};
  else if (name == "ERRNO")
    to.error_number = number<int>(value);
  else if (name == "EXTEND_TIMEOUT_USEC")
    if (const auto span = number<std::uint64_t>(value))
      to.more_time = std::chrono::microseconds{std::min(*span, a_year)};
}

} // namespace

notification parse_notification(std::string_view text) {
  notification result;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    if (const auto equals = line.find('='); equals != line.npos)
      take(result, line.substr(0, equals), line.substr(equals + 1));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

notify_socket::message::descriptors::~descriptors() {
  for (int i = 0; i < count; ++i)
    ::close(fds[i]);
}

bool notify_socket::open() {
  owned_fd fd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  const int on = 1;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socklen_t size = sizeof(sa_family_t); // the kernel chooses a name
  if (!fd
      || ::setsockopt(fd.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) != 0
      || ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0)
    return false;
  size = sizeof(address);
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size)
      != 0)
    return false;
  const auto length = size - offsetof(sockaddr_un, sun_path);
  name_ = '@' + std::string{address.sun_path + 1, length - 1};
  fd_ = std::move(fd);
  return true;
}

bool notify_socket::receive(message& into) {
  std::array<char, message_max> buffer;
  // Room for the sender, and for all descriptors that a message can have.
  alignas(cmsghdr) char
    control[CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(sizeof(int) * 253)];
  iovec data{buffer.data(), buffer.size()};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof(control);
  const auto size = ::recvmsg(fd_.get(), &header,
                              MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (size < 0)
    return false;
  into.text.assign(buffer.data(), static_cast<std::size_t>(size));
  for (auto* x = CMSG_FIRSTHDR(&header); x != nullptr;
       x = CMSG_NXTHDR(&header, x)) {
    if (x->cmsg_level != SOL_SOCKET)
      continue;
    if (x->cmsg_type == SCM_CREDENTIALS) {
      ucred who{};
      std::memcpy(&who, CMSG_DATA(x), sizeof(who));
      into.sender = who.pid;
    } else if (x->cmsg_type == SCM_RIGHTS) {
      const auto bytes = x->cmsg_len - CMSG_LEN(0);
      std::memcpy(into.barrier.fds, CMSG_DATA(x), bytes);
      into.barrier.count = static_cast<int>(bytes / sizeof(int));
    }
  }
  into.is_bad = (header.msg_flags & MSG_TRUNC) != 0 || into.sender <= 0;
  return true;
}

} // namespace coppice
