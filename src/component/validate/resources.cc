// Where resources occur in types.

#include "component/validate/subtyping.h"

namespace tenon::component::typed {
namespace {

class PathSearch {
 public:
  explicit PathSearch(const std::vector<ResourceId>& resources)
      : wanted_(resources.begin(), resources.end()) {}

  void visit(const Items& exports) {
    for (uint32_t i = 0; i < exports.size() && !wanted_.empty(); ++i) {
      path_.push_back(i);
      const Entity& entity = exports[i].entity;
      if (const auto* type = std::get_if<TypeBinding>(&entity)) {
        const auto* resource = std::get_if<ResourceRef>(&type->created);
        if (resource != nullptr && wanted_.erase(resource->id)) found_[resource->id] = path_;
      } else if (const auto* instance = std::get_if<const InstanceNode*>(&entity)) {
        // Whatever it has was found the first time.
        if (visited_.insert(*instance).second) visit((*instance)->exports);
      }
      path_.pop_back();
    }
  }

  std::unordered_map<ResourceId, std::vector<uint32_t>> take() && { return std::move(found_); }

 private:
  std::unordered_set<ResourceId> wanted_;
  std::unordered_set<const InstanceNode*> visited_;
  std::vector<uint32_t> path_;
  std::unordered_map<ResourceId, std::vector<uint32_t>> found_;
};

// Visits every node once.
class FreeSearch {
 public:
  explicit FreeSearch(std::unordered_set<ResourceId>& free) : free_(free) {}

  void visit(const Items& items) {
    for (const Item& item : items) visit(item.entity);
  }

  void visit(const AnyType& type) {
    std::visit([this](const auto& of) { visitOne(of); }, type);
  }

 private:
  void visit(const Entity& entity) {
    std::visit([this](const auto& of) { visitOne(of); }, entity);
  }
  void visitOne(const ModuleNode*) {}
  void visitOne(const ResourceRef& resource) { free_.insert(resource.id); }
  void visitOne(const ValRef& value) { visit(value.node->type); }
  void visitOne(const TypeBinding& type) { visit(type.created); }

  void visitOne(const FuncNode* func) {
    if (!visited_.insert(func).second) return;
    for (const FuncNode::Param& param : func->params) visit(param.type.node->type);
    if (func->result) visit(func->result.node->type);
  }

  void visitOne(const InstanceNode* instance) {
    if (!visited_.insert(instance).second) return;
    visit(instance->exports);
    for (ResourceId id : instance->defined) free_.erase(id);
  }

  void visitOne(const ComponentNode* component) {
    if (!visited_.insert(component).second) return;
    visit(component->imports);
    visit(component->exports);
    for (const auto* list : {&component->imported, &component->defined}) {
      for (const Bound& bound : *list) free_.erase(bound.id);
    }
  }

  void visit(const Type* type) {
    if (type == nullptr || !type->hasResource || !visited_.insert(type).second) return;
    if (type->kind == TypeKind::OWN || type->kind == TypeKind::BORROW) free_.insert(type->resource);
    visit(type->element);
    visit(type->ok);
    visit(type->error);
    for (const Labelled& member : type->members) visit(member.type);
  }

  std::unordered_set<ResourceId>& free_;
  std::unordered_set<const void*> visited_;
};

}  // namespace

std::unordered_map<ResourceId, std::vector<uint32_t>> explicitPaths(
    const Items& exports, const std::vector<ResourceId>& resources) {
  if (resources.empty()) return {};
  PathSearch search(resources);
  search.visit(exports);
  return std::move(search).take();
}

void collectFree(const Items& items, std::unordered_set<ResourceId>& free) {
  FreeSearch(free).visit(items);
}

void collectFree(const AnyType& type, std::unordered_set<ResourceId>& free) {
  FreeSearch(free).visit(type);
}

std::string kindName(const Type& type) {
  if (type.kind < TypeKind::LIST) return toString(type);
  if (type.isMap) return "map";
  if (type.fixedLength != 0) return "fixed-length list";
  static constexpr const char* NAMES[] = {"list", "record", "tuple",  "variant",
                                          "enum", "option", "result", "flags",
                                          "own",  "borrow", "stream", "future"};
  return NAMES[static_cast<size_t>(type.kind) - static_cast<size_t>(TypeKind::LIST)];
}

}  // namespace tenon::component::typed
