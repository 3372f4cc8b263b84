// The part of Crossing for strings: which way they go, and the two validators. `transcode.cc`
// changes encodings. Source: CanonicalABI.md `load_string_from_range`, `store_string_into_range`.

#include "component/fuse/crossing.h"

#include <array>

namespace tenon::component::adapt {
namespace {

// Marks a length of `latin1+utf16` as utf-16 code units.
constexpr uint32_t UTF16_TAG = uint32_t{1} << 31;

using Bytes16 = std::array<uint8_t, 16>;

Expr constant(const Bytes16& bytes) { return Expr::v128(bytes); }

Expr splat(uint8_t byte) {
  Bytes16 bytes;
  bytes.fill(byte);
  return constant(bytes);
}

// -- The table method of Keiser and Lemire, "Validating UTF-8 In Less Than One Instruction Per
// Byte" ----
//
// Three lookups, by the high and the low half of a byte and by the high half of the next one, give
// the errors that each allows; an error is there if all three allow it. Continuations of three-byte
// and four-byte sequences are checked apart, by CONT_PAIR: two continuations in a row are an error
// just where no lead byte asks for them.
constexpr uint8_t TOO_SHORT = 1 << 0;   // a lead without continuation
constexpr uint8_t TOO_LONG = 1 << 1;    // ASCII and a continuation
constexpr uint8_t OVERLONG_3 = 1 << 2;  // 1110_0000 100x_xxxx
constexpr uint8_t TOO_LARGE = 1 << 3;   // 1111_0100 1001_xxxx and above
constexpr uint8_t SURROGATE = 1 << 4;   // 1110_1101 101x_xxxx
constexpr uint8_t OVERLONG_2 = 1 << 5;  // 1100_000x 10xx_xxxx
constexpr uint8_t OVERLONG_4 = 1 << 6;  // 1111_0000 1000_xxxx, and 1111_0101 1000_xxxx and above
constexpr uint8_t CONT_PAIR = 1 << 7;
constexpr uint8_t CARRY = TOO_SHORT | TOO_LONG | CONT_PAIR;

constexpr Bytes16 BY_FIRST_HIGH = {TOO_LONG,
                                   TOO_LONG,
                                   TOO_LONG,
                                   TOO_LONG,
                                   TOO_LONG,
                                   TOO_LONG,
                                   TOO_LONG,
                                   TOO_LONG,
                                   CONT_PAIR,
                                   CONT_PAIR,
                                   CONT_PAIR,
                                   CONT_PAIR,
                                   TOO_SHORT | OVERLONG_2,
                                   TOO_SHORT,
                                   TOO_SHORT | OVERLONG_3 | SURROGATE,
                                   TOO_SHORT | TOO_LARGE | OVERLONG_4};
constexpr Bytes16 BY_FIRST_LOW = {CARRY | OVERLONG_3 | OVERLONG_2 | OVERLONG_4,
                                  CARRY | OVERLONG_2,
                                  CARRY,
                                  CARRY,
                                  CARRY | TOO_LARGE,
                                  CARRY | TOO_LARGE | OVERLONG_4,
                                  CARRY | TOO_LARGE | OVERLONG_4,
                                  CARRY | TOO_LARGE | OVERLONG_4,
                                  CARRY | TOO_LARGE | OVERLONG_4,
                                  CARRY | TOO_LARGE | OVERLONG_4,
                                  CARRY | TOO_LARGE | OVERLONG_4,
                                  CARRY | TOO_LARGE | OVERLONG_4,
                                  CARRY | TOO_LARGE | OVERLONG_4,
                                  CARRY | TOO_LARGE | OVERLONG_4 | SURROGATE,
                                  CARRY | TOO_LARGE | OVERLONG_4,
                                  CARRY | TOO_LARGE | OVERLONG_4};
constexpr uint8_t CONTINUED = TOO_LONG | OVERLONG_2 | CONT_PAIR;
constexpr Bytes16 BY_SECOND_HIGH = {TOO_SHORT,
                                    TOO_SHORT,
                                    TOO_SHORT,
                                    TOO_SHORT,
                                    TOO_SHORT,
                                    TOO_SHORT,
                                    TOO_SHORT,
                                    TOO_SHORT,
                                    CONTINUED | OVERLONG_3 | OVERLONG_4,
                                    CONTINUED | OVERLONG_3 | TOO_LARGE,
                                    CONTINUED | SURROGATE | TOO_LARGE,
                                    CONTINUED | SURROGATE | TOO_LARGE,
                                    TOO_SHORT,
                                    TOO_SHORT,
                                    TOO_SHORT,
                                    TOO_SHORT};

// The errors of the 16 bytes `now`, which follow `before`.
Expr utf8Errors(const Expr& before, const Expr& now) {
  auto look = [](const Bytes16& table, Expr index) {
    return Expr::vectorBinary(constant(table), std::move(index), op::I8X16_SWIZZLE);
  };
  auto high = [](Expr bytes) {
    return Expr::vectorBinary(std::move(bytes), i32(4), op::I8X16_SHR_U);
  };
  auto both = [](Expr a, Expr b, uint32_t opcode) {
    return Expr::vectorBinary(std::move(a), std::move(b), opcode);
  };
  Expr previous = Expr::vectorShift(before, now, 1);
  Expr low = both(previous, splat(0x0f), op::V128_AND);
  Expr special = both(
      both(look(BY_FIRST_HIGH, high(previous)), look(BY_FIRST_LOW, std::move(low)), op::V128_AND),
      look(BY_SECOND_HIGH, high(now)), op::V128_AND);
  // The top bit is set where two bytes back a lead of three or four stands, or three back one of
  // four.
  Expr third = both(Expr::vectorShift(before, now, 2), splat(0xe0 - 0x80), op::I8X16_SUB_SAT_U);
  Expr fourth = both(Expr::vectorShift(before, now, 3), splat(0xf0 - 0x80), op::I8X16_SUB_SAT_U);
  Expr continued =
      both(both(std::move(third), std::move(fourth), op::V128_OR), splat(0x80), op::V128_AND);
  return both(std::move(continued), std::move(special), op::V128_XOR);
}

}  // namespace

// (pointer, length): traps unless the bytes, which lie in memory, are valid UTF-8.
uint32_t Crossing::utf8Helper() {
  return helper({Helper::UTF8, nullptr, true, true}, {{WasmType::I32, WasmType::I32}, {}},
                [this](CodeBuilder& f) { utf8Body(f); });
}

void Crossing::utf8Body(CodeBuilder& f) {
  Local position = f.param(0), rest = f.param(1);
  Local before = f.local(WasmType::V128), now = f.local(WasmType::V128);
  Local errors = f.local(WasmType::V128);
  auto check = [&] {
    f.set(errors, Expr::vectorBinary(errors, utf8Errors(before, now), op::V128_OR));
  };
  f.block([&](Label tail) {
    f.loop([&](Label top) {
      f.brIf(tail, rest < i32(16));
      f.set(now, Expr::vectorLoad(from_.memory, position));
      // ASCII after ASCII can leave out the tables.
      Expr both = Expr::vectorBinary(before, now, op::V128_OR);
      f.ifThen(std::move(both).vectorUnary(op::I8X16_BITMASK), check);
      f.set(before, now);
      f.set(position, position + i32(16));
      f.set(rest, rest - i32(16));
      f.br(top);
    });
  });
  // The rest is padded with zeros, on which an unfinished sequence fails.
  f.vectorStore(common_.control, i32(0), splat(0));
  f.copyMemory(common_.control, from_.memory, i32(0), position, rest);
  f.set(now, Expr::vectorLoad(common_.control, i32(0)));
  check();
  trapIf(f, Expr(errors).vectorUnary(op::V128_ANY_TRUE), control::TrapCode::INVALID_UTF8, from_);
}

// (pointer, units): traps unless the code units, which lie in memory, are valid UTF-16.
uint32_t Crossing::utf16Helper() {
  return helper({Helper::UTF16, nullptr, true, true}, {{WasmType::I32, WasmType::I32}, {}},
                [this](CodeBuilder& f) { utf16Body(f); });
}

void Crossing::utf16Body(CodeBuilder& f) {
  Local position = f.param(0), units = f.param(1);
  Local unit = f.local(WasmType::I32);
  auto fail = [&](const Expr& condition) {
    trapIf(f, condition, control::TrapCode::INVALID_UTF16, from_);
  };
  f.block([&](Label done) {
    f.loop([&](Label top) {
      f.brIf(done, Expr(units).unary(op::I32_EQZ));
      f.set(unit, Expr::load(op::I32_LOAD16_U, from_.memory, position));
      f.set(position, position + i32(2));
      f.set(units, units - i32(1));
      f.brIf(top, (unit & i32(0xf800)) != i32(0xd800));
      fail(unit >= i32(0xdc00));
      fail(Expr(units).unary(op::I32_EQZ));
      Expr second = Expr::load(op::I32_LOAD16_U, from_.memory, position);
      fail((std::move(second) & i32(0xfc00)) != i32(0xdc00));
      f.set(position, position + i32(2));
      f.set(units, units - i32(1));
      f.br(top);
    });
  });
}

// -- Directions -----------------------------------------------------------------------------------

uint32_t Crossing::stringHelper() {
  return helper({Helper::STRING, nullptr, true, true},
                {{WasmType::I32, WasmType::I32}, {WasmType::I32, WasmType::I32}},
                [this](CodeBuilder& f) { stringBody(f); });
}

void Crossing::checkUnits(CodeBuilder& f, Local pointer, Local units, uint32_t unitSize,
                          uint32_t alignment) {
  trapIf(f, units > i32(static_cast<uint32_t>(abi::MAX_BYTE_LENGTH / unitSize)),
         control::TrapCode::STRING_TOO_LONG, from_);
  checkBytes(f, from_, pointer, unitSize == 1 ? Expr(units) : units * i32(unitSize), alignment,
             control::TrapCode::POINTER_MISALIGNED, control::TrapCode::POINTER_OUT_OF_BOUNDS);
}

void Crossing::stringBody(CodeBuilder& f) {
  Local pointer = f.param(0), units = f.param(1);
  Local result = f.local(WasmType::I32), resultUnits = f.local(WasmType::I32);
  auto finish = [&] {
    f.push(result);
    f.push(resultUnits);
  };
  auto keepUnits = [&] { f.set(resultUnits, units); };

  if (from_.encoding == StringEncoding::UTF8) {
    checkUnits(f, pointer, units, 1, 1);
    if (to_.encoding == StringEncoding::UTF8) {
      allocate(f, result, 1, units);
      copyText(f, result, pointer, units);
      keepUnits();
      return finish();
    }
    f.call(utf8Helper(), {pointer, units});
    if (to_.encoding == StringEncoding::UTF16) {
      toUtf16(f, pointer, units, result, resultUnits);
    } else {
      toLatin1OrUtf16(f, SourceEncoding::UTF8, pointer, units, result, resultUnits);
    }
    return finish();
  }

  auto fromUtf16 = [&](bool tagged) {
    checkUnits(f, pointer, units, 2, 2);
    f.call(utf16Helper(), {pointer, units});
    switch (to_.encoding) {
      case StringEncoding::UTF8:
        return toUtf8(f, SourceEncoding::UTF16, pointer, units, result, resultUnits);
      case StringEncoding::UTF16:
        copyUnits(f, pointer, units, 2, result);
        return keepUnits();
      case StringEncoding::LATIN1_UTF16:
        if (tagged) return probablyUtf16(f, pointer, units, result, resultUnits);
        return toLatin1OrUtf16(f, SourceEncoding::UTF16, pointer, units, result, resultUnits);
    }
  };
  auto fromLatin1 = [&] {
    checkUnits(f, pointer, units, 1, 2);
    switch (to_.encoding) {
      case StringEncoding::UTF8:
        return toUtf8(f, SourceEncoding::LATIN1, pointer, units, result, resultUnits);
      case StringEncoding::UTF16:
        widenLatin1(f, pointer, units, result);
        return keepUnits();
      case StringEncoding::LATIN1_UTF16:
        copyUnits(f, pointer, units, 1, result);
        return keepUnits();
    }
  };
  if (from_.encoding == StringEncoding::UTF16) {
    fromUtf16(false);
  } else {
    f.ifElse(
        units & i32(UTF16_TAG),
        [&] {
          f.set(units, units ^ i32(UTF16_TAG));
          fromUtf16(true);
        },
        fromLatin1);
  }
  finish();
}

void Crossing::copyUnits(CodeBuilder& f, Local pointer, Local units, uint32_t unitSize,
                         Local result) {
  Expr size = unitSize == 1 ? Expr(units) : units * i32(unitSize);
  allocate(f, result, 2, size);
  f.copyMemory(to_.memory, from_.memory, result, pointer, size);
}

}  // namespace tenon::component::adapt
