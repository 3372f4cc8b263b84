#include "component/wit/elaborate.h"

#include "base/keyed_hash.h"

#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace tenon::component::wit {
namespace {

enum class Direction : uint8_t { IMPORT, EXPORT };

// The index spaces of one component, component type or instance type while it is read.
struct Scope {
  std::vector<TypeId> types;
  std::vector<TypeId> funcs;       // their types
  std::vector<TypeId> instances;   // their types
  std::vector<TypeId> components;  // their types
  Items imports, exports;
  std::vector<std::pair<uint32_t, ResourcePath>> imported;
  std::vector<uint32_t> fresh;
};

class Elaborator {
 public:
  Result<Elaborated> run(const Component& component) {
    TENON_CHECK(body(component));
    return std::move(out_);
  }

 private:
  Scope& scope() { return scopes_.back(); }
  TypeGraph& graph() { return out_.graph; }

  Error invalid(std::string message) const {
    return Error(ErrorCode::INVALID, std::move(message), offset_);
  }

  // An error of the graph, with the place that caused it.
  Error here(Error error) const {
    if (!error.offset) error.offset = offset_;
    return error;
  }

  template <typename Node>
  Result<TypeId> add(Node node) {
    Result<TypeId> id = graph().add(std::move(node));
    if (!id) return here(std::move(id).error());
    return id;
  }

  Result<TypeId> at(const std::vector<TypeId>& space, uint32_t index, std::string_view what) const {
    if (index < space.size()) return space[index];
    return invalid(std::string(what) + " " + std::to_string(index) + " does not exist; there are " +
                   std::to_string(space.size()));
  }

  Result<TypeId> typeAt(uint32_t index, NodeKind kind, std::string_view what) {
    TENON_TRY(const TypeId id, at(scope().types, index, "type"));
    if (id.kind == kind) return id;
    return invalid("type " + std::to_string(index) + " is no " + std::string(what));
  }

  // -- Bodies -------------------------------------------------------------------------------------

  Result<> checkBudget() {
    if (Result<> checked = graph().check(); !checked) return here(std::move(checked).error());
    return {};
  }

  Result<> body(const Component& component) {
    scopes_.emplace_back();
    for (const Definition& definition : component.definitions) {
      offset_ = definition.offset;
      graph().spend(1);
      TENON_CHECK(std::visit([this](const auto& def) { return define(def); }, definition.def));
      TENON_CHECK(checkBudget());
    }
    return {};
  }

  Result<> declarations(const std::vector<Decl>& decls) {
    scopes_.emplace_back();
    for (const Decl& decl : decls) {
      offset_ = decl.offset;
      graph().spend(1);
      TENON_CHECK(std::visit([this](const auto& def) { return define(def); }, decl.decl));
      TENON_CHECK(checkBudget());
    }
    return {};
  }

  Result<TypeId> closeComponent() {
    Scope closed = std::move(scopes_.back());
    scopes_.pop_back();
    return add(ComponentNode{std::move(closed.imports), std::move(closed.exports),
                             std::move(closed.imported), std::move(closed.fresh)});
  }

  // -- Definitions --------------------------------------------------------------------------------

  // Nothing of the component level.
  Result<> define(const CustomSection&) { return {}; }
  Result<> define(const CoreModule&) { return {}; }
  Result<> define(const CoreInstance&) { return {}; }
  Result<> define(const CoreTypeDef&) { return {}; }
  Result<> define(const std::unique_ptr<CoreTypeDef>&) { return {}; }

  Result<> define(const Start&) { return values(); }
  Result<> define(const ValueDef&) { return values(); }
  Error values() const {
    return Error(ErrorCode::UNSUPPORTED, "values in components are not supported", offset_);
  }

  Result<> define(const std::unique_ptr<Component>& component) {
    const uint64_t offset = offset_;
    TENON_CHECK(body(*component));
    offset_ = offset;
    TENON_TRY(const TypeId id, closeComponent());
    scope().components.push_back(id);
    return {};
  }

