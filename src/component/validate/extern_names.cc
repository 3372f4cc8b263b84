// The rules for the names of imports and exports that depend on types and attributes.
// Source: Binary.md "Import and Export Definitions".

#include "component/validate/say.h"
#include "component/validate/scope.h"
#include "component/validate/subtyping.h"

namespace tenon::component::typed {
namespace {

const Type* typeOf(ValRef value) { return value ? value.node->type : nullptr; }

// Puts "import name `x` is not valid: " in front.
Error inName(Error error, const NewItem& item) {
  error.message =
      say(toString(item.direction), " name `", item.name.name, "` is not valid: ", error.message);
  if (!error.offset) error.offset = item.name.offset;
  return error;
}

Result<void> checkVersion(const InterfaceName& name, std::optional<std::string_view> suffix,
                          uint64_t offset) {
  auto version = fullVersion(name, suffix);
  if (version) return {};
  return invalid(offset, say("invalid interface version: ", version.error().message));
}

Result<void> checkVersionSuffix(const NewItem& item, const ParsedName& name, NameRules rules) {
  uint64_t offset = item.name.offset;
  if (!item.name.versionSuffix) return {};
  if (!rules.versionSuffixes) {
    return Error{ErrorCode::UNSUPPORTED,
                 "version suffixes of names are a gated feature of the Component Model", offset};
  }
  if (!std::holds_alternative<const InstanceNode*>(item.entity)) {
    return invalid(offset, "only instances can have a `versionsuffix`");
  }
  if (item.name.versionSuffix->empty()) return invalid(offset, "version suffix cannot be empty");
  if (!item.name.implements && !std::holds_alternative<InterfaceName>(name)) {
    return invalid(offset, "`versionsuffix` requires an interface name or `implements`");
  }
  return {};
}

Result<void> checkImplements(const NewItem& item, const ParsedName& name) {
  uint64_t offset = item.name.offset;
  if (!item.name.implements) return {};
  const auto* plain = std::get_if<PlainName>(&name);
  if (plain == nullptr || !plain->isBare()) {
    return invalid(offset, say("name `", item.name.name, "` is not valid with `implements`"));
  }
  if (!std::holds_alternative<const InstanceNode*>(item.entity)) {
    return invalid(offset, "only instances can have an `implements`");
  }
  auto implemented = parseName(*item.name.implements, {}, offset);
  if (!implemented) {
    return invalid(offset, say("`", *item.name.implements,
                               "` is not a valid name: ", implemented.error().message));
  }
  const auto* interface = std::get_if<InterfaceName>(&*implemented);
  if (interface == nullptr) {
    return invalid(offset, say("name `", *item.name.implements, "` must be an interface"));
  }
  return checkVersion(*interface, item.name.versionSuffix, offset);
}

// -- Annotated names ------------------------------------------------------------------------------

struct Annotated {
  const PlainName& name;
  const FuncNode& func;
  const ResourceNames& known;
  uint64_t offset;
};

Result<void> checkResourceName(const Annotated& item, ResourceRef resource) {
  auto it = item.known.byResource.find(ResourceNames::keyOf(resource));
  if (it == item.known.byResource.end()) {
    return invalid(item.offset, "resource used in function does not have a name in this context");
  }
  if (it->second == item.name.resource) return {};
  return invalid(item.offset,
                 say("function does not match expected resource name `", it->second, "`"));
}

Result<void> checkConstructor(const Annotated& item) {
  if (item.func.async) return invalid(item.offset, "constructor function cannot be async");
  ValRef result = item.func.result;
  if (!result) return invalid(item.offset, "function should return one value");
  if (result.node->type->kind == TypeKind::RESULT) result = result.node->parts[0];
  if (!result || result.node->type->kind != TypeKind::OWN) {
    return invalid(item.offset, "function should return `(own $T)` or `(result (own $T))`");
  }
  return checkResourceName(item, result.node->resource);
}

Result<void> checkMethod(const Annotated& item) {
  if (item.func.params.empty()) {
    return invalid(item.offset, "function should have at least one argument");
  }
  const FuncNode::Param& self = item.func.params.front();
  if (self.name != "self") {
    return invalid(item.offset, "function should have a first argument called `self`");
  }
  if (self.type.node->type->kind != TypeKind::BORROW) {
    return invalid(item.offset, "function should take a first argument of `(borrow $T)`");
  }
  return checkResourceName(item, self.type.node->resource);
}

Result<void> checkStatic(const Annotated& item) {
  if (item.known.all.contains(item.name.resource)) return {};
  return invalid(item.offset, "static resource name is not known in this context");
}

Result<void> checkAccessor(const Annotated& item) {
  bool isMethod = item.name.membership == Membership::METHOD;
  const char* besides = isMethod ? " besides `self`" : "";
  size_t params = item.func.params.size() - (isMethod ? 1 : 0);
  const Type* result = typeOf(item.func.result);
  bool isResult = result != nullptr && result->kind == TypeKind::RESULT;
  if (item.name.accessor == Accessor::GET) {
    if (item.func.async) return invalid(item.offset, "getter function cannot be async");
    if (params != 0) {
      return invalid(item.offset, say("getter function should have no parameters", besides));
    }
    if (result == nullptr) return invalid(item.offset, "getter function should return a value");
    if (isResult && result->ok == nullptr) {
      return invalid(item.offset, "a result that a getter returns must have a value type");
    }
    return {};
  }
  if (item.func.async) return invalid(item.offset, "setter function cannot be async");
  if (params != 1) {
    return invalid(item.offset, say("setter function should have exactly one parameter", besides));
  }
  if (result != nullptr && !(isResult && result->ok == nullptr)) {
    return invalid(item.offset, "setter function should return nothing or `(result (error $E)?)`");
  }
  return {};
}

Result<void> checkPlain(const NewItem& item, const PlainName& name, const ResourceNames& known) {
  if (name.isBare()) return {};
  const auto* func = std::get_if<const FuncNode*>(&item.entity);
  if (func == nullptr) return invalid(item.name.offset, "item is not a func");
  Annotated annotated{name, **func, known, item.name.offset};
  switch (name.membership) {
    case Membership::CONSTRUCTOR:
      TENON_CHECK(checkConstructor(annotated));
      break;
    case Membership::METHOD:
      TENON_CHECK(checkMethod(annotated));
      break;
    case Membership::STATIC:
      TENON_CHECK(checkStatic(annotated));
      break;
    case Membership::NONE:
      break;
  }
  if (name.accessor == Accessor::NONE) return {};
  return checkAccessor(annotated);
}

// A setter follows its getter, whose name is the same but for the annotation, and takes what that
// returns.
Result<void> checkSetter(const NewItem& item, const PlainName& name, const Items& items) {
  if (name.accessor != Accessor::SET) return {};
  uint64_t offset = item.name.offset;
  std::string getterName(item.name.name);
  getterName.replace(getterName.find("[set]"), 5, "[get]");
  const Item* getter = items.find(getterName);
  const char* side = toString(item.direction);
  if (getter == nullptr) {
    return invalid(offset, say(side, " name `", item.name.name, "` requires a preceding ", side,
                               " named `", getterName, "`"));
  }
  const Type* property = typeOf(std::get<const FuncNode*>(getter->entity)->result);
  if (property->kind == TypeKind::RESULT) property = property->ok;
  const Type* taken = typeOf(std::get<const FuncNode*>(item.entity)->params.back().type);
  if (taken == property) return {};  // of one table: equal types have one address
  return invalid(
      offset, say(side, " `", item.name.name, "`'s parameter type must match the return type of `",
                  getterName, "`"));
}

}  // namespace

Result<void> addItem(const NewItem& item, const ResourceNames& known, NameRules rules,
                     OwnedTextMap<std::string_view>& names, Items& items, Extent& extent) {
  uint64_t offset = item.name.offset;
  const char* side = toString(item.direction);
  auto parsed = parseName(item.name.name, rules, offset);
  if (!parsed) {
    Error error = std::move(parsed).error();
    error.message = say(side, " name `", item.name.name.substr(0, 200),
                        "` is not a valid extern name: ", error.message);
    return error;
  }
  TENON_CHECK(checkVersionSuffix(item, *parsed, rules));
  TENON_CHECK(checkImplements(item, *parsed));
  if (const auto* interface = std::get_if<InterfaceName>(&*parsed)) {
    auto checked = checkVersion(*interface, item.name.versionSuffix, offset);
    if (!checked) return inName(std::move(checked).error(), item);
  } else {
    auto checked = checkPlain(item, std::get<PlainName>(*parsed), known);
    if (!checked) return inName(std::move(checked).error(), item);
  }
  auto [it, added] = names.emplace(uniqueKey(*parsed), item.name.name);
  if (!added || items.find(item.name.name) != nullptr) {
    return invalid(offset, say(side, " name `", item.name.name, "` conflicts with previous name `",
                               it->second, "`"));
  }
  if (const auto* plain = std::get_if<PlainName>(&*parsed)) {
    TENON_CHECK(checkSetter(item, *plain, items));
  }
  items.add(item.name, item.entity);
  return extent.add(extentOf(item.entity), offset);
}

}  // namespace tenon::component::typed
