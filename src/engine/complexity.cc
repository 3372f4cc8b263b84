#include "engine/complexity.h"

#include "base/byte_reader.h"
#include "component/binary/core_sections.h"
#include "component/binary/instructions.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace tenon::engine {
namespace {

constexpr uint8_t BLOCK = 0x02, LOOP = 0x03, IF = 0x04, ELSE = 0x05, END = 0x0b, BR = 0x0c,
                  BR_IF = 0x0d, BR_TABLE = 0x0e, TRY_TABLE = 0x1f;

// The shape of the function whose code `in` is, as far as its instructions are known.
Result<Complexity> shapeOf(ByteReader& in) {
  Complexity shape;
  TENON_TRY(uint32_t runs, in.count("locals", 1'000'000));
  for (uint32_t i = 0; i < runs; ++i) {
    TENON_TRY(uint32_t count, in.u32());
    shape.locals += uint64_t{count};
    TENON_CHECK(component::skipType(in));
  }
  std::vector<bool> isLoop;  // of the blocks that are open
  uint64_t openLoops = 0, loops = 0;
  while (!in.atEnd()) {
    uint8_t opcode = *in.peek();
    if (opcode == BR_TABLE) {
      ByteReader labels = in;
      TENON_TRY([[maybe_unused]] uint8_t skipped, labels.u8());
      TENON_TRY(uint32_t count, labels.u32());
      shape.branches += uint64_t{count};
    }
    TENON_TRY([[maybe_unused]] auto instruction, component::readInstruction(in));
    switch (opcode) {
      case BLOCK:
      case LOOP:
      case IF:
      case TRY_TABLE:
        ++shape.branches;
        isLoop.push_back(opcode == LOOP);
        if (opcode == LOOP) {
          ++loops;
          shape.loopDepth = std::max(shape.loopDepth, ++openLoops);
        }
        break;
      case ELSE:
      case BR:
      case BR_IF:
        ++shape.branches;
        break;
      case END:
        if (isLoop.empty()) break;  // of the function
        openLoops -= isLoop.back();
        isLoop.pop_back();
        break;
      default:
        break;
    }
  }
  shape.loopProduct = shape.locals * loops;
  shape.branchProduct = shape.locals * shape.branches;
  return shape;
}

// Calls visit(number, offset, shape) for every function that is followed.
template <typename Visit>
Result<void> forEachFunction(std::span<const std::byte> module, const Visit& visit) {
  TENON_TRY(auto sections, component::CoreSectionReader::open(module, 0));
  while (!sections.atEnd()) {
    TENON_TRY(auto section, sections.next());
    if (section.id != component::CoreSection::CODE) continue;
    TENON_CHECK(component::forEachBody(section.content,
                                       [&](uint32_t number, ByteReader body) -> Result<void> {
                                         uint64_t offset = body.offset();
                                         if (auto shape = shapeOf(body))
                                           visit(number, offset, *shape);
                                         return {};
                                       }));
  }
  return {};
}

}  // namespace

Complexity complexityOf(std::span<const std::byte> module) {
  Complexity most;
  (void)forEachFunction(module, [&](uint32_t, uint64_t, const Complexity& shape) {
    most.locals = std::max(most.locals, shape.locals);
    most.branches = std::max(most.branches, shape.branches);
    most.loopDepth = std::max(most.loopDepth, shape.loopDepth);
    most.loopProduct = std::max(most.loopProduct, shape.loopProduct);
    most.branchProduct = std::max(most.branchProduct, shape.branchProduct);
  });
  return most;
}

Result<void> checkComplexity(std::span<const std::byte> module) {
  Result<void> checked;
  // What is malformed is refused when it is validated.
  (void)forEachFunction(module, [&](uint32_t index, uint64_t offset, const Complexity& shape) {
    auto number = [](uint64_t value) { return std::to_string(value); };
    std::string what;
    if (shape.loopDepth > MAX_LOOP_DEPTH) {
      what = "nests loops " + number(shape.loopDepth) + " deep; at most " + number(MAX_LOOP_DEPTH) +
             " are compiled";
    } else if (shape.loopProduct > MAX_LOOP_PRODUCT) {
      what = "has " + number(shape.locals) + " locals and " +
             number(shape.loopProduct / shape.locals) + " loops; compiled are at most " +
             number(MAX_LOOP_PRODUCT) + " locals times loops";
    } else if (shape.branchProduct > MAX_BRANCH_PRODUCT) {
      what = "has " + number(shape.locals) + " locals and " + number(shape.branches) +
             " blocks and branches; compiled are at most " + number(MAX_BRANCH_PRODUCT) +
             " locals times branches";
    }
    if (what.empty() || !checked) return;
    Error error(ErrorCode::LIMIT_EXCEEDED,
                "function " + number(index) + " of its code section " + what);
    error.offset = offset;
    checked = std::move(error);
  });
  return checked;
}

}  // namespace tenon::engine
