// Runs the code that compile.cc made: two interpreters over the same blocks. `Checker` looks at the
// source and writes nothing; `Mover` repeats the walk, asks the target's `realloc` for memory and
// writes. Each works on two kinds of places, which differ in how a number is read or written:
//
//   InMemory  a guest pointer, and offsets in bytes      lists, spilled parameters and results
//   InSlots   raw values, and offsets in slots           what is passed flat
//
// The Mover relies on the Checker for what the values mean, not for where they are: it checks
// bounds again, so that its safety does not hang on the source's memory keeping still.

#include "component/transfer/transfer.h"

#include "component/abi/move_strings.h"
#include "component/transfer/program.h"

#include <tenon/abi/abi_type.h>
#include <tenon/abi/labels.h>
#include <tenon/abi/lists.h>
#include <tenon/abi/scalars.h>

#include <cstring>
#include <utility>
#include <vector>

// guest-ok(pointer): all of what is at `pointer` lies inside the memory, which the callers have
// checked; so no address in it takes more than 32 bits.

namespace tenon::abi {
namespace {

using detail::loadNumber;
using detail::storeNumber;

struct InMemory {
  uint32_t pointer = 0;
  InMemory at(uint32_t bytes) const { return {pointer + bytes}; }
};

template <typename Raw>
struct InSlots {
  Raw* slots = nullptr;
  InSlots at(uint32_t count) const { return {slots + count}; }
};
using FlatSource = InSlots<const RawValue>;
using FlatTarget = InSlots<RawValue>;

uint32_t readNumber(Context& from, InMemory place, uint8_t width) {
  if (width == 1) return loadNumber<uint8_t>(from, place.pointer);
  if (width == 2) return loadNumber<uint16_t>(from, place.pointer);
  return loadNumber<uint32_t>(from, place.pointer);
}
uint32_t readNumber(Context&, FlatSource place, uint8_t) { return place.slots->i32; }

StringRange readPair(Context& from, InMemory place) {
  return detail::loadPair(from, place.pointer);
}
StringRange readPair(Context&, FlatSource place) {
  return {place.slots[0].i32, place.slots[1].i32};
}

void writeNumber(Context& to, InMemory place, uint32_t number, uint8_t width) {
  if (width == 1) return storeNumber(to, place.pointer, static_cast<uint8_t>(number));
  if (width == 2) return storeNumber(to, place.pointer, static_cast<uint16_t>(number));
  storeNumber(to, place.pointer, number);
}
void writeNumber(Context&, FlatTarget place, uint32_t number, uint8_t) {
  place.slots->i64 = number;
}

void writePair(Context& to, InMemory place, StringRange pair) {
  detail::storePair(to, pair, place.pointer);
}
void writePair(Context&, FlatTarget place, StringRange pair) {
  place.slots[0].i64 = pair.pointer;
  place.slots[1].i64 = pair.codeUnits;
}

// What one call of `parameters` or `results` needs.
struct Run {
  const TransferProgram& program;
  Context& from;
  Context& to;
  HandleMover* handles;
  std::vector<uint64_t> lifted = {};  // by HandleMover, in the order of the walk
};

// -- First step -----------------------------------------------------------------------------------

class Checker {
 public:
  explicit Checker(Run& run) : run_(run), from_(run.from) {}

  template <typename Place>
  void block(const Block& block, Place place) {
    for (const Instruction& next : block.check) {
      step(next, place.at(next.at));
      if (from_.failed()) return;
    }
  }

 private:
  template <typename Place>
  void step(const Instruction& next, Place place) {
    switch (next.op) {
      case Op::CHAR:
        detail::checkChar(from_, readNumber(from_, place, 4));
        return;
      case Op::ENUM:
        detail::checkDiscriminant(from_, readNumber(from_, place, next.width), next.count);
        return;
      case Op::CASES: {
        uint32_t index =
            detail::checkDiscriminant(from_, readNumber(from_, place, next.width), next.count);
        if (from_.failed()) return;
        uint32_t payload = run_.program.cases[size_t{next.block} + index];
        if (payload != TransferWay::NOTHING) {
          block(run_.program.blocks[payload], place.at(next.payload));
        }
        return;
      }
      case Op::STRING:
        (void)checkString(from_, readPair(from_, place));
        return;
      case Op::LIST:
        return list(next, readPair(from_, place));
      case Op::REPEAT:
        for (uint32_t i = 0; i < next.count && !from_.failed(); ++i) {
          block(run_.program.blocks[next.block], place.at(i * next.size));
        }
        return;
      case Op::CALL:
        return block(run_.program.blocks[next.block], place);
      case Op::HANDLE:
        return handle(next, readNumber(from_, place, 4));
      default:
        return;  // the others move only
    }
  }

  void list(const Instruction& next, StringRange range) {
    if (!detail::checkList(from_, range, next.size, next.alignment)) return;
    if (!from_.charge(uint64_t{range.codeUnits} * next.size)) return;
    const Block& element = run_.program.blocks[next.block];
    if (element.check.empty()) return;
    uint32_t pointer = range.pointer;
    for (uint32_t i = 0; i < range.codeUnits; ++i) {
      block(element, InMemory{pointer});
      if (from_.failed()) return;
      pointer += next.size;
    }
  }

