// What an embedder does with Tenon, in six steps: give functions to a component, call it with C++
// types, call one whose types are known at run time only, hold a resource of a guest, join two
// components to a workload, and handle what goes wrong.
//
//   tour host_imports.wasm types.wasm types_through.wasm
//
// tests/guests has their interfaces and sources.

#include <tenon/component.h>
#include <tenon/engine.h>
#include <tenon/instance.h>
#include <tenon/linker.h>
#include <tenon/workload.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <map>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// A record of the interface `demo:host/api` as a struct: the same fields in the same order.
struct User {
  std::string name;
  uint32_t age = 0;
  std::vector<std::string> tags;
};
TENON_RECORD(User, name, age, tags)

// The record `point` of `tenon:types/echo`.
struct Point {
  int32_t x = 0;
  int32_t y = 0;
};
TENON_RECORD(Point, x, y)

namespace {

// A resource that the host implements. Guests hold handles; a handle carries a number, and this
// knows the object behind it.
class Tickets {
 public:
  struct Ticket {
    uint32_t id = 0;
    std::optional<std::string> note;
  };

  tenon::Own<Ticket> add(uint32_t id) {
    tickets_[++last_] = {id, std::nullopt};
    return {last_};
  }
  // Guests cannot make numbers up: what arrives is what `add` gave out.
  Ticket& operator[](tenon::Borrow<Ticket> ticket) { return tickets_.at(ticket.rep); }
  Ticket take(tenon::Own<Ticket> ticket) {
    return std::move(tickets_.extract(ticket.rep).mapped());
  }
  void drop(uint32_t rep) { tickets_.erase(rep); }
  size_t count() const { return tickets_.size(); }

