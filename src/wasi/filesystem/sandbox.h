#pragma once

// Paths of a guest inside a directory of the host. Nothing here ever names a file outside of that
// directory: not by "..", an absolute path, a symbolic link, or by renaming while a path is
// resolved. The kernel resolves (openat2 with RESOLVE_BENEATH); where it cannot, a walk does, one
// component at a time with every parent held open. Errors are `errno` values; leaving the directory
// is EPERM.

#include "net/owned_fd.h"

#include <sys/types.h>

#include <string>
#include <string_view>

namespace tenon::wasi::filesystem {

enum class Resolver : uint8_t { KERNEL, WALK };

// KERNEL, if this kernel allows it. Found out once.
Resolver bestResolver();

// An open file, or why there is none.
struct Opened {
  net::OwnedFd fd;
  int error = 0;
};

// Opens `path`, relative to `directory`, as openat does with these flags; O_NOFOLLOW is about the
// last component, as always. O_CLOEXEC is added. Neither blocks on a FIFO nor acquires a terminal.
Opened openBeneath(int directory, const std::string& path, int flags, mode_t mode,
                   Resolver resolver = bestResolver());

// A path's last component, in an open directory that holds it: what system calls take that create,
// remove or rename, none of which follows a last component that is a symbolic link.
struct Entry {
  net::OwnedFd opened;  // empty when the entry is in the directory that was given
  int parent = -1;
  std::string name;  // one component; "/" at the end if the path had it
  int error = 0;
};
Entry findEntry(int directory, const std::string& path, Resolver resolver = bestResolver());

}  // namespace tenon::wasi::filesystem
