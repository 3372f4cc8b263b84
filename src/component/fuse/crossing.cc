#include "component/fuse/crossing.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace tenon::component::adapt {
namespace {

// Types that take more code than this are moved by a helper function of their own.
constexpr uint32_t INLINE_COST = 100;
// Bytes that are moved by loads and stores; above by memory.copy.
constexpr uint32_t INLINE_BYTES = 128;
// Strings of one function that are moved in place, the others by a helper function.
constexpr uint32_t INLINE_STRINGS = 2;

std::vector<const Type*> payloadsOf(const Type& type) {
  if (type.kind == TypeKind::OPTION) return {nullptr, type.element};
  if (type.kind == TypeKind::RESULT) return {type.ok, type.error};
  std::vector<const Type*> payloads;
  payloads.reserve(type.members.size());
  for (const Labelled& member : type.members) payloads.push_back(member.type);
  return payloads;
}

// How often the code for an element of a fixed-length list is written down: a longer list is a
// loop, and always in memory on both sides.
uint32_t fixedCopies(const Type& type) {
  return type.fixedLength > MAX_FLAT_PARAMS ? 1 : type.fixedLength;
}

uint8_t storeOpcode(uint32_t size) {
  return size == 1 ? op::I32_STORE8 : size == 2 ? op::I32_STORE16 : op::I32_STORE;
}
uint8_t loadOpcode(uint32_t size) {
  return size == 1 ? op::I32_LOAD8_U : size == 2 ? op::I32_LOAD16_U : op::I32_LOAD;
}

// Lifting: a local of a wider type holds a value of the narrower one. Source: `CoerceValueIter`.
Expr narrow(Local local, WasmType wanted) {
  Expr value(local);
  if (local.type == wanted) return value;
  bool wide = local.type == WasmType::I64;
  if (wanted == WasmType::F64) return std::move(value).unary(op::F64_REINTERPRET_I64);
  if (wide) value = std::move(value).unary(op::I32_WRAP_I64);
  if (wanted == WasmType::F32) value = std::move(value).unary(op::F32_REINTERPRET_I32);
  return value;
}

// Lowering: the opcodes that make of a `given` on the stack a `wanted`. Source:
// `lower_flat_variant`.
std::vector<uint8_t> widening(WasmType given, WasmType wanted) {
  if (given == wanted) return {};
  if (given == WasmType::F64) return {op::I64_REINTERPRET_F64};
  std::vector<uint8_t> opcodes;
  if (given == WasmType::F32) opcodes.push_back(op::I32_REINTERPRET_F32);
  if (wanted == WasmType::I64) opcodes.push_back(op::I64_EXTEND_I32_U);
  return opcodes;
}

void setWidened(CodeBuilder& f, Local target, WasmType given, const Expr& value) {
  f.push(value);
  for (uint8_t opcode : widening(given, target.type)) f.emit(opcode);
  f.pop(target);
}

void setZero(CodeBuilder& f, Local target) {
  switch (target.type) {
    case WasmType::I32:
      return f.set(target, i32(0));
    case WasmType::I64:
      return f.set(target, Expr::i64(0));
    case WasmType::F32:
      return f.set(target, i32(0).unary(op::F32_REINTERPRET_I32));
    case WasmType::F64:
      return f.set(target, Expr::i64(0).unary(op::F64_REINTERPRET_I64));
    case WasmType::V128:
      break;
  }
}

}  // namespace

// -- Which way ------------------------------------------------------------------------------------

