#include "component/binary/decoder.h"

#include "base/byte_reader.h"
#include "component/binary/core_module.h"
#include "component/binary/decode_internal.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace tenon::component {
namespace detail {
namespace {

std::string hex(uint8_t byte) {
  constexpr char DIGITS[] = "0123456789abcdef";
  return {DIGITS[byte >> 4], DIGITS[byte & 15]};
}

std::string hex(std::span<const std::byte> bytes) {
  std::string text;
  for (std::byte byte : bytes) {
    if (!text.empty()) text += ' ';
    text += hex(static_cast<uint8_t>(byte));
  }
  return text;
}

}  // namespace

Error unexpectedByte(uint64_t offset, std::string_view what, uint8_t found) {
  return {ErrorCode::MALFORMED, "expected " + std::string(what) + ", found byte 0x" + hex(found),
          offset};
}

Result<void> expectByte(ByteReader& in, uint8_t expected, std::string_view what) {
  uint64_t start = in.offset();
  TENON_TRY(uint8_t byte, in.u8());
  if (byte == expected) return {};
  return unexpectedByte(start, std::string(what) + " (0x" + hex(expected) + ")", byte);
}

Result<bool> readFlag(ByteReader& in, std::string_view what) {
  uint64_t start = in.offset();
  TENON_TRY(uint8_t byte, in.u8());
  if (byte <= 1) return byte == 1;
  return unexpectedByte(start, std::string(what) + " (0x00 or 0x01)", byte);
}

Result<void> requireFeature(bool enabled, uint64_t offset, std::string_view what,
                            std::string_view feature) {
  if (enabled) return {};
  return Error{
      ErrorCode::UNSUPPORTED,
      std::string(what) + " needs a feature that is not supported: " + std::string(feature),
      offset};
}

Result<uint32_t> readCount(ByteReader& in, DecodeContext& context, std::string_view what) {
  uint64_t start = in.offset();
  TENON_TRY(uint32_t count, in.count(what, context.limits.maxItems));
  context.items += uint64_t{count};
  if (context.items > context.limits.maxTotalItems) {
    return Error{ErrorCode::LIMIT_EXCEEDED,
                 "more than " + std::to_string(context.limits.maxTotalItems) +
                     " definitions and parts of definitions in all",
                 start};
  }
  return count;
}

namespace {

constexpr std::array<uint8_t, 4> MAGIC = {0x00, 'a', 's', 'm'};
constexpr uint16_t MODULE_VERSION = 0x01;
constexpr uint16_t COMPONENT_VERSION = 0x0d;

std::string hexNumber(uint16_t value) {
  return "0x" + hex(static_cast<uint8_t>(value >> 8)) + hex(static_cast<uint8_t>(value));
}

bool looksLikeText(std::span<const std::byte> bytes) {
  std::string_view text = asText(bytes.first(std::min<size_t>(bytes.size(), 256)));
  size_t start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) return false;
  text.remove_prefix(start);
  return text.starts_with("(") || text.starts_with(";;");
}

Error notWasm(std::span<const std::byte> bytes, uint64_t offset) {
  if (bytes.empty()) return {ErrorCode::MALFORMED, "the input is empty", offset};
  if (looksLikeText(bytes)) {
    return {ErrorCode::MALFORMED,
            "not a WebAssembly binary but text: translate it with `wasm-tools parse`", offset};
  }
  return {ErrorCode::MALFORMED,
          "not a WebAssembly binary: expected the bytes 00 61 73 6d, found " +
              hex(bytes.first(std::min<size_t>(bytes.size(), 4))),
          offset};
}

}  // namespace

Result<Layer> readPreamble(std::span<const std::byte> bytes, uint64_t offset) {
  size_t magic = std::min(bytes.size(), MAGIC.size());
  if (magic == 0 || std::memcmp(bytes.data(), MAGIC.data(), magic) != 0) {
    return notWasm(bytes, offset);
  }
  if (bytes.size() < PREAMBLE_SIZE) {
    return Error{ErrorCode::MALFORMED,
                 "truncated preamble: expected 8 bytes, found " + std::to_string(bytes.size()),
                 offset + bytes.size()};
  }
  auto byte = [&](size_t i) { return static_cast<uint16_t>(bytes[i]); };
  auto version = static_cast<uint16_t>(byte(4) | byte(5) << 8);
  auto layer = static_cast<uint16_t>(byte(6) | byte(7) << 8);
  if (layer == 0 && version == MODULE_VERSION) return Layer::CORE_MODULE;
  if (layer == 1 && version == COMPONENT_VERSION) return Layer::COMPONENT;
  if (layer == 1) {
    return Error{ErrorCode::MALFORMED,
                 "component of the unknown version " + hexNumber(version) + ", expected " +
                     hexNumber(COMPONENT_VERSION),
                 offset + 4};
  }
  return Error{ErrorCode::MALFORMED,
               "unknown version " + hexNumber(version) + " and layer " + hexNumber(layer) +
                   ", expected a component (version 0x000d, layer 0x0001)",
               offset + 4};
}

