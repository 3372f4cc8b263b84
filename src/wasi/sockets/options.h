#pragma once

// Options that TCP and UDP sockets share. Values are clamped to what the system takes; 0 is
// INVALID_ARGUMENT.

#include "wasi/sockets/types.h"

namespace tenon::wasi::sockets {

SocketResult<void> setOption(int fd, int level, int option, int value);
SocketResult<int> getOption(int fd, int level, int option);

SocketResult<uint8_t> hopLimit(int fd, IpAddressFamily family);
SocketResult<void> setHopLimit(int fd, IpAddressFamily family, uint8_t value);

// Bytes, as they were set: Linux counts twice as many, for what it needs itself. `option`:
// SO_RCVBUF or SO_SNDBUF.
SocketResult<uint64_t> bufferSize(int fd, int option);
SocketResult<void> setBufferSize(int fd, int option, uint64_t value);

// Where a bound socket is; what a connected one is connected to.
SocketResult<IpSocketAddress> localAddress(int fd);
SocketResult<IpSocketAddress> peerAddress(int fd);

}  // namespace tenon::wasi::sockets
