#include "component/wit/package_docs.h"

#include "base/keyed_hash.h"
#include "component/wit/json_reader.h"

#include <string>
#include <unordered_map>

namespace tenon::component::wit {
namespace {

constexpr uint8_t LATEST_VERSION = 1;  // 0 is read as well

Error missing(std::string_view what, std::string_view name) {
  return Error(ErrorCode::INVALID, "package-docs describes the " + std::string(what) + " \"" +
                                       std::string(name) + "\", which is not there");
}

Error malformed(std::string_view what) {
  return Error(ErrorCode::MALFORMED, "package-docs: " + std::string(what));
}

bool isVersionText(const std::string& text) {
  return text.find_first_not_of(
             "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.+-") ==
         std::string::npos;
}

// Calls `each(name, value)` for the members of the object that `parent` has under `name`, if any.
template <typename Each>
Result<> eachOf(const JsonValue& parent, std::string_view name, Each each) {
  const JsonValue* value = parent.find(name);
  if (value == nullptr) return {};
  const JsonObject* object = value->object();
  if (object == nullptr) return malformed("\"" + std::string(name) + "\" is no object");
  for (const auto& [key, member] : object->members) TENON_CHECK(each(key, member));
  return {};
}

Result<std::optional<std::string>> textOf(const JsonValue* value) {
  if (value == nullptr || value->isNull()) return std::optional<std::string>();
  if (const std::string* text = value->string()) return std::optional<std::string>(*text);
  return malformed("expected a text");
}

// "unknown", {"stable": {"since": ..., "deprecated": ...}} or {"unstable": {"feature": ..., ...}}.
Result<Stability> stabilityOf(const JsonValue* value) {
  Stability out;
  if (value == nullptr || value->isNull()) return out;
  if (const std::string* text = value->string()) {
    if (*text == "unknown") return out;
    return malformed("an unknown kind of stability");
  }
  const JsonValue* stable = value->find("stable");
  const JsonValue* unstable = value->find("unstable");
  const JsonValue* inside = stable != nullptr ? stable : unstable;
  if (inside == nullptr) return malformed("an unknown kind of stability");
  out.kind = stable != nullptr ? Stability::Kind::STABLE : Stability::Kind::UNSTABLE;
  const JsonValue* subject = inside->find(stable != nullptr ? "since" : "feature");
  if (subject == nullptr || subject->string() == nullptr) {
    return malformed("stability without a version or feature");
  }
  out.subject = *subject->string();
  TENON_TRY(out.deprecated, textOf(inside->find("deprecated")));
  if (!isVersionText(out.subject) || (out.deprecated && !isVersionText(*out.deprecated))) {
    return malformed("stability with a strange version or feature");
  }
  return out;
}

// Docs are kept where the section has none, stability is replaced.
Result<> addNotes(const JsonValue& data, Notes& notes) {
  TENON_TRY(std::optional<std::string> docs, textOf(data.find("docs")));
  if (docs) notes.docs = std::move(docs);
  TENON_TRY(notes.stability, stabilityOf(data.find("stability")));
  return {};
}

// Version 0 has the text alone.
Result<> addToFunction(const JsonValue& data, Function& function) {
  if (data.object() == nullptr) {
    TENON_TRY(function.notes.docs, textOf(&data));
    return {};
  }
  TENON_TRY(function.notes.docs, textOf(data.find("docs")));
  TENON_TRY(function.notes.stability, stabilityOf(data.find("stability")));
  return {};
}

// The members of types, by their names. A text may speak of one type again and again.
using Members = std::unordered_map<const TypeDef*, TextMap<Member*>>;

Result<> addToType(const JsonValue& data, TypeDef& type, Members& known) {
  auto [entry, fresh] = known.try_emplace(&type);
  TextMap<Member*>& members = entry->second;
  if (fresh) {
    for (Member& member : type.members) members.emplace(member.label, &member);
  }
  TENON_CHECK(
      eachOf(data, "items", [&](const std::string& name, const JsonValue& docs) -> Result<> {
        const auto member = members.find(name);
        if (name.empty() || member == members.end()) return missing("member", name);
        TENON_TRY(member->second->docs, textOf(&docs));
        return {};
      }));
  return addNotes(data, type.notes);
}

Result<> addToInterface(const JsonValue& data, Model& model, Interface& interface,
                        Members& members) {
  TENON_CHECK(
      eachOf(data, "types", [&](const std::string& name, const JsonValue& value) -> Result<> {
        const uint32_t* type = interface.types.find(name);
        if (type == nullptr) return missing("type", name);
        return addToType(value, model.types[*type], members);
      }));
  TENON_CHECK(
      eachOf(data, "funcs", [&](const std::string& name, const JsonValue& value) -> Result<> {
        Function* function = interface.functions.find(name);
        if (function == nullptr) return missing("function", name);
        return addToFunction(value, *function);
      }));
  return addNotes(data, interface.notes);
}

class WorldDocs {
 public:
  WorldDocs(Model& model, World& world, Members& members)
      : model_(model), world_(world), members_(members) {}

