#pragma once

// Streams that no operating system is behind: for embedders and tests. Bound to the loop's thread.

#include "net/streams.h"

#include <functional>
#include <memory>
#include <span>
#include <string>

namespace tenon::net {

// Gives `bytes`, then the end. None: the end at once.
std::shared_ptr<InputSource> newMemorySource(std::string bytes);

// Hands everything on to `capture` inside the guest's call; drops it when `capture` is empty.
std::shared_ptr<OutputSink> newCallbackSink(
    std::function<void(std::span<const std::byte>)> capture);

}  // namespace tenon::net
