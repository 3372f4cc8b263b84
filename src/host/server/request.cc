#include "host/server/request.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace tenon::host {

using http::ErrorKind;

namespace {

constexpr uint32_t RETRY_AFTER = 1;  // seconds
// Of a body: what is put behind the response's head to leave with it.
constexpr size_t MOST_COPIED = 8 * 1024;
// What of a request's body is read after its response, so that the connection can be used again.
constexpr uint64_t MAX_DISCARDED = 256 * 1024;
// A client that sends no more may still read, which can be told only by writing to it. So long it
// is given for an answer to begin, or to go on.
constexpr auto HALF_CLOSED_TIME = 2 * kj::SECONDS;

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

Peer::Peer(Worker& worker, kj::Own<kj::AsyncIoStream> opened, int fd, std::string name)
    : worker(worker),
      stream(kj::mv(opened)),
      fd(fd),
      plainSocket(worker.secure() ? -1 : fd),
      name(std::move(name)),
      wire(*stream, worker.timer(), plainSocket) {}

size_t Peer::sendNow(std::string_view bytes) const {
  if (plainSocket < 0) return 0;
  ssize_t count = ::send(plainSocket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return count < 0 ? 0 : static_cast<size_t>(count);  // what failed fails again, and says why
}

Request::Request(Peer& peer) : peer_(peer) {
  if (peer.worker.namesRequests()) id_ = peer.worker.newId();
  if (!options().onRequest) return;
  begin_ = std::chrono::system_clock::now();
  beginSteady_ = std::chrono::steady_clock::now();
}

Request::~Request() {
  if (body_) body_->detach(http::makeError<ErrorKind::CONNECTION_TERMINATED>());
  if (sending_) sending_->close(http::makeError<ErrorKind::CONNECTION_TERMINATED>());
  if (exchange_) exchange_->close();
  // The client has gone, or is sent away: what the guest does is of no use to anybody.
  if (end_ && !end_->ended && !answered_) end_->giveUp.raise();
  if (unrecorded_) {
    if (status_ == 0) status_ = 503;
    error_ = "cut off: the server stops";
    record();
  }
}

kj::Promise<void> Request::sendShort(uint16_t status, std::string_view text, uint32_t retryAfter) {
  context_.keepAlive = context_.keepAlive && !leavesTooMuch();
  context_.date = peer_.worker.dateLine();
  std::string response = shortResponse(status, text, context_, retryAfter);
  status_ = status;
  sent_ = context_.toHead ? 0 : text.size();
  begun_ = true;
  progress_ = {true, now()};
  co_await peer_.stream->write(response.data(), response.size());
  progress_.writing = false;
}

// Whether so much of the request is left, and nobody reads it, that the connection will not be used
// again.
bool Request::leavesTooMuch() const {
  if (!body_ || bodyLength_ <= body_->received() + MAX_DISCARDED) return false;
  bool guestReads = end_ && !end_->ended && body_.use_count() > 1;
  return !guestReads;
}

Request::Next Request::begin(size_t headSize, std::string& response) {
  const ServerOptions& options = this->options();
  auto parsed = http::parseRequest(peer_.wire.bytes().substr(0, headSize),
                                   {.bytes = options.maxHeaderBytes, .fields = options.maxHeaders});
  if (!parsed) return {.malformed = parsed.error()};
  http::RequestHead head = std::move(parsed.value());
  peer_.wire.use(headSize);
  context_.toHead = head.method == "HEAD";
  context_.minorVersion = head.minorVersion;
  context_.keepAlive = context_.keepAlive && head.keepAlive;
  bodyLength_ = head.framing == http::Framing::LENGTH ? head.length : 0;
  if (options.onRequest) {
    method_ = head.method;
    target_ = std::move(head.target);
    host_ = std::move(head.host);
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
  body_ = std::make_shared<http::BodyReader>(peer_.wire, std::move(bodyOptions));

  if (head.framing == http::Framing::LENGTH && head.length > options.maxBody) {
    error_ = "the request's body is too large";
    context_.keepAlive = false;
    return {.refusal = {413, "413 Content Too Large\n"}};
  }
  auto scheme = peer_.worker.secure() ? http::Scheme::HTTPS : http::Scheme::HTTP;
  // Source: RFC 9110 section 7.4.
  if (head.scheme.value_or(scheme) != scheme) {
    error_ = "the target's scheme is not that of the connection";
    context_.keepAlive = context_.keepAlive && mayContinue_;
    return {.refusal = {421, "421 Misdirected Request\n"}};
  }
  http::IncomingMessage message{.pathWithQuery = std::move(head.path),
                                .scheme = scheme,
                                .fields = std::move(head.fields),
                                .body = body_};
  if (!head.authority.empty()) message.authority = std::move(head.authority);
  message.method = std::move(head.method);
  auto handler =
      peer_.worker.shared().routes.find(viewOf(message.authority), viewOf(message.pathWithQuery));
  if (!handler) {
    error_ = "no route leads to a component";
    context_.keepAlive = context_.keepAlive && mayContinue_;
    return {.refusal = {404, "404 Not Found\n"}};
  }
  InFlight inFlight;
  if (!inFlight.enter(peer_.worker.shared().requests, options.maxRequests)) {
    error_ = "too many requests in flight";
    context_.keepAlive = context_.keepAlive && mayContinue_;
    return {.refusal = {503, "503 Service Unavailable\n", RETRY_AFTER}};
  }
  startGuest(std::move(message), peer_.worker.guests(*handler), std::move(inFlight));
  takeWhole(response);
  return {};
}

// The response, when the guest is done and all of it is here.
void Request::takeWhole(std::string& response) {
  auto& given = exchange_->answer();
  if (!end_->ended || !end_->outcome || !given || !given->body || !body_->complete()) return;
  http::BodyWriter& body = *given->body;
  if (!body.finished() || body.broken() || body.trailers()) return;
  if (body.waiting() > MOST_COPIED) return;
  if (!exchange_->informational.empty() || continueWaits_) return;
  context_.date = peer_.worker.dateLine();
  http::BodyMode mode = writeHead(response, *given, context_);
  status_ = given->status;
  begun_ = true;
  if (mode == http::BodyMode::NONE) return;
  std::string content;
  body.take(content, response);
  response += content;
  sent_ = body.written();
}

kj::Promise<void> Request::write(std::string_view bytes) {
  progress_ = {true, now()};
  co_await peer_.stream->write(bytes.data(), bytes.size());
  progress_.writing = false;
}

kj::Promise<bool> Request::refuse(Refusal refusal) {
  co_await sendShort(refusal.status, refusal.text, refusal.retryAfter);
  if (!body_->complete()) co_await discardBody();
  co_return end();
}

kj::Promise<bool> Request::answer() {
  while (true) {
    // One after the other: a stream takes one write at a time.
    while (continueWaits_ || !exchange_->informational.empty()) {
      std::string text;
      if (std::exchange(continueWaits_, false)) text = "HTTP/1.1 100 Continue\r\n\r\n";
      for (const auto& message : std::exchange(exchange_->informational, {})) {
        if (context_.minorVersion == 0) continue;
        http::appendStatusLine(text, message.status);
        http::appendFields(text, *message.fields);
        text += "\r\n";
      }
      if (text.empty()) continue;
      co_await write(text);
    }
    if (exchange_->decided() || end_->ended) break;
    co_await exchange_->changed.wait().exclusiveJoin(end_->changed.wait());
  }

  bool ok = false;
  auto& given = exchange_->answer();
  bool broken = given && given->body && given->body->broken();
  if (end_->ended && !end_->outcome && (!given || broken)) {
    uint16_t status = statusOf(end_->outcome.error());
    ok = co_await reportFailure(status, std::move(end_->outcome).error());
  } else if (broken) {
    ok = co_await reportFailure(
        500, Error(ErrorCode::INVALID, "the guest did not finish the response's body"));
  } else if (given) {
    ok = co_await sendAnswer(*given);
  } else if (exchange_->failure()) {
    ok = co_await reportFailure(statusOf(*exchange_->failure()),
                                Error(ErrorCode::INVALID, "the guest answered with the error " +
                                                              toText(*exchange_->failure())));
  } else {
    ok = co_await reportFailure(
        500, Error(ErrorCode::INVALID, end_->ended ? "the guest returned without an answer"
                                                   : "the guest dropped its response-outparam"));
  }
  answered_ = true;
  context_.keepAlive =
      ok && context_.keepAlive && (mayContinue_ || continued_ || body_->complete());
  if (!body_->complete()) co_await discardBody();
  co_return end();
}

void Request::startGuest(http::IncomingMessage message, GuestPool& guests, InFlight inFlight) {
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
    peer_.worker.await(std::move(call), end_, guests);
  }
}

kj::Promise<bool> Request::sendAnswer(http::Answer& answer) {
  std::string head;
  head.reserve(512);
  context_.keepAlive = context_.keepAlive && !leavesTooMuch();
  context_.date = peer_.worker.dateLine();
  http::BodyMode mode = writeHead(head, answer, context_);
  status_ = answer.status;
  begun_ = true;
  bool whole = true;
  if (answer.body) {
    sending_ = std::move(answer.body);
    whole = co_await http::sendMessage(*peer_.stream, std::move(head), mode, sending_,
                                       peer_.worker.timer(), progress_, peer_.plainSocket);
    if (mode != http::BodyMode::NONE) sent_ = sending_->written();
    sending_ = nullptr;
  } else {
    co_await write(head);
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

void Request::noteFailure(Error error) {
  if (id_.empty()) id_ = peer_.worker.newId();
  error_ = error.text();
  details_ = std::move(error.details);
}

kj::Promise<bool> Request::reportFailure(uint16_t status, Error error) {
  noteFailure(std::move(error));
  std::string text = std::to_string(status) + " " + std::string(http::reasonPhrase(status)) +
                     "\nid: " + id_ + "\n";
  co_await sendShort(status, text, status == 503 ? RETRY_AFTER : 0);
  co_return true;
}

// After the response: the rest of the request.
kj::Promise<void> Request::discardBody() {
  http::BodyReader& body = *body_;
  // The guest may read on.
  if (end_ && !end_->ended && !body.finished()) {
    co_await body.whenFinished().exclusiveJoin(end_->changed.wait());
  }
  if (context_.keepAlive && !body.finished()) {
    co_await body.discard(MAX_DISCARDED)
        .exclusiveJoin(peer_.worker.timer().afterDelay(Peer::DISCARD_TIME));
  }
}

bool Request::end() {
  answered_ = true;
  bool complete = body_->complete();
  unread_ = !complete;
  received_ = body_->received();
  body_->detach(http::makeError<ErrorKind::CONNECTION_TERMINATED>());
  body_ = nullptr;
  if (exchange_) exchange_->close();
  exchange_ = nullptr;
  end_ = nullptr;
  return complete && context_.keepAlive;
}

kj::Promise<void> Request::refuse(http::Malformed malformed) {
  const auto [status, why] = malformed;
  context_ = {.toHead = peer_.wire.bytes().starts_with("HEAD "), .keepAlive = false};
  error_ = why;
  std::string text =
      std::to_string(status) + " " + std::string(http::reasonPhrase(status)) + ": " + why + "\n";
  co_await sendShort(status, text);
  record();
}

kj::Promise<void> Request::refuseLate() {
  context_.keepAlive = false;
  context_.date = peer_.worker.dateLine();
  constexpr std::string_view WHY = "408 Request Timeout\n";
  std::string text = shortResponse(408, WHY, context_);
  status_ = 408;
  sent_ = WHY.size();
  error_ = "the request's head did not arrive in time";
  record();
  co_await peer_.stream->write(text.data(), text.size()).catch_([](kj::Exception&&) {});
}

Request::Health Request::check(kj::TimePoint now) {
  kj::Duration patience = options().stallTimeout.count() * kj::MILLISECONDS;
  Health health = Health::FINE;
  if (body_ && body_->filling() && now - peer_.wire.lastArrival() > patience) {
    body_->fail(http::makeError<ErrorKind::CONNECTION_READ_TIMEOUT>());
    health = Health::STALLED;
  }
  bool late = progress_.writing && now - progress_.since > patience;
  if (!late && !clientLeft(now)) return health;
  error_ = late ? "the client did not take the response in time" : "the client has gone";
  return Health::NOT_TAKEN;
}

// Whether nobody is left to answer.
bool Request::clientLeft(kj::TimePoint now) {
  if (peer_.fd < 0 || answered_ || !end_ || end_->ended) return false;
  pollfd watched{.fd = peer_.fd, .events = POLLRDHUP, .revents = 0};
  if (::poll(&watched, 1, 0) <= 0) return false;
  kj::TimePoint quiet = now;
  KJ_IF_MAYBE (since, leftSince_) {
    quiet = *since;
  } else {
    leftSince_ = now;
  }
  quiet = std::max({quiet, peer_.wire.lastArrival(), progress_.since});
  bool gone = (watched.revents & (POLLHUP | POLLERR)) != 0;
  return gone || now - quiet >= HALF_CLOSED_TIME;
}

void Request::noteGone(Sent sent) {
  if (sent == Sent::NONE) sent_ = 0;
  status_ = 499;
  error_ = "the client has gone";
}

void Request::record() {
  unrecorded_ = false;
  if (!options().onRequest) return;
  options().onRequest({
      .begin = begin_,
      .duration = std::chrono::steady_clock::now() - beginSteady_,
      .client = peer_.name,
      .method = method_,
      .target = target_,
      .host = host_,
      .minorVersion = context_.minorVersion,
      .status = status_,
      .received = body_ ? body_->received() : received_,
      .sent = sent_,
      .id = id_,
      .error = error_,
      .details = details_,
  });
}

}  // namespace tenon::host
