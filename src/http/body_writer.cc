#include "http/body_writer.h"

#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace tenon::http {
namespace {

// Room for a chunk's size and its line end.
constexpr size_t CHUNK_LINE = 18;

void appendChunkLine(std::string& to, size_t size) {
  char digits[CHUNK_LINE];
  auto end = std::to_chars(digits, digits + sizeof(digits), size, 16).ptr;
  to.append(digits, end);
  to += "\r\n";
}

}  // namespace

net::StreamResult<void> BodyWriter::check() {
  if (error_) {
    ErrorCode why = *std::exchange(error_, std::nullopt);
    return httpFault(std::move(why));
  }
  if (closed_ || finished_ || broken_) return net::closedFault();
  return {};
}

net::StreamResult<void> BodyWriter::addWritten(size_t count) {
  bool fits = !declared_ || count <= *declared_ - written_;
  written_ += count;
  if (fits) return {};
  auto size = std::optional(written_);
  abandon();
  return httpFault(side_ == Side::REQUEST ? makeError<ErrorKind::HTTP_REQUEST_BODY_SIZE>(size)
                                          : makeError<ErrorKind::HTTP_RESPONSE_BODY_SIZE>(size));
}

net::StreamResult<uint64_t> BodyWriter::permit() {
  if (auto fault = check(); !fault) return Unexpected<net::StreamFault>{std::move(fault).error()};
  if (!flushed()) return uint64_t{0};
  flushing_ = false;
  return uint64_t{ROOM - std::min(ROOM, waiting())};
}

net::StreamResult<void> BodyWriter::write(std::span<const std::byte> bytes) {
  if (auto fault = check(); !fault) return fault;
  if (auto fault = addWritten(bytes.size()); !fault) return fault;
  if (bytes.empty()) return {};
  buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  work_.raise();
  return {};
}

size_t BodyWriter::pipeRoom() {
  if (!socket_.idle || hasWork() || closed_ || error_) return 0;
  return net::roomOf(socket_.fd);
}

bool BodyWriter::pipeBusy() {
  if (closed_ || finished_ || broken_ || error_ || socket_.fd < 0) return false;
  return !socket_.idle || waiting() != 0;
}

kj::Promise<void> BodyWriter::whenPipeIdle() {
  if (!pipeBusy()) return kj::READY_NOW;
  return room_.wait();
}

net::StreamResult<void> BodyWriter::takePipe(std::string_view before, net::KernelPipe& pipe) {
  size_t size = before.size() + pipe.size();
  net::StreamResult<void> fault = check();
  if (fault) fault = addWritten(size);
  if (!fault || size == 0) {
    pipe.clear();
    return fault;
  }
  bool chunked = socket_.mode == BodyMode::CHUNKED;
  std::string front;
  front.reserve(CHUNK_LINE + before.size());
  if (chunked) appendChunkLine(front, size);
  front += before;
  // All parts go to the socket one behind the other, and what it does not take waits here.
  auto send = [this](std::string_view bytes, int how) {
    if (!framed_.empty()) return;
    ssize_t sent =
        ::send(socket_.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT | how);
    framed_ = bytes.substr(sent > 0 ? static_cast<size_t>(sent) : 0);
  };
  if (!front.empty()) send(front, MSG_MORE);
  if (framed_.empty()) pipe.drain(socket_.fd, chunked);
  pipe.drain(framed_);
  if (chunked) {
    if (framed_.empty()) {
      send("\r\n", 0);
    } else {
      framed_ += "\r\n";
    }
  }
  socket_.progress->since = socket_.timer->now();
  if (!framed_.empty()) work_.raise();
  return {};
}

net::StreamResult<void> BodyWriter::flush() {
  if (auto fault = check(); !fault) return fault;
  flushing_ = waiting() > FLUSHED;
  return {};
}

bool BodyWriter::flushed() { return !flushing_ || closed_ || broken_ || waiting() <= FLUSHED; }

