// Makes the code of a Transfer: walks both types at once, compares them, and writes for each pair
// of nodes what program.h has. A pair is visited once for each form and direction.

#include "component/transfer/program.h"
#include "component/types/type_table.h"

#include <algorithm>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace tenon::abi {
namespace {

using component::paramsLayout;
using component::paramsSpill;
using component::resultSpills;
using Way = MovedHandle::Way;

// How values are passed.
enum class Form : uint8_t { MEMORY, FLAT };

// Instructions of a part that are written into its user; a part with more is called.
constexpr size_t INLINE_INSTRUCTIONS = 16;
// Elements of a list<T, N> that are written out.
constexpr uint32_t INLINE_ELEMENTS = 4;

// A pair of nodes: the types of the same value on both sides.
struct Pair {
  const Type* from = nullptr;
  const Type* to = nullptr;
};

std::string named(std::string_view what, std::string_view label, size_t index) {
  if (label.empty()) return std::string(what) + " " + std::to_string(index);
  return std::string(what) + " '" + std::string(label) + "'";
}

// Appends `next`; bytes that follow bytes become one COPY.
void append(std::vector<Instruction>& code, Instruction next) {
  if (!code.empty() && next.op == Op::COPY) {
    Instruction& last = code.back();
    if (last.op == Op::COPY && last.at + last.size == next.at) {
      last.size += next.size;
      return;
    }
  }
  code.push_back(next);
}

class Compiler {
 public:
  Compiler(TransferProgram& program, Way way) : program_(program), way_(way) {}

  // The block of the result, or of the parameters one after another at `offsets` (in memory) or in
  // slots. Errors say where.
  Result<uint32_t> result(Pair pair, Form form) {
    auto block = blockOf(pair, form);
    if (!block) return located(within("result", std::move(block).error()));
    return block;
  }
  Result<uint32_t> parameters(std::span<const Pair> pairs, std::span<const Parameter> parameters,
                              std::span<const uint32_t> offsets, Form form) {
    Block block;
    uint32_t slot = 0;
    for (size_t i = 0; i < pairs.size(); ++i) {
      uint32_t at = form == Form::MEMORY ? offsets[i] : slot;
      if (auto done = part(block, pairs[i], at, form); !done) {
        return located(within(named("parameter", parameters[i].name, i), std::move(done).error()));
      }
      slot += pairs[i].from->flatCount;
    }
    return add(std::move(block));
  }

 private:
  // Puts a step before the path of an error that is on its way out.
  Error within(const std::string& step, Error error) {
    path_ = path_.empty() ? step : step + ", " + path_;
    return error;
  }
  Error located(Error error) const {
    error.message = path_ + ": " + error.message;
    return error;
  }

  Result<uint32_t> blockOf(Pair pair, Form form) {
    auto key = std::make_tuple(pair.from, pair.to, form);
    if (auto found = made_.find(key); found != made_.end()) return found->second;
    Block block;
    TENON_CHECK(write(block, pair, form));
    uint32_t number = add(std::move(block));
    made_.emplace(key, number);
    return number;
  }
  uint32_t add(Block block) {
    program_.blocks.push_back(std::move(block));
    return static_cast<uint32_t>(program_.blocks.size() - 1);
  }

  // Writes one part of a value into the block of the whole.
  Result<void> part(Block& whole, Pair pair, uint32_t at, Form form) {
    TENON_TRY(uint32_t number, blockOf(pair, form));
    const Block& block = program_.blocks[number];
    include(whole.check, block.check, number, at);
    include(whole.move, block.move, number, at);
    return {};
  }
  static void include(std::vector<Instruction>& whole, const std::vector<Instruction>& code,
                      uint32_t number, uint32_t at) {
    if (code.size() > INLINE_INSTRUCTIONS) {
      whole.push_back({.op = Op::CALL, .at = at, .block = number});
      return;
    }
    for (Instruction next : code) {
      next.at += at;
      append(whole, next);
    }
  }

