#pragma once

// Writes one core module: imports first, then functions. Indices are final when they are given out,
// so all function imports must be declared before the first function.

#include "component/fuse/code_builder.h"
#include "component/program/program.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace tenon::component::adapt {

class ModuleBuilder {
 public:
  // The index of what satisfies the import; the same for the same item. `item` becomes the step's
  // argument.
  uint32_t importFunction(const CoreItem& item, const WasmSignature& signature);
  uint32_t importMemory(const CoreItem& item);
  uint32_t importTable(const CoreItem& item);

  // A memory of the module's own, exported. Before any function. At most one.
  uint32_t defineMemory(uint64_t pages, std::string_view exportName);

  // A new function; its body is written through the builder, which lives as long as the module.
  // Several may be under construction at the same time.
  struct Function {
    uint32_t index;
    CodeBuilder* code;
  };
  Function defineFunction(WasmSignature signature);
  void exportFunction(std::string_view name, uint32_t index);

  // Puts a function into a table when the module is instantiated. Slots of one table in ascending
  // order, one after the other, take one segment.
  void fillTable(uint32_t table, uint32_t slot, uint32_t function);

  // Bytes of code so far in the functions from the `first` one defined on.
  size_t codeSize(size_t first = 0) const;
  size_t largestFunction(size_t first) const;
  size_t functionCount() const { return functions_.size(); }

  std::vector<std::byte> bytes() const;
  // In the order of the module's imports.
  std::vector<CoreArg> takeArguments() { return std::move(arguments_); }

 private:
  using ItemKey = std::tuple<CoreItem::Kind, uint32_t, std::string>;
  enum class Sort : uint8_t { FUNC = 0, TABLE = 1, MEMORY = 2 };
  struct Import {
    Sort sort;
    uint32_t type = 0;
  };
  uint32_t typeIndex(const WasmSignature& signature);
  void addImport(const CoreItem& item, Import import);

  std::vector<WasmSignature> types_;
  std::map<WasmSignature, uint32_t> typeIndices_;
  std::vector<Import> imports_;
  std::vector<CoreArg> arguments_;
  std::map<ItemKey, uint32_t> functionIndices_, memoryIndices_, tableIndices_;
  uint32_t importedFunctions_ = 0, memories_ = 0;
  uint64_t ownPages_ = 0;                                   // 0: defines no memory
  std::deque<std::pair<uint32_t, CodeBuilder>> functions_;  // type, code
  struct Export {
    std::string name;
    Sort sort;
    uint32_t index;
  };
  std::vector<Export> exports_;
  struct Segment {
    uint32_t table, slot;
    std::vector<uint32_t> functions;
  };
  std::vector<Segment> segments_;
};

}  // namespace tenon::component::adapt
