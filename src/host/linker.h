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

struct PreparedState;

struct LinkerState {
  static LinkerState& of(Linker& linker) { return *linker.state_; }
  static const LinkerState& of(const Linker& linker) { return *linker.state_; }

  // What `source` becomes with this: made by its `prepare` unless it is kept. Errors: as
  // Linker::prepare.
  template <typename Source>
  Result<std::shared_ptr<const PreparedState>> prepare(const std::shared_ptr<Source>& source);
  // Binds the imports of a compiled executable. Errors: MISSING_IMPORT, TYPE_MISMATCH.
  Result<std::shared_ptr<const run::Linked>> bind(
      const Engine& engine, std::shared_ptr<const run::Executable> executable) const;
  // To be called before `registry` or `typed` change.
  void change() { prepared.clear(); }

  // Provides a function. `matches` null: it takes any type.
  void add(std::string_view interface, std::string_view name, call::HostFunction function,
           bool (*matches)(const FuncType&, TypeMatch&));

  call::Registry registry;
  // The typed functions by interface (canonical) and name.
  std::map<std::pair<std::string, std::string>, bool (*)(const FuncType&, TypeMatch&)> typed;

  // What was prepared of what is provided now, by the component's or workload's state, and kept
  // while that lives, so that instantiating again costs no look-ups.
  std::map<std::weak_ptr<const void>, std::shared_ptr<const PreparedState>, std::owner_less<>>
      prepared;
};

template <typename Source>
Result<std::shared_ptr<const PreparedState>> LinkerState::prepare(
    const std::shared_ptr<Source>& source) {
  auto known = prepared.find(source);
  if (known != prepared.end()) return known->second;
  TENON_TRY(auto made, source->prepare(*this));
  std::erase_if(prepared, [](const auto& entry) { return entry.first.expired(); });
  prepared.emplace(source, made);
  return made;
}

}  // namespace tenon::host
