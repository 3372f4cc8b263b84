#pragma once

// What stands behind tenon::Linker.

#include "call/registry.h"
#include "run/executable.h"
#include "run/linked.h"

#include <tenon/engine.h>
#include <tenon/linker.h>
#include <tenon/result.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace tenon::host {

struct Planned;
struct PreparedState;
struct WorkloadState;

struct LinkerState {
  // Plans are kept also for those who may not change what is provided.
  static LinkerState& of(const Linker& linker) { return *linker.state_; }

  // What `source` becomes with this: made by its `prepare` unless it is kept. Errors: as
  // Linker::prepare.
  template <typename Source>
  Result<std::shared_ptr<const PreparedState>> prepare(const std::shared_ptr<Source>& source);
  // What satisfies each import of a workload, and what is wrong: made unless it is kept.
  std::shared_ptr<const Planned> plan(const std::shared_ptr<WorkloadState>& workload);
  // Binds the imports of a compiled executable; `others` as Linked::link has it. Errors:
  // MISSING_IMPORT, TYPE_MISMATCH.
  Result<std::shared_ptr<const run::Linked>> bind(
      const Engine& engine, std::shared_ptr<const run::Executable> executable,
      const run::Linked::FindFunction& others = nullptr) const;
  // To be called before `registry` or `typed` change.
  void change() { kept.clear(); }

  // Provides a function. `matches` null: it takes any type.
  void add(std::string_view interface, std::string_view name, call::HostFunction function,
           bool (*matches)(const FuncType&, TypeMatch&));

  call::Registry registry;
  // The typed functions by interface (canonical) and name.
  std::map<std::pair<std::string, std::string>, bool (*)(const FuncType&, TypeMatch&)> typed;

  // What was made with what is provided now, by the component's or workload's state, and kept while
  // that lives: what was planned to see its problems is prepared without planning again, and
  // instantiating again costs no look-ups.
  struct Kept {
    std::shared_ptr<const Planned> plan;            // null: not yet, or of a component by itself
    std::shared_ptr<const PreparedState> prepared;  // null: not yet
  };
  std::map<std::weak_ptr<const void>, Kept, std::owner_less<>> kept;

 private:
  Kept& keep(const std::shared_ptr<const void>& source);
};

template <typename Source>
Result<std::shared_ptr<const PreparedState>> LinkerState::prepare(
    const std::shared_ptr<Source>& source) {
  Kept& known = keep(source);  // stays where it is
  if (known.prepared) return known.prepared;
  TENON_TRY(known.prepared, source->prepare(*this));
  return known.prepared;
}

}  // namespace tenon::host
