// tenon_bench [--json FILE] [--profile SECONDS] [NAME...]: prints the figures whose name begins
// with one of NAME, as a table, and writes them as JSON. With --profile only Tenon's side runs, for
// so long, and the numbers mean little.

#include "bench.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace tenon::bench {
namespace {

void printTable(const std::vector<Row>& rows) {
  std::printf("%-30s %12s %12s %8s  %s\n", "figure", "tenon ns", "wasmtime ns", "ratio",
              "to reach");
  for (const Row& row : rows) {
    std::printf("%-30s %12.1f ", row.name.c_str(), row.tenon);
    if (row.wasmtime)
      std::printf("%12.1f %8.3f", *row.wasmtime, row.tenon / *row.wasmtime);
    else
      std::printf("%12s %8s", "-", "-");
    std::printf("  %s", row.goal.c_str());
    for (const auto& [name, value] : row.more) {
      if (!name.starts_with("wasmtime")) std::printf("  [%s %.0f]", name.c_str(), value);
    }
    std::printf("\n");
  }
}

void writeJson(const std::vector<Row>& rows, const std::string& path) {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const Row& row : rows) {
    nlohmann::ordered_json item;
    item["name"] = row.name;
    item["unit"] = row.unit;
    item["tenon"] = row.tenon;
    item["wasmtime"] = row.wasmtime ? nlohmann::ordered_json(*row.wasmtime) : nullptr;
    item["ratio"] = row.wasmtime ? nlohmann::ordered_json(row.tenon / *row.wasmtime) : nullptr;
    for (const auto& [name, value] : row.more) item[name] = value;
    out.push_back(item);
  }
  std::ofstream(path) << out.dump(2) << "\n";
}

int run(int argc, char** argv) {
  std::string json;
  std::vector<std::string> names;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word == "--json" && i + 1 < argc)
      json = argv[++i];
    else if (word == "--profile" && i + 1 < argc)
      profileFor(std::atof(argv[++i]));
    else
      names.push_back(word);
  }
  Wanted wanted = [&](std::string_view name) {
    if (names.empty()) return true;
    for (const std::string& prefix : names) {
      if (name.starts_with(prefix)) return true;
    }
    return false;
  };
  std::vector<Row> rows;
  // Processes first: the peak memory of a child counts what its parent had when it was made.
  for (auto* bench : {benchStart, benchExports, benchImports, benchFused, benchTransfers,
                      benchIsolated, benchWorkloads, benchInstantiate, benchValidation})
    bench(wanted, rows);
  if (rows.empty()) fail("no figure has such a name");
  printTable(rows);
  if (!json.empty()) writeJson(rows, json);
  return 0;
}

}  // namespace
}  // namespace tenon::bench

int main(int argc, char** argv) { return tenon::bench::run(argc, argv); }
