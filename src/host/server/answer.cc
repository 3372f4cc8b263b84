#include "host/server/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

// How a connection has one request answered.

namespace tenon::host {

using http::ErrorKind;

namespace {

constexpr uint32_t RETRY_AFTER = 1;  // seconds
// Of a body: what is put behind the response's head to leave with it.
constexpr size_t MOST_COPIED = 8 * 1024;

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

kj::Promise<void> Connection::sendShort(uint16_t status, std::string_view text,
                                        ResponseContext& context, uint32_t retryAfter) {
  context.keepAlive = context.keepAlive && !leavesTooMuch();
  context.date = worker_.dateLine();
  std::string response = shortResponse(status, text, context, retryAfter);
  status_ = status;
  sent_ = context.toHead ? 0 : text.size();
  begun_ = true;
  progress_ = {true, worker_.timer().now()};
  co_await stream_->write(response.data(), response.size());
  progress_.writing = false;
}

// Whether so much of the request is left, and nobody reads it, that the connection will not be used
// again.
bool Connection::leavesTooMuch() const {
  if (!body_ || bodyLength_ <= body_->received() + MAX_DISCARDED) return false;
  bool guestReads = end_ && !end_->ended && body_.use_count() > 1;
  return !guestReads;
}

Connection::Next Connection::begin(size_t headSize, ResponseContext& context,
                                   std::string& response) {
  const ServerOptions& options = worker_.options();
  auto parsed = http::parseRequest(wire_.bytes().substr(0, headSize),
                                   {.bytes = options.maxHeaderBytes, .fields = options.maxHeaders});
  if (!parsed) return {.malformed = parsed.error()};
  http::RequestHead head = std::move(parsed.value());
  wire_.use(headSize);
  context.toHead = head.method == "HEAD";
  context.minorVersion = head.minorVersion;
  context.keepAlive = head.keepAlive && !closing_;
  brokenOff_ = begun_ = continued_ = continueWaits_ = answered_ = unread_ = false;
  bodyLength_ = head.framing == http::Framing::LENGTH ? head.length : 0;
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
  mayContinue_ = !head.expectsContinue;
  if (head.expectsContinue) {
    bodyOptions.onFirstRead = [this]() {
      if (begun_) return;
      continued_ = continueWaits_ = true;
      exchange_->changed.raise();
    };
  }
  body_ = std::make_shared<http::BodyReader>(wire_, std::move(bodyOptions));

  if (head.framing == http::Framing::LENGTH && head.length > options.maxBody) {
    error_ = "the request's body is too large";
    context.keepAlive = false;
    return {.refusal = {413, "413 Content Too Large\n"}};
  }
  auto scheme = worker_.secure() ? http::Scheme::HTTPS : http::Scheme::HTTP;
  // Source: RFC 9110 section 7.4.
  if (head.scheme.value_or(scheme) != scheme) {
    error_ = "the target's scheme is not that of the connection";
    context.keepAlive = context.keepAlive && mayContinue_;
    return {.refusal = {421, "421 Misdirected Request\n"}};
  }
  http::IncomingMessage message{.pathWithQuery = std::move(head.path),
                                .scheme = scheme,
                                .fields = std::move(head.fields),
                                .body = body_};
  if (!head.authority.empty()) message.authority = std::move(head.authority);
  message.method = std::move(head.method);
  auto front =
      worker_.shared().routes.find(viewOf(message.authority), viewOf(message.pathWithQuery));
  if (!front) {
    error_ = "no route leads to a component";
    context.keepAlive = context.keepAlive && mayContinue_;
    return {.refusal = {404, "404 Not Found\n"}};
  }
  InFlight inFlight;
  if (!inFlight.enter(worker_.shared().requests, options.maxRequests)) {
    error_ = "too many requests in flight";
    context.keepAlive = context.keepAlive && mayContinue_;
    return {.refusal = {503, "503 Service Unavailable\n", RETRY_AFTER}};
  }
  startGuest(std::move(message), worker_.guests(*front), std::move(inFlight));
  takeWhole(context, response);
  return {};
}

// The response, when the guest is done and all of it is here.
void Connection::takeWhole(ResponseContext& context, std::string& response) {
  auto& given = exchange_->answer();
  if (!end_->ended || !end_->outcome || !given || !given->body || !body_->complete()) return;
  http::BodyWriter& body = *given->body;
  if (!body.finished() || body.broken() || body.trailers()) return;
  if (body.waiting() > MOST_COPIED) return;
  if (!exchange_->informational.empty() || continueWaits_) return;
  stage_ = Stage::SENDING;
  context.date = worker_.dateLine();
  http::BodyMode mode = writeHead(response, *given, context);
  status_ = given->status;
  begun_ = true;
  if (mode == http::BodyMode::NONE) return;
  std::string content;
  body.take(content, response);
  response += content;
  sent_ = body.written();
}

// How much of `bytes` the client's socket takes at once.
size_t Connection::sendNow(std::string_view bytes) {
  if (plainSocket_ < 0) return 0;
  ssize_t count = ::send(plainSocket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return count < 0 ? 0 : static_cast<size_t>(count);  // what failed fails again, and says why
}

kj::Promise<bool> Connection::sendRefusal(Refusal refusal, ResponseContext& context) {
  co_await sendShort(refusal.status, refusal.text, context, refusal.retryAfter);
  if (!body_->complete()) co_await discardBody(*body_, context.keepAlive);
  co_return endRequest(context.keepAlive);
}

kj::Promise<bool> Connection::answer(ResponseContext& context) {
  while (true) {
    // One after the other: a stream takes one write at a time.
    while (continueWaits_ || !exchange_->informational.empty()) {
      std::string text;
      if (std::exchange(continueWaits_, false)) text = "HTTP/1.1 100 Continue\r\n\r\n";
      for (const auto& message : std::exchange(exchange_->informational, {})) {
        if (context.minorVersion == 0) continue;
        http::appendStatusLine(text, message.status);
        http::appendFields(text, *message.fields);
        text += "\r\n";
      }
      if (text.empty()) continue;
      progress_ = {true, worker_.timer().now()};
      co_await stream_->write(text.data(), text.size());
      progress_.writing = false;
    }
    if (exchange_->decided() || end_->ended) break;
    co_await exchange_->changed.wait().exclusiveJoin(end_->changed.wait());
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
  bool keep = ok && context.keepAlive && (mayContinue_ || continued_ || body_->complete());
  if (!body_->complete()) co_await discardBody(*body_, keep);
  co_return endRequest(keep);
}

void Connection::startGuest(http::IncomingMessage message, GuestPool& guests, InFlight inFlight) {
  unrecorded_ = true;
  exchange_ = std::make_shared<http::Exchange>();
  exchange_->toHead = message.method == "HEAD";
  end_ = std::make_shared<GuestEnd>();
  end_->id = id_;
  auto guest = guests.take(id_);
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
  context.keepAlive = context.keepAlive && !leavesTooMuch();
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
    whole = mode == http::BodyMode::NONE || http::declaredLength(*answer.fields).value_or(0) == 0;
  }
  brokenOff_ = !whole;
  if (end_->ended && !end_->outcome) {
    noteFailure(std::move(end_->outcome).error());
  } else if (!whole) {
    noteFailure(Error(ErrorCode::INVALID, "the guest did not finish the response's body"));
  }
  co_return whole;
}

void Connection::noteFailure(Error error) {
  if (id_.empty()) id_ = worker_.newId();
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

// After the response: the rest of the request.
kj::Promise<void> Connection::discardBody(http::BodyReader& body, bool keepAlive) {
  // The guest may read on.
  if (end_ && !end_->ended && !body.finished()) {
    co_await body.whenFinished().exclusiveJoin(end_->changed.wait());
  }
  if (keepAlive && !body.finished()) {
    co_await body.discard(MAX_DISCARDED).exclusiveJoin(worker_.timer().afterDelay(DISCARD_TIME));
  }
}

// Whether the connection can serve another one.
bool Connection::endRequest(bool keepAlive) {
  answered_ = true;
  bool complete = body_->complete();
  unread_ = !complete;
  received_ = body_->received();
  body_->detach(http::makeError<ErrorKind::CONNECTION_TERMINATED>());
  body_ = nullptr;
  if (exchange_) exchange_->close();
  exchange_ = nullptr;
  end_ = nullptr;
  return complete && keepAlive;
}

}  // namespace tenon::host
