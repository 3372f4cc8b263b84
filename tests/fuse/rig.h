#pragma once

// One adapter between two made-up guests, driven from outside: the test lowers arguments into the
// caller's memory, calls the adapter, and looks at what arrived in the callee. No component binary
// is involved.

#include "component/abi/dynamic.h"
#include "component/program/program.h"
#include "test_runtime.h"

#include <tenon/abi/context.h>
#include <tenon/type.h>
#include <tenon/value.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tenon::component::testing {

struct RigOptions {
  StringEncoding caller = StringEncoding::UTF8;
  StringEncoding callee = StringEncoding::UTF8;
  bool postReturn = false;
};

class Rig {
 public:
  // The type's nodes are of `types`.
  Rig(std::shared_ptr<TypeTable> types, FuncType type, RigOptions options = {});

  TestRuntime& runtime() { return *runtime_; }
  GuestMemory callerMemory() { return runtime_->memory(memories_[0]); }
  GuestMemory calleeMemory() { return runtime_->memory(memories_[1]); }

  // Calls the adapter with flat values as they are.
  Outcome call(std::vector<RawValue> flat);
  // What the callee got at its last call.
  std::vector<RawValue> received();
  // What the callee returns from now on.
  void answer(RawValue value);
  // Calls of the callee, of post-return, and of the reallocs so far.
  uint32_t calls();
  uint32_t postReturns();
  struct Realloc {
    uint32_t old, oldSize, alignment, size;
    bool operator==(const Realloc&) const = default;
  };
  std::vector<Realloc> reallocs(bool callee);
  // The next results of realloc are this.
  void forceRealloc(bool callee, uint32_t pointer);

  // Values all the way: gives what the callee lifts, in a vector, and what the caller gets back.
  struct RoundTrip {
    Outcome outcome;
    std::vector<Value> arguments;
    std::optional<Value> result;
  };
  RoundTrip roundTrip(const std::vector<Value>& arguments, const Value* result);

 private:
  FuncType type_;
  RigOptions options_;
  std::vector<CoreItem> memories_, reallocs_;
  std::unique_ptr<TestRuntime> runtime_;
};

}  // namespace tenon::component::testing
