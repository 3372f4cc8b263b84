#pragma once

// Streams of bytes, as standard streams, files, sockets and HTTP bodies implement them: where bytes
// come from and where they go, without a wait inside any operation. Sources and sinks are shared:
// by several handles of guests to the same standard stream, and by who waits for a stream, which
// may outlive its handle. Bound to the loop's thread. They do what the WIT text of wasi:io/streams
// asks of a stream.

#include "call/waitable.h"
#include "net/error.h"
#include "net/kernel_pipe.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace tenon::net {

// Where an input stream's bytes come from. `ready`: `read` would give at least a byte or a fault.
// After a fault every `read` gives `closed`, and `ready` is true.
class InputSource : public call::Waitable {
 public:
  // Moves at most `into.size()` bytes that are there now. 0: nothing is there yet, or nothing was
  // asked for. A fault: `closed` at the end of the stream, or an error.
  virtual StreamResult<size_t> read(std::span<std::byte> into) = 0;

  // As `read`, without the bytes. By default reads them and drops them.
  virtual StreamResult<uint64_t> skip(uint64_t length);

  // As `read` of at most `most` bytes that stay in the system: `pipe`, which is empty, gets them,
  // and `before` those in front of them that were here already. How many both are; 0: `read` must
  // be used, and nothing was moved.
  virtual uint64_t fillPipe(KernelPipe&, std::string& before, uint64_t most) {
    (void)before, (void)most;
    return 0;
  }
  // Whether it is worth waiting for `fillPipe`: what is to come is still in the system.
  virtual bool fillsPipes() { return false; }
};

// Where an output stream's bytes go. `ready`: `permit` would give more than 0 or a fault. After a
// fault every function gives `closed`, and `ready` is true.
class OutputSink : public call::Waitable {
 public:
  // How many bytes `write` would take now, at least until the loop runs. 0: wait.
  virtual StreamResult<uint64_t> permit() = 0;

  // Takes all of `bytes`, at most as many as `permit` said.
  virtual StreamResult<void> write(std::span<const std::byte> bytes) = 0;

  // How many bytes `takePipe` would take now without keeping them. 0: use `write`.
  virtual size_t pipeRoom() { return 0; }
  // Whether that is so only until what was written before has left; and waiting for that. Whoever
  // waits asks again. The promise must not outlive this object.
  virtual bool pipeBusy() { return false; }
  virtual kj::Promise<void> whenPipeIdle() { return kj::READY_NOW; }
  // As `write` of `before` and of all that `pipe` holds, which is empty afterwards. Only where
  // `pipeRoom` and `permit` were not 0 a moment ago.
  virtual StreamResult<void> takePipe(std::string_view before, KernelPipe& pipe);

  // Begins to move everything that was written to where it goes. `permit` gives 0 until that is
  // done.
  virtual StreamResult<void> flush() = 0;

  // Whether everything that was written is where it goes, or never will be; and waiting for that.
  // The promise must not outlive this object.
  virtual bool flushed() { return true; }
  virtual kj::Promise<void> whenFlushed() { return kj::READY_NOW; }
};

}  // namespace tenon::net
