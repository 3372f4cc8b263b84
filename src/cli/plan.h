#pragma once

// A workload's plan as text: for people, for programs, for graphviz.

#include <tenon/workload.h>

#include <cstdint>
#include <string>

namespace tenon::cli {

enum class Colour : uint8_t { NO, YES };
// FOLDED: one row for all imports of a component that are WASI, and the host's.
enum class Rows : uint8_t { FOLDED, ALL };

// A table with a row for each import, below a line that sums it up. Problems are not in it.
std::string planTable(const Workload& workload, const WorkloadPlan& plan, Colour colour, Rows rows);

// An object with "name", "ok", "components" (each with its "imports" and "grants"), "limits",
// "unreached", "routes" and "problems".
std::string planJson(const Workload& workload, const WorkloadPlan& plan);

// A graph: components are boxes, an edge leads to who satisfies its imports, or from HTTP requests
// to who answers them. Host imports are counted by package.
std::string planDot(const Workload& workload, const WorkloadPlan& plan);

}  // namespace tenon::cli
