// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/process_group.hpp"

#include <dirent.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

namespace coppice {

namespace {

/// "4711 (name) S 1 4711 ...": the name may hold anything, brackets included.
bool is_living_member(const std::string& stat, ::pid_t group) {
  const auto name_end = stat.rfind(')');
  if (name_end == std::string::npos)
    return false;
  char state = '?';
  int parent = 0;
  int its_group = 0;
  if (std::sscanf(stat.c_str() + name_end + 1, " %c %d %d", &state, &parent,
                  &its_group)
      != 3)
    return false;
  return its_group == group && state != 'Z' && state != 'X';
}

} // namespace

bool group_exists(::pid_t group) noexcept {
  return ::kill(-group, 0) == 0 || errno == EPERM;
}

bool group_lives(::pid_t group) {
  struct closer {
    void operator()(DIR* x) const { ::closedir(x); }
  };
  const std::unique_ptr<DIR, closer> all{::opendir("/proc")};
  if (all == nullptr)
    return true; // better wait than run two at a time
  while (const auto* entry = ::readdir(all.get())) {
    const std::string name{entry->d_name};
    if (name.find_first_not_of("0123456789") != std::string::npos)
      continue;
    std::ifstream file{"/proc/" + name + "/stat"};
    std::string stat;
    if (std::getline(file, stat, '\0') && is_living_member(stat, group))
      return true;
  }
  return false;
}

} // namespace coppice
