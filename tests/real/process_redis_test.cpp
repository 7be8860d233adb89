// This file is part of coppice. License: see LICENSE in the source root.

// A real server under load: Redis, killed, frozen and restarted. Skipped where
// there is no redis-server.

#include "support/process_tree.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>

namespace coppice::test {

namespace {

using clock = std::chrono::steady_clock;

/// One that nobody uses now.
std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

/// A connection that gives up on an answer after 100 ms.
class redis_client {
public:
  explicit redis_client(std::uint16_t port) : port_(port) {}
  ~redis_client() { drop(); }

  /// Sets a key to a value and reads it back.
  bool round_trip(const std::string& key, const std::string& value) {
    const auto ok
      = (fd_ >= 0 || connect())
        && ask("SET " + key + ' ' + value + "\r\n", "+OK\r\n")
        && ask("GET " + key + "\r\n",
               '$' + std::to_string(value.size()) + "\r\n" + value + "\r\n");
    if (!ok)
      drop();
    return ok;
  }

private:
  bool connect() {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{0, 100'000};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(port_);
    return ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0;
  }

  bool ask(const std::string& question, const std::string& answer) {
    if (::send(fd_, question.data(), question.size(), MSG_NOSIGNAL)
        != static_cast<::ssize_t>(question.size()))
      return false;
    std::string got(answer.size(), '\0');
    return ::recv(fd_, got.data(), got.size(), MSG_WAITALL)
             == static_cast<::ssize_t>(got.size())
           && got == answer;
  }

  void drop() {
    if (fd_ >= 0)
      ::close(std::exchange(fd_, -1));
  }

  std::uint16_t port_;
  int fd_ = -1;
};

/// Clients that never rest, and note how long none of their requests worked.
class redis_load {
public:
  redis_load(std::uint16_t port, int clients) : outages_(clients) {
    for (int i = 0; i < clients; ++i)
      threads_.emplace_back([this, port, i] { run(port, i); });
  }
  ~redis_load() { stop(); }

  void stop() {
    stopping_ = true;
    for (auto& x : threads_)
      x.join();
    threads_.clear();
  }

  [[nodiscard]] std::uint64_t answers() const { return answers_; }
  [[nodiscard]] std::uint64_t errors() const { return errors_; }
  /// All clients have had this many answers since the call.
  [[nodiscard]] bool all_work() {
    const auto before = rounds();
    return comes_true([&] {
      const auto now = rounds();
      for (std::size_t i = 0; i < now.size(); ++i)
        if (now[i] < before[i] + 5)
          return false;
      return true;
    });
  }
  [[nodiscard]] clock::duration longest_outage() {
    std::lock_guard guard{mutex_};
    auto longest = clock::duration::zero();
    for (const auto& x : outages_)
      longest = std::max(longest, x.longest);
    return longest;
  }

private:
  struct outage {
    std::uint64_t rounds = 0;
    clock::duration longest{0};
  };

  std::vector<std::uint64_t> rounds() {
    std::lock_guard guard{mutex_};
    std::vector<std::uint64_t> result;
    for (const auto& x : outages_)
      result.push_back(x.rounds);
    return result;
  }

  void run(std::uint16_t port, int number) {
    redis_client client{port};
    auto last = clock::now();
    for (int i = 0; !stopping_; ++i) {
      if (!client.round_trip("key" + std::to_string(number),
                             std::to_string(i))) {
        ++errors_;
        std::this_thread::sleep_for(5ms); // as a client would
        continue;
      }
      ++answers_;
      const auto now = clock::now();
      std::lock_guard guard{mutex_};
      auto& mine = outages_[static_cast<std::size_t>(number)];
      ++mine.rounds;
      mine.longest = std::max(mine.longest, now - last);
      last = now;
    }
  }

  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> answers_{0};
  std::atomic<std::uint64_t> errors_{0};
  std::mutex mutex_;
  std::vector<outage> outages_;
  std::vector<std::thread> threads_;
};

} // namespace

class ProcessRedisTest : public process_tree {
protected:
  void SetUp() override {
    if (std::system("command -v redis-server >/dev/null 2>&1") != 0)
      GTEST_SKIP() << "there is no redis-server: install it (tools/setup)";
    const auto name = std::to_string(port);
    run_one({.command = {"redis-server", "--port", name, "--bind", "127.0.0.1",
                         "--save", "", "--appendonly", "no", "--supervised",
                         "systemd"},
             .directory = std::filesystem::temp_directory_path().string(),
             .notify = true,
             .check = {.tcp = "127.0.0.1:" + name,
                       .send = "PING\r\n",
                       .expect = "+PONG",
                       .every = 100ms,
                       .timeout = 200ms}},
            {.shutdown = 500ms,
             .start_deadline = 20s,
             .heartbeat = {.idle_timeout = 1s}});
    ASSERT_TRUE(tree) << describe(*why_not);
    load = std::make_unique<redis_load>(port, 4);
    ASSERT_TRUE(load->all_work());
  }

  std::uint16_t port = free_port();
  std::unique_ptr<redis_load> load;
};

// HEARTBEAT-1, START-1: well and under load, it is left alone.
TEST_F(ProcessRedisTest, IsLeftAloneWhileItAnswers) {
  EXPECT_TRUE(comes_true([this] { return status().checks_passed > 10; }));
  EXPECT_GT(load->answers(), 100u);
  load->stop();
  EXPECT_LT(load->longest_outage(), 5s);
  EXPECT_EQ(log.count(event_kind::failed), 0) << log.text();
  EXPECT_EQ(log.count(event_kind::stalled), 0) << log.text();
}

// RESTART-1: killed three times, it is back each time.
TEST_F(ProcessRedisTest, IsBackAfterItWasKilled) {
  for (int i = 2; i <= 4; ++i) {
    ::kill(pid(), SIGKILL);
    ASSERT_TRUE(wait_for(event_kind::ready, i)) << log.text();
    EXPECT_TRUE(load->all_work());
  }
  load->stop();
  EXPECT_GT(load->errors(), 0u);
  EXPECT_LT(load->longest_outage(), 10s);
}

// HEARTBEAT-6, HEARTBEAT-7: frozen, it is found by its silence, and replaced.
TEST_F(ProcessRedisTest, IsReplacedWhenItFreezes) {
  const auto frozen = pid();
  const auto begin = clock::now();
  ::kill(frozen, SIGSTOP);
  ASSERT_TRUE(wait_for(event_kind::stalled)) << log.text();
  EXPECT_GE(clock::now() - begin, 500ms);
  const auto why = because(event_kind::stalled);
  EXPECT_EQ(why.misc.at("check_failure"), "no answer within 200ms");
  ASSERT_TRUE(wait_for(event_kind::ready, 2)) << log.text();
  EXPECT_TRUE(group_is_gone(frozen));
  EXPECT_TRUE(load->all_work());
  load->stop();
  EXPECT_GT(load->errors(), 0u);
  EXPECT_LT(load->longest_outage(), 15s);
}

// STOP-1: restarted by an operator, in order.
TEST_F(ProcessRedisTest, IsRestartedInOrder) {
  ASSERT_TRUE(tree->root().terminate_child("p", patience));
  ASSERT_TRUE(tree->root().restart_child("p", patience));
  EXPECT_TRUE(load->all_work());
  EXPECT_EQ(log.count(event_kind::failed), 0) << log.text();
  EXPECT_LT(load->longest_outage(), 10s);
}

} // namespace coppice::test
