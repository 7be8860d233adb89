// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/life.hpp"

namespace coppice {

namespace {

thread_local life_ticket* current_ticket = nullptr;

} // namespace

void tell_supervisor(const supervisor_link& link, life_news news) {
  if (link.on_news)
    link.on_news(news.what);
  if (auto to = caf::actor_cast<caf::strong_actor_ptr>(link.supervisor))
    compat::post_urgent(to, news);
}

std::string life_ticket::path() const {
  return link->path + '/' + (id.empty() ? std::to_string(number) : id);
}

ticket_scope::ticket_scope(life_ticket& ticket) noexcept
  : outer_(current_ticket) {
  current_ticket = &ticket;
}

ticket_scope::~ticket_scope() {
  current_ticket = outer_;
}

life_ticket* ticket_scope::current() noexcept {
  return current_ticket != nullptr && !current_ticket->taken ? current_ticket
                                                             : nullptr;
}

} // namespace coppice
