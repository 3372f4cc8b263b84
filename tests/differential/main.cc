// Runs generated calls under Tenon and under Wasmtime's component API and compares what happens.
//
//     tenon_differential [--what calls|handles|shapes] [--cases N] [--seed S] [--shard I/N]
//     [--guest K] [--no-rewriting]
//
// `calls`: a case is one call through a chain of generated components (calls.h). `handles`: a case
// is a sequence of operations on resource handles (handles.h). `shapes`: a component that imports
// through a shim (shapes.h).
// `--no-rewriting`: Tenon runs the core modules as they are; `shapes` does both.
//
// Everything follows from the seed: guest K of a seed is the same in every run. A difference is
// printed as a minimal case, with the arguments that bring it back. Exit code 1 if there was one.

#include "calls.h"
#include "handles.h"
#include "shapes.h"

#include <cstdio>
#include <cstdlib>
#include <string>

namespace tenon::differential {
namespace {

struct Options {
  uint64_t cases = 20'000;
  uint64_t seed = 1;
  uint64_t shard = 0, shards = 1;
  int64_t guest = -1;
  std::string what = "calls";
  int failures = 5;
};

constexpr uint32_t FUNCTIONS = 10;  // of a guest
constexpr uint32_t ROUNDS = 16;     // calls of a function
constexpr uint64_t CASES_OF_GUEST = FUNCTIONS * ROUNDS;

Guest randomGuest(Random& random, component::TypeTable& types) {
  Guest guest;
  for (uint32_t i = 0; i < FUNCTIONS; ++i) {
    guest.functions.push_back({randomFunction(random, types), random.oneIn(2)});
  }
  uint32_t length = 1 + random.below(3);
  for (uint32_t i = 0; i < length; ++i) {
    guest.encodings.push_back(static_cast<StringEncoding>(random.below(3)));
  }
  return guest;
}

uint32_t randomMask(Random& random) {
  static constexpr uint32_t MASKS[] = {1,         2,          4,          0x80,      0xff,
                                       0x100,     0x8000,     0xffff,     0x10000,   0x100000,
                                       0x1000000, 0x80000000, 0x7fffffff, 0xffffffff};
  return random.oneIn(3) ? static_cast<uint32_t>(random.bits())
                         : MASKS[random.below(std::size(MASKS))];
}

// Damage for one component, whose memory after the undisturbed call is `memory`.
Disturbance randomDisturbance(Random& random, const std::vector<uint64_t>& memory, size_t flat) {
  Disturbance damage;
  switch (random.below(10)) {
    case 0:
      damage.trap = static_cast<Phase>(1 + random.below(3));
      return damage;
    case 1:
      damage.reallocCall = 1 + random.below(4);
      damage.reallocMask = randomMask(random);
      return damage;
    case 2:
      damage.resultMask = randomMask(random);
      if (random.oneIn(4)) damage.resultMask = random.bits();
      return damage;
    case 3:
    case 4:
      if (flat == 0) break;
      damage.argumentMasks.resize(flat);
      damage.argumentMasks[random.below(static_cast<uint32_t>(flat))] =
          random.oneIn(3) ? random.bits() : randomMask(random);
      return damage;
    default:
      break;
  }
  size_t heap = memory.size() * 8 - (HEAP_ADDRESS - LOG_ADDRESS);
  if (memory.size() * 8 <= HEAP_ADDRESS - LOG_ADDRESS) return damage;
  for (uint32_t i = 0, count = 1 + random.below(3); i < count; ++i) {
    uint32_t address = HEAP_ADDRESS + random.below(static_cast<uint32_t>(heap));
    if (!random.oneIn(3)) address &= ~3u;
    damage.edits.push_back({static_cast<Phase>(1 + random.below(2)), address, randomMask(random)});
  }
  return damage;
}

struct Counts {
  uint64_t cases = 0, trapped = 0, disturbed = 0;
  int differences = 0;
};

void report(const Options& options, uint64_t number, const Engines& engines,
            component::TypeTable& types, const Guest& guest, size_t function, const Case& input,
            const std::string& what) {
  std::printf("DIFFERENCE in guest %llu, function f%zu (--seed %llu --guest %llu): %s\n%s\n",
              static_cast<unsigned long long>(number), function,
              static_cast<unsigned long long>(options.seed),
              static_cast<unsigned long long>(number), what.c_str(),
              minimalCase(engines, types, guest, function, input).c_str());
  std::fflush(stdout);
}

void runGuest(const Options& options, const Engines& engines, uint64_t number, Counts& counts) {
  Random random(options.seed * 1'000'003 + number);
  component::TypeTable types;
  Guest guest = randomGuest(random, types);
  auto pair = Pair::create(engines, guest);
  if (!pair) {
    ++counts.differences;
    std::printf("guest %llu of seed %llu was refused: %s\n",
                static_cast<unsigned long long>(number),
                static_cast<unsigned long long>(options.seed), pair.error().text().c_str());
    if (std::getenv("TENON_SHOW_TEXT")) std::printf("%s\n", toText(guest).c_str());
    return;
  }
  for (size_t f = 0; f < guest.functions.size(); ++f) {
    const FuncType& type = guest.functions[f].type;
    size_t flat = component::flattenLift(type).params.size();
    std::vector<std::vector<uint64_t>> memories(guest.encodings.size());
    Case input;
    for (uint32_t round = 0; round < ROUNDS; ++round) {
      // Every second call is the one before, disturbed.
      bool disturbed = round % 2 == 1;
      if (!disturbed) {
        input = {};
        for (const Parameter& param : type.params) {
          input.arguments.push_back(randomValue(random, *param.type));
        }
        if (type.result) input.result = randomValue(random, *type.result);
      } else {
        input.hostRefuses = random.oneIn(20);
        input.disturbances.resize(guest.encodings.size());
        size_t victim = random.below(static_cast<uint32_t>(guest.encodings.size()));
        input.disturbances[victim] = randomDisturbance(random, memories[victim], flat);
      }
      Pair::Both both = (*pair)->run(f, input);
      ++counts.cases;
      counts.disturbed += disturbed;
      counts.trapped += both.tenon.outcome.trap.has_value();
      if (!disturbed) {
        memories = both.wasmtime.memories;
        memories.resize(guest.encodings.size());
      }
      if (std::string what = difference(both); !what.empty()) {
        if (++counts.differences <= options.failures) {
          report(options, number, engines, types, guest, f, input, what);
        }
      }
    }
  }
}

int usage() {
  std::fprintf(stderr,
               "tenon_differential [--what calls|handles|shapes] [--cases N] [--seed S] "
               "[--shard I/N] [--guest K] [--no-rewriting]\n");
  return 2;
}

int main(int argc, char** argv) {
  Options options;
  Engines engines;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word == "--no-rewriting") {
      engines.rewriting = component::Rewriting::OFF;
      continue;
    }
    if (i + 1 == argc) return usage();
    char* text = argv[++i];
    char* end = nullptr;
    uint64_t number = std::strtoull(text, &end, 10);
    if (word == "--what") {
      options.what = text;
    } else if (word == "--cases") {
      options.cases = number;
    } else if (word == "--seed") {
      options.seed = number;
    } else if (word == "--guest") {
      options.guest = static_cast<int64_t>(number);
    } else if (word == "--shard" && *end == '/') {
      options.shard = number;
      options.shards = std::strtoull(end + 1, nullptr, 10);
    } else {
      return usage();
    }
  }
  if (options.shards == 0) return usage();
  Counts counts;
  if (options.what == "handles") {
    uint64_t share = options.cases / options.shards, operations = 0;
    int differences =
        runHandles(engines, options.seed, options.shard * share, share, operations, counts.trapped);
    std::printf("%llu sequences, %llu operations, %llu sequences trapped; %d differences\n",
                static_cast<unsigned long long>(share), static_cast<unsigned long long>(operations),
                static_cast<unsigned long long>(counts.trapped), differences);
    return differences == 0 ? 0 : 1;
  }
  if (options.what == "shapes") {
    uint64_t share = options.cases / options.shards, calls = 0, rewritten = 0;
    uint64_t first =
        options.guest < 0 ? options.shard * share : static_cast<uint64_t>(options.guest);
    if (options.guest >= 0) share = 1;
    int differences =
        runShapes(engines, options.seed, first, share, calls, counts.trapped, rewritten);
    std::printf(
        "%llu components, %llu of them rewritten, %llu calls, %llu trapped; %d differences\n",
        static_cast<unsigned long long>(share), static_cast<unsigned long long>(rewritten),
        static_cast<unsigned long long>(calls), static_cast<unsigned long long>(counts.trapped),
        differences);
    // Many must be of the kind that is rewritten, or nothing is compared.
    return differences == 0 && (share < 100 || rewritten * 5 > share) ? 0 : 1;
  }
  if (options.what != "calls") return usage();
  uint64_t guests = (options.cases + CASES_OF_GUEST - 1) / CASES_OF_GUEST;
  for (uint64_t guest = 0; guest < guests; ++guest) {
    if (options.guest < 0 && guest % options.shards == options.shard) {
      runGuest(options, engines, guest, counts);
    }
  }
  if (options.guest >= 0) {
    runGuest(options, engines, static_cast<uint64_t>(options.guest), counts);
  }
  std::printf("%llu cases, %llu of them disturbed, %llu trapped; %d differences\n",
              static_cast<unsigned long long>(counts.cases),
              static_cast<unsigned long long>(counts.disturbed),
              static_cast<unsigned long long>(counts.trapped), counts.differences);
  return counts.differences == 0 ? 0 : 1;
}

}  // namespace
}  // namespace tenon::differential

int main(int argc, char** argv) { return tenon::differential::main(argc, argv); }
