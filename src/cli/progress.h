#pragma once

// A line on the terminal while something takes long, which goes when it is done.

#include <tenon/workload.h>

#include <cstdint>
#include <memory>
#include <string>

namespace tenon::cli {

// "12.3 MiB", "4 KiB".
std::string sizeText(uint64_t bytes);

// While it lives, and from the second second on, standard error shows "tenon: compiling shop.wasm
// (12.3 MiB), 5 s, 40 %" if it is a terminal; the share is left out until there is one. Writes from
// a thread of its own, which has ended when the destructor returns.
class Progress {
 public:
  // `what`: "compiling shop.wasm (12.3 MiB)".
  explicit Progress(const std::string& what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;  // null: nobody looks
};

// How much is compiled, for the line of this process. As EngineOptions::onCompiling.
void showCompiled(uint64_t done, uint64_t all);

// What compiling a file, or the components of a workload, is called: names and sizes them.
std::string compilingText(const std::string& file);
std::string compilingText(const Workload& workload);

}  // namespace tenon::cli
