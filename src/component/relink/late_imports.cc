// A caller whose adapter needs the caller's own memory. The shim of `wit-component` and what takes
// its place:
//
//     shim        caller     adapters    fixup            caller, written anew      adapters
//     table <-----------------------------.               (import "len")  unused     (memory of the
//       ^ call_indirect                   |               (table "tenon:late")  <--- caller, f of
//     "0" <------ call        needs -> caller's memory      ^ call_indirect          the callee)
//                                                         call                       fills it
//
//     four steps, two calls through a function each       two steps, one call through the table
//
// In the caller's code each `call $len` becomes `i32.const 0, call_indirect $late (type of $len)`,
// and nothing else changes: imports, indices, exports stay, one table and one export come last.

#include "component/relink/late_imports.h"

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "component/binary/core_module.h"
#include "component/binary/core_sections.h"
#include "component/binary/instructions.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace tenon::component {
namespace {

// What is written anew is kept with linked programs; of large modules two instances less are not
// worth that.
constexpr size_t MAX_MODULE_BYTES = size_t{2} << 20;
constexpr size_t MAX_PROGRAM_BYTES = size_t{16} << 20;
constexpr size_t PREAMBLE_BYTES = 8;
constexpr size_t MAX_BODY_BYTES = 7'000'000;  // the engine's limit is a little more
constexpr uint32_t MAX_TABLES = 8;            // defined ones; the pool of the engine has 16

constexpr uint8_t FUNCREF = 0x70, FUNC = 0x60, I32_CONST = 0x41;
constexpr uint8_t CALL_INDIRECT = 0x11, RETURN_CALL_INDIRECT = 0x13;
enum SectionId : uint8_t {
  CUSTOM = 0,
  TYPE = 1,
  IMPORT = 2,
  FUNCTION = 3,
  TABLE = 4,
  GLOBAL = 6,
  EXPORT = 7,
  START = 8,
  ELEMENT = 9,
  CODE = 10
};

Error refuse() { return {ErrorCode::UNSUPPORTED, "not followed"}; }

bool standsBeforeTables(uint8_t section) {
  return section == TYPE || section == IMPORT || section == FUNCTION;
}

class Binder {
 public:
  Binder(std::span<const std::byte> module, std::span<const uint32_t> positions)
      : module_(module), positions_(positions) {}

  Result<LateModule> run() {
    if (module_.size() > MAX_MODULE_BYTES || positions_.empty()) return refuse();
    TENON_CHECK(readInterface());
    TENON_TRY(auto sections, CoreSectionReader::open(module_, 0));
    out_.reserve(module_.size() + module_.size() / 8);
    out_.bytes(module_.first(PREAMBLE_BYTES));
    while (!sections.atEnd()) {
      TENON_TRY(auto section, sections.next());
      TENON_CHECK(copySection(static_cast<uint8_t>(section.id), section.content.rest()));
    }
    if (!tableWritten_ || !tableExported_) return refuse();
    return LateModule{std::move(out_).take(), std::move(tableName_)};
  }

 private:
  struct Import {
    uint32_t type = 0;
    uint32_t slot = 0;
  };

  Result<void> readInterface() {
    TENON_TRY(CoreModuleInterface interface, readCoreModule(module_, 0));
    if (interface.hasStart) return refuse();
    uint32_t functions = 0;
    uint32_t slot = 0;  // the next
    for (uint32_t i = 0; i < interface.imports.size(); ++i) {
      const CoreExternType& type = interface.imports[i].type;
      bool isLate = slot < positions_.size() && positions_[slot] == i;
      if (type.kind == CoreExternKind::TABLE) ++table_;
      if (type.kind == CoreExternKind::FUNC) {
        if (isLate) late_[functions] = {type.typeIndex, slot++};
        ++functions;
      } else if (isLate) {
        return refuse();
      }
    }
    if (late_.size() != positions_.size()) return refuse();
    for (bool taken = true; taken;) {
      taken = std::ranges::any_of(interface.exports, [this](const CoreExportDecl& entry) {
        return entry.name == tableName_;
      });
      if (taken) tableName_ += '\'';
    }
    return {};
  }

  bool isLate(const Instruction& instruction) const { return late_.contains(instruction.function); }

  Result<void> copySection(uint8_t id, std::span<const std::byte> content) {
    ByteReader in(content);
    if (id == CUSTOM) {
      // Others may name places in the code.
      TENON_TRY(std::string_view name, in.name());
      if (name == "name") copy(id, content);
      return {};
    }
    if (id == TABLE) return writeTables(in);
    if (!standsBeforeTables(id) && !tableWritten_) {
      ByteReader none{std::span<const std::byte>()};
      TENON_CHECK(writeTables(none));
    }
    switch (id) {
      case TYPE:
        TENON_CHECK(checkTypes(in));
        break;
      case GLOBAL:
        TENON_CHECK(checkConstants(in, readGlobals));
        break;
      case EXPORT:
        return writeExports(in);
      case ELEMENT:
        TENON_CHECK(checkConstants(in, readElements));
        break;
      case CODE:
        return writeCode(in);
      case START:
        return refuse();
      default:
        break;
    }
    copy(id, content);
    return {};
  }

  void copy(uint8_t id, std::span<const std::byte> content) {
    out_.section(id, [&] { out_.bytes(content); });
  }

