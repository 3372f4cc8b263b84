#pragma once

// Why an operation on a stream failed. A guest is given the error as it is, as its wasi:io/error;
// whoever implements a stream may derive from it what more is known.

#include "call/host_objects.h"

#include <tenon/expected.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace tenon::net {

class IoError : public call::HostObject {
 public:
  // Whose codes tell more: those of wasi:filesystem for files and standard streams, those of
  // wasi:sockets for the guest's own sockets.
  enum class Of : uint8_t { FILE, SOCKET };

  explicit IoError(std::string text, int systemError = 0, Of of = Of::FILE)
      : text(std::move(text)), systemError(systemError), of(of) {}

  const std::string text;  // for people
  const int systemError;   // an `errno`, or 0
  const Of of;             // where `systemError` is not 0
};

// Why a stream's operation did not succeed: closed, or failed with an error, which closes it.
struct StreamFault {
  std::unique_ptr<IoError> error;  // null: closed
  bool closed() const { return !error; }
};

template <typename T>
using StreamResult = Expected<T, StreamFault>;

inline Unexpected<StreamFault> closedFault() { return {StreamFault{}}; }
inline Unexpected<StreamFault> failedFault(std::string text) {
  return {StreamFault{std::make_unique<IoError>(std::move(text))}};
}
// `systemError` is an `errno`; `what` says what was tried: "read".
Unexpected<StreamFault> systemFault(const char* what, int systemError,
                                    IoError::Of of = IoError::Of::FILE);

}  // namespace tenon::net
