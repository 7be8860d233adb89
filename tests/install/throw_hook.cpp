// Takes the stack of a throw, with the hook that is installed.

#include "coppice/stack_capture.hpp"
#include "coppice/throw_stack.hpp"

#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

int main() {
  if (!coppice::has_throw_hook()) {
    std::cout << "the hook is not part of this program\n";
    return 1;
  }
  const coppice::throw_capture_scope wanted;
  try {
    // Thrown inside of libstdc++, which has to find the hook in this program.
    return std::stoi("no number");
  } catch (const std::invalid_argument&) {
    const auto stack = coppice::stack_of_throw(std::current_exception());
    if (!stack || stack->empty()) {
      std::cout << "the throw has no stack\n";
      return 1;
    }
    std::cout << "frames of the throw: " << stack->size() << '\n';
  }
  return 0;
}
