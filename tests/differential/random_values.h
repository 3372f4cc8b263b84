#pragma once

// Random function types and values of them, edge values first. Everything follows from the seed.

#include "component/types/type_table.h"

#include <tenon/type.h>
#include <tenon/value.h>

#include <cstdint>
#include <random>
#include <string>

namespace tenon::differential {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  uint64_t bits() { return engine_(); }
  uint32_t below(uint32_t bound) { return static_cast<uint32_t>(engine_() % bound); }
  bool oneIn(uint32_t n) { return below(n) == 0; }

 private:
  std::mt19937_64 engine_;
};

// The one resource type of generated functions, which the host implements.
inline constexpr uint32_t HOST_RESOURCE = 0;

// A handle to it, on the host's side, whichever engine it came from.
class TestHandle final : public ResourceHandle {
 public:
  explicit TestHandle(uint32_t rep) : rep(rep) {}
  std::string_view typeName() const override { return "res"; }
  uint64_t id() const override { return rep; }
  bool moved() const override { return false; }
  const uint32_t rep;
};

// `depth`: how far types nest. Borrowed handles are only in parameters.
const Type* randomType(Random& random, component::TypeTable& types, uint32_t depth,
                       bool borrowsAllowed);
FuncType randomFunction(Random& random, component::TypeTable& types);

// A value of `type`: an edge value in half of the cases.
Value randomValue(Random& random, const Type& type);

// Whether two values are the same. NaNs of all kinds are equal (the specification leaves their
// payload to the implementation), handles are when they have the same rep.
bool sameValue(const Value& a, const Value& b);
bool sameValues(const std::vector<Value>& a, const std::vector<Value>& b);
bool hasNan(const Value& value);

}  // namespace tenon::differential
