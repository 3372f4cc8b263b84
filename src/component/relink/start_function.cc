#include "component/relink/start_function.h"

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "component/binary/core_sections.h"

#include <tenon/result.h>

#include <set>
#include <string_view>
#include <utility>

namespace tenon::component {
namespace {

constexpr uint8_t FUNC = 0;
constexpr uint32_t MAX_EXPORTS = 1'000'000;

struct Sections {
  std::optional<CoreSectionReader::Section> exports, start;
};

Result<Sections> findSections(std::span<const std::byte> module) {
  Sections found;
  TENON_TRY(auto sections, CoreSectionReader::open(module, 0));
  while (!sections.atEnd()) {
    TENON_TRY(auto section, sections.next());
    if (section.id == CoreSection::EXPORT) found.exports = section;
    if (section.id == CoreSection::START) found.start = section;
    if (section.id == CoreSection::CODE) break;  // neither stands behind it
  }
  return found;
}

Result<std::optional<StartFunction>> find(std::span<const std::byte> module) {
  TENON_TRY(Sections sections, findSections(module));
  if (!sections.start) return std::optional<StartFunction>();
  TENON_TRY(uint32_t function, sections.start->content.u32());

  StartFunction start;
  start.startBegin = start.exportsBegin = start.exportsEnd = sections.start->begin;
  start.startEnd = sections.start->end;
  start.name = "tenon:start";
  uint32_t count = 0;
  std::span<const std::byte> entries;
  if (sections.exports) {
    start.exportsBegin = sections.exports->begin;
    start.exportsEnd = sections.exports->end;
    ByteReader& in = sections.exports->content;
    TENON_TRY(count, in.count("exports", MAX_EXPORTS));
    entries = in.rest();
    ByteReader names(entries);
    std::set<std::string_view> taken;
    for (uint32_t i = 0; i < count; ++i) {
      TENON_TRY(std::string_view name, names.name());
      TENON_TRY([[maybe_unused]] uint8_t kind, names.u8());
      TENON_TRY([[maybe_unused]] uint32_t index, names.u32());
      if (name.starts_with(start.name)) taken.insert(name);
    }
    for (uint32_t i = 0; taken.contains(start.name); ++i) {
      start.name = "tenon:start" + std::to_string(i);
    }
  }
  ByteWriter out;
  out.section(static_cast<uint8_t>(CoreSection::EXPORT), [&] {
    out.u32(count + 1);  // guest-ok: at most a million
    out.bytes(entries);
    out.name(start.name);
    out.u8(FUNC);
    out.u32(function);
  });
  start.exports = std::move(out).take();
  return std::optional<StartFunction>(std::move(start));
}

}  // namespace

std::optional<StartFunction> findStart(std::span<const std::byte> module) {
  auto found = find(module);
  if (!found) return std::nullopt;
  return *std::move(found);
}

std::vector<std::byte> exportStart(std::span<const std::byte> module, const StartFunction& start) {
  std::vector<std::byte> made;
  made.reserve(module.size() + start.exports.size());
  auto append = [&](std::span<const std::byte> bytes) {
    made.insert(made.end(), bytes.begin(), bytes.end());
  };
  append(module.first(start.exportsBegin));
  append(start.exports);
  append(module.subspan(start.exportsEnd, start.startBegin - start.exportsEnd));
  append(module.subspan(start.startEnd));
  return made;
}

}  // namespace tenon::component
