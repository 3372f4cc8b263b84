#include "component/validate/scope.h"

#include "component/validate/core_types.h"
#include "component/validate/say.h"

namespace tenon::component::typed {
namespace {

template <typename T>
Result<T> at(const std::vector<T>& space, uint32_t index, const char* what, uint64_t offset) {
  if (index < space.size()) return space[index];
  return invalid(offset, say("unknown ", what, " ", index, ": ", what, " index out of bounds"));
}

template <typename T>
Result<T> typeAs(const Scope& scope, uint32_t index, const char* what, uint64_t offset) {
  TENON_TRY(AnyType type, scope.type(index, offset));
  if (const T* of = std::get_if<T>(&type)) return *of;
  return invalid(offset, say("type index ", index, " is not ", what));
}

// -- Visible names --------------------------------------------------------------------------------

using TypeSet = std::unordered_set<AnyType, AnyTypeHash>;

// Asks whether every named type that a type uses is in a set. Visits a node once.
class Visibility {
 public:
  explicit Visibility(TypeSet& visible) : visible_(visible) {}

  // A type by itself: it needs no name, but what it is made of does.
  bool contents(const AnyType& type) {
    if (const auto* value = std::get_if<ValRef>(&type)) return contents(*value->node);
    if (const auto* func = std::get_if<const FuncNode*>(&type)) return of(**func);
    if (const auto* instance = std::get_if<const InstanceNode*>(&type)) return of(**instance);
    // A component type was checked when it was made; a resource is all its own.
    return true;
  }

  bool of(ValRef value) {
    switch (value.node->type->kind) {
      case TypeKind::RECORD:
      case TypeKind::VARIANT:
      case TypeKind::ENUM:
      case TypeKind::FLAGS:
        return visible_.contains(value);
      default:
        break;
    }
    if (!done_.insert(value.node).second) return true;
    return contents(*value.node);
  }

  bool of(const FuncNode& func) {
    for (const FuncNode::Param& param : func.params) {
      if (!of(param.type)) return false;
    }
    return !func.result || of(func.result);
  }

 private:
  bool contents(const ValNode& node) {
    if (node.resource.id != 0) return visible_.contains(node.resource);
    for (ValRef part : node.parts) {
      if (part && !of(part)) return false;
    }
    return true;
  }

  // Types that an instance type exports are named inside it, so for what follows in it only.
  bool of(const InstanceNode& instance) {
    std::vector<AnyType> added;
    bool good = true;
    for (const Item& item : instance.exports) {
      if (const auto* func = std::get_if<const FuncNode*>(&item.entity)) {
        good = of(**func);
      } else if (const auto* type = std::get_if<TypeBinding>(&item.entity)) {
        good = contents(type->created);
        if (good && visible_.insert(type->created).second) added.push_back(type->created);
      } else if (const auto* value = std::get_if<ValRef>(&item.entity)) {
        good = contents(*value->node);
      } else if (const auto* inner = std::get_if<const InstanceNode*>(&item.entity)) {
        good = of(**inner);
      }
      if (!good) break;
    }
    for (const AnyType& type : added) visible_.erase(type);
    if (!added.empty()) done_.clear();  // it was right only with these
    return good;
  }

