#pragma once

// What the component level sees of a core module: its imports and exports with their types. Code is
// the engine's business. Also recognises the two helper modules that `wit-component` adds (see
// `relink/elide.h`), for which it reads bodies and element segments.

#include "component/binary/definitions.h"

#include <tenon/result.h>

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace tenon::component {

struct CoreModuleInterface {
  std::vector<CoreImportDecl> imports;  // in order; function types resolved
  std::vector<CoreExportDecl> exports;  // in order; function types resolved
  bool hasStart = false;
};

// The types of a module's exports by name. They live in `interface`.
using ExportTypes = std::map<std::string_view, const CoreExternType*>;
inline ExportTypes exportTypes(const CoreModuleInterface& interface) {
  ExportTypes types;
  for (const CoreExportDecl& entry : interface.exports) types.emplace(entry.name, &entry.type);
  return types;
}

// Reads types, imports, functions, tables, memories, globals, tags and exports. `baseOffset` is
// added to the offsets in errors. Names borrow `bytes`.
// Errors, with an offset: MALFORMED; UNSUPPORTED for core features that the engine has not either
// (shared types, continuations); LIMIT_EXCEEDED. Does not validate code.
Result<CoreModuleInterface> readCoreModule(std::span<const std::byte> bytes, uint64_t baseOffset);

// `wit-component`'s "shim": imports nothing, defines one funcref table and functions that each pass
// their parameters to one fixed slot of it by `call_indirect`, and exports them. `slots[i]` belongs
// to the export named `names[i]`, whose type is `types[typeIndices[i]]`. Empty when the module is
// anything else, in the slightest; so a module that is recognised is also valid. Names are
// distinct, slots too, and below `tableSize`, the table's fixed size.
struct ShimModule {
  std::string_view tableExport;
  uint32_t tableSize = 0;
  std::vector<std::string_view> names;
  std::vector<uint32_t> slots;
  std::vector<uint32_t> typeIndices;
  std::vector<CoreFuncType> types;
};
std::optional<ShimModule> readShimModule(std::span<const std::byte> bytes);

// Its "fixup": imports one table and functions, and only fills the table from slot `offset` on with
// imported functions (indices into `functions`; function i has the type `types[typeIndices[i]]`).
// Slot `offset + i` gets `functions[elements[i]]`; all slots are below `tableSize`, the size that
// the imported table has at least. Empty when it is anything else.
struct FixupModule {
  struct Name {
    std::string_view module, name;
  };
  Name table;
  uint32_t tableSize = 0;
  std::vector<Name> functions;
  std::vector<uint32_t> typeIndices;
  std::vector<CoreFuncType> types;
  uint32_t offset = 0;
  std::vector<uint32_t> elements;  // indices into `functions`
};
std::optional<FixupModule> readFixupModule(std::span<const std::byte> bytes);

}  // namespace tenon::component
