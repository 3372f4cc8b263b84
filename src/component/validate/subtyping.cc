#include "component/validate/subtyping.h"

#include "component/validate/core_types.h"
#include "component/validate/say.h"

#include <map>

namespace tenon::component::typed {
namespace {

// "cart." for "shop:cart/cart@1.0.0" and for "cart".
std::string prefixOf(std::string_view name) {
  name = name.substr(0, name.find('@'));
  if (size_t slash = name.rfind('/'); slash != std::string_view::npos)
    name.remove_prefix(slash + 1);
  return std::string(name) + ".";
}

// What an item is called in a path: "record", "func", ...
std::string stepKind(const Entity& entity) {
  if (const auto* binding = std::get_if<TypeBinding>(&entity)) {
    if (const auto* value = std::get_if<ValRef>(&binding->referenced)) {
      return kindName(*value->node->type);
    }
    return describe(binding->referenced);
  }
  return describe(entity);
}

std::optional<Mismatch> within(std::optional<Mismatch> mismatch, std::string step) {
  if (mismatch) mismatch->path.push_back(std::move(step));
  return mismatch;
}

Mismatch found(std::string_view expected, std::string_view actual) {
  return {{}, say("expected ", expected, ", found ", actual)};
}

}  // namespace

std::string Mismatch::text() const {
  std::string text;
  for (size_t i = path.size(); i-- > 0;) {
    text += path[i];
    text += i == 0 ? ": " : ", ";
  }
  return text + message;
}

Matcher::Matcher(const CoreTypeTable& coreTypes, Identities actual, Identities expected)
    : coreTypes_(coreTypes), sides_{std::move(actual), std::move(expected)} {}

Identity Matcher::resolve(const Identities& side, ResourceId id) {
  auto it = side.find(id);
  return it == side.end() ? id : it->second;
}

std::optional<Identity> Matcher::meaning(ResourceId id) const {
  const Identities& side = sides_[swapped_ ? 0 : 1];
  auto it = side.find(id);
  if (it == side.end()) return std::nullopt;
  return it->second;
}

size_t Matcher::PairHash::operator()(const std::pair<const Type*, const Type*>& pair) const {
  std::hash<const void*> hash;
  return hash(pair.first) * 31 + hash(pair.second);
}

// -- Supplying resources --------------------------------------------------------------------------

void Matcher::supply(const TypeBinding& wanted, const TypeBinding& given) {
  const auto* from = std::get_if<ResourceRef>(&wanted.created);
  const auto* to = std::get_if<ResourceRef>(&given.created);
  if (from != nullptr && to != nullptr) expected()[from->id] = resolve(actual(), to->id);
}

void Matcher::supply(const Bound& bound, const Items& items, const Lookup& arguments) {
  const Item* item = &items[bound.path.front()];
  const Entity* argument = arguments(item->name.name);
  for (size_t i = 1; i < bound.path.size() && argument != nullptr; ++i) {
    const auto* wanted = std::get_if<const InstanceNode*>(&item->entity);
    const auto* given = std::get_if<const InstanceNode*>(argument);
    if (wanted == nullptr || given == nullptr) return;
    item = &(*wanted)->exports[bound.path[i]];
    const Item* next = (*given)->exports.find(item->name.name);
    argument = next == nullptr ? nullptr : &next->entity;
  }
  if (argument == nullptr) return;
  const auto* wanted = std::get_if<TypeBinding>(&item->entity);
  const auto* given = std::get_if<TypeBinding>(argument);
  if (wanted != nullptr && given != nullptr) supply(*wanted, *given);
}

void Matcher::supply(const InstanceNode& wanted, const InstanceNode& given) {
  for (auto& [id, path] : explicitPaths(wanted.exports, wanted.defined)) {
    supply(Bound{id, path}, wanted.exports, [&](std::string_view name) {
      const Item* item = given.exports.find(name);
      return item == nullptr ? nullptr : &item->entity;
    });
  }
}

// -- Entities -------------------------------------------------------------------------------------

std::optional<Mismatch> Matcher::item(std::string_view name, const Entity& actualEntity,
                                      const Entity& expectedEntity) {
  bool instances = std::holds_alternative<const InstanceNode*>(actualEntity) &&
                   std::holds_alternative<const InstanceNode*>(expectedEntity);
  std::string outer = prefix_;
  if (instances) prefix_ = prefixOf(name);
  auto mismatch = entity(actualEntity, expectedEntity);
  prefix_ = outer;
  // Steps inside an instance carry its name already.
  if (!mismatch || (instances && !mismatch->path.empty())) return mismatch;
  return within(std::move(mismatch), say(stepKind(expectedEntity), " ", prefix_, name));
}

std::optional<Mismatch> Matcher::entity(const Entity& a, const Entity& b) {
  if (a.index() != b.index()) return found(describe(b), describe(a));
  return std::visit(
      [&](const auto& one) -> std::optional<Mismatch> {
        using Of = std::decay_t<decltype(one)>;
        const auto& other = std::get<Of>(b);
        if constexpr (std::is_same_v<Of, const ModuleNode*>) {
          return module(*one, *other);
        } else if constexpr (std::is_same_v<Of, const FuncNode*>) {
          return func(*one, *other);
        } else if constexpr (std::is_same_v<Of, ValRef>) {
          return value(one.node->type, other.node->type);
        } else if constexpr (std::is_same_v<Of, TypeBinding>) {
          return type(one.referenced, other.referenced);
        } else if constexpr (std::is_same_v<Of, const InstanceNode*>) {
          return instance(*one, *other);
        } else {
          return component(*one, *other);
        }
      },
      a);
}

std::optional<Mismatch> Matcher::type(const AnyType& a, const AnyType& b) {
  if (a.index() != b.index()) return found(describe(b), describe(a));
  return std::visit(
      [&](const auto& one) -> std::optional<Mismatch> {
        using Of = std::decay_t<decltype(one)>;
        const auto& other = std::get<Of>(b);
        if constexpr (std::is_same_v<Of, ResourceRef>) {
          if (resolve(actual(), one.id) == resolve(expected(), other.id)) return std::nullopt;
          return Mismatch{{}, "resource types are not the same"};
        } else if constexpr (std::is_same_v<Of, ValRef>) {
          return value(one.node->type, other.node->type);
        } else if constexpr (std::is_same_v<Of, const FuncNode*>) {
          return func(*one, *other);
        } else if constexpr (std::is_same_v<Of, const InstanceNode*>) {
          // Both are types, not instances: what each binds is fresh.
          for (ResourceId id : one->defined) actual()[id] = fresh();
          supply(*other, *one);
          return instance(*one, *other);
        } else {
          return component(*one, *other);
        }
      },
      a);
}

std::optional<Mismatch> Matcher::func(const FuncNode& a, const FuncNode& b) {
  if (a.async != b.async) {
    return found(b.async ? "an async function" : "a sync function",
                 a.async ? "an async function" : "a sync function");
  }
  if (a.params.size() != b.params.size()) {
    return Mismatch{{}, say("expected ", b.params.size(), " parameters, found ", a.params.size())};
  }
  for (size_t i = 0; i < a.params.size(); ++i) {
    if (a.params[i].name != b.params[i].name) {
      return Mismatch{
          {},
          say("expected parameter named `", b.params[i].name, "`, found `", a.params[i].name, "`")};
    }
    if (auto mismatch = value(a.params[i].type.node->type, b.params[i].type.node->type)) {
      return within(std::move(mismatch), say("parameter ", a.params[i].name));
    }
  }
  if (!a.result && !b.result) return std::nullopt;
  if (!b.result) return Mismatch{{}, "expected no result, found one"};
  if (!a.result) return Mismatch{{}, "expected a result, found none"};
  return within(value(a.result.node->type, b.result.node->type), "result");
}

std::optional<Mismatch> Matcher::instance(const InstanceNode& a, const InstanceNode& b) {
  // Looks for what is missing first: it says more than a difference deep inside.
  for (const Item& wanted : b.exports) {
    if (a.exports.find(wanted.name.name) == nullptr) {
      return Mismatch{{}, say("missing expected export `", wanted.name.name, "`")};
    }
  }
  for (const Item& wanted : b.exports) {
    const Item* given = a.exports.find(wanted.name.name);
    if (auto mismatch = item(wanted.name.name, given->entity, wanted.entity)) return mismatch;
  }
  return std::nullopt;
}

std::optional<Mismatch> Matcher::imports(const ComponentNode& a, const ComponentNode& b) {
  auto lookup = [&](std::string_view name) {
    const Item* given = b.imports.find(name);
    return given == nullptr ? nullptr : &given->entity;
  };
  for (const Bound& bound : a.imported) supply(bound, a.imports, lookup);
  for (const Item& wanted : a.imports) {
    const Entity* given = lookup(wanted.name.name);
    if (given == nullptr) {
      return Mismatch{{}, say("missing import named `", wanted.name.name, "`")};
    }
    if (auto mismatch = item(wanted.name.name, *given, wanted.entity)) {
      return within(std::move(mismatch), "import");
    }
  }
  return std::nullopt;
}

// Somebody who thinks that he has a `b` gives its imports, which must do for `a`, and gets `a`'s
// exports, which must do for `b`.
std::optional<Mismatch> Matcher::component(const ComponentNode& a, const ComponentNode& b) {
  for (const Bound& bound : b.imported) expected()[bound.id] = fresh();
  swapped_ = !swapped_;
  auto mismatch = imports(a, b);
  swapped_ = !swapped_;
  if (mismatch) return mismatch;

  for (const Bound& bound : a.defined) actual()[bound.id] = fresh();
  for (const Bound& bound : b.defined) {
    supply(bound, b.exports, [&](std::string_view name) {
      const Item* given = a.exports.find(name);
      return given == nullptr ? nullptr : &given->entity;
    });
  }
  for (const Item& wanted : b.exports) {
    const Item* given = a.exports.find(wanted.name.name);
    if (given == nullptr) {
      return Mismatch{{}, say("missing expected export `", wanted.name.name, "`")};
    }
    mismatch = item(wanted.name.name, given->entity, wanted.entity);
    if (mismatch) return within(std::move(mismatch), "export");
  }
  return std::nullopt;
}

std::optional<Mismatch> Matcher::module(const ModuleNode& a, const ModuleNode& b) {
  if (&a == &b) return std::nullopt;
  std::map<std::pair<std::string_view, std::string_view>, const CoreExternType*> given;
  for (const CoreImportDecl& import : b.imports) {
    given.emplace(std::pair(import.module, import.name), &import.type);
  }
  for (const CoreImportDecl& import : a.imports) {
    std::string name = say(import.module, "::", import.name);
    auto it = given.find({import.module, import.name});
    if (it == given.end()) return Mismatch{{}, say("missing expected import `", name, "`")};
    if (auto why = coreMismatch(*it->second, import.type, coreTypes_)) {
      return Mismatch{{say("core import ", name)}, *why};
    }
  }
  for (const CoreExportDecl& wanted : b.exports) {
    const CoreExternType* type = a.findExport(wanted.name);
    if (type == nullptr) return Mismatch{{}, say("missing expected export `", wanted.name, "`")};
    if (auto why = coreMismatch(*type, wanted.type, coreTypes_)) {
      return Mismatch{{say("core export ", wanted.name)}, *why};
    }
  }
  return std::nullopt;
}

// -- Values ---------------------------------------------------------------------------------------

std::optional<Mismatch> Matcher::value(const Type* a, const Type* b) {
  equal_.clear();
  return compare(*a, *b);
}

std::optional<Mismatch> Matcher::optional(const Type* a, const Type* b, std::string_view what) {
  if (a == nullptr && b == nullptr) return std::nullopt;
  if (a == nullptr) return Mismatch{{}, say("expected ", what, " to have a type, found none")};
  if (b == nullptr) return Mismatch{{}, say("expected ", what, " to have no type")};
  return within(compare(*a, *b), std::string(what));
}

std::optional<Mismatch> Matcher::members(const Type& a, const Type& b) {
  std::string kind = a.kind == TypeKind::RECORD  ? "field"
                     : a.kind == TypeKind::TUPLE ? "element"
                     : a.kind == TypeKind::FLAGS ? "flag"
                                                 : "case";
  if (a.members.size() != b.members.size()) {
    return Mismatch{{},
                    say("expected ", b.members.size(), " ", kind, "s, found ", a.members.size())};
  }
  for (size_t i = 0; i < a.members.size(); ++i) {
    const Labelled& one = a.members[i];
    const Labelled& other = b.members[i];
    if (one.label != other.label) {
      return Mismatch{
          {}, say("expected ", kind, " named `", other.label, "`, found `", one.label, "`")};
    }
    std::string name = a.kind == TypeKind::TUPLE ? std::to_string(i) : one.label;
    if (auto mismatch = optional(one.type, other.type, say(kind, " ", name))) return mismatch;
  }
  return std::nullopt;
}

std::optional<Mismatch> Matcher::compare(const Type& a, const Type& b) {
  if (&a == &b && !a.hasResource) return std::nullopt;
  if (a.kind != b.kind || a.isMap != b.isMap || (a.fixedLength == 0) != (b.fixedLength == 0)) {
    return found(kindName(b), kindName(a));
  }
  if (a.fixedLength != b.fixedLength) {
    return Mismatch{
        {}, say("expected fixed-length list of ", b.fixedLength, ", found one of ", a.fixedLength)};
  }
  if (a.kind == TypeKind::OWN || a.kind == TypeKind::BORROW) {
    if (resolve(actual(), a.resource) == resolve(expected(), b.resource)) return std::nullopt;
    return Mismatch{{kindName(a)}, "resource types are not the same"};
  }
  std::pair pair(&a, &b);
  if (equal_.contains(pair)) return std::nullopt;
  std::optional<Mismatch> mismatch;
  switch (a.kind) {
    case TypeKind::RECORD:
    case TypeKind::TUPLE:
    case TypeKind::VARIANT:
    case TypeKind::ENUM:
    case TypeKind::FLAGS:
      mismatch = members(a, b);
      break;
    case TypeKind::LIST:
    case TypeKind::OPTION:
      mismatch = optional(a.element, b.element, say(kindName(a), " element"));
      break;
    case TypeKind::STREAM:
    case TypeKind::FUTURE:
      mismatch = optional(a.element, b.element, kindName(a));
      break;
    case TypeKind::RESULT:
      mismatch = optional(a.ok, b.ok, "ok");
      if (!mismatch) mismatch = optional(a.error, b.error, "error");
      break;
    default:
      break;
  }
  if (!mismatch) equal_.insert(pair);
  return mismatch;
}

}  // namespace tenon::component::typed
