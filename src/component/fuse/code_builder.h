#pragma once

// Writes one function of WebAssembly. Expressions are values that hold code, statements go straight
// into the function, structure is nested lambdas:
//
//   Local i = f.local(I32);
//   f.loop([&](Label top) {
//     f.store(op::I32_STORE8, memory, target + i, i32(0));
//     f.set(i, i + 1);
//     f.brIf(top, i < length);
//   });
//
// Nothing here checks types: a mistake is found by the engine's validation.

#include "base/byte_writer.h"

#include <tenon/type.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace tenon::component::adapt {

// Value types, by their byte in the binary format.
enum class WasmType : uint8_t { I32 = 0x7f, I64 = 0x7e, F32 = 0x7d, F64 = 0x7c, V128 = 0x7b };
WasmType wasmType(CoreType type);

struct WasmSignature {
  std::vector<WasmType> params;
  std::vector<WasmType> results;
  auto operator<=>(const WasmSignature&) const = default;
};
WasmSignature wasmSignature(const CoreSignature& signature);

struct Local {
  uint32_t index = 0;
  WasmType type = WasmType::I32;
};

// A structured instruction that is open: the target of branches.
struct Label {
  uint32_t depth = 0;
};

namespace op {
inline constexpr uint8_t I32_LOAD = 0x28, I64_LOAD = 0x29, F32_LOAD = 0x2a, F64_LOAD = 0x2b;
inline constexpr uint8_t I32_LOAD8_S = 0x2c, I32_LOAD8_U = 0x2d;
inline constexpr uint8_t I32_LOAD16_S = 0x2e, I32_LOAD16_U = 0x2f;
inline constexpr uint8_t I32_STORE = 0x36, I64_STORE = 0x37, F32_STORE = 0x38, F64_STORE = 0x39;
inline constexpr uint8_t I32_STORE8 = 0x3a, I32_STORE16 = 0x3b;
inline constexpr uint8_t I32_EQZ = 0x45, I32_EQ = 0x46, I32_NE = 0x47;
inline constexpr uint8_t I32_LT_U = 0x49, I32_GT_U = 0x4b, I32_LE_U = 0x4d, I32_GE_U = 0x4f;
inline constexpr uint8_t I64_NE = 0x52, I64_GT_U = 0x56;
inline constexpr uint8_t I32_ADD = 0x6a, I32_SUB = 0x6b, I32_MUL = 0x6c, I32_AND = 0x71;
inline constexpr uint8_t I32_OR = 0x72, I32_XOR = 0x73, I32_SHL = 0x74, I32_SHR_U = 0x76;
inline constexpr uint8_t I64_ADD = 0x7c, I64_AND = 0x83, I64_OR = 0x84, I64_SHL = 0x86,
                         I64_SHR_U = 0x88;
inline constexpr uint8_t I32_WRAP_I64 = 0xa7, I64_EXTEND_I32_U = 0xad;
inline constexpr uint8_t I32_REINTERPRET_F32 = 0xbc, I64_REINTERPRET_F64 = 0xbd;
inline constexpr uint8_t F32_REINTERPRET_I32 = 0xbe, F64_REINTERPRET_I64 = 0xbf;
inline constexpr uint8_t I32_EXTEND8_S = 0xc0, I32_EXTEND16_S = 0xc1;

// After the prefix 0xfd.
inline constexpr uint32_t V128_LOAD = 0, V128_STORE = 11, I8X16_SWIZZLE = 14, I8X16_SPLAT = 15;
inline constexpr uint32_t V128_NOT = 77, V128_AND = 78, V128_OR = 80, V128_XOR = 81;
inline constexpr uint32_t V128_ANY_TRUE = 83, I8X16_BITMASK = 100, I8X16_SHR_U = 109;
inline constexpr uint32_t I8X16_SUB_SAT_U = 115, I8X16_GT_U = 40;
}  // namespace op

// Code that leaves one value (or, for calls, several or none) on the stack.
class Expr {
 public:
  Expr(Local local);        // local.get
  Expr(uint32_t constant);  // i32.const
  static Expr i64(uint64_t constant);
  static Expr v128(std::span<const uint8_t, 16> bytes);

  Expr unary(uint8_t opcode) &&;
  Expr unary(uint8_t opcode) const& { return Expr(*this).unary(opcode); }
  static Expr binary(Expr left, Expr right, uint8_t opcode);
  static Expr load(uint8_t opcode, uint32_t memory, Expr address, uint32_t offset = 0);
  static Expr memorySize(uint32_t memory);  // in pages
  static Expr call(uint32_t function, std::vector<Expr> arguments);
  static Expr select(Expr ifTrue, Expr ifFalse, Expr condition);

  static Expr vectorLoad(uint32_t memory, Expr address, uint32_t offset = 0);
  Expr vectorUnary(uint32_t opcode) &&;
  static Expr vectorBinary(Expr left, Expr right, uint32_t opcode);
  // The 16 bytes that end `back` bytes before the end of `now`, the earlier ones taken from
  // `before`.
  static Expr vectorShift(Expr before, Expr now, uint8_t back);

