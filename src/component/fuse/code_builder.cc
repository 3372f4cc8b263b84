#include "component/fuse/code_builder.h"

#include <utility>

namespace tenon::component::adapt {
namespace {

constexpr uint8_t VECTOR_PREFIX = 0xfd;
constexpr uint8_t BULK_PREFIX = 0xfc;
constexpr uint8_t EMPTY_BLOCK = 0x40;

// The alignment is a hint only; none is given.
void writeMemarg(ByteWriter& out, uint32_t memory, uint32_t offset) {
  if (memory == 0) {
    out.u32(0);
  } else {
    out.u32(0x40);
    out.u32(memory);
  }
  out.u32(offset);
}

}  // namespace

WasmType wasmType(CoreType type) {
  switch (type) {
    case CoreType::I32:
      return WasmType::I32;
    case CoreType::I64:
      return WasmType::I64;
    case CoreType::F32:
      return WasmType::F32;
    case CoreType::F64:
      return WasmType::F64;
  }
  return WasmType::I32;
}

WasmSignature wasmSignature(const CoreSignature& signature) {
  WasmSignature made;
  for (CoreType type : signature.params) made.params.push_back(wasmType(type));
  for (CoreType type : signature.results) made.results.push_back(wasmType(type));
  return made;
}

// -- Expressions ----------------------------------------------------------------------------------

Expr::Expr(Local local) : Expr() {
  code_.u8(0x20);
  code_.u32(local.index);
}

Expr::Expr(uint32_t constant) : Expr() {
  code_.u8(0x41);
  code_.s32(static_cast<int32_t>(constant));
}

Expr Expr::i64(uint64_t constant) {
  Expr made;
  made.code_.u8(0x42);
  made.code_.s64(static_cast<int64_t>(constant));
  return made;
}

Expr Expr::v128(std::span<const uint8_t, 16> bytes) {
  Expr made;
  made.code_.u8(VECTOR_PREFIX);
  made.code_.u32(12);
  for (uint8_t byte : bytes) made.code_.u8(byte);
  return made;
}

Expr Expr::unary(uint8_t opcode) && {
  code_.u8(opcode);
  return std::move(*this);
}

Expr Expr::binary(Expr left, Expr right, uint8_t opcode) {
  left.append(right);
  left.code_.u8(opcode);
  return left;
}

Expr Expr::load(uint8_t opcode, uint32_t memory, Expr address, uint32_t offset) {
  address.code_.u8(opcode);
  writeMemarg(address.code_, memory, offset);
  return address;
}

Expr Expr::memorySize(uint32_t memory) {
  Expr made;
  made.code_.u8(0x3f);
  made.code_.u32(memory);
  return made;
}

Expr Expr::call(uint32_t function, std::vector<Expr> arguments) {
  Expr made;
  for (const Expr& argument : arguments) made.append(argument);
  made.code_.u8(0x10);
  made.code_.u32(function);
  return made;
}

Expr Expr::select(Expr ifTrue, Expr ifFalse, Expr condition) {
  ifTrue.append(ifFalse);
  ifTrue.append(condition);
  ifTrue.code_.u8(0x1b);
  return ifTrue;
}

Expr Expr::vectorLoad(uint32_t memory, Expr address, uint32_t offset) {
  address.code_.u8(VECTOR_PREFIX);
  address.code_.u32(op::V128_LOAD);
  writeMemarg(address.code_, memory, offset);
  return address;
}

Expr Expr::vectorUnary(uint32_t opcode) && {
  code_.u8(VECTOR_PREFIX);
  code_.u32(opcode);
  return std::move(*this);
}

Expr Expr::vectorBinary(Expr left, Expr right, uint32_t opcode) {
  left.append(right);
  left.code_.u8(VECTOR_PREFIX);
  left.code_.u32(opcode);
  return left;
}

Expr Expr::vectorShift(Expr before, Expr now, uint8_t back) {
  before.append(now);
  before.code_.u8(VECTOR_PREFIX);
  before.code_.u32(13);
  for (uint8_t lane = 0; lane < 16; ++lane) before.code_.u8(static_cast<uint8_t>(lane + 16 - back));
  return before;
}

// -- Statements -----------------------------------------------------------------------------------

CodeBuilder::CodeBuilder(WasmSignature signature) : signature_(std::move(signature)) {}

Local CodeBuilder::local(WasmType type) {
  locals_.push_back(type);
  return {static_cast<uint32_t>(signature_.params.size() + locals_.size() - 1), type};
}

Local CodeBuilder::temporary(WasmType type) {
  for (size_t i = free_.size(); i-- > 0;) {
    if (free_[i].type != type) continue;
    Local found = free_[i];
    free_.erase(free_.begin() + static_cast<std::ptrdiff_t>(i));
    return found;
  }
  return local(type);
}

void CodeBuilder::set(Local local, const Expr& value) {
  push(value);
  pop(local);
}

void CodeBuilder::pop(Local local) {
  emit(0x21);
  body_.u32(local.index);
}

void CodeBuilder::store(uint8_t opcode, uint32_t memory, const Expr& address, const Expr& value,
                        uint32_t offset) {
  push(address);
  push(value);
  emit(opcode);
  writeMemarg(body_, memory, offset);
}

void CodeBuilder::vectorStore(uint32_t memory, const Expr& address, const Expr& value,
                              uint32_t offset) {
  push(address);
  push(value);
  emit(VECTOR_PREFIX);
  body_.u32(op::V128_STORE);
  writeMemarg(body_, memory, offset);
}

void CodeBuilder::copyMemory(uint32_t toMemory, uint32_t fromMemory, const Expr& to,
                             const Expr& from, const Expr& length) {
  push(to);
  push(from);
  push(length);
  emit(BULK_PREFIX);
  body_.u32(10);
  body_.u32(toMemory);
  body_.u32(fromMemory);
}

void CodeBuilder::call(uint32_t function, std::vector<Expr> arguments) {
  push(Expr::call(function, std::move(arguments)));
}

void CodeBuilder::open(uint8_t opcode) {
  emit(opcode);
  body_.u8(EMPTY_BLOCK);
  ++depth_;
}

void CodeBuilder::close() {
  emit(0x0b);
  --depth_;
}

void CodeBuilder::ifThen(const Expr& condition, const Body& then) {
  push(condition);
  open(0x04);
  then();
  close();
}

void CodeBuilder::ifElse(const Expr& condition, const Body& then, const Body& otherwise) {
  push(condition);
  open(0x04);
  then();
  emit(0x05);
  otherwise();
  close();
}

void CodeBuilder::block(const LabelledBody& body) {
  open(0x02);
  body({depth_});
  close();
}

void CodeBuilder::loop(const LabelledBody& body) {
  open(0x03);
  body({depth_});
  close();
}

void CodeBuilder::catching(const Body& body) {
  emit(0x1f);
  body_.u8(EMPTY_BLOCK);
  body_.u32(1);
  body_.u8(0x02);  // catch_all
  body_.u32(0);
  ++depth_;
  body();
  close();
}

void CodeBuilder::br(Label label) {
  emit(0x0c);
  body_.u32(depth_ - label.depth);
}

void CodeBuilder::brIf(Label label, const Expr& condition) {
  push(condition);
  emit(0x0d);
  body_.u32(depth_ - label.depth);
}

void CodeBuilder::brTable(const Expr& value, std::span<const Label> labels) {
  push(value);
  emit(0x0e);
  body_.u32(static_cast<uint32_t>(labels.size() - 1));
  for (const Label& label : labels) body_.u32(depth_ - label.depth);
}

void CodeBuilder::write(ByteWriter& out) const {
  // Runs of one type, as the format counts locals.
  std::vector<std::pair<uint32_t, WasmType>> runs;
  for (WasmType type : locals_) {
    if (!runs.empty() && runs.back().second == type) {
      ++runs.back().first;
    } else {
      runs.emplace_back(1, type);
    }
  }
  out.u32(static_cast<uint32_t>(runs.size()));
  for (auto [count, type] : runs) {
    out.u32(count);
    out.u8(static_cast<uint8_t>(type));
  }
  out.bytes(body_.view());
  out.u8(0x0b);
}

}  // namespace tenon::component::adapt
