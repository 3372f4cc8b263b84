#pragma once

// What Tenon says about a file beside what the validator of wasm-tools says, and the list of the
// differences that are meant.

#include "tests/mutants/tree.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tenon::mutants {

// DEFAULT: what either side lets through when nobody asks for more. ALL: every gated feature.
enum class FeatureSet : uint8_t { DEFAULT, ALL };

struct Verdict {
  std::string tenon;         // the error; empty: accepted
  std::string oracle;        // the error; empty: accepted
  bool offsetInside = true;  // Tenon's error has an offset, and it is inside the file
  bool byEngine = false;     // Tenon leaves it to the engine, which refuses the module

  bool agree() const { return tenon.empty() == oracle.empty() || byEngine; }
};

// Tenon decodes and validates; where it accepts and the oracle's error lies inside a core module,
// the engine looks at that module, as it does before anything runs.
Verdict judge(std::span<const std::byte> bytes, FeatureSet features);

// Tenon alone: whether it accepts.
bool accepts(std::span<const std::byte> bytes, FeatureSet features);

// The checked-in list. A line: `tenon|oracle TEXT -- REASON`. The first word says which side
// refuses, TEXT is part of its message.
class KnownDifferences {
 public:
  // Throws when the file cannot be read or has a line without a reason.
  explicit KnownDifferences(const std::string& path);

  // The line's number, if a difference is in the list.
  std::optional<int> find(const Verdict& verdict) const;

 private:
  struct Line {
    int number;
    bool byTenon;
    std::string text;
  };
  std::vector<Line> lines_;
};

}  // namespace tenon::mutants
