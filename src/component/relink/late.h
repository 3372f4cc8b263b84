#pragma once

// Steps whose modules get adapters only after they were instantiated: then a caller and its adapter
// need each other, and no shim. See relink/late_imports.h.

#include "component/program/program.h"
#include "component/relink/late_imports.h"

#include <tenon/result.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace tenon::component {

// A place in a table that a late adapter goes to.
struct Fill {
  uint32_t step = 0;  // that exports the table
  std::string table;
  uint32_t slot = 0;
  uint32_t adapter = 0;
};

class LateSteps {
 public:
  explicit LateSteps(Program& program) : program_(program) {}

  // Marks more arguments as late, where that makes a step faster: one whose imports are then all
  // host functions is instantiated without looking at them, and a group of adapters less is a step
  // less. `direct`: by adapter, whether it is the callee's own function; then it costs the call a
  // little, and is done for the first reason only.
  void choose(const std::vector<bool>& direct);

  // Replaces the late arguments of the step, which will have this number, and its module. Their
  // places are appended to `fills`.
  Result<void> bind(InstantiateStep& step, uint32_t number, std::vector<Fill>& fills);

  // Whether code runs while the step does: see late_imports.h.
  bool runsCode(const InstantiateStep& step);

 private:
  using Positions = std::vector<uint32_t>;
  struct Bound {
    uint32_t module = 0;
    std::string table;
  };
  CoreItem neverCalled(const CoreSignature& signature, uint32_t instance);

  Program& program_;
  LateBudget budget_;
  std::map<std::pair<uint32_t, Positions>, Bound> bound_;  // by module
  std::map<uint32_t, bool> runsCode_;                      // by module
  std::map<std::string, uint32_t> neverCalled_;            // by signature: the trampoline
};

}  // namespace tenon::component
