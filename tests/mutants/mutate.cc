#include "tests/mutants/mutate.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <utility>

namespace tenon::mutants {
namespace {

constexpr size_t MAX_NAMES = 4000, MAX_ITEMS = 20000, MAX_POOLED_ITEM = 400;

// Everything in a tree that can be changed.
struct Places {
  std::vector<Tree*> trees;
  std::vector<std::pair<uint8_t, std::vector<Item>*>> lists;  // with their section's id
  std::vector<Bytes*> leaves;  // without core modules, and without preambles
  std::vector<Bytes*> modules;
  std::vector<Bytes*> preambles;
};

void collect(std::vector<Item>& items, uint8_t id, Places& places) {
  places.lists.emplace_back(id, &items);
  for (Item& item : items) {
    places.leaves.push_back(&item.bytes);
    if (item.isType) collect(item.decls, 7, places);
  }
}

void collect(Tree& tree, Places& places) {
  places.trees.push_back(&tree);
  places.preambles.push_back(&tree.preamble);
  for (Section& section : tree.sections) {
    switch (section.kind) {
      case Section::Kind::PLAIN:
        (section.id == 1 ? places.modules : places.leaves).push_back(&section.content);
        break;
      case Section::Kind::ITEMS:
        collect(section.items, section.id, places);
        break;
      case Section::Kind::COMPONENT:
        collect(*section.component, places);
        break;
    }
  }
}

std::byte toByte(size_t value) { return static_cast<std::byte>(value); }
uint8_t at(const Bytes& bytes, size_t i) { return static_cast<uint8_t>(bytes[i]); }

// The places in `bytes` where a length and as many printable characters begin.
std::vector<size_t> namesIn(const Bytes& bytes) {
  std::vector<size_t> found;
  for (size_t i = 0; i + 1 < bytes.size(); ++i) {
    size_t length = at(bytes, i);
    if (length == 0 || length >= 0x80 || i + 1 + length > bytes.size()) continue;
    bool printable =
        std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(i + 1),
                    bytes.begin() + static_cast<std::ptrdiff_t>(i + 1 + length),
                    [](std::byte b) { return b >= std::byte{0x20} && b < std::byte{0x7f}; });
    if (printable) found.push_back(i);
  }
  return found;
}

std::string nameAt(const Bytes& bytes, size_t i) {
  std::string name;
  for (size_t k = 0; k < at(bytes, i); ++k) name += static_cast<char>(bytes[i + 1 + k]);
  return name;
}

class Mutator {
 public:
  Mutator(Tree& tree, uint64_t seed, const Pool& pool) : random_(seed), pool_(pool) {
    collect(tree, places_);
  }

  void run() {
    size_t kind = random_.below(100);
    if (kind < 12) return sections();
    if (kind < 34) return items();
    if (kind < 50) return editName(leaf());
    if (kind < 68) return editNumber(leaf());
    if (kind < 82) return editOpcode(leaf());
    return editBytes(leaf());
  }

 private:
  template <typename T>
  T& pick(std::vector<T>& from) {
    return from[random_.below(from.size())];
  }
  template <typename T>
  typename std::vector<T>::iterator position(std::vector<T>& in, size_t extra = 0) {
    return in.begin() + static_cast<std::ptrdiff_t>(random_.below(in.size() + extra));
  }

  Bytes& leaf() {
    if (!places_.modules.empty() && random_.oneIn(20)) return *pick(places_.modules);
    if (random_.oneIn(100) || places_.leaves.empty()) return *pick(places_.preambles);
    return *pick(places_.leaves);
  }

  void sections() {
    auto& list = pick(places_.trees)->sections;
    if (list.empty()) return;
    switch (random_.below(6)) {
      case 0:
        std::swap(pick(list), pick(list));
        break;
      case 1: {
        size_t i = random_.below(list.size());
        if (i + 1 < list.size()) std::swap(list[i], list[i + 1]);
        break;
      }
      case 2: {
        Section copy = pick(list);
        // An equal nested component must not be shared: later changes would hit both.
        if (copy.component) copy.component = std::make_shared<Tree>(clone(*copy.component));
        list.insert(position(list, 1), std::move(copy));
        break;
      }
      case 3:
        list.erase(position(list));
        break;
      case 4:
        pick(list).id = static_cast<uint8_t>(random_.below(14));
        break;
      default: {
        Section moved = *position(list);
        if (moved.component) moved.component = std::make_shared<Tree>(clone(*moved.component));
        auto& target = pick(places_.trees)->sections;
        target.insert(position(target, 1), std::move(moved));
        break;
      }
    }
  }