  Result<> define(const Canon& canon) {
    if (canon.kind != CanonKind::LIFT) return {};
    TENON_TRY(const TypeId id, typeAt(canon.type, NodeKind::FUNC, "function type"));
    scope().funcs.push_back(id);
    return {};
  }

  Result<> define(const std::unique_ptr<TypeDef>& type) { return define(*type); }

  Result<> define(const TypeDef& type) {
    return std::visit([this](const auto& def) { return defineType(def); }, type.def);
  }

  Result<> define(const Alias& alias) {
    if (const auto* exported = std::get_if<ExportAlias>(&alias.target)) {
      return defineAlias(*exported, alias.sort);
    }
    if (const auto* outer = std::get_if<OuterAlias>(&alias.target)) {
      return defineAlias(*outer, alias.sort);
    }
    return {};
  }

  Result<> defineAlias(const ExportAlias& alias, Sort sort) {
    TENON_TRY(const TypeId id, at(scope().instances, alias.instance, "instance"));
    const Item* item = graph().instance(id).exports.find(alias.name);
    if (item == nullptr) {
      return invalid("instance " + std::to_string(alias.instance) + " exports no \"" +
                     std::string(alias.name) + "\"");
    }
    const Entity entity = item->entity;
    if (entity.kind != kindOf(sort)) {
      return invalid("export \"" + std::string(alias.name) + "\" of instance " +
                     std::to_string(alias.instance) + " is no " + toString(sort));
    }
    push(entity);
    return {};
  }

  Result<> defineAlias(const OuterAlias& alias, Sort sort) {
    if (alias.count >= scopes_.size()) {
      return invalid("an alias leads " + std::to_string(alias.count) + " levels out, of " +
                     std::to_string(scopes_.size()));
    }
    const Scope& outer = scopes_[scopes_.size() - 1 - alias.count];
    if (sort == Sort::TYPE) {
      TENON_TRY(const TypeId id, at(outer.types, alias.index, "outer type"));
      scope().types.push_back(id);
    } else if (sort == Sort::COMPONENT) {
      TENON_TRY(const TypeId id, at(outer.components, alias.index, "outer component"));
      scope().components.push_back(id);
    }
    return {};
  }

  static EntityKind kindOf(Sort sort) {
    switch (sort) {
      case Sort::FUNC:
        return EntityKind::FUNC;
      case Sort::TYPE:
        return EntityKind::TYPE;
      case Sort::INSTANCE:
        return EntityKind::INSTANCE;
      case Sort::COMPONENT:
        return EntityKind::COMPONENT;
      default:
        return EntityKind::MODULE;
    }
  }

  void push(const Entity& entity) {
    switch (entity.kind) {
      case EntityKind::MODULE:
        break;
      case EntityKind::FUNC:
        scope().funcs.push_back(entity.type);
        break;
      case EntityKind::TYPE:
        scope().types.push_back(entity.created);
        break;
      case EntityKind::INSTANCE:
        scope().instances.push_back(entity.type);
        break;
      case EntityKind::COMPONENT:
        scope().components.push_back(entity.type);
        break;
    }
  }

  // -- Types --------------------------------------------------------------------------------------

  Result<ValueUse> use(const ValTypeRef& ref) {
    if (ref.isPrimitive) return ValueUse{true, ref.primitive, {}};
    TENON_TRY(const TypeId id, typeAt(ref.index, NodeKind::DEFINED, "value type"));
    return ValueUse{false, TypeKind::BOOL, id};
  }

  Result<Part> part(std::string_view label, const std::optional<ValTypeRef>& type) {
    if (!type) return Part{label, std::nullopt};
    TENON_TRY(const ValueUse used, use(*type));
    return Part{label, used};
  }

