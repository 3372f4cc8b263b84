// The part of Crossing for lists, allocation and checks of pointers.

#include "component/fuse/crossing.h"

#include <cassert>

namespace tenon::component::adapt {

void Common::trapIf(CodeBuilder& f, const Expr& condition, control::TrapCode code,
                    uint32_t guilty) const {
  f.ifThen(condition, [&] {
    f.call(trap, {i32(static_cast<uint32_t>(code)), i32(guilty)});
    f.unreachable();
  });
}

void Common::trapOnThrow(CodeBuilder& f, uint32_t guilty, const CodeBuilder::Body& call) const {
  if (!mayThrow) return call();
  f.block([&](Label done) {
    f.block([&](Label) {
      f.catching(call);
      f.br(done);
    });
    f.call(trap, {i32(static_cast<uint32_t>(control::TrapCode::UNCAUGHT_EXCEPTION)), i32(guilty)});
    f.unreachable();
  });
}

namespace {

// Whether `length` bytes from `address` do not lie in the memory. In 64 bits.
Expr outside(uint32_t memory, const Expr& address, const Expr& length) {
  Expr end = Expr::binary(address.unary(op::I64_EXTEND_I32_U), length.unary(op::I64_EXTEND_I32_U),
                          op::I64_ADD);
  // In pages, rounded up: one comparison with the memory's own number of them.
  Expr pages = Expr::binary(Expr::binary(std::move(end), Expr::i64(0xffff), op::I64_ADD),
                            Expr::i64(16), op::I64_SHR_U);
  return std::move(pages).unary(op::I32_WRAP_I64) > Expr::memorySize(memory);
}

}  // namespace

void Crossing::checkBytes(CodeBuilder& f, const Side& side, const Expr& address, const Expr& length,
                          uint32_t alignment, control::TrapCode misaligned,
                          control::TrapCode beyond) {
  if (alignment > 1) trapIf(f, address & i32(alignment - 1), misaligned, side);
  trapIf(f, outside(side.memory, address, length), beyond, side);
}

void Crossing::checkSource(CodeBuilder& f, Local address, uint32_t alignment, uint32_t size) {
  checkBytes(f, from_, address, i32(size), alignment, control::TrapCode::POINTER_MISALIGNED,
             control::TrapCode::POINTER_OUT_OF_BOUNDS);
}

void Crossing::checkTarget(CodeBuilder& f, Local address, uint32_t alignment, uint32_t size) {
  checkBytes(f, to_, address, i32(size), alignment, control::TrapCode::POINTER_MISALIGNED,
             control::TrapCode::POINTER_OUT_OF_BOUNDS);
}

// -- Allocation -----------------------------------------------------------------------------------

// Every call of `realloc` is a task of its own, with empty context storage.
void Crossing::callRealloc(CodeBuilder& f, Local result, std::vector<Expr> arguments) {
  assert(to_.realloc != NONE);
  if (to_.usesContext) {
    for (uint32_t slot : {0u, 1u}) {
      f.store(op::I64_STORE, common_.control, i32(control::contextOffset(to_.instance, slot)),
              Expr::i64(0));
    }
  }
  common_.trapOnThrow(f, to_.instance,
                      [&] { f.set(result, Expr::call(to_.realloc, std::move(arguments))); });
}

void Crossing::allocate(CodeBuilder& f, Local result, uint32_t alignment, const Expr& size) {
  callRealloc(f, result, {i32(0), i32(0), i32(alignment), size});
  checkBytes(f, to_, result, size, alignment, control::TrapCode::REALLOC_MISALIGNED,
             control::TrapCode::REALLOC_OUT_OF_BOUNDS);
}

void Crossing::reallocate(CodeBuilder& f, Local pointer, const Expr& oldSize, uint32_t alignment,
                          const Expr& newSize) {
  callRealloc(f, pointer, {pointer, oldSize, i32(alignment), newSize});
  checkBytes(f, to_, pointer, newSize, alignment, control::TrapCode::REALLOC_MISALIGNED,
             control::TrapCode::REALLOC_OUT_OF_BOUNDS);
}

// -- Lists ----------------------------------------------------------------------------------------

uint32_t Crossing::listHelper(const Type& type) {
  return helper({Helper::LIST, &type, true, true},
                {{WasmType::I32, WasmType::I32}, {WasmType::I32}}, [&](CodeBuilder& f) {
                  Local result = f.local(WasmType::I32);
                  listBody(f, *type.element, f.param(0), f.param(1), result);
                  f.push(result);
                });
}

void Crossing::listBody(CodeBuilder& f, const Type& element, Local pointer, Local length,
                        Local result) {
  // Bytes fit 32 bits once the length is known to be in range.
  trapIf(f, length > i32(static_cast<uint32_t>(abi::MAX_BYTE_LENGTH / element.size)),
         control::TrapCode::LIST_TOO_LONG, from_);
  Local bytes = length;
  if (element.size > 1) {
    bytes = f.temporary(WasmType::I32);
    f.set(bytes, length * i32(element.size));
  }
  checkBytes(f, from_, pointer, bytes, element.alignment, control::TrapCode::POINTER_MISALIGNED,
             control::TrapCode::POINTER_OUT_OF_BOUNDS);
  allocate(f, result, element.alignment, bytes);
  if (element.isPlainBytes) {
    copyBytes(f, result, pointer, bytes);
    if (element.size > 1) f.release(bytes);
    return;
  }
  Local source = f.local(WasmType::I32), target = f.local(WasmType::I32);
  Local end = f.local(WasmType::I32);
  f.ifThen(length, [&] {
    f.set(source, pointer);
    f.set(target, result);
    // At 4 GiB the end wraps to 0, which is still where the loop stops.
    f.set(end, pointer + bytes);
    f.loop([&](Label top) {
      move(f, element, Place::at(source), Place::at(target));
      f.set(target, target + i32(element.size));
      f.set(source, source + i32(element.size));
      f.brIf(top, source != end);
    });
  });
}

}  // namespace tenon::component::adapt