namespace {

const char* sectionName(uint8_t id) {
  constexpr const char* NAMES[] = {
      "custom section",    "core module section", "core instance section", "core type section",
      "component section", "instance section",    "alias section",         "type section",
      "canon section",     "start section",       "import section",        "export section",
      "value section"};
  return id < std::size(NAMES) ? NAMES[id] : nullptr;
}

// Adds the section's name to an error from inside, unless an inner component's section did.
Error inSection(uint8_t id, Error error) {
  if (id != 4) error.message = std::string(sectionName(id)) + ": " + error.message;
  return error;
}

class ComponentDecoder {
 public:
  ComponentDecoder(DecodeContext& context, uint32_t depth) : context_(context), depth_(depth) {}

  // `bytes` starts with a preamble that has been checked.
  Result<std::unique_ptr<Component>> decode(std::span<const std::byte> bytes, uint64_t offset) {
    component_ = std::make_unique<Component>();
    component_->offset = offset;
    component_->size = bytes.size();
    ByteReader in(bytes.subspan(PREAMBLE_SIZE), offset + PREAMBLE_SIZE);
    while (!in.atEnd()) {
      uint64_t start = in.offset();
      TENON_TRY(uint8_t id, in.u8());
      if (sectionName(id) == nullptr) {
        return unexpectedByte(start, "a section id from 0 to 12", id);
      }
      if (auto done = section(in, id); !done) return inSection(id, std::move(done).error());
    }
    return std::move(component_);
  }

 private:
  Result<void> section(ByteReader& in, uint8_t id) {
    TENON_TRY(uint32_t size, in.u32());
    TENON_TRY(ByteReader content, in.sub(size, "content"));
    TENON_CHECK(sectionContent(content, id));
    if (content.atEnd()) return {};
    return Error{
        ErrorCode::MALFORMED,
        "section ends " + std::to_string(content.remaining()) + " bytes before its stated size",
        content.offset()};
  }

  Result<void> sectionContent(ByteReader& in, uint8_t id) {
    switch (id) {
      case 0:
        return custom(in);
      case 1:
        return coreModule(in);
      case 2:
        return items("core instances", in, readCoreInstance);
      case 3:
        return items("core types", in, readCoreType);
      case 4:
        return component(in);
      case 5:
        return items("instances", in, readInstance);
      case 6:
        return items("aliases", in, readAlias);
      case 7:
        return types(in);
      case 8:
        return items("canonical functions", in, readCanon);
      case 9: {
        uint64_t start = in.offset();
        TENON_TRY(Start definition, readStart(in, context_));
        return add(std::move(definition), start);
      }
      case 10:
        return items("imports", in, readImport);
      case 11:
        return items("exports", in, readExport);
      default: {
        uint64_t start = in.offset();
        TENON_CHECK(items("values", in, readValueDef));
        return requireFeature(context_.features.values, start, "a value section", "values");
      }
    }
  }

  // A definition more, to be filled in.
  Result<Definition*> next(uint64_t offset) {
    if (component_->definitions.size() >= context_.limits.maxItems) {
      return Error{ErrorCode::LIMIT_EXCEEDED,
                   "more than " + std::to_string(context_.limits.maxItems) + " definitions",
                   offset};
    }
    Definition& definition = component_->definitions.emplace_back();
    definition.offset = offset;
    return &definition;
  }

  template <typename Item>
  Result<void> add(Item item, uint64_t offset) {
    TENON_TRY(Definition * definition, next(offset));
    definition->def = std::move(item);
    return {};
  }

