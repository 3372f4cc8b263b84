#include "component/relink/elide.h"

#include "component/binary/core_module.h"
#include "component/program/edit.h"
#include "component/relink/late_imports.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon::component {
namespace {

bool refersTo(const CoreItem& item, uint32_t step) {
  return item.kind == CoreItem::Kind::INSTANCE_EXPORT && item.index == step;
}

// Calls `visit(CoreItem&)` for every item of the program but the steps' arguments.
template <typename Visit>
void visitOthers(Program& program, const Visit& visit) {
  for (CoreItem& item : program.memories) visit(item);
  for (CoreItem& item : program.functions) visit(item);
  for (Adapter& adapter : program.adapters) visit(adapter.callee.callee);
  forEachLifted(program.exports, [&](LiftedFunction& lifted) { visit(lifted.callee); });
}

bool sameType(const CoreSignature& signature, const CoreFuncType& type) {
  auto same = [](const std::vector<CoreType>& left, const std::vector<CoreValType>& right) {
    constexpr uint8_t CODES[] = {0x7f, 0x7e, 0x7d, 0x7c};
    return std::equal(
        left.begin(), left.end(), right.begin(), right.end(),
        [&](CoreType a, const CoreValType& b) { return CODES[static_cast<size_t>(a)] == b.code; });
  };
  return same(signature.params, type.params) && same(signature.results, type.results);
}

bool tableFits(const CoreExternType& wanted, const CoreExternType& given) {
  if (wanted.kind != CoreExternKind::TABLE || given.kind != CoreExternKind::TABLE) return false;
  if (!(wanted.valType == given.valType) || wanted.limits.is64 || given.limits.is64) return false;
  if (wanted.limits.shared || given.limits.shared) return false;
  if (wanted.limits.min > given.limits.min) return false;
  return !wanted.limits.max || (given.limits.max && *given.limits.max <= *wanted.limits.max);
}

// How many uses, arguments and stand-ins are looked at. Programs have far fewer, unless they are
// made to have each of thousands of instances looked at against hundreds of thousands of others.
// What is left then stays as it is, and costs its instances only.
constexpr uint64_t MAX_LOOKS = 10'000'000;

// A shim and the only step that gets its table.
struct Pair {
  uint32_t shim = 0;
  uint32_t fixup = 0;
  bool fixupIsSound = false;    // every import of the fixup is known to be of the right type
  bool lateBound = false;       // a start function runs between the two
  bool adaptersCanWait = true;  // every step between that uses one can be written anew
  std::map<std::string, CoreItem, std::less<>> direct;  // shim export -> what its slot gets
};

class Elider {
 public:
  explicit Elider(Program& program)
      : program_(program), dropped_(program.steps.size(), false), uses_(program.steps.size()) {}

  void run() {
    for (uint32_t user = 0; user < program_.steps.size(); ++user) {
      for (CoreArg& arg : program_.steps[user].args) addUse({user, &arg, &arg.item});
    }
    visitOthers(program_, [&](CoreItem& item) { addUse({NONE, nullptr, &item}); });
    std::vector<Pair> pairs;
    for (uint32_t step = 0; step < program_.steps.size(); ++step) {
      if (!program_.steps[step].args.empty()) continue;
      Pair pair;
      if (!match(step, pair)) continue;
      redirect(pair);
      pairs.push_back(std::move(pair));
    }
    for (bool changed = true; changed;) {
      changed = false;
      for (const Pair& pair : pairs) {
        if (dropped_[pair.shim] || !pair.fixupIsSound || isUsed(pair)) continue;
        dropped_[pair.shim] = dropped_[pair.fixup] = true;
        changed = true;
      }
    }
    renumber();
  }

