#include "tests/mutants/tree.h"

#include "base/byte_reader.h"
#include "component/binary/binary_testing.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace tenon::mutants {
namespace {

using component::Component;
using component::Definition;

constexpr size_t PREAMBLE = 8;

Bytes copyOf(std::span<const std::byte> bytes) { return {bytes.begin(), bytes.end()}; }

void append(Bytes& out, const Bytes& more) { out.insert(out.end(), more.begin(), more.end()); }

// Where a section is: its id, and the offsets of its content in the whole file.
struct Range {
  uint8_t id;
  uint64_t begin, end;
};

std::optional<std::vector<Range>> sectionsOf(std::span<const std::byte> bytes, uint64_t offset) {
  std::vector<Range> ranges;
  if (bytes.size() < PREAMBLE) return std::nullopt;
  ByteReader in(bytes.subspan(PREAMBLE), offset + PREAMBLE);
  while (!in.atEnd()) {
    auto id = in.u8();
    auto size = id ? in.u32() : Result<uint32_t>(Error());
    if (!size || *size > in.remaining()) return std::nullopt;
    ranges.push_back({*id, in.offset(), in.offset() + *size});
    if (!in.sub(*size, "content")) return std::nullopt;
  }
  return ranges;
}

class Parser {
 public:
  explicit Parser(std::span<const std::byte> file) : file_(file) {}

  // `component` is what the decoder made of it, or null.
  Tree tree(uint64_t begin, uint64_t end, const Component* component) {
    Tree tree;
    auto ranges = sectionsOf(slice(begin, end), begin);
    if (!ranges) {
      tree.preamble = copyOf(slice(begin, end));
      return tree;
    }
    tree.preamble = copyOf(slice(begin, begin + PREAMBLE));
    size_t next = 0;  // definition
    for (const Range& range : *ranges) {
      Section section;
      section.id = range.id;
      std::span<const Definition> inside;
      if (component != nullptr) {
        size_t first = next;
        while (next < component->definitions.size() &&
               component->definitions[next].offset < range.end) {
          ++next;
        }
        inside = std::span(component->definitions).subspan(first, next - first);
      }
      fill(section, range, inside);
      tree.sections.push_back(std::move(section));
    }
    return tree;
  }

 private:
  std::span<const std::byte> slice(uint64_t begin, uint64_t end) const {
    return file_.subspan(begin, end - begin);
  }

  void fill(Section& section, const Range& range, std::span<const Definition> inside) {
    bool vector = section.id >= 2 && section.id != 4 && section.id != 9;
    if (section.id == 4 && inside.size() == 1) {
      const auto* nested = std::get_if<std::unique_ptr<Component>>(&inside.front().def);
      section.kind = Section::Kind::COMPONENT;
      section.component = std::make_shared<Tree>(tree(range.begin, range.end, nested->get()));
    } else if (vector && !inside.empty()) {
      section.kind = Section::Kind::ITEMS;
      for (size_t i = 0; i < inside.size(); ++i) {
        uint64_t end = i + 1 < inside.size() ? inside[i + 1].offset : range.end;
        const auto* type = std::get_if<component::TypeDef>(&inside[i].def);
        section.items.push_back(item(inside[i].offset, end, type));
      }
    } else {
      section.content = copyOf(slice(range.begin, range.end));
    }
  }

  Item item(uint64_t begin, uint64_t end, const component::TypeDef* type) {
    Item item;
    const std::vector<component::Decl>* decls = nullptr;
    if (type != nullptr) {
      if (const auto* of = std::get_if<component::ComponentTypeDef>(&type->def)) decls = &of->decls;
      if (const auto* of = std::get_if<component::InstanceTypeDef>(&type->def)) decls = &of->decls;
    }
    if (decls == nullptr) {
      item.bytes = copyOf(slice(begin, end));
      return item;
    }
    item.isType = true;
    item.bytes = copyOf(slice(begin, type->offset + 1));
    for (size_t i = 0; i < decls->size(); ++i) {
      uint64_t next = i + 1 < decls->size() ? (*decls)[i + 1].offset : end;
      const auto* inner = std::get_if<std::unique_ptr<component::TypeDef>>(&(*decls)[i].decl);
      item.decls.push_back(
          this->item((*decls)[i].offset, next, inner == nullptr ? nullptr : inner->get()));
    }
    return item;
  }

  std::span<const std::byte> file_;
};

void appendItems(Bytes& out, const std::vector<Item>& items) {
  appendLeb(out, items.size());
  for (const Item& item : items) {
    append(out, item.bytes);
    if (item.isType) appendItems(out, item.decls);
  }
}

// A module with the same imports and exports, whose functions are `unreachable`.
Bytes slimModule(const Bytes& module) {
  auto ranges = sectionsOf(module, 0);
  if (!ranges) return module;
  Bytes out(module.begin(), module.begin() + PREAMBLE);
  for (const Range& range : *ranges) {
    auto content = std::span(module).subspan(range.begin, range.end - range.begin);
    bool kept = (range.id >= 1 && range.id <= 7) || range.id == 13;
    if (range.id == 10) {
      ByteReader in(content, 0);
      auto count = in.u32();
      Bytes bodies;
      appendLeb(bodies, count ? *count : 0);
      for (uint32_t i = 0; count && i < *count; ++i) {
        for (int byte : {3, 0, 0, 0x0b}) bodies.push_back(static_cast<std::byte>(byte));
      }
      out.push_back(std::byte{10});
      appendLeb(out, bodies.size());
      append(out, bodies);
    } else if (kept) {
      out.push_back(static_cast<std::byte>(range.id));
      appendLeb(out, content.size());
      out.insert(out.end(), content.begin(), content.end());
    }
  }
  return out;
}

void slimTree(Tree& tree) {
  std::erase_if(tree.sections, [](const Section& section) { return section.id == 0; });
  for (Section& section : tree.sections) {
    if (section.component) slimTree(*section.component);
    if (section.id == 1) section.content = slimModule(section.content);
  }
}

}  // namespace

void appendLeb(Bytes& out, uint64_t value) {
  do {
    uint8_t low = value & 0x7f;
    value >>= 7;
    out.push_back(static_cast<std::byte>(value == 0 ? low : low | 0x80));
  } while (value != 0);
}

Tree parseTree(std::span<const std::byte> bytes) {
  auto decoded = component::decode(bytes, component::testing::EVERY_FEATURE);
  return Parser(bytes).tree(0, bytes.size(), decoded ? decoded->get() : nullptr);
}

Tree clone(const Tree& tree) {
  Tree copy = tree;
  for (Section& section : copy.sections) {
    if (section.component) section.component = std::make_shared<Tree>(clone(*section.component));
  }
  return copy;
}

Bytes serialize(const Tree& tree) {
  Bytes out = tree.preamble;
  for (const Section& section : tree.sections) {
    Bytes content;
    switch (section.kind) {
      case Section::Kind::PLAIN:
        content = section.content;
        break;
      case Section::Kind::ITEMS:
        appendItems(content, section.items);
        break;
      case Section::Kind::COMPONENT:
        content = serialize(*section.component);
        break;
    }
    out.push_back(static_cast<std::byte>(section.id));
    appendLeb(out, content.size());
    append(out, content);
  }
  return out;
}

Bytes slim(std::span<const std::byte> bytes) {
  if (!component::decode(bytes)) return {};
  Tree tree = parseTree(bytes);
  slimTree(tree);
  return serialize(tree);
}

}  // namespace tenon::mutants
