#include "base/keyed_hash.h"

#include <random>

namespace tenon {

const KeyedHash::Key& KeyedHash::processKey() {
  static const Key KEY = [] {
    std::random_device random;
    auto word = [&] { return uint64_t{random()} << 32 | random(); };
    return Key{word(), word()};
  }();
  return KEY;
}

}  // namespace tenon