  void items() {
    if (places_.lists.empty()) return;
    auto& [id, list] = pick(places_.lists);
    if (list->empty()) return;
    switch (random_.below(7)) {
      case 0:
        std::swap(pick(*list), pick(*list));
        break;
      case 1: {
        Item copy = pick(*list);
        list->insert(position(*list, 1), std::move(copy));
        break;
      }
      case 2:
        list->erase(position(*list));
        break;
      case 3: {  // of another place of the same kind
        Item* found = nullptr;
        for (int i = 0; i < 20 && found == nullptr; ++i) {
          auto& [otherId, other] = pick(places_.lists);
          if (otherId == id && !other->empty()) found = &pick(*other);
        }
        if (found == nullptr) return;
        Item copy = *found;
        list->insert(position(*list, 1), std::move(copy));
        break;
      }
      case 4:
      case 5: {  // of another component
        for (int i = 0; i < 40 && !pool_.items.empty(); ++i) {
          const auto& [otherId, other] = pool_.items[random_.below(pool_.items.size())];
          if (otherId != id) continue;
          if (random_.oneIn(2)) {
            list->insert(position(*list, 1), other);
          } else {
            pick(*list) = other;
          }
          break;
        }
        break;
      }
      default: {
        size_t count = random_.below(list->size()) + 1;
        list->resize(count);
        break;
      }
    }
  }

  std::string changed(std::string name) {
    switch (random_.below(9)) {
      case 0:
        return pool_.names.empty() ? name : pool_.names[random_.below(pool_.names.size())];
      case 1: {
        if (name.empty()) return name;
        char& c = name[random_.below(name.size())];
        c = static_cast<char>(std::islower(c) != 0 ? std::toupper(c) : std::tolower(c));
        return name;
      }
      case 2:
        return name.insert(random_.below(name.size() + 1), 1,
                           "-:@/.#[]0a1Z_|<>,="[random_.below(18)]);
      case 3:
        return name.empty() ? name : name.erase(random_.below(name.size()), 1);
      case 4:
        return name + name;
      case 5: {
        constexpr const char* PREFIXES[] = {
            "[constructor]",        "[method]",       "[static]", "[async]",
            "[async method]",       "[async static]", "[get]",    "[set]",
            "[implements=<a:b/c>]", "a:b/",           "url=<",    "integrity=<"};
        return PREFIXES[random_.below(std::size(PREFIXES))] + name;
      }
      case 6: {
        constexpr const char* SUFFIXES[] = {"@1.0.0",   "@0.2.1", "@1.2.3-rc.1", "@1", "@01.0.0",
                                            "@1.0.0+b", ".a",     ".m",          "-x", "--",
                                            "-1",       ">",      "/c"};
        return name + SUFFIXES[random_.below(std::size(SUFFIXES))];
      }
      case 7:
        return "";
      default: {
        if (name.empty()) return name;
        name[random_.below(name.size())] = static_cast<char>(random_.below(256));
        return name;
      }
    }
  }

  void editName(Bytes& bytes) {
    auto found = namesIn(bytes);
    if (found.empty()) return editBytes(bytes);
    size_t i = pick(found);
    std::string name = changed(nameAt(bytes, i)).substr(0, 127);
    auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(i);
    begin = bytes.erase(begin, begin + 1 + at(bytes, i));
    begin = bytes.insert(begin, toByte(name.size())) + 1;
    for (char c : name) begin = bytes.insert(begin, static_cast<std::byte>(c)) + 1;
  }

