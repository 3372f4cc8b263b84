#include "component/wit/type_decoder.h"

#include <optional>
#include <utility>

namespace tenon::component::wit {
namespace {

uint64_t keyOf(Owner owner) { return (static_cast<uint64_t>(owner.kind) << 32) | owner.index; }

bool mustBeNamed(TypeKind kind) {
  return kind == TypeKind::RECORD || kind == TypeKind::VARIANT || kind == TypeKind::ENUM ||
         kind == TypeKind::FLAGS;
}

Error noLabel(std::string_view label) {
  return Error(ErrorCode::INVALID, "\"" + std::string(label) + "\" is no label");
}

// Kinds whose parts carry labels.
bool isLabelled(TypeKind kind) { return mustBeNamed(kind); }

}  // namespace

Error unprintable(std::string why) {
  return Error(ErrorCode::UNSUPPORTED, "cannot be written as WIT: " + std::move(why));
}

Result<uint32_t> TypeDecoder::add(TypeDef type) {
  model_.types.push_back(std::move(type));
  return static_cast<uint32_t>(model_.types.size() - 1);
}

Result<> TypeDecoder::spend(uint64_t steps) {
  steps_ += steps;
  if (steps_ <= MAX_STEPS) return {};
  return Error(ErrorCode::LIMIT_EXCEEDED, "interfaces that take more than " +
                                              std::to_string(MAX_STEPS) + " steps to work out");
}

// A type that `id`, or one that `id` was made from, is known as.
std::optional<uint32_t> TypeDecoder::findAlias(TypeId id) {
  for (std::optional<TypeId> next = id; next; next = graph_.peel(*next)) {
    ++steps_;
    const auto found = known_.find(*next);
    if (found != known_.end()) return found->second;
  }
  return std::nullopt;
}

Result<uint32_t> TypeDecoder::declare(std::string_view name, const Item& item, Owner owner) {
  const Entity& entity = item.entity;
  TENON_CHECK(spend(1));
  if (!isLabel(name)) return noLabel(name);
  TypeDef type;
  type.name = name;
  type.owner = owner;
  type.notes.externalId = item.externalId;
  if (const std::optional<uint32_t> known = findAlias(entity.type)) {
    const Owner& other = model_.types[*known].owner;
    if (owner.kind == Owner::Kind::INTERFACE && other.kind != Owner::Kind::INTERFACE) {
      return unprintable("type " + std::string(name) +
                         " refers to a type that is not defined in an interface");
    }
    type.form = TypeDef::Form::ALIAS;
    type.target = TypeRef{false, TypeKind::BOOL, *known};
  } else if (entity.type.kind == NodeKind::DEFINED) {
    TENON_CHECK(convert(graph_.defined(entity.type), type));
  } else if (entity.type.kind == NodeKind::RESOURCE) {
    type.form = TypeDef::Form::RESOURCE;
  } else {
    return unprintable("type " + std::string(name) + " is no value type and no resource");
  }
  const bool isResource = type.form == TypeDef::Form::RESOURCE;
  TENON_TRY(const uint32_t index, add(std::move(type)));
  if (isResource && !resources_[keyOf(owner)].emplace(name, index).second) {
    return unprintable("two resources are named " + std::string(name));
  }
  if (!known_.emplace(entity.created, index).second) {
    return unprintable("the type " + std::string(name) +
                       " appears more than once (an imported instance that is exported under "
                       "another name, for example)");
  }
  return index;
}

Result<uint32_t> TypeDecoder::resourceOf(TypeId id) const {
  const auto found = known_.find(id);
  if (found != known_.end()) return found->second;
  return unprintable("a handle to a resource that is neither imported nor exported");
}

Result<TypeRef> TypeDecoder::use(const ValueUse& use) {
  if (use.isPrimitive) return TypeRef{true, use.primitive, 0};
  const auto found = known_.find(use.type);
  if (found != known_.end()) return TypeRef{false, TypeKind::BOOL, found->second};
  const DefinedNode& node = graph_.defined(use.type);
  if (mustBeNamed(node.kind)) {
    return unprintable("a record, variant, enum or flags type without a name");
  }
  TypeDef type;
  TENON_CHECK(convert(node, type));
  TENON_TRY(const uint32_t index, add(std::move(type)));
  known_.emplace(use.type, index);
  return TypeRef{false, TypeKind::BOOL, index};
}

Result<> TypeDecoder::convert(const DefinedNode& node, TypeDef& out) {
  out.kind = node.kind;
  if (node.kind <= TypeKind::ERROR_CONTEXT) {
    out.form = TypeDef::Form::ALIAS;
    out.target = TypeRef{true, node.kind, 0};
    return {};
  }
  if (node.kind == TypeKind::OWN || node.kind == TypeKind::BORROW) {
    TENON_TRY(out.resource, resourceOf(node.resource));
    return {};
  }
  out.isMap = node.isMap;
  out.length = node.length;
  out.members.reserve(node.parts.size());
  for (const Part& part : node.parts) {
    if (isLabelled(node.kind) && !isLabel(part.label)) return noLabel(part.label);
    Member member{part.label, std::nullopt, std::nullopt};
    if (part.type) {
      TENON_TRY(member.type, use(*part.type));
    }
    out.members.push_back(std::move(member));
  }
  return {};
}

Result<> TypeDecoder::recognise(uint32_t known, const Entity& entity, std::string_view name) {
  if (entity.type.kind == NodeKind::DEFINED) {
    TENON_CHECK(compare(known, graph_.defined(entity.type)));
  } else if (entity.type.kind != NodeKind::RESOURCE) {
    return unprintable("type " + std::string(name) + " is no value type and no resource");
  }
  if (!known_.emplace(entity.created, known).second) {
    return unprintable("the type " + std::string(name) +
                       " appears more than once (an imported instance that is exported under "
                       "another name, for example)");
  }
  return {};
}

// Once a type has a name, nothing below it needs to be looked at: it is there for the unnamed ones.
Result<> TypeDecoder::compare(uint32_t known, const DefinedNode& node) {
  TENON_CHECK(spend(1 + node.parts.size()));
  const TypeDef& type = model_.types[known];
  if (node.kind <= TypeKind::ERROR_CONTEXT || node.kind == TypeKind::FLAGS ||
      node.kind == TypeKind::ENUM || node.kind == TypeKind::OWN || node.kind == TypeKind::BORROW) {
    return {};
  }
  if (type.form == TypeDef::Form::ALIAS && !type.target.isPrimitive) return {};
  const Error differs = unprintable("two sights of one interface differ in a type" +
                                    (type.name ? ", " + std::string(*type.name) : ""));
  if (type.form != TypeDef::Form::DEFINED || type.kind != node.kind || type.isMap != node.isMap ||
      type.length != node.length || type.members.size() != node.parts.size()) {
    return differs;
  }
  for (size_t i = 0; i < node.parts.size(); ++i) {
    const Part& part = node.parts[i];
    const Member& member = type.members[i];
    if (part.label != member.label || part.type.has_value() != member.type.has_value()) {
      return differs;
    }
    if (!part.type) continue;
    if (part.type->isPrimitive != member.type->isPrimitive) return differs;
    if (part.type->isPrimitive) continue;
    if (known_.insert_or_assign(part.type->type, member.type->index).second) {
      TENON_CHECK(compare(member.type->index, graph_.defined(part.type->type)));
    }
  }
  return {};
}

Result<Function> TypeDecoder::function(std::string_view name, const Item& item, Owner owner) {
  TENON_TRY(const ParsedName parsed, parseExternName(name));
  const auto* plain = std::get_if<PlainName>(&parsed);
  if (plain == nullptr) return unprintable("a function named \"" + std::string(name) + "\"");
  const FuncNode& node = graph_.func(item.entity.type);
  TENON_CHECK(spend(1 + node.params.size()));
  Function out;
  out.name = name;
  out.parts = *plain;
  out.async = node.async;
  out.notes.externalId = item.externalId;
  for (const Part& param : node.params) {
    if (!isLabel(param.label)) return noLabel(param.label);
    TENON_TRY(const TypeRef type, use(param.type.value()));
    out.params.push_back(Param{param.label, type});
  }
  if (node.result) {
    TENON_TRY(out.result, use(*node.result));
  }
  if (!out.isFree()) {
    const auto& resources = resources_[keyOf(owner)];
    const auto found = resources.find(plain->resource);
    if (found == resources.end()) {
      return unprintable("function \"" + std::string(name) + "\" belongs to a resource that is " +
                         "not defined beside it");
    }
    out.resource = found->second;
  }
  return out;
}

}  // namespace tenon::component::wit
