#pragma once

// The body of a message that a guest sends: a bounded buffer between the guest's output stream and
// the connection. Small messages leave in one write: nothing is sent before the guest pauses. Bound
// to the loop's thread.

#include "http/body_reader.h"
#include "http/error_code.h"
#include "http/message.h"
#include "http/wire.h"
#include "net/streams.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace tenon::http {

enum class BodyMode : uint8_t {
  PLAIN,    // as it is: its length was said, or the end of the connection ends it
  CHUNKED,  // with the sizes in between
  NONE,     // dropped: the answer to HEAD
};

// Whether a write waits for the other side, and since when; or when bytes were last given to the
// system.
struct WriteProgress {
  bool writing = false;
  kj::TimePoint since = kj::origin<kj::TimePoint>();
};

// A socket that a message's bytes may go to at once, framed as `mode` says.
struct DirectSocket {
  int fd = -1;        // -1: none
  bool idle = false;  // nothing else is sent there now
  BodyMode mode = BodyMode::PLAIN;
  WriteProgress* progress = nullptr;
  kj::Timer* timer = nullptr;
};

// Shared by the guest's resources and by what sends the message: each may go first.
class BodyWriter final : public net::OutputSink {
 public:
  // Most bytes that wait to be sent. A flush is done once few enough do: they leave when the guest
  // pauses.
  static constexpr size_t ROOM = 128 * 1024;
  static constexpr size_t FLUSHED = 16 * 1024;

  explicit BodyWriter(Side side) : side_(side) {}

  net::StreamResult<uint64_t> permit() override;
  net::StreamResult<void> write(std::span<const std::byte> bytes) override;
  size_t pipeRoom() override;
  bool pipeBusy() override;
  kj::Promise<void> whenPipeIdle() override;
  net::StreamResult<void> takePipe(std::string_view before, net::KernelPipe& pipe) override;
  net::StreamResult<void> flush() override;
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
  size_t waiting() const { return framed_.size() + buffer_.size(); }
  // All that will ever come is in the buffer.
  bool finished() const { return finished_; }
  bool broken() const { return broken_; }
  uint64_t written() const { return written_; }
  const std::shared_ptr<FieldList>& trailers() const { return trailers_; }
  // Something to send, or an end.
  bool hasWork() const { return waiting() != 0 || finished_ || broken_; }
  kj::Promise<void> whenWork();
  // Swaps what waits to be sent for `empty`, which has no content. Appends to `framed` what goes in
  // front of it and has its framing already.
  void take(std::string& empty, std::string& framed);
  // Where what comes in a pipe may go while that is idle. None once it is sent no more.
  void setSocket(DirectSocket socket) {
    socket_ = socket;
    if (socket.fd < 0) room_.raise();
  }
  void setIdle(bool idle) {
    socket_.idle = idle;
    if (idle) room_.raise();
  }
  // Nobody takes bytes any more; the guest gets `why` once.
  void close(std::optional<ErrorCode> why);

 private:
  // A fault that every operation tells of.
  net::StreamResult<void> check();
  net::StreamResult<void> addWritten(size_t count);

  const Side side_;
  std::string framed_;  // the rest of what a socket did not take
  std::string buffer_;
  DirectSocket socket_;
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

// Sends `head` and then the body as it comes, until its end; `head` and all of a body that is
// there leave in one write. False: the guest broke the body off, and the connection is of no use
// any more. Throws when the connection is broken. References live until the promise is done or
// dropped. `socket`: where bytes that `to` gets go as they are; -1: nowhere.
kj::Promise<bool> sendMessage(kj::AsyncOutputStream& to, std::string head, BodyMode mode,
                              std::shared_ptr<BodyWriter> body, kj::Timer& timer,
                              WriteProgress& progress, int socket = -1);

}  // namespace tenon::http
