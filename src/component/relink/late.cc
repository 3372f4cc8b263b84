#include "component/relink/late.h"

#include <memory>

namespace tenon::component {
namespace {

// A step that imports fewer functions of the host gains less than its calls lose.
constexpr uint32_t MIN_HOST_FUNCTIONS = 4;

}  // namespace

void LateSteps::choose(const std::vector<bool>& direct) {
  for (InstantiateStep& step : program_.steps) {
    bool anyLate = false, onlyFunctions = true;
    uint32_t hostFunctions = 0, adapters = 0;
    for (const CoreArg& arg : step.args) {
      anyLate = anyLate || arg.late;
      onlyFunctions = onlyFunctions && arg.item.kind != CoreItem::Kind::INSTANCE_EXPORT;
      if (arg.item.kind == CoreItem::Kind::TRAMPOLINE) ++hostFunctions;
      if (arg.item.kind == CoreItem::Kind::ADAPTER) ++adapters;
    }
    bool all = onlyFunctions && hostFunctions >= MIN_HOST_FUNCTIONS;
    if (adapters == 0 || (!all && !anyLate)) continue;
    Positions positions;
    for (uint32_t i = 0; i < step.args.size(); ++i) {
      const CoreArg& arg = step.args[i];
      if (arg.item.kind != CoreItem::Kind::ADAPTER) continue;
      if (arg.late || all || !direct[arg.item.index]) positions.push_back(i);
    }
    const ModuleBytes& module = program_.modules[step.module];
    if (!budget_.allows(step.module, module.bytes, positions)) continue;
    for (uint32_t position : positions) step.args[position].late = true;
  }
}

CoreItem LateSteps::neverCalled(const CoreSignature& signature, uint32_t instance) {
  auto [found, added] =
      neverCalled_.emplace(toString(signature), static_cast<uint32_t>(program_.trampolines.size()));
  if (added) {
    Trampoline trampoline;
    trampoline.kind = Trampoline::Kind::NEVER_CALLED;
    trampoline.instance = instance;
    trampoline.signature = signature;
    program_.trampolines.push_back(std::move(trampoline));
  }
  return {CoreItem::Kind::TRAMPOLINE, found->second, {}};
}

Result<void> LateSteps::bind(InstantiateStep& step, uint32_t number, std::vector<Fill>& fills) {
  Positions positions;
  for (uint32_t i = 0; i < step.args.size(); ++i) {
    if (step.args[i].late) positions.push_back(i);
  }
  if (positions.empty()) return {};
  auto [found, added] = bound_.try_emplace({step.module, positions});
  if (added) {
    const ModuleBytes& original = program_.modules[step.module];
    auto module = bindLate(original.bytes, positions);
    if (!module) {
      return Error{ErrorCode::INTERNAL, original.name + " cannot be bound late, as was planned"};
    }
    found->second = {static_cast<uint32_t>(program_.modules.size()), std::move(module->table)};
    auto storage = std::make_unique<std::vector<std::byte>>(std::move(module->bytes));
    ModuleBytes bytes;
    bytes.bytes = *storage;
    bytes.offset = NONE;
    bytes.name = original.name + ", bound late";
    bytes.generated = true;
    program_.storage.push_back(std::move(storage));
    program_.modules.push_back(std::move(bytes));
  }
  step.module = found->second.module;
  for (uint32_t slot = 0; slot < positions.size(); ++slot) {
    CoreArg& arg = step.args[positions[slot]];
    fills.push_back({number, found->second.table, slot, arg.item.index});
    arg.item = neverCalled(program_.adapters[arg.item.index].signature, step.instance);
    arg.late = false;
  }
  return {};
}

bool LateSteps::runsCode(const InstantiateStep& step) {
  auto [found, added] = runsCode_.try_emplace(step.module, true);
  if (added) found->second = component::runsCode(program_.modules[step.module].bytes);
  return found->second;
}

}  // namespace tenon::component
