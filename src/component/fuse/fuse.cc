// From steps with ADAPTER items to steps that the engine can run:
//
//     before                                   after
//     0  callee: memory, realloc, f            0  callee
//     1  caller: imports ADAPTER 0 (of f)      1  adapters: import callee's memory, realloc and f;
//                                                 define the control memory; export "adapter 0"
//                                              2  caller: imports "adapter 0" of step 1
//
// An adapter needs the functions and memories of both sides, its caller needs the adapter. `run`
// walks over the old steps once. Before a step that imports an adapter, and at the end, `flush`
// makes all adapters whose needs exist by now, in one module. When the caller itself has the memory
// that its adapter needs, toolchains break the circle with a shim:
//
//     shim: a table, and functions that call through it
//     caller: imports functions of the shim    ADAPTER 0 needs the caller's memory
//     fixup: imports ADAPTER 0, fills the table of the shim
//
// That needs nothing of this file: the fixup is the step before which the adapter is made. With
// Rewriting::ON the shim is left out, and what is late is the argument:
//
//     0  callee
//     1  caller, written anew: a null table    (relink/late_imports.cc)
//     2  adapters: import what the caller and the callee have, and fill that table by themselves
//
// Steps get new numbers on the way; `moved` gives an item as the new program names it.

#include "component/fuse/fuse.h"

#include "component/binary/core_sections.h"
#include "component/fuse/adapter.h"
#include "component/fuse/control.h"
#include "component/fuse/module_builder.h"
#include "component/program/edit.h"
#include "component/relink/elide.h"
#include "component/relink/late.h"
#include "component/relink/reach.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace tenon::component {
namespace {

using adapt::Common;
using adapt::Crossings;
using adapt::Indices;
using adapt::ModuleBuilder;
using adapt::WasmSignature;
using adapt::WasmType;

// The engine refuses functions of about 7.6 MB; hostile types must not even get there.
constexpr size_t MAX_FUNCTION_BYTES = size_t{4} << 20;
constexpr size_t MAX_CODE_BYTES = size_t{64} << 20;  // of one program
constexpr uint32_t PAGE_BYTES = 65536;
// Of one generated module; the engine takes a hundred of each.
constexpr size_t MAX_MEMORIES = 64, MAX_TABLES = 64;

// Whether lifting and then lowering a value of this type gives the very same core values, whatever
// they are.
bool isPlainNumber(const Type& type) {
  switch (type.kind) {
    case TypeKind::U32:
    case TypeKind::S32:
    case TypeKind::U64:
    case TypeKind::S64:
    case TypeKind::F32:
    case TypeKind::F64:
      return true;
    default:
      return false;
  }
}

class Fuser {
 public:
  explicit Fuser(Program& program)
      : program_(program),
        homes_(program.adapters.size()),
        direct_(program.adapters.size(), false),
        usesContext_(program.instances.size(), false),
        late_(program) {}

