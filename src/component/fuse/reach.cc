#include "component/fuse/reach.h"

#include "base/byte_reader.h"

#include <tenon/result.h>

#include <algorithm>
#include <utility>
#include <variant>

namespace tenon::component::adapt {
namespace {

// Modules of more code than this are not looked at.
constexpr size_t MAX_FUNCTIONS = 200'000;

Error notFollowed() { return {ErrorCode::UNSUPPORTED, "not followed"}; }

// What an instruction does to the call graph.
struct Effect {
  enum class Kind : uint8_t { NONE, CALL, INDIRECT, CLOSES, CHANGES_TABLE } kind;
  uint32_t function = 0;
};

Result<void> skipHeapOrValueType(ByteReader& in) {
  TENON_TRY(int64_t type, in.s33());
  if (type != -28 && type != -29) return {};  // not `(ref null? heap type)`
  TENON_TRY([[maybe_unused]] int64_t heap, in.s33());
  return {};
}

Result<void> skipU32(ByteReader& in, uint32_t count = 1) {
  for (uint32_t i = 0; i < count; ++i) {
    TENON_TRY([[maybe_unused]] uint32_t value, in.u32());
  }
  return {};
}

Result<void> skipMemarg(ByteReader& in) {
  TENON_TRY(uint32_t flags, in.u32());
  if (flags & 0x40) TENON_CHECK(skipU32(in));
  TENON_TRY([[maybe_unused]] uint64_t offset, in.u64());
  return {};
}

Result<void> skipBytes(ByteReader& in, uint32_t count) {
  TENON_TRY([[maybe_unused]] auto bytes, in.take(count, "constant"));
  return {};
}

Result<Effect> skipBulk(ByteReader& in) {
  Effect effect{Effect::Kind::NONE};
  TENON_TRY(uint32_t opcode, in.u32());
  if (opcode >= 14 && opcode <= 17 && opcode != 16) effect.kind = Effect::Kind::CHANGES_TABLE;
  uint32_t operands = 0;
  switch (opcode) {
    case 8:   // memory.init
    case 10:  // memory.copy
    case 12:  // table.init
    case 14:  // table.copy
      operands = 2;
      break;
    case 9:
    case 11:
    case 13:
    case 15:
    case 16:
    case 17:
      operands = 1;
      break;
    default:
      if (opcode > 22) return notFollowed();
  }
  TENON_CHECK(skipU32(in, operands));
  return effect;
}

Result<void> skipVector(ByteReader& in) {
  TENON_TRY(uint32_t opcode, in.u32());
  bool lane = opcode >= 84 && opcode <= 91;
  if (opcode <= 11 || lane || opcode == 92 || opcode == 93) TENON_CHECK(skipMemarg(in));
  if (opcode == 12 || opcode == 13) return skipBytes(in, 16);
  if (lane || (opcode >= 21 && opcode <= 34)) return skipBytes(in, 1);
  if (opcode > 0x1ff) return notFollowed();
  return {};
}

Result<void> skipAtomic(ByteReader& in) {
  TENON_TRY(uint32_t opcode, in.u32());
  if (opcode == 3) return skipBytes(in, 1);
  return skipMemarg(in);
}

Result<void> skipTryTable(ByteReader& in) {
  TENON_CHECK(skipHeapOrValueType(in));
  TENON_TRY(uint32_t catches, in.u32());
  for (uint32_t i = 0; i < catches; ++i) {
    TENON_TRY(uint8_t kind, in.u8());
    if (kind > 3) return notFollowed();
    TENON_CHECK(skipU32(in, kind < 2 ? 2 : 1));
  }
  return {};
}

// Steps over one instruction. Source: WebAssembly Core Specification, "Instructions".
Result<Effect> readInstruction(ByteReader& in) {
  using Kind = Effect::Kind;
  Effect effect{Kind::NONE};
  TENON_TRY(uint8_t opcode, in.u8());
  if (opcode >= 0x45 && opcode <= 0xc4) return effect;  // numeric
  if (opcode >= 0x28 && opcode <= 0x3e) {               // loads and stores
    TENON_CHECK(skipMemarg(in));
    return effect;
  }
  switch (opcode) {
    case 0x00:  // unreachable
    case 0x01:
    case 0x05:  // else
    case 0x0a:  // throw_ref
    case 0x0f:
    case 0x1a:
    case 0x1b:
    case 0xd1:  // ref.is_null
      return effect;
    case 0x0b:
      effect.kind = Kind::CLOSES;
      return effect;
    case 0x02:
    case 0x03:
    case 0x04:
      TENON_CHECK(skipHeapOrValueType(in));
      return effect;
    case 0x1f:
      TENON_CHECK(skipTryTable(in));
      return effect;
    case 0x0e: {  // br_table
      TENON_TRY(uint32_t labels, in.count("labels", 1'000'000));
      TENON_CHECK(skipU32(in, labels + 1));  // guest-ok: at most a million
      return effect;
    }
    case 0x10:  // call
    case 0x12:  // return_call
    case 0xd2: {
      effect.kind = Kind::CALL;
      TENON_TRY(effect.function, in.u32());
      return effect;
    }
    case 0x11:
    case 0x13:
      effect.kind = Kind::INDIRECT;
      TENON_CHECK(skipU32(in, 2));
      return effect;
    case 0x1c: {  // select with types
      TENON_TRY(uint32_t types, in.count("types", 1000));
      for (uint32_t i = 0; i < types; ++i) TENON_CHECK(skipHeapOrValueType(in));
      return effect;
    }
    case 0x26:
      effect.kind = Kind::CHANGES_TABLE;
      TENON_CHECK(skipU32(in));
      return effect;
    case 0x08:  // throw
    case 0x0c:
    case 0x0d:
    case 0x20:
    case 0x21:
    case 0x22:
    case 0x23:
    case 0x24:
    case 0x25:
    case 0x3f:
    case 0x40:
      TENON_CHECK(skipU32(in));
      return effect;
    case 0x41: {
      TENON_TRY([[maybe_unused]] int32_t constant, in.s32());
      return effect;
    }
    case 0x42: {
      TENON_TRY([[maybe_unused]] int64_t constant, in.s64());
      return effect;
    }
    case 0x43:
      TENON_CHECK(skipBytes(in, 4));
      return effect;
    case 0x44:
      TENON_CHECK(skipBytes(in, 8));
      return effect;
    case 0xd0:
      TENON_CHECK(skipHeapOrValueType(in));
      return effect;
    case 0xfc:
      return skipBulk(in);
    case 0xfd:
      TENON_CHECK(skipVector(in));
      return effect;
    case 0xfe:
      TENON_CHECK(skipAtomic(in));
      return effect;
    default:
      return notFollowed();  // typed references, GC, old exception handling
  }
}

// Reads the sections that matter into a CallGraph.
class Reader {
 public:
  Result<CallGraph> read(std::span<const std::byte> module) {
    ByteReader in(module);
    TENON_TRY([[maybe_unused]] auto preamble, in.take(8, "preamble"));
    while (!in.atEnd()) {
      TENON_TRY(uint8_t id, in.u8());
      TENON_TRY(uint32_t size, in.u32());
      TENON_TRY(ByteReader section, in.sub(size, "section"));
      if (id == 2) TENON_CHECK(readImports(section));
      if (id == 4) TENON_CHECK(readTables(section));
      if (id == 6) TENON_CHECK(readGlobals(section));
      if (id == 7) TENON_CHECK(readExports(section));
      if (id == 9) TENON_CHECK(readElements(section));
      if (id == 10) TENON_CHECK(readCode(section));
    }
    return std::move(graph_);
  }

