#pragma once

// One client's connection: finds requests one after the other, has each served (request.h), and
// keeps the client to the rules. Bound to its worker's loop.

#include "host/server/request.h"
#include "host/server/worker.h"
#include "http/message.h"

#include <kj/async-io.h>

#include <list>
#include <optional>
#include <string>

namespace tenon::host {

class Connection {
 public:
  // `worker` outlives this. `fd`: the socket below `stream`, which keeps it open; -1: not known.
  Connection(Worker& worker, kj::Own<kj::AsyncIoStream> stream, int fd, std::string client);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Serves the client to the end. Once.
  kj::Promise<void> run();

  // -- For the worker
  // Ends it where the client's time is up.
  void check(kj::TimePoint now);
  // No request after this one; at once where there is none.
  void beginStop();

 private:
  enum class Stage : uint8_t { IDLE, HEAD, REQUEST };
  // Why the connection was cut, where that is the client's fault.
  enum class Fault : uint8_t { NONE, LATE_HEAD, NOT_TAKEN };

  // Size 0: not all of it is there yet.
  struct HeadSearch {
    size_t size = 0;
    std::optional<http::Malformed> wrong;
  };

  kj::Promise<void> serve();
  HeadSearch findHead(size_t& searched);
  bool sendsMore() const;
  void shutdownWrite();
  kj::Promise<void> drain();
  // Ends it at once.
  void cut();
  void cut(Fault fault);

  Peer peer_;
  Stage stage_ = Stage::IDLE;
  kj::TimePoint since_;   // of the stage
  bool closing_ = false;  // no request after this one
  bool shut_ = false;     // nothing more is sent
  Fault fault_ = Fault::NONE;
  std::list<Connection*>::iterator place_;
  kj::Own<kj::PromiseFulfiller<void>> cutter_;
  kj::Promise<void> cutPromise_ = nullptr;
  std::optional<Request> request_;  // from its first byte until the next is awaited
};

}  // namespace tenon::host
