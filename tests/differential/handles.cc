#include "handles.h"

#include <algorithm>
#include <cstdio>
#include <memory>

namespace tenon::differential {
namespace {

// B defines a resource `r` and gets handles to the host's `res`; A uses both. A's `op` does what
// its first argument says: see OPERATIONS. Numbers of handles come from the test, so that they are
// often wrong.
constexpr const char* TEXT = R"((component
(import "host" (instance $host
  (export "res" (type $res (sub resource)))
  (export "f0" (func (result (own $res))))
  (export "f1" (func (param "a" (own $res))))
  (export "f2" (func (param "a" (borrow $res)) (result u32)))))
(import "log" (instance $log (export "mark" (func (param "a" u32) (param "b" u32)))))

(component $B
  (import "host" (instance $host (export "res" (type $res (sub resource)))
    (export "f2" (func (param "a" (borrow $res)) (result u32)))))
  (import "log" (instance $log (export "mark" (func (param "a" u32) (param "b" u32)))))
  (alias export $host "res" (type $res))
  (core func $mark (canon lower (func $log "mark")))
  (core func $f2 (canon lower (func $host "f2")))
  (core module $D (import "h" "mark" (func $mark (param i32 i32)))
    (func (export "dtor") (param i32) (call $mark (i32.const 100) (local.get 0))
      (if (i32.eq (local.get 0) (i32.const 666)) (then unreachable))))
  (core instance $d (instantiate $D (with "h" (instance (export "mark" (func $mark))))))
  (alias core export $d "dtor" (core func $dtor))
  (type $r' (resource (rep i32) (dtor $dtor)))
  (export $r "r" (type $r'))
  (core func $new (canon resource.new $r'))
  (core func $rep (canon resource.rep $r'))
  (core func $drop (canon resource.drop $r'))
  (core func $dropres (canon resource.drop $res))
  (core module $M
    (import "h" "new" (func $new (param i32) (result i32)))
    (import "h" "rep" (func $rep (param i32) (result i32)))
    (import "h" "drop" (func $drop (param i32)))
    (import "h" "dropres" (func $dropres (param i32)))
    (import "h" "f2" (func $f2 (param i32) (result i32)))
    (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
    (func (export "take") (param i32) (result i32) (local.get 0))
    (func (export "look") (param i32) (result i32) (local.get 0))
    (func (export "give") (param i32) (result i32) (local.get 0))
    (func (export "new") (param i32) (result i32) (call $new (local.get 0)))
    (func (export "rep") (param i32) (result i32) (call $rep (local.get 0)))
    (func (export "drop") (param i32) (result i32) (call $drop (local.get 0)) (i32.const 1))
    (func (export "both") (param i32 i32) (result i32)
      (i32.add (i32.mul (local.get 0) (i32.const 100)) (local.get 1)))
    (func (export "keep") (param i32) (result i32) (local.get 0))
    (func (export "let-go") (param i32) (result i32) (call $dropres (local.get 0)) (local.get 0))
    (func (export "pass") (param i32) (result i32) (local $answer i32)
      (local.set $answer (call $f2 (local.get 0)))
      (call $dropres (local.get 0)) (local.get $answer))
    (func (export "wrong") (param i32 i32) (result i32)
      (call $dropres (local.get 1)) (call $dropres (local.get 0)) (i32.const 1))
    (func (export "own-res") (param i32) (result i32) (local.get 0))
    (func (export "give-res") (param i32) (result i32) (local.get 0)))
  (core instance $m (instantiate $M (with "h" (instance (export "new" (func $new))
    (export "rep" (func $rep)) (export "drop" (func $drop)) (export "dropres" (func $dropres))
    (export "f2" (func $f2))))))
  (func (export "make") (param "a" u32) (result (own $r)) (canon lift (core func $m "make")))
  (func (export "take") (param "a" (own $r)) (result u32) (canon lift (core func $m "take")))
  (func (export "look") (param "a" (borrow $r)) (result u32) (canon lift (core func $m "look")))
  (func (export "give") (param "a" u32) (result (own $r)) (canon lift (core func $m "give")))
  (func (export "new") (param "a" u32) (result u32) (canon lift (core func $m "new")))
  (func (export "rep") (param "a" u32) (result u32) (canon lift (core func $m "rep")))
  (func (export "drop") (param "a" u32) (result u32) (canon lift (core func $m "drop")))
  (func (export "both") (param "a" (own $r)) (param "b" (borrow $r)) (result u32)
    (canon lift (core func $m "both")))
  (func (export "keep") (param "a" (borrow $res)) (result u32) (canon lift (core func $m "keep")))
  (func (export "let-go") (param "a" (borrow $res)) (result u32)
    (canon lift (core func $m "let-go")))
  (func (export "pass") (param "a" (borrow $res)) (result u32) (canon lift (core func $m "pass")))
  (func (export "wrong") (param "a" (borrow $res)) (param "b" u32) (result u32)
    (canon lift (core func $m "wrong")))
  (func (export "own-res") (param "a" (own $res)) (result u32)
    (canon lift (core func $m "own-res")))
  (func (export "give-res") (param "a" u32) (result (own $res))
    (canon lift (core func $m "give-res"))))

(component $A
  (import "host" (instance $host
    (export "res" (type $res (sub resource)))
    (export "f0" (func (result (own $res))))
    (export "f1" (func (param "a" (own $res))))
    (export "f2" (func (param "a" (borrow $res)) (result u32)))))
  (alias export $host "res" (type $res))
  (import "b" (instance $b
    (export "r" (type $r (sub resource)))
    (export "make" (func (param "a" u32) (result (own $r))))
    (export "take" (func (param "a" (own $r)) (result u32)))
    (export "look" (func (param "a" (borrow $r)) (result u32)))
    (export "give" (func (param "a" u32) (result (own $r))))
    (export "new" (func (param "a" u32) (result u32)))
    (export "rep" (func (param "a" u32) (result u32)))
    (export "drop" (func (param "a" u32) (result u32)))
    (export "both" (func (param "a" (own $r)) (param "b" (borrow $r)) (result u32)))
    (export "keep" (func (param "a" (borrow $res)) (result u32)))
    (export "let-go" (func (param "a" (borrow $res)) (result u32)))
    (export "pass" (func (param "a" (borrow $res)) (result u32)))
    (export "wrong" (func (param "a" (borrow $res)) (param "b" u32) (result u32)))
    (export "own-res" (func (param "a" (own $res)) (result u32)))
    (export "give-res" (func (param "a" u32) (result (own $res))))))
  (alias export $b "r" (type $r))
  (core func $make (canon lower (func $b "make")))
  (core func $take (canon lower (func $b "take")))
  (core func $look (canon lower (func $b "look")))
  (core func $give (canon lower (func $b "give")))
  (core func $new (canon lower (func $b "new")))
  (core func $rep (canon lower (func $b "rep")))
  (core func $drop (canon lower (func $b "drop")))
  (core func $both (canon lower (func $b "both")))
  (core func $keep (canon lower (func $b "keep")))
  (core func $let-go (canon lower (func $b "let-go")))
  (core func $pass (canon lower (func $b "pass")))
  (core func $wrong (canon lower (func $b "wrong")))
  (core func $own-res (canon lower (func $b "own-res")))
  (core func $give-res (canon lower (func $b "give-res")))
  (core func $f0 (canon lower (func $host "f0")))
  (core func $f1 (canon lower (func $host "f1")))
  (core func $f2 (canon lower (func $host "f2")))
  (core func $dropr (canon resource.drop $r))
  (core func $dropres (canon resource.drop $res))
  (core module $M
    (type $one (func (param i32) (result i32)))
    (import "h" "make" (func $make (type $one)))
    (import "h" "take" (func $take (type $one)))
    (import "h" "look" (func $look (type $one)))
    (import "h" "give" (func $give (type $one)))
    (import "h" "new" (func $new (type $one)))
    (import "h" "rep" (func $rep (type $one)))
    (import "h" "drop" (func $drop (type $one)))
    (import "h" "both" (func $both (param i32 i32) (result i32)))
    (import "h" "keep" (func $keep (type $one)))
    (import "h" "let-go" (func $let-go (type $one)))
    (import "h" "pass" (func $pass (type $one)))
    (import "h" "wrong" (func $wrong (param i32 i32) (result i32)))
    (import "h" "own-res" (func $own-res (type $one)))
    (import "h" "give-res" (func $give-res (type $one)))
    (import "h" "f0" (func $f0 (result i32)))
    (import "h" "f1" (func $f1 (param i32)))
    (import "h" "f2" (func $f2 (type $one)))
    (import "h" "dropr" (func $dropr (param i32)))
    (import "h" "dropres" (func $dropres (param i32)))
    (func $op (export "op") (param $code i32) (param $a i32) (param $b i32) (result i32)
      (block $19 (block $18 (block $17 (block $16 (block $15 (block $14 (block $13 (block $12
      (block $11 (block $10 (block $9 (block $8 (block $7 (block $6 (block $5 (block $4 (block $3
      (block $2 (block $1 (block $0
        (br_table $0 $1 $2 $3 $4 $5 $6 $7 $8 $9 $10 $11 $12 $13 $14 $15 $16 $17 $18 $19
          (local.get $code)))
      (return (call $make (local.get $a))))
      (return (call $take (local.get $a))))
      (return (call $look (local.get $a))))
      (return (call $give (local.get $a))))
      (return (call $new (local.get $a))))
      (return (call $rep (local.get $a))))
      (return (call $drop (local.get $a))))
      (return (call $both (local.get $a) (local.get $b))))
      (return (call $keep (local.get $a))))
      (return (call $let-go (local.get $a))))
      (return (call $pass (local.get $a))))
      (return (call $wrong (local.get $a) (local.get $b))))
      (return (call $own-res (local.get $a))))
      (return (call $give-res (local.get $a))))
      (return (call $f0)))
      (call $f1 (local.get $a)) (return (i32.const 1)))
      (return (call $f2 (local.get $a))))
      (call $dropr (local.get $a)) (return (i32.const 1)))
      (call $dropres (local.get $a)) (return (i32.const 1)))
      (i32.const 0)))
  (core instance $m (instantiate $M (with "h" (instance
    (export "make" (func $make)) (export "take" (func $take)) (export "look" (func $look))
    (export "give" (func $give)) (export "new" (func $new)) (export "rep" (func $rep))
    (export "drop" (func $drop)) (export "both" (func $both)) (export "keep" (func $keep))
    (export "let-go" (func $let-go)) (export "pass" (func $pass)) (export "wrong" (func $wrong))
    (export "own-res" (func $own-res)) (export "give-res" (func $give-res))
    (export "f0" (func $f0)) (export "f1" (func $f1)) (export "f2" (func $f2))
    (export "dropr" (func $dropr)) (export "dropres" (func $dropres))))))
  (func (export "op") (param "code" u32) (param "a" u32) (param "b" u32) (result u32)
    (canon lift (core func $m "op"))))

(instance $b (instantiate $B (with "host" (instance $host)) (with "log" (instance $log))))
(instance $a (instantiate $A (with "host" (instance $host)) (with "b" (instance $b))))
(export "op" (func $a "op"))
))";

constexpr const char* OPERATIONS[] = {"B.make",  "B.take",  "B.look",    "B.give",     "B.new",
                                      "B.rep",   "B.drop",  "B.both",    "B.keep",     "B.let-go",
                                      "B.pass",  "B.wrong", "B.own-res", "B.give-res", "host.f0",
                                      "host.f1", "host.f2", "A.drop r",  "A.drop res"};

struct Operation {
  uint32_t code = 0, a = 0, b = 0;
};

struct Sides {
  Script script;
  component::TypeTable types;
  FuncType op;
  std::unique_ptr<Side> tenon, wasmtime;
};

Result<std::unique_ptr<Sides>> newSides(const Engines& engines) {
  auto sides = std::make_unique<Sides>();
  component::TypeTable& types = sides->types;
  const Type* u32 = types.primitive(TypeKind::U32);
  sides->script.functions = {{{}, types.own(HOST_RESOURCE)},
                             {{{"a", types.own(HOST_RESOURCE)}}, nullptr},
                             {{{"a", types.borrow(HOST_RESOURCE)}}, u32}};
  sides->op = {{{"code", u32}, {"a", u32}, {"b", u32}}, u32};
  TENON_TRY(std::vector<std::byte> bytes, parseText(TEXT));
  TENON_TRY(sides->wasmtime, newWasmtimeSide(engines.wasmtime, bytes, sides->script));
  TENON_TRY(sides->tenon, newTenonSide(engines.tenon, bytes, sides->script, engines.rewriting));
  return sides;
}

// Runs one on an instance.
Pair::Observed runOne(Sides& sides, Side& side, const Operation& operation) {
  sides.script.events.clear();
  sides.script.result = operation.code == 14
                            ? Value(Resource{std::make_shared<TestHandle>(operation.a), true})
                            : Value(uint32_t{77});
  Pair::Observed observed;
  observed.outcome =
      side.call("op", sides.op, {Value(operation.code), Value(operation.a), Value(operation.b)});
  observed.events = std::move(sides.script.events);
  return observed;
}

// Runs one after the other until one traps.
std::vector<Pair::Observed> runAll(Sides& sides, Side& side,
                                   const std::vector<Operation>& operations) {
  std::vector<Pair::Observed> all;
  side.instantiate().value();
  for (const Operation& operation : operations) {
    all.push_back(runOne(sides, side, operation));
    if (all.back().outcome.trap) break;
  }
  return all;
}

// Empty when both sides agree. `last`, when given, gets the number of operations that ran.
std::string differenceOf(Sides& sides, const std::vector<Operation>& operations,
                         size_t* last = nullptr, bool* trapped = nullptr) {
  auto wasmtime = runAll(sides, *sides.wasmtime, operations);
  auto tenon = runAll(sides, *sides.tenon, operations);
  if (last) *last = tenon.size();
  if (trapped) *trapped = !tenon.empty() && tenon.back().outcome.trap.has_value();
  for (size_t i = 0; i < std::min(tenon.size(), wasmtime.size()); ++i) {
    std::string what = difference({tenon[i], wasmtime[i]});
    if (!what.empty()) return "operation " + std::to_string(i) + ": " + what;
  }
  return "";
}

std::string minimal(Sides& sides, std::vector<Operation> operations, std::string what) {
  for (size_t i = operations.size(); i-- > 0;) {
    std::vector<Operation> fewer = operations;
    fewer.erase(fewer.begin() + static_cast<ptrdiff_t>(i));
    std::string found = differenceOf(sides, fewer);
    if (found.empty()) continue;
    operations = std::move(fewer);
    what = std::move(found);
  }
  std::string text;
  for (const Operation& operation : operations) {
    text += std::string("  ") + OPERATIONS[operation.code] + " " + std::to_string(operation.a) +
            " " + std::to_string(operation.b) + "\n";
  }
  return text + "  " + what + "\n";
}

// Which handles there are, to make operations that mostly work.
class Handles {
 public:
  Operation next(Random& random) {
    Operation operation;
    // keep (8) and wrong (11) cannot succeed.
    do {
      operation.code = random.below(std::size(OPERATIONS));
    } while ((operation.code == 8 || operation.code == 11) && !random.oneIn(20));
    if (random.oneIn(4)) operation.code = random.oneIn(2) ? 0 : 14;
    operation.a = random.oneIn(50) ? 666 : random.below(9);
    operation.b = random.below(9);
    bool right = !random.oneIn(25);
    if (right && operation.code == 7) (void)pick(random, ownA_, operation.b);
    std::vector<uint32_t>* table = tableOf(operation.code);
    if (right && table && !pick(random, *table, operation.a)) operation.code = 14;
    return operation;
  }

  void note(const Operation& operation, uint32_t result) {
    switch (operation.code) {
      case 0:
        return ownA_.push_back(result);
      case 1:
        return erase(ownA_, operation.a), ownB_.push_back(result);
      case 3:
        return erase(ownB_, operation.a), ownA_.push_back(result);
      case 4:
        return ownB_.push_back(result);
      case 6:
        return erase(ownB_, operation.a);
      case 7:
        return erase(ownA_, operation.a), ownB_.push_back(result / 100);
      case 12:
        return erase(hostA_, operation.a), hostB_.push_back(result);
      case 13:
        return erase(hostB_, operation.a), hostA_.push_back(result);
      case 14:
        return hostA_.push_back(result);
      case 15:
      case 18:
        return erase(hostA_, operation.a);
      case 17:
        return erase(ownA_, operation.a);
      default:
        return;
    }
  }

 private:
  std::vector<uint32_t>* tableOf(uint32_t code) {
    switch (code) {
      case 1:
      case 2:
      case 7:
      case 17:
        return &ownA_;
      case 3:
      case 5:
      case 6:
        return &ownB_;
      case 8:
      case 9:
      case 10:
      case 11:
      case 12:
      case 15:
      case 16:
      case 18:
        return &hostA_;
      case 13:
        return &hostB_;
      default:
        return nullptr;
    }
  }
  static bool pick(Random& random, const std::vector<uint32_t>& table, uint32_t& handle) {
    if (table.empty()) return false;
    handle = table[random.below(static_cast<uint32_t>(table.size()))];
    return true;
  }
  static void erase(std::vector<uint32_t>& table, uint32_t handle) { std::erase(table, handle); }

  std::vector<uint32_t> ownA_, ownB_, hostA_, hostB_;
};

std::vector<Operation> randomSequence(Random& random, Sides& sides) {
  std::vector<Operation> sequence;
  Handles handles;
  sides.tenon->instantiate().value();
  for (uint32_t i = 0, n = 8 + random.below(40); i < n; ++i) {
    sequence.push_back(handles.next(random));
    Pair::Observed observed = runOne(sides, *sides.tenon, sequence.back());
    if (observed.outcome.trap) break;
    handles.note(sequence.back(), *observed.outcome.results.at(0).find<uint32_t>());
  }
  return sequence;
}

}  // namespace

int runHandles(const Engines& engines, uint64_t seed, uint64_t first, uint64_t count,
               uint64_t& operations, uint64_t& trapped) {
  auto sides = newSides(engines);
  if (!sides) {
    std::printf("%s\n", sides.error().text().c_str());
    return 1;
  }
  int differences = 0;
  for (uint64_t number = first; number < first + count; ++number) {
    Random random(seed * 1'000'003 + number);
    std::vector<Operation> sequence = randomSequence(random, **sides);
    size_t ran = 0;
    bool trap = false;
    std::string what = differenceOf(**sides, sequence, &ran, &trap);
    operations += ran;
    trapped += trap;
    if (what.empty()) continue;
    if (++differences <= 5) {
      std::printf("DIFFERENCE in sequence %llu (--what handles --seed %llu):\n%s\n",
                  static_cast<unsigned long long>(number), static_cast<unsigned long long>(seed),
                  minimal(**sides, sequence, what).c_str());
    }
  }
  return differences;
}

}  // namespace tenon::differential
