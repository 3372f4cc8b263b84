// The part of the Flattener that evaluates types, and what the outermost component imports.

#include "component/flatten/flattener.h"

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace tenon::component {
namespace {

// Instances inside the type of an imported instance.
constexpr uint32_t MAX_INSTANCE_DEPTH = 100;

Error at(Error error, uint64_t offset) {
  if (!error.offset) error.offset = offset;
  return error;
}

Result<const Type*> located(Result<const Type*> type, uint64_t offset) {
  if (type.ok()) return type;
  return at(std::move(type).error(), offset);
}

}  // namespace

Result<const Type*> Flattener::valueType(const Scope& scope, const ValTypeRef& ref,
                                         uint64_t offset) {
  if (ref.isPrimitive) return program_.types->primitive(ref.primitive);
  if (ref.index < scope.types.size() && scope.types[ref.index].value) {
    return scope.types[ref.index].value;
  }
  return invalidDefinition("type " + std::to_string(ref.index) + " is no value type", offset);
}

Result<uint32_t> Flattener::resourceAt(const Scope& scope, uint32_t index, uint64_t offset) {
  if (index < scope.types.size() && scope.types[index].resource != NONE) {
    return scope.types[index].resource;
  }
  return invalidDefinition("type " + std::to_string(index) + " is no resource type", offset);
}

Result<const FuncType*> Flattener::functionType(const Scope& scope, uint32_t index,
                                                uint64_t offset) {
  if (index < scope.types.size() && scope.types[index].func) return scope.types[index].func;
  return invalidDefinition("type " + std::to_string(index) + " is no function type", offset);
}

Result<const Type*> Flattener::definedType(const Scope& scope, const DefValType& type,
                                           uint64_t offset) {
  TypeTable& types = *program_.types;
  auto optional = [&](const std::optional<ValTypeRef>& ref) -> Result<const Type*> {
    if (!ref) return static_cast<const Type*>(nullptr);
    return valueType(scope, *ref, offset);
  };
  TENON_TRY(const Type* element, optional(type.element));
  switch (type.kind) {
    case TypeKind::RECORD:
    case TypeKind::VARIANT: {
      std::vector<Labelled> members;
      members.reserve(type.members.size());
      for (const LabelledType& member : type.members) {
        TENON_TRY(const Type* payload, optional(member.type));
        members.push_back({std::string(member.label), payload, 0});
      }
      return located(type.kind == TypeKind::RECORD ? types.record(std::move(members))
                                                   : types.variant(std::move(members)),
                     offset);
    }
    case TypeKind::ENUM:
    case TypeKind::FLAGS: {
      std::vector<std::string> labels;
      labels.reserve(type.members.size());
      for (const LabelledType& member : type.members) labels.emplace_back(member.label);
      return located(type.kind == TypeKind::ENUM ? types.enumeration(std::move(labels))
                                                 : types.flags(std::move(labels)),
                     offset);
    }
    case TypeKind::TUPLE: {
      std::vector<const Type*> elements;
      elements.reserve(type.elements.size());
      for (const ValTypeRef& ref : type.elements) {
        TENON_TRY(const Type* part, valueType(scope, ref, offset));
        elements.push_back(part);
      }
      return located(types.tuple(std::move(elements)), offset);
    }
    case TypeKind::LIST:
    case TypeKind::OPTION:
      if (!element) return invalidDefinition("a type without element type", offset);
      if (type.length) return located(types.fixedList(element, *type.length), offset);
      if (type.key) {
        TENON_TRY(const Type* key, optional(type.key));
        return located(types.map(key, element), offset);
      }
      return located(type.kind == TypeKind::LIST ? types.list(element) : types.option(element),
                     offset);
    case TypeKind::STREAM:
      return located(types.stream(element), offset);
    case TypeKind::FUTURE:
      return located(types.future(element), offset);
    case TypeKind::RESULT: {
      TENON_TRY(const Type* ok, optional(type.ok));
      TENON_TRY(const Type* error, optional(type.error));
      return located(types.result(ok, error), offset);
    }
    case TypeKind::OWN:
    case TypeKind::BORROW: {
      TENON_TRY(uint32_t resource, resourceAt(scope, type.resource, offset));
      return type.kind == TypeKind::OWN ? types.own(resource) : types.borrow(resource);
    }
    default:
      return types.primitive(type.kind);
  }
}

Result<void> Flattener::defineType(Scope& scope, const TypeDef& definition) {
  uint64_t offset = definition.offset;
  TypeItem item;
  if (const auto* value = std::get_if<DefValType>(&definition.def)) {
    TENON_CHECK(charge(value->members.size() + value->elements.size()));
    TENON_TRY(item.value, definedType(scope, *value, offset));
  } else if (const auto* func = std::get_if<FuncTypeDef>(&definition.def)) {
    TENON_CHECK(charge(func->params.size()));
    FuncType type;
    type.async = func->async;
    for (const ParamDecl& param : func->params) {
      TENON_TRY(const Type* paramType, valueType(scope, param.type, offset));
      type.params.push_back({std::string(param.name), paramType});
    }
    if (func->result) {
      TENON_TRY(type.result, valueType(scope, *func->result, offset));
    }
    item.func = &funcTypes_.emplace_back(std::move(type));
  } else if (const auto* resource = std::get_if<ResourceTypeDef>(&definition.def)) {
    if (resource->rep.code != 0x7f) {
      return Error{ErrorCode::UNSUPPORTED, "only resources represented by i32 are supported",
                   offset};
    }
    ResourceInfo info;
    info.instance = scope.instance;
    if (resource->dtor) {
      if (*resource->dtor >= scope.coreFuncs.size()) {
        return invalidDefinition("a destructor out of range", offset);
      }
      info.dtor = functionSlot(scope.coreFuncs[*resource->dtor]);
    }
    item.resource = static_cast<uint32_t>(program_.resources.size());
    program_.resources.push_back(std::move(info));
  } else {
    item.closure = &definition;
    item.scope = &scope;
  }
  scope.types.push_back(item);
  return {};
}

// -- What the outermost component imports ---------------------------------------------------------

Result<Item> Flattener::importItem(Scope& scope, std::string_view name, const ExternTypeRef& type,
                                   uint64_t offset) {
  switch (type.kind) {
    case ExternTypeRef::Kind::FUNC: {
      TENON_TRY(const FuncType* func, functionType(scope, type.index, offset));
      auto index = static_cast<uint32_t>(program_.imports.size());
      uint32_t part = program_.instances[scope.instance].part;
      program_.imports.push_back({std::string(scope.interface), std::string(name), *func, part});
      return Item(FuncItem{FuncItem::Kind::IMPORTED, index});
    }
    case ExternTypeRef::Kind::TYPE_EQ:
      return lookUp(scope, {Sort::TYPE, type.index}, offset);
    case ExternTypeRef::Kind::TYPE_SUB: {
      TypeItem item;
      item.resource = static_cast<uint32_t>(program_.resources.size());
      ResourceInfo info;
      info.name = name;
      info.imported = true;
      info.interface = scope.interface;
      program_.resources.push_back(std::move(info));
      return Item(item);
    }
    case ExternTypeRef::Kind::INSTANCE: {
      if (type.index >= scope.types.size()) return invalidDefinition("type out of range", offset);
      std::string interface(scope.interface);
      if (!interface.empty()) interface += "#";
      interface += name;
      TENON_TRY(
          const InstanceItem* instance,
          importInstance(scope.types[type.index], std::move(interface), scope.depth + 1, offset));
      return Item(instance);
    }
    case ExternTypeRef::Kind::CORE_MODULE:
      if (modules_ == Modules::MISSING) {
        program_.steps.push_back({NONE, {}, scope.instance});
        return Item(ModuleItem{nullptr, offset});
      }
      return Error{ErrorCode::UNSUPPORTED,
                   "the component imports a core module, " + std::string(name) +
                       ": only a component of the same workload that exports it can provide it",
                   offset};
    case ExternTypeRef::Kind::COMPONENT:
      return Error{ErrorCode::UNSUPPORTED,
                   "the component imports a component, " + std::string(name) +
                       "; importing components is not supported",
                   offset};
    case ExternTypeRef::Kind::VALUE_EQ:
    case ExternTypeRef::Kind::VALUE_TYPE:
      break;
  }
  return Error{ErrorCode::UNSUPPORTED, "component values are not supported", offset};
}

Result<const InstanceItem*> Flattener::importInstance(const TypeItem& type, std::string interface,
                                                      uint32_t depth, uint64_t offset) {
  const auto* definition =
      type.closure ? std::get_if<InstanceTypeDef>(&type.closure->def) : nullptr;
  if (!definition) return invalidDefinition("an instance of a type that is none", offset);
  if (depth > MAX_INSTANCE_DEPTH) {
    return Error{ErrorCode::LIMIT_EXCEEDED, "instance types are nested too deep", offset};
  }
  Scope& scope = newScope(type.scope);
  scope.instance = type.scope->instance;
  scope.depth = depth;
  scope.interface = strings_.emplace_back(std::move(interface));
  InstanceItem& instance = instances_.emplace_back();
  for (const Decl& decl : definition->decls) {
    TENON_CHECK(charge(1));
    if (const auto* core = std::get_if<std::unique_ptr<CoreTypeDef>>(&decl.decl)) {
      const auto* other = std::get_if<CoreOtherType>(&(*core)->def);
      scope.coreTypes += other ? other->count : 1;
    } else if (const auto* inner = std::get_if<std::unique_ptr<TypeDef>>(&decl.decl)) {
      TENON_CHECK(defineType(scope, **inner));
    } else if (const auto* alias = std::get_if<Alias>(&decl.decl)) {
      TENON_CHECK(defineAlias(scope, *alias, decl.offset));
    } else if (const auto* exported = std::get_if<ExportDecl>(&decl.decl)) {
      TENON_TRY(Item item, importItem(scope, exported->name.name, exported->type, decl.offset));
      Sort sort = Sort::TYPE;
      if (std::holds_alternative<FuncItem>(item)) sort = Sort::FUNC;
      if (std::holds_alternative<const InstanceItem*>(item)) sort = Sort::INSTANCE;
      if (std::holds_alternative<ModuleItem>(item)) sort = Sort::CORE_MODULE;
      TENON_CHECK(bind(scope, sort, item, decl.offset));
      instance.add(exported->name.name, sort, item);
    }
  }
  return &instance;
}

}  // namespace tenon::component
