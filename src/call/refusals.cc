#include "call/refusals.h"

namespace tenon::call {

void Refusals::tell(std::string_view component, Refusal::Kind kind, std::string_view target) {
  constexpr size_t LONGEST = 256;
  if (!tell_ || told_.size() == MOST) return;
  std::string text(target.substr(0, LONGEST));
  if (!told_.emplace(kind, text).second) return;
  tell_({.kind = kind,
         .component = std::string(component),
         .target = std::move(text),
         .last = told_.size() == MOST});
}

void Refusals::tellRemembered(std::string_view component) {
  if (remembered_ && told_.empty()) tell(component, *remembered_, {});
}

}  // namespace tenon::call
