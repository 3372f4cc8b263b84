#pragma once

// Tells people what a component was refused: each thing once, and not many. Shared by the instances
// of a component on one loop. Bound to the loop's thread.

#include <tenon/refusal.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace tenon::call {

class Refusals {
 public:
  // Different things that are told; what is beyond that is not.
  static constexpr size_t MOST = 32;

  // `tell` may be empty, and must not block.
  explicit Refusals(std::function<void(const Refusal&)> tell) : tell_(std::move(tell)) {}

  void tell(std::string_view component, Refusal::Kind kind, std::string_view target);

  // For what is asked for also by those who do not want it, as C libraries ask for all directories
  // when they begin: told when the program failed, and nothing else was told.
  void remember(Refusal::Kind kind) { remembered_ = kind; }
  void tellRemembered(std::string_view component);

 private:
  std::function<void(const Refusal&)> tell_;
  std::set<std::pair<Refusal::Kind, std::string>> told_;
  std::optional<Refusal::Kind> remembered_;
};

}  // namespace tenon::call