  Result<> defineType(const DefValType& def) {
    DefinedNode node;
    node.kind = def.kind;
    const auto append = [&](std::string_view label,
                            const std::optional<ValTypeRef>& type) -> Result<> {
      TENON_TRY(Part next, part(label, type));
      node.parts.push_back(next);
      return {};
    };
    for (const LabelledType& member : def.members) TENON_CHECK(append(member.label, member.type));
    for (const ValTypeRef& element : def.elements) TENON_CHECK(append({}, element));
    switch (def.kind) {
      case TypeKind::LIST:
        node.isMap = def.key.has_value();
        node.length = def.length;
        if (node.isMap) TENON_CHECK(append({}, def.key));
        TENON_CHECK(append({}, def.element));
        break;
      case TypeKind::OPTION:
      case TypeKind::STREAM:
      case TypeKind::FUTURE:
        TENON_CHECK(append({}, def.element));
        break;
      case TypeKind::RESULT:
        TENON_CHECK(append({}, def.ok));
        TENON_CHECK(append({}, def.error));
        break;
      case TypeKind::OWN:
      case TypeKind::BORROW: {
        TENON_TRY(node.resource, typeAt(def.resource, NodeKind::RESOURCE, "resource type"));
        break;
      }
      default:
        break;
    }
    TENON_TRY(const TypeId id, add(std::move(node)));
    scope().types.push_back(id);
    return {};
  }

  Result<> defineType(const FuncTypeDef& def) {
    FuncNode node;
    node.async = def.async;
    for (const ParamDecl& param : def.params) {
      TENON_TRY(const ValueUse used, use(param.type));
      node.params.push_back(Part{param.name, used});
    }
    if (def.result) {
      TENON_TRY(node.result, use(*def.result));
    }
    TENON_TRY(const TypeId id, add(std::move(node)));
    scope().types.push_back(id);
    return {};
  }

  Result<> defineType(const ResourceTypeDef&) {
    const TypeId id{NodeKind::RESOURCE, graph().newResource()};
    scope().fresh.push_back(id.index);
    scope().types.push_back(id);
    return {};
  }

  Result<> defineType(const ComponentTypeDef& def) {
    const uint64_t offset = offset_;
    TENON_CHECK(declarations(def.decls));
    offset_ = offset;
    TENON_TRY(const TypeId id, closeComponent());
    scope().types.push_back(id);
    return {};
  }

  Result<> defineType(const InstanceTypeDef& def) {
    const uint64_t offset = offset_;
    TENON_CHECK(declarations(def.decls));
    offset_ = offset;
    Scope closed = std::move(scopes_.back());
    scopes_.pop_back();
    TENON_TRY(const TypeId id,
              add(InstanceNode{std::move(closed.exports), std::move(closed.fresh)}));
    scope().types.push_back(id);
    return {};
  }

  // -- Imports and exports ------------------------------------------------------------------------

  Result<Entity> entityOf(const ExternTypeRef& ref) {
    using Kind = ExternTypeRef::Kind;
    switch (ref.kind) {
      case Kind::CORE_MODULE:
        return Entity{};
      case Kind::FUNC: {
        TENON_TRY(const TypeId id, typeAt(ref.index, NodeKind::FUNC, "function type"));
        return Entity{EntityKind::FUNC, id, {}};
      }
      case Kind::COMPONENT: {
        TENON_TRY(const TypeId id, typeAt(ref.index, NodeKind::COMPONENT, "component type"));
        return Entity{EntityKind::COMPONENT, id, {}};
      }
      case Kind::INSTANCE: {
        TENON_TRY(const TypeId id, typeAt(ref.index, NodeKind::INSTANCE, "instance type"));
        return Entity{EntityKind::INSTANCE, id, {}};
      }
      case Kind::TYPE_EQ: {
        TENON_TRY(const TypeId id, at(scope().types, ref.index, "type"));
        return Entity{EntityKind::TYPE, id, graph().rename(id)};
      }
      case Kind::TYPE_SUB: {
        const TypeId id{NodeKind::RESOURCE, graph().newResource()};
        return Entity{EntityKind::TYPE, id, id};
      }
      case Kind::VALUE_EQ:
      case Kind::VALUE_TYPE:
        break;
    }
    return values();
  }

