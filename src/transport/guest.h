#pragma once

// What isolated links call: an instance in a store of its own. The host makes it; pools keep it.
// Bound to its loop's thread.

#include "run/instance.h"

#include <tenon/result.h>
#include <tenon/workload_plan.h>

#include <kj/time.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tenon::transport {

// A store that isolated links lead to, as the plan has it. Immutable, shared freely.
struct Target {
  std::string name;                                 // of the component that is called, for messages
  std::optional<std::chrono::nanoseconds> timeout;  // of a call
  InstancePolicy policy;
  std::vector<run::Instance::ExportShape> functions;  // that links call, by number
};

// Room for an instance, with what stands behind its host functions.
class Guest {
 public:
  virtual ~Guest() noexcept(false) = default;

  // Null until `GuestMaker::fill`, and after `empty`.
  virtual run::Instance* instance() = 0;
  // Ends the instance; what it was made with can be used for another.
  virtual void empty() = 0;
  // A call failed: what its components should be told.
  virtual void failed() = 0;

  // -- Of the call that it is handed out for.
  Guest* caller = nullptr;     // whose guest calls it; null: an instance that no pool has
  const void* pool = nullptr;  // that it is of
  uint32_t depth = 0;          // isolated calls that it stands in, this one included

  uint32_t calls = 0;  // that it has had
  kj::TimePoint idleSince = kj::origin<kj::TimePoint>();
  // By number of `Target::functions`; found at the first call.
  std::vector<std::optional<run::Instance::Export>> functions;
};

class GuestMaker {
 public:
  virtual ~GuestMaker() noexcept(false) = default;
  // Without an instance.
  virtual std::unique_ptr<Guest> make() = 0;
  // Gives it an instance. Its start functions, if there are any, have not run: the call runs them.
  // Errors: LIMIT_EXCEEDED.
  virtual Result<void> fill(Guest& guest) = 0;
};

}  // namespace tenon::transport
