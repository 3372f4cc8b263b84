#pragma once

// What the tests of the decoder share.

#include "component/binary/binary_testing.h"
#include "component/binary/decoder.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <variant>

namespace tenon::component::testing {

// The component's only definition, which must be a `Def`. Keeps component and bytes alive.
template <typename Def>
class Only {
 public:
  explicit Only(Bytes bytes, const Features& features = {}) : bytes_(std::move(bytes)) {
    auto decoded = decode(bytes_, features);
    EXPECT_TRUE(decoded) << decoded.error().text();
    if (!decoded) return;
    component_ = *std::move(decoded);
    EXPECT_EQ(component_->definitions.size(), 1);
  }
  const Def& operator*() { return std::get<Def>(component_->definitions.at(0).def); }
  const Def* operator->() { return &**this; }
  uint64_t offset() const { return component_->definitions.at(0).offset; }

 private:
  Bytes bytes_;
  std::unique_ptr<Component> component_;
};

inline Error errorOf(const Bytes& bytes, const Features& features = {},
                     const DecodeLimits& limits = {}) {
  auto decoded = decode(bytes, features, limits);
  EXPECT_FALSE(decoded);
  if (decoded) return {};
  EXPECT_TRUE(decoded.error().offset) << decoded.error().message;
  return std::move(decoded).error();
}

inline std::string messageOf(const Bytes& bytes, const Features& features = {}) {
  return errorOf(bytes, features).text();
}

}  // namespace tenon::component::testing
