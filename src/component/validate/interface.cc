#include "component/validate/interface.h"

#include "component/validate/say.h"
#include "component/validate/validation.h"

namespace tenon::component {
namespace {

using typed::Bound;
using typed::Entity;
using typed::InstanceNode;
using typed::Item;
using typed::Items;

// "wasi:io/streams@0.2#input-stream" for the resource at a path into imports.
std::string hostName(const Items& imports, const Bound& bound) {
  const Item* item = &imports[bound.path.front()];
  std::string name = canonicalName(item->name.name);
  for (size_t i = 1; i < bound.path.size(); ++i) {
    item = &std::get<const InstanceNode*>(item->entity)->exports[bound.path[i]];
    name += say("#", item->name.name);
  }
  return name;
}

}  // namespace

Result<ComponentInterface> Interfaces::describe(const Component& component,
                                                const Features& features) {
  typed::Validation validation(arena_, features);
  TENON_TRY(const typed::ComponentNode* type, validation.component(component));
  return ComponentInterface{type};
}

LinkedInstance Linkage::instance(const ComponentInterface& component) {
  LinkedInstance instance{component.type, {}};
  for (const Bound& bound : component.type->defined) instance.resources[bound.id] = fresh();
  return instance;
}

std::optional<typed::Mismatch> Linkage::link(LinkedInstance& importer, size_t import,
                                             const LinkedInstance& exporter, const Item& item) {
  const Items& imports = importer.type->imports;
  const Item& wanted = imports[import];
  typed::Matcher matcher(interfaces_.arena().coreTypes(), exporter.resources, importer.resources);
  auto given = [&](std::string_view) { return &item.entity; };
  for (const Bound& bound : importer.type->imported) {
    if (bound.path.front() == import) matcher.supply(bound, imports, given);
  }
  auto mismatch = matcher.item(wanted.name.name, item.entity, wanted.entity);
  if (mismatch) return mismatch;
  for (const Bound& bound : importer.type->imported) {
    if (bound.path.front() != import) continue;
    if (auto meaning = matcher.meaning(bound.id)) importer.resources[bound.id] = *meaning;
  }
  return std::nullopt;
}

void Linkage::linkToHost(LinkedInstance& importer, size_t import) {
  for (const Bound& bound : importer.type->imported) {
    if (bound.path.front() != import) continue;
    auto [it, added] = hostResources_.emplace(hostName(importer.type->imports, bound), 0);
    if (added) it->second = fresh();
    importer.resources[bound.id] = it->second;
  }
}

std::string toString(const Entity& entity) {
  if (const auto* func = std::get_if<const typed::FuncNode*>(&entity)) {
    return toString((*func)->signature());
  }
  if (const auto* binding = std::get_if<typed::TypeBinding>(&entity)) {
    const auto* value = std::get_if<typed::ValRef>(&binding->referenced);
    return value != nullptr ? toString(*value->node->type) : typed::describe(binding->referenced);
  }
  if (const auto* value = std::get_if<typed::ValRef>(&entity)) return toString(*value->node->type);
  return typed::describe(entity);
}

}  // namespace tenon::component
