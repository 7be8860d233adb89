// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The only file that knows which CAF it is compiled against: 0.17.6 or 1.x.
///
/// Layer: L1. Includes CAF, and of coppice only what marks handlers and turns.
/// Threads: as the CAF functions that it wraps.
/// Rules: none; docs/architecture.md, "One adapter".

#include "coppice/heartbeat.hpp"
#include "coppice/throw_stack.hpp"

#include <caf/all.hpp>
#include <caf/config.hpp>

// Never test CAF_VERSION: 1.0.0 .. 1.1.0 define it as an octal "0100".
#define COPPICE_CAF_VERSION                                                    \
  (CAF_MAJOR_VERSION * 10000 + CAF_MINOR_VERSION * 100)
#if COPPICE_CAF_VERSION < 1800
#  define COPPICE_CAF_LEGACY 1
#else
#  define COPPICE_CAF_LEGACY 0
#  include <caf/anon_mail.hpp>
#  include <caf/scheduled_actor.hpp>
#endif

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

// ---- message types ---------------------------------------------------------
// CAF_BEGIN_TYPE_ID_BLOCK / CAF_ADD_TYPE_ID / CAF_END_TYPE_ID_BLOCK and the
// four-argument CAF_ADD_ATOM exist in 0.17.5+ and in 1.x with the same meaning.
// (atom text: at most 10 characters, letters/digits/_/space, because of 0.17)