 private:
  Result<void> readLimits(ByteReader& in) {
    TENON_TRY(uint8_t flags, in.u8());
    if (flags > 7) return notFollowed();  // custom page sizes
    TENON_TRY([[maybe_unused]] uint64_t least, in.u64());
    if (flags & 1) {
      TENON_TRY([[maybe_unused]] uint64_t most, in.u64());
    }
    return {};
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
          TENON_CHECK(skipHeapOrValueType(in));
          TENON_CHECK(readLimits(in));
          break;
        case 2:
          TENON_CHECK(readLimits(in));
          break;
        case 3: {
          TENON_CHECK(skipHeapOrValueType(in));
          TENON_CHECK(skipBytes(in, 1));
          break;
        }
        default:
          return notFollowed();
      }
    }
    return {};
  }

  Result<void> readTables(ByteReader& in) {
    TENON_TRY(uint32_t count, in.count("tables", 1000));
    for (uint32_t i = 0; i < count; ++i) {
      if (in.peek() == 0x40) return notFollowed();  // with an initial value
      TENON_CHECK(skipHeapOrValueType(in));
      TENON_CHECK(readLimits(in));
    }
    return {};
  }

  // A constant expression; functions that it names may get into tables. One that takes a reference
  // from a global may get in any.
  Result<void> readConstant(ByteReader& in, bool reference) {
    while (true) {
      if (reference && in.peek() == 0x23) graph_.sharesTables = true;
      TENON_TRY(Effect effect, readInstruction(in));
      if (effect.kind == Effect::Kind::CLOSES) return {};
      if (effect.kind == Effect::Kind::CALL) graph_.inTables.push_back(effect.function);
    }
  }

