// fused/...: one component calls another. Both sides run the same composition; the caller's loop
// runs inside one export call, so what is measured is the crossing and the callee's few
// instructions. Tenon's guests can be stopped while they run, Wasmtime's as it comes cannot: the
// checks for that are in both components too. So beside the two settings that every figure is
// compared with stand Tenon without them and Wasmtime with them.

#include "sides.h"

namespace tenon::bench {
namespace {

constexpr const char* INTERFACE = "tenon:bench/run@0.1.0";

struct Figure {
  const char* name;
  const char* function;  // takes iterations and a size
  uint32_t size;
  const char* goal;
  size_t copied = 0;  // bytes that one memory copy of the same data moves; 0: not shown
};

constexpr Figure FIGURES[] = {
    {"fused/u32", "run-inc", 0, "<= 2.5 ns, ratio <= 1.0"},
    {"fused/string-16", "run-len", 16, "ratio <= 0.8"},
    {"fused/string-1k", "run-len", 1024, "ratio <= 0.8"},
    {"fused/string-64k", "run-len", 65536, "ratio <= 1.0"},
    {"fused/list-u8-1k", "run-bytes", 1024, "ratio <= 0.05", 1024},
    {"fused/list-u8-64k", "run-bytes", 65536, "ratio <= 0.05, <= 1.25 copies", 65536},
    {"fused/list-u8-1m", "run-bytes", 1 << 20, "ratio <= 0.05, <= 1.25 copies", 1 << 20},
    {"fused/list-u32-16k", "run-numbers", 16384, "ratio <= 0.1, <= 1.5 copies", 65536},
    {"fused/list-record", "run-samples", 1000, "ratio <= 0.1, <= 1.5 copies", 32000},
    {"fused/list-string", "run-strings", 1000, "ratio <= 0.6"},
    {"fused/result-record-string", "run-place", 16, "ratio <= 0.6"},
    {"fused/resource-method", "run-meter-add", 0, "ratio <= 0.5"},
};

// The loop is as long as there are operations to do.
auto peerLoop(Peer::Instance& instance, const Figure& figure) {
  wasmtime_component_func_t function = instance.function(INTERFACE, figure.function);
  return [&instance, function, size = figure.size](uint64_t count) {
    wasmtime_component_val_t arguments[] = {u32Value(static_cast<uint32_t>(count)), u32Value(size)};
    wasmtime_component_val_t result{};
    instance.call(function, arguments, {&result, 1});
  };
}

// The same call as two native functions through a pointer, for information.
double nativeCall(const Figure& figure) {
  static volatile auto inc = +[](uint32_t value) { return value + 1; };
  static volatile auto length =
      +[](std::string text) { return static_cast<uint32_t>(text.size()); };
  static volatile auto bytes =
      +[](std::vector<uint8_t> data) { return static_cast<uint32_t>(data.size()); };
  std::string_view function = figure.function;
  std::string text(figure.size, 'x');
  std::vector<uint8_t> data(figure.size, 7);
  return bestOf([&](uint64_t count) {
    uint32_t value = 0;
    for (uint64_t i = 0; i < count; ++i) {
      if (function == "run-inc") value = inc(value);
      if (function == "run-len") value += length(text);
      if (function == "run-bytes") value += bytes(data);
    }
    asm volatile("" : : "r"(value));
  });
}

bool hasNative(std::string_view function) {
  return function == "run-inc" || function == "run-len" || function == "run-bytes";
}

}  // namespace

void benchFused(const Wanted& wanted, std::vector<Row>& rows) {
  bool any = false;
  for (const Figure& figure : FIGURES) any = any || wanted(figure.name);
  if (!any) return;
  std::vector<std::byte> bytes = guestBytes("pair");
  Peer peerDefault(bytes, Concurrency::ON);
  Peer peerPlain(bytes, Concurrency::OFF);
  Peer::Instance first(peerDefault);
  Peer::Instance second(peerPlain);
  Peer peerInterruptible(bytes, Concurrency::OFF, Interruption::ON);
  Peer::Instance third(peerInterruptible);
  Side& side = Side::get();
  Linker linker;
  Instance instance = orFail(linker.instantiate(side.load("pair"), side.loop));
  EngineOptions options;
  options.interruptible = false;
  Engine unchecked = orFail(Engine::create(options));
  Linker uncheckedLinker;
  Component uncheckedPair = orFail(Component::load(unchecked, guestPath("pair")));
  Instance uncheckedInstance = orFail(uncheckedLinker.instantiate(uncheckedPair, side.loop));
  for (const Figure& figure : FIGURES) {
    if (!wanted(figure.name)) continue;
    auto uncheckedLoop = orFail(
        uncheckedInstance.function<uint64_t(uint32_t, uint32_t)>(INTERFACE, figure.function));
    auto loop = orFail(instance.function<uint64_t(uint32_t, uint32_t)>(INTERFACE, figure.function));
    std::vector<double> best =
        bestOf({[&](uint64_t count) { orFail(loop(static_cast<uint32_t>(count), figure.size)); },
                peerLoop(first, figure), peerLoop(second, figure), peerLoop(third, figure),
                [&](uint64_t count) {
                  orFail(uncheckedLoop(static_cast<uint32_t>(count), figure.size));
                }});
    double wasmtime = std::min(best[1], best[2]);
    rows.push_back({.name = figure.name,
                    .tenon = best[0],
                    .wasmtime = wasmtime,
                    .more = {{"wasmtime-default", best[1]},
                             {"wasmtime-no-concurrency", best[2]},
                             {"wasmtime-interruptible", best[3]},
                             {"%, both interruptible", 100 * best[0] / best[3]},
                             {"tenon-uninterruptible", best[4]},
                             {"%, none interruptible", 100 * best[4] / wasmtime}},
                    .goal = figure.goal});
    if (hasNative(figure.function)) rows.back().more["native"] = nativeCall(figure);
    if (figure.copied) rows.back().more["memcpy"] = copyTime(figure.copied);
  }
}

}  // namespace tenon::bench
