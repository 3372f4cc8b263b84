#include "component/validate/entity_type.h"

#include "component/validate/say.h"

#include <algorithm>

namespace tenon::component::typed {
namespace {

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

size_t mix(size_t seed, size_t value) {
  return seed ^ (value + 0x9e3779b97f4a7c15 + (seed << 6) + (seed >> 2));
}

size_t hashOf(const CoreFuncType& type) {
  KeyedHash hash;
  for (const auto* list : {&type.params, &type.results}) {
    hash.add(uint64_t{list->size()});
    for (const CoreValType& value : *list) {
      hash.add(uint64_t{value.code} << 56 ^ static_cast<uint64_t>(value.heapType));
    }
  }
  return hash.finish();
}

}  // namespace

Result<void> Extent::add(Extent part, uint64_t offset) {
  depth = std::max(depth, part.depth + 1);
  if (depth > MAX_TYPE_DEPTH) {
    return Error{ErrorCode::LIMIT_EXCEEDED,
                 say("type nesting is too deep: the limit is ", MAX_TYPE_DEPTH), offset};
  }
  size += part.size;  // both are at most MAX_TYPE_EXTENT
  if (size >= MAX_TYPE_EXTENT) {
    return Error{ErrorCode::LIMIT_EXCEEDED,
                 say("effective type size exceeds the limit of ", MAX_TYPE_EXTENT), offset};
  }
  return {};
}

FuncType FuncNode::signature() const {
  FuncType type;
  type.async = async;
  type.params.reserve(params.size());
  for (const Param& param : params) {
    type.params.push_back({std::string(param.name), param.type.node->type});
  }
  if (result) type.result = result.node->type;
  return type;
}

size_t AnyTypeHash::operator()(const AnyType& type) const {
  size_t seed = type.index();
  return std::visit(Overloaded{
                        [&](const ResourceRef& ref) { return mix(mix(seed, ref.id), ref.alias); },
                        [&](const ValRef& ref) {
                          return mix(mix(seed, std::hash<const void*>()(ref.node)), ref.alias);
                        },
                        [&](const auto* node) { return mix(seed, std::hash<const void*>()(node)); },
                    },
                    type);
}

const char* describe(const AnyType& type) {
  static constexpr const char* NAMES[] = {"resource", "value type", "func type", "instance type",
                                          "component type"};
  return NAMES[type.index()];
}

const char* describe(const Entity& entity) {
  static constexpr const char* NAMES[] = {"module", "func",     "value",
                                          "type",   "instance", "component"};
  return NAMES[entity.index()];
}

Extent extentOf(const AnyType& type) {
  return std::visit(Overloaded{
                        [](const ResourceRef&) { return Extent(); },
                        [](const ValRef& ref) { return ref.node->extent; },
                        [](const auto* node) { return node->extent; },
                    },
                    type);
}

Extent extentOf(const Entity& entity) {
  return std::visit(Overloaded{
                        [](const TypeBinding& type) { return extentOf(type.referenced); },
                        [](const ValRef& ref) { return ref.node->extent; },
                        [](const auto* node) { return node->extent; },
                    },
                    entity);
}

bool Items::add(const ExternName& name, const Entity& entity) {
  auto [it, added] = byName_.emplace(name.name, static_cast<uint32_t>(items_.size()));
  if (added) items_.push_back({name, entity});
  return added;
}

const Item* Items::find(std::string_view name) const {
  auto it = byName_.find(name);
  return it == byName_.end() ? nullptr : &items_[it->second];
}

const CoreExternType* ModuleNode::findExport(std::string_view name) const {
  auto it = exportsByName.find(name);
  return it == exportsByName.end() ? nullptr : &exports[it->second].type;
}

const CoreExternType* CoreInstanceNode::findExport(std::string_view name) const {
  if (module != nullptr) return module->findExport(name);
  auto it = exports.find(name);
  return it == exports.end() ? nullptr : it->second;
}

// -- Arena ----------------------------------------------------------------------------------------

Arena::Arena() {
  for (size_t i = 0; i < std::size(primitives_); ++i) {
    ValNode node;
    node.type = table_.primitive(static_cast<TypeKind>(i));
    primitives_[i] = own(std::move(node));
  }
}

template <typename Node>
const Node* Arena::own(Node node) {
  if constexpr (std::is_same_v<Node, ValNode>) {
    return &values_.emplace_back(std::move(node));
  } else if constexpr (std::is_same_v<Node, FuncNode>) {
    return &funcs_.emplace_back(std::move(node));
  } else if constexpr (std::is_same_v<Node, InstanceNode>) {
    return &instances_.emplace_back(std::move(node));
  } else if constexpr (std::is_same_v<Node, ComponentNode>) {
    return &components_.emplace_back(std::move(node));
  } else if constexpr (std::is_same_v<Node, ModuleNode>) {
    return &modules_.emplace_back(std::move(node));
  } else {
    return &coreInstances_.emplace_back(std::move(node));
  }
}

template const ValNode* Arena::own(ValNode);
template const FuncNode* Arena::own(FuncNode);
template const InstanceNode* Arena::own(InstanceNode);
template const ComponentNode* Arena::own(ComponentNode);
template const ModuleNode* Arena::own(ModuleNode);
template const CoreInstanceNode* Arena::own(CoreInstanceNode);

const CoreExternType* Arena::coreFunc(CoreFuncType type) {
  size_t hash = hashOf(type);
  auto [begin, end] = coreFuncsByHash_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    if (it->second->func == type) return it->second;
  }
  CoreExternType& func = coreFuncs_.emplace_back();
  func.kind = CoreExternKind::FUNC;
  func.typeIndex = coreTypes_.func(type);
  func.func = std::move(type);
  coreFuncsByHash_.emplace(hash, &func);
  return &func;
}

AnyType Arena::renamed(AnyType type) {
  if (auto* resource = std::get_if<ResourceRef>(&type)) resource->alias = newAlias();
  if (auto* value = std::get_if<ValRef>(&type)) value->alias = newAlias();
  return type;
}

}  // namespace tenon::component::typed
