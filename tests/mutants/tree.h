#pragma once

// A component taken apart as far as mutations need it: sections, nested components, the items of a
// section, the declarators of a type. What is put together again has right sizes and counts, so
// that a mutation deep inside is read and not refused for its length.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace tenon::mutants {

using Bytes = std::vector<std::byte>;

// A definition or declarator. With `isType`, `bytes` is only its head (up to the opcode of a
// component or instance type), and a vector of `decls` follows.
struct Item {
  Bytes bytes;
  bool isType = false;
  std::vector<Item> decls;
};

struct Tree;

// Exactly one of: a nested component, items, or plain content.
struct Section {
  enum class Kind : uint8_t { PLAIN, ITEMS, COMPONENT };
  uint8_t id = 0;
  Kind kind = Kind::PLAIN;
  Bytes content;
  std::vector<Item> items;
  std::shared_ptr<Tree> component;  // shared by copies of a tree until `unshare`
};

struct Tree {
  Bytes preamble;
  std::vector<Section> sections;
};

// Takes a component apart. One that does not decode comes out as a tree of plain sections, or with
// everything as its preamble.
Tree parseTree(std::span<const std::byte> bytes);

// A copy that shares nothing.
Tree clone(const Tree& tree);

Bytes serialize(const Tree& tree);

// A LEB128 number in its shortest form, at the end of `out`.
void appendLeb(Bytes& out, uint64_t value);

// A component whose core modules are replaced by ones with the same imports and exports whose
// functions do nothing. Empty if `bytes` does not decode.
Bytes slim(std::span<const std::byte> bytes);

}  // namespace tenon::mutants