  void editNumber(Bytes& bytes) {
    if (bytes.empty()) return;
    size_t i = random_.below(bytes.size());
    uint8_t old = at(bytes, i);
    size_t action = random_.below(10);
    if (action < 3) {
      bytes[i] = toByte((old + 1u) & 0x7f);
    } else if (action < 5) {
      bytes[i] = toByte((old - 1u) & 0x7f);
    } else if (action < 8) {
      bytes[i] = toByte(random_.below(24));
    } else {
      Bytes number;
      switch (random_.below(5)) {
        case 0:
          appendLeb(number, random_.below(300));
          break;
        case 1:
          appendLeb(number, random_.next() >> random_.below(64));
          break;
        case 2:
          appendLeb(number, 0xffffffff);
          break;
        case 3:  // padded
          number = {toByte(old | 0x80), toByte(0)};
          break;
        default:  // padded to the longest that fits into 32 bits, or one more
          number = {toByte(old | 0x80), toByte(0x80), toByte(0x80), toByte(0x80)};
          if (random_.oneIn(4)) number.push_back(toByte(0x80));
          number.push_back(toByte(0));
          break;
      }
      auto begin = bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(i));
      bytes.insert(begin, number.begin(), number.end());
    }
  }

  void editOpcode(Bytes& bytes) {
    if (bytes.empty()) return;
    // The bytes that the grammar gives a meaning, more likely than others.
    constexpr uint8_t OPCODES[] = {0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x7a, 0x79, 0x78, 0x77, 0x76,
                                   0x75, 0x74, 0x73, 0x72, 0x71, 0x70, 0x6f, 0x6e, 0x6d, 0x6b,
                                   0x6a, 0x69, 0x68, 0x67, 0x66, 0x65, 0x64, 0x63, 0x60, 0x5e,
                                   0x50, 0x4f, 0x4e, 0x43, 0x42, 0x41, 0x40, 0x3f, 0x3e};
    size_t i = random_.below(bytes.size());
    for (int tries = 0; tries < 4 && at(bytes, i) < 0x3e; ++tries) i = random_.below(bytes.size());
    bytes[i] =
        toByte(random_.oneIn(3) ? random_.below(0x44) : OPCODES[random_.below(std::size(OPCODES))]);
  }

  void editBytes(Bytes& bytes) {
    size_t action = random_.below(6);
    if (bytes.empty() || action == 0) {
      bytes.insert(position(bytes, 1), toByte(random_.below(256)));
    } else if (action == 1) {
      bytes.erase(position(bytes));
    } else if (action == 2) {
      pick(bytes) ^= toByte(size_t{1} << random_.below(8));
    } else if (action == 3) {
      pick(bytes) = toByte(random_.below(256));
    } else if (action == 4) {
      bytes.resize(random_.below(bytes.size() + 1));
    } else {
      size_t begin = random_.below(bytes.size());
      size_t length = std::min<size_t>(random_.below(8) + 1, bytes.size() - begin);
      Bytes copy(bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                 bytes.begin() + static_cast<std::ptrdiff_t>(begin + length));
      bytes.insert(position(bytes, 1), copy.begin(), copy.end());
    }
  }

  Random random_;
  const Pool& pool_;
  Places places_;
};

}  // namespace

Recipe recipeFor(uint64_t seed, uint64_t index) {
  Random random(mixSeeds(seed, index));
  Recipe recipe;
  do {
    recipe.changes.push_back(random.next());
  } while (recipe.changes.size() < 6 && random.oneIn(3));
  return recipe;
}

void Pool::add(const Tree& tree) {
  Tree copy = clone(tree);
  Places places;
  collect(copy, places);
  for (Bytes* bytes : places.leaves) {
    for (size_t i : namesIn(*bytes)) {
      std::string name = nameAt(*bytes, i);
      if (name.size() >= 2 && names.size() < MAX_NAMES) names.push_back(std::move(name));
    }
  }
  for (auto& [id, list] : places.lists) {
    for (const Item& item : *list) {
      if (!item.isType && item.bytes.size() <= MAX_POOLED_ITEM && items.size() < MAX_ITEMS) {
        items.emplace_back(id, item);
      }
    }
  }
}

Bytes mutate(const Tree& parent, const Recipe& recipe, const Pool& pool) {
  Tree tree = clone(parent);
  for (uint64_t seed : recipe.changes) Mutator(tree, seed, pool).run();
  Bytes bytes = serialize(tree);
  // Now and then without mended sizes: a byte of the whole file.
  Random random(recipe.changes.empty() ? 0 : ~recipe.changes.front());
  if (random.oneIn(25) && !bytes.empty()) {
    bytes[random.below(bytes.size())] = toByte(random.below(256));
  }
  return bytes;
}

}  // namespace tenon::mutants
