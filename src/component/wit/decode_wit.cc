#include "component/wit/decode_wit.h"

#include "base/keyed_hash.h"
#include "component/wit/type_decoder.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace tenon::component::wit {
namespace {

// Packages that use types of one another in a row; a real component has a handful.
constexpr uint32_t MAX_PACKAGE_CHAIN = 500;

class Decoder {
 public:
  explicit Decoder(const Elaborated& elaborated)
      : elaborated_(elaborated), graph_(elaborated.graph), types_(graph_, model_) {}

  Result<Model> run() {
    Package main;
    if (isPackage()) {
      TENON_CHECK(decodePackage(main));
    } else {
      TENON_CHECK(decodeComponent(main));
    }
    TENON_CHECK(finish(std::move(main)));
    return std::move(model_);
  }

 private:
  // -- What the input is --------------------------------------------------------------------------

  // A WIT package in binary form exports component types and nothing else.
  bool isPackage() const {
    if (elaborated_.externs.empty()) return false;
    for (const Extern& item : elaborated_.externs) {
      const Entity& entity = item.item.entity;
      if (!item.isExport || entity.kind != EntityKind::TYPE ||
          entity.created.kind != NodeKind::COMPONENT) {
        return false;
      }
    }
    const Result<ParsedName> name = parseExternName(elaborated_.externs[0].name);
    if (!name) return false;
    if (const auto* plain = std::get_if<PlainName>(&*name)) return plain->isBare();
    return std::get<InterfaceName>(*name).interface == "wit";
  }

  Result<> decodeComponent(Package& main) {
    main.ns = "root";
    main.name = "component";
    const auto world = newWorld("root");
    main.worlds.insert("root", world);
    model_.root = world;
    for (const Extern& item : elaborated_.externs) {
      TENON_CHECK(worldItem(world, item.name, item.item, item.isExport, main, Lenient::YES));
    }
    return {};
  }

  Result<> decodePackage(Package& main) {
    for (const Extern& item : elaborated_.externs) {
      const ComponentNode& component = graph_.component(item.item.entity.created);
      TENON_TRY(const ParsedName parsed, parseExternName(item.name));
      if (const auto* name = std::get_if<InterfaceName>(&parsed)) {
        if (elaborated_.externs.size() != 1) {
          return unprintable("more than one component type is exported");
        }
        TENON_CHECK(takeName(main, *name, item.item, IsFirst::YES));
        return packageItems(component, main);
      }
      if (component.exports.size() != 1) {
        return unprintable("a component type with " + std::to_string(component.exports.size()) +
                           " exports instead of one");
      }
      TENON_CHECK(packageItem(component, main,
                              &item == elaborated_.externs.data() ? IsFirst::YES : IsFirst::NO));
    }
    return {};
  }

  enum class IsFirst : uint8_t { NO, YES };

  // The package's name, or a check that it is the same again.
  Result<> takeName(Package& main, const InterfaceName& name, const Item& item, IsFirst isFirst) {
    TENON_TRY(Package named, package(name, item));
    if (isFirst == IsFirst::YES) {
      main.ns = named.ns;
      main.name = named.name;
      main.version = named.version;
    } else if (named.id() != main.id()) {
      return unprintable("two packages, " + main.id() + " and " + named.id() + ", in one");
    }
    return {};
  }

  // The older form: one component type that exports everything.
  Result<> packageItems(const ComponentNode& component, Package& main) {
    for (const auto& [name, item] : component.imports) {
      TENON_CHECK(instanceInterface(name, item));
    }
    for (const auto& [name, item] : component.exports) {
      if (item.entity.kind == EntityKind::INSTANCE) {
        TENON_CHECK(ownInterface(name, item, main));
      } else if (item.entity.kind == EntityKind::COMPONENT) {
        TENON_CHECK(packageWorld(name, graph_.component(item.entity.type), main));
      } else {
        return unprintable("export \"" + std::string(name) + "\" is no instance or component");
      }
    }
    return {};
  }