  // Nothing but plain function types: an indirect call wants the very type of the function.
  Result<void> checkTypes(ByteReader& in) {
    TENON_TRY(uint32_t count, in.count("types", 1'000'000));
    for (uint32_t i = 0; i < count; ++i) {
      TENON_TRY(uint8_t form, in.u8());
      if (form != FUNC) return refuse();
      for (int list = 0; list < 2; ++list) {
        TENON_TRY(uint32_t types, in.count("types", 1000));
        for (uint32_t type = 0; type < types; ++type) {
          TENON_TRY(uint8_t code, in.u8());
          bool plain = (code >= 0x7b && code <= 0x7f) || code == 0x70 || code == 0x6f;
          if (!plain) return refuse();
        }
      }
    }
    return {};
  }

  Result<void> writeTables(ByteReader& in) {
    if (tableWritten_) return refuse();
    tableWritten_ = true;
    uint32_t defined = 0;
    if (!in.atEnd()) {
      ByteReader constants = in;
      TENON_CHECK(checkConstants(constants, readTables));
      TENON_TRY(defined, in.u32());
      if (defined >= MAX_TABLES) return refuse();
    }
    table_ += defined;
    auto slots = static_cast<uint32_t>(positions_.size());
    out_.section(TABLE, [&] {
      out_.u32(defined + 1);
      out_.bytes(in.rest());
      out_.u8(FUNCREF);
      out_.u8(1);
      out_.u32(slots);
      out_.u32(slots);
    });
    return {};
  }

  template <typename Read>
  Result<void> checkConstants(ByteReader& in, const Read& read) const {
    bool found = false;
    TENON_CHECK(read(in, [&](const Instruction& instruction, bool) {
      found = found || (instruction.kind == Instruction::Kind::REFERENCE && isLate(instruction));
    }));
    if (found || !in.atEnd()) return refuse();
    return {};
  }

  Result<void> writeExports(ByteReader& in) {
    TENON_TRY(uint32_t count, in.count("exports", 1'000'000));
    ByteReader entries = in;
    for (uint32_t i = 0; i < count; ++i) {
      TENON_TRY([[maybe_unused]] auto name, entries.name());
      TENON_TRY(uint8_t kind, entries.u8());
      TENON_TRY(uint32_t index, entries.u32());
      if (kind == 0 && late_.contains(index)) return refuse();
    }
    if (!entries.atEnd()) return refuse();
    tableExported_ = true;
    out_.section(EXPORT, [&] {
      out_.u32(count + 1);  // guest-ok: at most a million
      out_.bytes(in.rest());
      out_.name(tableName_);
      out_.u8(1);
      out_.u32(table_);
    });
    return {};
  }

  Result<void> writeCode(ByteReader& in) {
    TENON_TRY(uint32_t count, in.u32());
    Result<void> done;
    out_.section(CODE, [&] {
      out_.u32(count);
      for (uint32_t i = 0; i < count && done; ++i) done = writeBody(in);
    });
    if (done && !in.atEnd()) return refuse();
    return done;
  }

  Result<void> writeBody(ByteReader& in) {
    TENON_TRY(uint32_t size, in.u32());
    TENON_TRY(auto body, in.take(size, "function"));
    ByteReader code(body);
    TENON_CHECK(skipLocals(code));
    struct Call {
      uint64_t begin, end;
      Instruction instruction;
    };
    std::vector<Call> calls;
    while (!code.atEnd()) {
      uint64_t begin = code.offset();
      TENON_TRY(Instruction instruction, readInstruction(code));
      switch (instruction.kind) {
        case Instruction::Kind::CALL:
        case Instruction::Kind::RETURN_CALL:
          if (isLate(instruction)) calls.push_back({begin, code.offset(), instruction});
          break;
        case Instruction::Kind::REFERENCE:
          if (isLate(instruction)) return refuse();
          break;
        default:
          break;
      }
    }
    size_t start = out_.size();
    out_.sized([&] {
      uint64_t copied = 0;
      for (const Call& call : calls) {
        out_.bytes(body.subspan(copied, call.begin - copied));
        copied = call.end;
        const Import& import = late_.at(call.instruction.function);
        bool leaves = call.instruction.kind == Instruction::Kind::RETURN_CALL;
        out_.u8(I32_CONST);
        out_.s32(static_cast<int32_t>(import.slot));
        out_.u8(leaves ? RETURN_CALL_INDIRECT : CALL_INDIRECT);
        out_.u32(import.type);
        out_.u32(table_);
      }
      out_.bytes(body.subspan(copied));
    });
    if (out_.size() - start > MAX_BODY_BYTES) return refuse();
    return {};
  }

  std::span<const std::byte> module_;
  std::span<const uint32_t> positions_;
  ByteWriter out_;
  std::map<uint32_t, Import> late_;  // by function
  std::string tableName_ = "tenon:late";
  uint32_t table_ = 0;  // its index; before the table section: the imported ones
  bool tableWritten_ = false, tableExported_ = false;
};

}  // namespace

std::optional<LateModule> bindLate(std::span<const std::byte> module,
                                   std::span<const uint32_t> positions) {
  auto bound = Binder(module, positions).run();
  if (!bound) return std::nullopt;
  return *std::move(bound);
}

bool LateBudget::allows(uint32_t module, std::span<const std::byte> bytes,
                        const std::vector<uint32_t>& positions) {
  auto [found, added] = known_.try_emplace({module, positions}, false);
  if (!added || bytes.size() > MAX_PROGRAM_BYTES - bytes_) return found->second;
  bytes_ += bytes.size();
  found->second = bindLate(bytes, positions).has_value();
  return found->second;
}

bool runsCode(std::span<const std::byte> module) {
  auto interface = readCoreModule(module, 0);
  return !interface || interface->hasStart;
}

}  // namespace tenon::component
