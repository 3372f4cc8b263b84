// Makes a case that shows a difference as small as it can: fewer components, parameters and parts
// of types, with their values, for as long as the difference stays.

#include "calls.h"
#include "component/wit/wave.h"

#include <chrono>
#include <utility>

namespace tenon::differential {
namespace {

using component::TypeTable;

constexpr int MAX_TRIES = 400;
constexpr std::chrono::seconds MAX_TIME{20};

struct Typed {
  const Type* type = nullptr;
  Value value;
};

struct State {
  GuestFunction function;
  std::vector<StringEncoding> encodings;
  Case input;
};

std::vector<Typed> simpler(TypeTable& types, const Typed& given);

// `wrap` makes the whole of a simpler part.
template <typename Wrap>
void wrapAll(TypeTable& types, std::vector<Typed>& out, const Type* type, const Value& value,
             const Wrap& wrap) {
  for (Typed& part : simpler(types, {type, value})) out.push_back(wrap(std::move(part)));
}

void simplerProduct(TypeTable& types, const Typed& given, std::vector<Typed>& out) {
  const Record* record = given.value.find<Record>();
  std::vector<Typed> parts;
  for (size_t i = 0; i < given.type->members.size(); ++i) {
    parts.push_back({given.type->members[i].type,
                     record ? record->fields[i].value : given.value.find<Tuple>()->items[i]});
    out.push_back(parts.back());
  }
  auto whole = [&](const std::vector<Typed>& all) {
    std::vector<Labelled> fields;
    std::vector<const Type*> elements;
    Record newRecord;
    Tuple tuple;
    for (const Typed& part : all) {
      std::string name = "f" + std::to_string(fields.size());
      fields.push_back({name, part.type, 0});
      newRecord.fields.push_back({name, part.value});
      elements.push_back(part.type);
      tuple.items.push_back(part.value);
    }
    if (record) return Typed{*types.record(std::move(fields)), Value(std::move(newRecord))};
    return Typed{*types.tuple(std::move(elements)), Value(std::move(tuple))};
  };
  for (size_t i = 0; i < parts.size(); ++i) {
    std::vector<Typed> fewer = parts;
    fewer.erase(fewer.begin() + static_cast<ptrdiff_t>(i));
    if (!fewer.empty()) out.push_back(whole(fewer));
    wrapAll(types, out, parts[i].type, parts[i].value, [&](Typed part) {
      std::vector<Typed> changed = parts;
      changed[i] = std::move(part);
      return whole(changed);
    });
  }
}

void simplerList(TypeTable& types, const Typed& given, std::vector<Typed>& out) {
  const std::vector<Value>& items = given.value.find<List>()->items;
  if (items.size() > 1) {
    auto middle = items.begin() + static_cast<ptrdiff_t>(items.size() / 2);
    out.push_back({given.type, Value(List{{items.begin(), middle}})});
    out.push_back({given.type, Value(List{{middle, items.end()}})});
    if (items.size() > 4) return;
    for (size_t i = 0; i < items.size(); ++i) {
      std::vector<Value> fewer = items;
      fewer.erase(fewer.begin() + static_cast<ptrdiff_t>(i));
      out.push_back({given.type, Value(List{std::move(fewer)})});
    }
    return;
  }
  if (items.empty() || given.type->isMap) return;
  out.push_back({given.type->element, items[0]});
  wrapAll(types, out, given.type->element, items[0], [&](Typed part) {
    return Typed{*types.list(part.type), Value(List{{std::move(part.value)}})};
  });
}

void simplerVariant(TypeTable& types, const Typed& given, std::vector<Typed>& out) {
  const Variant& variant = *given.value.find<Variant>();
  std::vector<Labelled> cases = given.type->members;
  for (size_t i = 0; i < cases.size(); ++i) {
    if (cases[i].label == variant.label) {
      if (!cases[i].type) continue;
      out.push_back({cases[i].type, *variant.payload});
      wrapAll(types, out, cases[i].type, *variant.payload, [&](Typed part) {
        std::vector<Labelled> changed = cases;
        changed[i].type = part.type;
        return Typed{*types.variant(std::move(changed)),
                     Value(Variant{variant.label, Box(std::move(part.value))})};
      });
      continue;
    }
    if (i < 6 || i + 1 == cases.size()) {
      std::vector<Labelled> fewer = cases;
      if (fewer[i].type) {
        fewer[i].type = nullptr;
      } else {
        fewer.erase(fewer.begin() + static_cast<ptrdiff_t>(i));
      }
      out.push_back({*types.variant(std::move(fewer)), given.value});
    }
  }
}

std::vector<Typed> simpler(TypeTable& types, const Typed& given) {
  std::vector<Typed> out;
  const Type& type = *given.type;
  switch (type.kind) {
    case TypeKind::STRING: {
      const std::string& text = *given.value.find<std::string>();
      // Cut between characters.
      size_t half = text.size() / 2;
      while (half < text.size() && (text[half] & 0xc0) == 0x80) ++half;
      if (half > 0 && half < text.size()) {
        out.push_back({&type, Value(text.substr(0, half))});
        out.push_back({&type, Value(text.substr(half))});
      }
      if (!text.empty()) out.push_back({&type, Value(std::string())});
      break;
    }
    case TypeKind::RECORD:
    case TypeKind::TUPLE:
      simplerProduct(types, given, out);
      break;
    case TypeKind::LIST:
      simplerList(types, given, out);
      break;
    case TypeKind::VARIANT:
      simplerVariant(types, given, out);
      break;
    case TypeKind::OPTION:
      if (const Option& option = *given.value.find<Option>(); option.value) {
        out.push_back({type.element, *option.value});
        wrapAll(types, out, type.element, *option.value, [&](Typed part) {
          return Typed{*types.option(part.type), Value(Option{Box(std::move(part.value))})};
        });
      }
      break;
    case TypeKind::RESULT: {
      const ResultValue& result = *given.value.find<ResultValue>();
      const Type* payload = result.isError ? type.error : type.ok;
      if (payload) {
        out.push_back({payload, *result.payload});
        wrapAll(types, out, payload, *result.payload, [&](Typed part) {
          return Typed{*types.result(result.isError ? type.ok : part.type,
                                     result.isError ? part.type : type.error),
                       Value(ResultValue{result.isError, Box(std::move(part.value))})};
        });
      }
      if (result.isError ? type.ok : type.error) {
        out.push_back({*types.result(result.isError ? nullptr : type.ok,
                                     result.isError ? type.error : nullptr),
                       given.value});
      }
      break;
    }
    default:
      break;
  }
  return out;
}

std::vector<State> candidates(TypeTable& types, const State& state) {
  std::vector<State> out;
  auto with = [&](const auto& change) {
    State next = state;
    change(next);
    out.push_back(std::move(next));
  };
  for (size_t i = 0; i < state.encodings.size() && state.encodings.size() > 1; ++i) {
    with([&](State& next) {
      next.encodings.erase(next.encodings.begin() + static_cast<ptrdiff_t>(i));
      auto& damage = next.input.disturbances;
      if (i < damage.size()) damage.erase(damage.begin() + static_cast<ptrdiff_t>(i));
    });
  }
  for (size_t i = 0; i < state.input.disturbances.size(); ++i) {
    const Disturbance& damage = state.input.disturbances[i];
    if (damage.none()) continue;
    with([&](State& next) { next.input.disturbances[i] = {}; });
    for (size_t e = 0; e < damage.edits.size(); ++e) {
      with([&](State& next) {
        auto& edits = next.input.disturbances[i].edits;
        edits.erase(edits.begin() + static_cast<ptrdiff_t>(e));
      });
    }
  }
  if (state.input.hostRefuses) with([](State& next) { next.input.hostRefuses = false; });
  if (state.function.postReturn) with([](State& next) { next.function.postReturn = false; });
  if (state.function.type.result) {
    with([](State& next) {
      next.function.type.result = nullptr;
      next.input.result = std::nullopt;
    });
  }
  const std::vector<Parameter>& params = state.function.type.params;
  for (size_t i = 0; i < params.size(); ++i) {
    auto at = static_cast<ptrdiff_t>(i);
    with([&](State& next) {
      next.function.type.params.erase(next.function.type.params.begin() + at);
      next.input.arguments.erase(next.input.arguments.begin() + at);
    });
  }
  for (size_t i = 0; i < state.encodings.size(); ++i) {
    if (state.encodings[i] == StringEncoding::UTF8) continue;
    with([&](State& next) { next.encodings[i] = StringEncoding::UTF8; });
  }
  for (size_t i = 0; i < params.size(); ++i) {
    for (Typed& part : simpler(types, {params[i].type, state.input.arguments[i]})) {
      with([&](State& next) {
        next.function.type.params[i].type = part.type;
        next.input.arguments[i] = std::move(part.value);
      });
    }
  }
  if (const Type* result = state.function.type.result) {
    for (Typed& part : simpler(types, {result, *state.input.result})) {
      with([&](State& next) {
        next.function.type.result = part.type;
        next.input.result = std::move(part.value);
      });
    }
  }
  return out;
}

std::string differenceOf(const Engines& engines, const State& state) {
  auto pair = Pair::create(engines, {{state.function}, state.encodings});
  if (!pair) return "";
  return difference((*pair)->run(0, state.input));
}

std::string describe(const State& state, const std::string& what) {
  static constexpr const char* ENCODINGS[] = {"utf8", "utf16", "latin1+utf16"};
  std::string text = "  f0: " + toString(state.function.type);
  if (state.function.postReturn) text += ", with post-return";
  text += "\n  chain:";
  for (StringEncoding encoding : state.encodings) {
    text += std::string(" ") + ENCODINGS[static_cast<size_t>(encoding)];
  }
  text += "\n  arguments:";
  for (const Value& value : state.input.arguments) text += " " + component::printWave(value);
  if (state.input.result)
    text += "\n  the host returns: " + component::printWave(*state.input.result);
  if (state.input.hostRefuses) text += "\n  the host refuses";
  for (size_t i = 0; i < state.input.disturbances.size(); ++i) {
    const Disturbance& damage = state.input.disturbances[i];
    if (damage.none()) continue;
    text += "\n  component " + std::to_string(i) + ":";
    if (damage.trap != Phase::NONE) {
      text += " traps in phase " + std::to_string(static_cast<uint32_t>(damage.trap));
    }
    if (damage.reallocCall) {
      text += " realloc call " + std::to_string(damage.reallocCall) + " ^ " +
              std::to_string(damage.reallocMask);
    }
    if (damage.resultMask) text += " result ^ " + std::to_string(damage.resultMask);
    for (size_t a = 0; a < damage.argumentMasks.size(); ++a) {
      if (!damage.argumentMasks[a]) continue;
      text += " argument " + std::to_string(a) + " ^ " + std::to_string(damage.argumentMasks[a]);
    }
    for (const Disturbance::Edit& edit : damage.edits) {
      text += " phase " + std::to_string(static_cast<uint32_t>(edit.phase)) + ": [" +
              std::to_string(edit.address) + "] ^ " + std::to_string(edit.mask);
    }
  }
  return text + "\n  " + what + "\n";
}

}  // namespace

std::string minimalCase(const Engines& engines, TypeTable& types, const Guest& guest,
                        size_t function, const Case& input) {
  State state{guest.functions[function], guest.encodings, input};
  std::string what = differenceOf(engines, state);
  if (what.empty()) return describe(state, "(not alone in a fresh guest)");
  int tries = 0;
  auto end = std::chrono::steady_clock::now() + MAX_TIME;
  for (bool better = true; better;) {
    better = false;
    for (State& next : candidates(types, state)) {
      if (++tries > MAX_TRIES || std::chrono::steady_clock::now() > end) break;
      std::string found = differenceOf(engines, next);
      if (found.empty()) continue;
      state = std::move(next);
      what = std::move(found);
      better = true;
      break;
    }
  }
  return describe(state, what);
}

}  // namespace tenon::differential
