#include "run/blame.h"

#include "base/byte_reader.h"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace tenon::run {
namespace {

// The module's name in the custom section "name"; empty when it has none.
std::string_view nameOf(std::span<const std::byte> module) {
  constexpr uint8_t CUSTOM = 0, MODULE_NAME = 0;
  ByteReader in(module);
  if (!in.take(8, "preamble")) return {};
  while (!in.atEnd()) {
    auto id = in.u8();
    auto size = id ? in.u32() : Result<uint32_t>(id.error());
    auto section = size ? in.sub(*size, "section") : Result<ByteReader>(size.error());
    if (!section) return {};
    if (*id != CUSTOM) continue;
    auto name = section->name();
    if (!name || *name != "name") continue;
    auto subsection = section->u8();
    if (!subsection || *subsection != MODULE_NAME || !section->u32()) return {};
    auto found = section->name();
    return found ? *found : std::string_view();
  }
  return {};
}

bool isGuests(engine::TrapKind kind) {
  switch (kind) {
    case engine::TrapKind::UNREACHABLE:
    case engine::TrapKind::OUT_OF_BOUNDS:
    case engine::TrapKind::BAD_CALL:
    case engine::TrapKind::ARITHMETIC:
    case engine::TrapKind::STACK_OVERFLOW:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string pathOf(const component::ImportedFunction& import) {
  return import.interface.empty() ? import.name : import.interface + "." + import.name;
}

void nameComponent(const component::Program& program, engine::Trap& trap) {
  if (!isGuests(trap.kind) || trap.backtrace.empty()) return;
  const std::string& module = trap.backtrace.front().module;
  if (module.empty()) return;
  std::optional<uint32_t> part;
  // Once for each module, however often it is instantiated.
  std::vector<std::optional<bool>> isNamedSo(program.modules.size());
  for (const component::InstantiateStep& step : program.steps) {
    if (step.instance == component::NONE) continue;  // a generated module
    uint32_t owner = program.instances[step.instance].part;
    std::optional<bool>& same = isNamedSo[step.module];
    if (!same) same = nameOf(program.modules[step.module].bytes) == module;
    if (owner == part || !*same) continue;
    if (part) return;
    part = owner;
  }
  if (!part) return;
  // The instance that a part itself is stands right below the workload, which is the first one.
  const component::InstanceInfo* found = nullptr;
  bool several = false;
  for (const component::InstanceInfo& instance : program.instances) {
    if (instance.parent != 0) continue;
    several = several || instance.part != *part;
    if (instance.part == *part && !found) found = &instance;
  }
  if (found && several) trap.message += " (component " + found->name + ")";
}

void placeFrames(const component::Program& program,
                 std::span<const std::optional<component::StartFunction>> starts,
                 engine::Trap& trap) {
  auto has = [](const auto& start) { return start.has_value(); };
  if (trap.backtrace.empty() || std::ranges::none_of(starts, has)) return;
  std::map<std::string_view, std::optional<int64_t>> shifts;  // by module name
  for (size_t i = 0; i < starts.size(); ++i) {
    int64_t shift = starts[i] ? starts[i]->shift() : 0;
    auto [known, isNew] = shifts.try_emplace(nameOf(program.modules[i].bytes), shift);
    if (!isNew && known->second != shift) known->second = std::nullopt;
  }
  for (engine::Frame& frame : trap.backtrace) {
    auto shift = shifts.find(frame.module);
    if (shift == shifts.end() || frame.moduleOffset == engine::Frame::NO_OFFSET) continue;
    if (shift->second) {
      frame.moduleOffset -= static_cast<uint64_t>(*shift->second);
    } else {
      frame.moduleOffset = engine::Frame::NO_OFFSET;
    }
  }
}

}  // namespace tenon::run
