#pragma once

// A workload of small components in text form, one of which breaks the canonical ABI. It must end
// in a trap that names that component; the memory of the others must be as before, but for what
// they gave away themselves; and other instances must go on.
//
// All components here use the same memory: `realloc` gives from 0x8000 upwards and keeps its mark
// at MARK, everything else is filled with 0xa5.

#include "link/plan_testing.h"
#include "run/instance.h"

#include <tenon/linker.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tenon::broken {

// Where a component's own things are.
inline constexpr uint32_t DATA = 0x100;    // what `Memory::data` says
inline constexpr uint32_t CALLS = 0x7000;  // counts the calls of a good callee's function
inline constexpr uint32_t MARK = 0x7ff0;   // where `realloc` goes on
inline constexpr uint32_t HEAP = 0x8000;
inline constexpr uint32_t RESULTS = 0xb000;  // where a good caller wants results
inline constexpr uint32_t RESULTS_END = 0xb100;

// What differs between the memories of two components.
struct Memory {
  std::string data;     // as in WAT: "\\ff\\00"
  std::string realloc;  // the body instead of a good one; parameters $old $oldSize $align $size
};

// A component with `go: func() -> u32`, which calls function f of t:t/api.
struct Caller {
  std::string type;  // of f: "(param \"v\" string)"
  std::string core;  // its core type: "(param i32 i32)"
  std::string body;  // leaves an i32: "(call $f (i32.const 0) (i32.const 1)) (i32.const 0)"
  std::string encoding = "utf8";
  Memory memory = {};
  std::string text() const;
};

// A component that exports f in t:t/api, and imports `note: func()` of t:t/notes.
struct Callee {
  std::string type;
  std::string core;
  std::string body;
  std::string postReturn = "";  // its body; it may call $note
  std::string encoding = "utf8";
  Memory memory = {};
  bool mayNote = false;  // whether `realloc` and post-return can call $note
  std::string text() const;
};

// A component with `ping: func() -> u32`, which gives 42, and whose memory nobody should touch.
std::string bystander();

class Workload {
 public:
  // The host's side, besides the components: none to begin with.
  Linker linker;

  void add(const std::string& name, const std::string& text);

  // Calls `go` of component `caller` and expects it to trap, saying one of `reasons` and that
  // `guilty` is to blame. Then looks at the others.
  void expectBlame(const std::string& caller, const std::string& guilty,
                   const std::vector<std::string>& reasons);
  // Expects it to return `value` instead.
  void expectFine(const std::string& caller, uint32_t value);

 private:
  struct Outcome {
    std::optional<uint32_t> value;
    engine::Trap trap;
  };
  using Snapshot = std::map<size_t, std::vector<std::byte>>;  // by slot

  void link();
  std::unique_ptr<run::Instance> instance();
  Outcome call(run::Instance& instance, const std::string& component, const std::string& name);
  Snapshot memoriesBut(run::Instance& instance, const std::string& guilty);
  void expectUntouched(run::Instance& instance, const Snapshot& before);

  std::map<std::string, std::vector<std::byte>> bytes_;
  std::map<std::string, std::unique_ptr<component::Component>> definitions_;
  std::vector<link::Given> components_;
  std::shared_ptr<const run::Linked> linked_;
};

}  // namespace tenon::broken
