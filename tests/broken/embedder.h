#pragma once

// What tests of an embedder's part share: a host that is told numbers, and components that can
// wait.

#include "engine/engine_testing.h"

#include <tenon/tenon.h>

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace tenon::broken {

// Imports of a component, in text. From then on it has the core functions `$subscribe`, which takes
// nanoseconds and gives a pollable, and `$block`, which waits for one.
inline constexpr const char* WAITING = R"(
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $p (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $p))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $p'))
    (export "pollable" (type $p (eq $p')))
    (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $subscribe (canon lower (func $clock "subscribe-duration"))))";

class Embedder : public ::testing::Test {
 protected:
  // A component from its text, of an engine that all of the test share.
  Component component(const std::string& text, const std::string& name) {
    EngineOptions settings;
    settings.pooling = false;
    settings.cache = false;
    if (!engine) engine = Engine::create(settings).value();
    return Component::fromBytes(*engine, engine::testing::wasm(text), name).value();
  }

  std::optional<Engine> engine;
  Loop loop;
  Linker linker;
  std::vector<uint32_t> notes;  // what the host was told
};

}  // namespace tenon::broken