  std::span<const std::byte> code() const { return code_.view(); }

 private:
  // Most expressions are short: one allocation is enough for them.
  static constexpr size_t USUAL_BYTES = 48;
  Expr() { code_.reserve(USUAL_BYTES); }
  void append(const Expr& other) { code_.bytes(other.code()); }

  ByteWriter code_;
};

inline Expr i32(uint32_t constant) { return Expr(constant); }

// Unsigned 32-bit arithmetic and comparison.
inline Expr operator+(Expr a, Expr b) {
  return Expr::binary(std::move(a), std::move(b), op::I32_ADD);
}
inline Expr operator-(Expr a, Expr b) {
  return Expr::binary(std::move(a), std::move(b), op::I32_SUB);
}
inline Expr operator*(Expr a, Expr b) {
  return Expr::binary(std::move(a), std::move(b), op::I32_MUL);
}
inline Expr operator&(Expr a, Expr b) {
  return Expr::binary(std::move(a), std::move(b), op::I32_AND);
}
inline Expr operator|(Expr a, Expr b) {
  return Expr::binary(std::move(a), std::move(b), op::I32_OR);
}
inline Expr operator^(Expr a, Expr b) {
  return Expr::binary(std::move(a), std::move(b), op::I32_XOR);
}
inline Expr operator<<(Expr a, Expr b) {
  return Expr::binary(std::move(a), std::move(b), op::I32_SHL);
}
inline Expr operator>>(Expr a, Expr b) {
  return Expr::binary(std::move(a), std::move(b), op::I32_SHR_U);
}
inline Expr operator==(Expr a, Expr b) {
  return Expr::binary(std::move(a), std::move(b), op::I32_EQ);
}
inline Expr operator!=(Expr a, Expr b) {
  return Expr::binary(std::move(a), std::move(b), op::I32_NE);
}
inline Expr operator<(Expr a, Expr b) {
  return Expr::binary(std::move(a), std::move(b), op::I32_LT_U);
}
inline Expr operator>(Expr a, Expr b) {
  return Expr::binary(std::move(a), std::move(b), op::I32_GT_U);
}
inline Expr operator<=(Expr a, Expr b) {
  return Expr::binary(std::move(a), std::move(b), op::I32_LE_U);
}
inline Expr operator>=(Expr a, Expr b) {
  return Expr::binary(std::move(a), std::move(b), op::I32_GE_U);
}

// The function under construction. Not movable: lambdas refer to it.
class CodeBuilder {
 public:
  explicit CodeBuilder(WasmSignature signature);
  CodeBuilder(const CodeBuilder&) = delete;
  CodeBuilder& operator=(const CodeBuilder&) = delete;

  const WasmSignature& signature() const { return signature_; }
  Local param(uint32_t index) const { return {index, signature_.params[index]}; }
  // A fresh local, zero at the start of the function.
  Local local(WasmType type);
  // A local that may hold anything, until `release` lets others have it. Functions have few locals
  // so, however long they get.
  Local temporary(WasmType type);
  void release(Local local) { free_.push_back(local); }

  void push(const Expr& expr) { body_.bytes(expr.code()); }
  void set(Local local, const Expr& value);
  // Takes the value on top of the stack.
  void pop(Local local);
  void emit(uint8_t opcode) { body_.u8(opcode); }
  void store(uint8_t opcode, uint32_t memory, const Expr& address, const Expr& value,
             uint32_t offset = 0);
  void vectorStore(uint32_t memory, const Expr& address, const Expr& value, uint32_t offset = 0);
  void copyMemory(uint32_t toMemory, uint32_t fromMemory, const Expr& to, const Expr& from,
                  const Expr& length);
  // Functions without results.
  void call(uint32_t function, std::vector<Expr> arguments);
  void unreachable() { emit(0x00); }
  void ret() { emit(0x0f); }

  using Body = std::function<void()>;
  using LabelledBody = std::function<void(Label)>;
  void ifThen(const Expr& condition, const Body& then);
  void ifElse(const Expr& condition, const Body& then, const Body& otherwise);
  // Branching to the label leaves the block, or starts the loop again.
  void block(const LabelledBody& body);
  void loop(const LabelledBody& body);
  // A block in which an exception, of whatever tag, branches to `handler`, the innermost label
  // outside.
  void catching(const Body& body);
  void br(Label label);
  void brIf(Label label, const Expr& condition);
  // labels[value], or the last one.
  void brTable(const Expr& value, std::span<const Label> labels);

  // The code entry of the binary format, without its size.
  void write(ByteWriter& out) const;
  size_t size() const { return body_.size(); }

 private:
  void open(uint8_t opcode);
  void close();

  WasmSignature signature_;
  std::vector<WasmType> locals_;
  std::vector<Local> free_;
  uint32_t depth_ = 0;
  ByteWriter body_;
};

}  // namespace tenon::component::adapt
