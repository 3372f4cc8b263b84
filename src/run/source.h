#pragma once

// A component's binary, decoded and validated once, for everybody who needs its definitions: the
// component itself, and every workload that it is part of.

#include "component/binary/decoder.h"
#include "engine/digest.h"

#include <tenon/result.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace tenon::run {

// Immutable, shared freely between threads.
class Source {
 public:
  // Errors: as component::decode and component::validate.
  static Result<std::shared_ptr<const Source>> read(std::vector<std::byte> bytes,
                                                    const component::Features& features = {});
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }
  // Borrows from this.
  const component::Component& definitions() const { return *definitions_; }
  // Of the bytes. Made when it is asked for first.
  const engine::Digest::Value& digest() const;

 private:
  explicit Source(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}

  const std::vector<std::byte> bytes_;
  std::unique_ptr<component::Component> definitions_;
  mutable std::once_flag digested_;
  mutable engine::Digest::Value digest_{};
};

}  // namespace tenon::run