uint32_t Crossing::cost(const Type& type) {
  auto found = costs_.find(&type);
  if (found != costs_.end()) return found->second;
  auto share = [&](const Type* part) -> uint32_t {
    if (!part) return 1;
    uint32_t own = cost(*part);
    return own > INLINE_COST ? 4 + std::min(part->flatCount, MAX_FLAT_PARAMS) : own;
  };
  uint64_t sum = 1;
  switch (type.kind) {
    case TypeKind::RECORD:
    case TypeKind::TUPLE:
      for (const Labelled& member : type.members) sum += share(member.type);
      break;
    case TypeKind::VARIANT:
    case TypeKind::OPTION:
    case TypeKind::RESULT:
      sum += 3;
      for (const Type* payload : payloadsOf(type)) sum += 1 + share(payload);
      break;
    case TypeKind::STRING:
      sum = 4;
      break;
    case TypeKind::LIST:
      sum = type.fixedLength == 0 ? 4 : 4 + uint64_t{fixedCopies(type)} * share(type.element);
      break;
    default:
      break;
  }
  auto capped = static_cast<uint32_t>(std::min<uint64_t>(sum, 0xffffffff));
  costs_.emplace(&type, capped);
  return capped;
}

uint32_t Crossing::helper(const Key& key, const WasmSignature& signature,
                          const std::function<void(CodeBuilder&)>& write) {
  auto found = helpers_.find(key);
  if (found != helpers_.end()) return found->second;
  ModuleBuilder::Function made = common_.module.defineFunction(signature);
  helpers_.emplace(key, made.index);
  write(*made.code);
  return made.index;
}

void Crossing::move(CodeBuilder& f, const Type& type, Place source, Place target) {
  if (cost(type) > INLINE_COST) {
    moveByHelper(f, type, source, target);
  } else {
    moveInline(f, type, source, target);
  }
}

void Crossing::moveInline(CodeBuilder& f, const Type& type, Place source, Place target) {
  if (type.isPlainBytes && source.inMemory && target.inMemory && type.size > 0) {
    return moveBytes(f, type.size, source, target);
  }
  switch (type.kind) {
    case TypeKind::RECORD:
    case TypeKind::TUPLE:
      return moveMembers(f, type, source, target);
    case TypeKind::VARIANT:
    case TypeKind::ENUM:
    case TypeKind::OPTION:
    case TypeKind::RESULT:
      return moveVariant(f, type, source, target);
    case TypeKind::STRING:
      return moveString(f, source, target);
    case TypeKind::LIST:
      if (type.fixedLength != 0) return moveFixedList(f, type, source, target);
      return moveList(f, type, source, target);
    default:
      return moveScalar(f, type, source, target);
  }
}

void Crossing::moveByHelper(CodeBuilder& f, const Type& type, Place source, Place target) {
  Key key{Helper::VALUE, &type, source.inMemory, target.inMemory};
  WasmSignature signature;
  if (source.inMemory) {
    signature.params.push_back(WasmType::I32);
  } else {
    for (CoreType flat : type.flat) signature.params.push_back(wasmType(flat));
  }
  size_t sourceCount = signature.params.size();
  if (target.inMemory) {
    signature.params.push_back(WasmType::I32);
  } else {
    for (CoreType flat : type.flat) signature.results.push_back(wasmType(flat));
  }

  uint32_t function = helper(key, signature, [&](CodeBuilder& body) {
    std::vector<Local> params, results;
    for (uint32_t i = 0; i < sourceCount; ++i) params.push_back(body.param(i));
    for (WasmType result : signature.results) results.push_back(body.local(result));
    Place from = source.inMemory ? Place::at(params[0]) : Place::in(params);
    Place to = target.inMemory ? Place::at(body.param(static_cast<uint32_t>(sourceCount)))
                               : Place::in(results);
    moveInline(body, type, from, to);
    for (Local result : results) body.push(result);
  });

  std::vector<Expr> arguments;
  if (source.inMemory) {
    arguments.push_back(source.address + source.offset);
  } else {
    for (size_t i = 0; i < sourceCount; ++i) {
      arguments.push_back(narrow(source.flat[i], signature.params[i]));
    }
  }
  if (target.inMemory) arguments.push_back(target.address + target.offset);
  f.call(function, std::move(arguments));
  for (size_t i = signature.results.size(); i-- > 0;) {
    for (uint8_t opcode : widening(signature.results[i], target.flat[i].type)) f.emit(opcode);
    f.pop(target.flat[i]);
  }
}

