#include "host/server/connection.h"

#include <sys/ioctl.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace tenon::host {
namespace {

// Of the memory for responses: what a connection keeps from one request to the next.
constexpr size_t MOST_KEPT = 1024;

kj::Duration toKj(std::chrono::milliseconds duration) {
  return duration.count() * kj::MILLISECONDS;
}

}  // namespace

Connection::Connection(Worker& worker, kj::Own<kj::AsyncIoStream> stream, int fd,
                       std::string client)
    : peer_(worker, kj::mv(stream), fd, std::move(client)), since_(worker.timer().now()) {
  auto paf = kj::newPromiseAndFulfiller<void>();
  cutter_ = kj::mv(paf.fulfiller);
  cutPromise_ = kj::mv(paf.promise);
  place_ = worker.connections.insert(worker.connections.end(), this);
}

Connection::~Connection() { peer_.worker.connections.erase(place_); }

kj::Promise<void> Connection::run() {
  bool ended = true;
  co_await serve()
      .catch_([&ended](kj::Exception&&) { ended = false; })  // the client has gone
      .exclusiveJoin(kj::mv(cutPromise_));
  if (fault_ == Fault::LATE_HEAD && stage_ == Stage::HEAD) {
    co_await request_->refuseLate();
  } else if (fault_ != Fault::NONE) {
    if (request_) request_->recordCut();
  } else if (peer_.worker.secure() && ended) {
    (void)kj::runCatchingExceptions([this]() { shutdownWrite(); });
  }
}

void Connection::cut() { cutter_->fulfill(); }

void Connection::cut(Fault fault) {
  fault_ = fault;
  cut();
}

void Connection::beginStop() {
  closing_ = true;
  if (stage_ == Stage::IDLE) cut();
}

void Connection::check(kj::TimePoint now) {
  if (fault_ != Fault::NONE) return;
  const ServerOptions& options = peer_.worker.options();
  switch (stage_) {
    case Stage::IDLE:
      if (now - since_ > toKj(options.idleTimeout)) cut();
      return;
    case Stage::HEAD:
      if (now - since_ > toKj(options.headerTimeout)) cut(Fault::LATE_HEAD);
      return;
    case Stage::REQUEST:
      switch (request_->check(now)) {
        case Request::Health::FINE:
          return;
        case Request::Health::STALLED:
          closing_ = true;
          return;
        case Request::Health::NOT_TAKEN:
          return cut(Fault::NOT_TAKEN);
      }
  }
}

Connection::HeadSearch Connection::findHead(size_t& searched) {
  const uint32_t most = peer_.worker.options().maxHeaderBytes;
  std::string_view bytes = peer_.wire.bytes();
  // Empty lines in front of a request are none. Source: RFC 9112 section 2.2.
  while (bytes.starts_with("\r\n")) {
    peer_.wire.use(2);
    bytes = peer_.wire.bytes();
    searched = 0;
  }
  if (!bytes.empty() && stage_ == Stage::IDLE) {
    stage_ = Stage::HEAD;
    since_ = peer_.worker.timer().now();
    request_.emplace(peer_);
  }
  if (!bytes.empty() && bytes != "\r" && !http::isToken(bytes.substr(0, 1))) {
    return {.wrong = http::Malformed{400, "this is no HTTP request"}};
  }
  size_t size = http::headSize(bytes, searched);
  searched = bytes.size();
  if (size > most || (size == 0 && bytes.size() >= most)) {
    return {.wrong = http::describeTooLarge(bytes.substr(0, most))};
  }
  if (size != 0) return {.size = size};
  if (bytes.empty()) peer_.wire.shrink();
  return {};
}

// One coroutine for all requests of a connection, in which those that wait for nothing are answered
// without another.
kj::Promise<void> Connection::serve() {
  std::string response;
  while (true) {
    request_.reset();
    stage_ = Stage::IDLE;
    since_ = peer_.worker.timer().now();
    size_t searched = 0;
    HeadSearch found = findHead(searched);
    while (!found.wrong && found.size == 0) {
      if (closing_ && peer_.wire.bytes().empty()) co_return;
      bool more = co_await peer_.wire.fill(peer_.worker.options().maxHeaderBytes);
      if (!more) co_return;
      found = findHead(searched);
    }
    stage_ = Stage::REQUEST;
    Request& request = *request_;
    if (closing_) request.makeLast();
    Request::Next next = found.wrong ? Request::Next{.malformed = *found.wrong}
                                     : request.begin(found.size, response);
    if (next.malformed.status != 0) {
      co_await request.refuse(next.malformed);
      co_await drain();
      co_return;
    }
    bool more = false;
    bool gone = false;
    try {
      if (next.refusal.status != 0) {
        more = co_await request.refuse(next.refusal);
      } else if (response.empty()) {
        more = co_await request.answer();
      } else {
        size_t sent = peer_.sendNow(response);
        if (sent < response.size()) {
          co_await request.write(std::string_view(response).substr(sent));
        }
        more = request.end();
      }
    } catch (...) {
      (void)kj::getCaughtExceptionAsKj();
      gone = true;
    }
    if (gone) request.noteGone(response.empty() ? Request::Sent::SOME : Request::Sent::NONE);
    request.record();
    bool ends = !more || closing_;
    if (!gone && (request.leftUnread() || (ends && sendsMore()))) co_await drain();
    if (ends) co_return;
    response.clear();
    if (response.capacity() > MOST_KEPT) response.shrink_to_fit();
    // Requests that are here already: others go first.
    if (!peer_.wire.bytes().empty()) {
      co_await peer_.worker.timer().afterDelay(0 * kj::NANOSECONDS);
    }
  }
}

// The end of what is sent; in TLS an alert, without which a message that the end of the connection
// ends is not whole. Source: RFC 9112 section 9.8.
void Connection::shutdownWrite() {
  bool brokenOff = request_ && request_->brokenOff();
  if (!brokenOff && !std::exchange(shut_, true)) peer_.stream->shutdownWrite();
}

// Whether bytes of the client are here that nobody will read.
bool Connection::sendsMore() const {
  int waiting = 0;
  return !peer_.wire.bytes().empty() ||
         (peer_.fd >= 0 && ::ioctl(peer_.fd, FIONREAD, &waiting) == 0 && waiting > 0);
}

// Ends a connection whose client may still send: closing it at once would take the answer away.
// Source: RFC 9112 section 9.6.
kj::Promise<void> Connection::drain() {
  shutdownWrite();
  http::BodyReader rest(peer_.wire, {.framing = http::Framing::UNTIL_CLOSE});
  co_await rest.discard().exclusiveJoin(peer_.worker.timer().afterDelay(Peer::DISCARD_TIME));
}

}  // namespace tenon::host
