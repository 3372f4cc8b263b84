// Components that were built apart, joined when they are deployed: fused/chain-8, how fast a pair
// starts, and what linking takes, by the number of components (link/..., scale/...).

#include "base/temp_folder_testing.h"
#include "component/binary/decoder.h"
#include "link/plan_testing.h"
#include "run/executable.h"
#include "sides.h"

#include <tenon/workload.h>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

extern char** environ;

namespace tenon::bench {
namespace {

using Clock = std::chrono::steady_clock;

double nanosecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
}

// -- Chain ----------------------------------------------------------------------------------------

void benchChain(std::vector<Row>& rows) {
  constexpr const char* STEP = "tenon:bench/step@0.1.0";
  constexpr int LENGTH = 8;
  Side& side = Side::get();
  Component relay = side.load("relay");
  std::vector<WorkloadComponent> components;
  for (int i = 0; i < LENGTH; ++i) {
    WorkloadComponent component{"c" + std::to_string(i), i == 0            ? side.load("chain")
                                                         : i == LENGTH - 1 ? side.load("callee")
                                                                           : relay};
    if (i + 1 < LENGTH) component.links[STEP] = {.to = "c" + std::to_string(i + 1)};
    components.push_back(std::move(component));
  }
  Workload workload = orFail(Workload::fromComponents(side.engine, "chain", std::move(components)));
  Linker linker;
  WorkloadInstance chain = orFail(workload.instantiate(linker, side.loop));
  auto run =
      orFail(chain.function<uint32_t(uint32_t)>("c0", "tenon:bench/run-step@0.1.0", "run-inc"));
  Instance pair = orFail(linker.instantiate(side.load("pair"), side.loop));
  auto inc =
      orFail(pair.function<uint64_t(uint32_t, uint32_t)>("tenon:bench/run@0.1.0", "run-inc"));
  std::vector<double> best =
      bestOf({[&](uint64_t count) {
                if (orFail(run(static_cast<uint32_t>(count))) != count) fail("the chain is broken");
              },
              [&](uint64_t count) { orFail(inc(static_cast<uint32_t>(count), 0)); }});
  rows.push_back({.name = "fused/chain-8",
                  .tenon = best[0],
                  .wasmtime = std::nullopt,
                  .more = {{"fused-u32", best[1]}, {"times-fused-u32", best[0] / best[1]}},
                  .goal = "<= 8 times fused/u32"});
}

// -- Instantiation --------------------------------------------------------------------------------

// What Wasmtime can run: the same two components, composed.
std::vector<std::byte> composedPair() {
  TempFolder folder;
  std::string out = folder / "pair.wasm";
  // `compose` names instances after files, and takes no underscores.
  std::string caller = folder / "caller.wasm", callee = folder / "callee.wasm";
  std::filesystem::copy_file(guestPath("caller_std"), caller);
  std::filesystem::copy_file(guestPath("callee_std"), callee);
  std::vector<std::string> words = {TENON_WASM_TOOLS, "compose",  caller, "--definitions",
                                    callee,           "--output", out};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", 1, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", 1, 0);
  int status = posix_spawn(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (status != 0) fail("cannot run " + words[0]);
  waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail("wasm-tools compose failed");
  std::ifstream in(out, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::vector<std::byte> bytes(text.size());
  std::ranges::transform(text, bytes.begin(), [](char c) { return static_cast<std::byte>(c); });
  return bytes;
}

void benchPair(std::vector<Row>& rows) {
  Side& side = Side::get();
  std::vector<WorkloadComponent> components;
  components.push_back({"caller", side.load("caller_std")});
  components.push_back({"callee", side.load("callee_std")});
  Workload workload = orFail(Workload::fromComponents(side.engine, "pair", std::move(components)));
  Linker linker;
  linker.wasi();
  raceInstances(rows, "instantiate/fused-pair", "ratio <= 0.8", composedPair(),
                [&] { orFail(workload.instantiate(linker, side.loop)); });
}

// -- Linking --------------------------------------------------------------------------------------

// `count` components, half of them callers of the other half: eleven functions over each link.
std::string nameOf(size_t index) {
  return (index % 2 == 0 ? "caller" : "callee") + std::to_string(index / 2);
}
constexpr const char* API = "tenon:bench/api@0.1.0";

std::vector<WorkloadComponent> pairs(const Engine& engine, size_t count) {
  Component caller = orFail(Component::load(engine, guestPath("caller")));
  Component callee = orFail(Component::load(engine, guestPath("callee")));
  std::vector<WorkloadComponent> components;
  for (size_t i = 0; i < count; ++i) {
    WorkloadComponent component{nameOf(i), i % 2 == 0 ? caller : callee};
    if (i % 2 == 0) component.links[API] = {.to = nameOf(i + 1)};
    components.push_back(std::move(component));
  }
  return components;
}

// The steps of linking one by one, below the library.
struct Phases {
  double plan = 0, flatten = 0, adapterBytes = 0, adapterCode = 0, adapters = 0;
};

Phases phasesOf(const std::shared_ptr<engine::Engine>& engine, size_t count) {
  std::vector<std::vector<std::byte>> bytes = {guestBytes("caller"), guestBytes("callee")};
  std::vector<std::unique_ptr<component::Component>> definitions;
  for (const auto& guest : bytes) definitions.push_back(orFail(component::decode(guest)));
  std::vector<link::Given> components;
  for (size_t i = 0; i < count; ++i) {
    link::Given component{nameOf(i), definitions[i % 2].get()};
    if (i % 2 == 0) component.links[API] = {.to = nameOf(i + 1)};
    components.push_back(std::move(component));
  }
  Phases phases;
  auto begin = Clock::now();
  link::Plan plan = orFail(link::planGiven(components, link::nothingIs));
  phases.plan = nanosecondsSince(begin);
  if (!plan.ok()) fail(plan.problems.front().text());
  std::vector<run::Executable::Part> planned;
  for (const link::PlannedPart& part : plan.stores.front().parts) {
    planned.push_back({part.name, bytes[part.component % 2], link::wiresOf(part)});
  }
  begin = Clock::now();
  auto executable =
      orFail(run::Executable::link(std::move(planned), "scale", component::Rewriting::ON));
  phases.flatten = nanosecondsSince(begin);
  orFail(executable->compile(engine, nullptr));
  std::set<uint32_t> adapters;
  for (const component::InstantiateStep& step : executable->program().steps) {
    if (step.instance == component::NONE) adapters.insert(step.module);
  }
  for (uint32_t i : adapters) {
    const component::ModuleBytes& module = executable->program().modules[i];
    phases.adapterBytes += static_cast<double>(module.bytes.size());
    phases.adapterCode += static_cast<double>(orFail(executable->modules()[i].serialize()).size());
    phases.adapters += 1;
  }
  return phases;
}

// Memory of this process that is there, in bytes.
double resident() {
  std::ifstream in("/proc/self/statm");
  double total = 0, pages = 0;
  in >> total >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// Linking from scratch, with and without the cache, and instances of it.
Row linkRow(std::string name, size_t count, std::string goal) {
  constexpr int ROUNDS = 3;
  TempFolder folder;
  Linker linker;
  double fresh = 1e18, cached = 1e18, plan = 1e18;
  Loop& loop = Side::get().loop;
  double instantiate = 0, linkMemory = 0, instanceMemory = 0;
  for (int round = 0; round < ROUNDS; ++round) {
    EngineOptions options;
    options.cacheDirectory = folder / ("cache" + std::to_string(round));
    // Twice: the second time the cache has it.
    for (bool again : {false, true}) {
      Engine engine = orFail(Engine::create(options));
      std::vector<WorkloadComponent> components = pairs(engine, count);
      double before = resident();
      auto begin = Clock::now();
      Workload workload = orFail(Workload::fromComponents(engine, "scale", std::move(components)));
      orFail(workload.compile(linker));
      double& best = again ? cached : fresh;
      best = std::min(best, nanosecondsSince(begin));
      if (!workload.warning().empty()) fail(workload.warning());
      begin = Clock::now();
      if (!workload.plan(linker).ok()) fail("the plan of " + name + " has problems");
      plan = std::min(plan, nanosecondsSince(begin));
      if (round > 0 || !again) continue;
      linkMemory = resident() - before;
      before = resident();
      {
        WorkloadInstance instance = orFail(workload.instantiate(linker, loop));
        instanceMemory = resident() - before;
      }
      instantiate = bestOf([&](uint64_t times) {
        for (uint64_t i = 0; i < times; ++i) orFail(workload.instantiate(linker, loop));
      });
    }
  }
  return {.name = std::move(name),
          .tenon = fresh,
          .wasmtime = std::nullopt,
          .more = {{"components", static_cast<double>(count)},
                   {"cached", cached},
                   {"plan", plan},
                   {"instantiate", instantiate},
                   {"link-memory-bytes", linkMemory},
                   {"instance-memory-bytes", instanceMemory}},
          .goal = std::move(goal)};
}

void benchScale(std::vector<Row>& rows, const Wanted& wanted) {
  for (size_t count : {2, 10, 100}) {
    std::string name = "scale/" + std::to_string(count);
    if (!wanted(name)) continue;
    Row row = linkRow(name, count, "for docs/scaling.svg");
    auto engine = orFail(engine::Engine::create({}));
    Phases phases = phasesOf(engine, count);
    row.more["flatten-and-fuse"] = phases.flatten;
    row.more["adapter-wasm-bytes"] = phases.adapterBytes;
    row.more["adapter-compiled-bytes"] = phases.adapterCode;
    row.more["adapter-modules"] = phases.adapters;
    rows.push_back(std::move(row));
  }
}

}  // namespace

void benchWorkloads(const Wanted& wanted, std::vector<Row>& rows) {
  if (wanted("fused/chain-8")) benchChain(rows);
  if (wanted("instantiate/fused-pair")) benchPair(rows);
  if (wanted("link/100")) rows.push_back(linkRow("link/100", 100, "cached <= 20 ms"));
  benchScale(rows, wanted);
}

}  // namespace tenon::bench
