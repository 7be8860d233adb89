// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/source_frame.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace coppice {

namespace {

using namespace std::literals;

std::string in_hex(std::uintptr_t x) {
  std::array<char, 2 * sizeof(x)> digits;
  const auto end
    = std::to_chars(digits.data(), digits.data() + digits.size(), x, 16).ptr;
  return "0x" + std::string{digits.data(), end};
}

bool is_of_user(const source_frame& x) noexcept {
  constexpr std::array not_ours{"std::"sv, "__gnu_cxx::"sv, "__cxxabi"sv};
  const std::string_view file = x.file;
  return !file.empty() && !file.starts_with("/usr/include/")
         && !file.starts_with("/usr/lib/")
         && std::ranges::none_of(not_ours, [&x](std::string_view prefix) {
              return x.function.starts_with(prefix);
            });
}

} // namespace

std::string to_string(const source_frame& x) {
  auto result = x.function.empty() ? in_hex(x.address) : x.function;
  if (!x.file.empty())
    result += " at " + x.file + ':' + std::to_string(x.line);
  return result;
}

const source_frame*
innermost_of_user(const std::vector<source_frame>& stack) noexcept {
  const auto found = std::ranges::find_if(stack, is_of_user);
  return found != stack.end() ? &*found : nullptr;
}

} // namespace coppice