  // The count of a section's items, with room for them: moving definitions to a larger vector costs
  // more than reading them. At least twice the room, for many sections of a few items.
  Result<uint32_t> expect(std::string_view what, ByteReader& in) {
    TENON_TRY(uint32_t count, readCount(in, context_, what));
    auto& definitions = component_->definitions;
    if (size_t needed = definitions.size() + count; needed > definitions.capacity()) {
      definitions.reserve(std::max(needed, 2 * definitions.capacity()));
    }
    return count;
  }

  template <typename ReadItem>
  Result<void> items(std::string_view what, ByteReader& in, ReadItem&& readItem) {
    TENON_TRY(uint32_t count, expect(what, in));
    for (uint32_t i = 0; i < count; ++i) {
      uint64_t start = in.offset();
      TENON_TRY(auto item, readItem(in, context_));
      TENON_CHECK(add(std::move(item), start));
    }
    return {};
  }

  Result<void> types(ByteReader& in) {
    TENON_TRY(uint32_t count, expect("types", in));
    for (uint32_t i = 0; i < count; ++i) {
      TENON_TRY(Definition * definition, next(in.offset()));
      TENON_CHECK(readType(in, context_, 0, definition->def.emplace<TypeDef>()));
    }
    return {};
  }

  Result<void> custom(ByteReader& in) {
    uint64_t start = in.offset();
    TENON_TRY(std::string_view name, in.name());
    return add(CustomSection{name, in.rest()}, start);
  }

  Result<void> coreModule(ByteReader& in) {
    uint64_t start = in.offset();
    auto bytes = in.rest();
    TENON_TRY(Layer layer, readPreamble(bytes, start));
    if (layer != Layer::CORE_MODULE) {
      return Error{ErrorCode::MALFORMED, "expected a core module, found a component", start};
    }
    return add(CoreModule{bytes}, start);
  }

  Result<void> component(ByteReader& in) {
    uint64_t start = in.offset();
    if (depth_ + 1 >= context_.limits.maxNesting) {
      return Error{ErrorCode::LIMIT_EXCEEDED,
                   "components are nested deeper than " +
                       std::to_string(context_.limits.maxNesting) + " levels",
                   start};
    }
    auto bytes = in.rest();
    TENON_TRY(Layer layer, readPreamble(bytes, start));
    if (layer != Layer::COMPONENT) {
      return Error{ErrorCode::MALFORMED, "expected a component, found a core module", start};
    }
    ComponentDecoder inner(context_, depth_ + 1);
    TENON_TRY(auto nested, inner.decode(bytes, start));
    return add(std::move(nested), start);
  }

  DecodeContext& context_;
  uint32_t depth_;
  std::unique_ptr<Component> component_;
};

// Whether a core module imports the functions of WASI 0.1.
bool importsWasi01(std::span<const std::byte> module) {
  auto interface = readCoreModule(module, 0);
  return interface && std::ranges::any_of(interface->imports, [](const CoreImportDecl& import) {
           return import.module == "wasi_snapshot_preview1" || import.module == "wasi_unstable";
         });
}

}  // namespace
}  // namespace detail

Result<Layer> readLayer(std::span<const std::byte> bytes) { return detail::readPreamble(bytes, 0); }

Result<std::unique_ptr<Component>> decode(std::span<const std::byte> bytes,
                                          const Features& features, const DecodeLimits& limits) {
  if (bytes.size() > limits.maxBytes) {
    return Error{ErrorCode::LIMIT_EXCEEDED,
                 "component of " + std::to_string(bytes.size()) + " bytes, the limit is " +
                     std::to_string(limits.maxBytes),
                 0};
  }
  TENON_TRY(Layer layer, readLayer(bytes));
  if (layer == Layer::CORE_MODULE) {
    std::string what = "this is a core module, not a component: ";
    if (detail::importsWasi01(bytes)) {
      what =
          "this is a core module of WASI 0.1 (wasip1), not a component: build it for "
          "wasm32-wasip2, "
          "or make one of it with the adapter of Wasmtime's releases, `wasm-tools component new "
          "--adapt wasi_snapshot_preview1.command.wasm` (`.reactor.wasm` for a library)";
    } else {
      what += "make one of it with `wasm-tools component new`, or build it for wasm32-wasip2";
    }
    return Error{ErrorCode::MALFORMED, std::move(what), 4};
  }
  auto parts = std::make_unique<ArrayPool>();
  detail::DecodeContext context{features, limits, *parts};
  TENON_TRY(auto component, detail::ComponentDecoder(context, 0).decode(bytes, 0));
  component->parts = std::move(parts);
  return component;
}

}  // namespace tenon::component