  Result<Entity> entityOf(const SortIndex& item) {
    switch (item.sort) {
      case Sort::CORE_MODULE:
        return Entity{};
      case Sort::FUNC: {
        TENON_TRY(const TypeId id, at(scope().funcs, item.index, "function"));
        return Entity{EntityKind::FUNC, id, {}};
      }
      case Sort::TYPE: {
        TENON_TRY(const TypeId id, at(scope().types, item.index, "type"));
        return Entity{EntityKind::TYPE, id, id};
      }
      case Sort::INSTANCE: {
        TENON_TRY(const TypeId id, at(scope().instances, item.index, "instance"));
        return Entity{EntityKind::INSTANCE, id, {}};
      }
      case Sort::COMPONENT: {
        TENON_TRY(const TypeId id, at(scope().components, item.index, "component"));
        return Entity{EntityKind::COMPONENT, id, {}};
      }
      case Sort::VALUE:
        return values();
      default:
        return invalid(std::string("a ") + toString(item.sort) +
                       " is no thing of the component level");
    }
  }

  Result<> define(const Import& import) {
    TENON_TRY(const Entity entity, entityOf(import.type));
    return enter(import.name, entity, Direction::IMPORT);
  }

  Result<> define(const ExportDecl& decl) {
    TENON_TRY(const Entity entity, entityOf(decl.type));
    return enter(decl.name, entity, Direction::EXPORT);
  }

  Result<> define(const Export& exported) {
    TENON_TRY(Entity entity, entityOf(exported.item));
    if (exported.type) {
      TENON_TRY(entity, entityOf(*exported.type));
    } else if (entity.kind == EntityKind::TYPE) {
      entity.created = graph().rename(entity.type);
    }
    return enter(exported.name, entity, Direction::EXPORT);
  }

  Result<> enter(const ExternName& name, Entity entity, Direction direction) {
    const bool isExport = direction == Direction::EXPORT;
    if (entity.kind == EntityKind::INSTANCE) {
      TENON_CHECK(makeFresh(entity.type, direction));
    }
    if (entity.kind == EntityKind::TYPE && entity.created.kind == NodeKind::RESOURCE &&
        entity.created == entity.type) {
      if (isExport) {
        scope().fresh.push_back(entity.created.index);
      } else {
        scope().imported.emplace_back(entity.created.index,
                                      ResourcePath{static_cast<uint32_t>(scope().imports.size())});
      }
    }
    push(entity);
    const Item item{entity, name.implements, name.versionSuffix, name.externalId};
    if (!(isExport ? scope().exports : scope().imports).insert(name.name, item)) {
      return invalid(std::string(isExport ? "two exports" : "two imports") + " are named \"" +
                     std::string(name.name) + "\"");
    }
    if (scopes_.size() == 1) out_.externs.push_back(Extern{name.name, item, isExport});
    return {};
  }

  // An instance that is imported, or exported by a type, has resources of its own where its type
  // introduces some.
  Result<> makeFresh(TypeId& type, Direction direction) {
    const InstanceNode& node = graph().instance(type);
    if (node.fresh.empty()) return {};
    graph().spend(node.exports.size() + node.fresh.size());
    InstanceNode made{node.exports, {}};
    Substitution substitution;
    for (const uint32_t resource : node.fresh) {
      const uint32_t replacement = graph().newResource();
      substitution.resources.emplace(resource, replacement);
      if (direction == Direction::EXPORT) scope().fresh.push_back(replacement);
    }
    if (direction == Direction::IMPORT) {
      const auto position = static_cast<uint32_t>(scope().imports.size());
      for (auto& [resource, path] : graph().findResources(node.exports, node.fresh)) {
        path.insert(path.begin(), position);
        scope().imported.emplace_back(substitution.resources.at(resource), std::move(path));
      }
    }
    for (auto& [name, item] : made.exports) graph().substitute(item.entity, substitution);
    TENON_TRY(type, add(std::move(made)));
    return {};
  }

  // -- Instances ----------------------------------------------------------------------------------