kj::Promise<void> BodyWriter::whenFlushed() {
  if (flushed()) return kj::READY_NOW;
  return room_.wait();
}

bool BodyWriter::ready() {
  if (error_ || closed_ || finished_ || broken_) return true;
  return flushed() && waiting() < ROOM;
}

kj::Promise<void> BodyWriter::whenReady() {
  if (ready()) return kj::READY_NOW;
  return room_.wait();
}

Expected<void, ErrorCode> BodyWriter::finish(std::shared_ptr<FieldList> trailers) {
  if (finished_) return {};
  bool fits = !declared_ || *declared_ == written_ || (mayBeLeftOut_ && written_ == 0);
  if (!broken_ && fits) {
    finished_ = true;
    trailers_ = std::move(trailers);
    work_.raise();
    return {};
  }
  abandon();
  auto size = std::optional(written_);
  return Unexpected<ErrorCode>{side_ == Side::REQUEST
                                   ? makeError<ErrorKind::HTTP_REQUEST_BODY_SIZE>(size)
                                   : makeError<ErrorKind::HTTP_RESPONSE_BODY_SIZE>(size)};
}

void BodyWriter::abandon() {
  if (finished_ || broken_) return;
  broken_ = true;
  work_.raise();
  room_.raise();
}

kj::Promise<void> BodyWriter::whenWork() {
  if (hasWork()) return kj::READY_NOW;
  return work_.wait();
}

void BodyWriter::take(std::string& empty, std::string& framed) {
  framed += framed_;
  framed_ = {};
  buffer_.swap(empty);
  room_.raise();
}

void BodyWriter::close(std::optional<ErrorCode> why) {
  if (closed_) return;
  closed_ = true;
  error_ = std::move(why);
  framed_ = {};
  buffer_ = {};
  socket_ = {};
  room_.raise();
}

kj::Promise<bool> sendMessage(kj::AsyncOutputStream& to, std::string head, BodyMode mode,
                              std::shared_ptr<BodyWriter> body, kj::Timer& timer,
                              WriteProgress& progress, int socket) {
  using Piece = kj::ArrayPtr<const kj::byte>;
  auto piece = [](std::string_view text) {
    return Piece(reinterpret_cast<const kj::byte*>(text.data()), text.size());
  };
  constexpr size_t COPIED = 8 * 1024;
  std::string data;
  if (mode == BodyMode::NONE) socket = -1;
  body->setSocket({.fd = socket, .mode = mode, .progress = &progress, .timer = &timer});
  KJ_DEFER(body->setSocket({}));
  while (true) {
    body->take(data, head);
    bool finished = body->finished() && body->waiting() == 0;
    bool broken = !finished && body->broken();
    if (mode == BodyMode::NONE) data.clear();
    // `head` becomes all that goes in front of the data.
    std::string tail;
    if (mode == BodyMode::CHUNKED) {
      if (!data.empty()) {
        appendChunkLine(head, data.size());
        tail = "\r\n";
      }
      if (finished) {
        tail += "0\r\n";
        if (body->trailers()) {
          FieldList trailers = *body->trailers();
          std::erase_if(trailers, [](const Field& field) { return !isTrailer(field.name); });
          appendFields(tail, trailers);
        }
        tail += "\r\n";
      }
    }
    progress = {true, timer.now()};
    if (data.size() <= COPIED) {
      head += data;
      head += tail;
      if (!head.empty()) co_await to.write(head.data(), head.size());
    } else {
      Piece pieces[] = {piece(head), piece(data), piece(tail)};
      size_t first = head.empty() ? 1 : 0;
      size_t count = (tail.empty() ? 2 : 3) - first;
      co_await to.write(kj::arrayPtr(pieces + first, count));
    }
    progress.writing = false;
    if (finished) co_return true;
    if (broken) co_return false;
    head.clear();
    data.clear();
    if (body->hasWork()) continue;
    body->setIdle(socket >= 0);
    KJ_DEFER(body->setIdle(false));
    co_await body->whenWork();
  }
}

}  // namespace tenon::http
