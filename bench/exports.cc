// export/...: the host calls a component.

#include "sides.h"

namespace tenon::bench {
namespace {

constexpr const char* INTERFACE = "tenon:bench/guest@0.1.0";

// A call of Wasmtime's with one argument, over and over.
auto peerCalls(Peer::Instance& instance, const char* name, wasmtime_component_val_t argument) {
  wasmtime_component_func_t function = instance.function(INTERFACE, name);
  return [&instance, function, argument](uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      wasmtime_component_val_t result{};
      instance.call(function, {&argument, 1}, {&result, 1});
      wasmtime_component_val_delete(&result);
    }
  };
}

}  // namespace

void benchExports(const Wanted& wanted, std::vector<Row>& rows) {
  if (!wanted("export/nop") && !wanted("export/list-u8-64k") && !wanted("export/string-16")) return;
  std::vector<std::byte> bytes = guestBytes("bench_guest");
  Peer peerDefault(bytes, Concurrency::ON);
  Peer peerPlain(bytes, Concurrency::OFF);
  Peer::Instance first(peerDefault);
  Peer::Instance second(peerPlain);
  Side& side = Side::get();
  Linker linker;
  linker.wasi();
  Instance instance = orFail(linker.instantiate(side.load("bench_guest"), side.loop));

  if (wanted("export/nop")) {
    auto inc = orFail(instance.function<uint32_t(uint32_t)>(INTERFACE, "inc"));
    race(
        rows, "export/nop", "<= 30 ns, ratio <= 0.2",
        [&](uint64_t count) {
          for (uint64_t i = 0; i < count; ++i) {
            if (inc(7).value() != 8) fail("inc(7) is not 8");
          }
        },
        peerCalls(first, "inc", u32Value(7)), peerCalls(second, "inc", u32Value(7)));
  }
  if (wanted("export/string-16")) {
    auto echo = orFail(instance.function<std::string(std::string_view)>(INTERFACE, "echo-string"));
    std::string text = "sixteen letters!";
    race(
        rows, "export/string-16", "ratio <= 0.2",
        [&](uint64_t count) {
          for (uint64_t i = 0; i < count; ++i) {
            if (echo(text).value().size() != 16) fail("echo-string");
          }
        },
        peerCalls(first, "echo-string", stringValue(text)),
        peerCalls(second, "echo-string", stringValue(text)));
  }
  if (wanted("export/list-u8-64k")) {
    using Bytes = std::vector<uint8_t>;
    auto echo = orFail(instance.function<Bytes(std::span<const uint8_t>)>(INTERFACE, "echo-bytes"));
    Bytes data(65536, 7);
    race(
        rows, "export/list-u8-64k", "ratio <= 0.01, <= 3 times two copies",
        [&](uint64_t count) {
          for (uint64_t i = 0; i < count; ++i) {
            if (echo(data).value().size() != data.size()) fail("echo-bytes");
          }
        },
        peerCalls(first, "echo-bytes", bytesValue(data)),
        peerCalls(second, "echo-bytes", bytesValue(data)));
    rows.back().more["memcpy"] = 2 * copyTime(data.size());
  }
}

}  // namespace tenon::bench
