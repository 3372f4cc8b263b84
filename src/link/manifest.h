#pragma once

// `tenon.toml`: the components of a workload, their links, and what each may do. Text to data;
// pure.

#include "link/route.h"

#include <tenon/result.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon::link {

// "tenon.toml:7:1": where something is written, for messages.
using Place = std::string;

struct ManifestDirectory {
  std::string host;  // as written; relative to the manifest
  std::string guest;
  bool readOnly = false;
  Place place;  // of `host`
};

struct ManifestLink {
  std::string to;    // a component of the manifest
  bool own = false;  // an instance of its own
  std::string item;  // its export; empty: the one of the import's name
  Place place;
};

struct ManifestComponent {
  std::string name;
  std::string source;  // as written; relative to the manifest
  std::vector<std::string> arguments;
  Place sourcePlace;
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<std::pair<std::string, std::string>> configuration;
  std::vector<ManifestDirectory> directories;
  std::vector<std::string> connect;           // as NetworkOptions::connect
  std::vector<std::string> listen;            // as NetworkOptions::listen
  std::vector<std::string> httpServers;       // as HttpOptions::allow
  std::map<std::string, ManifestLink> links;  // by import
};

struct Manifest {
  std::string name;
  std::vector<ManifestComponent> components;  // in the order of the file
  std::vector<Route> routes;                  // of HTTP requests; in the order of the file
};

// Whether a component may be called this: of letters, digits, '.', '_' and '-'.
bool isComponentName(std::string_view name);

// `path` is for messages. Errors: MALFORMED for text that is not TOML; INVALID for keys, types and
// values that a manifest cannot have; UNSUPPORTED for what Tenon does not do yet (isolated links,
// links to peers). All have file, line and column in the message, and an unknown key the nearest
// known one. If there are several problems, `details` has the others, a line each.
Result<Manifest> parseManifest(std::string_view text, const std::string& path);

}  // namespace tenon::link
