// Component instances.

#include "component/validate/say.h"
#include "component/validate/substitution.h"
#include "component/validate/validation.h"

namespace tenon::component::typed {
namespace {

// A named type that was given for an import takes its name's place, also inside instances.
void replaceNames(Substitution& substitution, const Entity& wanted, const Entity& given) {
  if (const auto* type = std::get_if<TypeBinding>(&wanted)) {
    substitution.replace(type->created, std::get<TypeBinding>(given).created);
  } else if (const auto* instance = std::get_if<const InstanceNode*>(&wanted)) {
    const Items& exports = std::get<const InstanceNode*>(given)->exports;
    for (const Item& item : (*instance)->exports) {
      replaceNames(substitution, item.entity, exports.find(item.name.name)->entity);
    }
  }
}

}  // namespace

Result<void> Validation::instance(const Instance& instance, uint64_t offset) {
  TENON_CHECK(checkCount(scope().instanceCount(), 1, MAX_INSTANCES, "instances", offset));
  TENON_TRY(const InstanceNode* node,
            instance.instantiate ? instantiate(instance, offset) : bag(instance, offset));
  scope().instances.push_back(node);
  return {};
}

// The arguments are compared with the imports while the resources among them take the place of
// those imported. The exports then are about the resources given, and about fresh ones for all that
// every instance defines anew.
Result<const InstanceNode*> Validation::instantiate(const Instance& instance, uint64_t offset) {
  TENON_TRY(const ComponentNode* component, scope().component(instance.component, offset));
  TextMap<Entity> arguments;
  for (const InstantiateArg& arg : instance.args) {
    TENON_TRY(Entity entity, entityAt(arg.item, Naming::SAME, offset));
    if (!arguments.emplace(arg.name, entity).second) {
      return invalid(offset, say("instantiation argument `", arg.name,
                                 "` conflicts with previous argument `", arg.name, "`"));
    }
  }
  auto lookup = [&](std::string_view name) -> const Entity* {
    auto it = arguments.find(name);
    return it == arguments.end() ? nullptr : &it->second;
  };

  Matcher matcher(arena_.coreTypes());
  for (const Bound& bound : component->imported) matcher.supply(bound, component->imports, lookup);
  for (const Item& wanted : component->imports) {
    if (lookup(wanted.name.name) == nullptr) {
      return invalid(offset, say("missing import named `", wanted.name.name, "`"));
    }
  }
  for (const Item& wanted : component->imports) {
    if (auto mismatch = matcher.entity(*lookup(wanted.name.name), wanted.entity)) {
      return invalid(offset,
                     say("type mismatch for import `", wanted.name.name, "`: ", mismatch->text()));
    }
  }

  Substitution substitution(arena_);
  for (const Item& wanted : component->imports) {
    replaceNames(substitution, wanted.entity, *lookup(wanted.name.name));
  }
  for (const Bound& bound : component->imported) {
    if (auto meaning = matcher.meaning(bound.id)) {
      substitution.replace(bound.id, static_cast<ResourceId>(*meaning));
    }
  }
  for (const Bound& bound : component->defined) {
    ResourceId fresh = arena_.newResource();
    substitution.replace(bound.id, fresh);
    scope().definedResources.push_back(fresh);
  }
  InstanceNode node;
  arena_.countCopies(component->exports.size());
  bool failed = false;
  node.exports = component->exports.mapped([&](const Entity& entity) {
    failed |= !node.extent.add(extentOf(entity), offset);
    return substitution.apply(entity);
  });
  if (failed) {
    return Error{ErrorCode::LIMIT_EXCEEDED, "the instance's type is too large", offset};
  }
  return arena_.own(std::move(node));
}

Result<const InstanceNode*> Validation::bag(const Instance& instance, uint64_t offset) {
  InstanceNode node;
  OwnedTextMap<std::string_view> names;
  ResourceNames none;  // nothing that a bag exports gets an index that a name could be attached to
  for (const InlineExport& item : instance.exports) {
    TENON_TRY(Entity entity, entityAt(item.item, Naming::SAME, offset));
    const auto* value = std::get_if<ValRef>(&entity);
    if (value != nullptr && value->node->type->hasBorrow) {
      return invalid(offset, "exported value type cannot contain a `borrow` type");
    }
    TENON_CHECK(addItem({item.name, entity, Direction::EXPORT}, none, nameRules(), names,
                        node.exports, node.extent));
  }
  return arena_.own(std::move(node));
}

}  // namespace tenon::component::typed
