#pragma once

// Streams over file descriptors that the process inherited: its standard input, output and error.
// The open file behind such a descriptor is shared with other processes, so its O_NONBLOCK flag is
// not ours to set. Pipes and terminals are therefore opened again, with a flag of our own, through
// /proc; sockets take a flag per call; files and devices that cannot be waited for are read and
// written directly; and if nothing else is possible, the descriptor is polled before each
// operation. Bound to the thread of the event port.

#include "net/streams.h"

#include <kj/async-unix.h>

#include <memory>

namespace tenon::net {

// The descriptor `fd` stays open and is not changed. It is looked at when the stream is first used;
// when it is closed then, the source is at its end and the sink drops what it gets.
std::shared_ptr<InputSource> newInheritedSource(kj::UnixEventPort& port, int fd);

// Where the other end is gone, the stream is closed. Needs SIGPIPE to be ignored, which the event
// port sees to.
std::shared_ptr<OutputSink> newInheritedSink(kj::UnixEventPort& port, int fd);

}  // namespace tenon::net
