#include "component/relink/shims.h"

#include "base/byte_writer.h"
#include "component/binary/core_module.h"

#include <memory>
#include <utility>

namespace tenon::component {
namespace {

constexpr uint8_t FUNCREF = 0x70, LOCAL_GET = 0x20, I32_CONST = 0x41, END = 0x0b;
constexpr uint8_t RETURN_CALL_INDIRECT = 0x13;

void writeTypes(ByteWriter& out, const std::vector<CoreValType>& types) {
  out.u32(static_cast<uint32_t>(types.size()));
  for (const CoreValType& type : types) out.u8(type.code);
}

std::vector<std::byte> writeShim(const ShimModule& shim) {
  auto functions = static_cast<uint32_t>(shim.names.size());
  ByteWriter out;
  out.text(std::string_view("\0asm\1\0\0\0", 8));
  out.section(1, [&] {
    out.u32(static_cast<uint32_t>(shim.types.size()));
    for (const CoreFuncType& type : shim.types) {
      out.u8(0x60);
      writeTypes(out, type.params);
      writeTypes(out, type.results);
    }
  });
  out.section(3, [&] {
    out.u32(functions);
    for (uint32_t type : shim.typeIndices) out.u32(type);
  });
  out.section(4, [&] {
    out.u32(1);
    out.u8(FUNCREF);
    out.u8(1);
    out.u32(shim.tableSize);
    out.u32(shim.tableSize);
  });
  out.section(7, [&] {
    out.u32(functions + 1);
    for (uint32_t i = 0; i < functions; ++i) {
      out.name(shim.names[i]);
      out.u8(0);
      out.u32(i);
    }
    out.name(shim.tableExport);
    out.u8(1);
    out.u32(0);
  });
  out.section(10, [&] {
    out.u32(functions);
    for (uint32_t i = 0; i < functions; ++i) {
      out.sized([&] {
        out.u32(0);  // locals
        size_t params = shim.types[shim.typeIndices[i]].params.size();
        for (size_t param = 0; param < params; ++param) {
          out.u8(LOCAL_GET);
          out.u32(static_cast<uint32_t>(param));
        }
        out.u8(I32_CONST);
        out.s32(static_cast<int32_t>(shim.slots[i]));
        out.u8(RETURN_CALL_INDIRECT);
        out.u32(shim.typeIndices[i]);
        out.u32(0);  // table
        out.u8(END);
      });
    }
  });
  return std::move(out).take();
}

}  // namespace

void tightenShims(Program& program) {
  for (ModuleBytes& module : program.modules) {
    if (module.generated) continue;
    auto shim = readShimModule(module.bytes);
    if (!shim) continue;
    auto storage = std::make_unique<std::vector<std::byte>>(writeShim(*shim));
    module.bytes = *storage;
    module.offset = NONE;
    module.generated = true;
    module.name = "shim of " + module.name;
    program.storage.push_back(std::move(storage));
  }
}

}  // namespace tenon::component
