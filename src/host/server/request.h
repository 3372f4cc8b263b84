#pragma once

// One request, from its first byte to its record: has a guest answer it and sends the answer. Lies
// in its connection, which makes and destroys it. Bound to the worker's loop.

#include "host/server/respond.h"
#include "host/server/worker.h"
#include "http/body_reader.h"
#include "http/exchange.h"
#include "http/message.h"
#include "http/wire.h"

#include <kj/async-io.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tenon::host {

// The client at the other end of a connection, and what it sent that nobody used yet.
struct Peer {
  // So long what it still sends is read after a response, for the next one or so that the
  // connection can be closed in order.
  static constexpr auto DISCARD_TIME = 2 * kj::SECONDS;

  // `worker` outlives this. `fd`: the socket below `stream`, which keeps it open; -1: not known.
  Peer(Worker& worker, kj::Own<kj::AsyncIoStream> stream, int fd, std::string name);

  // How much of `bytes` the client's socket takes at once.
  size_t sendNow(std::string_view bytes) const;

  Worker& worker;
  kj::Own<kj::AsyncIoStream> stream;
  const int fd;
  const int plainSocket;  // whose bytes are those of `stream`, or -1
  const std::string name;
  http::Wire wire;
};

class Request {
 public:
  // The first bytes of one are here. `peer` outlives this.
  explicit Request(Peer& peer);
  // Who is still at work for it is told that nobody wants it.
  ~Request();
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  struct Refusal {
    uint16_t status = 0;
    const char* text = "";  // static storage
    uint32_t retryAfter = 0;
  };
  // What to do with a request. Status 0: it is not that.
  struct Next {
    http::Malformed malformed{.status = 0};
    Refusal refusal;
  };
  // No other may come on its connection. Before `begin`.
  void makeLast() { context_.keepAlive = false; }
  // Has a guest answer the request whose head is on the wire. All of the response is in `response`
  // if the guest waited for nothing; else it is empty.
  Next begin(size_t headSize, std::string& response);
  // One of these after it; `end` once `response` was sent. True: the connection can serve another
  // request. They fail when the client has gone.
  kj::Promise<bool> refuse(Refusal refusal);
  kj::Promise<bool> answer();
  bool end();
  // Sends bytes of the response. They live until it is done.
  kj::Promise<void> write(std::string_view bytes);

  // Answers what is no request. The connection is of no use afterwards.
  kj::Promise<void> refuse(http::Malformed malformed);
  // The same of one whose head did not arrive in time, with its record.
  kj::Promise<void> refuseLate();

  enum class Health : uint8_t {
    FINE,
    STALLED,   // its body does not come: what reads it was told, no request may follow
    NOT_TAKEN  // nobody takes the response, or is left to take it: the connection ends
  };
  // For the worker's sweep.
  Health check(kj::TimePoint now);

  // The client has gone before it had all of the response; `none`: it had nothing of it.
  enum class Sent : uint8_t { SOME, NONE };
  void noteGone(Sent sent);
  // Tells the server's owner of it; `recordCut` when nobody answers it any more.
  void record();
  void recordCut() {
    status_ = 499;
    record();
  }

  // Something of its body is left on the wire.
  bool leftUnread() const { return unread_; }
  // The response ended before its end: the client must notice.
  bool brokenOff() const { return brokenOff_; }

 private:
  const ServerOptions& options() const { return peer_.worker.options(); }
  kj::TimePoint now() const { return peer_.worker.timer().now(); }
  void startGuest(http::IncomingMessage message, GuestPool& guests, InFlight inFlight);
  void takeWhole(std::string& response);
  kj::Promise<bool> sendAnswer(http::Answer& answer);
  kj::Promise<void> sendShort(uint16_t status, std::string_view text, uint32_t retryAfter = 0);
  kj::Promise<bool> reportFailure(uint16_t status, Error error);
  kj::Promise<void> discardBody();
  bool leavesTooMuch() const;
  bool clientLeft(kj::TimePoint now);
  void noteFailure(Error error);

  Peer& peer_;
  ResponseContext context_;

  // Null before the head is there and after the response; the first two also where no guest
  // answers.
  std::shared_ptr<http::Exchange> exchange_;
  std::shared_ptr<GuestEnd> end_;
  std::shared_ptr<http::BodyReader> body_;
  std::shared_ptr<http::BodyWriter> sending_;
  http::WriteProgress progress_;
  uint64_t bodyLength_ = 0;             // that the request said; 0: it did not
  bool begun_ = false;                  // the answer, which is no 1xx, is on its way
  bool answered_ = false;               // all of it was
  kj::Maybe<kj::TimePoint> leftSince_;  // when it was seen that the client sends no more
  bool mayContinue_ = true;
  bool continued_ = false;      // "100 Continue" was sent, or is to be
  bool continueWaits_ = false;  // it is to be
  bool unread_ = false;
  bool brokenOff_ = false;

  // For its record.
  bool unrecorded_ = false;  // a guest was started and there is no record yet
  std::chrono::system_clock::time_point begin_;
  std::chrono::steady_clock::time_point beginSteady_;
  std::string method_;
  std::string target_;
  std::string host_;
  uint16_t status_ = 0;
  uint64_t received_ = 0;
  uint64_t sent_ = 0;
  std::string error_;
  std::string id_;
  std::string details_;
};

}  // namespace tenon::host