namespace coppice::compat {

using caf::timespan; // std::chrono::nanoseconds on both

/// Call once, before any actor_system_config exists.
template <class... Blocks>
void init_types() {
#if !COPPICE_CAF_LEGACY
  (caf::init_global_meta_objects<Blocks>(), ...);
  caf::core::init_global_meta_objects();
#endif
}

/// Call for every actor_system_config.
template <class... Blocks>
void add_types([[maybe_unused]] caf::actor_system_config& cfg) {
#if COPPICE_CAF_LEGACY
  (cfg.add_message_types<Blocks>(), ...);
#endif
}

/// Sets a CAF option; `name` without the "caf." prefix that 1.x wants.
template <class T>
void set_option(caf::actor_system_config& cfg, const std::string& name, T&& v) {
#if COPPICE_CAF_LEGACY
  cfg.set(name, std::forward<T>(v));
#else
  cfg.set("caf." + name, std::forward<T>(v));
#endif
}

/// Central run queue: no polling when idle, and 0.17's work stealing takes
/// O(queue length) under a spin lock for each stolen job.
inline void use_work_sharing(caf::actor_system_config& cfg) {
#if COPPICE_CAF_LEGACY
  cfg.set("scheduler.policy", caf::atom("sharing"));
#else
  cfg.set("caf.scheduler.policy", "sharing");
#endif
}

/// Last statement of a thread (other than the one that destroys the system)
/// that called spawn() or used a scoped_actor: 0.17 keeps a thread-local
/// reference to the logger and ~actor_system waits for it. Not in the
/// destructor of a thread_local: CAF's own may be gone by then.
inline void leave_thread() {
#if COPPICE_CAF_LEGACY
  caf::logger::set_current_actor_system(nullptr);
#endif
}

// ---- inspect ---------------------------------------------------------------

template <class Inspector>
#if COPPICE_CAF_LEGACY
using inspect_result = typename Inspector::result_type;
#else
using inspect_result = bool;
#endif

template <class T>
struct field {
  const char* name;
  T& value;
};
template <class T>
field(const char*, T&) -> field<T>;

/// return compat::fields(f, x, "type", field{"a", x.a}, field{"b", x.b});
template <class Inspector, class Obj, class... Ts>
inspect_result<Inspector> fields(Inspector& f, [[maybe_unused]] Obj& obj,
                                 const char* type, field<Ts>... xs) {
#if COPPICE_CAF_LEGACY
  return f(caf::meta::type_name(type), xs.value...);
#else
  static_cast<void>(type);
  return f.object(obj).fields(f.field(xs.name, xs.value)...);
#endif
}

/// Inspects `obj` as one string of bytes: `encode(obj)` gives the string,
/// `decode(bytes, obj)` returns false for bytes that make no sense.
template <class Inspector, class Obj, class Encode, class Decode>
inspect_result<Inspector> as_bytes(Inspector& f, Obj& obj, const char* type,
                                   Encode encode, Decode decode) {
#if COPPICE_CAF_LEGACY
  if constexpr (Inspector::reads_state) {
    static_cast<void>(decode);
    auto bytes = encode(obj);
    return f(caf::meta::type_name(type), bytes);
  } else {
    static_cast<void>(encode);
    auto bytes = std::string{};
    if (auto err = f(caf::meta::type_name(type), bytes))
      return err;
    return decode(bytes, obj) ? caf::error{}
                              : caf::make_error(caf::sec::invalid_argument);
  }
#else
  static_cast<void>(type);
  return f.object(obj).fields(f.field(
    "bytes", [&] { return encode(obj); },
    [&](std::string bytes) { return decode(bytes, obj); }));
#endif
}

// ---- sending ---------------------------------------------------------------
// Not named send/request/anon_send: ADL would find the functions of namespace
// caf as well and make calls ambiguous.

template <class Self, class Dst, class... Ts>
void tell(Self* self, const Dst& dst, Ts&&... xs) {
#if COPPICE_CAF_LEGACY
  self->send(dst, std::forward<Ts>(xs)...);
#else
  self->mail(std::forward<Ts>(xs)...).send(dst);
#endif
}

template <class Self, class Dst, class... Ts>
void tell_urgent(Self* self, const Dst& dst, Ts&&... xs) {
#if COPPICE_CAF_LEGACY
  self->template send<caf::message_priority::high>(dst,
                                                   std::forward<Ts>(xs)...);
#else
  self->mail(std::forward<Ts>(xs)...).urgent().send(dst);
#endif
}

/// Not cancellable on 0.17: put a generation number into the message.
template <class Self, class Dst, class... Ts>
void tell_after(Self* self, timespan d, const Dst& dst, Ts&&... xs) {
#if COPPICE_CAF_LEGACY
  self->delayed_send(dst, d, std::forward<Ts>(xs)...);
#else
  self->mail(std::forward<Ts>(xs)...).delay(d).send(dst);
#endif
}

template <class Dst, class... Ts>
void post(const Dst& dst, Ts&&... xs) {
#if COPPICE_CAF_LEGACY
  caf::anon_send(dst, std::forward<Ts>(xs)...);
#else
  caf::anon_mail(std::forward<Ts>(xs)...).send(dst);
#endif
}

/// -> handle with then(f, g) / await(f, g), or receive(f, g) when blocking.
template <class Self, class Dst, class... Ts>
[[nodiscard]] auto
ask(Self&& self, const Dst& dst, timespan timeout, Ts&&... xs) {
#if COPPICE_CAF_LEGACY
  return self->request(dst, timeout, std::forward<Ts>(xs)...);
#else
  return self->mail(std::forward<Ts>(xs)...).request(dst, timeout);
#endif
}

/// For those that end the wait by other means: a timer of 0.17 stays, and keeps
/// the requester, until it is due.
template <class Self, class Dst, class... Ts>
[[nodiscard]] auto
ask_without_timeout(Self&& self, const Dst& dst, Ts&&... xs) {
#if COPPICE_CAF_LEGACY
  return self->request(dst, caf::infinite, std::forward<Ts>(xs)...);
#else
  return self->mail(std::forward<Ts>(xs)...).request(dst, caf::infinite);
#endif
}

template <class Self, class Dst, class... Ts>
[[nodiscard]] auto pass_on(Self* self, const Dst& dst, Ts&&... xs) {
#if COPPICE_CAF_LEGACY
  return self->delegate(dst, std::forward<Ts>(xs)...);
#else
  return self->mail(std::forward<Ts>(xs)...).delegate(dst);
#endif
}

// ---- state -----------------------------------------------------------------

/// The state of a stateful_actor.  A state class must not be an aggregate: 0.17
/// prefers State(self) to State(), and C++20 lets that initialise the first
/// member of an aggregate from the actor pointer (an actor handle, a bool,
/// ...).
template <class Self>
auto& state(Self* self) {
#if COPPICE_CAF_LEGACY
  auto& res = self->state;
#else
  auto& res = self->state();
#endif
  static_assert(!std::is_aggregate_v<std::remove_reference_t<decltype(res)>>,
                "give the actor state a constructor");
  return res;
}

// ---- monitoring, exits, exceptions -----------------------------------------

/// One per monitoring actor.  f(const actor_addr&, const error&).
class down_hub {
public:
  template <class F>
  down_hub(caf::scheduled_actor* self, F f) : self_(self), fn_(std::move(f)) {
#if COPPICE_CAF_LEGACY
    self->set_down_handler([this](caf::scheduled_actor*, caf::down_msg& dm) {
      fn_(dm.source, dm.reason);
    });
#endif
  }
  down_hub(const down_hub&) = delete;

