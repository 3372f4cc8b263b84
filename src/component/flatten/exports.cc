// The part of the Flattener that turns the outermost component's exports into the program's.

#include "component/flatten/flattener.h"

#include <string>
#include <utility>
#include <variant>

namespace tenon::component {
namespace {

constexpr uint32_t MAX_EXPORT_DEPTH = 100;

}  // namespace

Result<void> Flattener::finish(const InstanceItem& exports) {
  program_.exports.reserve(exports.exports.size());
  for (const InstanceItem::Entry& entry : exports.exports) {
    TENON_TRY(ProgramExport made, programExport(entry, 0));
    program_.exports.push_back(std::move(made));
  }
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