// -- Scalars --------------------------------------------------------------------------------------

Expr Crossing::loadScalar(const Type& type, Place source) {
  if (!source.inMemory) return narrow(source.flat[0], wasmType(type.flat[0]));
  uint8_t opcode = loadOpcode(type.size);
  switch (type.kind) {
    case TypeKind::S8:
      opcode = op::I32_LOAD8_S;
      break;
    case TypeKind::S16:
      opcode = op::I32_LOAD16_S;
      break;
    case TypeKind::S64:
    case TypeKind::U64:
      opcode = op::I64_LOAD;
      break;
    case TypeKind::F32:
      opcode = op::F32_LOAD;
      break;
    case TypeKind::F64:
      opcode = op::F64_LOAD;
      break;
    default:
      break;
  }
  return Expr::load(opcode, from_.memory, source.address, source.offset);
}

void Crossing::storeScalar(CodeBuilder& f, const Type& type, Place target, Expr value) {
  WasmType flat = wasmType(type.flat[0]);
  if (!target.inMemory) return setWidened(f, target.flat[0], flat, value);
  uint8_t opcode = storeOpcode(type.size);
  if (flat == WasmType::I64) opcode = op::I64_STORE;
  if (flat == WasmType::F32) opcode = op::F32_STORE;
  if (flat == WasmType::F64) opcode = op::F64_STORE;
  f.store(opcode, to_.memory, target.address, value, target.offset);
}

void Crossing::moveScalar(CodeBuilder& f, const Type& type, Place source, Place target) {
  Expr value = loadScalar(type, source);
  // What memory gives or takes is cut to size by the instruction.
  bool cut = source.inMemory || target.inMemory;
  switch (type.kind) {
    case TypeKind::BOOL:
      value = std::move(value) != i32(0);
      break;
    case TypeKind::U8:
      if (!cut) value = std::move(value) & i32(0xff);
      break;
    case TypeKind::U16:
      if (!cut) value = std::move(value) & i32(0xffff);
      break;
    case TypeKind::S8:
      if (!cut) value = std::move(value).unary(op::I32_EXTEND8_S);
      break;
    case TypeKind::S16:
      if (!cut) value = std::move(value).unary(op::I32_EXTEND16_S);
      break;
    case TypeKind::CHAR: {
      Local code = f.temporary(WasmType::I32);
      f.set(code, value);
      // One comparison for both ends of the surrogates, one for the end of Unicode.
      Expr surrogate = (code - i32(0xd800)) < i32(0x800);
      trapIf(f, std::move(surrogate) | (code >= i32(0x110000)), control::TrapCode::INVALID_CHAR,
             from_);
      storeScalar(f, type, target, code);
      return f.release(code);
    }
    case TypeKind::FLAGS: {
      size_t count = type.members.size();
      if (count < 32) value = std::move(value) & i32((uint32_t{1} << count) - 1);
      break;
    }
    case TypeKind::OWN:
    case TypeKind::BORROW:
      value = handle(type, std::move(value));
      break;
    default:
      break;
  }
  storeScalar(f, type, target, std::move(value));
}

Expr Crossing::handle(const Type& type, Expr index) {
  Trampoline::Kind kind = type.kind == TypeKind::OWN ? Trampoline::Kind::TRANSFER_OWN
                          : lends_                   ? Trampoline::Kind::LEND
                                                     : Trampoline::Kind::TRANSFER_BORROW;
  auto found = common_.host.find({kind, type.resource, from_.instance, to_.instance});
  assert(found != common_.host.end());
  return Expr::call(found->second, {std::move(index)});
}

// -- Compounds ------------------------------------------------------------------------------------

void Crossing::moveMembers(CodeBuilder& f, const Type& type, Place source, Place target) {
  size_t flat = 0;
  for (const Labelled& member : type.members) {
    size_t count = member.type->flatCount;
    move(f, *member.type, source.part(member.offset, flat, count),
         target.part(member.offset, flat, count));
    flat += count;
  }
}