  // The newer form: one component type for each interface and world.
  Result<> packageItem(const ComponentNode& component, Package& main, IsFirst isFirst) {
    const auto& [name, item] = component.exports.at(0);
    TENON_TRY(const ParsedName parsed, parseExternName(name));
    const auto* full = std::get_if<InterfaceName>(&parsed);
    if (full == nullptr) return unprintable("\"" + std::string(name) + "\" names no package");
    TENON_CHECK(takeName(main, *full, item, isFirst));
    if (item.entity.kind == EntityKind::COMPONENT) {
      return packageWorld(name, graph_.component(item.entity.type), main);
    }
    if (item.entity.kind != EntityKind::INSTANCE) {
      return unprintable("export \"" + std::string(name) + "\" is no instance or component");
    }
    for (const auto& [importName, imported] : component.imports) {
      TENON_CHECK(instanceInterface(importName, imported));
    }
    TENON_CHECK(ownInterface(name, item, main));
    return {};
  }

  // -- Worlds -------------------------------------------------------------------------------------

  uint32_t newWorld(std::string_view name) {
    model_.worlds.emplace_back();
    model_.worlds.back().name = name;
    return static_cast<uint32_t>(model_.worlds.size() - 1);
  }

  Result<> packageWorld(std::string_view fullName, const ComponentNode& component, Package& main) {
    TENON_TRY(const ParsedName parsed, parseExternName(fullName));
    const auto* name = std::get_if<InterfaceName>(&parsed);
    if (name == nullptr) return unprintable("\"" + std::string(fullName) + "\" names no package");
    const uint32_t world = newWorld(name->interface);
    for (const auto& [itemName, item] : component.imports) {
      TENON_CHECK(worldItem(world, itemName, item, false, main, Lenient::NO));
    }
    for (const auto& [itemName, item] : component.exports) {
      TENON_CHECK(worldItem(world, itemName, item, true, main, Lenient::NO));
    }
    if (!main.worlds.insert(name->interface, world)) {
      return unprintable("two worlds are named " + std::string(name->interface));
    }
    return {};
  }

  // YES: imports of modules and components are no part of the world.
  enum class Lenient : uint8_t { NO, YES };

  Result<> worldItem(uint32_t world, std::string_view name, const Item& item, bool isExport,
                     Package& main, Lenient lenient) {
    const Owner owner{Owner::Kind::WORLD, world};
    WorldItem out;
    std::string_view key = name;
    if (item.entity.kind == EntityKind::FUNC) {
      out.kind = WorldItem::Kind::FUNCTION;
      TENON_TRY(out.function, types_.function(name, item, owner));
    } else if (item.entity.kind == EntityKind::INSTANCE) {
      TENON_TRY(out.index, worldInterface(name, item, main, out.hasLabel));
      out.notes.externalId = item.externalId;
      if (!out.hasLabel) key = model_.interfaces[out.index].id;
    } else if (item.entity.kind == EntityKind::TYPE && !isExport) {
      out.kind = WorldItem::Kind::TYPE;
      TENON_TRY(out.index, types_.declare(name, item, owner));
    } else if (!isExport && lenient == Lenient::YES) {
      return {};
    } else {
      return unprintable(std::string(isExport ? "export" : "import") + " \"" + std::string(name) +
                         "\" is no function or instance" + (isExport ? "" : " or type"));
    }
    World& target = model_.worlds[world];
    OrderedMap<WorldItem>& items = isExport ? target.exports : target.imports;
    if (WorldItem* known = items.find(key)) {
      *known = std::move(out);
    } else {
      items.insert(key, std::move(out));
    }
    return {};
  }

  // The interface of an imported or exported instance. Sets `hasLabel` to whether it has a label of
  // its own in the world.
  Result<uint32_t> worldInterface(std::string_view name, const Item& item, Package& main,
                                  bool& hasLabel) {
    if (item.implements) {
      if (!isLabel(name)) return unprintable("\"" + std::string(name) + "\" is no label");
      return instanceInterface(*item.implements, item);
    }
    TENON_TRY(const ParsedName parsed, parseExternName(name));
    if (std::holds_alternative<InterfaceName>(parsed)) {
      hasLabel = false;
      return instanceInterface(name, item);
    }
    return ownInterface(name, item, main);
  }

  // -- Interfaces ---------------------------------------------------------------------------------

  Result<Package> package(const InterfaceName& name, const Item& item) {
    Package out;
    out.ns = name.ns;
    out.name = name.package;
    TENON_TRY(out.version, fullVersion(name, item.versionSuffix));
    return out;
  }

