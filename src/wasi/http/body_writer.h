#pragma once

// The body of a message that a guest sends: a bounded buffer between the guest's output stream and
// the connection. Small messages leave in one write: nothing is sent before the guest pauses. Bound
// to the loop's thread.

#include "wasi/http/body_reader.h"
#include "wasi/http/error_code.h"
#include "wasi/http/message.h"
#include "wasi/http/wire.h"
#include "wasi/io/streams.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace tenon::wasi::http {

// Shared by the guest's resources and by what sends the message: each may go first.
class BodyWriter final : public OutputSink {
 public:
  // Most bytes that wait to be sent. A flush is done once few enough do: they leave when the guest
  // pauses.
  static constexpr size_t ROOM = 128 * 1024;
  static constexpr size_t FLUSHED = 16 * 1024;

  explicit BodyWriter(Side side) : side_(side) {}

  StreamResult<uint64_t> permit() override;
  StreamResult<void> write(std::span<const std::byte> bytes) override;
  StreamResult<void> flush() override;
  bool flushed() override;
  kj::Promise<void> whenFlushed() override;
  bool ready() override;
  kj::Promise<void> whenReady() override;

  // -- The guest's side
  // What the message's Content-Length says: the body must have that size.
  void declare(uint64_t length) { declared_ = length; }
  // It answers a HEAD, or says 304: it may be left out, whatever was declared.
  void allowNone() { mayBeLeftOut_ = true; }
  // The body is all there. Errors: HTTP-...-body-size when it is not what was declared; the message
  // is then broken.
  Expected<void, ErrorCode> finish(std::shared_ptr<FieldList> trailers);
  // The guest dropped the body without finishing it: the message is broken.
  void abandon();

  // -- The sending side
  const std::optional<uint64_t>& declared() const { return declared_; }
  size_t waiting() const { return buffer_.size(); }
  // All that will ever come is in the buffer.
  bool finished() const { return finished_; }
  bool broken() const { return broken_; }
  uint64_t written() const { return written_; }
  const std::shared_ptr<FieldList>& trailers() const { return trailers_; }
  // Something to send, or an end.
  bool hasWork() const { return !buffer_.empty() || finished_ || broken_; }
  kj::Promise<void> whenWork();
  // Swaps what waits to be sent for `empty`, which has no content.
  void take(std::string& empty);
  // Nobody takes bytes any more; the guest gets `why` once.
  void close(std::optional<ErrorCode> why);

 private:
  const Side side_;
  std::string buffer_;
  uint64_t written_ = 0;
  std::optional<uint64_t> declared_;
  bool mayBeLeftOut_ = false;
  bool flushing_ = false;
  bool finished_ = false;
  bool broken_ = false;
  bool closed_ = false;
  std::optional<ErrorCode> error_;  // to be told
  std::shared_ptr<FieldList> trailers_;
  Signal room_;
  Signal work_;
};

enum class BodyMode : uint8_t {
  PLAIN,    // as it is: its length was said, or the end of the connection ends it
  CHUNKED,  // with the sizes in between
  NONE,     // dropped: the answer to HEAD
};

// Whether a write waits for the other side, and since when.
struct WriteProgress {
  bool writing = false;
  kj::TimePoint since = kj::origin<kj::TimePoint>();
};

// Sends `head` and then the body as it comes, until its end; `head` and all of a body that is
// there leave in one write. False: the guest broke the body off, and the connection is of no use
// any more. Throws when the connection is broken. References live until the promise is done or
// dropped.
kj::Promise<bool> sendMessage(kj::AsyncOutputStream& to, std::string head, BodyMode mode,
                              std::shared_ptr<BodyWriter> body, kj::Timer& timer,
                              WriteProgress& progress);

}  // namespace tenon::wasi::http
