#pragma once

// Small components for the tests of the validator: the text for the reader, the same in bytes
// (without the preamble and custom sections) for the test, as `wasm-tools parse` made them.

namespace tenon::component {

struct ValidatorCase {
  const char* group;
  const char* name;
  const char* text;
  const char* hex;
  const char* error;  // part of the message; null: the component is valid
};

}  // namespace tenon::component
