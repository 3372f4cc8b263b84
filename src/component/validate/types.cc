// Type definitions. Source: Binary.md "Type Definitions", Explainer.md "Type Definitions".

#include "component/validate/core_types.h"
#include "component/validate/say.h"
#include "component/validate/validation.h"

#include <array>
#include <optional>

namespace tenon::component::typed {
namespace {

constexpr size_t MAX_MEMBERS = 10'000;  // fields, cases, elements
constexpr size_t MAX_FLAGS = 32;
constexpr size_t MAX_FIXED_LENGTH = size_t{1} << 30;

// Labels of one type: kebab case, and strongly unique.
class Labels {
 public:
  Labels(const char* what, uint64_t offset) : what_(what), offset_(offset) {}

  Result<void> add(std::string_view label) {
    if (label.empty()) return invalid(offset_, say(what_, " name cannot be empty"));
    if (label.size() > MAX_NAME_BYTES || !isLabel(label)) {
      return invalid(offset_,
                     say(what_, " name `", label.substr(0, 200), "` is not in kebab case"));
    }
    if (auto previous = insert(label)) {
      return invalid(offset_, say(what_, " name `", label, "` conflicts with previous ", what_,
                                  " name `", *previous, "`"));
    }
    return {};
  }

 private:
  // Most types have few labels: these are compared one by one, without an allocation.
  static constexpr size_t FEW = 12;

  // The label that this one conflicts with, if there is one.
  std::optional<std::string_view> insert(std::string_view label) {
    if (count_ < FEW) {
      for (size_t i = 0; i < count_; ++i) {
        if (sameLabel(few_[i], label)) return few_[i];
      }
      few_[count_++] = label;
      return std::nullopt;
    }
    if (many_.empty()) {
      for (std::string_view known : few_) many_.emplace(labelKey(known), known);
    }
    auto [it, added] = many_.emplace(labelKey(label), label);
    if (added) return std::nullopt;
    return it->second;
  }

  const char* what_;
  uint64_t offset_;
  size_t count_ = 0;
  std::array<std::string_view, FEW> few_;
  OwnedTextMap<std::string_view> many_;
};

const Type* structure(ValRef value) { return value ? value.node->type : nullptr; }

// The table's own errors get the offset.
Result<void> setType(ValNode& node, Result<const Type*> made, uint64_t offset) {
  if (!made) {
    Error error = std::move(made).error();
    error.offset = offset;
    return error;
  }
  node.type = *made;
  return {};
}

// Looks for handles, streams, futures and error contexts. Visits a node once.
class HandleSearch {
 public:
  bool finds(const Type* type) {
    if (type == nullptr || !visited_.insert(type).second) return false;
    switch (type->kind) {
      case TypeKind::OWN:
      case TypeKind::BORROW:
      case TypeKind::STREAM:
      case TypeKind::FUTURE:
      case TypeKind::ERROR_CONTEXT:
        return true;
      default:
        break;
    }
    for (const Labelled& member : type->members) {
      if (finds(member.type)) return true;
    }
    return finds(type->element) || finds(type->ok) || finds(type->error);
  }