  // The interface of another package that `name` stands for, with what the instance `item` shows of
  // it added; or one of this package, which must have all of that already.
  Result<uint32_t> instanceInterface(std::string_view name, const Item& item) {
    if (item.entity.kind != EntityKind::INSTANCE) {
      return unprintable("import \"" + std::string(name) + "\" is no instance");
    }
    const auto own = named_.find(name);
    const bool isOwn = own != named_.end();
    uint32_t index = 0;
    if (isOwn) {
      index = own->second;
    } else {
      TENON_TRY(index, foreignInterface(name, item));
    }
    const Owner owner{Owner::Kind::INTERFACE, index};
    Interface& interface = model_.interfaces[index];
    for (const auto& [label, member] : graph_.instance(item.entity.type).exports) {
      TENON_CHECK(types_.spend(1));
      if (member.entity.kind == EntityKind::TYPE) {
        if (const uint32_t* known = interface.types.find(label)) {
          TENON_CHECK(types_.recognise(*known, member.entity, label));
          continue;
        }
        if (isOwn) return missing(label, name);
        TENON_TRY(const uint32_t type, types_.declare(label, member, owner));
        interface.types.insert(label, type);
      } else if (member.entity.kind == EntityKind::FUNC) {
        if (interface.functions.find(label) != nullptr) continue;
        if (isOwn) return missing(label, name);
        TENON_TRY(Function function, types_.function(label, member, owner));
        interface.functions.insert(label, std::move(function));
      } else {
        return unprintable("export \"" + std::string(label) + "\" of instance \"" +
                           std::string(name) + "\" is no type or function");
      }
    }
    return index;
  }

  static Error missing(std::string_view label, std::string_view interface) {
    return unprintable("\"" + std::string(label) + "\" is not in the definition of interface " +
                       std::string(interface));
  }

  Result<uint32_t> foreignInterface(std::string_view name, const Item& item) {
    TENON_TRY(const ParsedName parsed, parseExternName(name));
    const auto* parts = std::get_if<InterfaceName>(&parsed);
    if (parts == nullptr) return unprintable("\"" + std::string(name) + "\" names no package");
    TENON_TRY(Package named, package(*parts, item));
    const std::string id = named.id();
    const auto [found, isNew] = foreignByName_.try_emplace(id, foreign_.size());
    if (isNew) foreign_.push_back(std::move(named));
    Package& target = foreign_[found->second];
    if (const uint32_t* known = target.interfaces.find(parts->interface)) return *known;
    const uint32_t index = newInterface(parts->interface, target);
    target.interfaces.insert(parts->interface, index);
    foreignOf_.emplace(index, found->second);
    return index;
  }

  uint32_t newInterface(std::optional<std::string_view> name, const Package& package) {
    model_.interfaces.emplace_back();
    Interface& made = model_.interfaces.back();
    made.name = name;
    if (name) {
      made.id = package.ns + ":" + package.name + "/" + std::string(*name) +
                (package.version ? "@" + *package.version : "");
    }
    return static_cast<uint32_t>(model_.interfaces.size() - 1);
  }

  // An interface that is defined here: of the package, or without a name in a world.
  Result<uint32_t> ownInterface(std::string_view name, const Item& item, Package& main) {
    if (named_.find(name) != named_.end()) return instanceInterface(name, item);
    TENON_TRY(const ParsedName parsed, parseExternName(name));
    std::optional<std::string_view> ownName;
    if (const auto* full = std::get_if<InterfaceName>(&parsed)) {
      ownName = full->interface;
    } else if (!std::get<PlainName>(parsed).isBare()) {
      return unprintable("\"" + std::string(name) + "\" is no name of an interface");
    }
    const uint32_t index = newInterface(ownName, main);
    const Owner owner{Owner::Kind::INTERFACE, index};
    Interface& interface = model_.interfaces[index];
    for (const auto& [label, member] : graph_.instance(item.entity.type).exports) {
      TENON_CHECK(types_.spend(1));
      if (member.entity.kind == EntityKind::TYPE) {
        TENON_TRY(const uint32_t type, types_.declare(label, member, owner));
        interface.types.insert(label, type);
      } else if (member.entity.kind == EntityKind::FUNC) {
        TENON_TRY(Function function, types_.function(label, member, owner));
        interface.functions.insert(label, std::move(function));
      } else {
        return unprintable("export \"" + std::string(label) + "\" of instance \"" +
                           std::string(name) + "\" is no type or function");
      }
    }
    if (ownName) {
      if (!main.interfaces.insert(*ownName, index)) {
        return unprintable("two interfaces are named " + std::string(*ownName));
      }
      named_.emplace(name, index);
    }
    return index;
  }