void Crossing::moveFixedList(CodeBuilder& f, const Type& type, Place source, Place target) {
  const Type& element = *type.element;
  if (type.fixedLength <= MAX_FLAT_PARAMS) {
    for (uint32_t i = 0; i < type.fixedLength; ++i) {
      size_t flat = size_t{i} * element.flatCount;
      move(f, element, source.part(i * element.size, flat, element.flatCount),
           target.part(i * element.size, flat, element.flatCount));
    }
    return;
  }
  assert(source.inMemory && target.inMemory);
  Local from = f.local(WasmType::I32), to = f.local(WasmType::I32), end = f.local(WasmType::I32);
  f.set(from, source.address + source.offset);
  f.set(to, target.address + target.offset);
  f.set(end, from + i32(type.size));
  f.loop([&](Label top) {
    move(f, element, Place::at(from), Place::at(to));
    f.set(to, to + i32(element.size));
    f.set(from, from + i32(element.size));
    f.brIf(top, from != end);
  });
}

void Crossing::movePayload(CodeBuilder& f, const Type* payload, uint32_t offset, Place source,
                           Place target) {
  size_t count = payload ? payload->flatCount : 0;
  if (payload) move(f, *payload, source.part(offset, 1, count), target.part(offset, 1, count));
  if (target.inMemory) return;
  for (size_t i = 1 + count; i < target.flat.size(); ++i) setZero(f, target.flat[i]);
}

void Crossing::moveVariant(CodeBuilder& f, const Type& type, Place source, Place target) {
  std::vector<const Type*> payloads = payloadsOf(type);
  bool inPlace = !source.inMemory && source.flat[0].type == WasmType::I32;
  Local which = inPlace ? source.flat[0] : f.temporary(WasmType::I32);
  if (source.inMemory) {
    f.set(which, Expr::load(loadOpcode(type.discriminantSize), from_.memory, source.address,
                            source.offset));
  } else if (!inPlace) {
    f.set(which, narrow(source.flat[0], WasmType::I32));
  }
  trapIf(f, which >= i32(static_cast<uint32_t>(payloads.size())),
         control::TrapCode::INVALID_DISCRIMINANT, from_);
  if (target.inMemory) {
    f.store(storeOpcode(type.discriminantSize), to_.memory, target.address, which, target.offset);
  } else {
    setWidened(f, target.flat[0], WasmType::I32, which);
  }
  if (type.kind != TypeKind::ENUM) {
    moveCases(f, payloads, type.payloadOffset, which, 0, payloads.size(), source, target);
  }
  if (!inPlace) f.release(which);
}

// Cases `begin` to `end`, found by halving.
void Crossing::moveCases(CodeBuilder& f, std::span<const Type* const> payloads, uint32_t offset,
                         const Expr& which, size_t begin, size_t end, Place source, Place target) {
  auto carries = [&](size_t from, size_t to) {
    return !target.inMemory || std::any_of(payloads.begin() + static_cast<ptrdiff_t>(from),
                                           payloads.begin() + static_cast<ptrdiff_t>(to),
                                           [](const Type* payload) { return payload != nullptr; });
  };
  if (!carries(begin, end)) return;
  if (end - begin == 1) return movePayload(f, payloads[begin], offset, source, target);
  size_t middle = begin + (end - begin) / 2;
  auto half = [&](size_t from, size_t to) {
    return [&, from, to] { moveCases(f, payloads, offset, which, from, to, source, target); };
  };
  Expr upper = middle == 1 && end == 2 ? which : Expr(which) >= i32(static_cast<uint32_t>(middle));
  if (!carries(begin, middle)) return f.ifThen(upper, half(middle, end));
  if (!carries(middle, end)) {
    return f.ifThen(std::move(upper).unary(op::I32_EQZ), half(begin, middle));
  }
  f.ifElse(upper, half(middle, end), half(begin, middle));
}