 private:
  // An item of the program that names an export of some step.
  struct Use {
    uint32_t user = NONE;  // step; NONE: it is no argument
    CoreArg* arg = nullptr;
    CoreItem* item = nullptr;
  };
  void addUse(const Use& use) {
    bool names = use.item->kind == CoreItem::Kind::INSTANCE_EXPORT;
    if (names && use.item->index < uses_.size()) uses_[use.item->index].push_back(use);
  }

  bool look(uint64_t items) {
    if (items > looksLeft_) return false;
    looksLeft_ -= items;
    return true;
  }

  const CoreModuleInterface* interfaceOf(uint32_t step) {
    uint32_t module = program_.steps[step].module;
    auto found = interfaces_.find(module);
    if (found == interfaces_.end()) {
      const ModuleBytes& bytes = program_.modules[module];
      auto read = readCoreModule(bytes.bytes, bytes.offset);
      std::optional<CoreModuleInterface> interface;
      if (read) interface = *std::move(read);
      found = interfaces_.emplace(module, std::move(interface)).first;
    }
    return found->second ? &*found->second : nullptr;
  }

  const ExportTypes* exportsOf(uint32_t step) {
    const CoreModuleInterface* interface = interfaceOf(step);
    if (!interface) return nullptr;
    auto [found, added] = exports_.try_emplace(program_.steps[step].module);
    if (added) found->second = exportTypes(*interface);
    return &found->second;
  }

  // Each module is read once, however many steps have it.
  const ShimModule* shimOf(uint32_t step) {
    uint32_t module = program_.steps[step].module;
    auto [found, added] = shims_.try_emplace(module);
    if (added) found->second = readShimModule(program_.modules[module].bytes);
    return found->second ? &*found->second : nullptr;
  }
  const FixupModule* fixupOf(uint32_t step) {
    uint32_t module = program_.steps[step].module;
    auto [found, added] = fixups_.try_emplace(module);
    if (added) found->second = readFixupModule(program_.modules[module].bytes);
    return found->second ? &*found->second : nullptr;
  }

  // Whether `step` is a shim whose table goes to one fixup only; fills `pair`.
  bool match(uint32_t step, Pair& pair) {
    const ShimModule* shim = shimOf(step);
    if (!shim) return false;
    if (!look(uses_[step].size())) return false;
    pair.shim = step;
    const CoreArg* tableArg = nullptr;
    for (const Use& use : uses_[step]) {
      if (use.item->name != shim->tableExport) continue;
      if (tableArg || !use.arg) return false;
      pair.fixup = use.user;
      tableArg = use.arg;
    }
    if (!tableArg || pair.fixup <= step || isUsed(pair.fixup)) return false;
    const FixupModule* fixup = fixupOf(pair.fixup);
    if (!fixup || fixup->table.module != tableArg->module || fixup->table.name != tableArg->name) {
      return false;
    }
    const ExportTypes* shimExports = exportsOf(step);
    const CoreModuleInterface* fixupInterface = interfaceOf(pair.fixup);
    if (!shimExports || !fixupInterface) return false;
    return fill(*shim, *fixup, *shimExports, *fixupInterface, pair);
  }

