// transfer/...: the walk between two stores alone, without a link: both guests are plain memory,
// and `realloc` is a few instructions of the host. Beside it the same by `Value`, and, where it is
// all that is done, one memory copy. Wasmtime has nothing to compare.

#include "component/transfer/transfer.h"

#include "bench.h"
#include "component/abi/dynamic.h"
#include "component/types/type_table.h"

#include <tenon/abi/context.h>
#include <tenon/value.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace tenon::bench {
namespace {

constexpr size_t MEMORY = 1 << 20;

// A guest whose allocations are forgotten before each call.
class PlainGuest final : public abi::Context {
 public:
  // `first`: where allocations begin. Where both ends of a copy lie alike within a page, some
  // processors take ten times as long for it.
  explicit PlainGuest(uint32_t first)
      : Context({}, StringEncoding::UTF8), bytes_(MEMORY), first_(first), bump_(first) {
    memory = {bytes_.data(), bytes_.size()};
  }
  void reset() {
    bump_ = first_;
    budget = uint64_t{1} << 30;
  }
  uint32_t allocate(uint32_t size, uint32_t alignment) override {
    return reallocate(0, 0, alignment, size);
  }
  uint32_t reallocate(uint32_t, uint32_t, uint32_t alignment, uint32_t size) override {
    uint32_t result = (bump_ + alignment - 1) & ~(alignment - 1);
    bump_ = result + size;
    return result;
  }
  uint32_t liftOwn(uint32_t, uint32_t) override { return 0; }
  uint32_t liftBorrow(uint32_t, uint32_t) override { return 0; }
  uint32_t lowerOwn(uint32_t, uint32_t) override { return 0; }
  uint32_t lowerBorrow(uint32_t, uint32_t) override { return 0; }

 private:
  std::vector<std::byte> bytes_;
  const uint32_t first_;
  uint32_t bump_;
};

struct Figure {
  const char* name;
  FuncType type;
  std::vector<Value> values;
  const char* goal;
  size_t copied = 0;
};

std::vector<Figure> figures(component::TypeTable& types) {
  auto primitive = [&](TypeKind kind) { return types.primitive(kind); };
  const Type* string = primitive(TypeKind::STRING);
  const Type* strings = types.list(string).value();
  const Type* sample = types
                           .record({{"id", primitive(TypeKind::U64)},
                                    {"weight", primitive(TypeKind::F64)},
                                    {"kind", types.enumeration({"a", "b", "c"}).value()},
                                    {"live", primitive(TypeKind::BOOL)}})
                           .value();
  const Type* mix = types
                        .record({{"name", string},
                                 {"note", types.option(string).value()},
                                 {"tags", strings},
                                 {"samples", types.list(sample).value()},
                                 {"data", types.list(primitive(TypeKind::U8)).value()}})
                        .value();
  auto sampleValue = [](uint64_t id) {
    return Value(Record{{{"id", Value(id)},
                         {"weight", Value(0.5)},
                         {"kind", Value(Enum{"b"})},
                         {"live", Value(true)}}});
  };
  List bytes, manyStrings, tags, samples, shortData;
  for (int i = 0; i < 65536; ++i) bytes.items.emplace_back(static_cast<uint8_t>(i));
  for (int i = 0; i < 1000; ++i) manyStrings.items.emplace_back(std::string("text ") + "of a list");
  for (int i = 0; i < 4; ++i) tags.items.emplace_back(std::string("tag"));
  for (uint64_t i = 0; i < 8; ++i) samples.items.push_back(sampleValue(i));
  for (int i = 0; i < 200; ++i) shortData.items.emplace_back(uint8_t{7});
  Value mixValue(Record{{{"name", Value(std::string("a name of some length"))},
                         {"note", Value(Option{Box(Value(std::string("a note")))})},
                         {"tags", Value(std::move(tags))},
                         {"samples", Value(std::move(samples))},
                         {"data", Value(std::move(shortData))}}});
  auto of = [](const Type* type) { return FuncType{.params = {{"x", type}}}; };
  return {
      {"transfer/u32", of(primitive(TypeKind::U32)), {Value(uint32_t{7})}, "<= 15 ns"},
      {"transfer/list-u8-64k",
       of(types.list(primitive(TypeKind::U8)).value()),
       {Value(std::move(bytes))},
       "<= 1.1 copies",
       65536},
      {"transfer/list-string", of(strings), {Value(std::move(manyStrings))}, "<= 0.5 by value"},
      {"transfer/record-mix", of(mix), {std::move(mixValue)}, "<= 0.2 by value"},
  };
}

}  // namespace

void benchTransfers(const Wanted& wanted, std::vector<Row>& rows) {
  component::TypeTable types;
  for (const Figure& figure : figures(types)) {
    if (!wanted(figure.name)) continue;
    auto transfer = abi::Transfer::compile(figure.type, figure.type);
    if (!transfer) fail(transfer.error().text());
    PlainGuest from(16), to(1024);
    std::vector<RawValue> in(abi::slotCount(figure.type)), out(in.size());
    abi::lowerParams(from, figure.type, figure.values, in.data());
    std::vector<double> best =
        bestOf({[&](uint64_t count) {
                  for (uint64_t i = 0; i < count; ++i) {
                    from.budget = uint64_t{1} << 30;
                    to.reset();
                    if (!transfer->parameters(from, in.data(), to, out.data())) fail(figure.name);
                  }
                },
                [&](uint64_t count) {
                  for (uint64_t i = 0; i < count; ++i) {
                    from.budget = uint64_t{1} << 30;
                    to.reset();
                    auto values = abi::liftParams(from, figure.type, in.data());
                    abi::lowerParams(to, figure.type, values, out.data());
                    if (from.failed() || to.failed()) fail(figure.name);
                  }
                },
                [&](uint64_t count) {
                  // From and to the same places.
                  auto source = from.memory.bytes(16, figure.copied);
                  auto target = to.memory.mutableBytes(1024, figure.copied);
                  for (uint64_t i = 0; i < count; ++i) {
                    std::memcpy(target.data(), source.data(), figure.copied);
                    asm volatile("" : : "r"(target.data()) : "memory");
                  }
                }});
    rows.push_back({.name = figure.name,
                    .tenon = best[0],
                    .wasmtime = {},
                    .more = {{"by-value", best[1]}},
                    .goal = figure.goal});
    if (figure.copied != 0) rows.back().more["memcpy"] = best[2];
  }
}

}  // namespace tenon::bench
