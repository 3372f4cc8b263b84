#include "component/binary/instructions.h"

namespace tenon::component {
namespace {

Error notFollowed() { return {ErrorCode::UNSUPPORTED, "not followed"}; }

Result<void> skipMemarg(ByteReader& in) {
  TENON_TRY(uint32_t flags, in.u32());
  if (flags & 0x40) TENON_CHECK(skipU32(in));
  TENON_TRY([[maybe_unused]] uint64_t offset, in.u64());
  return {};
}

Result<void> skipBytes(ByteReader& in, uint32_t count) {
  TENON_TRY([[maybe_unused]] auto bytes, in.take(count, "constant"));
  return {};
}

Result<Instruction> skipBulk(ByteReader& in) {
  Instruction instruction;
  TENON_TRY(uint32_t opcode, in.u32());
  if (opcode >= 14 && opcode <= 17 && opcode != 16)
    instruction.kind = Instruction::Kind::CHANGES_TABLE;
  uint32_t operands = 0;
  switch (opcode) {
    case 8:   // memory.init
    case 10:  // memory.copy
    case 12:  // table.init
    case 14:  // table.copy
      operands = 2;
      break;
    case 9:
    case 11:
    case 13:
    case 15:
    case 16:
    case 17:
      operands = 1;
      break;
    default:
      if (opcode > 22) return notFollowed();
  }
  TENON_CHECK(skipU32(in, operands));
  return instruction;
}

Result<void> skipVector(ByteReader& in) {
  TENON_TRY(uint32_t opcode, in.u32());
  bool lane = opcode >= 84 && opcode <= 91;
  if (opcode <= 11 || lane || opcode == 92 || opcode == 93) TENON_CHECK(skipMemarg(in));
  if (opcode == 12 || opcode == 13) return skipBytes(in, 16);
  if (lane || (opcode >= 21 && opcode <= 34)) return skipBytes(in, 1);
  if (opcode > 0x1ff) return notFollowed();
  return {};
}

Result<void> skipAtomic(ByteReader& in) {
  TENON_TRY(uint32_t opcode, in.u32());
  if (opcode == 3) return skipBytes(in, 1);
  return skipMemarg(in);
}

Result<void> skipTryTable(ByteReader& in) {
  TENON_CHECK(skipType(in));
  TENON_TRY(uint32_t catches, in.u32());
  for (uint32_t i = 0; i < catches; ++i) {
    TENON_TRY(uint8_t kind, in.u8());
    if (kind > 3) return notFollowed();
    TENON_CHECK(skipU32(in, kind < 2 ? 2 : 1));
  }
  return {};
}

// A constant expression.
Result<void> readConstant(ByteReader& in, const VisitConstant& visit, bool isElement) {
  while (true) {
    TENON_TRY(Instruction instruction, readInstruction(in));
    if (instruction.kind == Instruction::Kind::END) return {};
    visit(instruction, isElement);
  }
}

}  // namespace

Result<void> skipType(ByteReader& in) {
  TENON_TRY(int64_t type, in.s33());
  if (type != -28 && type != -29) return {};  // not `(ref null? heap type)`
  TENON_TRY([[maybe_unused]] int64_t heap, in.s33());
  return {};
}

Result<void> skipU32(ByteReader& in, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    TENON_TRY([[maybe_unused]] uint32_t value, in.u32());
  }
  return {};
}

Result<void> skipLimits(ByteReader& in) {
  TENON_TRY(uint8_t flags, in.u8());
  if (flags > 7) return notFollowed();  // custom page sizes
  TENON_TRY([[maybe_unused]] uint64_t least, in.u64());
  if (flags & 1) {
    TENON_TRY([[maybe_unused]] uint64_t most, in.u64());
  }
  return {};
}

Result<void> skipLocals(ByteReader& in) {
  TENON_TRY(uint32_t runs, in.count("locals", 1'000'000));
  for (uint32_t i = 0; i < runs; ++i) {
    TENON_CHECK(skipU32(in));
    TENON_CHECK(skipType(in));
  }
  return {};
}

