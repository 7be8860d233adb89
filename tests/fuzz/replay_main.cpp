// This file is part of coppice. License: see LICENSE in the source root.

// Runs a fuzz target without a fuzzer:
//
//     failure_fuzz [--mutations=<n>] <file or folder>...
//
// All files once, then n inputs made of them by chance. The seed is printed;
// COPPICE_SEED=<seed> replays it.

#include "coppice/policy/random.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size);

namespace {

namespace fs = std::filesystem;

using inputs = std::vector<std::string>;

void run(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                         bytes.size());
}

void load(inputs& all, const fs::path& path) {
  if (fs::is_directory(path)) {
    for (const auto& entry : fs::directory_iterator{path})
      load(all, entry.path());
    return;
  }
  std::ifstream in{path, std::ios::binary};
  all.emplace_back(std::istreambuf_iterator<char>{in},
                   std::istreambuf_iterator<char>{});
}

void mutate(std::string& bytes, const inputs& all,
            coppice::policy::random_source& random) {
  const auto at = random.up_to(bytes.size());
  const auto& other = all[random.up_to(all.size() - 1)];
  switch (random.up_to(4)) {
    case 0:
      bytes.resize(at);
      break;
    case 1:
      bytes.erase(at, random.up_to(16));
      break;
    case 2:
      bytes.insert(at, other, random.up_to(other.size()), random.up_to(64));
      break;
    default:
      if (at < bytes.size())
        bytes[at] = static_cast<char>(random.up_to(255));
  }
}

std::uint64_t choose_seed() {
  if (const auto* given = std::getenv("COPPICE_SEED"))
    return std::strtoull(given, nullptr, 10);
  return std::random_device{}();
}

} // namespace

int main(int argc, char** argv) {
  constexpr std::string_view flag = "--mutations=";
  std::uint64_t mutations = 0;
  inputs all;
  for (int i = 1; i < argc; ++i)
    if (const std::string_view arg{argv[i]}; arg.starts_with(flag))
      mutations = std::strtoull(argv[i] + flag.size(), nullptr, 10);
    else
      load(all, arg);
  if (all.empty())
    return std::fputs("nothing to run\n", stderr), 1;
  const auto seed = choose_seed();
  std::printf("%zu inputs, %llu mutations, COPPICE_SEED=%llu\n", all.size(),
              static_cast<unsigned long long>(mutations),
              static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  for (const auto& bytes : all)
    run(bytes);
  coppice::policy::random_source random{seed};
  for (; mutations > 0; --mutations) {
    auto bytes = all[random.up_to(all.size() - 1)];
    for (auto n = 1 + random.up_to(3); n > 0; --n)
      mutate(bytes, all, random);
    run(bytes);
  }
  std::puts("all inputs are as they should be");
}
