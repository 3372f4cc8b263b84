#include "calls.h"

#include "component/wit/wave.h"

#include <algorithm>

namespace tenon::differential {
namespace {

std::string show(const std::vector<Value>& values) {
  std::string text;
  for (const Value& value : values)
    text += (text.empty() ? "" : ", ") + component::printWave(value);
  if (text.size() > 600) text = text.substr(0, 600) + "...";
  return "(" + text + ")";
}

std::string show(const Outcome& outcome) {
  if (!outcome.trap) return "returned " + show(outcome.results);
  std::string text = "trapped: " + *outcome.trap;
  size_t cause = text.rfind("Caused by:");
  if (cause != std::string::npos) text = "trapped: " + text.substr(cause + 11);
  return text;
}

std::string show(const Event& event) { return event.what + show(event.values); }

bool anyNan(const Pair::Observed& observed) {
  for (const Event& event : observed.events) {
    if (std::ranges::any_of(event.values, hasNan)) return true;
  }
  return std::ranges::any_of(observed.outcome.results, hasNan);
}

}  // namespace

Result<std::unique_ptr<Pair>> Pair::create(const Engines& engines, const Guest& guest) {
  std::unique_ptr<Pair> pair(new Pair());
  pair->guest_ = guest;
  for (const GuestFunction& function : guest.functions) {
    pair->script_.functions.push_back(function.type);
  }
  component::TypeTable& types = pair->types_;
  pair->poke_.params = {{"words", *types.list(types.primitive(TypeKind::U32))}};
  pair->peek_.result = *types.list(types.primitive(TypeKind::U64));
  TENON_TRY(std::vector<std::byte> bytes, parseText(toText(guest)));
  auto wasmtime = newWasmtimeSide(engines.wasmtime, bytes, pair->script_);
  auto tenon = newTenonSide(engines.tenon, bytes, pair->script_, engines.rewriting);
  if (!wasmtime) return Error(ErrorCode::INVALID, "Wasmtime: " + wasmtime.error().text());
  if (!tenon) return Error(ErrorCode::INVALID, "Tenon: " + tenon.error().text());
  pair->wasmtime_ = *std::move(wasmtime);
  pair->tenon_ = *std::move(tenon);
  TENON_CHECK(pair->wasmtime_->instantiate());
  TENON_CHECK(pair->tenon_->instantiate());
  return pair;
}

Pair::Both Pair::run(size_t function, const Case& input) {
  Both both;
  both.wasmtime = run(*wasmtime_, function, input);
  both.tenon = run(*tenon_, function, input);
  return both;
}

Pair::Observed Pair::run(Side& side, size_t function, const Case& input) {
  Observed observed;
  auto failed = [&](Outcome outcome) {
    observed.outcome = std::move(outcome);
    observed.events = std::move(script_.events);
    side.instantiate().value();
    return observed;
  };
  script_.events.clear();
  script_.result = input.result;
  script_.refuses = input.hostRefuses;
  size_t components = guest_.encodings.size();
  for (size_t i = 0; i < components; ++i) {
    std::vector<uint32_t> words =
        i < input.disturbances.size() ? input.disturbances[i].words() : std::vector<uint32_t>();
    List list;
    for (uint32_t word : words) list.items.push_back(Value(word));
    Outcome poked = side.call("poke" + std::to_string(i), poke_, {Value(std::move(list))});
    if (poked.trap) return failed(std::move(poked));
  }
  Outcome outcome =
      side.call("f" + std::to_string(function), guest_.functions[function].type, input.arguments);
  if (outcome.trap) return failed(std::move(outcome));
  observed.outcome = std::move(outcome);
  observed.events = std::move(script_.events);
  for (size_t i = 0; i < components; ++i) {
    Outcome peeked = side.call("peek" + std::to_string(i), peek_, {});
    if (peeked.trap) return failed(std::move(peeked));
    auto& words = observed.memories.emplace_back();
    for (const Value& word : peeked.results.at(0).find<List>()->items) {
      words.push_back(*word.find<uint64_t>());
    }
  }
  return observed;
}

std::string difference(const Pair::Both& both) {
  const Pair::Observed &tenon = both.tenon, &wasmtime = both.wasmtime;
  size_t count = std::min(tenon.events.size(), wasmtime.events.size());
  for (size_t i = 0; i < count; ++i) {
    const Event &a = tenon.events[i], &b = wasmtime.events[i];
    if (a.what != b.what || !sameValues(a.values, b.values)) {
      return "host call " + std::to_string(i) + ": Tenon " + show(a) + ", Wasmtime " + show(b);
    }
  }
  auto outcomes = [&] {
    return "Tenon " + show(tenon.outcome) + "; Wasmtime " + show(wasmtime.outcome);
  };
  if (tenon.events.size() != wasmtime.events.size()) {
    bool more = tenon.events.size() > count;
    return std::string("only ") + (more ? "Tenon" : "Wasmtime") +
           " calls the host: " + show((more ? tenon : wasmtime).events[count]) + "; " + outcomes();
  }
  if (tenon.outcome.trap.has_value() != wasmtime.outcome.trap.has_value()) return outcomes();
  if (tenon.outcome.trap) {
    return sameTrap(*tenon.outcome.trap, *wasmtime.outcome.trap) ? "" : "trap class: " + outcomes();
  }
  if (!sameValues(tenon.outcome.results, wasmtime.outcome.results)) return outcomes();
  // The bits of NaNs may differ in memory.
  if (tenon.memories != wasmtime.memories && !anyNan(tenon)) {
    for (size_t c = 0; c < tenon.memories.size(); ++c) {
      const auto &a = tenon.memories[c], &b = wasmtime.memories[c];
      if (a == b) continue;
      size_t at = 0;
      while (at < a.size() && at < b.size() && a[at] == b[at]) ++at;
      auto word = [&](const std::vector<uint64_t>& words) {
        return at < words.size() ? std::to_string(words[at]) : std::string("nothing");
      };
      return "memory of component " + std::to_string(c) + " at " +
             std::to_string(LOG_ADDRESS + 8 * at) + ": Tenon " + word(a) + ", Wasmtime " + word(b);
    }
    return "memories differ";
  }
  return "";
}

}  // namespace tenon::differential