  void watch(const caf::actor& whom) {
#if COPPICE_CAF_LEGACY
    self_->monitor(whom);
#else
    auto addr = whom.address();
    subs_[addr] = static_cast<caf::event_based_actor*>(self_)->monitor(
      whom, [this, addr](const caf::error& why) {
        subs_.erase(addr);
        fn_(addr, why);
      });
#endif
  }

  void unwatch(const caf::actor_addr& whom) {
#if COPPICE_CAF_LEGACY
    self_->demonitor(whom);
#else
    if (auto i = subs_.find(whom); i != subs_.end()) {
      i->second.dispose();
      subs_.erase(i);
    }
#endif
  }

private:
  caf::scheduled_actor* self_;
  std::function<void(const caf::actor_addr&, const caf::error&)> fn_;
#if !COPPICE_CAF_LEGACY
  std::map<caf::actor_addr, caf::disposable> subs_;
#endif
};

/// Behavior of an actor that outlives the failures of others:
/// f(caf::exit_msg&) and g(caf::error&), then the ordinary handlers.
/// 0.17 routes both kinds around the behavior, 1.x through it.  Without g an
/// actor dies when a peer throws at (1.x) or does not know (both) its message.
template <class Self, class F, class G, class... Hs>
caf::behavior system_behavior([[maybe_unused]] Self* self, F f, G g, Hs... hs) {
#if COPPICE_CAF_LEGACY
  self->set_exit_handler(std::move(f));
  self->set_error_handler(std::move(g));
  return caf::behavior{std::move(hs)...};
#else
  return caf::behavior{[f = std::move(f)](caf::exit_msg& x) mutable { f(x); },
                       [g = std::move(g)](caf::error& x) mutable { g(x); },
                       std::move(hs)...};
#endif
}

/// Exit message that overtakes the backlog of `whom` (send_exit queues behind).
template <class Self>
void exit_now(Self* self, const caf::actor& whom, caf::error why) {
  tell_urgent(self, whom, caf::exit_msg{self->address(), std::move(why)});
}

/// Handler to append to a behavior: drop whatever did not match, silently.
/// (0.17: sec::unexpected_message to requesters as well, but prints a line.)
#if COPPICE_CAF_LEGACY
template <class Self>
void drop_unexpected(Self* self) {
  self->set_default_handler(caf::drop);
}
#else
CAF_PUSH_DEPRECATED_WARNING
template <class Self>
void drop_unexpected(Self* self) {
  if constexpr (requires { self->set_default_handler(caf::drop); })
    self->set_default_handler(caf::drop);
}
CAF_POP_WARNINGS
#endif

template <class Self, class F>
void on_exception(Self* self, F f) { // error f(std::exception_ptr&)
  self->set_exception_handler(std::move(f));
}

inline bool is_error(const caf::error& e) {
  return e != caf::error{}; // operator bool is deprecated after 1.1
}

/// Is `e` this code, whatever its context? As `e == code`, which makes an error
/// of the code first in 0.17, and that allocates.
/// @pre `code` is not that of "no error".
template <class E>
bool is_code(const caf::error& e, E code) {
#if COPPICE_CAF_LEGACY
  using caf::make_error;
  static const auto category = make_error(code).category();
  return is_error(e) && e.code() == static_cast<std::uint8_t>(code)
         && e.category() == category;
#else
  return e == code;
#endif
}

/// Name of the category, the same on both versions for CAF's own; empty if
/// `e` is no error or (1.x) of a category that this process does not know.
inline std::string category(const caf::error& e) {
  if (!is_error(e))
    return {};
#if COPPICE_CAF_LEGACY
  auto res = caf::to_string(e.category());
  if (res == "system")
    return "caf::sec";
  if (res == "exit")
    return "caf::exit_reason";
  return res == "parser" ? "caf::pec" : res;
#else
  return std::string{caf::query_type_name(e.category())};
#endif
}

/// Text for logs only; the wording differs between CAF versions.
///
/// Not caf::to_string(e) of 1.x: the category that a peer sends may be any type
/// (a std::set, say), as which it prints the octet of the code: it crashes. So
/// categories of users show their numbers, on both versions.
inline std::string text(const caf::error& e) {
#if COPPICE_CAF_LEGACY
  return caf::actor_system_config::render(e);
#else
  if (!is_error(e))
    return "none";
  const auto own = [&e](auto code) {
    return e == code ? to_string(code) : std::string{};
  };
  auto res = own(static_cast<caf::sec>(e.code()));
  if (res.empty())
    res = own(static_cast<caf::exit_reason>(e.code()));
  if (res.empty())
    res = own(static_cast<caf::pec>(e.code()));
  if (res.empty())
    res = category(e) + ' ' + std::to_string(e.code());
  const auto& context = e.context();
  for (std::size_t i = 0; i < context.size(); ++i) {
    res += i == 0 ? " (" : ", ";
    res += context.match_element<std::string>(i)
             ? context.get_as<std::string>(i)
             : std::string{caf::query_type_name(context.type_at(i))};
  }
  return context.empty() ? res : res + ')';
#endif
}

/// What an actor that died of an unhandled exception reports on both versions.
inline bool died_of_exception(const caf::error& e) {
#if COPPICE_CAF_LEGACY
  if (is_code(e, caf::exit_reason::unhandled_exception)) // blocking actors
    return true;
#endif
  return is_code(e, caf::sec::runtime_error);
}

// ---- serialisation to bytes (tests, mailboxes on disk) ---------------------

#if COPPICE_CAF_LEGACY
using byte_buffer = std::vector<char>;
#else
using byte_buffer = caf::byte_buffer;
#endif

template <class... Ts>
bool to_bytes(caf::actor_system& sys, byte_buffer& out, const Ts&... xs) {
#if COPPICE_CAF_LEGACY
  caf::binary_serializer sink{sys, out};
  return !sink(xs...);
#else
  static_cast<void>(sys);
  caf::binary_serializer sink{out};
  return (sink.apply(xs) && ...);
#endif
}

template <class... Ts>
bool from_bytes(caf::actor_system& sys, const byte_buffer& in, Ts&... xs) {
#if COPPICE_CAF_LEGACY
  caf::binary_deserializer source{sys, in};
  return !source(xs...);
#else
  static_cast<void>(sys);
  caf::binary_deserializer source{in};
  return (source.apply(xs) && ...);
#endif
}

// ---- actors that tell what they are doing -----------------------------------

#if COPPICE_CAF_LEGACY
using host_type = caf::execution_unit;
#else
using host_type = caf::scheduler;
#endif

/// Says whether `x` holds exactly one `T`.
template <class T>
bool holds(caf::mailbox_element& x) {
#if COPPICE_CAF_LEGACY
  return x.content().template match_elements<T>();
#else
  return x.payload.template match_elements<T>();
#endif
}

/// An event-based actor that is told when it begins and ends a unit of work:
/// a message in 0.17, a turn (several messages, or one) in 1.x, where handling
/// a message cannot be overridden.
class marking_actor : public caf::event_based_actor {
public:
  using caf::event_based_actor::event_based_actor;

