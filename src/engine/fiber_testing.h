#pragma once

// For the tests of fibers only.

#include "engine/engine_testing.h"

#include <string_view>

namespace tenon::engine::testing {

// A guest that calls a blocking import in a loop, and what its host functions need to know.
struct Blocking {
  explicit Blocking(Allocation allocation = Allocation::ON_DEMAND)
      : guest(compile(R"((module
            (import "host" "wait" (func $wait (param i32) (result i32)))
            (import "host" "nested" (func $nested (param i32) (result i32)))
            (memory (export "memory") 1)
            (func (export "nop") (param i32) (result i32) (local.get 0))
            (func (export "trap") (param i32) (result i32) unreachable)
            (func $run (export "run") (param $n i32) (result i32) (local $a i32)
              (loop $l
                (local.set $a (call $wait (local.get $a)))
                (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
              (local.get $a))
            (func (export "deep") (param i32) (result i32) (call $nested (local.get 0)))
            (func $recurse (export "recurse") (param i32) (result i32)
              (if (result i32) (local.get 0)
                (then (call $recurse (i32.sub (local.get 0) (i32.const 1))))
                (else (call $nested (i32.const 0)))))
            (func $forever (export "forever") (param i32) (result i32)
              (i32.add (call $forever (local.get 0)) (i32.const 1)))
            (func (export "spin") (param $n i32) (result i32)
              (loop $l (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
              (i32.const 77))))",
                      engineFor(allocation)),
              {{"wait", signature(1, 1), wait}, {"nested", signature(1, 1), nested}}, this),
        fiber(guest.store, onReady, this) {}

  // Blocks, then adds one.
  static wasm_trap_t* wait(void*, wasmtime_caller_t* caller, wasmtime_val_raw_t* values, size_t) {
    Store& store = Store::from(caller);
    auto& self = *static_cast<Blocking*>(store.owner);
    ++self.waits;
    self.done = false;
    while (!self.done) {
      if (!block(store)) {
        ++self.unwound;
        return store.rethrow();
      }
      ++self.wakeUps;
    }
    values[0].i32 += 1;
    return nullptr;
  }

  static wasm_trap_t* nested(void*, wasmtime_caller_t* caller, wasmtime_val_raw_t* values, size_t) {
    Store& store = Store::from(caller);
    auto& self = *static_cast<Blocking*>(store.owner);
    RawValue value{};
    value.i32 = static_cast<uint32_t>(values[0].i32);
    ++self.depth;
    if (!callCore(store, self.guest.function(self.nestedName), {&value, 1})) return store.rethrow();
    values[0].i32 = static_cast<int32_t>(value.i32);
    return nullptr;
  }

  static void onReady(void* context, Fiber& fiber) {
    auto& self = *static_cast<Blocking*>(context);
    EXPECT_EQ(&fiber, &self.fiber);
    ++self.scheduled;
  }

  static bool body(void* context, Store& store) {
    auto& self = *static_cast<Blocking*>(context);
    self.value.i32 = self.argument;
    return callCore(store, self.guest.function(self.name), {&self.value, 1});
  }

  Fiber::State start(std::string_view function, uint32_t with = 0) {
    name = function;
    argument = with;
    return fiber.start(body, this).value();
  }
  void finishWait() {
    done = true;
    fiber.wake();
  }

  std::string_view name;
  std::string_view nestedName = "nop";
  uint32_t argument = 0;
  RawValue value{};
  bool done = false;
  int waits = 0, wakeUps = 0, unwound = 0, scheduled = 0, depth = 0;
  Guest guest;
  Fiber fiber;
};

// A guest whose export "f" calls its only import, and the fiber that `start` calls it on.
struct OneImport {
  // `context` is the environment of `function`.
  explicit OneImport(HostCallback function, void* context = nullptr)
      : guest(compile("(module (import \"host\" \"w\" (func $w)) (func (export \"f\") (call $w)))"),
              {{"w", signature(0, 0), function}}, context),
        fiber(guest.store) {}

  Fiber::State start() {
    auto body = [](void* self, Store& store) {
      RawValue none{};
      return callCore(store, static_cast<Guest*>(self)->function("f"), {&none, 1});
    };
    return fiber.start(body, &guest).value();
  }

  Guest guest;
  Fiber fiber;
};

}  // namespace tenon::engine::testing
