#pragma once

// The body of a message that arrives: what a guest's input stream reads, and the trailers behind
// it. Bound to the loop's thread. Source: RFC 9112 sections 6 and 7.

#include "http/error_code.h"
#include "http/message.h"
#include "http/wire.h"
#include "net/streams.h"

#include <functional>
#include <memory>
#include <optional>
#include <span>

namespace tenon::http {

// Whether a body belongs to a request or to a response: errors have different names.
enum class Side : uint8_t { REQUEST, RESPONSE };

struct BodyOptions {
  Side side = Side::REQUEST;
  Framing framing = Framing::NONE;
  uint64_t length = 0;             // LENGTH only
  uint64_t maxBytes = UINT64_MAX;  // of the whole body; more is an error
  HeadLimits trailers;
  std::function<void()> onFirstRead;  // called once before anything is awaited
  // Called once when nothing more comes, with whether the message is complete. Dropped when the
  // reader goes first.
  std::function<void(bool complete)> onFinished;
  // The longest wait for the next bytes.
  kj::Maybe<kj::Duration> patience;
};

// Shared by the connection, by the guest's streams and by its trailers: each may go first.
class BodyReader final : public net::InputSource {
 public:
  // `wire` lives until `detach`.
  BodyReader(Wire& wire, BodyOptions options);

  net::StreamResult<size_t> read(std::span<std::byte> into) override;
  net::StreamResult<uint64_t> skip(uint64_t length) override;
  uint64_t fillPipe(net::KernelPipe& pipe, std::string& before, uint64_t most) override;
  bool fillsPipes() override;
  bool ready() override;
  kj::Promise<void> whenReady() override;

  // Calls `onFinished` when there is nothing to read from the beginning.
  void settle() {
    if (finished()) tellFinished();
  }

  // Whether all of the message was read, trailers included.
  bool complete() const { return state_ == State::DONE; }
  // Complete or failed: nothing more comes.
  bool finished() const { return state_ == State::DONE || state_ == State::FAILED; }
  // Why it failed; null when it did not.
  const ErrorCode* error() const { return error_ ? &*error_ : nullptr; }
  // When complete; null when there are none.
  const std::shared_ptr<FieldList>& trailers() const { return trailers_; }
  // Whether it waits for the other side.
  bool filling() const { return filling_; }
  // Body bytes that were read from the connection.
  uint64_t received() const { return received_; }

  // Reads on and drops what comes, until it is finished or `limit` bytes were dropped.
  kj::Promise<void> discard(uint64_t limit = UINT64_MAX);
  // Resolves once finished; does not read by itself.
  kj::Promise<void> whenFinished();

  // Lets go of the wire: what was not read fails with `why`.
  void detach(ErrorCode why);
  // Fails it, for example because its time is up.
  void fail(ErrorCode why);

 private:
  enum class State : uint8_t { SIZE_LINE, DATA, DATA_END, TRAILERS, DONE, FAILED };

  // Takes framing off the wire as far as it goes: afterwards there is data, or an end, or more
  // bytes are needed.
  void advance();
  bool takeSizeLine(std::string_view bytes);
  bool takeTrailers(std::string_view bytes);
  size_t available() const;
  void consumed(size_t count);
  void count(size_t count);
  void finish();
  void tellFinished();
  void startFill();
  void ended();
  ErrorCode incomplete() const;

  Wire* wire_;
  BodyOptions options_;
  State state_ = State::DATA;
  uint64_t left_ = 0;  // of the chunk, or of the body
  uint64_t received_ = 0;
  size_t searched_ = 0;    // bytes of the trailers that were looked at
  size_t extensions_ = 0;  // bytes of all extensions of chunks
  bool filling_ = false;
  bool sparing_ = false;  // its bytes are better left in the system
  bool told_ = false;     // the error was handed out
  bool late_ = false;
  std::optional<ErrorCode> error_;
  std::shared_ptr<FieldList> trailers_;
  Signal changed_;
  Signal finished_;
  kj::Promise<void> fill_ = nullptr;  // last: uses everything above
};

}  // namespace tenon::http
