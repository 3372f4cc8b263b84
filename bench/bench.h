#pragma once

// The figures that Tenon promises, each beside Wasmtime's own component API in the same process and
// run. A figure is a ratio; machines are noisy, so every time is the best of several rounds, and
// the two sides take turns.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::bench {

// One line of the table, one object of the JSON. Times are nanoseconds for one operation.
struct Row {
  std::string name;
  std::string unit = "ns";
  double tenon = 0;
  std::optional<double>
      wasmtime;  // the better of Wasmtime's two settings; none: nothing to compare
  std::map<std::string, double> more;  // "memcpy", "wasmtime-default", "resident-kib" ...
  std::string goal;                    // what the row is meant to reach, as text; for the table
};

// Nanoseconds for one operation of `operation(count)`, which does `count` of them: the best of
// many rounds of about 5 ms each. All `sides` are measured in turns.
std::vector<double> bestOf(const std::vector<std::function<void(uint64_t count)>>& sides);

// Makes `bestOf` run the first side only, which is Tenon's, for so long: for a profiler.
void profileFor(double seconds);
double bestOf(const std::function<void(uint64_t count)>& side);

// Nanoseconds for copying so many bytes once.
double copyTime(size_t bytes);

// Where the guest components are.
std::string guestPath(std::string_view name);
std::vector<std::byte> guestBytes(std::string_view name);

// Ends the program with a message: a benchmark whose set-up fails has no figure.
[[noreturn]] void fail(const std::string& what);

// The figures, by file. Each runs those of its rows whose name `wanted` accepts.
using Wanted = std::function<bool(std::string_view name)>;
void benchExports(const Wanted& wanted, std::vector<Row>& rows);      // export/...
void benchImports(const Wanted& wanted, std::vector<Row>& rows);      // import/...
void benchFused(const Wanted& wanted, std::vector<Row>& rows);        // fused/...
void benchIsolated(const Wanted& wanted, std::vector<Row>& rows);     // isolated/...
void benchWorkloads(const Wanted& wanted, std::vector<Row>& rows);    // fused/chain-8, link/...
void benchTransfers(const Wanted& wanted, std::vector<Row>& rows);    // transfer/...
void benchInstantiate(const Wanted& wanted, std::vector<Row>& rows);  // instantiate/...
void benchStart(const Wanted& wanted, std::vector<Row>& rows);        // start/...
void benchValidation(const Wanted& wanted, std::vector<Row>& rows);   // validate/..., decode/...

}  // namespace tenon::bench
