#include "run/linked.h"

#include "call/wasi03.h"
#include "run/blame.h"
#include "run/trampolines.h"
#include "run/waiting.h"

#include <set>
#include <string>
#include <utility>

namespace tenon::run {
namespace {

using component::CoreItem;
using component::Program;
using component::Trampoline;

bool usesMemory(const Trampoline& trampoline) {
  return trampoline.options.memory != component::NONE;
}

// A component can have very many imports that nothing provides: what comes close is looked for, and
// lines are made, for the first of them only.
constexpr size_t MOST_COMPARED = 32;
constexpr size_t MOST_LISTED = 200;

// One line for an import that nothing provides: its name, its type, and what comes close.
std::string missingLine(const component::ImportedFunction& import, const call::Registry& registry,
                        size_t before) {
  std::string line = "  " + pathOf(import) + ": " + toString(import.type);
  if (before >= MOST_COMPARED) return line;
  std::vector<std::string> similar = registry.similar(import.interface, import.name);
  if (!similar.empty()) {
    line += " (provided: ";
    for (size_t i = 0; i < similar.size(); ++i) line += (i ? ", " : "") + similar[i];
    line += ")";
  }
  return line;
}

}  // namespace

Result<std::shared_ptr<const Linked>> Linked::link(std::shared_ptr<engine::Engine> engine,
                                                   std::shared_ptr<const Executable> executable,
                                                   const call::Registry& registry,
                                                   const FindFunction& others) {
  auto linked = std::shared_ptr<Linked>(new Linked);
  linked->engine_ = std::move(engine);
  linked->executable_ = std::move(executable);
  linked->bindResources(registry);
  TENON_CHECK(linked->bindImports(registry, others));
  TENON_CHECK(linked->prepareSteps());
  linked->findWaits();
  return std::shared_ptr<const Linked>(std::move(linked));
}

void Linked::bindResources(const call::Registry& registry) {
  const Program& program = this->program();
  size_t count = program.resources.size();
  hostResources_.assign(count, nullptr);
  resourceStorage_.reserve(count);  // hostResources_ points into it
  std::map<std::pair<std::string, std::string>, uint32_t> byHostType;
  for (uint32_t resource = 0; resource < count; ++resource) {
    const component::ResourceInfo& info = program.resources[resource];
    canonicalResources_.push_back(resource);
    if (!info.imported) continue;
    if (const call::HostResource* found = registry.findResource(info.interface, info.name)) {
      resourceStorage_.push_back(*found);
      hostResources_[resource] = &resourceStorage_.back();
    }
    // A resource that is imported under two versions of one interface is one type for the host.
    auto [position, fresh] =
        byHostType.try_emplace({call::canonicalInterface(info.interface), info.name}, resource);
    if (!fresh) canonicalResources_[resource] = position->second;
  }
}

Result<void> Linked::bindImports(const call::Registry& registry, const FindFunction& others) {
  const Program& program = this->program();
  std::vector<const call::HostFunction*> functions;
  std::string missing;
  size_t missingCount = 0;
  size_t differentCount = 0;  // of the missing: there, with another type
  bool isWasi03 = false;      // one of the missing is
  for (const component::ImportedFunction& import : program.imports) {
    const call::HostFunction* function = others ? others(import) : nullptr;
    if (!function) function = registry.find(import.interface, import.name);
    functions.push_back(function);
    std::string difference;
    if (function && function->mismatch) difference = function->mismatch(import.type);
    if (function && difference.empty()) continue;
    if (function) ++differentCount;
    isWasi03 = isWasi03 || call::isWasi03(import.interface);
    if (size_t before = missingCount++; before < MOST_LISTED) {
      if (before > 0) missing += "\n";
      missing += function ? "  " + pathOf(import) + ": " + difference
                          : missingLine(import, registry, before);
    }
  }
  for (uint32_t resource = 0; resource < program.resources.size(); ++resource) {
    const component::ResourceInfo& info = program.resources[resource];
    if (!info.imported || hostResources_[resource]) continue;
    isWasi03 = isWasi03 || call::isWasi03(info.interface);
    if (missingCount++ >= MOST_LISTED) continue;
    if (missingCount > 1) missing += "\n";
    missing +=
        "  " + (info.interface.empty() ? "" : info.interface + ".") + info.name + ": resource";
  }
  if (missingCount) {
    bool allThere = differentCount == missingCount;
    const char* what = missingCount == 1 ? (allThere ? "an import is provided with another type:"
                                                     : "an import is not provided:")
                       : allThere        ? " imports are provided with other types"
                                         : " imports are not provided";
    Error error(allThere ? ErrorCode::TYPE_MISMATCH : ErrorCode::MISSING_IMPORT,
                missingCount == 1 ? what + missing.substr(1) : std::to_string(missingCount) + what);
    if (isWasi03) error.message = std::string(call::NO_WASI_03) + "; " + error.message;
    if (missingCount > MOST_LISTED) {
      missing += "\n  and " + std::to_string(missingCount - MOST_LISTED) + " more";
    }
    if (missingCount > 1) error.details = std::move(missing);
    return error;
  }

  bindings_.reserve(program.trampolines.size());
  for (const Trampoline& trampoline : program.trampolines) {
    Binding binding{.linked = this, .trampoline = &trampoline, .callback = callbackFor(trampoline)};
    if (trampoline.kind == Trampoline::Kind::LOWER_IMPORT) {
      const call::HostFunction& function = *functions[trampoline.import];
      binding.function = function.function;
      binding.closure = function.closure.get();
      binding.part = program.instances[trampoline.instance].part;
      binding.usesMemory = usesMemory(trampoline);
      closures_.push_back(function.closure);
      binding.mayBlock = function.blocking == call::Blocking::MAY_BLOCK;
      mayBlock_ = mayBlock_ || binding.mayBlock;
    }
    if (trampoline.canon == component::CanonKind::CONTEXT_GET ||
        trampoline.canon == component::CanonKind::CONTEXT_SET) {
      usesContext_ = true;
    }
    bindings_.push_back(binding);
  }
  return {};
}

void Linked::findWaits() {
  if (!mayBlock_) return;
  const Program& program = this->program();
  std::vector<bool> waits;
  for (const Binding& binding : bindings_) waits.push_back(binding.mayBlock);
  slotWaits_ = findWaiting(program, executable_->modules(), waits);
  for (const component::ResourceInfo& resource : program.resources) {
    if (resource.dtor != component::NONE && slotWaits_[resource.dtor]) destructorWaits_ = true;
  }
}

bool Linked::mayBlock(const component::LiftedFunction& lifted) const {
  if (!mayBlock_) return false;
  // What the host gives up during any call is dropped when that ends.
  if (destructorWaits_) return true;
  const component::Options& options = lifted.options;
  for (uint32_t slot : {lifted.calleeSlot, options.realloc, options.postReturn}) {
    if (slot != component::NONE && slotWaits_[slot]) return true;
  }
  return false;
}

Result<void> Linked::prepareSteps() {
  const Program& program = this->program();
  steps_.resize(program.steps.size());
  linkers_.reserve(program.steps.size());
  for (size_t slot = 0; slot < program.memories.size(); ++slot) {
    steps_[program.memories[slot].index].memories.push_back(static_cast<uint32_t>(slot));
    TENON_TRY(engine::ExportKey key, keyOf(program.memories[slot]));
    memoryKeys_.push_back(std::move(key));
  }
  if (program.control) {
    TENON_TRY(controlKey_, keyOf(*program.control));
  }
  for (size_t i = 0; i < program.steps.size(); ++i) {
    const component::InstantiateStep& step = program.steps[i];
    if (const auto& start = executable_->starts()[step.module]) {
      hasStarts_ = true;
      steps_[i].start = engine::ExportKey(executable_->modules()[step.module], start->name);
      if (!steps_[i].start) return Error(ErrorCode::INTERNAL, "a start function is not exported");
    }
    bool allTrampolines = true;
    for (const component::CoreArg& arg : step.args) {
      if (arg.item.kind != CoreItem::Kind::TRAMPOLINE) allTrampolines = false;
    }
    if (!allTrampolines) {
      steps_[i].imports.reserve(step.args.size());
      for (const component::CoreArg& arg : step.args) {
        engine::ExportKey key;
        if (arg.item.kind == CoreItem::Kind::TRAMPOLINE) {
          TENON_CHECK(defineItem(arg.item.index));
        } else {
          TENON_TRY(key, keyOf(arg.item));
        }
        steps_[i].imports.push_back({arg.item.index, std::move(key)});
      }
      continue;
    }
    linkers_.emplace_back(engine_);
    std::set<std::pair<std::string_view, std::string_view>> defined;
    for (const component::CoreArg& arg : step.args) {
      // A module may import one name several times; it is the same item then.
      if (!defined.insert({arg.module, arg.name}).second) continue;
      const Binding& binding = bindings_[arg.item.index];
      TENON_CHECK(linkers_.back().define(arg.module, arg.name, binding.trampoline->signature,
                                         binding.callback, const_cast<Binding*>(&binding)));
    }
    TENON_TRY(steps_[i].pre, linkers_.back().prepare(executable_->modules()[step.module]));
  }
  for (const CoreItem& function : program.functions) {
    engine::ExportKey key;
    if (function.kind == CoreItem::Kind::TRAMPOLINE) {
      TENON_CHECK(defineItem(function.index));
    } else {
      TENON_TRY(key, keyOf(function));
    }
    functionKeys_.push_back(std::move(key));
  }
  return {};
}

// Where the module of an earlier step exports what the program calls `item`.
Result<engine::ExportKey> Linked::keyOf(const CoreItem& item) const {
  const Program& program = this->program();
  if (item.kind == CoreItem::Kind::INSTANCE_EXPORT && item.index < program.steps.size()) {
    engine::ExportKey key(executable_->modules()[program.steps[item.index].module], item.name);
    if (key) return key;
  }
  return Error(ErrorCode::INTERNAL, "core instance " + std::to_string(item.index) +
                                        " has no export '" + item.name + "'");
}

Result<void> Linked::defineItem(uint32_t trampoline) {
  if (!items_) {
    items_.emplace(engine_);
    itemDefined_.resize(bindings_.size());
  }
  if (itemDefined_[trampoline]) return {};
  itemDefined_[trampoline] = true;
  Binding& binding = bindings_[trampoline];
  return items_->define("", std::to_string(trampoline), binding.trampoline->signature,
                        binding.callback, &binding);
}

void Linked::hostFunctions(engine::Store& store, std::span<wasmtime_func_t> functions) const {
  if (items_) items_->findNumbered(store, functions);
}

}  // namespace tenon::run
