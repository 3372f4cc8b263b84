#include "host/server/connection.h"

#include <poll.h>

#include <algorithm>
#include <utility>

namespace tenon::host {

namespace http = wasi::http;
using http::ErrorKind;

namespace {

// What of a request's body is read after its response, so that the connection can be used again or
// be closed in order.
constexpr uint64_t MAX_DISCARDED = 256 * 1024;
constexpr auto DISCARD_TIME = 2 * kj::SECONDS;
constexpr uint32_t RETRY_AFTER = 1;  // seconds
// A client that sends no more may still read, which can be told only by writing to it. So long it
// is given for an answer to begin, or to go on.
constexpr auto HALF_CLOSED_TIME = 2 * kj::SECONDS;

kj::Duration toKj(std::chrono::milliseconds duration) {
  return duration.count() * kj::MILLISECONDS;
}

// Path and authority of a request's target. Source: RFC 9112 section 3.2.
void splitTarget(const http::RequestHead& head, http::IncomingMessage& message) {
  std::string_view target = head.target;
  if (!head.host.empty()) message.authority = head.host;
  if (head.method == "CONNECT") {
    message.authority = std::string(target);
    return;
  }
  size_t scheme = target.find("://");
  if (!target.starts_with('/') && scheme != std::string_view::npos) {
    target.remove_prefix(scheme + 3);
    size_t end = std::min(target.find_first_of("/?"), target.size());
    message.authority = std::string(target.substr(0, end));
    target.remove_prefix(end);
    message.pathWithQuery =
        target.starts_with('/') ? std::string(target) : "/" + std::string(target);
    return;
  }
  message.pathWithQuery = std::string(target);
}

std::string_view viewOf(const std::optional<std::string>& text) {
  return text ? std::string_view(*text) : std::string_view();
}

uint16_t statusOf(const Error& error) {
  switch (error.code) {
    case ErrorCode::DEADLINE:
      return 504;
    case ErrorCode::LIMIT_EXCEEDED:
      return 503;
    default:
      return 500;
  }
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
  co_await serve()
      .catch_([](kj::Exception&&) {})  // the client has gone
      .exclusiveJoin(kj::mv(cutPromise_));
  if (timedOut_ && stage_ == Stage::HEAD) {
    ResponseContext context{.keepAlive = false};
    status_ = 408;
    error_ = "the request's head did not arrive in time";
    context.date = worker_.dateLine();
    std::string text = shortResponse(408, "408 Request Timeout\n", context);
    writeRecord();
    co_await stream_->write(text.data(), text.size()).catch_([](kj::Exception&&) {});
  } else if (timedOut_ || vanished_) {
    status_ = 499;
    writeRecord();
  }
}

kj::Promise<void> Connection::serve() {
  while (co_await serveOne()) {
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

kj::Promise<bool> Connection::serveOne() {
  stage_ = Stage::IDLE;
  since_ = worker_.timer().now();
  const uint32_t most = worker_.options().maxHeaderBytes;
  size_t searched = 0;
  size_t size = 0;
  while (true) {
    std::string_view bytes = wire_.bytes();
    // Empty lines in front of a request are none. Source: RFC 9112 section 2.2.
    while (bytes.starts_with("\r\n")) {
      wire_.use(2);
      bytes = wire_.bytes();
      searched = 0;
    }
    size = http::headSize(bytes, searched);
    if (size != 0) break;
    if (bytes.size() >= most) co_return co_await refuse(431, "the request's head is too large");
    if (bytes.empty()) {
      if (closing_) co_return false;
      wire_.shrink();
    } else if (stage_ == Stage::IDLE) {
      stage_ = Stage::HEAD;
      since_ = worker_.timer().now();
    }
    searched = bytes.size();
    bool more = co_await wire_.fill(most);
    if (!more) co_return false;
  }
  if (worker_.options().onRequest) {
    begin_ = std::chrono::system_clock::now();
    beginSteady_ = std::chrono::steady_clock::now();
  }
  stage_ = Stage::GUEST;
  if (size > most) co_return co_await refuse(431, "the request's head is too large");
  auto head = http::parseRequest(wire_.bytes().substr(0, size),
                                 {.bytes = most, .fields = worker_.options().maxHeaders});
  if (!head) co_return co_await refuse(head.error().status, head.error().why);
  wire_.use(size);
  bool more = false;
  kj::Maybe<kj::Exception> gone;
  try {
    more = co_await answer(std::move(head.value()));
  } catch (...) {
    gone = kj::getCaughtExceptionAsKj();
  }
  if (gone != nullptr) {
    status_ = 499;
    error_ = "the client has gone";
  }
  writeRecord();
  co_return more && !closing_;
}

// Answers what is no request, and ends the connection.
kj::Promise<bool> Connection::refuse(uint16_t status, const char* why) {
  stage_ = Stage::SENDING;
  ResponseContext context{.keepAlive = false};
  method_.clear();
  target_.clear();
  error_ = why;
  std::string text =
      std::to_string(status) + " " + std::string(http::reasonPhrase(status)) + ": " + why + "\n";
  co_await sendShort(status, text, context);
  writeRecord();
  // The client may still send; closing now would take the answer from it.
  stream_->shutdownWrite();
  http::BodyReader rest(wire_, {.framing = http::Framing::UNTIL_CLOSE});
  co_await rest.discard(MAX_DISCARDED).exclusiveJoin(worker_.timer().afterDelay(DISCARD_TIME));
  co_return false;
}

kj::Promise<void> Connection::sendShort(uint16_t status, std::string_view text,
                                        ResponseContext& context, uint32_t retryAfter) {
  context.date = worker_.dateLine();
  std::string response = shortResponse(status, text, context, retryAfter);
  status_ = status;
  sent_ = context.toHead ? 0 : text.size();
  begun_ = true;
  progress_ = {true, worker_.timer().now()};
  co_await stream_->write(response.data(), response.size());
  progress_.writing = false;
}

kj::Promise<bool> Connection::answer(http::RequestHead head) {
  const ServerOptions& options = worker_.options();
  ResponseContext context{.toHead = head.method == "HEAD",
                          .minorVersion = head.minorVersion,
                          .keepAlive = head.keepAlive && !closing_};
  begun_ = continued_ = answered_ = false;
  leftSince_ = nullptr;
  status_ = 0;
  sent_ = 0;
  minorVersion_ = head.minorVersion;
  if (options.onRequest) {
    method_ = head.method;
    target_ = head.target;
    host_ = head.host;
  }
  http::BodyOptions bodyOptions{
      .framing = head.framing,
      .length = head.length,
      .maxBytes = options.maxBody,
      .trailers = {.bytes = options.maxHeaderBytes, .fields = options.maxHeaders}};
  if (head.expectsContinue) {
    bodyOptions.onFirstRead = [this]() {
      if (begun_) return;
      continued_ = true;
      constexpr std::string_view CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";
      continuing_ = stream_->write(CONTINUE.data(), CONTINUE.size()).eagerlyEvaluate(nullptr);
    };
  }
  body_ = std::make_shared<http::BodyReader>(wire_, std::move(bodyOptions));
  bool mayContinue = !head.expectsContinue;

  if (head.framing == http::Framing::LENGTH && head.length > options.maxBody) {
    error_ = "the request's body is too large";
    context.keepAlive = false;
    co_await sendShort(413, "413 Content Too Large\n", context);
    co_return co_await finishBody(*body_, false);
  }
  http::IncomingMessage message{
      .method = head.method,
      .scheme = worker_.secure() ? http::Scheme::HTTPS : http::Scheme::HTTP,
      .fields = head.fields,
      .body = body_};
  splitTarget(head, message);
  auto front =
      worker_.shared().routes.find(viewOf(message.authority), viewOf(message.pathWithQuery));
  if (!front) {
    error_ = "no route leads to a component";
    context.keepAlive = context.keepAlive && mayContinue;
    co_await sendShort(404, "404 Not Found\n", context);
    co_return co_await finishBody(*body_, context.keepAlive);
  }
  InFlight inFlight;
  if (!inFlight.enter(worker_.shared().requests, options.maxRequests)) {
    error_ = "too many requests in flight";
    context.keepAlive = context.keepAlive && mayContinue;
    co_await sendShort(503, "503 Service Unavailable\n", context, RETRY_AFTER);
    co_return co_await finishBody(*body_, context.keepAlive);
  }
  startGuest(std::move(message), worker_.guests(*front), std::move(inFlight));

  while (true) {
    while (!exchange_->informational.empty()) {
      auto messages = std::exchange(exchange_->informational, {});
      if (head.minorVersion == 0) continue;
      std::string text;
      for (const http::Informational& message : messages) {
        http::appendStatusLine(text, message.status);
        http::appendFields(text, *message.fields);
        text += "\r\n";
      }
      KJ_IF_MAYBE (writing, continuing_) {
        kj::Promise<void> before = kj::mv(*writing);
        continuing_ = nullptr;
        co_await before;
      }
      begun_ = true;
      co_await stream_->write(text.data(), text.size());
    }
    if (exchange_->decided() || end_->ended) break;
    co_await exchange_->changed.wait().exclusiveJoin(end_->changed.wait());
  }
  KJ_IF_MAYBE (writing, continuing_) {
    kj::Promise<void> before = kj::mv(*writing);
    continuing_ = nullptr;
    co_await before;
  }

  stage_ = Stage::SENDING;
  bool ok = false;
  auto& given = exchange_->answer();
  bool broken = given && given->body && given->body->broken();
  if (end_->ended && !end_->outcome && (!given || broken)) {
    uint16_t status = statusOf(end_->outcome.error());
    ok = co_await reportFailure(status, std::move(end_->outcome).error(), context);
  } else if (broken) {
    ok = co_await reportFailure(
        500, Error(ErrorCode::INVALID, "the guest did not finish the response's body"), context);
  } else if (given) {
    ok = co_await sendAnswer(*given, context);
  } else if (exchange_->failure()) {
    ok = co_await reportFailure(statusOf(*exchange_->failure()),
                                Error(ErrorCode::INVALID, "the guest answered with the error " +
                                                              toText(*exchange_->failure())),
                                context);
  } else {
    ok = co_await reportFailure(
        500,
        Error(ErrorCode::INVALID, end_->ended ? "the guest returned without an answer"
                                              : "the guest dropped its response-outparam"),
        context);
  }
  answered_ = true;
  bool keep = ok && context.keepAlive && (mayContinue || continued_ || body_->complete());
  bool more = co_await finishBody(*body_, keep);
  exchange_->close();
  exchange_ = nullptr;
  end_ = nullptr;
  co_return more;
}

void Connection::startGuest(http::IncomingMessage message, GuestPool& guests, InFlight inFlight) {
  unrecorded_ = true;
  exchange_ = std::make_shared<http::Exchange>();
  exchange_->toHead = message.method == "HEAD";
  end_ = std::make_shared<GuestEnd>();
  auto guest = guests.take();
  if (!guest) {
    end_->ended = true;
    end_->outcome = std::move(guest).error();
    return;
  }
  auto call = std::make_unique<HandlerCall>(*std::move(guest), std::move(message), exchange_,
                                            std::move(inFlight));
  auto started = call->start();
  if (!started) {
    end_->ended = true;
    end_->outcome = std::move(started);
  } else if (call->done()) {
    end_->ended = true;
    end_->outcome = call->finish(guests);
  } else {
    worker_.await(std::move(call), end_, guests);
  }
}

kj::Promise<bool> Connection::sendAnswer(http::Answer& answer, ResponseContext& context) {
  std::string head;
  head.reserve(512);
  context.date = worker_.dateLine();
  http::BodyMode mode = writeHead(head, answer, context);
  status_ = answer.status;
  begun_ = true;
  bool whole = true;
  if (answer.body) {
    sending_ = std::move(answer.body);
    whole = co_await http::sendMessage(*stream_, std::move(head), mode, sending_, worker_.timer(),
                                       progress_, plainSocket_);
    if (mode != http::BodyMode::NONE) sent_ = sending_->written();
    sending_ = nullptr;
  } else {
    progress_ = {true, worker_.timer().now()};
    co_await stream_->write(head.data(), head.size());
    progress_.writing = false;
    // It declared a body that does not come.
    auto length = http::findField(*answer.fields, "content-length");
    whole = mode == http::BodyMode::NONE || !length || http::parseLength(length->value) == 0u;
  }
  if (end_->ended && !end_->outcome) {
    noteFailure(std::move(end_->outcome).error());
  } else if (!whole) {
    noteFailure(Error(ErrorCode::INVALID, "the guest did not finish the response's body"));
  }
  co_return whole;
}

void Connection::noteFailure(Error error) {
  id_ = worker_.newId();
  error_ = error.text();
  details_ = std::move(error.details);
}

kj::Promise<bool> Connection::reportFailure(uint16_t status, Error error,
                                            ResponseContext& context) {
  noteFailure(std::move(error));
  std::string text = std::to_string(status) + " " + std::string(http::reasonPhrase(status)) +
                     "\nid: " + id_ + "\n";
  co_await sendShort(status, text, context, status == 503 ? RETRY_AFTER : 0);
  co_return true;
}

// After the response: the rest of the request. Whether the connection can serve another one.
kj::Promise<bool> Connection::finishBody(http::BodyReader& body, bool keepAlive) {
  if (!body.complete()) {
    // The guest may read on.
    if (end_ && !end_->ended && !body.finished()) {
      co_await body.whenFinished().exclusiveJoin(end_->changed.wait());
    }
    if (!keepAlive) stream_->shutdownWrite();
    if (!body.finished()) {
      co_await body.discard(MAX_DISCARDED).exclusiveJoin(worker_.timer().afterDelay(DISCARD_TIME));
    }
  }
  bool complete = body.complete();
  received_ = body.received();
  body.detach(http::makeError<ErrorKind::CONNECTION_TERMINATED>());
  body_ = nullptr;
  co_return complete&& keepAlive;
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
      .error = error_,
      .id = id_,
      .details = details_,
  });
  error_.clear();
  id_.clear();
  details_.clear();
}

}  // namespace tenon::host