  Result<void> run(Rewriting rewriting) {
    TENON_CHECK(refuseAsync());
    for (const Adapter& adapter : program_.adapters) {
      TENON_TRY(std::vector<CoreItem> items, adapt::dependenciesOf(program_, adapter));
      dependencies_.push_back(std::move(items));
    }
    // Who throws exceptions, or passes them on, has tags.
    mayThrow_ = std::ranges::any_of(program_.modules, [](const ModuleBytes& module) {
      return mayHaveSection(module.bytes, CoreSection::TAG);
    });
    for (const Trampoline& trampoline : program_.trampolines) {
      bool context = trampoline.kind == Trampoline::Kind::BUILTIN &&
                     (trampoline.canon == CanonKind::CONTEXT_GET ||
                      trampoline.canon == CanonKind::CONTEXT_SET);
      if (context) usesContext_[trampoline.instance] = true;
    }

    if (rewriting == Rewriting::ON) chooseDirect();
    findEnds();
    if (rewriting == Rewriting::ON) late_.choose(direct_);

    std::vector<InstantiateStep> steps = std::move(program_.steps);
    program_.steps.clear();
    for (InstantiateStep& step : steps) {
      auto isReady = [&](const CoreArg& arg) { return arg.late || exists(arg.item); };
      bool ready = std::ranges::all_of(step.args, isReady);
      // Whatever runs finds its tables filled.
      bool runs = !fills_.empty() && late_.runsCode(step);
      if (!ready || runs) TENON_CHECK(flush());
      if (!std::ranges::all_of(step.args, isReady) || (runs && !fills_.empty())) return tooEarly();
      auto number = static_cast<uint32_t>(program_.steps.size());
      TENON_CHECK(late_.bind(step, number, fills_));
      for (CoreArg& arg : step.args) arg.item = moved(arg.item);
      newIndex_.push_back(number);
      program_.steps.push_back(std::move(step));
    }
    TENON_CHECK(flush());
    if (!fills_.empty()) return tooEarly();
    for (size_t i = 0; i < homes_.size(); ++i) {
      if (!direct_[i] && homes_[i].step == NONE) return tooEarly();
    }
    rewrite();
    keepCalls();
    program_.adapters.clear();
    dropIdleModules(program_);
    return {};
  }

 private:
  // Where an adapter went.
  struct Home {
    uint32_t step = NONE;
  };

  static Error tooEarly() {
    return {ErrorCode::INTERNAL, "an adapter is needed before what it needs exists"};
  }

  Result<void> refuseAsync() {
    for (const Adapter& adapter : program_.adapters) {
      const char* what = adapter.caller.async                      ? "lowered"
                         : adapter.callee.options.async            ? "lifted"
                         : adapter.callee.options.callback != NONE ? "lifted with a callback"
                                                                   : nullptr;
      if (what) {
        return Error{ErrorCode::UNSUPPORTED, std::string("a function that is asynchronously ") +
                                                 what + " is called by " +
                                                 program_.instances[adapter.caller.instance].name};
      }
      auto refuse = [&](const Type* type) { return type && hasAsyncValue(*type); };
      bool values = refuse(adapter.type.result);
      for (const Parameter& param : adapter.type.params) values = values || refuse(param.type);
      if (values) {
        return Error{ErrorCode::UNSUPPORTED,
                     "streams, futures and error contexts cannot cross between components: " +
                         toString(adapter.type)};
      }
    }
    return {};
  }

  // Finds the adapters that would do nothing but call, so that the caller can have the callee's own
  // function: numbers go through unchanged, nothing follows the call, nothing has to be kept for
  // the callee, and the caller can never call while it may not leave, the one thing that is
  // checked.
  void chooseDirect() {
    if (mayThrow_) return;
    BarredCalls barred(program_);
    for (uint32_t i = 0; i < program_.adapters.size(); ++i) {
      const Adapter& adapter = program_.adapters[i];
      const FuncType& type = adapter.type;
      bool plain = !paramsSpill(type) && (!type.result || isPlainNumber(*type.result)) &&
                   std::all_of(type.params.begin(), type.params.end(),
                               [](const Parameter& param) { return isPlainNumber(*param.type); });
      const Options& callee = adapter.callee.options;
      direct_[i] = plain && callee.postReturn == NONE && !usesContext_[callee.instance] &&
                   !barred.mayReach(i);
    }
  }

  // Where chains of direct adapters end; they may be as long as there are adapters, so each is
  // walked once. An adapter calls what was there before it.
  void findEnds() {
    ends_.resize(direct_.size(), nullptr);
    for (uint32_t i = 0; i < direct_.size(); ++i) {
      if (!direct_[i]) continue;
      const CoreItem& callee = program_.adapters[i].callee.callee;
      if (callee.kind == CoreItem::Kind::ADAPTER && callee.index >= i) {
        direct_[i] = false;
      } else {
        ends_[i] = &through(callee);
      }
    }
  }

