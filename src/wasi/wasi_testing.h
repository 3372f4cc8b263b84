#pragma once

// Stands in for a guest: calls WASI's host functions as a guest's lowered imports do, with the
// types of the WIT texts in testing/wit, on the thread's loop. Handles are representations. A call
// that suspends runs the loop.

#include "call/host_call_testing.h"
#include "call/registry.h"
#include "component/binary/decoder.h"
#include "component/flatten/flatten.h"
#include "net/memory_streams.h"
#include "net/net_testing.h"
#include "wasi/context.h"
#include "wasi/io/io.h"
#include "wasi/wasi.h"

#include <tenon/typed.h>

#include <kj/async.h>
#include <kj/debug.h>
#include <kj/timer.h>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon::wasi {

// The component that imports everything in testing/wit, made by wasm-tools.
class AllImports {
 public:
  static const AllImports& get() {
    static const AllImports ALL;
    return ALL;
  }
  const component::Program& program() const { return *program_; }
  const FuncType* find(std::string_view interface, std::string_view name) const {
    for (const auto& import : program_->imports) {
      bool same =
          import.interface.starts_with(interface) && import.interface[interface.size()] == '@';
      if (same && import.name == name) return &import.type;
    }
    return nullptr;
  }

 private:
  // Tests run in the folder of the sources.
  AllImports() {
    const char* command =
        "tool=$(deps/where wasm-tools)/bin/wasm-tools; "
        "$tool component embed --dummy-names legacy --all-features -w all src/wasi/testing/wit | "
        "$tool component new";
    FILE* pipe = ::popen(command, "r");
    std::byte buffer[4096];
    while (size_t count = ::fread(buffer, 1, sizeof(buffer), pipe)) {
      bytes_.insert(bytes_.end(), buffer, buffer + count);
    }
    ::pclose(pipe);
    component_ = component::decode(bytes_).value();
    program_ = std::make_unique<component::Program>(component::flatten(*component_, "all").value());
  }

  std::vector<std::byte> bytes_;
  std::unique_ptr<component::Component> component_;
  std::unique_ptr<component::Program> program_;
};

// One guest with a context. Make the loop first.
class FakeGuest {
 public:
  explicit FakeGuest(kj::WaitScope& waitScope, std::unique_ptr<Context> given)
      : FakeGuest(waitScope, partOf(std::move(given))) {}
  // With what the part of another guest had.
  FakeGuest(kj::WaitScope& waitScope, std::unique_ptr<call::PartContext> given)
      : waitScope(waitScope),
        part(std::move(given)),
        context(static_cast<ContextImpl&>(*part->find<Context>())) {
    provide(registry);
  }

  // Calls a function; `interface` without version. What it did besides: `trap`, `suspensions`,
  // `exitCode`.
  template <typename R, typename... As>
  R call(std::string_view interface, std::string_view name, const As&... arguments) {
    using Typed = TypedCall<R(As...)>;
    using Params = abi::detail::SequenceAbi<As...>;
    trap.clear();
    const FuncType* type = AllImports::get().find(interface, name);
    const call::HostFunction* function = registry.find(std::string(interface) + "@0.2.0", name);
    if (!type || !function) {
      ADD_FAILURE() << interface << "." << name << " is not there";
      return R();
    }
    TypeMatch match;
    EXPECT_TRUE(Typed::matches(*type, match)) << match.difference;
    call::FakeCall call(memory, part.get(), objects, *type, waitScope);
    call.onSuspend = onSuspend;
    RawValue values[24] = {};
    Typed::lower(call, *type, values, arguments...);
    constexpr bool SPILLED = Params::FLAT_COUNT > MAX_FLAT_PARAMS;
    uint32_t result = 0;
    if constexpr (!std::is_void_v<R>) {
      if constexpr (Abi<R>::FLAT_COUNT > MAX_FLAT_RESULTS) {
        result = call.allocate(Abi<R>::SIZE, Abi<R>::ALIGNMENT);
        values[SPILLED ? 1 : Params::FLAT_COUNT].i32 = result;
      }
    }
    function->function(function->closure.get(), call, values);
    suspensions = call.suspensions;
    exitCode = call.exitCode;
    if (call.failed()) {
      trap = call.failure();
      return R();
    }
    if (result != 0) values[0].i32 = result;
    call.budget = uint64_t{1} << 30;  // what the test lifts is not the host's
    if constexpr (!std::is_void_v<R>) return Typed::lift(call, *type, values);
  }

  ~FakeGuest() noexcept {}  // what fixtures need

  kj::WaitScope& waitScope;
  std::unique_ptr<call::PartContext> part;
  ContextImpl& context;
  call::Registry registry;
  call::HostObjects objects;
  std::vector<std::byte> memory = std::vector<std::byte>(4 * 1024 * 1024);
  std::function<bool()> onSuspend;
  std::string trap;
  int suspensions = 0;
  int exitCode = -1;

 private:
  static std::unique_ptr<call::PartContext> partOf(std::unique_ptr<Context> context) {
    auto part = std::make_unique<call::PartContext>();
    part->put<Context>(std::move(context));
    return part;
  }
};

class FixedClock final : public kj::Clock {
 public:
  kj::Date now() const override {
    return kj::UNIX_EPOCH + 1'700'000'000 * kj::SECONDS + 5 * kj::NANOSECONDS;
  }
};

// A loop without I/O, whose time moves by hand.
struct TimedLoop : net::TimedLoop {
  FixedClock wall;

  // No arguments, no input, output dropped.
  std::unique_ptr<ContextImpl> newContext() {
    auto context = std::make_unique<ContextImpl>(Clocks{timer, timer, wall});
    context->input = net::newMemorySource("");
    context->output = net::newCallbackSink({});
    context->error = net::newCallbackSink({});
    return context;
  }
};

using net::bytesOf;
using net::textOf;

}  // namespace tenon::wasi