  Result<void> write(Block& block, Pair pair, Form form) {
    TENON_CHECK(compare(pair));
    const Type& type = *pair.from;
    bool flat = form == Form::FLAT;
    auto both = [&](const Instruction& instruction) {
      block.check.push_back(instruction);
      block.move.push_back(instruction);
    };
    auto bytesOr = [&](const Instruction& ifFlat) {
      block.move.push_back(flat ? ifFlat : Instruction{.op = Op::COPY, .size = type.size});
    };
    switch (type.kind) {
      case TypeKind::BOOL:
        block.move.push_back({.op = Op::BOOL});
        break;
      case TypeKind::S8:
        bytesOr({.op = Op::SIGNED_8});
        break;
      case TypeKind::U8:
        bytesOr({.op = Op::MASK, .count = 0xff});
        break;
      case TypeKind::S16:
        bytesOr({.op = Op::SIGNED_16});
        break;
      case TypeKind::U16:
        bytesOr({.op = Op::MASK, .count = 0xffff});
        break;
      case TypeKind::S32:
      case TypeKind::U32:
      case TypeKind::F32:
        bytesOr({.op = Op::COPY_LOW});
        break;
      case TypeKind::S64:
      case TypeKind::U64:
      case TypeKind::F64:
        bytesOr({.op = Op::COPY_ALL});
        break;
      case TypeKind::CHAR:
        block.check.push_back({.op = Op::CHAR});
        bytesOr({.op = Op::COPY_LOW});
        break;
      case TypeKind::ENUM:
        block.check.push_back({.op = Op::ENUM,
                               .width = type.discriminantSize,
                               .count = static_cast<uint32_t>(type.members.size())});
        bytesOr({.op = Op::COPY_LOW});
        break;
      case TypeKind::FLAGS:
        writeFlags(block, type, form);
        break;
      case TypeKind::STRING:
        both({.op = Op::STRING});
        break;
      case TypeKind::LIST:
        if (type.fixedLength != 0) return writeFixedList(block, pair, form);
        return writeList(block, pair);
      case TypeKind::RECORD:
      case TypeKind::TUPLE:
        return writeMembers(block, pair, form);
      case TypeKind::VARIANT:
      case TypeKind::OPTION:
      case TypeKind::RESULT:
        return writeCases(block, pair, form);
      case TypeKind::OWN:
      case TypeKind::BORROW:
        both({.op = Op::HANDLE, .block = handle(pair)});
        break;
      case TypeKind::ERROR_CONTEXT:
      case TypeKind::STREAM:
      case TypeKind::FUTURE:
        return Error{ErrorCode::UNSUPPORTED,
                     "streams, futures and error contexts are not supported yet"};
    }
    return {};
  }

  // Whether the two nodes are alike, apart from their parts.
  Result<void> compare(Pair pair) const {
    const Type& a = *pair.from;
    const Type& b = *pair.to;
    bool handle = a.kind == TypeKind::OWN || a.kind == TypeKind::BORROW;
    bool alike = a.kind == b.kind && a.isMap == b.isMap && a.fixedLength == b.fixedLength &&
                 (a.ok == nullptr) == (b.ok == nullptr) &&
                 (a.error == nullptr) == (b.error == nullptr) &&
                 (handle || a.members.size() == b.members.size());
    for (size_t i = 0; alike && !handle && i < a.members.size(); ++i) {
      alike = a.members[i].label == b.members[i].label &&
              (a.members[i].type == nullptr) == (b.members[i].type == nullptr);
    }
    if (alike) return {};
    bool forward = way_ == Way::TO_CALLEE;
    return Error{ErrorCode::TYPE_MISMATCH, toString(forward ? a : b) + " in the caller, " +
                                               toString(forward ? b : a) + " in the callee"};
  }

  static void writeFlags(Block& block, const Type& type, Form form) {
    size_t count = type.members.size();
    uint32_t mask = count >= 32 ? ~uint32_t{0} : (uint32_t{1} << count) - 1;
    if (form == Form::MEMORY && count == 8 * size_t{type.size}) {
      block.move.push_back({.op = Op::COPY, .size = type.size});
    } else {
      block.move.push_back(
          {.op = Op::MASK, .width = static_cast<uint8_t>(type.size), .count = mask});
    }
  }