Result<Instruction> readInstruction(ByteReader& in) {
  using Kind = Instruction::Kind;
  Instruction instruction;
  TENON_TRY(uint8_t opcode, in.u8());
  if (opcode >= 0x45 && opcode <= 0xc4) return instruction;  // numeric
  if (opcode >= 0x28 && opcode <= 0x3e) {                    // loads and stores
    TENON_CHECK(skipMemarg(in));
    return instruction;
  }
  switch (opcode) {
    case 0x00:  // unreachable
    case 0x01:
    case 0x05:  // else
    case 0x0a:  // throw_ref
    case 0x0f:
    case 0x1a:
    case 0x1b:
    case 0xd1:  // ref.is_null
      return instruction;
    case 0x0b:
      instruction.kind = Kind::END;
      return instruction;
    case 0x02:
    case 0x03:
    case 0x04:
      TENON_CHECK(skipType(in));
      return instruction;
    case 0x1f:
      TENON_CHECK(skipTryTable(in));
      return instruction;
    case 0x0e: {  // br_table
      TENON_TRY(uint32_t labels, in.count("labels", 1'000'000));
      TENON_CHECK(skipU32(in, labels + 1));  // guest-ok: at most a million
      return instruction;
    }
    case 0x10:
    case 0x12:
    case 0xd2: {
      instruction.kind = opcode == 0x10   ? Kind::CALL
                         : opcode == 0x12 ? Kind::RETURN_CALL
                                          : Kind::REFERENCE;
      TENON_TRY(instruction.function, in.u32());
      return instruction;
    }
    case 0x11:
    case 0x13:
      instruction.kind = Kind::CALL_INDIRECT;
      TENON_CHECK(skipU32(in, 2));
      return instruction;
    case 0x1c: {  // select with types
      TENON_TRY(uint32_t types, in.count("types", 1000));
      for (uint32_t i = 0; i < types; ++i) TENON_CHECK(skipType(in));
      return instruction;
    }
    case 0x23:
      instruction.kind = Kind::GLOBAL_GET;
      TENON_CHECK(skipU32(in));
      return instruction;
    case 0x26:
      instruction.kind = Kind::CHANGES_TABLE;
      TENON_CHECK(skipU32(in));
      return instruction;
    case 0x08:  // throw
    case 0x0c:
    case 0x0d:
    case 0x20:
    case 0x21:
    case 0x22:
    case 0x24:
    case 0x25:
    case 0x3f:
    case 0x40:
      TENON_CHECK(skipU32(in));
      return instruction;
    case 0x41: {
      TENON_TRY([[maybe_unused]] int32_t constant, in.s32());
      return instruction;
    }
    case 0x42: {
      TENON_TRY([[maybe_unused]] int64_t constant, in.s64());
      return instruction;
    }
    case 0x43:
      TENON_CHECK(skipBytes(in, 4));
      return instruction;
    case 0x44:
      TENON_CHECK(skipBytes(in, 8));
      return instruction;
    case 0xd0:
      TENON_CHECK(skipType(in));
      return instruction;
    case 0xfc:
      return skipBulk(in);
    case 0xfd:
      TENON_CHECK(skipVector(in));
      return instruction;
    case 0xfe:
      TENON_CHECK(skipAtomic(in));
      return instruction;
    default:
      return notFollowed();  // typed references, GC, old exception handling
  }
}

Result<void> readTables(ByteReader& in, const VisitConstant& visit) {
  constexpr uint8_t WITH_INITIAL_VALUE = 0x40;
  TENON_TRY(uint32_t count, in.count("tables", 1'000'000));
  for (uint32_t i = 0; i < count; ++i) {
    bool initial = in.peek() == WITH_INITIAL_VALUE;
    if (initial) {
      TENON_TRY(auto head, in.take(2, "table"));
      if (head[1] != std::byte{0}) return notFollowed();
    }
    TENON_CHECK(skipType(in));
    TENON_CHECK(skipLimits(in));
    if (initial) TENON_CHECK(readConstant(in, visit, true));
  }
  return {};
}

Result<void> readGlobals(ByteReader& in, const VisitConstant& visit) {
  TENON_TRY(uint32_t count, in.count("globals", 1'000'000));
  for (uint32_t i = 0; i < count; ++i) {
    TENON_CHECK(skipType(in));
    TENON_CHECK(skipBytes(in, 1));
    TENON_CHECK(readConstant(in, visit, false));
  }
  return {};
}

Result<void> readElements(ByteReader& in, const VisitConstant& visit) {
  TENON_TRY(uint32_t count, in.count("element segments", 1'000'000));
  for (uint32_t i = 0; i < count; ++i) {
    TENON_TRY(uint32_t flags, in.u32());
    if (flags > 7) return notFollowed();
    bool active = (flags & 1) == 0, expressions = (flags & 4) != 0;
    if (active && (flags & 2)) TENON_CHECK(skipU32(in));
    if (active) TENON_CHECK(readConstant(in, visit, false));
    if (flags & 3) TENON_CHECK(skipType(in));  // or a kind, one byte
    TENON_TRY(uint32_t items, in.count("elements", 10'000'000));
    for (uint32_t item = 0; item < items; ++item) {
      if (expressions) {
        TENON_CHECK(readConstant(in, visit, true));
      } else {
        Instruction reference{Instruction::Kind::REFERENCE};
        TENON_TRY(reference.function, in.u32());
        visit(reference, true);
      }
    }
  }
  return {};
}

}  // namespace tenon::component
