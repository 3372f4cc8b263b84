#pragma once

// Puts a prefix in front of each line, so that what several components write to one stream can be
// told apart. Bound to the loop's thread.

#include "net/streams.h"

#include <memory>
#include <string>

namespace tenon::net {

// Hands whole lines on to `sink`, which must take some bytes at any time. A line that has not ended
// waits for its end, until somebody waits for `whenFlushed`, or until it is longer than
// MAX_PREFIXED_LINE; it then ends there. What could steer a terminal is escaped (`printable`).
std::shared_ptr<OutputSink> newLinePrefixSink(std::shared_ptr<OutputSink> sink, std::string prefix);

inline constexpr size_t MAX_PREFIXED_LINE = 64 * 1024;

}  // namespace tenon::net
