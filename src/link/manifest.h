#pragma once

// `tenon.toml`: the components of a workload, their links, and what each may do. Text to data;
// pure.

#include <tenon/result.h>
#include <tenon/workload_plan.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon::link {

// "tenon.toml:7:1": where something is written, for messages.
using Place = std::string;

// A text and where it is written.
struct Written {
  std::string text;
  Place place;
};

struct ManifestDirectory {
  std::string host;  // as written; relative to the manifest
  std::string guest;
  bool readOnly = false;
  Place place;  // of `host`
};

struct ManifestComponent {
  std::string name;
  std::string source;  // as written; relative to the manifest
  std::vector<std::string> arguments;
  Place sourcePlace;
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<std::pair<std::string, std::string>> configuration;
  std::vector<ManifestDirectory> directories;
  std::vector<Written> connect;               // as NetworkOptions::connect
  std::vector<Written> listen;                // as NetworkOptions::listen
  std::vector<Written> httpServers;           // as HttpOptions::allow
  std::map<std::string, WorkloadLink> links;  // by import
};

// An option of `tenon serve`, without its dashes.
struct ManifestServeOption {
  std::string name;
  std::vector<std::string> values;  // as written; more than one for `addr` only
  Place place;
};

struct Manifest {
  std::string name;
  std::vector<ManifestComponent> components;  // in the order of the file
  std::vector<HttpRoute> routes;              // of HTTP requests; in the order of the file
  std::optional<std::chrono::nanoseconds> timeout;
  std::optional<uint64_t> maxMemory;
  std::vector<ManifestServeOption> serve;
  std::set<std::string> variables;  // of the environment, that texts were made of
};

// The value of a variable of the environment, for `${NAME}` in texts.
using FindVariable = std::function<std::optional<std::string>(const std::string& name)>;

// What could be read, and all that is wrong, each with file, line and column: MALFORMED for text
// that is not TOML, after which nothing else is looked for; INVALID for keys, types and values that
// a manifest cannot have, and an unknown key with the nearest known one; UNSUPPORTED for what Tenon
// does not do yet (links to peers).
struct ManifestReading {
  Manifest manifest;
  std::vector<Error> problems;
};

// Whether a component may be called this: of letters, digits, '.', '_' and '-'.
bool isComponentName(std::string_view name);

// `path` is for messages.
ManifestReading readManifest(std::string_view text, const std::string& path,
                             const FindVariable& findVariable);
// The same; any problem is the error, as `asOne` makes it.
Result<Manifest> parseManifest(std::string_view text, const std::string& path,
                               const FindVariable& findVariable = {});

// The first of the problems, with the others in its details, a line each; the last line counts
// those that are too many to show. There is at least one.
Error asOne(std::vector<Error> problems);

}  // namespace tenon::link
