#include "component/relink/reach.h"

#include "base/byte_reader.h"
#include "component/binary/core_sections.h"
#include "component/binary/instructions.h"
#include "component/program/edit.h"

#include <tenon/result.h>

#include <algorithm>
#include <utility>

namespace tenon::component {
namespace {

// Modules of more code than this are not looked at.
constexpr size_t MAX_FUNCTIONS = 200'000;

// The code that one program's walks may read: this, and its modules so many times over.
constexpr uint64_t MIN_READ_BYTES = uint64_t{64} << 20;
constexpr uint64_t READS_OF_EACH = 4;
// What it costs to get to a function, in bytes read.
constexpr size_t FUNCTION_COST = 32;

Error notFollowed() { return {ErrorCode::UNSUPPORTED, "not followed"}; }

// Reads the sections that matter into a CallGraph.
class Reader {
 public:
  Result<CallGraph> read(std::span<const std::byte> module) {
    TENON_TRY(auto sections, CoreSectionReader::open(module, 0));
    while (!sections.atEnd()) {
      TENON_TRY(auto section, sections.next());
      TENON_CHECK(readSection(section.id, section.content));
    }
    return std::move(graph_);
  }

 private:
  Result<void> readSection(CoreSection id, ByteReader& in) {
    switch (id) {
      case CoreSection::IMPORT:
        return readImports(in);
      case CoreSection::TABLE:
        return readTables(in, visitConstant());
      case CoreSection::GLOBAL:
        return readGlobals(in, visitConstant());
      case CoreSection::EXPORT:
        return readExports(in);
      case CoreSection::ELEMENT:
        return readElements(in, visitConstant());
      case CoreSection::CODE:
        return forEachBody(in, [this](uint32_t number, ByteReader body) -> Result<void> {
          if (number >= MAX_FUNCTIONS) return notFollowed();
          graph_.code.push_back(body.rest());
          return {};
        });
      default:
        return {};
    }
  }

  Result<void> readImports(ByteReader& in) {
    TENON_TRY(uint32_t count, in.count("imports", MAX_FUNCTIONS));
    for (uint32_t i = 0; i < count; ++i) {
      TENON_TRY([[maybe_unused]] auto module, in.name());
      TENON_TRY([[maybe_unused]] auto name, in.name());
      TENON_TRY(uint8_t kind, in.u8());
      switch (kind) {
        case 0: {
          TENON_CHECK(skipU32(in));
          graph_.importPositions.push_back(i);
          break;
        }
        case 1:
          graph_.sharesTables = true;
          TENON_CHECK(skipType(in));
          TENON_CHECK(skipLimits(in));
          break;
        case 2:
          TENON_CHECK(skipLimits(in));
          break;
        case 3: {
          TENON_CHECK(skipType(in));
          TENON_TRY([[maybe_unused]] uint8_t isMutable, in.u8());
          break;
        }
        default:
          return notFollowed();
      }
    }
    return {};
  }

  // Functions that constants name may get into tables. An element that is taken from a global may
  // be any.
  VisitConstant visitConstant() {
    return [this](const Instruction& instruction, bool isElement) {
      if (instruction.kind == Instruction::Kind::REFERENCE) {
        graph_.inTables.push_back(instruction.function);
      }
      if (isElement && instruction.kind == Instruction::Kind::GLOBAL_GET) {
        graph_.sharesTables = true;
      }
    };
  }

  Result<void> readExports(ByteReader& in) {
    TENON_TRY(uint32_t count, in.count("exports", 1'000'000));
    for (uint32_t i = 0; i < count; ++i) {
      TENON_TRY(std::string_view name, in.name());
      TENON_TRY(uint8_t kind, in.u8());
      TENON_TRY(uint32_t index, in.u32());
      if (kind == 0) graph_.exports.emplace(name, index);
      if (kind == 1) graph_.sharesTables = true;
    }
    return {};
  }