  TypeSet& visible_;
  std::unordered_set<const ValNode*> done_;
};

}  // namespace

Error invalid(uint64_t offset, std::string message) {
  return {ErrorCode::INVALID, std::move(message), offset};
}

Result<void> checkCount(size_t count, size_t more, size_t limit, const char* what,
                        uint64_t offset) {
  if (count <= limit && more <= limit - count) return {};
  return Error{ErrorCode::LIMIT_EXCEEDED, say(what, " count exceeds the limit of ", limit), offset};
}

bool Scope::makeVisible(Direction direction, std::string_view name, const Entity& entity) {
  const auto* binding = std::get_if<TypeBinding>(&entity);
  if (binding != nullptr && !name.empty()) {
    if (const auto* resource = std::get_if<ResourceRef>(&binding->created)) {
      boundary(direction).resources.add(name, *resource);
    }
  }
  // An instance type is looked at when it is used.
  if (kind == ScopeKind::INSTANCE_TYPE) return true;

  TypeSet& visible = boundary(direction).visible;
  if (binding != nullptr) {
    // An import cannot depend on the name that an export gave. What is imported is in both sets.
    if (direction == Direction::IMPORT && exports.visible.contains(binding->referenced) &&
        !imports.visible.contains(binding->referenced)) {
      return false;
    }
    if (!Visibility(visible).contents(binding->referenced)) return false;
    if (direction == Direction::IMPORT) imports.visible.insert(binding->created);
    exports.visible.insert(binding->created);
    return true;
  }
  if (const auto* instance = std::get_if<const InstanceNode*>(&entity)) {
    for (const Item& item : (*instance)->exports) {
      if (!makeVisible(direction, {}, item.entity)) return false;
    }
    return true;
  }
  if (const auto* func = std::get_if<const FuncNode*>(&entity)) {
    return Visibility(visible).of(**func);
  }
  if (const auto* value = std::get_if<ValRef>(&entity)) return Visibility(visible).of(*value);
  return true;  // modules and components are closed
}

// -- Look-ups -------------------------------------------------------------------------------------

std::vector<const CoreExternType*>& Scope::coreItems(CoreExternKind itemKind) {
  switch (itemKind) {
    case CoreExternKind::FUNC:
      return coreFuncs;
    case CoreExternKind::TABLE:
      return coreTables;
    case CoreExternKind::MEMORY:
      return coreMemories;
    case CoreExternKind::GLOBAL:
      return coreGlobals;
    case CoreExternKind::TAG:
      break;
  }
  return coreTags;
}

Result<AnyType> Scope::type(uint32_t index, uint64_t offset) const {
  return at(types, index, "type", offset);
}
Result<ValRef> Scope::valueType(uint32_t index, uint64_t offset) const {
  return typeAs<ValRef>(*this, index, "a defined type", offset);
}
Result<ResourceRef> Scope::resource(uint32_t index, uint64_t offset) const {
  return typeAs<ResourceRef>(*this, index, "a resource type", offset);
}
Result<const FuncNode*> Scope::funcType(uint32_t index, uint64_t offset) const {
  return typeAs<const FuncNode*>(*this, index, "a function type", offset);
}
Result<const InstanceNode*> Scope::instanceType(uint32_t index, uint64_t offset) const {
  return typeAs<const InstanceNode*>(*this, index, "an instance type", offset);
}
Result<const ComponentNode*> Scope::componentType(uint32_t index, uint64_t offset) const {
  return typeAs<const ComponentNode*>(*this, index, "a component type", offset);
}
Result<const FuncNode*> Scope::func(uint32_t index, uint64_t offset) const {
  return at(funcs, index, "function", offset);
}
Result<const InstanceNode*> Scope::instance(uint32_t index, uint64_t offset) const {
  return at(instances, index, "instance", offset);
}
Result<const ComponentNode*> Scope::component(uint32_t index, uint64_t offset) const {
  return at(components, index, "component", offset);
}
Result<CoreTypeEntry> Scope::coreType(uint32_t index, uint64_t offset) const {
  return at(coreTypes, index, "core type", offset);
}
Result<const ModuleNode*> Scope::coreModule(uint32_t index, uint64_t offset) const {
  return at(coreModules, index, "module", offset);
}
Result<const CoreInstanceNode*> Scope::coreInstance(uint32_t index, uint64_t offset) const {
  return at(coreInstances, index, "core instance", offset);
}
Result<const CoreExternType*> Scope::coreItem(CoreExternKind itemKind, uint32_t index,
                                              uint64_t offset) const {
  const auto& items = const_cast<Scope*>(this)->coreItems(itemKind);
  if (index < items.size()) return items[index];
  const char* what = tenon::component::toString(itemKind);
  return invalid(offset,
                 say("unknown core ", what, " ", index, ": core ", what, " index out of bounds"));
}

Result<ValRef> Scope::takeValue(uint32_t index, uint64_t offset) {
  if (index >= values.size()) {
    return invalid(offset, say("unknown value ", index, ": value index out of bounds"));
  }
  if (values[index].used) {
    return invalid(offset, say("value ", index, " cannot be used more than once"));
  }
  values[index].used = true;
  return values[index].type;
}

}  // namespace tenon::component::typed
