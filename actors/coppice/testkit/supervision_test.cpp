// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/testkit/supervision_test.hpp"

#include <algorithm>
#include <utility>

namespace coppice::testkit {

namespace {

using namespace std::chrono_literals;

/// How long the trees of a test may take to stop, in virtual time.
constexpr auto patience = 24h;

/// "/app/db/conn" -> "/app/db", "conn".
std::pair<std::string, std::string> split(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos
           ? std::pair{std::string{}, path}
           : std::pair{path.substr(0, slash), path.substr(slash + 1)};
}

} // namespace

supervision_test::supervision_test() : supervision_test(nullptr) {}

supervision_test::supervision_test(compat::configure_function configure)
  : host_(std::move(configure)), journal_(host_.clock_now()) {}

supervision_test::~supervision_test() {
  // A test that never got to TearDown: its actors would keep the system.
  stop_everything();
}

// -- trees -------------------------------------------------------------------

outcome_of_nothing supervision_test::launch(supervisor_spec spec,
                                            supervise_options options) {
  options.virtual_time = true;
  options.on_event = [also = std::move(options.on_event),
                      record = journal_.observer()](const auto& event) {
    record(event);
    if (also)
      also(event);
  };
  auto tree = coppice::launch(system(), std::move(spec), std::move(options));
  if (!tree)
    return tree.error();
  trees_.push_back(std::make_unique<supervision_tree>(std::move(*tree)));
  host_.add(trees_.back()->context());
  settle();
  return done;
}

void supervision_test::supervise(supervisor_spec spec,
                                 supervise_options options) {
  const auto result = launch(std::move(spec), std::move(options));
  ASSERT_TRUE(result) << describe(result.error());
}

std::optional<failure> supervision_test::end_reason() {
  return tree().context()->end_reason();
}

child_script supervision_test::script(const std::string& id) {
  scripts_.emplace_back(id, true);
  return scripts_.back();
}

// -- commands ----------------------------------------------------------------

outcome<supervisor_ref> supervision_test::look_up(const std::string& path) {
  const auto [above, id] = split(path);
  if (above.empty())
    return root();
  auto parent = look_up(above);
  if (!parent)
    return parent;
  auto reply = command_to(*parent, command::find_child{id});
  if (!reply)
    return reply.error();
  if (!reply->actor)
    return failure{.failure_class = to_string(errc::stopped),
                   .code = errc::stopped,
                   .message = path + " is between lives",
                   .user_message = "between lives"};
  return supervisor_ref{reply->actor};
}

supervisor_ref supervision_test::supervisor(const std::string& path) {
  auto result = look_up(path);
  if (result)
    return *result;
  ADD_FAILURE() << "no supervisor at " << path << ": "
                << describe(result.error());
  return {};
}

outcome<command_reply> supervision_test::start_child(const std::string& path,
                                                     child_spec spec) {
  return command_to(supervisor(path), command::start_child{std::move(spec)});
}

outcome<command_reply>
supervision_test::start_instance(const std::string& path,
                                 caf::message arguments) {
  return command_to(supervisor(path),
                    command::start_instance{std::move(arguments)});
}

outcome<command_reply>
supervision_test::terminate_child(const std::string& path) {
  const auto [above, id] = split(path);
  return command_to(supervisor(above), command::terminate_child{id});
}

outcome<command_reply>
supervision_test::restart_child(const std::string& path) {
  const auto [above, id] = split(path);
  return command_to(supervisor(above), command::restart_child{id});
}

outcome<command_reply> supervision_test::delete_child(const std::string& path) {
  const auto [above, id] = split(path);
  return command_to(supervisor(above), command::delete_child{id});
}

outcome<command_reply> supervision_test::retry_now(const std::string& path) {
  const auto [above, id] = split(path);
  return command_to(supervisor(above), command::retry_now{id});
}

outcome<command_reply> supervision_test::children(const std::string& path) {
  return command_to(supervisor(path), command::list_children{});
}

child_line supervision_test::child(const std::string& path) {
  const auto [above, id] = split(path);
  auto reply = command_to(supervisor(above), command::find_child{id});
  if (reply)
    return std::move(reply->children.front());
  ADD_FAILURE() << "no child at " << path << ": " << describe(reply.error());
  return {};
}

policy::child_counts supervision_test::counts(const std::string& path) {
  const auto reply = command_to(supervisor(path), command::count_children{});
  if (reply)
    return reply->counts;
  ADD_FAILURE() << describe(reply.error());
  return {};
}

child_ref supervision_test::ref(const std::string& path) {
  const auto [above, id] = split(path);
  const auto reply = command_to(supervisor(above), command::refer_to_child{id});
  if (reply)
    return child_ref{reply->actor};
  ADD_FAILURE() << "no child at " << path << ": " << describe(reply.error());
  return {};
}

// -- the end -----------------------------------------------------------------

stop_report supervision_test::stop(time_limit within) {
  auto& context = *tree().context();
  submit(root(), command::stop{within});
  host_.run_until([&] { return context.has_ended(); }, patience);
  return {context.abandoned(), context.has_ended()};
}

void supervision_test::stop_by_force(supervision_tree& x) {
  compat::post_urgent(caf::actor_cast<caf::strong_actor_ptr>(x.root().handle()),
                      caf::exit_msg{{},
                                    caf::make_error(caf::exit_reason::kill)});
  settle();
}

void supervision_test::stop_everything() {
  const auto was_running = !trees_.empty();
  for (auto& script : scripts_)
    script.mute(), script.release();
  settle();
  for (auto& x : trees_) {
    auto& context = *x->context();
    submit(x->root(), command::stop{std::chrono::minutes{1}});
    host_.run_until([&] { return context.has_ended(); }, patience);
    for (auto& script : scripts_) // what began to hang meanwhile
      script.release();
    settle();
    if (!context.has_ended()) {
      ADD_FAILURE() << context.root_path() << " did not stop";
      stop_by_force(*x);
    }
    static_cast<void>(x->wait(std::chrono::seconds{0})); // it was seen
  }
  trees_.clear();
  scripts_.clear();
  // Requests that nobody answered, and delayed messages.
  host_.run_until([&] { return host_.running_actors() == 0; }, patience);
  if (was_running && host_.running_actors() != 0)
    ADD_FAILURE() << host_.running_actors() << " actors were left running";
}

} // namespace coppice::testkit
