// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/wall_time.hpp"

#include <array>
#include <cstdint>
#include <cstdio>

namespace coppice {

wall_time wall_now() noexcept {
  return std::chrono::time_point_cast<wall_time::duration>(
    std::chrono::system_clock::now());
}

std::string utc_text(wall_time when) {
  using namespace std::chrono;
  // Not by floor(): the second that holds wall_time::min() begins before it.
  constexpr std::int64_t second = 1'000'000'000;
  const auto count = when.time_since_epoch().count();
  const auto fraction = ((count % second) + second) % second;
  const sys_seconds whole{
    seconds{count / second - (count % second < 0 ? 1 : 0)}};
  const auto midnight = floor<days>(whole);
  const year_month_day date{midnight};
  const hh_mm_ss clock{whole - midnight};
  std::array<char, 64> buf{};
  const auto n = std::snprintf(
    buf.data(), buf.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%09lldZ",
    static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
    static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
    static_cast<int>(clock.minutes().count()),
    static_cast<int>(clock.seconds().count()),
    static_cast<long long>(fraction));
  return {buf.data(), static_cast<std::size_t>(n)};
}

} // namespace coppice
