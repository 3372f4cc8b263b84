#pragma once

// One call's values moved twice, in two pairs of made-up guests that begin alike: by `Value` (lift,
// then lower), and by a Transfer. What the guests can see must be the same: their memories to the
// byte, the calls of `realloc`, flat values, handle tables, and who failed with which words.
// Budgets alone are counted otherwise.

#include "component/transfer/transfer.h"

#include <tenon/abi/context.h>
#include <tenon/type.h>
#include <tenon/value.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tenon::transfer {

// A guest as a test describes it. Both runs begin with it.
struct GuestState {
  StringEncoding encoding = StringEncoding::UTF8;
  std::vector<uint8_t> memory;
  uint32_t bump = 8;  // where `realloc` takes from
  // What `realloc` answers at its n-th call, whatever was asked for.
  std::map<size_t, uint32_t> forced;
  // Bytes that change in memory when `realloc` is called: it is the guest's code.
  std::map<size_t, uint32_t> scribbled;
  uint64_t budget = uint64_t{1} << 24;
};

struct Crossed {
  std::string difference;    // empty: both ways did the same
  bool failed = false;       // in both
  bool outOfBudget = false;  // in one of the two: nothing was compared
  std::string failure;
  std::vector<RawValue> flat;   // what the side that gets has now
  std::vector<uint8_t> memory;  // its memory
};

// `type` is the function on both sides. `in` are the caller's flat values.
Crossed compareParameters(const FuncType& type, const abi::Transfer& transfer,
                          const GuestState& caller, const GuestState& callee,
                          const std::vector<RawValue>& in);

// `in` are the callee's flat results, `flat` the caller's values, which say where results go.
Crossed compareResults(const FuncType& type, const abi::Transfer& transfer,
                       const GuestState& callee, const GuestState& caller,
                       const std::vector<RawValue>& in, const std::vector<RawValue>& flat);

// Values lowered into a guest that has nothing yet. False: they do not fit into `LARGEST_MEMORY`.
bool lowerInto(GuestState& guest, const FuncType& type, const std::vector<Value>& values,
               std::vector<RawValue>& flat);
// The result as the callee would return it.
bool lowerResultInto(GuestState& guest, const FuncType& type, const Value& result,
                     std::vector<RawValue>& flat);

inline constexpr uint64_t LARGEST_MEMORY = 1 << 22;

}  // namespace tenon::transfer
