#pragma once

// Instances for requests: made from what was prepared and checked once, one for each request or
// used again. Bound to the loop's thread, apart from HttpHandler.

#include "host/exported.h"
#include "host/instance.h"
#include "host/isolated.h"
#include "host/loop.h"
#include "host/prepared.h"
#include "host/running_call.h"
#include "host/server/guest_lines.h"
#include "http/exchange.h"
#include "run/instance.h"
#include "wasi/wasi.h"

#include <tenon/server.h>

#include <any>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tenon::host {

// A component that answers requests, with all that its instances have in common. Immutable, shared
// by the threads of a server.
struct HttpHandler {
  std::shared_ptr<const PreparedState> prepared;
  std::vector<WasiOptions> contexts;  // by part
  run::InstanceOptions settings;      // without parts
  std::any userData;
  run::Instance::ExportShape shape;  // of `handle`
  IsolatedStores::Adjust isolated;   // what components in stores of their own have besides

  // `component`: of `prepared`, by its planned name. Errors: as Server::start.
  static Result<std::shared_ptr<const HttpHandler>> of(
      std::shared_ptr<const PreparedState> prepared, const std::string& component,
      const ServerOptions& options);
};

// Whether a component that is prepared by itself can be a handler. Errors: MISSING_EXPORT.
Result<void> checkHandles(const Component& component);

// An instance with its export.
struct Guest {
  std::unique_ptr<InstanceState> state;
  std::vector<std::shared_ptr<GuestLineSink>> lines;  // of its standard streams, by part
  const run::Instance::ExportShape* shape = nullptr;  // of the handler
  std::optional<ExportedFunction> handle;  // of `state`; can be called once it is complete
  uint32_t served = 0;

  // Finds `handle`.
  Result<void> resolve();
};

class GuestPool {
 public:
  // Opens directories and standard streams. Errors: as PreparedState::newContext.
  // `taker`: gets what guests write to those of their standard streams that it is for; the others
  // go where their contexts say. Outlives this.
  static Result<std::unique_ptr<GuestPool>> create(std::shared_ptr<const HttpHandler> handler,
                                                   LoopState& loop, uint32_t reuse,
                                                   LineTaker& taker);

  // For the request `id`. Complete, unless the program has start functions: the call runs them.
  // Errors: LIMIT_EXCEEDED when there is no room for another.
  Result<std::unique_ptr<Guest>> take(const std::string& id);
  // After a request that ended well. Keeps it while it may serve more, else its contexts, which
  // hold nothing of a request, for another.
  void giveBack(std::unique_ptr<Guest> guest);

 private:
  GuestPool(std::shared_ptr<const HttpHandler> handler, LoopState& loop, uint32_t reuse,
            LineTaker& taker)
      : handler_(std::move(handler)), loop_(loop), reuse_(reuse), taker_(taker) {}

  // Has what the guest writes handed over as lines.
  void takeLines(Guest& guest);
  // Of a stream of a component, which leads to `own`; null: what it writes goes there.
  std::shared_ptr<GuestLineSink> newSink(GuestLine::Stream stream, const OutputStream& own,
                                         std::string component);

  const std::shared_ptr<const HttpHandler> handler_;
  LoopState& loop_;
  const uint32_t reuse_;
  LineTaker& taker_;
  std::unique_ptr<IsolatedStores> isolated_;  // what links of its guests lead to; may be null
  std::vector<std::unique_ptr<call::PartContext>> contexts_;            // to be copied, by part
  std::vector<std::vector<std::unique_ptr<call::PartContext>>> spare_;  // copies that nobody uses
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
