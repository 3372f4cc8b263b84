// import/...: a component calls the host. The guest's loop runs inside one export call, so what is
// measured is the crossing.

#include "sides.h"

#include <algorithm>

namespace tenon::bench {
namespace {

// Crossings in one export call, at most.
constexpr uint64_t MOST = 1'000'000'000;

// The next export call's crossings when `left` are wanted.
uint32_t batch(uint64_t left) { return static_cast<uint32_t>(std::min(left, MOST)); }

wasmtime_error_t* peerInc(void*, wasmtime_context_t*, const wasmtime_component_func_type_t*,
                          wasmtime_component_val_t* arguments, size_t,
                          wasmtime_component_val_t* results, size_t) {
  results[0] = u32Value(arguments[0].of.u32 + 1);
  return nullptr;
}

wasmtime_error_t* peerLength(void*, wasmtime_context_t*, const wasmtime_component_func_type_t*,
                             wasmtime_component_val_t* arguments, size_t,
                             wasmtime_component_val_t* results, size_t) {
  results[0] = u32Value(static_cast<uint32_t>(arguments[0].of.string.size));
  return nullptr;
}

// Calls `name` with the number of crossings as the first argument, `rest` behind it.
auto peerCalls(Peer::Instance& instance, const char* name,
               std::vector<wasmtime_component_val_t> rest = {}) {
  wasmtime_component_func_t function = instance.function("", name);
  std::vector<wasmtime_component_val_t> arguments = {u32Value(0)};
  arguments.insert(arguments.end(), rest.begin(), rest.end());
  return [&instance, function, arguments](uint64_t count) mutable {
    for (uint64_t done = 0; done < count; done += batch(count - done)) {
      arguments[0] = u32Value(batch(count - done));
      wasmtime_component_val_t result{};
      instance.call(function, arguments, {&result, 1});
    }
  };
}

}  // namespace

void benchImports(const Wanted& wanted, std::vector<Row>& rows) {
  if (!wanted("import/nop") && !wanted("import/string-16")) return;
  std::vector<std::byte> bytes = guestBytes("host_imports");
  auto prepare = [](Peer& peer) {
    peer.trapOtherImports();
    peer.define("demo:host/api", "inc", peerInc);
    peer.define("demo:host/api", "length", peerLength);
  };
  Peer peerDefault(bytes, Concurrency::ON);
  Peer peerPlain(bytes, Concurrency::OFF);
  prepare(peerDefault);
  prepare(peerPlain);
  Peer::Instance first(peerDefault);
  Peer::Instance second(peerPlain);

  Side& side = Side::get();
  Component component = side.load("host_imports");
  Linker linker;
  // The functions that are not measured take any type and refuse.
  for (const FunctionInfo& import : component.imports()) {
    linker.dynamicFunction(import.interface, import.name,
                           [](const FunctionInfo& info, std::vector<Value>) {
                             return Error(ErrorCode::UNSUPPORTED, info.path() + " is not measured");
                           });
  }
  linker.resource("demo:host/api", "ticket");
  linker.function("demo:host/api", "inc", [](uint32_t value) { return value + 1; });
  linker.function("demo:host/api", "length",
                  [](std::string_view text) { return static_cast<uint32_t>(text.size()); });
  Instance instance = orFail(linker.instantiate(component, side.loop));

  if (wanted("import/nop")) {
    auto calls = orFail(instance.function<uint32_t(uint32_t)>("", "call-inc"));
    race(
        rows, "import/nop", "<= 10 ns, ratio <= 0.15",
        [&](uint64_t count) {
          for (uint64_t done = 0; done < count; done += batch(count - done)) {
            calls(batch(count - done)).value();
          }
        },
        peerCalls(first, "call-inc"), peerCalls(second, "call-inc"));
  }
  if (wanted("import/string-16")) {
    auto calls = orFail(instance.function<uint64_t(uint32_t, uint32_t)>("", "call-length"));
    race(
        rows, "import/string-16", "ratio <= 0.2",
        [&](uint64_t count) {
          for (uint64_t done = 0; done < count; done += batch(count - done)) {
            calls(batch(count - done), 16).value();
          }
        },
        peerCalls(first, "call-length", {u32Value(16)}),
        peerCalls(second, "call-length", {u32Value(16)}));
  }
}

}  // namespace tenon::bench