  Result<> add(const JsonValue& data) {
    using Kind = WorldItem::Kind;
    TENON_CHECK(eachOf(data, "interfaces", [&](const std::string& name, const JsonValue& value) {
      return addInterface(find(name, Kind::INTERFACE), name, value);
    }));
    TENON_CHECK(
        eachOf(data, "interface_exports", [&](const std::string& name, const JsonValue& value) {
          return addInterface(findIn(world_.exports, name, Kind::INTERFACE), name, value);
        }));
    TENON_CHECK(
        eachOf(data, "types", [&](const std::string& name, const JsonValue& value) -> Result<> {
          const WorldItem* item = findIn(world_.imports, name, Kind::TYPE);
          if (item == nullptr) return missing("type", name);
          return addToType(value, model_.types[item->index], members_);
        }));
    for (const Side& side : {Side{"import", world_.imports}, Side{"export", world_.exports}}) {
      TENON_CHECK(addReferences(data, side));
    }
    TENON_CHECK(eachOf(data, "funcs", [&](const std::string& name, const JsonValue& value) {
      return addFunction(find(name, Kind::FUNCTION), name, value);
    }));
    TENON_CHECK(eachOf(data, "func_exports", [&](const std::string& name, const JsonValue& value) {
      return addFunction(findIn(world_.exports, name, Kind::FUNCTION), name, value);
    }));
    return addNotes(data, world_.notes);
  }

 private:
  struct Side {
    std::string_view word;
    OrderedMap<WorldItem>& items;
  };

  static WorldItem* findIn(OrderedMap<WorldItem>& items, std::string_view name,
                           WorldItem::Kind kind) {
    WorldItem* item = items.find(name);
    return item != nullptr && item->kind == kind ? item : nullptr;
  }

  // An import of this name, else an export.
  WorldItem* find(std::string_view name, WorldItem::Kind kind) {
    if (world_.imports.find(name) != nullptr) return findIn(world_.imports, name, kind);
    return findIn(world_.exports, name, kind);
  }

  // What stands above `import ns:package/interface;`.
  Result<> addReferences(const JsonValue& data, const Side& side) {
    const std::string prefix = "interface_" + std::string(side.word);
    TENON_CHECK(eachOf(data, prefix + "_stability",
                       [&](const std::string& name, const JsonValue& value) -> Result<> {
                         WorldItem* item = findIn(side.items, name, WorldItem::Kind::INTERFACE);
                         if (item == nullptr) return missing("interface", name);
                         TENON_TRY(item->notes.stability, stabilityOf(&value));
                         return {};
                       }));
    return eachOf(data, prefix + "_docs",
                  [&](const std::string& name, const JsonValue& value) -> Result<> {
                    WorldItem* item = findIn(side.items, name, WorldItem::Kind::INTERFACE);
                    if (item == nullptr) return missing("interface", name);
                    TENON_TRY(item->notes.docs, textOf(&value));
                    return {};
                  });
  }

  Result<> addInterface(WorldItem* item, std::string_view name, const JsonValue& data) {
    if (item == nullptr) return missing("interface", name);
    TENON_TRY(item->notes.stability, stabilityOf(data.find("stability")));
    return addToInterface(data, model_, model_.interfaces[item->index], members_);
  }

  static Result<> addFunction(WorldItem* item, std::string_view name, const JsonValue& data) {
    if (item == nullptr) return missing("function", name);
    return addToFunction(data, item->function);
  }

  Model& model_;
  World& world_;
  Members& members_;
};

}  // namespace

Result<> addPackageDocs(std::span<const std::byte> bytes, Model& model) {
  if (bytes.empty() || static_cast<uint8_t>(bytes[0]) > LATEST_VERSION) {
    return malformed("an unknown version");
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + 1, bytes.size() - 1);
  Result<JsonValue> data = readJson(text);
  if (!data) {
    Error error = std::move(data).error();
    error.message = "package-docs: " + error.message;
    if (error.offset) *error.offset += 1;
    return error;
  }
  Package& package = model.packages[model.main];
  Members members;
  TENON_CHECK(
      eachOf(*data, "worlds", [&](const std::string& name, const JsonValue& value) -> Result<> {
        const uint32_t* world = package.worlds.find(name);
        if (world == nullptr) return missing("world", name);
        return WorldDocs(model, model.worlds[*world], members).add(value);
      }));
  TENON_CHECK(
      eachOf(*data, "interfaces", [&](const std::string& name, const JsonValue& value) -> Result<> {
        const uint32_t* interface = package.interfaces.find(name);
        if (interface == nullptr) return missing("interface", name);
        return addToInterface(value, model, model.interfaces[*interface], members);
      }));
  TENON_TRY(package.notes.docs, textOf(data->find("docs")));
  return {};
}

}  // namespace tenon::component::wit
