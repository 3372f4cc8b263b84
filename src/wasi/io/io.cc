#include "wasi/io/io.h"

#include "wasi/binder.h"
#include "wasi/context.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

namespace tenon::wasi {
namespace {

constexpr uint64_t MAX_BLOCKING_WRITE = 4096;

// Waiting for one takes a kilobyte of the host's memory, and every wake looks at all of them.
constexpr size_t MAX_POLLED = 65'536;

using Bytes = std::span<const std::byte>;

// -- wasi:io/error, wasi:io/poll ------------------------------------------------------------------

std::string toDebugString(call::HostCall&, net::IoError& self) { return self.text; }

bool ready(call::HostCall&, Pollable& self) { return self.source->ready(); }

void block(call::HostCall& call, Pollable& self) {
  auto source = self.source;
  (void)waitFor(call, *source);
}

std::vector<uint32_t> poll(call::HostCall& call, const std::vector<Borrow<Pollable>>& in) {
  if (in.empty()) {
    call.fail("poll was called with an empty list");
    return {};
  }
  if (in.size() > MAX_POLLED) {
    call.fail("poll was called with more than 65,536 pollables");
    return {};
  }
  std::vector<call::Waitable*> waitables;
  waitables.reserve(in.size());
  for (Borrow<Pollable> item : in) {
    Pollable* pollable = call.objects.find<Pollable>(item.rep);
    if (!pollable) {
      call.fail("a handle in the list is not a pollable");
      return {};
    }
    waitables.push_back(pollable->source.get());
  }
  return call::waitForAny(call, waitables);
}

// -- wasi:io/streams: input -----------------------------------------------------------------------

using ReadResult = Expected<Bytes, StreamError>;
using CountResult = Expected<uint64_t, StreamError>;
using VoidResult = Expected<void, StreamError>;

template <typename T>
Unexpected<StreamError> failure(call::HostCall& call, net::StreamResult<T>& result) {
  return {toStreamError(call, std::move(result).error())};
}

ReadResult read(call::HostCall& call, InputStream& self, uint64_t length) {
  std::span<std::byte> buffer = contextOf(call).scratch();
  if (length < buffer.size()) buffer = buffer.first(length);
  auto count = self.source->read(buffer);
  if (!count) return failure(call, count);
  return Bytes(buffer.first(*count));
}

ReadResult blockingRead(call::HostCall& call, InputStream& self, uint64_t length) {
  while (true) {
    // `read` first would say nothing for a length of 0, which waits too.
    if (!waitFor(call, *self.source)) return {};
    ReadResult result = read(call, self, length);
    if (length == 0 || !result || !result->empty() || call.failed()) return result;
  }
}

CountResult skip(call::HostCall& call, InputStream& self, uint64_t length) {
  auto count = self.source->skip(length);
  if (!count) return failure(call, count);
  return *count;
}

CountResult blockingSkip(call::HostCall& call, InputStream& self, uint64_t length) {
  while (true) {
    if (!waitFor(call, *self.source)) return {};
    CountResult result = skip(call, self, length);
    if (length == 0 || !result || *result != 0 || call.failed()) return result;
  }
}

Own<Pollable> subscribeInput(call::HostCall& call, InputStream& self) {
  return givePollable(call, self.source);
}

// -- wasi:io/streams: output ----------------------------------------------------------------------

// Asks for a new permit, and keeps it.
net::StreamResult<uint64_t> renewPermit(OutputStream& stream) {
  auto permit = stream.sink->permit();
  stream.permitted = permit ? *permit : 0;
  return permit;
}

net::StreamResult<void> writePermitted(OutputStream& stream, Bytes bytes) {
  stream.permitted -= bytes.size();
  return stream.sink->write(bytes);
}

net::StreamResult<void> beginFlush(OutputStream& stream) {
  stream.permitted = 0;
  return stream.sink->flush();
}

// Zeroes, at most `length` of them.
Bytes zeroes(uint64_t length) {
  static constexpr std::array<std::byte, MAX_BLOCKING_WRITE> ZEROES{};
  return Bytes(ZEROES).first(std::min<uint64_t>(length, ZEROES.size()));
}

CountResult checkWrite(call::HostCall& call, OutputStream& self) {
  auto permit = renewPermit(self);
  if (!permit) return failure(call, permit);
  return *permit;
}

VoidResult write(call::HostCall& call, OutputStream& self, Bytes contents) {
  if (contents.size() > self.permitted) {
    call.fail("write was called with more bytes than check-write permitted");
    return {};
  }
  auto written = writePermitted(self, contents);
  if (!written) return failure(call, written);
  return {};
}

VoidResult writeZeroes(call::HostCall& call, OutputStream& self, uint64_t length) {
  if (length > self.permitted) {
    call.fail("write-zeroes was called with more bytes than check-write permitted");
    return {};
  }
  while (length > 0) {
    Bytes chunk = zeroes(length);
    auto written = writePermitted(self, chunk);
    if (!written) return failure(call, written);
    length -= chunk.size();
  }
  return {};
}

VoidResult flush(call::HostCall& call, OutputStream& self) {
  auto flushed = beginFlush(self);
  if (!flushed) return failure(call, flushed);
  return {};
}

VoidResult blockingFlush(call::HostCall& call, OutputStream& self) {
  auto flushed = beginFlush(self);
  if (!flushed) return failure(call, flushed);
  if (!waitFor(call, *self.sink)) return {};
  auto permit = renewPermit(self);
  if (!permit) return failure(call, permit);
  return {};
}

// Writes, flushes and waits. `contents` may be guest memory: it is not used after the first wait.
VoidResult writeAndFlush(call::HostCall& call, OutputStream& self, Bytes contents) {
  std::vector<std::byte> copy;
  while (!contents.empty()) {
    auto permit = renewPermit(self);
    if (!permit) return failure(call, permit);
    Bytes chunk = contents.first(std::min<uint64_t>(*permit, contents.size()));
    if (!chunk.empty()) {
      auto written = writePermitted(self, chunk);
      if (!written) return failure(call, written);
      contents = contents.subspan(chunk.size());
      continue;
    }
    if (copy.empty()) {
      copy.assign(contents.begin(), contents.end());
      contents = copy;
    }
    if (!waitFor(call, *self.sink)) return {};
  }
  // A stream that closes because all was written is no failure of this call.
  auto flushed = beginFlush(self);
  if (!flushed && !flushed.error().closed()) return failure(call, flushed);
  if (self.sink->flushed()) return {};
  while (!self.sink->flushed()) {
    if (!wait(call, self.sink->whenFlushed())) return {};
  }
  auto permit = self.sink->permit();
  if (!permit && !permit.error().closed()) return failure(call, permit);
  return {};
}

VoidResult blockingWriteAndFlush(call::HostCall& call, OutputStream& self, Bytes contents) {
  if (contents.size() > MAX_BLOCKING_WRITE) {
    call.fail("blocking-write-and-flush was called with more than 4096 bytes");
    return {};
  }
  return writeAndFlush(call, self, contents);
}

VoidResult blockingWriteZeroesAndFlush(call::HostCall& call, OutputStream& self, uint64_t length) {
  if (length > MAX_BLOCKING_WRITE) {
    call.fail("blocking-write-zeroes-and-flush was called with more than 4096 bytes");
    return {};
  }
  return writeAndFlush(call, self, zeroes(length));
}

// A splice inside the system. 0: it must be done here.
net::StreamResult<uint64_t> splicePipe(ContextImpl& context, OutputStream& self,
                                       InputStream& source, uint64_t length) {
  uint64_t most = std::min<uint64_t>(length, self.sink->pipeRoom());
  if (most == 0) return uint64_t{0};
  std::string before;
  uint64_t count = source.source->fillPipe(*context.pipe, before, most);
  if (count == 0) return uint64_t{0};
  self.permitted = 0;
  auto written = self.sink->takePipe(before, *context.pipe);
  if (!written) return Unexpected<net::StreamFault>{std::move(written).error()};
  return count;
}

CountResult splice(call::HostCall& call, OutputStream& self, InputStream& source, uint64_t length) {
  auto permit = renewPermit(self);
  if (!permit) return failure(call, permit);
  if (*permit != 0) {
    auto piped = splicePipe(contextOf(call), self, source, length);
    if (!piped) return failure(call, piped);
    if (*piped != 0) return *piped;
  }
  std::span<std::byte> buffer = contextOf(call).scratch();
  buffer = buffer.first(std::min<uint64_t>({length, *permit, buffer.size()}));
  auto count = source.source->read(buffer);
  if (!count) return failure(call, count);
  auto written = writePermitted(self, buffer.first(*count));
  if (!written) return failure(call, written);
  return uint64_t{*count};
}

CountResult blockingSplice(call::HostCall& call, OutputStream& self, InputStream& source,
                           uint64_t length) {
  while (true) {
    if (length != 0) {
      while (self.sink->pipeBusy() && source.source->fillsPipes()) {
        if (!wait(call, self.sink->whenPipeIdle())) return {};
      }
      // Without asking first: bytes that are still in the system make no source ready.
      CountResult result = splice(call, self, source, length);
      if (!result || *result != 0 || call.failed()) return result;
    }
    // Waiting for one may last long enough for the other to change, so both are asked again.
    while (!self.sink->ready() || !source.source->ready()) {
      if (!waitFor(call, *self.sink) || !waitFor(call, *source.source)) return {};
    }
    if (length == 0) return splice(call, self, source, length);
  }
}

Own<Pollable> subscribeOutput(call::HostCall& call, OutputStream& self) {
  return givePollable(call, self.sink);
}

}  // namespace

StreamError toStreamError(call::HostCall& call, net::StreamFault fault) {
  if (fault.closed()) return std::monostate();
  return give(call, std::move(fault.error));
}

StreamError errorOf(call::HostCall& call, std::string text, ErrorOf<StreamError>) {
  return give(call, std::make_unique<net::IoError>(std::move(text)));
}

Own<Pollable> givePollable(call::HostCall& call, std::shared_ptr<call::Waitable> source) {
  return give(call, std::make_unique<Pollable>(std::move(source)));
}

void provideIo(call::Registry& registry) {
  Binder(registry, "wasi:io/error@0.2.12")
      .resource("error")
      .function<toDebugString>("[method]error.to-debug-string");
  Binder(registry, "wasi:io/poll@0.2.12")
      .resource("pollable")
      .function<ready>("[method]pollable.ready")
      .blocking<block>("[method]pollable.block")
      .blocking<poll>("poll");
  Binder(registry, "wasi:io/streams@0.2.12")
      .resource("input-stream")
      .resource("output-stream")
      .function<read>("[method]input-stream.read")
      .blocking<blockingRead>("[method]input-stream.blocking-read")
      .function<skip>("[method]input-stream.skip")
      .blocking<blockingSkip>("[method]input-stream.blocking-skip")
      .function<subscribeInput>("[method]input-stream.subscribe")
      .function<checkWrite>("[method]output-stream.check-write")
      .function<write>("[method]output-stream.write")
      .blocking<blockingWriteAndFlush>("[method]output-stream.blocking-write-and-flush")
      .function<flush>("[method]output-stream.flush")
      .blocking<blockingFlush>("[method]output-stream.blocking-flush")
      .function<subscribeOutput>("[method]output-stream.subscribe")
      .function<writeZeroes>("[method]output-stream.write-zeroes")
      .blocking<blockingWriteZeroesAndFlush>(
          "[method]output-stream.blocking-write-zeroes-and-flush")
      .function<splice>("[method]output-stream.splice")
      .blocking<blockingSplice>("[method]output-stream.blocking-splice");
}

}  // namespace tenon::wasi
