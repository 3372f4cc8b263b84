#pragma once

// "Did you mean", and names that somebody else chose in messages. However many and however long the
// names are, it takes little time.

#include <cstddef>
#include <string>
#include <string_view>

namespace tenon::base {

// `text` as a message shows it: cut behind `most` bytes, never inside of a character.
std::string shown(std::string_view text, size_t most = 80);

// The nearest of the names that are offered. The names and `wanted` outlive it.
class Nearest {
 public:
  // Names beyond these are not looked at.
  static constexpr size_t MOST_NAMES = 1000;

  explicit Nearest(std::string_view wanted) : wanted_(wanted), best_(wanted.size() / 3 + 1) {}

  void offer(std::string_view name);
  // Whether further names are not looked at.
  bool enough() const { return seen_ >= MOST_NAMES; }
  // Empty when none is near.
  std::string_view name() const { return name_; }
  // "; did you mean 'x'?", or nothing.
  std::string question() const;

 private:
  std::string_view wanted_;
  size_t best_;  // nothing that is as far or farther
  size_t seen_ = 0;
  std::string_view name_;
};

// The same for all names at once.
template <typename Names>
std::string didYouMean(std::string_view wanted, const Names& names) {
  Nearest nearest(wanted);
  for (const auto& name : names) nearest.offer(name);
  return nearest.question();
}

}  // namespace tenon::base