 private:
  std::unordered_set<const Type*> visited_;
};

std::vector<std::string> labelsOf(const DefValType& def) {
  std::vector<std::string> labels;
  labels.reserve(def.members.size());
  for (const LabelledType& member : def.members) labels.emplace_back(member.label);
  return labels;
}

}  // namespace

Result<void> Validation::type(const TypeDef& def, uint64_t offset) {
  TENON_CHECK(checkCount(scope().typeCount(), 1, MAX_TYPES, "types", offset));
  TENON_TRY(AnyType made, makeType(def, offset));
  scope().types.push_back(made);
  return {};
}

Result<AnyType> Validation::makeType(const TypeDef& def, uint64_t offset) {
  return std::visit(
      [&](const auto& of) -> Result<AnyType> {
        using Def = std::decay_t<decltype(of)>;
        if constexpr (std::is_same_v<Def, DefValType>) {
          TENON_TRY(ValRef value, defined(of, offset));
          return AnyType(value);
        } else if constexpr (std::is_same_v<Def, FuncTypeDef>) {
          TENON_TRY(const FuncNode* func, funcType(of, offset));
          return AnyType(func);
        } else if constexpr (std::is_same_v<Def, ResourceTypeDef>) {
          TENON_TRY(ResourceRef resource, resourceType(of, offset));
          return AnyType(resource);
        } else if constexpr (std::is_same_v<Def, ComponentTypeDef>) {
          TENON_TRY(const ComponentNode* component, componentType(of, offset));
          return AnyType(component);
        } else {
          TENON_TRY(const InstanceNode* instance, instanceType(of, offset));
          return AnyType(instance);
        }
      },
      def.def);
}

// -- Value types ----------------------------------------------------------------------------------

Result<ValRef> Validation::valType(const ValTypeRef& ref, uint64_t offset) {
  if (ref.isPrimitive) return arena_.primitive(ref.primitive);
  return scope().valueType(ref.index, offset);
}

Result<ValRef> Validation::optionalValType(const std::optional<ValTypeRef>& ref, uint64_t offset) {
  if (!ref) return ValRef();
  return valType(*ref, offset);
}

Result<void> Validation::addPart(ValNode& node, ValRef part, uint64_t offset) {
  parts_.push_back(part);
  if (!part) return {};
  return node.extent.add(part.node->extent, offset);
}

Result<ValRef> Validation::defined(const DefValType& def, uint64_t offset) {
  ValNode node;
  parts_.clear();
  switch (def.kind) {
    case TypeKind::RECORD:
    case TypeKind::VARIANT:
    case TypeKind::TUPLE:
    case TypeKind::ENUM:
    case TypeKind::FLAGS:
      TENON_CHECK(definedMembers(def, node, offset));
      break;
    case TypeKind::LIST:
    case TypeKind::OPTION:
    case TypeKind::RESULT:
      TENON_CHECK(definedContainer(def, node, offset));
      break;
    case TypeKind::OWN:
    case TypeKind::BORROW: {
      TENON_TRY(node.resource, scope().resource(def.resource, offset));
      TypeTable& table = arena_.table();
      node.type =
          def.kind == TypeKind::OWN ? table.own(node.resource.id) : table.borrow(node.resource.id);
      break;
    }
    case TypeKind::STREAM:
    case TypeKind::FUTURE:
      TENON_CHECK(definedAsync(def, node, offset));
      break;
    default:
      node.type = arena_.table().primitive(def.kind);
      break;
  }
  node.parts = arena_.keep(parts_);
  return ValRef{arena_.own(node), 0};
}

Result<void> Validation::definedMembers(const DefValType& def, ValNode& node, uint64_t offset) {
  struct Words {
    const char* empty;
    const char* label;
  };
  Words words = def.kind == TypeKind::RECORD
                    ? Words{"record type must have at least one field", "record field"}
                : def.kind == TypeKind::VARIANT
                    ? Words{"variant type must have at least one case", "variant case"}
                : def.kind == TypeKind::TUPLE ? Words{"tuple type must have at least one type", ""}
                : def.kind == TypeKind::ENUM
                    ? Words{"enum type must have at least one variant", "enum tag"}
                    : Words{"flags must have at least one entry", "flag"};
  size_t count = def.kind == TypeKind::TUPLE ? def.elements.size() : def.members.size();
  if (count == 0) return invalid(offset, words.empty);
  if (def.kind == TypeKind::FLAGS && count > MAX_FLAGS) {
    return invalid(offset, "cannot have more than 32 flags");
  }
  TENON_CHECK(checkCount(0, count, MAX_MEMBERS, words.label, offset));

  Labels labels(words.label, offset);
  for (const LabelledType& member : def.members) TENON_CHECK(labels.add(member.label));
  TypeTable& table = arena_.table();
  if (def.kind == TypeKind::ENUM) return setType(node, table.enumeration(labelsOf(def)), offset);
  if (def.kind == TypeKind::FLAGS) return setType(node, table.flags(labelsOf(def)), offset);
  if (def.kind == TypeKind::TUPLE) {
    std::vector<const Type*> elements;
    elements.reserve(count);
    for (const ValTypeRef& element : def.elements) {
      TENON_TRY(ValRef part, valType(element, offset));
      TENON_CHECK(addPart(node, part, offset));
      elements.push_back(structure(part));
    }
    return setType(node, table.tuple(std::move(elements)), offset);
  }
  std::vector<Labelled> members;
  members.reserve(count);
  for (const LabelledType& member : def.members) {
    TENON_TRY(ValRef part, optionalValType(member.type, offset));
    TENON_CHECK(addPart(node, part, offset));
    members.push_back({std::string(member.label), structure(part), 0});
  }
  bool isRecord = def.kind == TypeKind::RECORD;
  return setType(node,
                 isRecord ? table.record(std::move(members)) : table.variant(std::move(members)),
                 offset);
}

Result<void> Validation::definedContainer(const DefValType& def, ValNode& node, uint64_t offset) {
  TypeTable& table = arena_.table();
  if (def.kind == TypeKind::RESULT) {
    TENON_TRY(ValRef ok, optionalValType(def.ok, offset));
    TENON_TRY(ValRef error, optionalValType(def.error, offset));
    TENON_CHECK(addPart(node, ok, offset));
    TENON_CHECK(addPart(node, error, offset));
    return setType(node, table.result(structure(ok), structure(error)), offset);
  }
  if (def.key) return definedMap(def, node, offset);
  TENON_TRY(ValRef element, optionalValType(def.element, offset));
  TENON_CHECK(addPart(node, element, offset));
  if (def.length) {
    if (*def.length == 0) {
      return invalid(offset, "fixed-length lists must have more than zero elements");
    }
    TENON_CHECK(checkCount(0, *def.length, MAX_FIXED_LENGTH, "fixed-length list element", offset));
    return setType(node, table.fixedList(structure(element), *def.length), offset);
  }
  bool isList = def.kind == TypeKind::LIST;
  return setType(node, isList ? table.list(structure(element)) : table.option(structure(element)),
                 offset);
}

Result<void> Validation::definedMap(const DefValType& def, ValNode& node, uint64_t offset) {
  TENON_TRY(ValRef key, optionalValType(def.key, offset));
  TENON_TRY(ValRef value, optionalValType(def.element, offset));
  TypeKind kind = key.node->type->kind;
  if (kind == TypeKind::F32 || kind == TypeKind::F64 || kind > TypeKind::STRING) {
    return invalid(offset, say("invalid map key type ", kindName(*key.node->type)));
  }
  // A language may drop the values of duplicate keys, and handles must not get lost.
  if (HandleSearch().finds(value.node->type)) {
    return invalid(offset, "map value type cannot contain a handle");
  }
  TENON_CHECK(addPart(node, key, offset));
  TENON_CHECK(addPart(node, value, offset));
  return setType(node, arena_.table().map(structure(key), structure(value)), offset);
}

Result<void> Validation::definedAsync(const DefValType& def, ValNode& node, uint64_t offset) {
  bool isStream = def.kind == TypeKind::STREAM;
  TENON_TRY(ValRef payload, optionalValType(def.element, offset));
  const Type* type = structure(payload);
  if (isStream && type != nullptr && type->kind == TypeKind::CHAR) {
    return invalid(offset, "`stream<char>` is not valid at this time, use `stream<u8>` instead");
  }
  if (type != nullptr && type->hasBorrow) {
    return invalid(
        offset, say(isStream ? "`stream`" : "`future`", " payload cannot contain a `borrow` type"));
  }
  TENON_CHECK(addPart(node, payload, offset));
  TypeTable& table = arena_.table();
  return setType(node, isStream ? table.stream(type) : table.future(type), offset);
}

// -- Function and resource types ------------------------------------------------------------------

Result<const FuncNode*> Validation::funcType(const FuncTypeDef& def, uint64_t offset) {
  FuncNode func;
  func.async = def.async;
  params_.clear();
  Labels labels("function parameter", offset);
  for (const ParamDecl& param : def.params) {
    TENON_CHECK(labels.add(param.name));
    TENON_TRY(ValRef value, valType(param.type, offset));
    TENON_CHECK(func.extent.add(value.node->extent, offset));
    params_.push_back({param.name, value});
  }
  func.params = arena_.keep(params_);
  TENON_TRY(func.result, optionalValType(def.result, offset));
  if (func.result) {
    if (func.result.node->type->hasBorrow) {
      return invalid(offset, "function result cannot contain a `borrow` type");
    }
    TENON_CHECK(func.extent.add(func.result.node->extent, offset));
  }
  return arena_.own(func);
}

Result<ResourceRef> Validation::resourceType(const ResourceTypeDef& def, uint64_t offset) {
  if (scope().kind != ScopeKind::COMPONENT) {
    return invalid(offset, "resources can only be defined within a concrete component");
  }
  bool isI32 = def.rep == coreValType(CoreType::I32);
  if (!isI32 && def.rep != coreValType(CoreType::I64)) {
    return invalid(offset, "resources can only be represented by `i32` or `i64`");
  }
  if (!isI32) TENON_CHECK(gate(features_.memory64, "64-bit resource representations", offset));
  if (def.dtor) {
    TENON_TRY(const CoreExternType* dtor,
              scope().coreItem(CoreExternKind::FUNC, *def.dtor, offset));
    if (!isSignature(dtor->func, {isI32 ? CoreType::I32 : CoreType::I64}, {})) {
      return invalid(offset,
                     say("core function ", *def.dtor, " has wrong signature for a destructor"));
    }
  }
  ResourceRef resource{arena_.newResource(), 0};
  scope().definedResources.push_back(resource.id);
  scope().representations.emplace(resource.id, def.rep);
  return resource;
}

// -- Component and instance types -----------------------------------------------------------------

Result<void> Validation::decl(const Decl& decl) {
  uint64_t offset = decl.offset;
  TENON_CHECK(checkCopies(offset));
  return std::visit(
      [&](const auto& of) -> Result<void> {
        using Def = std::decay_t<decltype(of)>;
        if constexpr (std::is_same_v<Def, std::unique_ptr<CoreTypeDef>>) {
          return coreType(*of, offset);
        } else if constexpr (std::is_same_v<Def, std::unique_ptr<TypeDef>>) {
          return type(*of, offset);
        } else if constexpr (std::is_same_v<Def, Alias>) {
          return alias(of, offset);
        } else if constexpr (std::is_same_v<Def, Import>) {
          return import(of, offset);
        } else {
          return exportDecl(of, offset);
        }
      },
      decl.decl);
}

Result<const ComponentNode*> Validation::componentType(const ComponentTypeDef& def,
                                                       uint64_t offset) {
  ScopeGuard guard(scopes_, ScopeKind::COMPONENT_TYPE);
  for (const Decl& each : def.decls) TENON_CHECK(decl(each));
  TENON_TRY(ComponentNode node, finish(scope(), offset));
  return arena_.own(std::move(node));
}

Result<const InstanceNode*> Validation::instanceType(const InstanceTypeDef& def, uint64_t) {
  ScopeGuard guard(scopes_, ScopeKind::INSTANCE_TYPE);
  for (const Decl& each : def.decls) TENON_CHECK(decl(each));
  InstanceNode node;
  node.exports = std::move(scope().exports.items);
  node.defined = std::move(scope().definedResources);
  node.extent = scope().extent;
  return arena_.own(std::move(node));
}

}  // namespace tenon::component::typed