  Result<void> readGlobals(ByteReader& in) {
    TENON_TRY(uint32_t count, in.count("globals", 1'000'000));
    for (uint32_t i = 0; i < count; ++i) {
      TENON_CHECK(skipHeapOrValueType(in));
      TENON_CHECK(skipBytes(in, 1));
      TENON_CHECK(readConstant(in, false));
    }
    return {};
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

  Result<void> readElements(ByteReader& in) {
    TENON_TRY(uint32_t count, in.count("element segments", 1'000'000));
    for (uint32_t i = 0; i < count; ++i) {
      TENON_TRY(uint32_t flags, in.u32());
      if (flags > 7) return notFollowed();
      bool active = (flags & 1) == 0, expressions = (flags & 4) != 0;
      if (active && (flags & 2)) TENON_CHECK(skipU32(in));
      if (active) TENON_CHECK(readConstant(in, false));
      if (flags & 3) TENON_CHECK(skipHeapOrValueType(in));  // or a kind, one byte
      TENON_TRY(uint32_t items, in.count("elements", 10'000'000));
      for (uint32_t item = 0; item < items; ++item) {
        if (expressions) {
          TENON_CHECK(readConstant(in, true));
        } else {
          TENON_TRY(uint32_t function, in.u32());
          graph_.inTables.push_back(function);
        }
      }
    }
    return {};
  }

  Result<void> readCode(ByteReader& in) {
    TENON_TRY(uint32_t count, in.count("functions", MAX_FUNCTIONS));
    graph_.code.reserve(count);
    for (uint32_t i = 0; i < count; ++i) {
      TENON_TRY(uint32_t size, in.u32());
      TENON_TRY(auto code, in.take(size, "function"));
      graph_.code.push_back(code);
    }
    return {};
  }

  CallGraph graph_;
};

Result<void> skipLocals(ByteReader& code) {
  TENON_TRY(uint32_t runs, code.count("locals", 1'000'000));
  for (uint32_t i = 0; i < runs; ++i) {
    TENON_CHECK(skipU32(code));
    TENON_CHECK(skipHeapOrValueType(code));
  }
  return {};
}

Result<CallGraph::Body> readBody(std::span<const std::byte> bytes) {
  ByteReader code(bytes);
  CallGraph::Body body;
  TENON_CHECK(skipLocals(code));
  while (!code.atEnd()) {
    TENON_TRY(Effect effect, readInstruction(code));
    if (effect.kind == Effect::Kind::CALL) body.callees.push_back(effect.function);
    if (effect.kind == Effect::Kind::INDIRECT) body.indirect = true;
    if (effect.kind == Effect::Kind::CHANGES_TABLE) body.changesTables = true;
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

BarredCalls::BarredCalls(const Program& program) : program_(program) {
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
  std::vector<const std::vector<ProgramExport>*> open{&program.exports};
  while (!open.empty()) {
    const std::vector<ProgramExport>& exports = *open.back();
    open.pop_back();
    for (const ProgramExport& entry : exports) {
      if (const auto* lifted = std::get_if<LiftedFunction>(&entry.item)) add(lifted->options);
      if (const auto* instance = std::get_if<ExportedInstance>(&entry.item)) {
        open.push_back(&instance->exports);
      }
    }
  }
}

bool BarredCalls::mayReach(uint32_t adapter) {
  const Reached& reached = reachedBy(program_.adapters[adapter].caller.instance);
  return reached.anything || reached.adapters.contains(adapter);
}

const CallGraph* BarredCalls::graphOf(uint32_t module) {
  auto [found, added] = graphs_.try_emplace(module);
  if (added) found->second = CallGraph::read(program_.modules[module].bytes);
  return found->second ? &*found->second : nullptr;
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
    if (function - imported < graph.code.size()) {
      body = CallGraph::bodyOf(graph.code[function - imported]);
    }
    if (!body) {
      reached.anything = true;
      continue;
    }
    for (uint32_t callee : body->callees) visit(step, callee);
    if (!body->indirect || !tablesSeen.insert(step).second) continue;
    if (!graph.knowsTables()) reached.anything = true;
    for (uint32_t callee : graph.inTables) visit(step, callee);
  }
  return reached;
}

}  // namespace tenon::component::adapt