  uint32_t handle(Pair pair) {
    auto mode =
        pair.from->kind == TypeKind::OWN ? MovedHandle::Mode::OWN : MovedHandle::Mode::BORROW;
    MovedHandle handle{mode, way_, pair.from->resource, pair.to->resource};
    auto& all = program_.handles;
    auto found = std::find(all.begin(), all.end(), handle);
    if (found == all.end()) found = all.insert(all.end(), handle);
    return static_cast<uint32_t>(found - all.begin());
  }

  // Whether one COPY moves a value of this type.
  bool isOneCopy(uint32_t block, const Type& type) const {
    const auto& code = program_.blocks[block].move;
    return code.size() == 1 && code[0].op == Op::COPY && code[0].size == type.size;
  }

  Result<uint32_t> elementOf(Pair pair, Form form) {
    auto block = blockOf({pair.from->element, pair.to->element}, form);
    if (!block) return within("element", std::move(block).error());
    return block;
  }

  Result<void> writeList(Block& block, Pair pair) {
    const Type& element = *pair.from->element;
    TENON_TRY(uint32_t number, elementOf(pair, Form::MEMORY));
    Instruction list{.op = Op::LIST,
                     .alignment = static_cast<uint8_t>(element.alignment),
                     .size = element.size,
                     .block = number};
    block.check.push_back(list);
    if (isOneCopy(number, element)) list.op = Op::LIST_PLAIN;
    if (element.kind == TypeKind::BOOL) list.op = Op::LIST_BOOL;
    block.move.push_back(list);
    return {};
  }

  Result<void> writeFixedList(Block& block, Pair pair, Form form) {
    const Type& type = *pair.from;
    TENON_TRY(uint32_t number, elementOf(pair, form));
    const Block& element = program_.blocks[number];
    uint32_t step = form == Form::MEMORY ? type.element->size : type.element->flatCount;
    auto repeat = [&](std::vector<Instruction>& code, const std::vector<Instruction>& each) {
      if (each.empty()) return;
      if (type.fixedLength > INLINE_ELEMENTS) {
        code.push_back(
            {.op = Op::REPEAT, .size = step, .count = type.fixedLength, .block = number});
        return;
      }
      for (uint32_t i = 0; i < type.fixedLength; ++i) include(code, each, number, i * step);
    };
    repeat(block.check, element.check);
    if (form == Form::MEMORY && isOneCopy(number, *type.element)) {
      block.move.push_back({.op = Op::COPY, .size = type.size});
    } else {
      repeat(block.move, element.move);
    }
    return {};
  }

  Result<void> writeMembers(Block& block, Pair pair, Form form) {
    uint32_t slot = 0;
    for (size_t i = 0; i < pair.from->members.size(); ++i) {
      const Labelled& member = pair.from->members[i];
      uint32_t at = form == Form::MEMORY ? member.offset : slot;
      if (auto done = part(block, {member.type, pair.to->members[i].type}, at, form); !done) {
        return within(named(member.label.empty() ? "element" : "field", member.label, i),
                      std::move(done).error());
      }
      slot += member.type->flatCount;
    }
    return {};
  }

  static std::vector<Pair> payloads(Pair pair) {
    const Type& a = *pair.from;
    const Type& b = *pair.to;
    if (a.kind == TypeKind::OPTION) return {{}, {a.element, b.element}};
    if (a.kind == TypeKind::RESULT) return {{a.ok, b.ok}, {a.error, b.error}};
    std::vector<Pair> pairs;
    pairs.reserve(a.members.size());
    for (size_t i = 0; i < a.members.size(); ++i) {
      pairs.push_back({a.members[i].type, b.members[i].type});
    }
    return pairs;
  }
  static std::string caseName(const Type& type, size_t index) {
    if (type.kind == TypeKind::OPTION) return "some";
    if (type.kind == TypeKind::RESULT) return index == 0 ? "ok" : "error";
    return named("case", type.members[index].label, index);
  }