  // What is called in the end.
  const CoreItem& through(const CoreItem& item) const {
    bool direct =
        item.kind == CoreItem::Kind::ADAPTER && item.index < direct_.size() && direct_[item.index];
    return direct ? *ends_[item.index] : item;
  }
  const CoreItem& through(const CoreItem&& item) const = delete;  // it may be what is returned

  // Each node once, however often it is shared.
  bool hasAsyncValue(const Type& type) {
    auto [found, added] = asyncValues_.emplace(&type, false);
    if (!added) return found->second;
    bool has = type.kind == TypeKind::STREAM || type.kind == TypeKind::FUTURE ||
               type.kind == TypeKind::ERROR_CONTEXT;
    auto part = [&](const Type* inner) { has = has || (inner && hasAsyncValue(*inner)); };
    part(type.element);
    part(type.ok);
    part(type.error);
    for (const Labelled& member : type.members) part(member.type);
    asyncValues_[&type] = has;
    return has;
  }

  // Whether the item is there by now. Steps are named by their old numbers.
  bool exists(const CoreItem& named) const {
    const CoreItem& item = through(named);
    switch (item.kind) {
      case CoreItem::Kind::INSTANCE_EXPORT:
        return item.index < newIndex_.size();
      case CoreItem::Kind::TRAMPOLINE:
        return true;
      case CoreItem::Kind::ADAPTER:
        return item.index < homes_.size() && homes_[item.index].step != NONE;
    }
    return false;
  }

  static std::string exportName(uint32_t adapter) { return "adapter " + std::to_string(adapter); }

  // The item as the new program names it.
  CoreItem moved(const CoreItem& named) const {
    const CoreItem& item = through(named);
    if (item.kind == CoreItem::Kind::INSTANCE_EXPORT) {
      return {item.kind, newIndex_[item.index], item.name};
    }
    if (item.kind == CoreItem::Kind::ADAPTER) {
      return {CoreItem::Kind::INSTANCE_EXPORT, homes_[item.index].step, exportName(item.index)};
    }
    return item;
  }

  // The adapters that can be made now, those they call included; as many as fit into a module.
  std::vector<uint32_t> readyAdapters() const {
    std::vector<bool> chosen(homes_.size(), false);
    std::vector<uint32_t> group;
    std::set<uint32_t> memories;  // slots
    for (bool changed = true; changed;) {
      changed = false;
      for (uint32_t i = 0; i < homes_.size(); ++i) {
        if (chosen[i] || direct_[i] || homes_[i].step != NONE) continue;
        bool ready = std::all_of(
            dependencies_[i].begin(), dependencies_[i].end(), [&](const CoreItem& item) {
              const CoreItem& called = through(item);
              return exists(called) ||
                     (called.kind == CoreItem::Kind::ADAPTER && chosen[called.index]);
            });
        if (!ready) continue;
        std::set<uint32_t> more = memories;
        const Adapter& adapter = program_.adapters[i];
        for (uint32_t slot : {adapter.caller.memory, adapter.callee.options.memory}) {
          if (slot != NONE) more.insert(slot);
        }
        if (more.size() > MAX_MEMORIES) continue;
        memories = std::move(more);
        chosen[i] = changed = true;
        group.push_back(i);
      }
    }
    std::sort(group.begin(), group.end());
    return group;
  }

  CoreItem hostFunction(const Common::HostKey& key) {
    auto [kind, resource, instance, target] = key;
    auto [found, added] =
        hostFunctions_.emplace(key, static_cast<uint32_t>(program_.trampolines.size()));
    if (added) {
      Trampoline trampoline;
      trampoline.kind = kind;
      trampoline.resource = resource;
      trampoline.instance = instance;
      trampoline.target = target;
      trampoline.signature = hostSignature(kind);
      program_.trampolines.push_back(std::move(trampoline));
    }
    return {CoreItem::Kind::TRAMPOLINE, found->second, {}};
  }

