#pragma once

// Where guests' lines go when the embedder takes none and their streams are inherited: to this
// process's standard output and error, as whole lines, without ever waiting for who reads them.
// Bound to the loop's thread.

#include "net/streams.h"

#include <tenon/server.h>

#include <kj/async-unix.h>

#include <array>
#include <cstdint>
#include <memory>

namespace tenon::host {

class StandardLines {
 public:
  explicit StandardLines(kj::UnixEventPort& port);

  // As ServerOptions::onLine. What nobody took is counted, and told in front of the next line that
  // somebody does; where nobody can, all is dropped.
  bool take(const GuestLine& line);
  // Resolves when all that was taken is written.
  kj::Promise<void> whenFlushed();

 private:
  struct Stream {
    std::shared_ptr<net::OutputSink> sink;
    uint64_t lost = 0;  // lines
  };
  std::array<Stream, 2> streams_;  // by GuestLine::Stream
};

}  // namespace tenon::host