  Result<void> writeCases(Block& block, Pair pair, Form form) {
    const Type& type = *pair.from;
    std::vector<uint32_t> blocks;
    for (const Pair& payload : payloads(pair)) {
      if (payload.from == nullptr) {
        blocks.push_back(TransferWay::NOTHING);
        continue;
      }
      auto number = blockOf(payload, form);
      if (!number) return within(caseName(type, blocks.size()), std::move(number).error());
      blocks.push_back(*number);
    }
    bool memory = form == Form::MEMORY;
    auto count = static_cast<uint32_t>(blocks.size());
    auto first = static_cast<uint32_t>(program_.cases.size());
    program_.cases.insert(program_.cases.end(), blocks.begin(), blocks.end());
    Instruction cases{.op = Op::CASES,
                      .width = type.discriminantSize,
                      .size = memory ? 0 : type.flatCount - 1,
                      .count = count,
                      .block = first,
                      .payload = memory ? type.payloadOffset : 1};
    block.move.push_back(cases);
    // Where no payload has anything to check, its case is looked at alone.
    bool alone = std::all_of(blocks.begin(), blocks.end(), [&](uint32_t number) {
      return number == TransferWay::NOTHING || program_.blocks[number].check.empty();
    });
    if (alone) cases = {.op = Op::ENUM, .width = type.discriminantSize, .count = count};
    block.check.push_back(cases);
    return {};
  }

  TransferProgram& program_;
  const Way way_;
  std::string path_;
  std::map<std::tuple<const Type*, const Type*, Form>, uint32_t> made_;
};

uint32_t flatParams(const FuncType& type) {
  uint32_t count = 0;
  for (const Parameter& parameter : type.params) count += parameter.type->flatCount;
  return count;
}

Result<void> compileParameters(TransferProgram& program, const FuncType& caller,
                               const FuncType& callee) {
  TransferWay& way = program.parameters;
  way.spills = paramsSpill(caller);
  component::TupleLayout layout = paramsLayout(caller);
  if (way.spills) {
    if (layout.size > std::numeric_limits<uint32_t>::max()) {
      return Error{ErrorCode::LIMIT_EXCEEDED, "the parameters take more than 2^32 - 1 bytes"};
    }
    way.size = static_cast<uint32_t>(layout.size);
    way.alignment = layout.alignment;
  }
  std::vector<Pair> pairs;
  way.needsRealloc = way.spills;
  for (size_t i = 0; i < caller.params.size(); ++i) {
    pairs.push_back({caller.params[i].type, callee.params[i].type});
    way.needsRealloc = way.needsRealloc || caller.params[i].type->hasPointer;
  }
  program.resultPointer = way.spills ? 1 : flatParams(caller);
  Compiler compiler(program, Way::TO_CALLEE);
  TENON_TRY(way.block, compiler.parameters(pairs, caller.params, layout.offsets,
                                           way.spills ? Form::MEMORY : Form::FLAT));
  return {};
}

Result<void> compileResults(TransferProgram& program, const FuncType& caller,
                            const FuncType& callee) {
  if (caller.result == nullptr) return {};
  TransferWay& way = program.results;
  way.spills = resultSpills(callee);
  way.needsRealloc = callee.result->hasPointer;
  way.size = callee.result->size;
  way.alignment = callee.result->alignment;
  Compiler compiler(program, Way::TO_CALLER);
  TENON_TRY(way.block, compiler.result({callee.result, caller.result},
                                       way.spills ? Form::MEMORY : Form::FLAT));
  return {};
}

}  // namespace

Result<TransferProgram> compileTransfer(const FuncType& caller, const FuncType& callee) {
  if (caller.async || callee.async) {
    return Error{ErrorCode::UNSUPPORTED, "async functions are not supported yet"};
  }
  if (caller.params.size() != callee.params.size() ||
      (caller.result == nullptr) != (callee.result == nullptr)) {
    return Error{ErrorCode::TYPE_MISMATCH,
                 toString(caller) + " in the caller, " + toString(callee) + " in the callee"};
  }
  TransferProgram program;
  TENON_CHECK(compileParameters(program, caller, callee));
  TENON_CHECK(compileResults(program, caller, callee));
  return program;
}

}  // namespace tenon::abi