  void handle(const Instruction& next, uint32_t index) {
    if (run_.handles == nullptr) {
      return from_.fail("resource handles cannot be passed here");
    }
    run_.lifted.push_back(run_.handles->lift(from_, run_.program.handles[next.block], index));
  }

  Run& run_;
  Context& from_;
};

// -- Second step ----------------------------------------------------------------------------------

// Moves less than some dozens of bytes without a call.
void copyBytes(std::byte* to, const std::byte* from, size_t size) {
  auto ends = [&]<typename T>(T) {
    T first, last;
    std::memcpy(&first, from, sizeof(T));
    std::memcpy(&last, from + size - sizeof(T), sizeof(T));
    std::memcpy(to, &first, sizeof(T));
    std::memcpy(to + size - sizeof(T), &last, sizeof(T));
  };
  if (size > 16) {
    std::memcpy(to, from, size);
  } else if (size >= 8) {
    ends(uint64_t{});
  } else if (size >= 4) {
    ends(uint32_t{});
  } else if (size >= 2) {
    ends(uint16_t{});
  } else if (size == 1) {
    *to = *from;
  }
}

class Mover {
 public:
  explicit Mover(Run& run) : run_(run), from_(run.from), to_(run.to) {}

  template <typename Source, typename Target>
  void block(const Block& block, Source source, Target target) {
    for (const Instruction& next : block.move) {
      step(next, source.at(next.at), target.at(next.at));
      if (to_.failed()) return;
    }
  }

 private:
  // What both kinds of places have.
  template <typename Source, typename Target>
  void step(const Instruction& next, Source source, Target target) {
    switch (next.op) {
      case Op::BOOL:
        return writeNumber(to_, target, readNumber(from_, source, 1) != 0 ? 1 : 0, 1);
      case Op::MASK:
        return writeNumber(to_, target, readNumber(from_, source, next.width) & next.count,
                           next.width);
      case Op::STRING:
        return writePair(to_, target, moveString(from_, readPair(from_, source), to_));
      case Op::LIST:
      case Op::LIST_PLAIN:
      case Op::LIST_BOOL:
        return writePair(to_, target, list(next, readPair(from_, source)));
      case Op::CASES:
        return cases(next, source, target);
      case Op::REPEAT:
        for (uint32_t i = 0; i < next.count && !to_.failed(); ++i) {
          block(run_.program.blocks[next.block], source.at(i * next.size),
                target.at(i * next.size));
        }
        return;
      case Op::CALL:
        return block(run_.program.blocks[next.block], source, target);
      case Op::HANDLE:
        return writeNumber(to_, target, handle(next), 4);
      default:
        return plain(next, source, target);
    }
  }

  void plain(const Instruction& next, InMemory source, InMemory target) {
    copy(source.pointer, target.pointer, next.size);
  }
  void plain(const Instruction& next, FlatSource source, FlatTarget target) {
    const RawValue& value = *source.slots;
    switch (next.op) {
      case Op::COPY_LOW:
        target.slots->i64 = value.i32;
        return;
      case Op::COPY_ALL:
        target.slots->i64 = value.i64;
        return;
      case Op::SIGNED_8:
        target.slots->i64 = static_cast<uint32_t>(static_cast<int8_t>(value.i32));
        return;
      case Op::SIGNED_16:
        target.slots->i64 = static_cast<uint32_t>(static_cast<int16_t>(value.i32));
        return;
      default:
        return to_.fail("a transfer has an instruction that is not for flat values");
    }
  }

  void copy(uint32_t source, uint32_t target, uint32_t size) {
    auto bytes = from_.memory.bytes(source, size);
    auto room = to_.memory.mutableBytes(target, size);
    if (bytes.size() != size || room.size() != size) return outside();
    // guest-ok: copied at once
    copyBytes(room.data(), bytes.data(), size);
  }
  void outside() { to_.fail("a pointer is out of bounds of the memory"); }

  void cases(const Instruction& next, InMemory source, InMemory target) {
    uint32_t index = readNumber(from_, source, next.width);
    writeNumber(to_, target, index, next.width);
    if (const Block* payload = caseOf(next, index)) {
      block(*payload, source.at(next.payload), target.at(next.payload));
    }
  }
  void cases(const Instruction& next, FlatSource source, FlatTarget target) {
    uint32_t index = source.slots->i32;
    target.slots->i64 = index;
    // What the case does not use is zero.
    for (uint32_t i = 0; i < next.size; ++i) target.slots[1 + i].i64 = 0;
    if (const Block* payload = caseOf(next, index)) {
      block(*payload, source.at(next.payload), target.at(next.payload));
    }
  }
  const Block* caseOf(const Instruction& next, uint32_t index) {
    if (index >= next.count) {
      to_.fail("a discriminant names no case of its type");
      return nullptr;
    }
    uint32_t payload = run_.program.cases[size_t{next.block} + index];
    return payload == TransferWay::NOTHING ? nullptr : &run_.program.blocks[payload];
  }

