#pragma once

// Random changes to a component: whole sections, items and declarators, and the bytes inside them
// with an eye for what they mean (numbers, names, opcodes).

#include "tests/mutants/random.h"
#include "tests/mutants/tree.h"

#include <string>
#include <vector>

namespace tenon::mutants {

// A mutant is its parent and the seeds of its changes: each seed gives one change, whatever the
// changes before it did. So changes can be left out one by one, to find those that matter.
struct Recipe {
  std::vector<uint64_t> changes;
};

// The recipe of mutant number `index` of a run.
Recipe recipeFor(uint64_t seed, uint64_t index);

// Names and whole items to take from, gathered from all parents. Built once, then read only.
struct Pool {
  std::vector<std::string> names;
  std::vector<std::pair<uint8_t, Item>> items;  // with their section's id

  void add(const Tree& tree);
};

// Applies `recipe` to a copy of `parent`.
Bytes mutate(const Tree& parent, const Recipe& recipe, const Pool& pool);

}  // namespace tenon::mutants