  /// Does a unit of work comprise exactly one message?
  static constexpr bool marks_messages = COPPICE_CAF_LEGACY != 0;

#if COPPICE_CAF_LEGACY
  caf::invoke_message_result consume(caf::mailbox_element& x) override {
    const throw_capture_scope in_actor;
    if (deals_with(x))
      return caf::invoke_message_result::consumed;
    work_begins(&x);
    struct guard {
      marking_actor* self;
      ~guard() { self->work_ends(); }
    } at_end{this};
    return caf::event_based_actor::consume(x);
  }
#else
  resume_result resume(host_type* host, size_t max_throughput) override {
    const throw_capture_scope in_actor;
    // The first turn makes the behavior and nothing else: that is no work.
    if (!caf::scheduled_actor::initialized())
      return caf::event_based_actor::resume(host, 0);
    // Another thread may run this actor before the call has returned: the end
    // of work is marked only if nobody has marked another beginning.
    const auto this_turn = turn_begins();
    const auto result = caf::event_based_actor::resume(host, max_throughput);
    turn_ends(this_turn);
    return result;
  }
#endif

  void initialize() override {
    const throw_capture_scope in_actor;
    caf::event_based_actor::initialize();
    initialized();
  }

protected:
  /// @param request  The message, if units of work are messages; else null.
  virtual void work_begins(caf::mailbox_element* request) noexcept = 0;
  virtual void work_ends() noexcept = 0;
  /// The same for turns; the end may come after another turn has begun.
  /// The heartbeat is a copy: by the end of the turn, another thread may be
  /// releasing the one in the actor.
  struct turn {
    std::uint32_t number = 0;
    heartbeat beats = {};
  };
  virtual turn turn_begins() noexcept = 0;
  virtual void turn_ends(turn x) noexcept = 0;
  /// Is no more to be done about this message? Asked before work begins, where
  /// units of work are messages.
  virtual bool deals_with(caf::mailbox_element& x) noexcept = 0;
  /// The initial behavior stands, and nothing was handled yet.
  virtual void initialized() = 0;
};

/// An actor without a mailbox: what is sent to it is dealt with at once, on the
/// sender's thread. Keep it short, and take care of concurrent calls.
#if COPPICE_CAF_LEGACY
class redirecting_actor : public caf::monitorable_actor {
public:
  explicit redirecting_actor(caf::actor_config& cfg)
    : caf::monitorable_actor(cfg) {}

