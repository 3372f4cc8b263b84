#pragma once

// WIT as a graph: packages of interfaces and worlds, with functions and types that refer to one
// another by index. What the decoder makes, the documentation is put into, and the printers read.
// Names are borrowed from the component's bytes unless they are std::string.

#include "component/wit/extern_name.h"
#include "component/wit/ordered_map.h"

#include <tenon/type.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::component::wit {

struct Stability {
  enum class Kind : uint8_t { UNKNOWN, STABLE, UNSTABLE };
  Kind kind = Kind::UNKNOWN;
  std::string subject;                    // STABLE: the version; UNSTABLE: the feature
  std::optional<std::string> deprecated;  // since this version

  bool operator==(const Stability&) const = default;
};

// What stands above a declaration.
struct Notes {
  std::optional<std::string> docs;
  Stability stability;
  std::optional<std::string_view> externalId;
};

struct TypeRef {
  bool isPrimitive = true;
  TypeKind primitive = TypeKind::BOOL;
  uint32_t index = 0;  // into Model::types
};

struct Owner {
  enum class Kind : uint8_t { NONE, WORLD, INTERFACE };
  Kind kind = Kind::NONE;
  uint32_t index = 0;

  bool operator==(const Owner&) const = default;
};

struct Member {
  std::string_view label;
  std::optional<TypeRef> type;
  std::optional<std::string> docs;
};

struct TypeDef {
  enum class Form : uint8_t {
    ALIAS,  // of `target`: `type a = b`, or a `use` when the owners differ
    RESOURCE,
    DEFINED,  // as `kind` says; members as in DefinedNode::parts
  };
  std::optional<std::string_view> name;
  Form form = Form::DEFINED;
  TypeKind kind = TypeKind::BOOL;
  TypeRef target;
  std::vector<Member> members;
  bool isMap = false;              // LIST
  std::optional<uint32_t> length;  // LIST
  uint32_t resource = 0;           // OWN, BORROW: index into Model::types
  Owner owner;
  Notes notes;
};

struct Param {
  std::string_view name;
  TypeRef type;
};

struct Function {
  std::string_view name;  // as in the binary: "[method]counter.increment"
  PlainName parts;
  uint32_t resource = 0;  // unless FREE: index into Model::types
  bool async = false;
  std::vector<Param> params;  // of a method: `self` first
  std::optional<TypeRef> result;
  Notes notes;

  bool isFree() const { return parts.form == FuncForm::FREE; }
};

struct Interface {
  std::optional<std::string_view> name;  // absent: written in place in a world
  std::string id;                        // "ns:package/name@version"; empty without a name
  OrderedMap<uint32_t> types;            // indices into Model::types
  OrderedMap<Function> functions;
  std::optional<uint32_t> package;
  Notes notes;
};

struct WorldItem {
  enum class Kind : uint8_t { INTERFACE, FUNCTION, TYPE };
  Kind kind = Kind::INTERFACE;
  bool hasLabel = true;  // false: an interface under its own name
  uint32_t index = 0;    // of the interface or type
  Function function;
  Notes notes;  // INTERFACE; the others have their own
};

struct World {
  std::string_view name;
  OrderedMap<WorldItem> imports, exports;  // by label, or the id of the interface
  std::optional<uint32_t> package;
  Notes notes;
};

struct Package {
  std::string ns, name;
  std::optional<std::string> version;
  OrderedMap<uint32_t> interfaces, worlds;
  Notes notes;

  std::string id() const {  // "ns:name@version"
    return ns + ":" + name + (version ? "@" + *version : "");
  }
};

struct Model {
  std::deque<TypeDef> types;
  std::deque<Interface> interfaces;
  std::deque<World> worlds;
  std::deque<Package> packages;  // each after those that it uses types of, but `main` anywhere
  uint32_t main = 0;             // the package of the input itself
  std::optional<uint32_t> root;  // the component's world; absent for a WIT package in binary form
};

}  // namespace tenon::component::wit
