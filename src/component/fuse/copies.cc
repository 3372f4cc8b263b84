// The part of Crossing that copies bytes which are laid out alike on both sides. What is short goes
// by a few loads that overlap, all done before the first store, without a loop; what is long by
// memory.copy, which costs a call of the engine. Text is looked at on the way: as long as it is
// ASCII, nothing else has to be checked. Text of medium length is copied by the loads that it is
// looked at with.

#include "component/fuse/crossing.h"

namespace tenon::component::adapt {
namespace {

constexpr uint32_t SHORT_BYTES = 128;      // from here on memory.copy; text: a loop
constexpr uint32_t MEDIUM_BYTES = 0x1000;  // from here on memory.copy for text too
constexpr uint32_t CHUNK_BYTES = 0x4000;   // long text is checked and copied so much at a time
constexpr uint32_t BLOCK_BYTES = 128;      // of text that one turn of the loop looks at

WasmSignature copySignature() { return {{WasmType::I32, WasmType::I32, WasmType::I32}, {}}; }

}  // namespace

// `count` words of `width` bytes at each end of `bytes`, whose length is between them once and
// twice. Leaves in `bytes.beyond` whether any byte is beyond ASCII.
void Crossing::copyEnds(CodeBuilder& f, const Copied& bytes, uint32_t width, uint32_t count) {
  WasmType type = width == 16 ? WasmType::V128 : width == 8 ? WasmType::I64 : WasmType::I32;
  Local source = f.temporary(WasmType::I32), target = f.temporary(WasmType::I32);
  std::vector<Local> words;
  auto load = [&](Local from) {
    for (uint32_t i = 0; i < count; ++i) {
      words.push_back(f.temporary(type));
      uint32_t at = width * i;
      f.set(words.back(), width == 16  ? Expr::vectorLoad(from_.memory, from, at)
                          : width == 8 ? Expr::load(op::I64_LOAD, from_.memory, from, at)
                                       : Expr::load(op::I32_LOAD, from_.memory, from, at));
    }
  };
  auto store = [&](Local to, uint32_t first) {
    for (uint32_t i = 0; i < count; ++i) {
      Local word = words[first + i];
      if (width == 16) {
        f.vectorStore(to_.memory, to, word, width * i);
      } else {
        f.store(width == 8 ? op::I64_STORE : op::I32_STORE, to_.memory, to, word, width * i);
      }
    }
  };
  load(bytes.source);
  f.set(source, bytes.source + bytes.length - i32(width * count));
  load(source);
  store(bytes.target, 0);
  f.set(target, bytes.target + bytes.length - i32(width * count));
  store(target, count);

  if (bytes.isText) {
    Expr all = words[0];
    for (size_t i = 1; i < words.size(); ++i) {
      all = width == 16  ? Expr::vectorBinary(std::move(all), words[i], op::V128_OR)
            : width == 8 ? Expr::binary(std::move(all), words[i], op::I64_OR)
                         : std::move(all) | words[i];
    }
    if (width == 16) {
      all = std::move(all).vectorUnary(op::I8X16_BITMASK);
    } else if (width == 8) {
      all = Expr::binary(std::move(all), Expr::i64(0x8080808080808080), op::I64_AND);
      all = Expr::binary(std::move(all), Expr::i64(0), op::I64_NE);
    } else {
      all = std::move(all) & i32(0x80808080);
    }
    f.set(bytes.beyond, all);
  }
  for (Local word : words) f.release(word);
  f.release(source);
  f.release(target);
}

void Crossing::copyUpToThree(CodeBuilder& f, const Copied& bytes) {
  Local first = f.temporary(WasmType::I32), middle = f.temporary(WasmType::I32);
  Local last = f.temporary(WasmType::I32), half = f.temporary(WasmType::I32);
  auto load = [&](const Expr& at) { return Expr::load(op::I32_LOAD8_U, from_.memory, at); };
  f.set(half, bytes.length >> i32(1));
  f.set(first, load(bytes.source));
  f.set(middle, load(bytes.source + half));
  f.set(last, load(bytes.source + bytes.length - i32(1)));
  f.store(op::I32_STORE8, to_.memory, bytes.target, first);
  f.store(op::I32_STORE8, to_.memory, bytes.target + half, middle);
  f.store(op::I32_STORE8, to_.memory, bytes.target + bytes.length - i32(1), last);
  if (bytes.isText) f.set(bytes.beyond, (first | middle | last) & i32(0x80));
  for (Local local : {first, middle, last, half}) f.release(local);
}

// At least BLOCK_BYTES of text. Chunk by chunk, so that the copy finds in the cache what the check
// has just read. Nothing but addresses lives from one turn of a loop to the next: vectors would go
// to the stack and back.
void Crossing::copyLongText(CodeBuilder& f, const Copied& text) {
  Local start = f.local(WasmType::I32), target = f.local(WasmType::I32);
  Local rest = f.local(WasmType::I32), chunk = f.local(WasmType::I32);
  Local position = f.local(WasmType::I32), end = f.local(WasmType::I32);
  auto beyond = [&](Local at) {
    Expr all = Expr::vectorLoad(from_.memory, at);
    for (uint32_t i = 16; i < BLOCK_BYTES; i += 16) {
      all = Expr::vectorBinary(std::move(all), Expr::vectorLoad(from_.memory, at, i), op::V128_OR);
    }
    return std::move(all).vectorUnary(op::I8X16_BITMASK);
  };
  f.set(start, text.source);
  f.set(target, text.target);
  f.set(rest, text.length);
  f.block([&](Label notAscii) {
    f.loop([&](Label nextChunk) {
      // The last one takes what would be too little for another.
      f.set(chunk, Expr::select(rest, i32(CHUNK_BYTES), rest < i32(CHUNK_BYTES + BLOCK_BYTES)));
      f.set(position, start);
      f.set(end, start + chunk - i32(BLOCK_BYTES));
      // Tested before the step: at 4 GiB the position would wrap.
      f.block([&](Label lastBlock) {
        f.loop([&](Label nextBlock) {
          f.brIf(lastBlock, position >= end);
          f.brIf(notAscii, beyond(position));
          f.set(position, position + i32(BLOCK_BYTES));
          f.br(nextBlock);
        });
      });
      f.brIf(notAscii, beyond(end));
      f.copyMemory(to_.memory, from_.memory, target, start, chunk);
      f.set(start, start + chunk);
      f.set(target, target + chunk);
      f.set(rest, rest - chunk);
      f.brIf(nextChunk, rest);
    });
    f.ret();
  });
  // All before this chunk is ASCII, so a character starts here.
  f.call(utf8Helper(), {start, rest});
  f.copyMemory(to_.memory, from_.memory, target, start, rest);
  f.ret();
}

// SHORT_BYTES or more of text: one pass that looks and copies. Nothing but addresses lives from one
// turn of the loop to the next, as above.
void Crossing::copyMediumText(CodeBuilder& f, const Copied& text) {
  Local source = f.local(WasmType::I32), target = f.local(WasmType::I32);
  Local left = f.local(WasmType::I32);
  std::vector<Local> words;
  for (uint32_t i = 0; i < BLOCK_BYTES; i += 16) words.push_back(f.temporary(WasmType::V128));
  // Goes to `notAscii` before anything of the block is written.
  auto copyBlock = [&](Label notAscii) {
    for (uint32_t i = 0; i < words.size(); ++i) {
      f.set(words[i], Expr::vectorLoad(from_.memory, source, 16 * i));
    }
    Expr all = words[0];
    for (size_t i = 1; i < words.size(); ++i) {
      all = Expr::vectorBinary(std::move(all), words[i], op::V128_OR);
    }
    f.brIf(notAscii, std::move(all).vectorUnary(op::I8X16_BITMASK));
    for (uint32_t i = 0; i < words.size(); ++i) {
      f.vectorStore(to_.memory, target, words[i], 16 * i);
    }
  };
  f.set(source, text.source);
  f.set(target, text.target);
  f.set(left, text.length);
  f.block([&](Label notAscii) {
    f.loop([&](Label nextBlock) {
      copyBlock(notAscii);
      f.set(target, target + i32(BLOCK_BYTES));
      f.set(source, source + i32(BLOCK_BYTES));
      f.set(left, left - i32(BLOCK_BYTES));
      f.brIf(nextBlock, left > i32(BLOCK_BYTES));
    });
    // The last block begins where it ends with the text.
    f.set(target, text.target + text.length - i32(BLOCK_BYTES));
    f.set(source, text.source + text.length - i32(BLOCK_BYTES));
    copyBlock(notAscii);
    f.ret();
  });
  // All before this block is ASCII, so a character starts here.
  Local rest = f.temporary(WasmType::I32);
  f.set(rest, text.source + text.length - source);
  f.call(utf8Helper(), {source, rest});
  f.copyMemory(to_.memory, from_.memory, target, source, rest);
  f.release(rest);
  for (Local word : words) f.release(word);
  f.ret();
}

// (target, source, length): copies text that lies in the memories, at least SHORT_BYTES of it, and
// validates it.
uint32_t Crossing::longTextHelper() {
  return helper({Helper::COPY_LONG_TEXT, nullptr, true, true}, copySignature(),
                [this](CodeBuilder& f) {
                  Copied text{f.param(0), f.param(1), f.param(2), {}, true};
                  f.ifThen(text.length < i32(MEDIUM_BYTES), [&] { copyMediumText(f, text); });
                  copyLongText(f, text);
                });
}

// (target, source, length): copies fewer than SHORT_BYTES that lie in the memories; text is
// validated.
uint32_t Crossing::copyHelper(bool isText) {
  Helper kind = isText ? Helper::COPY_SHORT_TEXT : Helper::COPY_SHORT;
  return helper({kind, nullptr, true, true}, copySignature(), [&](CodeBuilder& f) {
    Copied bytes{f.param(0), f.param(1), f.param(2), f.local(WasmType::I32), isText};
    copyUpToShort(f, bytes);
    if (!isText) return;
    f.ifThen(bytes.beyond, [&] { f.call(utf8Helper(), {bytes.source, bytes.length}); });
  });
}

void Crossing::copyUpToShort(CodeBuilder& f, const Copied& bytes) {
  struct Step {
    uint32_t least, width, count;
  };
  constexpr Step STEPS[] = {{64, 16, 4}, {32, 16, 2}, {16, 16, 1}, {8, 8, 1}, {4, 4, 1}};
  f.block([&](Label done) {
    for (const Step& step : STEPS) {
      f.ifThen(bytes.length >= i32(step.least), [&] {
        copyEnds(f, bytes, step.width, step.count);
        f.br(done);
      });
    }
    f.ifThen(bytes.length, [&] { copyUpToThree(f, bytes); });
  });
}

// Plain bytes of any number.
void Crossing::copyBytes(CodeBuilder& f, Local target, Local source, Local length) {
  f.ifElse(
      length < i32(SHORT_BYTES), [&] { f.call(copyHelper(false), {target, source, length}); },
      [&] { f.copyMemory(to_.memory, from_.memory, target, source, length); });
}

// Text; that of the most common lengths without a call.
void Crossing::copyText(CodeBuilder& f, Local target, Local source, Local length) {
  Copied text{target, source, length, f.temporary(WasmType::I32), true};
  f.ifElse(
      (length - i32(8)) < i32(24),
      [&] {
        f.ifElse(
            length < i32(16), [&] { copyEnds(f, text, 8, 1); }, [&] { copyEnds(f, text, 16, 1); });
        f.ifThen(text.beyond, [&] { f.call(utf8Helper(), {source, length}); });
      },
      [&] {
        f.ifElse(
            length < i32(SHORT_BYTES), [&] { f.call(copyHelper(true), {target, source, length}); },
            [&] { f.call(longTextHelper(), {target, source, length}); });
      });
  f.release(text.beyond);
}

}  // namespace tenon::component::adapt
