#include "net/streams.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace tenon::net {

Unexpected<StreamFault> systemFault(const char* what, int systemError, IoError::Of of) {
  std::string text = std::string(what) + ": " + std::strerror(systemError);
  return {StreamFault{std::make_unique<IoError>(std::move(text), systemError, of)}};
}

StreamResult<uint64_t> InputSource::skip(uint64_t length) {
  std::array<std::byte, 4096> dropped;
  auto count = read(std::span(dropped).first(std::min<uint64_t>(length, dropped.size())));
  if (!count) return Unexpected<StreamFault>{std::move(count).error()};
  return uint64_t{*count};
}

StreamResult<void> OutputSink::takePipe(std::string_view before, KernelPipe& pipe) {
  std::string bytes(before);
  pipe.drain(bytes);
  return write(std::as_bytes(std::span(bytes)));
}

}  // namespace tenon::net
