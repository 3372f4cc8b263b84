// The pool's slots serve one instance after the other. Whatever the one before wrote, and however
// the slot is set back (in place, given to the system, some of each), the next one finds what its
// module says.

#include "engine/engine_testing.h"
#include "engine/linker.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

namespace tenon::engine {
namespace {

using testing::compile;
using testing::Guest;

constexpr size_t WASM_PAGE = 65536;
constexpr size_t SYSTEM_PAGE = 4096;

// One slot of each kind, so that every instance gets the one that the last one had.
std::shared_ptr<Engine> oneSlot(size_t keptMemory) {
  EngineOptions options;
  options.allocation = Allocation::POOLING;
  options.totalInstances = options.totalMemories = options.totalTables = 1;
  options.totalStacks = options.totalGcHeaps = 1;
  options.keptMemory = keptMemory;
  return Engine::create(options).value();
}

struct Segment {
  size_t offset;
  std::string bytes;
};

// A module with a memory of `pages`, and what it finds there.
struct Shape {
  size_t pages;
  std::vector<Segment> segments;

  Module make(const std::shared_ptr<Engine>& engine) const {
    std::string wat = "(module (memory (export \"m\") " + std::to_string(pages) + " 64)";
    for (const Segment& segment : segments) {
      wat += "(data (i32.const " + std::to_string(segment.offset) + ") \"" + segment.bytes + "\")";
    }
    wat +=
        R"((func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
           (func (export "fill") (param i32)
             (memory.fill (i32.const 0) (local.get 0)
               (i32.mul (memory.size) (i32.const 65536))))))";
    return compile(wat, engine);
  }
  std::string initial() const {
    std::string bytes(pages * WASM_PAGE, '\0');
    for (const Segment& segment : segments) {
      bytes.replace(segment.offset, segment.bytes.size(), segment.bytes);
    }
    return bytes;
  }
};

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> all = {
      {.pages = 2, .segments = {}},
      {.pages = 3, .segments = {{SYSTEM_PAGE + 10, "one text"}, {WASM_PAGE, "another"}}},
      {.pages = 3, .segments = {{100, std::string(3 * SYSTEM_PAGE, 'i')}}},
      {.pages = 17, .segments = {{16 * WASM_PAGE - 3, "over the edge"}}},
      {.pages = 1, .segments = {{0, "small"}}},
  };
  return all;
}

bool holds(const Memory& memory, const std::string& expected) {
  return std::ranges::equal(memory.view().bytes(0, memory.view().size()),
                            std::as_bytes(std::span(expected)));
}

using Dirt = void (*)(Guest& guest, Memory& memory);

void writeNothing(Guest&, Memory&) {}

void writeSomePages(Guest&, Memory& memory) {
  GuestMemory view = memory.view();
  for (uint64_t at = 7; at < view.size(); at += 5 * SYSTEM_PAGE) {
    ASSERT_TRUE(view.store(at, uint32_t{0xDDDDDDDD}));
  }
}

// More stretches than the engine takes from the system at a time.
void writeEverySecondPage(Guest& guest, Memory& memory) {
  ASSERT_NE(guest.call("grow", 20).value(), ~0u);
  GuestMemory view = memory.view();
  for (uint64_t at = 0; at < view.size(); at += 2 * SYSTEM_PAGE) {
    ASSERT_TRUE(view.store(at + 40, uint32_t{0xDDDDDDDD}));
  }
}

void writeAll(Guest& guest, Memory&) { ASSERT_TRUE(guest.call("fill", 0xDD).ok()); }

void growAndWriteAll(Guest& guest, Memory&) {
  ASSERT_NE(guest.call("grow", 40).value(), ~0u);
  ASSERT_TRUE(guest.call("fill", 0xDD).ok());
}

void readAll(Guest&, Memory& memory) {
  uint32_t sum = 0;
  for (std::byte byte : memory.view().bytes(0, memory.view().size())) {
    sum += static_cast<uint32_t>(byte);
  }
  ASSERT_NE(sum, ~0u);
}

class ReusedMemoryAt : public ::testing::TestWithParam<size_t> {};

