#pragma once

// Compiled components on disk. An *artifact* is one file that holds the compiled modules of one
// component; the cache is a folder of them, found by content: the same bytes, engine and version
// give the same key. Several processes may use one folder. Compiled code is as trusted as a shared
// library, so a file or folder that anybody else could have written to is not loaded, and damage is
// found by a checksum before the code is used.

#include "engine/engine.h"
#include "engine/module.h"

#include <tenon/result.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::engine {

// What an artifact was made from.
struct ArtifactKey {
  std::array<std::byte, 32> digest{};

  bool operator==(const ArtifactKey&) const = default;
  std::string hex() const;
};

// A digest of the input's bytes, the engine's `compatibility()`, Tenon's version and `settings`
// (whatever else of the caller's changes the result: the form of generated adapters, whether
// modules were rewritten).
ArtifactKey artifactKey(const Engine& engine, std::span<const std::byte> input,
                        std::string_view settings);

// The compiled modules in the caller's order, and the caller's own bytes (a plan; may be empty).
struct Artifact {
  std::vector<Module> modules;
  std::vector<std::byte> extra;
  // What it was made from, for people: a file's absolute path, where it is one.
  std::string name = {};
};

// Where an artifact file goes: an entry of the cache is replaced by name, what the user names is
// written as write_file.h says.
enum class Placement : uint8_t { CACHE, USER };

// Writes an artifact file. It is there as a whole or not at all, also when the process is killed;
// where the file system has no files without a name, a temporary one may stay then. Errors: IO.
Result<void> writeArtifact(const std::string& path, const ArtifactKey& key,
                           const Artifact& artifact, const Engine& engine, Placement placement);

// Reads one. `key` null: any, for a file that the user names.
// Errors: NOT_FOUND; IO; PERMISSION when it is no regular file, or belongs to somebody else than
// this user or root, or group or others may write to it; MALFORMED when cut or damaged, or no
// artifact; UNSUPPORTED for another version, machine or setting; NOT_FOUND for another key.
Result<Artifact> readArtifact(const std::shared_ptr<Engine>& engine, const std::string& path,
                              const ArtifactKey* key);
// Whether `bytes`' end marks an artifact (the marker is at the end of the file).
bool looksLikeArtifact(std::span<const std::byte> bytes);
// What an artifact's trailer says; nullopt when it is none. Reads the end of the file only.
struct ArtifactInfo {
  ArtifactKey key;
  std::string name = {};  // empty for other versions of Tenon
};
std::optional<ArtifactInfo> artifactInfoOf(const std::string& path);

struct CachePolicy {
  uint64_t maxBytes = uint64_t{1} << 30;  // all entries together; the least recently used go first
  // Of one file; those that it was compiled to before it was edited go first.
  size_t maxOfOneFile = 4;
};

struct CacheEntry {
  std::string path;
  std::string name;  // as Artifact::name
  uint64_t size = 0;
  std::chrono::system_clock::time_point used;
};

// Immutable after creation; thread-safe.
class ArtifactCache {
 public:
  // Makes the folder (0700) and its parents when they are missing. Errors: IO; PERMISSION when the
  // folder is a symbolic link, or belongs to somebody else, or group or others may write to it. A
  // caller that gets one says so once and goes on without a cache.
  static Result<ArtifactCache> open(std::shared_ptr<Engine> engine, std::string folder,
                                    const CachePolicy& policy = {});
  // $XDG_CACHE_HOME/tenon/artifacts, or ~/.cache/tenon/artifacts; empty when neither is known.
  static std::string defaultFolder();

  // nullopt: not there, or not usable; a damaged or incompatible entry is removed. `warning`, when
  // given, gets a sentence for an entry that was refused.
  std::optional<Artifact> load(const ArtifactKey& key, std::string* warning = nullptr) const;
  // Errors: IO (a full disk, a folder that is gone): nothing is lost but time.
  Result<void> store(const ArtifactKey& key, Artifact artifact) const;

  // All entries of a folder, the last used first. Errors: IO, when it is there and cannot be read.
  static Result<std::vector<CacheEntry>> list(const std::string& folder);
  // Removes all entries, and what was not written to its end; these were they. Other processes may
  // go on with what they have loaded. Errors: IO.
  static Result<std::vector<CacheEntry>> clear(const std::string& folder);

  std::string pathOf(const ArtifactKey& key) const;
  const std::string& folder() const { return folder_; }

 private:
  ArtifactCache(std::shared_ptr<Engine> engine, std::string folder, const CachePolicy& policy);
  void evict(const std::string& name) const;

  std::shared_ptr<Engine> engine_;
  std::string folder_;
  CachePolicy policy_;
};

}  // namespace tenon::engine
