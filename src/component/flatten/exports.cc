// The part of the Flattener that turns the outermost component's exports into the program's.

#include "component/flatten/flattener.h"
#include "component/flatten/reexports.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace tenon::component {
namespace {

constexpr uint32_t MAX_EXPORT_DEPTH = 100;

// The exports that are imports which can be passed on, by import.
void collect(const Program& program, std::vector<ProgramExport>& exports,
             std::map<uint32_t, std::vector<ProgramExport*>>& found) {
  for (ProgramExport& made : exports) {
    if (auto* instance = std::get_if<ExportedInstance>(&made.item)) {
      collect(program, instance->exports, found);
    } else if (auto* import = std::get_if<ReexportedImport>(&made.item)) {
      if (canReexport(program.imports[import->import].type)) {
        found[import->import].push_back(&made);
      }
    }
  }
}

}  // namespace

Result<void> Flattener::finish(const InstanceItem& exports, Outermost outermost) {
  program_.exports.reserve(exports.exports.size());
  for (const InstanceItem::Entry& entry : exports.exports) {
    TENON_TRY(ProgramExport made, programExport(entry, 0));
    program_.exports.push_back(std::move(made));
  }
  if (outermost == Outermost::COMPONENT)
    return reexport(program_.exports, 0, program_.instances[0].name);
  for (uint32_t part = 0; part < program_.exports.size(); ++part) {
    auto* instance = std::get_if<ExportedInstance>(&program_.exports[part].item);
    if (instance) TENON_CHECK(reexport(instance->exports, part, program_.exports[part].name));
  }
  return {};
}

Result<void> Flattener::reexport(std::vector<ProgramExport>& exports, uint32_t part,
                                 std::string name) {
  std::map<uint32_t, std::vector<ProgramExport*>> found;
  collect(program_, exports, found);
  if (found.empty()) return {};
  if (program_.steps.size() >= limits_.maxCoreInstances) {
    return Error{ErrorCode::LIMIT_EXCEEDED,
                 "more than " + std::to_string(limits_.maxCoreInstances) + " core instances"};
  }
  std::vector<Reexport> functions;
  for (const auto& [import, where] : found) {
    Reexport& function = functions.emplace_back();
    function.type = &program_.imports[import].type;
    for (uint32_t i = 0; i < function.type->params.size(); ++i) {
      if (function.type->params[i].type->hasBorrow) function.borrows.push_back(i);
    }
  }
  auto storage = std::make_unique<std::vector<std::byte>>(writeReexports(functions));
  ModuleBytes bytes;
  bytes.bytes = *storage;
  bytes.offset = NONE;
  bytes.name = "re-exported imports";
  bytes.generated = true;
  program_.storage.push_back(std::move(storage));

  auto instance = static_cast<uint32_t>(program_.instances.size());
  program_.instances.push_back({std::move(name), 0, part});
  const auto step = static_cast<uint32_t>(program_.steps.size());
  auto own = [&](std::string name) {
    return CoreItem{CoreItem::Kind::INSTANCE_EXPORT, step, std::move(name)};
  };
  Options options;
  options.instance = instance;
  options.memory = static_cast<uint32_t>(program_.memories.size());
  program_.memories.push_back(own("memory"));
  options.realloc = functionSlot(own("realloc"));

  InstantiateStep made;
  made.module = static_cast<uint32_t>(program_.modules.size());
  made.instance = instance;
  program_.modules.push_back(std::move(bytes));
  std::vector<CoreArg> drops;
  uint32_t index = 0;
  for (auto& [import, where] : found) {
    const FuncType& type = program_.imports[import].type;
    const std::string number = std::to_string(index);
    Trampoline lowered;
    lowered.kind = Trampoline::Kind::LOWER_IMPORT;
    lowered.canon = CanonKind::LOWER;
    lowered.instance = instance;
    lowered.signature = flattenLower(type);
    lowered.import = import;
    lowered.type = type;
    lowered.options = options;
    made.args.push_back({"import", number, addTrampoline(std::move(lowered))});
    for (uint32_t borrowed : functions[index].borrows) {
      Trampoline drop;
      drop.kind = Trampoline::Kind::RESOURCE_DROP;
      drop.canon = CanonKind::RESOURCE_DROP;
      drop.instance = instance;
      drop.resource = type.params[borrowed].type->resource;
      drop.signature.params = {CoreType::I32};
      drops.push_back(
          {"drop", number + ":" + std::to_string(borrowed), addTrampoline(std::move(drop))});
    }
    LiftedFunction lifted;
    lifted.callee = own(number);
    lifted.calleeSlot = functionSlot(lifted.callee);
    lifted.type = type;
    lifted.options = options;
    lifted.options.postReturn = functionSlot(own("done:" + number));
    for (ProgramExport* item : where) item->item = lifted;
    ++index;
  }
  made.args.insert(made.args.end(), drops.begin(), drops.end());
  program_.steps.push_back(std::move(made));
  return {};
}

Result<ProgramExport> Flattener::programExport(const InstanceItem::Entry& entry, uint32_t depth) {
  TENON_CHECK(charge(1));
  if (depth > MAX_EXPORT_DEPTH) {
    return Error{ErrorCode::LIMIT_EXCEEDED, "exported instances are nested too deep"};
  }
  ProgramExport made{std::string(entry.name), ExportedModule{}};
  if (const auto* func = std::get_if<FuncItem>(&entry.item)) {
    if (func->kind == FuncItem::Kind::LIFTED) {
      made.item = lifted_[func->index];
    } else {
      made.item = ReexportedImport{func->index};
    }
  } else if (const auto* type = std::get_if<TypeItem>(&entry.item)) {
    nameResource(type->resource, entry.name);
    made.item = ExportedType{type->value, type->resource};
  } else if (const auto* instance = std::get_if<const InstanceItem*>(&entry.item)) {
    ExportedInstance inner;
    inner.exports.reserve((*instance)->exports.size());
    for (const InstanceItem::Entry& part : (*instance)->exports) {
      TENON_TRY(ProgramExport made, programExport(part, depth + 1));
      inner.exports.push_back(std::move(made));
    }
    made.item = std::move(inner);
  } else if (std::holds_alternative<ClosureItem>(entry.item)) {
    made.item = ExportedComponent{};
  }
  return made;
}

}  // namespace tenon::component
