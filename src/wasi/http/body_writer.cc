#include "wasi/http/body_writer.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace tenon::wasi::http {

StreamResult<uint64_t> BodyWriter::permit() {
  if (error_) {
    ErrorCode why = *std::exchange(error_, std::nullopt);
    return httpFault(std::move(why));
  }
  if (closed_ || finished_ || broken_) return closedFault();
  if (!flushed()) return uint64_t{0};
  flushing_ = false;
  return uint64_t{ROOM - std::min(ROOM, buffer_.size())};
}

StreamResult<void> BodyWriter::write(std::span<const std::byte> bytes) {
  if (error_) {
    ErrorCode why = *std::exchange(error_, std::nullopt);
    return httpFault(std::move(why));
  }
  if (closed_ || finished_ || broken_) return closedFault();
  if (declared_ && bytes.size() > *declared_ - written_) {
    written_ += bytes.size();
    auto size = std::optional(written_);
    abandon();
    return httpFault(side_ == Side::REQUEST ? makeError<ErrorKind::HTTP_REQUEST_BODY_SIZE>(size)
                                            : makeError<ErrorKind::HTTP_RESPONSE_BODY_SIZE>(size));
  }
  if (bytes.empty()) return {};
  written_ += bytes.size();
  buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  work_.raise();
  return {};
}

StreamResult<void> BodyWriter::flush() {
  if (error_) {
    ErrorCode why = *std::exchange(error_, std::nullopt);
    return httpFault(std::move(why));
  }
  if (closed_ || finished_ || broken_) return closedFault();
  flushing_ = buffer_.size() > FLUSHED;
  return {};
}

bool BodyWriter::flushed() { return !flushing_ || closed_ || broken_ || buffer_.size() <= FLUSHED; }

kj::Promise<void> BodyWriter::whenFlushed() {
  if (flushed()) return kj::READY_NOW;
  return room_.wait();
}

bool BodyWriter::ready() {
  if (error_ || closed_ || finished_ || broken_) return true;
  return flushed() && buffer_.size() < ROOM;
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

void BodyWriter::take(std::string& empty) {
  buffer_.swap(empty);
  room_.raise();
}

void BodyWriter::close(std::optional<ErrorCode> why) {
  if (closed_) return;
  closed_ = true;
  error_ = std::move(why);
  buffer_ = {};
  room_.raise();
}

kj::Promise<bool> sendMessage(kj::AsyncOutputStream& to, std::string head, BodyMode mode,
                              std::shared_ptr<BodyWriter> body, kj::Timer& timer,
                              WriteProgress& progress) {
  using Piece = kj::ArrayPtr<const kj::byte>;
  auto piece = [](std::string_view text) {
    return Piece(reinterpret_cast<const kj::byte*>(text.data()), text.size());
  };
  constexpr size_t COPIED = 8 * 1024;
  std::string data;
  while (true) {
    body->take(data);
    bool finished = body->finished() && body->waiting() == 0;
    bool broken = !finished && body->broken();
    if (mode == BodyMode::NONE) data.clear();
    // `head` becomes all that goes in front of the data.
    std::string tail;
    if (mode == BodyMode::CHUNKED) {
      if (!data.empty()) {
        char digits[16];
        auto end = std::to_chars(digits, digits + sizeof(digits), data.size(), 16).ptr;
        head.append(digits, end);
        head += "\r\n";
        tail = "\r\n";
      }
      if (finished) {
        tail += "0\r\n";
        if (body->trailers()) appendFields(tail, *body->trailers());
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
    if (!body->hasWork()) co_await body->whenWork();
  }
}

}  // namespace tenon::wasi::http