  CallGraph graph_;
};

Result<CallGraph::Body> readBody(std::span<const std::byte> bytes) {
  ByteReader code(bytes);
  CallGraph::Body body;
  TENON_CHECK(skipLocals(code));
  while (!code.atEnd()) {
    TENON_TRY(Instruction instruction, readInstruction(code));
    switch (instruction.kind) {
      case Instruction::Kind::CALL:
      case Instruction::Kind::RETURN_CALL:
      case Instruction::Kind::REFERENCE:
        body.callees.push_back(instruction.function);
        break;
      case Instruction::Kind::CALL_INDIRECT:
        body.indirect = true;
        break;
      case Instruction::Kind::CHANGES_TABLE:
        body.changesTables = true;
        break;
      default:
        break;
    }
  }
  return body;
}

}  // namespace

std::optional<CallGraph> CallGraph::read(std::span<const std::byte> module) {
  auto graph = Reader().read(module);
  if (!graph) return std::nullopt;
  return *std::move(graph);
}

std::optional<CallGraph::Body> CallGraph::bodyOf(std::span<const std::byte> code) {
  auto body = readBody(code);
  if (!body) return std::nullopt;
  return *std::move(body);
}

bool CallGraph::knowsTables() const {
  if (sharesTables) return false;
  return std::all_of(code.begin(), code.end(), [](std::span<const std::byte> function) {
    std::optional<Body> body = bodyOf(function);
    return body && !body->changesTables;
  });
}

// -- Barred instances -----------------------------------------------------------------------------

BarredCalls::BarredCalls(const Program& program) : program_(program), budget_(MIN_READ_BYTES) {
  for (const ModuleBytes& module : program.modules) budget_ += READS_OF_EACH * module.bytes.size();
  roots_.resize(program.instances.size());
  auto add = [&](const Options& options) {
    for (uint32_t slot : {options.realloc, options.postReturn}) {
      if (slot != NONE) roots_[options.instance].push_back(program.functions[slot]);
    }
  };
  for (const Adapter& adapter : program.adapters) {
    add(adapter.caller);
    add(adapter.callee.options);
  }
  for (const Trampoline& trampoline : program.trampolines) add(trampoline.options);
  forEachLifted(program.exports, [&](const LiftedFunction& lifted) { add(lifted.options); });
}

bool BarredCalls::mayReach(uint32_t adapter) {
  const Reached& reached = reachedBy(program_.adapters[adapter].caller.instance);
  return reached.anything || reached.adapters.contains(adapter);
}

const CallGraph* BarredCalls::graphOf(uint32_t module) {
  auto [found, added] = modules_.try_emplace(module);
  std::optional<CallGraph>& graph = found->second.graph;
  if (added) graph = CallGraph::read(program_.modules[module].bytes);
  return graph ? &*graph : nullptr;
}

bool BarredCalls::knowsTables(uint32_t module) {
  Module& known = modules_.at(module);
  if (!known.knowsTables) known.knowsTables = known.graph->knowsTables();
  return *known.knowsTables;
}

bool BarredCalls::mayRead(size_t bytes) {
  uint64_t taken = std::min<uint64_t>(budget_, bytes);
  budget_ -= taken;
  return taken == bytes;
}

const BarredCalls::Reached& BarredCalls::reachedBy(uint32_t instance) {
  auto [place, added] = reached_.try_emplace(instance);
  Reached& reached = place->second;
  if (!added) return reached;
  using Place = std::pair<uint32_t, uint32_t>;  // step, function
  std::set<Place> seen;
  std::set<uint32_t> tablesSeen;  // steps
  std::vector<Place> open;
  auto visit = [&](uint32_t step, uint32_t function) {
    if (seen.emplace(step, function).second) open.emplace_back(step, function);
  };
  auto reach = [&](const CoreItem& item) {
    // Host functions trap in a barred instance, or call nothing.
    if (item.kind == CoreItem::Kind::ADAPTER) reached.adapters.insert(item.index);
    if (item.kind != CoreItem::Kind::INSTANCE_EXPORT) return;
    const CallGraph* graph = graphOf(program_.steps[item.index].module);
    if (!graph) {
      reached.anything = true;
      return;
    }
    auto function = graph->exports.find(item.name);
    if (function == graph->exports.end()) {
      reached.anything = true;
    } else {
      visit(item.index, function->second);
    }
  };
  for (const CoreItem& root : roots_[instance]) reach(root);
  while (!open.empty() && !reached.anything) {
    auto [step, function] = open.back();
    open.pop_back();
    const InstantiateStep& made = program_.steps[step];
    const CallGraph& graph = *graphOf(made.module);  // readable, or nobody would be here
    if (!mayRead(FUNCTION_COST)) {
      reached.anything = true;
      break;
    }
    size_t imported = graph.importPositions.size();
    if (function < imported) {
      uint32_t position = graph.importPositions[function];
      if (position >= made.args.size()) {
        reached.anything = true;
      } else {
        reach(made.args[position].item);
      }
      continue;
    }
    std::optional<CallGraph::Body> body;
    if (function - imported < graph.code.size() &&
        mayRead(graph.code[function - imported].size())) {
      body = CallGraph::bodyOf(graph.code[function - imported]);
    }
    if (!body) {
      reached.anything = true;
      continue;
    }
    for (uint32_t callee : body->callees) visit(step, callee);
    if (!body->indirect || !tablesSeen.insert(step).second) continue;
    if (!knowsTables(made.module) || !mayRead(graph.inTables.size())) {
      reached.anything = true;
      break;
    }
    for (uint32_t callee : graph.inTables) visit(step, callee);
  }
  return reached;
}

}  // namespace tenon::component
