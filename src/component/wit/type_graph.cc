#include "component/wit/type_graph.h"

#include "component/types/type_table.h"

#include <algorithm>
#include <string>

namespace tenon::component::wit {
namespace {

Error tooDeep() {
  return Error(ErrorCode::LIMIT_EXCEEDED,
               "a type nested deeper than " + std::to_string(MAX_TYPE_DEPTH) + " levels");
}

}  // namespace

uint32_t TypeGraph::depth(const TypeId& id) const {
  switch (id.kind) {
    case NodeKind::DEFINED:
      return defined_[id.index].depth;
    case NodeKind::FUNC:
      return funcs_[id.index].depth;
    case NodeKind::INSTANCE:
      return instances_[id.index].depth;
    case NodeKind::COMPONENT:
      return components_[id.index].depth;
    case NodeKind::RESOURCE:
      break;
  }
  return 0;
}

uint32_t TypeGraph::depth(const std::vector<Part>& parts) const {
  uint32_t deepest = 0;
  for (const Part& part : parts) {
    if (part.type && !part.type->isPrimitive) deepest = std::max(deepest, depth(part.type->type));
  }
  return deepest;
}

uint32_t TypeGraph::depth(const Items& items) const {
  uint32_t deepest = 0;
  for (const auto& [name, item] : items) {
    if (item.entity.kind != EntityKind::MODULE) {
      deepest = std::max(deepest, depth(item.entity.type));
    }
  }
  return deepest;
}

uint32_t TypeGraph::measure(const DefinedNode& node) const { return 1 + depth(node.parts); }

uint32_t TypeGraph::measure(const FuncNode& node) const {
  uint32_t deepest = depth(node.params);
  if (node.result && !node.result->isPrimitive) {
    deepest = std::max(deepest, depth(node.result->type));
  }
  return 1 + deepest;
}

uint32_t TypeGraph::measure(const InstanceNode& node) const { return 1 + depth(node.exports); }

uint32_t TypeGraph::measure(const ComponentNode& node) const {
  return 1 + std::max(depth(node.imports), depth(node.exports));
}

template <typename Node>
Result<TypeId> TypeGraph::place(NodeKind kind, std::deque<Node>& nodes, Node node) {
  node.depth = measure(node);
  if (node.depth > MAX_TYPE_DEPTH) return tooDeep();
  nodes.push_back(std::move(node));
  return TypeId{kind, static_cast<uint32_t>(nodes.size() - 1)};
}

Result<TypeId> TypeGraph::add(DefinedNode node) {
  spend(1 + node.parts.size());
  return place(NodeKind::DEFINED, defined_, std::move(node));
}

Result<TypeId> TypeGraph::add(FuncNode node) {
  spend(1 + node.params.size());
  return place(NodeKind::FUNC, funcs_, std::move(node));
}

Result<TypeId> TypeGraph::add(InstanceNode node) {
  spend(1 + node.exports.size());
  return place(NodeKind::INSTANCE, instances_, std::move(node));
}

Result<TypeId> TypeGraph::add(ComponentNode node) {
  spend(1 + node.imports.size() + node.exports.size());
  return place(NodeKind::COMPONENT, components_, std::move(node));
}

TypeId TypeGraph::rename(TypeId id) {
  aliases_.push_back(id.alias);
  id.alias = static_cast<uint32_t>(aliases_.size() - 1);
  return id;
}

std::optional<TypeId> TypeGraph::peel(TypeId id) const {
  if (id.alias == NO_ALIAS) return std::nullopt;
  id.alias = aliases_[id.alias];
  return id;
}

bool TypeGraph::spend(uint64_t steps) {
  steps_ += steps;
  return steps_ <= MAX_STEPS;
}

Result<> TypeGraph::check() const {
  if (tooDeep_) return tooDeep();
  if (steps_ <= MAX_STEPS) return {};
  return Error(ErrorCode::LIMIT_EXCEEDED,
               "types that take more than " + std::to_string(MAX_STEPS) + " steps to work out");
}

// -- Substitution ---------------------------------------------------------------------------------

void TypeGraph::substitute(Entity& entity, Substitution& substitution) {
  substituteEntity(entity, substitution);
}

bool TypeGraph::substituteEntity(Entity& entity, Substitution& substitution) {
  if (entity.kind == EntityKind::MODULE) return false;
  bool changed = substituteId(entity.type, substitution);
  if (entity.kind == EntityKind::TYPE && entity.type != entity.created) {
    changed |= substituteId(entity.created, substitution);
  }
  return changed;
}

bool TypeGraph::substituteItems(Items& items, Substitution& substitution) {
  bool changed = false;
  for (auto& [name, item] : items) changed |= substituteEntity(item.entity, substitution);
  return changed;
}

bool TypeGraph::substituteUse(ValueUse& use, Substitution& substitution) {
  return !use.isPrimitive && substituteId(use.type, substitution);
}

bool TypeGraph::substituteParts(std::vector<Part>& parts, Substitution& substitution) {
  bool changed = false;
  for (Part& part : parts) {
    if (part.type) changed |= substituteUse(*part.type, substitution);
  }
  return changed;
}

bool TypeGraph::substituteResource(TypeId& id, const Substitution& substitution) {
  const auto found = substitution.resources.find(id.index);
  if (found == substitution.resources.end()) return false;
  id.index = found->second;
  return true;
}

// Remembers what became of `id`: a new node if it changed. A changed node is a new type, not
// another name of one.
template <typename Node>
bool TypeGraph::keep(TypeId& id, std::deque<Node>& nodes, Node node, bool changed,
                     Substitution& substitution) {
  const TypeId old = id;
  if (changed) {
    if (const Result<TypeId> made = place(old.kind, nodes, std::move(node))) {
      id = *made;
    } else {
      tooDeep_ = true;
    }
  }
  substitution.types.insert_or_assign(old, id);
  return changed;
}

bool TypeGraph::substituteId(TypeId& id, Substitution& substitution) {
  if (const auto known = substitution.types.find(id); known != substitution.types.end()) {
    const bool changed = known->second != id;
    id = known->second;
    return changed;
  }
  if (!spend(1)) return false;
  switch (id.kind) {
    case NodeKind::RESOURCE:
      return substituteResource(id, substitution);
    case NodeKind::DEFINED: {
      spend(defined_[id.index].parts.size());
      DefinedNode node = defined_[id.index];
      bool changed = substituteParts(node.parts, substitution);
      if (node.kind == TypeKind::OWN || node.kind == TypeKind::BORROW) {
        changed |= substituteId(node.resource, substitution);
      }
      return keep(id, defined_, std::move(node), changed, substitution);
    }
    case NodeKind::FUNC: {
      spend(funcs_[id.index].params.size());
      FuncNode node = funcs_[id.index];
      bool changed = substituteParts(node.params, substitution);
      if (node.result) changed |= substituteUse(*node.result, substitution);
      return keep(id, funcs_, std::move(node), changed, substitution);
    }
    case NodeKind::INSTANCE: {
      spend(instances_[id.index].exports.size());
      InstanceNode node = instances_[id.index];
      bool changed = substituteItems(node.exports, substitution);
      for (uint32_t& resource : node.fresh) {
        const auto found = substitution.resources.find(resource);
        if (found == substitution.resources.end()) continue;
        resource = found->second;
        changed = true;
      }
      return keep(id, instances_, std::move(node), changed, substitution);
    }
    case NodeKind::COMPONENT: {
      spend(components_[id.index].imports.size() + components_[id.index].exports.size());
      ComponentNode node = components_[id.index];
      bool changed = substituteItems(node.imports, substitution);
      changed |= substituteItems(node.exports, substitution);
      // Its own resources are variables of its own: nobody outside names them.
      return keep(id, components_, std::move(node), changed, substitution);
    }
  }
  return false;
}

// -- Search ---------------------------------------------------------------------------------------

struct TypeGraph::Search {
  std::unordered_set<uint32_t> remaining;  // resources
  std::unordered_set<uint32_t> visited;    // instance nodes
  ResourcePath path;
  std::vector<std::pair<uint32_t, ResourcePath>> found;
};

std::vector<std::pair<uint32_t, ResourcePath>> TypeGraph::findResources(
    const Items& exports, const std::vector<uint32_t>& resources) {
  Search state;
  state.remaining.insert(resources.begin(), resources.end());
  search(exports, state);
  return std::move(state.found);
}

void TypeGraph::search(const Items& exports, Search& state) {
  for (uint32_t i = 0; i < exports.size(); ++i) {
    if (state.remaining.empty() || !spend(1)) return;
    const Entity& entity = exports.at(i).second.entity;
    state.path.push_back(i);
    if (entity.kind == EntityKind::TYPE && entity.created.kind == NodeKind::RESOURCE) {
      if (state.remaining.erase(entity.created.index) > 0) {
        state.found.emplace_back(entity.created.index, state.path);
      }
    } else if (entity.kind == EntityKind::INSTANCE &&
               state.visited.insert(entity.type.index).second) {
      search(instances_[entity.type.index].exports, state);
    }
    state.path.pop_back();
  }
}

}  // namespace tenon::component::wit
