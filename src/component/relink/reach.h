#pragma once

// What the code of core modules can call, as far as it can be known without running it. `fuse` uses
// this to leave out checks that cannot fail. Everything that is not followed counts as "anything".

#include "component/program/program.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::component {

// The calls in a module's code. Borrows the module's bytes. Bodies are read when they are asked
// for: most are not.
struct CallGraph {
  std::vector<uint32_t> importPositions;         // by imported function: which import it is
  std::map<std::string_view, uint32_t> exports;  // functions
  std::vector<std::span<const std::byte>> code;  // by defined function
  std::vector<uint32_t> inTables;                // functions that a table may hold
  bool sharesTables = false;  // tables are imported or exported, or hold what is not known

  // nullopt: malformed, or uses what is not followed (GC, typed references).
  static std::optional<CallGraph> read(std::span<const std::byte> module);

  struct Body {
    std::vector<uint32_t> callees;  // functions, by `call`, `return_call` and `ref.func`
    bool indirect = false;          // calls through a table
    bool changesTables = false;     // so that they may hold more than `inTables`
  };
  // nullopt: as for `read`.
  static std::optional<Body> bodyOf(std::span<const std::byte> code);
  // Whether calls through tables reach `inTables` only.
  bool knowsTables() const;
};

// The adapters that a component instance may call while it must not leave: everything that its
// `realloc`s and post-returns can get to.
class BarredCalls {
 public:
  explicit BarredCalls(const Program& program);

  // Whether `adapter`, lowered by its caller's instance, can be called while that is barred.
  bool mayReach(uint32_t adapter);

 private:
  struct Reached {
    bool anything = false;
    std::set<uint32_t> adapters;
  };
  struct Module {
    std::optional<CallGraph> graph;
    std::optional<bool> knowsTables;  // unset: not asked for yet
  };
  const Reached& reachedBy(uint32_t instance);
  const CallGraph* graphOf(uint32_t module);
  bool knowsTables(uint32_t module);  // whose graph there is
  bool mayRead(size_t bytes);         // takes them from `budget_`

  const Program& program_;
  std::vector<std::vector<CoreItem>> roots_;  // by component instance
  std::map<uint32_t, Reached> reached_;
  std::map<uint32_t, Module> modules_;  // by module
  // Bytes of code that may still be read: each component instance has its own walk, and very many
  // can share one large module. What comes after it reaches anything.
  uint64_t budget_;
};

}  // namespace tenon::component