  void enqueue(caf::mailbox_element_ptr x, caf::execution_unit* host) override {
    redirect(std::move(x), host);
  }
#else
class redirecting_actor : public caf::abstract_actor {
public:
  explicit redirecting_actor(caf::actor_config& cfg)
    : caf::abstract_actor(cfg) {}

  bool enqueue(caf::mailbox_element_ptr x, caf::scheduler* host) override {
    redirect(std::move(x), host);
    return true;
  }

  const char* name() const override { return "coppice.redirect"; }
  void setup_metrics() {} // called by make_actor; there is nothing to measure

private:
  void force_close_mailbox() override {}
#endif

protected:
  virtual void redirect(caf::mailbox_element_ptr x, host_type* host) = 0;
};

/// Makes an actor of a class derived from `redirecting_actor`.
template <class T, class... Ts>
caf::actor make_redirecting(caf::actor_system& sys, Ts&&... xs) {
  caf::actor_config cfg;
  return caf::make_actor<T, caf::actor>(sys.next_actor_id(), sys.node(), &sys,
                                        cfg, std::forward<Ts>(xs)...);
}

/// The object behind a handle that `make_redirecting` returned.
template <class T>
T& object_of(const caf::actor& x) {
  return *static_cast<T*>(caf::actor_cast<caf::abstract_actor*>(x));
}

/// The content of `x`, which is worth nothing after that.
inline caf::message take_content(caf::mailbox_element& x) {
#if COPPICE_CAF_LEGACY
  return x.move_content_to_message();
#else
  return std::move(x.payload);
#endif
}

/// The content of `x`, of which 0.17 makes a copy.
inline caf::message content_of(caf::mailbox_element& x) {
#if COPPICE_CAF_LEGACY
  return x.copy_content_to_message();
#else
  return x.payload;
#endif
}

inline caf::mailbox_element_ptr make_element(caf::strong_actor_ptr sender,
                                             caf::message_id id,
                                             caf::message content) {
#if COPPICE_CAF_LEGACY
  return caf::make_mailbox_element(std::move(sender), id, {},
                                   std::move(content));
#else
  return caf::make_mailbox_element(std::move(sender), id, std::move(content));
#endif
}

/// Hands a message over, with its sender, to another actor's mailbox.
inline void hand_over(const caf::strong_actor_ptr& to,
                      caf::mailbox_element_ptr x, host_type* host) {
  to->get()->enqueue(std::move(x), host);
}

/// Answers a request with an error on behalf of whoever it was meant for.
/// Does nothing for messages that want no answer.
inline void refuse(const caf::strong_actor_ptr& sender, caf::message_id id,
                   caf::error why) {
  if (!sender || !id.is_request())
    return;
#if COPPICE_CAF_LEGACY
  sender->enqueue(nullptr, id.response_id(), caf::make_message(std::move(why)),
                  nullptr);
#else
  sender->get()->enqueue(
    caf::make_mailbox_element(nullptr, id.response_id(),
                              caf::make_message(std::move(why))),
    nullptr);
#endif
}

/// Enqueues `xs` as an urgent message without a sender.
template <class... Ts>
void post_urgent(const caf::strong_actor_ptr& to, Ts&&... xs) {
#if COPPICE_CAF_LEGACY
  to->enqueue(caf::make_mailbox_element(
                nullptr, caf::make_message_id(caf::message_priority::high), {},
                std::forward<Ts>(xs)...),
              nullptr);
#else
  to->get()->enqueue(
    caf::make_mailbox_element(nullptr,
                              caf::make_message_id(caf::message_priority::high),
                              caf::make_message(std::forward<Ts>(xs)...)),
    nullptr);
#endif
}

/// Threads on which `sys` runs the actors that have none of their own.
inline std::size_t pool_threads(caf::actor_system& sys) {
#if COPPICE_CAF_LEGACY
  return sys.scheduler().num_workers();
#else
  return caf::get_or(sys.config(), "caf.scheduler.max-threads",
                     static_cast<std::size_t>(
                       std::max(1u, std::thread::hardware_concurrency())));
#endif
}

/// Calls `f(reason)` once when `whom` has ended, on the thread on which that
/// happens; at once, on this one, if it has already.
template <class F>
void at_end_of(const caf::actor& whom, F f) {
  caf::actor_cast<caf::abstract_actor*>(whom)->attach_functor(std::move(f));
}

} // namespace coppice::compat

// ---- error enums -----------------------------------------------------------
// On 1.x the enum must also be listed with CAF_ADD_TYPE_ID (harmless on 0.17).
// Declare std::string to_string(E) next to the enum.
#if COPPICE_CAF_LEGACY
#  define COPPICE_ERROR_ENUM(type, category) CAF_ERROR_CODE_ENUM(type, category)
#  define COPPICE_INSPECT_ENUM(type)
#else
#  define COPPICE_ERROR_ENUM(type, category) CAF_ERROR_CODE_ENUM(type)
#  define COPPICE_INSPECT_ENUM(type)                                           \
    template <class Inspector>                                                 \
    bool inspect(Inspector& f, type& x) {                                      \
      auto get = [&x] {                                                        \
        return static_cast<std::underlying_type_t<type>>(x);                   \
      };                                                                       \
      auto set = [&x](std::underlying_type_t<type> v) {                        \
        x = static_cast<type>(v);                                              \
        return true;                                                           \
      };                                                                       \
      return f.apply(get, set);                                                \
    }
#endif
