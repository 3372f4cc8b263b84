#pragma once

// What the symbolic instantiation works on, private to this part. Running a component means walking
// its definitions in a *scope*: one component instance's index spaces, filled with concrete things
// instead of declarations. A component value is a closure: the definitions and the scope in which
// they stand. Types of components and instances are closures too, evaluated only where the
// outermost component imports them.
//
// Everything here is owned by the Flattener and lives as long as it.

#include "component/binary/definitions.h"
#include "component/program/program.h"

#include <tenon/type.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tenon::component {

struct Scope;

// A lifted or an imported function.
struct FuncItem {
  enum class Kind : uint8_t { LIFTED, IMPORTED };
  Kind kind = Kind::IMPORTED;
  uint32_t index = NONE;  // of Flattener::lifted, or of Program::imports
};

// An evaluated type: exactly one of the members is set.
struct TypeItem {
  const Type* value = nullptr;
  const FuncType* func = nullptr;
  uint32_t resource = NONE;
  const TypeDef* closure = nullptr;  // a component or instance type, standing in `scope`
  Scope* scope = nullptr;
};

struct ClosureItem {
  const Component* component = nullptr;
  Scope* scope = nullptr;  // in which it stands; null for the outermost
};

struct ModuleItem {
  const CoreModule* module = nullptr;
  uint64_t offset = 0;
};

struct InstanceItem;

using Item =
    std::variant<std::monostate, FuncItem, TypeItem, ClosureItem, ModuleItem, const InstanceItem*>;

// A component-level instance: its exports in order.
struct InstanceItem {
  struct Entry {
    std::string_view name;
    Sort sort = Sort::FUNC;
    Item item;
  };
  std::vector<Entry> exports;
  std::map<std::string_view, size_t> byName;

  void add(std::string_view name, Sort sort, Item item) {
    byName.emplace(name, exports.size());
    exports.push_back({name, sort, item});
  }
};

// A core instance: a step of the program, or a bag of items.
struct CoreInstanceItem {
  uint32_t step = NONE;
  std::map<std::string_view, CoreItem> exports;
};

// One component instance's, or one type's, index spaces.
struct Scope {
  Scope* parent = nullptr;
  uint32_t instance = 0;
  uint32_t depth = 0;                       // of instantiations under way
  const InstanceItem* arguments = nullptr;  // null in types
  bool importsFromHost = false;  // what `arguments` lack becomes an import of the program
  std::string_view interface;    // of an imported instance's type: where its functions are from

  std::vector<CoreItem> coreFuncs, coreTables, coreMemories, coreGlobals, coreTags;
  uint32_t coreTypes = 0;  // only counted
  std::vector<ModuleItem> coreModules;
  std::vector<const CoreInstanceItem*> coreInstances;
  std::vector<FuncItem> funcs;
  std::vector<TypeItem> types;
  std::vector<ClosureItem> components;
  std::vector<const InstanceItem*> instances;

  std::vector<CoreItem>* coreSpace(Sort sort) {
    switch (sort) {
      case Sort::CORE_FUNC:
        return &coreFuncs;
      case Sort::CORE_TABLE:
        return &coreTables;
      case Sort::CORE_MEMORY:
        return &coreMemories;
      case Sort::CORE_GLOBAL:
        return &coreGlobals;
      case Sort::CORE_TAG:
        return &coreTags;
      default:
        return nullptr;
    }
  }
};

}  // namespace tenon::component
