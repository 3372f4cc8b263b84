#include "host/server/connection.h"

#include <poll.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <utility>

namespace tenon::host {

using http::ErrorKind;

namespace {

// Of the memory for responses: what a connection keeps from one request to the next.
constexpr size_t MOST_KEPT = 1024;
// A client that sends no more may still read, which can be told only by writing to it. So long it
// is given for an answer to begin, or to go on.
constexpr auto HALF_CLOSED_TIME = 2 * kj::SECONDS;

kj::Duration toKj(std::chrono::milliseconds duration) {
  return duration.count() * kj::MILLISECONDS;
}

}  // namespace

Connection::Connection(Worker& worker, kj::Own<kj::AsyncIoStream> stream, int fd,
                       std::string client)
    : worker_(worker),
      stream_(kj::mv(stream)),
      fd_(fd),
      plainSocket_(worker.secure() ? -1 : fd),
      client_(std::move(client)),
      wire_(*stream_, worker.timer(), plainSocket_),
      since_(worker.timer().now()) {
  auto paf = kj::newPromiseAndFulfiller<void>();
  cutter_ = kj::mv(paf.fulfiller);
  cutPromise_ = kj::mv(paf.promise);
  place_ = worker_.connections.insert(worker_.connections.end(), this);
}

Connection::~Connection() {
  worker_.connections.erase(place_);
  if (body_) body_->detach(http::makeError<ErrorKind::CONNECTION_TERMINATED>());
  if (sending_) sending_->close(http::makeError<ErrorKind::CONNECTION_TERMINATED>());
  if (exchange_) exchange_->close();
  // The client has gone, or is sent away: what the guest does is of no use to anybody.
  if (end_ && !end_->ended && !answered_) end_->giveUp.raise();
  if (unrecorded_) {
    if (status_ == 0) status_ = 503;
    error_ = "cut off: the server stops";
    writeRecord();
  }
}

kj::Promise<void> Connection::run() {
  bool ended = true;
  co_await serve()
      .catch_([&ended](kj::Exception&&) { ended = false; })  // the client has gone
      .exclusiveJoin(kj::mv(cutPromise_));
  if (timedOut_ && stage_ == Stage::HEAD) {
    ResponseContext context{.keepAlive = false};
    status_ = 408;
    error_ = "the request's head did not arrive in time";
    context.date = worker_.dateLine();
    constexpr std::string_view WHY = "408 Request Timeout\n";
    std::string text = shortResponse(408, WHY, context);
    sent_ = WHY.size();
    writeRecord();
    co_await stream_->write(text.data(), text.size()).catch_([](kj::Exception&&) {});
  } else if (timedOut_ || vanished_) {
    status_ = 499;
    writeRecord();
  } else if (worker_.secure() && ended) {
    (void)kj::runCatchingExceptions([this]() { shutdownWrite(); });
  }
}

void Connection::cut() { cutter_->fulfill(); }

void Connection::beginStop() {
  closing_ = true;
  if (stage_ == Stage::IDLE) cut();
}

void Connection::check(kj::TimePoint now) {
  const ServerOptions& options = worker_.options();
  switch (stage_) {
    case Stage::IDLE:
      if (now - since_ > toKj(options.idleTimeout)) cut();
      return;
    case Stage::HEAD:
      if (now - since_ > toKj(options.headerTimeout)) {
        timedOut_ = true;
        cut();
      }
      return;
    case Stage::GUEST:
    case Stage::SENDING:
      if (body_ && body_->filling() && now - wire_.lastArrival() > toKj(options.stallTimeout)) {
        closing_ = true;
        body_->fail(http::makeError<ErrorKind::CONNECTION_READ_TIMEOUT>());
      }
      if (progress_.writing && now - progress_.since > toKj(options.stallTimeout)) {
        error_ = "the client did not take the response in time";
        timedOut_ = true;
        cut();
      }
      checkPresence(now);
      return;
  }
}

void Connection::checkPresence(kj::TimePoint now) {
  if (fd_ < 0 || vanished_ || timedOut_ || answered_ || !end_ || end_->ended) return;
  pollfd watched{.fd = fd_, .events = POLLRDHUP, .revents = 0};
  if (::poll(&watched, 1, 0) <= 0) return;
  kj::TimePoint quiet = now;
  KJ_IF_MAYBE (since, leftSince_) {
    quiet = *since;
  } else {
    leftSince_ = now;
  }
  quiet = std::max({quiet, wire_.lastArrival(), progress_.since});
  bool gone = (watched.revents & (POLLHUP | POLLERR)) != 0;
  if (!gone && now - quiet < HALF_CLOSED_TIME) return;
  vanished_ = true;
  error_ = "the client has gone";
  cut();
}

Connection::HeadSearch Connection::findHead(size_t& searched) {
  const uint32_t most = worker_.options().maxHeaderBytes;
  std::string_view bytes = wire_.bytes();
  // Empty lines in front of a request are none. Source: RFC 9112 section 2.2.
  while (bytes.starts_with("\r\n")) {
    wire_.use(2);
    bytes = wire_.bytes();
    searched = 0;
  }
  if (!bytes.empty() && stage_ == Stage::IDLE) noteBegin();
  if (!bytes.empty() && bytes != "\r" && !http::isToken(bytes.substr(0, 1))) {
    return {.wrong = http::Malformed{400, "this is no HTTP request"}};
  }
  size_t size = http::headSize(bytes, searched);
  searched = bytes.size();
  if (size > most || (size == 0 && bytes.size() >= most)) {
    return {.wrong = http::describeTooLarge(bytes.substr(0, most))};
  }
  if (size != 0) return {.size = size};
  if (bytes.empty()) wire_.shrink();
  return {};
}

// One coroutine for all requests of a connection, in which those that wait for nothing are answered
// without another.
kj::Promise<void> Connection::serve() {
  std::string response;
  while (true) {
    stage_ = Stage::IDLE;
    since_ = worker_.timer().now();
    size_t searched = 0;
    HeadSearch found = findHead(searched);
    while (!found.wrong && found.size == 0) {
      if (closing_ && wire_.bytes().empty()) co_return;
      bool more = co_await wire_.fill(worker_.options().maxHeaderBytes);
      if (!more) co_return;
      found = findHead(searched);
    }
    stage_ = Stage::GUEST;
    ResponseContext context;
    Next next =
        found.wrong ? Next{.malformed = *found.wrong} : begin(found.size, context, response);
    if (next.malformed.status != 0) {
      co_await refuse(next.malformed);
      co_return;
    }
    bool more = false;
    kj::Maybe<kj::Exception> gone;
    try {
      if (next.refusal.status != 0) {
        more = co_await sendRefusal(next.refusal, context);
      } else if (response.empty()) {
        more = co_await answer(context);
      } else {
        size_t sent = sendNow(response);
        if (sent < response.size()) {
          progress_ = {true, worker_.timer().now()};
          co_await stream_->write(response.data() + sent, response.size() - sent);
          progress_.writing = false;
        }
        more = endRequest(context.keepAlive);
      }
    } catch (...) {
      gone = kj::getCaughtExceptionAsKj();
    }
    if (gone != nullptr) {
      if (!response.empty()) sent_ = 0;
      status_ = 499;
      error_ = "the client has gone";
    }
    writeRecord();
    bool ends = !more || closing_;
    if (gone == nullptr && (unread_ || (ends && sendsMore()))) co_await drain();
    if (ends) co_return;
    response.clear();
    if (response.capacity() > MOST_KEPT) response.shrink_to_fit();
    // Requests that are here already: others go first.
    if (!wire_.bytes().empty()) co_await worker_.timer().afterDelay(0 * kj::NANOSECONDS);
  }
}

// A request's first bytes are here.
void Connection::noteBegin() {
  stage_ = Stage::HEAD;
  since_ = worker_.timer().now();
  method_.clear();
  target_.clear();
  host_.clear();
  minorVersion_ = 1;
  sent_ = received_ = 0;
  id_ = worker_.namesRequests() ? worker_.newId() : std::string();
  if (!worker_.options().onRequest) return;
  begin_ = std::chrono::system_clock::now();
  beginSteady_ = std::chrono::steady_clock::now();
}

// Answers what is no request, and ends the connection.
kj::Promise<void> Connection::refuse(http::Malformed malformed) {
  const auto [status, why] = malformed;
  stage_ = Stage::SENDING;
  ResponseContext context{.toHead = wire_.bytes().starts_with("HEAD "), .keepAlive = false};
  error_ = why;
  std::string text =
      std::to_string(status) + " " + std::string(http::reasonPhrase(status)) + ": " + why + "\n";
  co_await sendShort(status, text, context);
  writeRecord();
  co_await drain();
}

// The end of what is sent; in TLS an alert, without which a message that the end of the connection
// ends is not whole. Source: RFC 9112 section 9.8.
void Connection::shutdownWrite() {
  if (!brokenOff_ && !std::exchange(shut_, true)) stream_->shutdownWrite();
}

// Whether bytes of the client are here that nobody will read.
bool Connection::sendsMore() const {
  int waiting = 0;
  return !wire_.bytes().empty() ||
         (fd_ >= 0 && ::ioctl(fd_, FIONREAD, &waiting) == 0 && waiting > 0);
}

// Ends a connection whose client may still send: closing it at once would take the answer away.
// Source: RFC 9112 section 9.6.
kj::Promise<void> Connection::drain() {
  shutdownWrite();
  http::BodyReader rest(wire_, {.framing = http::Framing::UNTIL_CLOSE});
  co_await rest.discard().exclusiveJoin(worker_.timer().afterDelay(DISCARD_TIME));
}

void Connection::writeRecord() {
  unrecorded_ = false;
  if (!worker_.options().onRequest) return;
  worker_.options().onRequest({
      .begin = begin_,
      .duration = std::chrono::steady_clock::now() - beginSteady_,
      .client = client_,
      .method = method_,
      .target = target_,
      .host = host_,
      .minorVersion = minorVersion_,
      .status = status_,
      .received = body_ ? body_->received() : received_,
      .sent = sent_,
      .id = id_,
      .error = error_,
      .details = details_,
  });
  error_.clear();
  id_.clear();
  details_.clear();
}

}  // namespace tenon::host