  bool fill(const ShimModule& shim, const FixupModule& fixup, const ExportTypes& shimExports,
            const CoreModuleInterface& fixupInterface, Pair& pair) {
    const InstantiateStep& fixupStep = program_.steps[pair.fixup];
    if (fixupInterface.imports.size() != fixupStep.args.size()) return false;
    uint64_t between = pair.fixup - pair.shim;
    if (!look(shim.names.size() + fixupStep.args.size() + between)) return false;
    auto table = shimExports.find(shim.tableExport);
    if (table == shimExports.end()) return false;
    uint64_t end = uint64_t{fixup.offset} + fixup.elements.size();
    if (table->second->kind != CoreExternKind::TABLE || end > table->second->limits.min)
      return false;

    // By import name of the fixup: the function given, where its type is certain.
    using Name = std::pair<std::string_view, std::string_view>;
    std::map<Name, const CoreArg*> given;
    pair.fixupIsSound = true;
    for (size_t i = 0; i < fixupStep.args.size(); ++i) {
      const CoreArg& arg = fixupStep.args[i];
      const CoreExternType& wanted = fixupInterface.imports[i].type;
      bool sound = false;
      if (wanted.kind == CoreExternKind::FUNC) {
        sound = isFunction(arg.item, wanted.func);
        if (sound) given[{arg.module, arg.name}] = &arg;
      } else if (wanted.kind == CoreExternKind::TABLE) {
        sound = refersTo(arg.item, pair.shim) && tableFits(wanted, *table->second);
      }
      pair.fixupIsSound = pair.fixupIsSound && sound;
    }
    for (uint32_t i = pair.shim + 1; i < pair.fixup; ++i) {
      const CoreModuleInterface* between = interfaceOf(i);
      if (!between) return false;
      pair.lateBound = pair.lateBound || between->hasStart;
    }
    for (size_t i = 0; i < shim.names.size() && i < shim.slots.size(); ++i) {
      uint32_t slot = shim.slots[i];
      if (slot < fixup.offset || slot - fixup.offset >= fixup.elements.size()) continue;
      uint32_t element = fixup.elements[slot - fixup.offset];
      if (element >= fixup.functions.size()) return false;
      const FixupModule::Name& name = fixup.functions[element];
      auto found = given.find({name.module, name.name});
      auto exported = shimExports.find(shim.names[i]);
      if (found == given.end() || exported == shimExports.end()) continue;
      if (exported->second->kind != CoreExternKind::FUNC) continue;
      if (!isFunction(found->second->item, exported->second->func)) continue;
      pair.direct.emplace(shim.names[i], found->second->item);
    }
    return true;
  }

  // Whether the item is surely a function of this type.
  bool isFunction(const CoreItem& item, const CoreFuncType& type) {
    if (item.kind == CoreItem::Kind::TRAMPOLINE) {
      return sameType(program_.trampolines[item.index].signature, type);
    }
    if (item.kind == CoreItem::Kind::ADAPTER) {
      return sameType(program_.adapters[item.index].signature, type);
    }
    const ExportTypes* exports = exportsOf(item.index);
    if (!exports) return false;
    auto found = exports->find(item.name);
    return found != exports->end() && found->second->kind == CoreExternKind::FUNC &&
           found->second->func == type;
  }

  void redirect(Pair& pair) {
    std::vector<Use> uses = std::move(uses_[pair.shim]);
    pair.adaptersCanWait = adaptersCanWait(pair, uses);
    uses_[pair.shim].clear();
    for (const Use& use : uses) {
      if (use.arg) {
        redirectArgument(pair, use.user, *use.arg);
      } else if (!pair.lateBound) {
        // A host call or an export comes after all steps, or out of a start function.
        const CoreItem* real = behind(pair, *use.item);
        if (real && real->kind == CoreItem::Kind::INSTANCE_EXPORT) *use.item = *real;
      }
      addUse(use);
    }
  }

  // What the stand-in that `item` may be stands for.
  static const CoreItem* behind(const Pair& pair, const CoreItem& item) {
    if (!refersTo(item, pair.shim)) return nullptr;
    auto found = pair.direct.find(item.name);
    return found == pair.direct.end() ? nullptr : &found->second;
  }

  // From `user` to the fixup nothing may run: what is called there traps until the fixup is done.
  bool adaptersCanWait(const Pair& pair, const std::vector<Use>& uses) {
    if (pair.lateBound) return false;
    std::map<uint32_t, std::vector<uint32_t>> positions;  // by step
    for (const Use& use : uses) {
      if (!use.arg || use.user >= pair.fixup) continue;
      const CoreItem* real = behind(pair, *use.item);
      if (!real || real->kind != CoreItem::Kind::ADAPTER) continue;
      auto position = use.arg - program_.steps[use.user].args.data();
      positions[use.user].push_back(static_cast<uint32_t>(position));
    }
    for (auto& [user, ofUser] : positions) {
      std::ranges::sort(ofUser);
      uint32_t module = program_.steps[user].module;
      if (!late_.allows(module, program_.modules[module].bytes, ofUser)) return false;
    }
    return true;
  }

