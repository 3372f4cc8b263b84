#pragma once

// One thread of a server: its loop, its listener, its connections and its guests. Made, run and
// destroyed on its thread.

#include "host/loop.h"
#include "host/server/guest_pool.h"
#include "host/server/standard_lines.h"
#include "http/tls.h"
#include "http/wire.h"
#include "link/route.h"

#include <tenon/server.h>

#include <kj/async-io.h>
#include <kj/async-unix.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::host {

class Connection;
struct GuestEnd;

// What the threads of a server share.
struct ServerShared {
  ServerOptions options;
  std::vector<std::shared_ptr<const HttpHandler>> handlers;
  link::RouteTable routes;  // to indices of `handlers`
  std::atomic<uint32_t> connections = 0;
  std::atomic<uint32_t> requests = 0;
  std::atomic<uint64_t> ids = 0;  // of requests that were named
  uint64_t idSeed = 0;
};

class Worker final : private kj::TaskSet::ErrorHandler {
 public:
  // Takes the listening sockets. `stopFd`: an eventfd, readable when the server is to stop; its
  // value counts how often it was asked. Both are owned by this.
  Worker(ServerShared& shared, std::vector<kj::AutoCloseFd> listeners, kj::AutoCloseFd stopFd);

  // Errors: as GuestPool::create, and for certificates.
  Result<void> prepare();
  // Serves until the server was stopped and everything is done.
  void run();

  // -- For connections
  ServerShared& shared() { return shared_; }
  const ServerOptions& options() const { return shared_.options; }
  kj::Timer& timer() { return timer_; }
  // Those of ServerShared::handlers[handler].
  GuestPool& guests(size_t handler) { return *guests_[handler]; }
  bool stopping() const { return stopping_; }
  bool secure() const { return tls_ != nullptr; }
  // Whether somebody is told the names of requests that do not fail.
  bool namesRequests() const { return options().onRequest || options().onLine; }
  // "Date: ...\r\n", of this second. Valid until the next call.
  std::string_view dateLine();
  // A name for a request, which the log, its guest's lines and the response share.
  std::string newId();
  // Sees to a guest's call that was started and is not done, also behind its response, until it
  // ends or `end->giveUp`. `guests`: where it is from.
  void await(std::unique_ptr<HandlerCall> call, std::shared_ptr<GuestEnd> end, GuestPool& guests);
  void warn(const std::string& text);

  std::list<Connection*> connections;

 private:
  struct Handshake;

  kj::Promise<void> accept(kj::ConnectionReceiver& listener);
  kj::Promise<void> serve(kj::Own<kj::AsyncIoStream> stream);
  // Errors: throws as the stream's functions.
  kj::Promise<kj::Own<kj::AsyncIoStream>> shakeHands(kj::Own<kj::AsyncIoStream> stream);
  size_t mostHandshakes() const;
  void admitHandshakes();
  // Makes room for those who wait.
  void cutSlowHandshakes();
  kj::Promise<void> awaitCall(std::unique_ptr<HandlerCall> call, std::shared_ptr<GuestEnd> end,
                              GuestPool& guests);
  kj::Promise<void> sweep();
  // Resolves when the server was asked to stop so often.
  kj::Promise<void> awaitStop(uint64_t wanted);
  void beginStop();
  void taskFailed(kj::Exception&& exception) override;

  ServerShared& shared_;
  LoopState loop_;
  kj::Timer& timer_;
  std::vector<kj::AutoCloseFd> listenerFds_;
  kj::AutoCloseFd stopFd_;
  StandardLines standardLines_;  // which nothing goes to where the embedder takes the lines
  LineTaker lines_;
  std::vector<std::unique_ptr<GuestPool>> guests_;
  std::unique_ptr<http::Tls> tls_;  // null: no TLS
  std::vector<kj::Own<kj::ConnectionReceiver>> listeners_;
  kj::UnixEventPort::FdObserver stopObserver_;
  uint64_t stops_ = 0;
  bool stopping_ = false;
  http::Signal handshakesEnd_;
  std::list<Handshake*> handshakes_;                          // the oldest first
  std::deque<kj::Own<kj::PromiseFulfiller<void>>> forPlace_;  // who waits for one to end
  int64_t dateSecond_ = 0;
  std::string date_;
  std::vector<kj::Promise<void>> accepting_;  // of each listener
  kj::Promise<void> sweeping_ = nullptr;
  kj::TaskSet guestTasks_;
  kj::TaskSet tasks_;  // last: uses everything above
};

// How a guest's call ended, for the connection that waits for its answer.
struct GuestEnd {
  std::string id;  // of the request; empty: it has none
  bool ended = false;
  Result<void> outcome;
  http::Signal changed;
  // Nobody is left who could want what the guest does: raised, it ends the call and its instance.
  http::Signal giveUp;
};

}  // namespace tenon::host
