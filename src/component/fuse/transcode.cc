// The part of Crossing that changes a string's encoding, code point by code point. The source has
// been checked: it lies in memory and is valid. The order and sizes of the calls of `realloc` are
// the specification's, whatever is in the string. Source: CanonicalABI.md `store_string_to_utf8`
// and those after.

#include "component/fuse/crossing.h"

namespace tenon::component::adapt {
namespace {

constexpr uint32_t UTF16_TAG = uint32_t{1} << 31;

}  // namespace

// Reads the code point at `position` and steps over it.
void Crossing::decode(CodeBuilder& f, SourceEncoding encoding, Local position, Local codePoint) {
  auto byte = [&](uint32_t offset) {
    return Expr::load(op::I32_LOAD8_U, from_.memory, position, offset);
  };
  auto step = [&](uint32_t bytes) { f.set(position, position + i32(bytes)); };
  auto tail = [&](uint32_t offset, uint32_t shift) {
    return (byte(offset) & i32(0x3f)) << i32(shift);
  };
  switch (encoding) {
    case SourceEncoding::LATIN1:
      f.set(codePoint, byte(0));
      return step(1);
    case SourceEncoding::UTF16:
      f.set(codePoint, Expr::load(op::I32_LOAD16_U, from_.memory, position));
      step(2);
      return f.ifThen((codePoint & i32(0xfc00)) == i32(0xd800), [&] {
        Expr low = Expr::load(op::I32_LOAD16_U, from_.memory, position) & i32(0x3ff);
        f.set(codePoint, (((codePoint & i32(0x3ff)) << i32(10)) | std::move(low)) + i32(0x10000));
        step(2);
      });
    case SourceEncoding::UTF8:
      break;
  }
  f.set(codePoint, byte(0));
  f.ifElse(
      codePoint < i32(0x80), [&] { step(1); },
      [&] {
        f.ifElse(
            codePoint < i32(0xe0),
            [&] {
              f.set(codePoint, ((codePoint & i32(0x1f)) << i32(6)) | tail(1, 0));
              step(2);
            },
            [&] {
              f.ifElse(
                  codePoint < i32(0xf0),
                  [&] {
                    f.set(codePoint,
                          ((codePoint & i32(0x0f)) << i32(12)) | tail(1, 6) | tail(2, 0));
                    step(3);
                  },
                  [&] {
                    f.set(codePoint, ((codePoint & i32(0x07)) << i32(18)) | tail(1, 12) |
                                         tail(2, 6) | tail(3, 0));
                    step(4);
                  });
            });
      });
}

// Writes at `at` and steps over it.
void Crossing::encodeUtf8(CodeBuilder& f, Local at, Local codePoint) {
  auto put = [&](uint32_t offset, const Expr& value) {
    f.store(op::I32_STORE8, to_.memory, at, value, offset);
  };
  auto step = [&](uint32_t bytes) { f.set(at, at + i32(bytes)); };
  auto lead = [&](uint32_t mark, uint32_t shift) { return (codePoint >> i32(shift)) | i32(mark); };
  auto tail = [&](uint32_t shift) { return ((codePoint >> i32(shift)) & i32(0x3f)) | i32(0x80); };
  f.ifElse(
      codePoint < i32(0x80),
      [&] {
        put(0, codePoint);
        step(1);
      },
      [&] {
        f.ifElse(
            codePoint < i32(0x800),
            [&] {
              put(0, lead(0xc0, 6));
              put(1, tail(0));
              step(2);
            },
            [&] {
              f.ifElse(
                  codePoint < i32(0x10000),
                  [&] {
                    put(0, lead(0xe0, 12));
                    put(1, tail(6));
                    put(2, tail(0));
                    step(3);
                  },
                  [&] {
                    put(0, lead(0xf0, 18));
                    put(1, tail(12));
                    put(2, tail(6));
                    put(3, tail(0));
                    step(4);
                  });
            });
      });
}

void Crossing::encodeUtf16(CodeBuilder& f, Local at, Local codePoint) {
  f.ifElse(
      codePoint < i32(0x10000),
      [&] {
        f.store(op::I32_STORE16, to_.memory, at, codePoint);
        f.set(at, at + i32(2));
      },
      [&] {
        // (codePoint - 0x10000) >> 10, added to 0xd800.
        f.store(op::I32_STORE16, to_.memory, at, (codePoint >> i32(10)) + i32(0xd800 - 0x40));
        f.store(op::I32_STORE16, to_.memory, at, (codePoint & i32(0x3ff)) | i32(0xdc00), 2);
        f.set(at, at + i32(4));
      });
}

void Crossing::toUtf8(CodeBuilder& f, SourceEncoding encoding, Local pointer, Local units,
                      Local result, Local resultUnits) {
  bool wide = encoding == SourceEncoding::UTF16;
  uint32_t worstFactor = wide ? 3 : 2;
  Local position = f.local(WasmType::I32), end = f.local(WasmType::I32);
  Local codePoint = f.local(WasmType::I32), written = f.local(WasmType::I32);
  Local at = f.local(WasmType::I32), worst = f.local(WasmType::I32);
  f.set(position, pointer);
  f.set(end, pointer + (wide ? units << i32(1) : Expr(units)));
  allocate(f, result, 1, units);
  // As long as it is ASCII.
  f.block([&](Label stop) {
    f.loop([&](Label top) {
      f.brIf(stop, position == end);
      f.set(codePoint,
            Expr::load(wide ? op::I32_LOAD16_U : op::I32_LOAD8_U, from_.memory, position));
      f.brIf(stop, codePoint >= i32(0x80));
      f.store(op::I32_STORE8, to_.memory, result + written, codePoint);
      f.set(written, written + i32(1));
      f.set(position, position + i32(wide ? 2 : 1));
      f.br(top);
    });
  });
  f.ifThen(position != end, [&] {
    f.set(worst, units * i32(worstFactor));
    reallocate(f, result, units, 1, worst);
    f.set(at, result + written);
    f.loop([&](Label top) {
      decode(f, encoding, position, codePoint);
      encodeUtf8(f, at, codePoint);
      f.brIf(top, position != end);
    });
    f.set(written, at - result);
    f.ifThen(worst > written, [&] { reallocate(f, result, worst, 1, written); });
  });
  f.set(resultUnits, written);
}

void Crossing::toUtf16(CodeBuilder& f, Local pointer, Local units, Local result,
                       Local resultUnits) {
  Local position = f.local(WasmType::I32), end = f.local(WasmType::I32);
  Local codePoint = f.local(WasmType::I32), at = f.local(WasmType::I32);
  Local worst = f.local(WasmType::I32), written = f.local(WasmType::I32);
  f.set(position, pointer);
  f.set(end, pointer + units);
  f.set(worst, units << i32(1));
  allocate(f, result, 2, worst);
  f.set(at, result);
  f.block([&](Label done) {
    f.loop([&](Label top) {
      f.brIf(done, position == end);
      decode(f, SourceEncoding::UTF8, position, codePoint);
      encodeUtf16(f, at, codePoint);
      f.br(top);
    });
  });
  f.set(written, at - result);
  f.ifThen(written < worst, [&] { reallocate(f, result, worst, 2, written); });
  f.set(resultUnits, written >> i32(1));
}

// Latin-1 needs two bytes for each of its own.
void Crossing::widenLatin1(CodeBuilder& f, Local pointer, Local units, Local result) {
  Local position = f.local(WasmType::I32), end = f.local(WasmType::I32);
  Local at = f.local(WasmType::I32);
  allocate(f, result, 2, units << i32(1));
  f.set(position, pointer);
  f.set(end, pointer + units);
  f.set(at, result);
  f.block([&](Label done) {
    f.loop([&](Label top) {
      f.brIf(done, position == end);
      f.store(op::I32_STORE16, to_.memory, at, Expr::load(op::I32_LOAD8_U, from_.memory, position));
      f.set(position, position + i32(1));
      f.set(at, at + i32(2));
      f.br(top);
    });
  });
}

// Starts with Latin-1; at the first code point beyond it, what was written becomes UTF-16.
void Crossing::toLatin1OrUtf16(CodeBuilder& f, SourceEncoding encoding, Local pointer, Local units,
                               Local result, Local resultUnits) {
  bool wide = encoding == SourceEncoding::UTF16;
  Local position = f.local(WasmType::I32), end = f.local(WasmType::I32);
  Local codePoint = f.local(WasmType::I32), written = f.local(WasmType::I32);
  Local at = f.local(WasmType::I32), worst = f.local(WasmType::I32), left = f.local(WasmType::I32);
  f.set(position, pointer);
  f.set(end, pointer + (wide ? units << i32(1) : Expr(units)));
  allocate(f, result, 2, units);
  f.block([&](Label finished) {
    f.block([&](Label latin1) {
      f.loop([&](Label top) {
        f.brIf(latin1, position == end);
        decode(f, encoding, position, codePoint);
        f.ifThen(codePoint < i32(0x100), [&] {
          f.store(op::I32_STORE8, to_.memory, result + written, codePoint);
          f.set(written, written + i32(1));
          f.br(top);
        });
      });
      f.set(worst, units << i32(1));
      reallocate(f, result, units, 2, worst);
      // Backwards, so that no byte is overwritten before it is read.
      f.set(left, written);
      f.block([&](Label widened) {
        f.loop([&](Label top) {
          f.brIf(widened, Expr(left).unary(op::I32_EQZ));
          f.set(left, left - i32(1));
          f.store(op::I32_STORE16, to_.memory, result + (left << i32(1)),
                  Expr::load(op::I32_LOAD8_U, to_.memory, result + left));
          f.br(top);
        });
      });
      f.set(at, result + (written << i32(1)));
      encodeUtf16(f, at, codePoint);
      f.block([&](Label done) {
        f.loop([&](Label top) {
          f.brIf(done, position == end);
          decode(f, encoding, position, codePoint);
          encodeUtf16(f, at, codePoint);
          f.br(top);
        });
      });
      f.set(written, at - result);
      f.ifThen(worst > written, [&] { reallocate(f, result, worst, 2, written); });
      f.set(resultUnits, (written >> i32(1)) | i32(UTF16_TAG));
      f.br(finished);
    });
    f.ifThen(written < units, [&] { reallocate(f, result, units, 2, written); });
    f.set(resultUnits, written);
  });
}

// Tagged UTF-16, which may turn out to fit Latin-1.
void Crossing::probablyUtf16(CodeBuilder& f, Local pointer, Local units, Local result,
                             Local resultUnits) {
  Local all = f.local(WasmType::I32), index = f.local(WasmType::I32);
  copyUnits(f, pointer, units, 2, result);
  f.block([&](Label done) {
    f.loop([&](Label top) {
      f.brIf(done, index == units);
      f.set(all, all | Expr::load(op::I32_LOAD16_U, to_.memory, result + (index << i32(1))));
      f.set(index, index + i32(1));
      f.br(top);
    });
  });
  f.ifElse(
      all >= i32(0x100), [&] { f.set(resultUnits, units | i32(UTF16_TAG)); },
      [&] {
        f.set(index, i32(0));
        f.block([&](Label done) {
          f.loop([&](Label top) {
            f.brIf(done, index == units);
            f.store(op::I32_STORE8, to_.memory, result + index,
                    Expr::load(op::I32_LOAD16_U, to_.memory, result + (index << i32(1))));
            f.set(index, index + i32(1));
            f.br(top);
          });
        });
        reallocate(f, result, units << i32(1), 1, units);
        f.set(resultUnits, units);
      });
}

}  // namespace tenon::component::adapt
