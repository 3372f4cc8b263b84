#pragma once

// Sends a component's requests to the servers that it may reach, over connections that it keeps
// for itself. Bound to the loop it was made on. HTTP/1.1, with TLS for https.

#include "call/memory_budget.h"
#include "call/refusals.h"
#include "call/waitable.h"
#include "http/body_reader.h"
#include "http/body_writer.h"
#include "http/charges.h"
#include "http/policy.h"
#include "http/resolver.h"

#include <tenon/instance.h>
#include <tenon/result.h>

#include <kj/async-io.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace tenon::http {

struct ClientRequest {
  std::shared_ptr<call::Refusals> refusals;    // null: nobody is told
  std::string component;                       // its name, for them
  std::shared_ptr<call::MemoryBudget> budget;  // of the instance; null: nothing is charged
  call::MemoryCharge charge;                   // for the texts below
  std::string method;
  Target target;
  std::string authority;  // as the guest wrote it
  std::string path;
  std::shared_ptr<FieldList> fields;
  std::shared_ptr<BodyWriter> body;        // null: none
  std::optional<uint64_t> connectTimeout;  // nanoseconds
  std::optional<uint64_t> firstByteTimeout;
  std::optional<uint64_t> betweenBytesTimeout;
};

struct Response {
  uint16_t status = 0;
  std::shared_ptr<FieldList> fields;
  std::shared_ptr<BodyReader> body;
};

// A response on its way, shared by who asked for it and by who waits for it. The request ends when
// the last of them goes.
class PendingResponse : public call::Waitable {
 public:
  explicit PendingResponse(std::shared_ptr<call::MemoryBudget> budget = nullptr)
      : charge(std::move(budget)) {}
  using Outcome = Expected<Response, ErrorCode>;
  bool ready() override { return outcome.has_value(); }
  kj::Promise<void> whenReady() override {
    if (ready()) return kj::READY_NOW;
    return changed.wait();
  }
  void settle(Outcome value) {
    if (ready()) return;
    outcome.emplace(std::move(value));
    charge.force(0);
    changed.raise();
  }

  call::MemoryCharge charge;  // while it is on its way
  std::optional<Outcome> outcome;
  bool taken = false;
  Signal changed;
  kj::Promise<void> work = nullptr;  // last: uses everything above
};

// Shared by the instances of a component on one loop, and by their open connections.
class Client {
 public:
  virtual ~Client() noexcept(false) = default;

  virtual const Allowed& allowed() const = 0;
  // Begins; `pending` gets the response or why there is none, and ends the request when it goes
  // before. Errors: CONNECTION_LIMIT_REACHED.
  virtual Expected<void, ErrorCode> send(ClientRequest request, PendingResponse& pending) = 0;
};

// `resolver`: called on another thread. Errors: INVALID_ARGUMENT for grants or certificates.
Result<std::shared_ptr<Client>> newClient(kj::AsyncIoContext& io, const HttpOptions& options,
                                          Resolver resolver = resolveWithSystem);

}  // namespace tenon::http
