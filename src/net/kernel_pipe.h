#pragma once

// Moves bytes from one socket to another without a visit to this process: what `splice` of a guest
// uses where a message is passed on as it is. Bound to the loop's thread.

#include "net/owned_fd.h"

#include <cstddef>
#include <string>

namespace tenon::net {

// A pipe of the system, made when it is first used. What was moved in is moved out again before the
// guest runs, so that one serves all guests of a thread.
class KernelPipe {
 public:
  // The most bytes that are moved at once.
  static constexpr size_t ROOM = 1024 * 1024;

  // Moves in at most `most` bytes that have arrived at `socket`, and says how many. 0: none have,
  // or this cannot be done; reading the socket tells which. Only while the pipe is empty.
  size_t fill(int socket, size_t most);

  // Moves to `socket` what it takes without waiting. `more`: other bytes follow at once. Errors
  // are left for whoever writes the rest.
  void drain(int socket, bool more);
  // Appends all that is left to `to`.
  void drain(std::string& to);
  // Drops all that is left.
  void clear();

  size_t size() const { return size_; }

 private:
  bool open();

  OwnedFd in_;
  OwnedFd out_;
  size_t size_ = 0;
};

// How many bytes `socket` has room for before a write waits, roughly. 0: hardly any, or it cannot
// be told.
size_t roomOf(int socket);

}  // namespace tenon::net