  // -- Packages -----------------------------------------------------------------------------------

  enum class Visit : uint8_t { NEVER, NOW, DONE };

  Result<> finish(Package main) {
    std::vector<Visit> visits(foreign_.size(), Visit::NEVER);
    std::vector<size_t> order;
    for (size_t i = 0; i < foreign_.size(); ++i) {
      TENON_CHECK(visit(i, visits, order, 0));
    }
    for (const size_t i : order) place(std::move(foreign_[i]));
    model_.main = place(std::move(main));
    for (const Interface& interface : model_.interfaces) {
      if (!interface.package) return unprintable("an interface that belongs to no package");
    }
    return {};
  }

  // Appends the package to `order`, after the packages that it uses types of.
  Result<> visit(size_t index, std::vector<Visit>& visits, std::vector<size_t>& order,
                 uint32_t depth) {
    if (visits[index] == Visit::DONE) return {};
    if (visits[index] == Visit::NOW) {
      return unprintable("package " + foreign_[index].id() + " depends on itself");
    }
    if (depth == MAX_PACKAGE_CHAIN) {
      return Error(ErrorCode::LIMIT_EXCEEDED, "more than " + std::to_string(MAX_PACKAGE_CHAIN) +
                                                  " packages that depend on one another in a row");
    }
    visits[index] = Visit::NOW;
    for (const auto& [name, interface] : foreign_[index].interfaces) {
      for (const auto& [typeName, type] : model_.interfaces[interface].types) {
        const std::optional<uint32_t> used = usedInterface(model_.types[type]);
        if (!used) continue;
        const auto found = foreignOf_.find(*used);
        if (found == foreignOf_.end()) {
          return unprintable("package " + foreign_[index].id() + " uses the type " +
                             std::string(typeName) + " of an interface that it cannot depend on");
        }
        if (found->second != index) TENON_CHECK(visit(found->second, visits, order, depth + 1));
      }
    }
    visits[index] = Visit::DONE;
    order.push_back(index);
    return {};
  }

  // The interface that the type is a `use` from.
  std::optional<uint32_t> usedInterface(const TypeDef& type) const {
    if (type.form != TypeDef::Form::ALIAS || type.target.isPrimitive) return std::nullopt;
    const TypeDef& other = model_.types[type.target.index];
    if (other.owner == type.owner || other.owner.kind != Owner::Kind::INTERFACE) {
      return std::nullopt;
    }
    return other.owner.index;
  }

  uint32_t place(Package package) {
    const auto known =
        std::find_if(model_.packages.begin(), model_.packages.end(),
                     [&](const Package& other) { return other.id() == package.id(); });
    const auto index = static_cast<uint32_t>(known - model_.packages.begin());
    OrderedMap<uint32_t> interfaces = std::exchange(package.interfaces, {});
    OrderedMap<uint32_t> worlds = std::exchange(package.worlds, {});
    if (known == model_.packages.end()) model_.packages.push_back(std::move(package));
    Package& target = model_.packages[index];
    for (const auto& [name, interface] : interfaces) {
      target.interfaces.insert(name, interface);
      model_.interfaces[interface].package = index;
    }
    for (const auto& [name, world] : worlds) {
      target.worlds.insert(name, world);
      World& placed = model_.worlds[world];
      placed.package = index;
      for (const auto* items : {&placed.imports, &placed.exports}) {
        for (const auto& [label, item] : *items) {
          if (item.kind != WorldItem::Kind::INTERFACE || !item.hasLabel) continue;
          Interface& interface = model_.interfaces[item.index];
          if (!interface.name) interface.package = index;
        }
      }
    }
    return index;
  }

  const Elaborated& elaborated_;
  const TypeGraph& graph_;
  Model model_;
  TypeDecoder types_;
  TextMap<uint32_t> named_;  // interfaces of this package, by full name
  std::deque<Package> foreign_;
  OwnedTextMap<size_t> foreignByName_;
  std::unordered_map<uint32_t, size_t> foreignOf_;  // interface to foreign package
};

}  // namespace

Result<Model> decodeWit(const Elaborated& elaborated) { return Decoder(elaborated).run(); }

}  // namespace tenon::component::wit
