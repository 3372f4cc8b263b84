#pragma once

// One client's connection: reads requests one after the other, has a guest answer each, and keeps
// the client to the rules. Bound to its worker's loop.

#include "host/server/respond.h"
#include "host/server/worker.h"
#include "http/body_reader.h"
#include "http/exchange.h"
#include "http/message.h"
#include "http/wire.h"

#include <kj/async-io.h>

#include <chrono>
#include <list>
#include <memory>
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

  // -- For the worker's sweep
  // Ends it where the client's time is up.
  void check(kj::TimePoint now);
  // No request after this one; at once where there is none.
  void beginStop();
  // At once.
  void cut();

 private:
  enum class Stage : uint8_t { IDLE, HEAD, GUEST, SENDING };

  // What of a request's body is read after its response, so that the connection can be used again.
  static constexpr uint64_t MAX_DISCARDED = 256 * 1024;
  // So long what comes is read, for that or so that the connection can be closed in order.
  static constexpr auto DISCARD_TIME = 2 * kj::SECONDS;

  // Size 0: not all of it is there yet.
  struct HeadSearch {
    size_t size = 0;
    std::optional<http::Malformed> wrong;
  };
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

  kj::Promise<void> serve();
  HeadSearch findHead(size_t& searched);
  void noteBegin();
  // Has a guest answer the request whose head is on the wire. All of the response is in `response`
  // if the guest waited for nothing; else it is empty.
  Next begin(size_t headSize, ResponseContext& context, std::string& response);
  void takeWhole(ResponseContext& context, std::string& response);
  size_t sendNow(std::string_view bytes);
  kj::Promise<bool> sendRefusal(Refusal refusal, ResponseContext& context);
  kj::Promise<bool> answer(ResponseContext& context);
  kj::Promise<bool> sendAnswer(http::Answer& answer, ResponseContext& context);
  kj::Promise<void> discardBody(http::BodyReader& body, bool keepAlive);
  bool leavesTooMuch() const;
  bool endRequest(bool keepAlive);
  bool sendsMore() const;
  void shutdownWrite();
  kj::Promise<void> drain();
  kj::Promise<void> sendShort(uint16_t status, std::string_view text, ResponseContext& context,
                              uint32_t retryAfter = 0);
  kj::Promise<void> refuse(http::Malformed malformed);
  kj::Promise<bool> reportFailure(uint16_t status, Error error, ResponseContext& context);
  void startGuest(http::IncomingMessage message, GuestPool& guests, InFlight inFlight);
  // Ends it where nobody is left to answer.
  void checkPresence(kj::TimePoint now);
  void noteFailure(Error error);
  void writeRecord();

  Worker& worker_;
  kj::Own<kj::AsyncIoStream> stream_;
  const int fd_;
  const int plainSocket_;  // whose bytes are those of `stream_`, or -1
  const std::string client_;
  http::Wire wire_;
  Stage stage_ = Stage::IDLE;
  kj::TimePoint since_ = kj::origin<kj::TimePoint>();  // of the stage, or of the last progress
  bool closing_ = false;
  bool timedOut_ = false;
  bool vanished_ = false;
  std::list<Connection*>::iterator place_;
  kj::Own<kj::PromiseFulfiller<void>> cutter_;
  kj::Promise<void> cutPromise_ = nullptr;

  // The request that is being served.
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
  bool unread_ = false;         // something of the last request's body
  bool brokenOff_ = false;      // the last response
  bool shut_ = false;           // nothing more is sent

  // For its record.
  bool unrecorded_ = false;  // a guest was started and there is no record yet
  std::chrono::system_clock::time_point begin_;
  std::chrono::steady_clock::time_point beginSteady_;
  std::string method_;
  std::string target_;
  std::string host_;
  int minorVersion_ = 1;
  uint16_t status_ = 0;
  uint64_t received_ = 0;
  uint64_t sent_ = 0;
  std::string error_;
  std::string id_;
  std::string details_;
};

}  // namespace tenon::host
