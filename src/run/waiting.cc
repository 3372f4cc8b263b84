#include "run/waiting.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace tenon::run {
namespace {

using component::CoreArg;
using component::CoreItem;
using component::InstantiateStep;
using component::NONE;
using component::Program;
using component::Trampoline;
using engine::ExternKind;
using engine::ModuleImport;

// Whether functions can go through an import against its direction, or other than by its calls.
bool passesFunctions(const ModuleImport& import) {
  if (import.kind == ExternKind::MEMORY) return false;
  // A signature without numbers alone has references.
  return import.kind != ExternKind::FUNC || !import.signature;
}

// Who can call whom. Nodes are the core instances; for each component instance all of it; and for
// each the adapters that it calls.
class Graph {
 public:
  Graph(const Program& program, std::span<const engine::Module> modules,
        const std::vector<bool>& waits)
      : program_(program),
        waits_(waits),
        imports_(modules.size()),
        callers_(program.steps.size() + 2 * program.instances.size()),
        found_(callers_.size(), false) {
    for (size_t i = 0; i < modules.size(); ++i) imports_[i] = modules[i].imports();
    for (uint32_t step = 0; step < program.steps.size(); ++step) {
      if (program.steps[step].instance == NONE) {
        addAdapters(program.steps[step]);
      } else {
        addStep(step, program.steps[step]);
      }
    }
    for (uint32_t instance = 0; instance < program.instances.size(); ++instance) {
      // An adapter also calls its caller's realloc and post-return.
      addCall(adaptersOf(instance), allOf(instance));
    }
    for (const component::InstanceCall& call : program.calls) {
      addCall(adaptersOf(call.caller), allOf(call.callee));
    }
    for (size_t i = 0; i < program.trampolines.size(); ++i) {
      if (waits[i]) find(allOf(program.trampolines[i].instance));
    }
    spread();
  }

  bool mayWait(const CoreItem& item) const {
    if (item.kind == CoreItem::Kind::TRAMPOLINE) return waits_[item.index];
    // Of an adapter it is not known whose it is.
    return isAdapters(item.index) || found_[item.index];
  }

 private:
  uint32_t allOf(uint32_t instance) const {
    return static_cast<uint32_t>(program_.steps.size()) + instance;
  }
  uint32_t adaptersOf(uint32_t instance) const {
    return allOf(static_cast<uint32_t>(program_.instances.size()) + instance);
  }
  bool isAdapters(uint32_t step) const { return program_.steps[step].instance == NONE; }
  uint32_t instanceOf(uint32_t step) const { return program_.steps[step].instance; }

  void addCall(uint32_t caller, uint32_t callee) { callers_[callee].push_back(caller); }
  void find(uint32_t node) {
    if (found_[node]) return;
    found_[node] = true;
    pending_.push_back(node);
  }
  void spread() {
    while (!pending_.empty()) {
      uint32_t node = pending_.back();
      pending_.pop_back();
      for (uint32_t caller : callers_[node]) find(caller);
    }
  }

  void addStep(uint32_t number, const InstantiateStep& step) {
    addCall(allOf(step.instance), number);
    const std::vector<ModuleImport>& imports = imports_[step.module];
    for (size_t i = 0; i < step.args.size(); ++i) {
      const CoreItem& item = step.args[i].item;
      if (item.kind == CoreItem::Kind::TRAMPOLINE) {
        addTrampoline(number, item.index);
      } else if (isAdapters(item.index)) {
        addCall(number, adaptersOf(step.instance));
      } else {
        addCall(number, item.index);
        if (i >= imports.size() || passesFunctions(imports[i])) addCall(item.index, number);
      }
    }
  }

  // What a host function may call of the guest while `step` calls it.
  void addTrampoline(uint32_t step, uint32_t index) {
    const Trampoline& trampoline = program_.trampolines[index];
    if (waits_[index]) find(step);
    addSlot(step, trampoline.options.realloc);
    if (trampoline.kind == Trampoline::Kind::RESOURCE_DROP) {
      addSlot(step, program_.resources[trampoline.resource].dtor);
    }
  }
  void addSlot(uint32_t step, uint32_t slot) {
    if (slot == NONE) return;
    const CoreItem& item = program_.functions[slot];
    if (item.kind == CoreItem::Kind::TRAMPOLINE) {
      if (waits_[item.index]) find(step);
    } else if (isAdapters(item.index)) {
      // Those of any component.
      for (uint32_t i = 0; i < program_.instances.size(); ++i) addCall(step, adaptersOf(i));
    } else {
      addCall(step, item.index);
    }
  }

  // Adapters are written into the tables of those that call them.
  void addAdapters(const InstantiateStep& step) {
    const std::vector<ModuleImport>& imports = imports_[step.module];
    for (size_t i = 0; i < step.args.size(); ++i) {
      const CoreItem& item = step.args[i].item;
      bool isExport = item.kind == CoreItem::Kind::INSTANCE_EXPORT && !isAdapters(item.index);
      if (!isExport || (i < imports.size() && !passesFunctions(imports[i]))) continue;
      addCall(item.index, adaptersOf(instanceOf(item.index)));
    }
  }

  const Program& program_;
  const std::vector<bool>& waits_;                  // by trampoline
  std::vector<std::vector<ModuleImport>> imports_;  // by module
  std::vector<std::vector<uint32_t>> callers_;      // by node
  std::vector<bool> found_;                         // by node: can come to one that waits
  std::vector<uint32_t> pending_;                   // found, their callers not yet
};

}  // namespace

std::vector<bool> findWaiting(const Program& program, std::span<const engine::Module> modules,
                              const std::vector<bool>& waits) {
  Graph graph(program, modules, waits);
  std::vector<bool> slots;
  slots.reserve(program.functions.size());
  for (const CoreItem& function : program.functions) slots.push_back(graph.mayWait(function));
  return slots;
}

}  // namespace tenon::run
