#pragma once

// What the handles of wasi:io/streams and wasi:io/poll stand for. Bound to the loop's thread.

#include "call/host_objects.h"
#include "call/waitable.h"
#include "net/streams.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace tenon::wasi {

struct InputStream final : call::HostObject {
  explicit InputStream(std::shared_ptr<net::InputSource> source,
                       std::shared_ptr<void> parent = nullptr)
      : source(std::move(source)), parent(std::move(parent)) {}
  std::shared_ptr<net::InputSource> source;
  std::shared_ptr<void> parent;  // held as long as this is a child of something
};

struct OutputStream final : call::HostObject {
  explicit OutputStream(std::shared_ptr<net::OutputSink> sink,
                        std::shared_ptr<void> parent = nullptr)
      : sink(std::move(sink)), parent(std::move(parent)) {}
  std::shared_ptr<net::OutputSink> sink;
  std::shared_ptr<void> parent;  // as of an input stream
  uint64_t permitted =
      0;  // bytes that the guest may still write without asking `check-write` again
};

struct Pollable final : call::HostObject {
  explicit Pollable(std::shared_ptr<call::Waitable> source) : source(std::move(source)) {}
  std::shared_ptr<call::Waitable> source;
};

// The most bytes that one `read` of a guest gives, whatever it asks for.
inline constexpr size_t MAX_READ = 64 * 1024;

}  // namespace tenon::wasi