  static CoreSignature hostSignature(Trampoline::Kind kind) {
    switch (kind) {
      case Trampoline::Kind::TRAP:
        return {{CoreType::I32, CoreType::I32}, {}};
      case Trampoline::Kind::UNLEND:
        return {{CoreType::I32}, {}};
      case Trampoline::Kind::ENTER_CALL:
      case Trampoline::Kind::EXIT_CALL:
        return {};
      default:
        return {{CoreType::I32}, {CoreType::I32}};
    }
  }

  // Takes the fills whose functions are there, or will be by `group`; as many as fit into a module.
  std::vector<Fill> takeFills(const std::vector<uint32_t>& group) {
    std::vector<Fill> taken, left;
    std::set<uint32_t> tables;  // steps
    for (Fill& fill : fills_) {
      CoreItem adapter{CoreItem::Kind::ADAPTER, fill.adapter, {}};
      const CoreItem& item = through(adapter);
      bool ready = exists(item) || (item.kind == CoreItem::Kind::ADAPTER &&
                                    std::ranges::binary_search(group, item.index));
      bool fits = tables.contains(fill.step) || tables.size() < MAX_TABLES;
      if (ready && fits) tables.insert(fill.step);
      (ready && fits ? taken : left).push_back(std::move(fill));
    }
    fills_ = std::move(left);
    return taken;
  }

  // Makes all adapters that can be made, and fills what tables they and others can fill, as the
  // next steps: one, but for very many memories.
  Result<void> flush() {
    for (;;) {
      std::vector<uint32_t> group = readyAdapters();
      std::vector<Fill> fills = takeFills(group);
      if (group.empty() && fills.empty()) return {};
      TENON_CHECK(addStep(group, fills));
    }
  }

  Result<void> addStep(const std::vector<uint32_t>& group, const std::vector<Fill>& fills) {
    auto thisStep = static_cast<uint32_t>(program_.steps.size());
    ModuleBuilder module;
    Common common{module, mayThrow_, 0, 0, {}};

    // Imports, all before the first function.
    std::map<uint32_t, uint32_t> own;  // adapter of this module -> function
    Indices indices;
    indices.memory = [&](const CoreItem& item) { return module.importMemory(moved(item)); };
    indices.function = [&](const CoreItem& named, const WasmSignature& signature) {
      const CoreItem& item = through(named);
      if (item.kind == CoreItem::Kind::ADAPTER) {
        auto found = own.find(item.index);
        if (found != own.end()) return found->second;
      }
      return module.importFunction(moved(item), signature);
    };
    if (!group.empty()) {
      if (program_.control) common.control = module.importMemory(*program_.control);
      common.trap =
          module.importFunction(hostFunction({Trampoline::Kind::TRAP, NONE, NONE, NONE}),
                                adapt::wasmSignature(hostSignature(Trampoline::Kind::TRAP)));
    }
    for (uint32_t index : group) own.emplace(index, NONE);
    for (uint32_t index : group) {
      const Adapter& adapter = program_.adapters[index];
      adapt::importNeeds(program_, adapter, indices);
      for (const Common::HostKey& key : adapt::hostFunctionsOf(program_, adapter)) {
        common.host[key] = module.importFunction(
            hostFunction(key), adapt::wasmSignature(hostSignature(std::get<0>(key))));
      }
    }
    auto functionOf = [&](const Fill& fill) {
      return indices.function({CoreItem::Kind::ADAPTER, fill.adapter, {}},
                              adapt::wasmSignature(program_.adapters[fill.adapter].signature));
    };
    for (const Fill& fill : fills) {
      functionOf(fill);
      module.importTable({CoreItem::Kind::INSTANCE_EXPORT, fill.step, fill.table});
    }
    if (!program_.control && !group.empty()) {
      uint64_t pages =
          (control::usedBytes(program_.instances.size()) + PAGE_BYTES - 1) / PAGE_BYTES;
      common.control = module.defineMemory(pages, "control");
      program_.control = CoreItem{CoreItem::Kind::INSTANCE_EXPORT, thisStep, "control"};
    }

    // Functions: first the adapters themselves, which may call one another.
    std::vector<adapt::CodeBuilder*> codes;
    for (uint32_t index : group) {
      ModuleBuilder::Function function =
          module.defineFunction(adapt::wasmSignature(program_.adapters[index].signature));
      own[index] = function.index;
      codes.push_back(function.code);
      module.exportFunction(exportName(index), function.index);
    }
    Crossings crossings(common);
    for (size_t i = 0; i < group.size(); ++i) {
      size_t helpers = module.functionCount();
      adapt::writeAdapter(program_, program_.adapters[group[i]], indices, usesContext_, common,
                          crossings, *codes[i]);
      codeBytes_ += codes[i]->size() + module.codeSize(helpers);
      if (codeBytes_ > MAX_CODE_BYTES || codes[i]->size() > MAX_FUNCTION_BYTES ||
          module.largestFunction(helpers) > MAX_FUNCTION_BYTES) {
        return Error{ErrorCode::LIMIT_EXCEEDED,
                     "the adapter for a function is too large: its types are"};
      }
    }

    for (const Fill& fill : fills) {
      module.fillTable(module.importTable({CoreItem::Kind::INSTANCE_EXPORT, fill.step, fill.table}),
                       fill.slot, functionOf(fill));
    }

    auto storage = std::make_unique<std::vector<std::byte>>(module.bytes());
    ModuleBytes bytes;
    bytes.bytes = *storage;
    bytes.offset = NONE;
    bytes.name = "adapters " + std::to_string(generated_++);
    bytes.generated = true;
    InstantiateStep step;
    step.module = static_cast<uint32_t>(program_.modules.size());
    step.args = module.takeArguments();
    step.instance = NONE;
    program_.storage.push_back(std::move(storage));
    program_.modules.push_back(std::move(bytes));
    program_.steps.push_back(std::move(step));
    for (uint32_t index : group) homes_[index].step = thisStep;
    return {};
  }

