#pragma once

// Instances for requests: made from what was linked and checked once, one for each request or used
// again. Bound to the loop's thread, apart from Blueprint.

#include "host/exported.h"
#include "host/instance.h"
#include "host/loop.h"
#include "host/running_call.h"
#include "host/server/guest_lines.h"
#include "http/exchange.h"
#include "run/instance.h"
#include "run/linked.h"
#include "wasi/wasi.h"

#include <tenon/server.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tenon::host {

// What all threads share: the linked program and the export that answers. Immutable.
struct Blueprint {
  std::shared_ptr<const run::Linked> linked;
  const component::LiftedFunction* handle = nullptr;  // of the program
  std::vector<WasiOptions> contexts;                  // by part
  std::vector<std::string> components;                // by part: its name in the workload
  run::InstanceOptions settings;                      // without parts
  run::Instance::ExportShape shape;                   // of `handle`

  // Errors: as Server::start.
  static Result<std::shared_ptr<const Blueprint>> of(const Component& component,
                                                     const ServerOptions& options);
  // One for each of the components that `fronts` names, or for the only one that can answer when it
  // is empty. Linked once.
  static Result<std::vector<std::shared_ptr<const Blueprint>>> of(const Workload& workload,
                                                                  const ServerOptions& options,
                                                                  std::vector<std::string> fronts);
};

// An instance with its export.
struct Guest {
  std::unique_ptr<InstanceState> state;
  std::vector<std::shared_ptr<GuestLineSink>> lines;  // of its standard streams, by part
  const run::Instance::ExportShape* shape = nullptr;  // of the blueprint
  std::optional<ExportedFunction> handle;  // of `state`; can be called once it is complete
  uint32_t served = 0;

  // Finds `handle`.
  Result<void> resolve();
};

class GuestPool {
 public:
  // Opens directories and standard streams. Errors: as Linker::instantiate.
  // `taker`: gets what guests write to their standard streams; null: it goes where their contexts
  // say. Outlives this.
  static Result<std::unique_ptr<GuestPool>> create(std::shared_ptr<const Blueprint> blueprint,
                                                   LoopState& loop, uint32_t reuse,
                                                   LineTaker* taker);

  // For the request `id`. Complete, unless the program has start functions: the call runs them.
  // Errors: LIMIT_EXCEEDED when there is no room for another.
  Result<std::unique_ptr<Guest>> take(const std::string& id);
  // After a request that ended well. Keeps it while it may serve more, else its contexts, which
  // hold nothing of a request, for another.
  void giveBack(std::unique_ptr<Guest> guest);

 private:
  GuestPool(std::shared_ptr<const Blueprint> blueprint, LoopState& loop, uint32_t reuse,
            LineTaker* taker)
      : blueprint_(std::move(blueprint)), loop_(loop), reuse_(reuse), taker_(taker) {}

  // Has what the guest writes handed over as lines.
  void takeLines(Guest& guest);

  std::shared_ptr<const Blueprint> blueprint_;
  LoopState& loop_;
  const uint32_t reuse_;
  LineTaker* const taker_;
  std::vector<std::unique_ptr<wasi::Context>> contexts_;            // to be copied, by part
  std::vector<std::vector<std::unique_ptr<wasi::Context>>> spare_;  // copies that nobody uses
  std::vector<std::unique_ptr<Guest>> idle_;
};

// One more in a count that threads share, as long as it lives.
class InFlight {
 public:
  // False: there are `limit` already.
  bool enter(std::atomic<uint32_t>& count, uint32_t limit) {
    if (count.fetch_add(1) >= limit) {
      count.fetch_sub(1);
      return false;
    }
    count_ = &count;
    return true;
  }
  InFlight() = default;
  InFlight(InFlight&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
  InFlight& operator=(InFlight&&) = delete;
  ~InFlight() {
    if (count_) count_->fetch_sub(1);
  }

 private:
  std::atomic<uint32_t>* count_ = nullptr;
};

// One call of `handle`. Lives at one address.
class HandlerCall {
 public:
  // `exchange` gets the guest's answer.
  HandlerCall(std::unique_ptr<Guest> guest, http::IncomingMessage message,
              std::shared_ptr<http::Exchange> exchange, InFlight inFlight);

  // Runs until the call is done or waits, or has had its turn. Errors: as RunningCall::start.
  Result<void> start() { return call_.start(Turns::ALWAYS); }
  bool done() const { return call_.done(); }
  kj::Promise<void> whenDone() { return call_.whenDone(); }
  // After it is done, once; the guest goes back to `pool` or ends.
  Result<void> finish(GuestPool& pool);

 private:
  static void lower(void* self, abi::Context& context, RawValue* values);

  InFlight inFlight_;
  std::unique_ptr<Guest> guest_;
  http::IncomingMessage message_;
  std::shared_ptr<http::Exchange> exchange_;
  RunningCall call_;  // last: uses everything above
};

}  // namespace tenon::host