void Crossing::moveBytes(CodeBuilder& f, uint32_t size, Place source, Place target) {
  if (size > INLINE_BYTES) {
    return f.copyMemory(to_.memory, from_.memory, target.address + target.offset,
                        source.address + source.offset, i32(size));
  }
  uint32_t at = 0;
  for (; size - at >= 16; at += 16) {
    f.vectorStore(to_.memory, target.address,
                  Expr::vectorLoad(from_.memory, source.address, source.offset + at),
                  target.offset + at);
  }
  auto scalars = [&](uint32_t width, uint8_t load, uint8_t store) {
    for (; size - at >= width; at += width) {
      f.store(store, to_.memory, target.address,
              Expr::load(load, from_.memory, source.address, source.offset + at),
              target.offset + at);
    }
  };
  scalars(8, op::I64_LOAD, op::I64_STORE);
  scalars(4, op::I32_LOAD, op::I32_STORE);
  scalars(2, op::I32_LOAD16_U, op::I32_STORE16);
  scalars(1, op::I32_LOAD8_U, op::I32_STORE8);
}

// -- Pointers -------------------------------------------------------------------------------------

void Crossing::moveList(CodeBuilder& f, const Type& type, Place source, Place target) {
  Local pointer = f.temporary(WasmType::I32), length = f.temporary(WasmType::I32);
  Local result = f.temporary(WasmType::I32);
  if (source.inMemory) {
    f.set(pointer, Expr::load(op::I32_LOAD, from_.memory, source.address, source.offset));
    f.set(length, Expr::load(op::I32_LOAD, from_.memory, source.address, source.offset + 4));
  } else {
    f.set(pointer, narrow(source.flat[0], WasmType::I32));
    f.set(length, narrow(source.flat[1], WasmType::I32));
  }
  if (type.element->isPlainBytes && !source.inMemory) {
    listBody(f, *type.element, pointer, length, result);
  } else {
    f.set(result, Expr::call(listHelper(type), {pointer, length}));
  }
  if (target.inMemory) {
    f.store(op::I32_STORE, to_.memory, target.address, result, target.offset);
    f.store(op::I32_STORE, to_.memory, target.address, length, target.offset + 4);
  } else {
    setWidened(f, target.flat[0], WasmType::I32, result);
    setWidened(f, target.flat[1], WasmType::I32, length);
  }
  for (Local local : {pointer, length, result}) f.release(local);
}

void Crossing::moveString(CodeBuilder& f, Place source, Place target) {
  Local pointer = f.temporary(WasmType::I32), units = f.temporary(WasmType::I32);
  Local result = f.temporary(WasmType::I32);
  if (source.inMemory) {
    f.set(pointer, Expr::load(op::I32_LOAD, from_.memory, source.address, source.offset));
    f.set(units, Expr::load(op::I32_LOAD, from_.memory, source.address, source.offset + 4));
  } else {
    f.set(pointer, narrow(source.flat[0], WasmType::I32));
    f.set(units, narrow(source.flat[1], WasmType::I32));
  }
  bool utf8 = from_.encoding == StringEncoding::UTF8 && to_.encoding == StringEncoding::UTF8;
  if (utf8 && inlineStrings_[&f] < INLINE_STRINGS) {
    ++inlineStrings_[&f];
    checkUnits(f, pointer, units, 1, 1);
    allocate(f, result, 1, units);
    copyText(f, result, pointer, units);
  } else {
    f.call(stringHelper(), {pointer, units});
    f.pop(units);
    f.pop(result);
  }
  if (target.inMemory) {
    f.store(op::I32_STORE, to_.memory, target.address, result, target.offset);
    f.store(op::I32_STORE, to_.memory, target.address, units, target.offset + 4);
  } else {
    setWidened(f, target.flat[0], WasmType::I32, result);
    setWidened(f, target.flat[1], WasmType::I32, units);
  }
  for (Local local : {pointer, units, result}) f.release(local);
}

}  // namespace tenon::component::adapt