  Result<> define(const Instance& instance) {
    TENON_TRY(const TypeId id, instance.instantiate ? instantiate(instance) : collect(instance));
    scope().instances.push_back(id);
    return {};
  }

  Result<TypeId> collect(const Instance& instance) {
    InstanceNode node;
    for (const InlineExport& exported : instance.exports) {
      TENON_TRY(const Entity entity, entityOf(exported.item));
      const ExternName& name = exported.name;
      if (!node.exports.insert(
              name.name, Item{entity, name.implements, name.versionSuffix, name.externalId})) {
        return invalid("two exports are named \"" + std::string(name.name) + "\"");
      }
    }
    return add(std::move(node));
  }

  Result<TypeId> instantiate(const Instance& instance) {
    TENON_TRY(const TypeId id, at(scope().components, instance.component, "component"));
    TextMap<Entity> args;
    for (const InstantiateArg& arg : instance.args) {
      TENON_TRY(const Entity entity, entityOf(arg.item));
      args.insert_or_assign(arg.name, entity);
    }
    const ComponentNode& component = graph().component(id);
    graph().spend(component.imports.size() + component.exports.size() + component.imported.size() +
                  component.fresh.size());
    TENON_CHECK(checkBudget());

    Substitution substitution;
    for (const auto& [resource, path] : component.imported) {
      if (const Entity* given = follow(component.imports, path, args)) {
        substitution.resources.emplace(resource, given->created.index);
      }
    }
    for (const auto& [name, item] : component.imports) {
      const auto arg = args.find(name);
      if (arg != args.end()) match(item.entity, arg->second, substitution);
    }
    for (const uint32_t resource : component.fresh) {
      const uint32_t replacement = graph().newResource();
      substitution.resources.insert_or_assign(resource, replacement);
      scope().fresh.push_back(replacement);
    }
    InstanceNode node{component.exports, {}};
    for (auto& [name, item] : node.exports) graph().substitute(item.entity, substitution);
    return add(std::move(node));
  }

  // The resource that the arguments give for the one that is at `path` among `imports`.
  const Entity* follow(const Items& imports, const ResourcePath& path,
                       const TextMap<Entity>& args) {
    const Items* items = &imports;
    const Entity* given = nullptr;
    for (size_t i = 0; i < path.size(); ++i) {
      const auto& [name, item] = items->at(path[i]);
      if (i == 0) {
        const auto arg = args.find(name);
        given = arg == args.end() ? nullptr : &arg->second;
      } else {
        const Item* found = graph().instance(given->type).exports.find(name);
        given = found == nullptr ? nullptr : &found->entity;
      }
      if (given == nullptr) return nullptr;
      if (i + 1 < path.size()) {
        if (item.entity.kind != EntityKind::INSTANCE || given->kind != EntityKind::INSTANCE) {
          return nullptr;
        }
        items = &graph().instance(item.entity.type).exports;
      }
    }
    const bool isResource = given != nullptr && given->kind == EntityKind::TYPE &&
                            given->created.kind == NodeKind::RESOURCE;
    return isResource ? given : nullptr;
  }

  // Inside the instance, the names of imported types stand for the arguments' names.
  void match(const Entity& expected, const Entity& actual, Substitution& substitution) {
    if (expected.kind != actual.kind || !graph().spend(1)) return;
    if (expected.kind == EntityKind::TYPE && expected.created.kind == actual.created.kind) {
      substitution.types.insert_or_assign(expected.created, actual.created);
    } else if (expected.kind == EntityKind::INSTANCE) {
      const Items& exports = graph().instance(actual.type).exports;
      for (const auto& [name, item] : graph().instance(expected.type).exports) {
        if (const Item* found = exports.find(name)) {
          match(item.entity, found->entity, substitution);
        }
      }
    }
  }

  Elaborated out_;
  std::vector<Scope> scopes_;
  uint64_t offset_ = 0;
};

}  // namespace

Result<Elaborated> elaborate(const Component& component) { return Elaborator().run(component); }

}  // namespace tenon::component::wit