TEST_P(ReusedMemoryAt, HasWhatTheModuleSays) {
  std::shared_ptr<Engine> engine = oneSlot(GetParam());
  std::vector<Module> modules;
  modules.reserve(shapes().size());
  for (const Shape& shape : shapes()) modules.push_back(shape.make(engine));
  for (Dirt dirt : {Dirt{readAll}, Dirt{writeSomePages}, Dirt{writeEverySecondPage}, Dirt{writeAll},
                    Dirt{growAndWriteAll}, Dirt{writeNothing}}) {
    for (size_t before = 0; before < modules.size(); ++before) {
      for (size_t after = 0; after < modules.size(); ++after) {
        for (size_t each : {before, after}) {
          Guest guest(modules[each]);
          Memory memory = exportedMemory(guest.store, guest.instance, "m").value();
          std::string expected = shapes()[each].initial();
          ASSERT_TRUE(holds(memory, expected)) << "shape " << each << " after " << before;
          ASSERT_NE(guest.call("grow", 3).value(), ~0u);
          expected.resize(expected.size() + 3 * WASM_PAGE, '\0');
          ASSERT_TRUE(holds(memory, expected)) << "shape " << each << ", grown, after " << before;
          dirt(guest, memory);
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kept, ReusedMemoryAt,
                         ::testing::Values(size_t{0}, SYSTEM_PAGE, size_t{64} * 1024,
                                           EngineOptions{}.keptMemory, size_t{16} * 1024 * 1024),
                         [](const auto& info) { return std::to_string(info.param) + "Bytes"; });

TEST(ReusedTable, HasWhatTheModuleSays) {
  std::shared_ptr<Engine> engine = oneSlot(EngineOptions{}.keptMemory);
  for (uint32_t size : {10u, 700u, 5000u}) {
    Module module = compile(R"((module (table $t )" + std::to_string(size) + R"( funcref)
        (elem (i32.const 5) $f)
        (func $f (export "fill")
          (table.fill $t (i32.const 0) (ref.func $f) (table.size $t)))
        (func (export "used") (result i32) (local $at i32) (local $sum i32)
          (loop $next
            (if (i32.eqz (ref.is_null (table.get $t (local.get $at))))
              (then (local.set $sum (i32.add (local.get $sum) (i32.const 1)))))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $at) (table.size $t))))
          (local.get $sum))))",
                            engine);
    for (int round = 0; round < 3; ++round) {
      Guest guest(module);
      EXPECT_EQ(guest.call("used").value(), 1u);
      ASSERT_TRUE(guest.call("fill").ok());
      EXPECT_EQ(guest.call("used").value(), size);
    }
  }
}

// How many pages of an idle slot the process has, after `dirt` in an instance of `pages` pages.
int64_t residentAfter(const std::shared_ptr<Engine>& engine, size_t pages, Dirt dirt) {
  Module module = Shape{.pages = pages, .segments = {{100, "text"}}}.make(engine);
  std::byte* base = nullptr;
  {
    Guest guest(module);
    Memory memory = exportedMemory(guest.store, guest.instance, "m").value();
    base = memory.view().mutableBytes(0, 1).data();
    dirt(guest, memory);
  }
  // The slot is still there, for the next instance.
  std::vector<unsigned char> found(pages * WASM_PAGE / SYSTEM_PAGE);
  EXPECT_EQ(mincore(base, pages * WASM_PAGE, found.data()), 0);
  return std::ranges::count_if(found, [](unsigned char page) { return (page & 1) != 0; });
}

TEST(ReusedMemory, StaysMapped) {
  std::shared_ptr<Engine> engine = oneSlot(EngineOptions{}.keptMemory);
  if (!engine->keepsMemory()) GTEST_SKIP() << "this system cannot tell which pages were written";
  // `writeSomePages` writes to every fifth of 160.
  EXPECT_EQ(residentAfter(engine, 10, writeSomePages), 32);
}

TEST(ReusedMemory, IsGivenBackBeyondWhatIsKept) {
  constexpr size_t KEPT = size_t{64} * 1024;
  std::shared_ptr<Engine> engine = oneSlot(KEPT);
  if (!engine->keepsMemory()) GTEST_SKIP() << "this system cannot tell which pages were written";
  EXPECT_EQ(residentAfter(engine, 64, writeAll), static_cast<int64_t>(KEPT / SYSTEM_PAGE));
}

}  // namespace
}  // namespace tenon::engine
