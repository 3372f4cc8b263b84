#include "component/validate/substitution.h"

#include <utility>
#include <vector>

namespace tenon::component::typed {

Entity Substitution::apply(const Entity& entity) {
  return std::visit(
      [this](const auto& of) -> Entity {
        using Of = std::decay_t<decltype(of)>;
        if constexpr (std::is_same_v<Of, const ModuleNode*>) {
          return of;
        } else if constexpr (std::is_same_v<Of, TypeBinding>) {
          AnyType referenced = apply(of.referenced);
          AnyType created = of.referenced == of.created ? referenced : apply(of.created);
          return TypeBinding{referenced, created};
        } else {
          return apply(of);
        }
      },
      entity);
}

AnyType Substitution::apply(const AnyType& type) {
  return std::visit([this](const auto& of) -> AnyType { return apply(of); }, type);
}

ResourceRef Substitution::apply(ResourceRef type) {
  if (auto it = types_.find(type); it != types_.end()) return std::get<ResourceRef>(it->second);
  if (auto it = resources_.find(type.id); it != resources_.end()) type.id = it->second;
  return type;
}

ValRef Substitution::apply(ValRef type) {
  if (!type) return type;
  const ValNode& node = *type.node;
  // Without named types to replace, only resources change anything.
  if (!hasNames_ && !node.type->hasResource) return type;
  if (auto it = types_.find(type); it != types_.end()) return std::get<ValRef>(it->second);

  std::vector<ValRef> parts;
  parts.reserve(node.parts.size());
  bool changed = false;
  for (ValRef part : node.parts) {
    parts.push_back(apply(part));
    changed |= parts.back() != part;
  }
  ResourceRef resource = node.resource.id == 0 ? node.resource : apply(node.resource);
  changed |= resource != node.resource;
  ValRef result = type;
  if (changed) {
    const Type* rebuilt = rebuild(node, parts, resource.id);
    result = {arena_.own(ValNode{rebuilt, arena_.keep(parts), resource, node.extent}), 0};
  }
  types_.insert_or_assign(AnyType(type), AnyType(result));
  return result;
}

// The structure again from replaced parts. Sizes and depth stay, so nothing is refused.
const Type* Substitution::rebuild(const ValNode& node, const std::vector<ValRef>& parts,
                                  ResourceId resource) {
  TypeTable& table = arena_.table();
  const Type& type = *node.type;
  auto part = [&](size_t i) { return parts[i] ? parts[i].node->type : nullptr; };
  auto members = [&] {
    std::vector<Labelled> list;
    list.reserve(parts.size());
    for (size_t i = 0; i < parts.size(); ++i) {
      list.push_back({type.members[i].label, part(i), 0});
    }
    return list;
  };
  auto kept = [&](Result<const Type*> made) { return made ? *made : node.type; };
  switch (type.kind) {
    case TypeKind::RECORD:
      return kept(table.record(members()));
    case TypeKind::VARIANT:
      return kept(table.variant(members()));
    case TypeKind::TUPLE: {
      std::vector<const Type*> elements;
      elements.reserve(parts.size());
      for (size_t i = 0; i < parts.size(); ++i) elements.push_back(part(i));
      return kept(table.tuple(std::move(elements)));
    }
    case TypeKind::LIST:
      if (type.isMap) return kept(table.map(part(0), part(1)));
      if (type.fixedLength != 0) return kept(table.fixedList(part(0), type.fixedLength));
      return kept(table.list(part(0)));
    case TypeKind::OPTION:
      return kept(table.option(part(0)));
    case TypeKind::RESULT:
      return kept(table.result(part(0), part(1)));
    case TypeKind::STREAM:
      return kept(table.stream(part(0)));
    case TypeKind::FUTURE:
      return kept(table.future(part(0)));
    case TypeKind::OWN:
      return table.own(resource);
    case TypeKind::BORROW:
      return table.borrow(resource);
    default:
      return node.type;
  }
}

const FuncNode* Substitution::apply(const FuncNode* func) {
  if (auto it = types_.find(func); it != types_.end()) return std::get<const FuncNode*>(it->second);
  std::vector<FuncNode::Param> params(func->params.begin(), func->params.end());
  FuncNode copy = *func;
  bool changed = false;
  for (FuncNode::Param& param : params) {
    ValRef type = apply(param.type);
    changed |= type != param.type;
    param.type = type;
  }
  copy.result = apply(func->result);
  changed |= copy.result != func->result;
  const FuncNode* result = func;
  if (changed) {
    copy.params = arena_.keep(params);
    result = arena_.own(copy);
  }
  types_.emplace(AnyType(func), AnyType(result));
  return result;
}

Items Substitution::apply(const Items& items, bool& changed) {
  arena_.countCopies(items.size());
  return items.mapped([&](const Entity& entity) {
    Entity replaced = apply(entity);
    changed |= replaced != entity;
    return replaced;
  });
}

const InstanceNode* Substitution::apply(const InstanceNode* instance) {
  if (auto it = types_.find(instance); it != types_.end()) {
    return std::get<const InstanceNode*>(it->second);
  }
  bool changed = false;
  Items exports = apply(instance->exports, changed);
  const InstanceNode* result = instance;
  if (changed) {
    result = arena_.own(InstanceNode{std::move(exports), instance->defined, instance->extent});
  }
  types_.emplace(AnyType(instance), AnyType(result));
  return result;
}

const ComponentNode* Substitution::apply(const ComponentNode* component) {
  if (auto it = types_.find(component); it != types_.end()) {
    return std::get<const ComponentNode*>(it->second);
  }
  bool changed = false;
  Items imports = apply(component->imports, changed);
  Items exports = apply(component->exports, changed);
  const ComponentNode* result = component;
  if (changed) {
    result = arena_.own(ComponentNode{std::move(imports), std::move(exports), component->imported,
                                      component->defined, component->extent});
  }
  types_.emplace(AnyType(component), AnyType(result));
  return result;
}

}  // namespace tenon::component::typed
