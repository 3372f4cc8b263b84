#pragma once

// All cases of the tests of the validator.

#include "component/validate/canon_cases_testing.h"
#include "component/validate/gated_cases_testing.h"
#include "component/validate/gated_type_cases_testing.h"
#include "component/validate/name_cases_testing.h"
#include "component/validate/type_cases_testing.h"

#include <initializer_list>
#include <span>
#include <vector>

namespace tenon::component {

inline std::vector<ValidatorCase> joined(
    std::initializer_list<std::span<const ValidatorCase>> tables) {
  std::vector<ValidatorCase> all;
  for (std::span<const ValidatorCase> table : tables) {
    all.insert(all.end(), table.begin(), table.end());
  }
  return all;
}

// With the features that components have today.
inline std::vector<ValidatorCase> validatorCases() {
  return joined({TYPE_CASES, CANON_CASES, NAME_CASES});
}
// With every gated feature let through.
inline std::vector<ValidatorCase> gatedCases() { return joined({GATED_TYPE_CASES, GATED_CASES}); }

}  // namespace tenon::component
