#include "component/fuse/module_builder.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace tenon::component::adapt {
namespace {

constexpr uint8_t FUNCREF = 0x70, I32_CONST = 0x41, END = 0x0b;

void writeTypes(ByteWriter& out, const std::vector<WasmType>& types) {
  out.u32(static_cast<uint32_t>(types.size()));
  for (WasmType type : types) out.u8(static_cast<uint8_t>(type));
}

}  // namespace

uint32_t ModuleBuilder::typeIndex(const WasmSignature& signature) {
  auto [found, added] = typeIndices_.emplace(signature, static_cast<uint32_t>(types_.size()));
  if (added) types_.push_back(signature);
  return found->second;
}

void ModuleBuilder::addImport(const CoreItem& item, Import import) {
  arguments_.push_back({"tenon", std::to_string(imports_.size()), item});
  imports_.push_back(import);
}

uint32_t ModuleBuilder::importFunction(const CoreItem& item, const WasmSignature& signature) {
  auto [found, added] =
      functionIndices_.emplace(ItemKey{item.kind, item.index, item.name}, importedFunctions_);
  if (added) {
    assert(functions_.empty());
    addImport(item, {Sort::FUNC, typeIndex(signature)});
    ++importedFunctions_;
  }
  return found->second;
}

uint32_t ModuleBuilder::importMemory(const CoreItem& item) {
  auto [found, added] =
      memoryIndices_.emplace(ItemKey{item.kind, item.index, item.name}, memories_);
  if (added) {
    assert(ownPages_ == 0);
    addImport(item, {Sort::MEMORY, 0});
    ++memories_;
  }
  return found->second;
}

uint32_t ModuleBuilder::importTable(const CoreItem& item) {
  auto [found, added] =
      tableIndices_.emplace(ItemKey{item.kind, item.index, item.name}, tableIndices_.size());
  if (added) addImport(item, {Sort::TABLE, 0});
  return found->second;
}

uint32_t ModuleBuilder::defineMemory(uint64_t pages, std::string_view exportName) {
  assert(ownPages_ == 0);
  ownPages_ = pages;
  exports_.push_back({std::string(exportName), Sort::MEMORY, memories_});
  return memories_++;
}

ModuleBuilder::Function ModuleBuilder::defineFunction(WasmSignature signature) {
  uint32_t type = typeIndex(signature);
  auto index = static_cast<uint32_t>(importedFunctions_ + functions_.size());
  functions_.emplace_back(std::piecewise_construct, std::forward_as_tuple(type),
                          std::forward_as_tuple(std::move(signature)));
  return {index, &functions_.back().second};
}

void ModuleBuilder::exportFunction(std::string_view name, uint32_t index) {
  exports_.push_back({std::string(name), Sort::FUNC, index});
}

void ModuleBuilder::fillTable(uint32_t table, uint32_t slot, uint32_t function) {
  if (segments_.empty() || segments_.back().table != table ||
      segments_.back().slot + segments_.back().functions.size() != slot) {
    segments_.push_back({table, slot, {}});
  }
  segments_.back().functions.push_back(function);
}

size_t ModuleBuilder::codeSize(size_t first) const {
  size_t size = 0;
  for (size_t i = first; i < functions_.size(); ++i) size += functions_[i].second.size();
  return size;
}

size_t ModuleBuilder::largestFunction(size_t first) const {
  size_t size = 0;
  for (size_t i = first; i < functions_.size(); ++i) {
    size = std::max(size, functions_[i].second.size());
  }
  return size;
}

std::vector<std::byte> ModuleBuilder::bytes() const {
  ByteWriter out;
  out.text(std::string_view("\0asm\1\0\0\0", 8));
  out.section(1, [&] {
    out.u32(static_cast<uint32_t>(types_.size()));
    for (const WasmSignature& type : types_) {
      out.u8(0x60);
      writeTypes(out, type.params);
      writeTypes(out, type.results);
    }
  });
  out.section(2, [&] {
    out.u32(static_cast<uint32_t>(imports_.size()));
    for (size_t i = 0; i < imports_.size(); ++i) {
      out.name(arguments_[i].module);
      out.name(arguments_[i].name);
      out.u8(static_cast<uint8_t>(imports_[i].sort));
      if (imports_[i].sort == Sort::FUNC) {
        out.u32(imports_[i].type);
        continue;
      }
      if (imports_[i].sort == Sort::TABLE) out.u8(FUNCREF);
      out.u8(0);  // of at least no pages or slots: every 32-bit memory or table will do
      out.u32(0);
    }
  });
  out.section(3, [&] {
    out.u32(static_cast<uint32_t>(functions_.size()));
    for (const auto& [type, code] : functions_) out.u32(type);
  });
  if (ownPages_ != 0) {
    out.section(5, [&] {
      out.u32(1);
      out.u8(1);
      out.u64(ownPages_);
      out.u64(ownPages_);
    });
  }
  out.section(7, [&] {
    out.u32(static_cast<uint32_t>(exports_.size()));
    for (const Export& entry : exports_) {
      out.name(entry.name);
      out.u8(static_cast<uint8_t>(entry.sort));
      out.u32(entry.index);
    }
  });
  if (!segments_.empty()) {
    out.section(9, [&] {
      out.u32(static_cast<uint32_t>(segments_.size()));
      for (const Segment& segment : segments_) {
        out.u32(2);  // active, with a table, of functions
        out.u32(segment.table);
        out.u8(I32_CONST);
        out.s32(static_cast<int32_t>(segment.slot));
        out.u8(END);
        out.u8(0);
        out.u32(static_cast<uint32_t>(segment.functions.size()));
        for (uint32_t function : segment.functions) out.u32(function);
      }
    });
  }
  out.section(10, [&] {
    out.u32(static_cast<uint32_t>(functions_.size()));
    for (const auto& [type, code] : functions_) out.sized([&] { code.write(out); });
  });
  return std::move(out).take();
}

}  // namespace tenon::component::adapt
