#pragma once

// Sends a component's requests to the servers that it may reach, over connections that it keeps
// for itself. Bound to the loop it was made on. HTTP/1.1, with TLS for https.

#include "wasi/http/policy.h"
#include "wasi/http/resolver.h"
#include "wasi/http/resources.h"
#include "wasi/refusals.h"

#include <tenon/instance.h>
#include <tenon/result.h>

#include <kj/async-io.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace tenon::wasi::http {

struct ClientRequest {
  std::shared_ptr<Refusals> refusals;          // null: nobody is told
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

}  // namespace tenon::wasi::http
