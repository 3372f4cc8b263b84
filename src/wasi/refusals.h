#pragma once

// Tells people what a component was refused: each thing once, and not many. Shared by the instances
// of a component on one loop. Bound to the loop's thread.

#include <tenon/refusal.h>

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace tenon::wasi {

class Refusals {
 public:
  // Different things that are told; what is beyond that is not.
  static constexpr size_t MOST = 32;

  // `tell` may be empty, and must not block.
  explicit Refusals(std::function<void(const Refusal&)> tell) : tell_(std::move(tell)) {}

  void tell(std::string_view component, Refusal::Kind kind, std::string_view target);

 private:
  std::function<void(const Refusal&)> tell_;
  std::set<std::pair<Refusal::Kind, std::string>> told_;
};

}  // namespace tenon::wasi
