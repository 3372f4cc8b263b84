#include "run/crossing.h"

namespace tenon::run {

const char* checkHandle(call::HandleTable& handles, uint32_t resource, uint32_t index,
                        call::Handle*& handle) {
  handle = handles.find(index);
  if (!handle) return "unknown handle index";
  if (handle->kind != call::HandleKind::OWN && handle->kind != call::HandleKind::BORROW) {
    return "the handle is not a resource";
  }
  if (handle->resource != resource) return "the handle is of another resource type";
  return nullptr;
}

const char* takeOwned(call::HandleTable& handles, uint32_t resource, uint32_t index,
                      uint32_t& rep) {
  call::Handle* handle = nullptr;
  if (const char* failure = checkHandle(handles, resource, index, handle)) return failure;
  if (handle->lends != 0) return "cannot remove owned resource while borrowed";
  if (handle->kind != call::HandleKind::OWN) return "cannot lift own resource from a borrow";
  rep = handle->rep;
  handles.remove(index);
  return nullptr;
}

uint32_t CrossingState::reallocate(abi::Context& context, uint32_t pointer, uint32_t oldSize,
                                   uint32_t alignment, uint32_t newSize) {
  if (context.failed()) return 0;
  const wasmtime_func_t* realloc =
      options.realloc == component::NONE ? nullptr : instance.function(options.realloc);
  if (!realloc) {
    context.fail("values need memory, but there is no realloc yet");
    return 0;
  }
  RawValue values[4];
  values[0].i32 = pointer;
  values[1].i32 = oldSize;
  values[2].i32 = alignment;
  values[3].i32 = newSize;
  instance.setMayLeave(options.instance, false);
  bool ok = instance.callCoreAsTask(options.instance, *realloc, values);
  if (!ok) {
    context.fail("realloc trapped");
    return 0;
  }
  instance.setMayLeave(options.instance, true);
  context.memory = instance.memory(options.memory);
  uint32_t result = values[0].i32;
  if (result % alignment != 0) {
    context.fail("realloc return: result not aligned");
    return 0;
  }
  if (!context.memory.contains(result, newSize)) {
    context.fail("realloc return: beyond end of memory");
    return 0;
  }
  return result;
}

uint32_t CrossingState::liftOwn(abi::Context& context, uint32_t resource, uint32_t index) {
  if (context.failed()) return 0;
  uint32_t rep = 0;
  if (const char* failure =
          takeOwned(handles(), instance.linked().canonicalResource(resource), index, rep)) {
    context.fail(failure);
  }
  return rep;
}

uint32_t CrossingState::liftBorrow(abi::Context& context, uint32_t resource, uint32_t index) {
  if (context.failed()) return 0;
  call::Handle* handle = nullptr;
  if (const char* failure =
          checkHandle(handles(), instance.linked().canonicalResource(resource), index, handle)) {
    context.fail(failure);
    return 0;
  }
  if (!lends_.add(handles(), index)) {
    context.fail("the call lends too many handles");
    return 0;
  }
  return handle->rep;
}

uint32_t CrossingState::lowerOwn(abi::Context& context, uint32_t resource, uint32_t rep) {
  if (context.failed()) return 0;
  uint32_t index = handles().add({.kind = call::HandleKind::OWN,
                                  .resource = instance.linked().canonicalResource(resource),
                                  .rep = rep});
  if (index == 0) context.fail("the instance has too many handles");
  return index;
}

uint32_t CrossingState::lowerBorrow(abi::Context& context, uint32_t resource, uint32_t rep) {
  if (context.failed()) return 0;
  // Whoever defines the resource sees its own representation.
  if (instance.program().resources[resource].instance == options.instance) return rep;
  if (!scope_) {
    context.fail("a borrow cannot be returned");
    return 0;
  }
  uint32_t index = handles().add({.kind = call::HandleKind::BORROW,
                                  .resource = instance.linked().canonicalResource(resource),
                                  .rep = rep,
                                  .scope = scope_});
  if (index == 0) {
    context.fail("the instance has too many handles");
  } else {
    ++scope_->borrows;
  }
  return index;
}

}  // namespace tenon::run
