#pragma once

// The code that a Transfer runs. Each type that takes part has one Block for values in memory and,
// if it is passed so, one for flat values; small ones are written into their users, others are
// called, so that code is linear in the type graph. A block has two lists of instructions, for the
// two steps: what has to be looked at before anything is written, and what is written, in the order
// in which lowering does it. Types that any bytes are values of have nothing to check; runs of
// bytes that lie alike on both sides are one COPY.
//
// An instruction has one place, which both sides share: layouts and flat types are equal.

#include "component/transfer/transfer.h"

#include <cstdint>
#include <vector>

namespace tenon::abi {

enum class Op : uint8_t {
  // In both lists.
  CASES,   // a discriminant of `width` bytes; cases[block + discriminant] is at `payload` from `at`
  STRING,  // a pointer and a length
  LIST,    // the same; `block` for each element of `size` bytes
  REPEAT,  // `count` times `block`, `size` bytes or slots apart
  CALL,    // `block`
  HANDLE,  // of the type handles[block]
  // Only checked.
  CHAR,
  ENUM,  // a discriminant of `width` bytes, below `count`
  // Only moved.
  COPY,        // `size` bytes
  BOOL,        // anything but 0 becomes 1
  MASK,        // flags of `width` bytes, or a flat integer: the bits in `count`
  LIST_PLAIN,  // a list whose elements are one COPY
  LIST_BOOL,
  COPY_LOW,  // flat: 32 bits, zero-extended
  COPY_ALL,  // flat: 64 bits
  SIGNED_8,  // flat: extended to 32 bits
  SIGNED_16,
};

struct Instruction {
  Op op = Op::COPY;
  uint8_t width = 0;
  uint8_t alignment = 0;  // LIST, LIST_PLAIN: of an element
  uint32_t at = 0;        // bytes, or slots, from the start of the block's value
  uint32_t size = 0;      // CASES among flat values: slots of the payload
  uint32_t count = 0;     // CASES: number of cases
  uint32_t block = 0;
  uint32_t payload = 0;
};

struct Block {
  std::vector<Instruction> check;
  std::vector<Instruction> move;
};

// One direction.
struct TransferWay {
  static constexpr uint32_t NOTHING = ~uint32_t{0};
  uint32_t block = NOTHING;  // NOTHING: no result
  bool spills = false;       // through memory: `size` bytes with this alignment
  bool needsRealloc = false;
  uint32_t size = 0;
  uint32_t alignment = 1;
};

struct TransferProgram {
  std::vector<Block> blocks;
  std::vector<uint32_t> cases;  // blocks; NOTHING: a case without payload
  std::vector<MovedHandle> handles;
  TransferWay parameters;
  TransferWay results;
  uint32_t resultPointer = 0;  // where among the caller's flat values, when the result spills
};

// Transfer::compile.
Result<TransferProgram> compileTransfer(const FuncType& caller, const FuncType& callee);

}  // namespace tenon::abi
