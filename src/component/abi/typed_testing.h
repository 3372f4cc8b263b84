#pragma once

// C++ types for the tests of the typed layer, and the component types that they stand for.

#include "component/types/type_table.h"

#include <tenon/typed.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace tenon::abi::testing {

struct Point {
  int32_t x = 0;
  int32_t y = 0;
  bool operator==(const Point&) const = default;
};
struct Padded {
  uint8_t small = 0;
  uint64_t large = 0;
  bool operator==(const Padded&) const = default;
};
// In the component the other way round.
struct Swapped {
  uint32_t second = 0;
  uint32_t first = 0;
  bool operator==(const Swapped&) const = default;
};
struct Five {
  uint8_t a = 0, b = 0;
  int16_t c = 0;
  float d = 0;
  double e = 0;
  Point f;
  bool operator==(const Five&) const = default;
};
enum class Color : uint8_t { RED, LIGHT_GREEN, BLUE };
enum class Access : uint16_t { READ = 1, WRITE = 2, EXECUTE = 4 };
using Shape = std::variant<std::monostate, Point, std::string, float, uint64_t>;
struct Person {
  std::string fullName;
  std::optional<uint16_t> age;
  Color favourite = Color::RED;
  Access access = {};
  std::vector<Point> path;
  std::vector<std::string> nicknames;
  Shape shape;
  Expected<uint8_t, std::string> outcome;
  std::tuple<bool, char32_t, int64_t> misc;
  std::vector<std::optional<Swapped>> swapped;
  bool operator==(const Person&) const = default;
};
struct Counter {};

}  // namespace tenon::abi::testing

TENON_RECORD(tenon::abi::testing::Point, x, y)
TENON_RECORD(tenon::abi::testing::Padded, small, large)
TENON_RECORD(tenon::abi::testing::Swapped, first, second)
TENON_RECORD(tenon::abi::testing::Five, a, b, c, d, e, f)
TENON_ENUM(tenon::abi::testing::Color, RED, LIGHT_GREEN, BLUE)
TENON_FLAGS(tenon::abi::testing::Access, READ, WRITE, EXECUTE)
TENON_RECORD(tenon::abi::testing::Person, fullName, age, favourite, access, path, nicknames, shape,
             outcome, misc, swapped)

namespace tenon::abi::testing {

// Makes component types tersely. Types that cannot be made throw.
class Types {
 public:
  using P = const Type*;

  component::TypeTable table;

  P of(TypeKind kind) { return table.primitive(kind); }
  P list(P element) { return table.list(element).value(); }
  P option(P element) { return table.option(element).value(); }
  P result(P ok, P error) { return table.result(ok, error).value(); }
  P tuple(std::vector<P> elements) { return table.tuple(std::move(elements)).value(); }
  P enumeration(std::vector<std::string> labels) {
    return table.enumeration(std::move(labels)).value();
  }
  P flags(std::vector<std::string> labels) { return table.flags(std::move(labels)).value(); }
  P record(std::vector<std::pair<std::string, P>> fields) {
    return table.record(labelled(fields)).value();
  }
  P variant(std::vector<std::pair<std::string, P>> cases) {
    return table.variant(labelled(cases)).value();
  }

  P u8 = of(TypeKind::U8), u16 = of(TypeKind::U16), u32 = of(TypeKind::U32);
  P u64 = of(TypeKind::U64), s16 = of(TypeKind::S16), s32 = of(TypeKind::S32);
  P s64 = of(TypeKind::S64), f32 = of(TypeKind::F32), f64 = of(TypeKind::F64);
  P boolean = of(TypeKind::BOOL), character = of(TypeKind::CHAR), string = of(TypeKind::STRING);

  P point() { return record({{"x", s32}, {"y", s32}}); }
  P padded() { return record({{"small", u8}, {"large", u64}}); }
  P swapped() { return record({{"first", u32}, {"second", u32}}); }
  P five() {
    return record({{"a", u8}, {"b", u8}, {"c", s16}, {"d", f32}, {"e", f64}, {"f", point()}});
  }
  P color() { return enumeration({"red", "light-green", "blue"}); }
  P access() { return flags({"read", "write", "execute"}); }
  P shape() {
    return variant(
        {{"none", nullptr}, {"dot", point()}, {"text", string}, {"size", f32}, {"number", u64}});
  }
  P person() {
    return record({{"full-name", string},
                   {"age", option(u16)},
                   {"favourite", color()},
                   {"access", access()},
                   {"path", list(point())},
                   {"nicknames", list(string)},
                   {"shape", shape()},
                   {"outcome", result(u8, string)},
                   {"misc", tuple({boolean, character, s64})},
                   {"swapped", list(option(swapped()))}});
  }

 private:
  static std::vector<Labelled> labelled(const std::vector<std::pair<std::string, P>>& members) {
    std::vector<Labelled> result;
    for (const auto& [label, type] : members) result.push_back({label, type, 0});
    return result;
  }
};

}  // namespace tenon::abi::testing