  // Everything but the steps' arguments, once all steps have their new numbers.
  void rewrite() {
    auto move = [&](CoreItem& item) { item = moved(item); };
    for (CoreItem& item : program_.memories) move(item);
    for (CoreItem& item : program_.functions) move(item);
    forEachLifted(program_.exports, [&](LiftedFunction& lifted) { move(lifted.callee); });
    for (Trampoline& trampoline : program_.trampolines) {
      if (!trampoline.lateBound || trampoline.boundAfter == 0) continue;
      trampoline.boundAfter = newIndex_[trampoline.boundAfter - 1] + 1;
    }
  }

  // What is left to know of the adapters.
  void keepCalls() {
    std::set<InstanceCall> calls;
    for (const Adapter& adapter : program_.adapters) {
      calls.insert({adapter.caller.instance, adapter.callee.options.instance});
    }
    program_.calls.assign(calls.begin(), calls.end());
  }

  Program& program_;
  std::vector<Home> homes_;                          // by adapter
  std::vector<std::vector<CoreItem>> dependencies_;  // by adapter
  std::vector<bool> direct_;                         // by adapter: needs none
  std::vector<const CoreItem*> ends_;                // by adapter, of direct ones
  std::vector<bool> usesContext_;                    // by component instance
  std::vector<uint32_t> newIndex_;                   // by old step
  LateSteps late_;
  std::vector<Fill> fills_;  // still to be done
  std::map<Common::HostKey, uint32_t> hostFunctions_;
  std::map<const Type*, bool> asyncValues_;
  bool mayThrow_ = false;
  size_t codeBytes_ = 0;
  uint32_t generated_ = 0;
};

}  // namespace

Result<void> fuse(Program& program, Rewriting rewriting) {
  if (rewriting == Rewriting::ON) elideShims(program);
  if (program.adapters.empty()) return {};
  return Fuser(program).run(rewriting);
}

}  // namespace tenon::component