  // Source: definitions.py `store_list_into_range`.
  StringRange list(const Instruction& next, StringRange range) {
    uint64_t size = uint64_t{range.codeUnits} * next.size;
    if (size > MAX_BYTE_LENGTH || !from_.memory.contains(range.pointer, size)) {
      outside();
      return {};
    }
    auto bytes = static_cast<uint32_t>(size);
    uint32_t begin = to_.allocate(bytes, next.alignment);
    if (to_.failed() || !detail::checkRange(to_, begin, bytes, next.alignment)) return {};
    if (next.op == Op::LIST_PLAIN) {
      copy(range.pointer, begin, bytes);
    } else if (next.op == Op::LIST_BOOL) {
      copyBools(range.pointer, begin, bytes);
    } else {
      elements(next, range.pointer, begin, range.codeUnits);
    }
    if (to_.failed()) return {};
    return {begin, range.codeUnits};
  }

  void copyBools(uint32_t source, uint32_t target, uint32_t count) {
    auto bytes = from_.memory.bytes(source, count);
    auto room = to_.memory.mutableBytes(target, count);
    for (uint32_t i = 0; i < count; ++i) room[i] = std::byte{bytes[i] != std::byte{0}};
  }

  void elements(const Instruction& next, uint32_t source, uint32_t target, uint32_t count) {
    const Block& element = run_.program.blocks[next.block];
    InMemory from{source}, to{target};
    for (uint32_t i = 0; i < count; ++i) {
      block(element, from, to);
      if (to_.failed()) return;
      from.pointer += next.size;
      to.pointer += next.size;
    }
  }

  uint32_t handle(const Instruction& next) {
    if (next_ >= run_.lifted.size()) {
      to_.fail("a handle was not lifted");
      return 0;
    }
    return run_.handles->lower(to_, run_.program.handles[next.block], run_.lifted[next_++]);
  }

  Run& run_;
  Context& from_;
  Context& to_;
  size_t next_ = 0;  // of what was lifted
};

bool checkSpilled(Context& context, uint32_t pointer, const TransferWay& way) {
  return detail::checkRange(context, pointer, way.size, way.alignment);
}

}  // namespace

Result<Transfer> Transfer::compile(const FuncType& caller, const FuncType& callee) {
  TENON_TRY(TransferProgram program, compileTransfer(caller, callee));
  return Transfer(std::make_unique<const TransferProgram>(std::move(program)));
}

Transfer::Transfer(std::unique_ptr<const TransferProgram> program) : program_(std::move(program)) {}
Transfer::Transfer(Transfer&&) noexcept = default;
Transfer& Transfer::operator=(Transfer&&) noexcept = default;
Transfer::~Transfer() = default;

bool Transfer::parameters(Context& caller, const RawValue* in, Context& callee, RawValue* out,
                          HandleMover* handles) const {
  if (caller.failed() || callee.failed()) return false;
  const TransferWay& way = program_->parameters;
  const Block& block = program_->blocks[way.block];
  Run run{*program_, caller, callee, handles};
  if (!way.spills) {
    Checker(run).block(block, FlatSource{in});
    if (!caller.failed()) Mover(run).block(block, FlatSource{in}, FlatTarget{out});
    return !caller.failed() && !callee.failed();
  }
  InMemory source{in->i32};
  if (!checkSpilled(caller, source.pointer, way)) return false;
  Checker(run).block(block, source);
  if (caller.failed()) return false;
  InMemory target{callee.allocate(way.size, way.alignment)};
  if (callee.failed() || !checkSpilled(callee, target.pointer, way)) return false;
  Mover(run).block(block, source, target);
  out->i64 = target.pointer;
  return !caller.failed() && !callee.failed();
}

bool Transfer::results(Context& callee, const RawValue* in, Context& caller, RawValue* flat,
                       HandleMover* handles) const {
  if (caller.failed() || callee.failed()) return false;
  const TransferWay& way = program_->results;
  if (way.block == TransferWay::NOTHING) return true;
  const Block& block = program_->blocks[way.block];
  Run run{*program_, callee, caller, handles};
  if (!way.spills) {
    Checker(run).block(block, FlatSource{in});
    if (!callee.failed()) Mover(run).block(block, FlatSource{in}, FlatTarget{flat});
    return !caller.failed() && !callee.failed();
  }
  InMemory source{in->i32};
  if (!checkSpilled(callee, source.pointer, way)) return false;
  Checker(run).block(block, source);
  if (callee.failed()) return false;
  InMemory target{flat[program_->resultPointer].i32};
  if (!checkSpilled(caller, target.pointer, way)) return false;
  Mover(run).block(block, source, target);
  return !caller.failed() && !callee.failed();
}

std::span<const MovedHandle> Transfer::handles() const { return program_->handles; }
bool Transfer::parametersNeedRealloc() const { return program_->parameters.needsRealloc; }
bool Transfer::resultsNeedRealloc() const { return program_->results.needsRealloc; }

}  // namespace tenon::abi