  void redirectArgument(const Pair& pair, uint32_t user, CoreArg& arg) {
    const CoreItem* real = behind(pair, arg.item);
    if (!real) return;
    bool early = user < pair.fixup;
    bool late = pair.lateBound && early;
    switch (real->kind) {
      case CoreItem::Kind::INSTANCE_EXPORT:
        if (real->index < user && !late) arg.item = *real;
        break;
      case CoreItem::Kind::ADAPTER:
        if (early && !pair.adaptersCanWait) break;
        arg.item = *real;
        arg.late = early;
        break;
      case CoreItem::Kind::TRAMPOLINE:
        arg.item = late ? lateCopy(*real, pair.fixup + 1) : *real;
        break;
    }
  }

  // The trampoline, not to be called before `boundAfter` steps are done.
  CoreItem lateCopy(const CoreItem& trampoline, uint32_t boundAfter) {
    auto [copy, added] = copies_.emplace(std::pair(trampoline.index, boundAfter),
                                         static_cast<uint32_t>(program_.trampolines.size()));
    if (added) {
      Trampoline late = program_.trampolines[trampoline.index];
      late.lateBound = true;
      late.boundAfter = std::max(late.boundAfter, boundAfter);
      program_.trampolines.push_back(std::move(late));
    }
    return {CoreItem::Kind::TRAMPOLINE, copy->second, {}};
  }

  bool isUsed(uint32_t step, uint32_t except = NONE) {
    return std::ranges::any_of(uses_[step], [&](const Use& use) {
      return !look(1) || !use.arg || (use.user != except && !dropped_[use.user]);
    });
  }
  bool isUsed(const Pair& pair) { return isUsed(pair.shim, pair.fixup); }

  void renumber() {
    if (std::none_of(dropped_.begin(), dropped_.end(), [](bool dropped) { return dropped; }))
      return;
    std::vector<uint32_t> keptBefore(program_.steps.size() + 1, 0);
    for (size_t i = 0; i < program_.steps.size(); ++i) {
      keptBefore[i + 1] = keptBefore[i] + (dropped_[i] ? 0 : 1);
    }
    auto move = [&](CoreItem& item) {
      if (item.kind == CoreItem::Kind::INSTANCE_EXPORT) item.index = keptBefore[item.index];
    };
    visitOthers(program_, move);
    std::vector<InstantiateStep> steps;
    steps.reserve(keptBefore.back());
    for (size_t i = 0; i < program_.steps.size(); ++i) {
      if (dropped_[i]) continue;
      for (CoreArg& arg : program_.steps[i].args) move(arg.item);
      steps.push_back(std::move(program_.steps[i]));
    }
    program_.steps = std::move(steps);
    for (Trampoline& trampoline : program_.trampolines) {
      if (trampoline.lateBound) trampoline.boundAfter = keptBefore[trampoline.boundAfter];
    }
    dropIdleModules(program_);
  }

  Program& program_;
  std::vector<bool> dropped_;
  std::vector<std::vector<Use>> uses_;  // by step
  uint64_t looksLeft_ = MAX_LOOKS;
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> copies_;  // trampoline, boundAfter -> copy
  LateBudget late_;
  // By module; empty: it is none.
  std::map<uint32_t, std::optional<CoreModuleInterface>> interfaces_;
  std::map<uint32_t, ExportTypes> exports_;
  std::map<uint32_t, std::optional<ShimModule>> shims_;
  std::map<uint32_t, std::optional<FixupModule>> fixups_;
};

}  // namespace

void elideShims(Program& program) { Elider(program).run(); }

}  // namespace tenon::component