 private:
  std::map<uint32_t, Ticket> tickets_;
  uint32_t last_ = 0;
};

// Everything that the interface `demo:host/api` has. Parameters that are views (std::string_view,
// std::span) point into the guest's memory: nothing is copied.
void provideApi(tenon::Linker& linker, Tickets& tickets) {
  constexpr std::string_view API = "demo:host/api";
  using Ticket = Tickets::Ticket;
  linker.function(API, "log", [](std::string_view message) {
    std::cout << "the guest logs: " << message << '\n';
  });
  linker.function(API, "now", []() -> uint64_t {
    return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  });
  linker.function(API, "add", [](uint32_t a, uint32_t b) { return a + b; });
  linker.function(API, "inc", [](uint32_t v) { return v + 1; });
  linker.function(API, "length",
                  [](std::string_view v) { return static_cast<uint32_t>(v.size()); });
  linker.function(API, "echo-string", [](std::string_view v) { return v; });
  linker.function(API, "sum", [](std::span<const uint32_t> numbers) {
    return std::accumulate(numbers.begin(), numbers.end(), uint64_t{0});
  });
  linker.function(API, "bytes", [](uint32_t count) {
    std::vector<uint8_t> bytes(count);
    std::iota(bytes.begin(), bytes.end(), uint8_t{0});
    return bytes;
  });
  linker.function(API, "describe",
                  [](const User& user) { return user.name + " is " + std::to_string(user.age); });
  // The guest's `result<user, string>`: its error is a value for the guest, not a failure of the
  // call.
  linker.function(API, "find", [](std::string_view name) -> tenon::Expected<User, std::string> {
    if (name.empty()) return tenon::Unexpected<std::string>{"a name is needed"};
    return User{std::string(name), 36, {"found"}};
  });
  linker.resource(API, "ticket", [&tickets](uint32_t rep) { tickets.drop(rep); });
  linker.function(API, "[constructor]ticket", [&tickets](uint32_t id) { return tickets.add(id); });
  linker.function(API, "[method]ticket.id",
                  [&tickets](tenon::Borrow<Ticket> ticket) { return tickets[ticket].id; });
  linker.function(API, "[method]ticket.note",
                  [&tickets](tenon::Borrow<Ticket> ticket, std::string_view text) {
                    return std::exchange(tickets[ticket].note, std::string(text));
                  });
  linker.function(API, "[static]ticket.join",
                  [&tickets](tenon::Own<Ticket> a, tenon::Own<Ticket> b) {
                    return tickets.add(tickets.take(a).id + tickets.take(b).id);
                  });
  linker.function(API, "check",
                  [&tickets](tenon::Borrow<Ticket> ticket) { return tickets[ticket].id; });
}

// Every step may fail, and says so by its value: TENON_TRY returns the Error.
tenon::Result<void> embed(const std::string& hostImports, const std::string& types,
                          const std::string& typesThrough) {
  TENON_TRY(tenon::Engine engine, tenon::Engine::create());
  tenon::Loop loop;

  // 1. A component that needs functions of ours.
  TENON_TRY(tenon::Component component, tenon::Component::load(engine, hostImports));
  for (const tenon::FunctionInfo& function : component.exports()) {
    std::cout << "it exports " << function.path() << ": " << toString(function.type) << '\n';
  }
  Tickets tickets;
  tenon::Linker linker;
  linker.wasi();
  provideApi(linker, tickets);
  TENON_TRY(tenon::Instance instance, linker.instantiate(component, loop));

  // 2. Calls with C++ types, checked here and never again.
  TENON_TRY(auto runAll, instance.function<std::vector<std::string>()>("", "run-all"));
  TENON_TRY(std::vector<std::string> lines, runAll());
  for (const std::string& line : lines) std::cout << "the guest says: " << line << '\n';
  std::cout << tickets.count() << " tickets are left\n";

  TENON_TRY(tenon::Component library, tenon::Component::load(engine, types));
  TENON_TRY(tenon::Instance second, linker.instantiate(library, loop));
  TENON_TRY(auto greet, second.function<std::string(std::string_view)>("", "greet"));
  TENON_TRY(std::string greeting, greet("embedder"));
  std::cout << greeting << '\n';
  TENON_TRY(auto echoPoint, second.function<Point(Point)>("tenon:types/echo", "echo-point"));
  TENON_TRY(Point point, echoPoint({1, -2}));
  std::cout << "a point came back: " << point.x << ", " << point.y << '\n';

  // 3. A call whose types are known at run time only, with its arguments as text.
  TENON_TRY(tenon::DynamicFunction dynamic, second.function("echo-narrow"));
  const std::string texts[] = {"letter('x')"};
  TENON_TRY(std::vector<tenon::Value> arguments, dynamic.parseArguments(texts));
  TENON_TRY(std::vector<tenon::Value> results, dynamic.call(std::move(arguments)));
  std::cout << dynamic.info().path() << " gave " << toWave(results.at(0)) << '\n';

  // 4. A resource of the guest, held by a handle.
  constexpr std::string_view ECHO = "tenon:types/echo@1.0.0";
  using Counter = tenon::GuestResource;
  TENON_TRY(auto newCounter, second.function<Counter(uint32_t)>(ECHO, "[constructor]counter"));
  TENON_TRY(auto increment,
            second.function<uint32_t(Counter, uint32_t)>(ECHO, "[method]counter.increment"));
  TENON_TRY(Counter counter, newCounter(40));
  TENON_TRY(uint32_t count, increment(counter, 2));
  std::cout << "the counter is at " << count << '\n';

  // 5. A workload in memory: what `front` imports, `back` exports. A call from one into the other
  // does not come through here.
  TENON_TRY(tenon::Component front, tenon::Component::load(engine, typesThrough));
  TENON_TRY(
      tenon::Workload workload,
      tenon::Workload::fromComponents(
          engine, "pair",
          {{.name = "front", .component = front, .links = {{std::string(ECHO), {.to = "back"}}}},
           {.name = "back", .component = library}}));
  for (const tenon::PlannedComponent& planned : workload.plan(linker).components) {
    for (const tenon::PlannedLink& link : planned.links) {
      std::cout << planned.name << " gets " << link.import << " from " << link.component << ", "
                << toString(link.cost) << '\n';
    }
  }
  TENON_TRY(tenon::WorkloadInstance pair, workload.instantiate(linker, loop));
  TENON_TRY(auto through, pair.function<Point(Point)>("front", "tenon:types/echo", "echo-point"));
  TENON_TRY(Point there, through({3, 4}));
  std::cout << "a point came back from the other component: " << there.x << ", " << there.y << '\n';

  // 6. What goes wrong is a value too: a type that does not fit, an import that is missing, a trap.
  auto wrong = second.function<uint32_t(uint32_t, std::string_view)>("", "add");
  if (!wrong) std::cout << "as an error: " << wrong.error().text() << '\n';
  tenon::Linker empty;
  auto unlinked = empty.instantiate(component, loop);
  if (!unlinked) std::cout << "as an error: " << unlinked.error().text() << '\n';
  TENON_TRY(auto trap, second.function<void()>("tenon:types/faults", "trap"));
  auto trapped = trap();
  if (!trapped) {
    std::cout << "as an error: " << trapped.error().text() << '\n' << trapped.error().details;
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s host_imports.wasm types.wasm types_through.wasm\n", argv[0]);
    return 2;
  }
  tenon::Result<void> done = embed(argv[1], argv[2], argv[3]);
  if (done) return 0;
  std::fprintf(stderr, "%s\n%s\n", done.error().text().c_str(), done.error().details.c_str());
  return 1;
}
