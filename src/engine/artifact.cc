// Artifact files. Layout, all numbers little-endian, offsets from the start of the file:
//
//     the largest module's code      at 0, so that the engine can map it in place
//     the other modules' code        each once, at a multiple of ALIGNMENT
//     the caller's bytes
//     what it was made from, as text
//     table                          one Range per module, in the caller's order
//     Trailer                        at the very end; its last field sums up everything before it
#include "engine/cache.h"
#include "engine/digest.h"
#include "engine/file.h"
#include "engine/write_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <string_view>
#include <type_traits>
#include <utility>

#ifndef TENON_VERSION
#define TENON_VERSION "unknown"
#endif

namespace tenon::engine {
namespace {

constexpr uint64_t ALIGNMENT = 64;
constexpr uint32_t FORMAT = 2;
constexpr uint32_t MAX_MODULES = 100'000;
constexpr size_t MAX_NAME = 4096;
constexpr char MAGIC[8] = {'T', 'E', 'N', 'O', 'N', 'A', 'R', 'T'};

struct Range {
  uint64_t offset;
  uint64_t size;
};

struct Trailer {
  Range name;
  Digest::Value key;
  Digest::Value compatibility;
  Range extra;
  Range table;
  uint64_t fileSize;
  uint32_t moduleCount;
  uint32_t format;
  char magic[8];
  uint64_t sum;
};
static_assert(std::is_trivially_copyable_v<Trailer> && sizeof(Trailer) == 144);

Digest::Value compatibilityDigest(const Engine& engine) {
  Digest digest;
  digest.addPart(engine.compatibility());
  digest.addPart(TENON_VERSION);
  return digest.finish();
}

class Mapping {
 public:
  Mapping(int descriptor, uint64_t size) : size_(size) {
    at_ = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, descriptor, 0);
  }
  ~Mapping() {
    if (ok()) munmap(at_, size_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  bool ok() const { return at_ != MAP_FAILED; }
  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(at_), size_}; }

 private:
  void* at_;
  size_t size_;
};

// Whether `bytes`, the whole file or its end, can end an artifact of `fileSize` bytes.
std::optional<Trailer> readTrailer(std::span<const std::byte> bytes, uint64_t fileSize) {
  if (bytes.size() < sizeof(Trailer)) return std::nullopt;
  Trailer trailer;
  std::memcpy(&trailer, bytes.data() + bytes.size() - sizeof trailer, sizeof trailer);
  if (std::memcmp(trailer.magic, MAGIC, sizeof MAGIC) != 0 || trailer.fileSize != fileSize) {
    return std::nullopt;
  }
  return trailer;
}

bool inside(const Range& range, uint64_t size) {
  return range.offset <= size && range.size <= size - range.offset;
}

std::span<const std::byte> part(std::span<const std::byte> file, const Range& range) {
  return file.subspan(range.offset, range.size);
}

// Only a file that nobody else can have written is code that may run.
Result<uint64_t> checkTrust(int descriptor, const std::string& path) {
  struct stat info;
  if (fstat(descriptor, &info) != 0) return ioError("examine", path, errno);
  auto refuse = [&](const char* why) { return Error(ErrorCode::PERMISSION, path + " " + why); };
  if (!S_ISREG(info.st_mode)) return refuse("is no regular file");
  if (info.st_uid != geteuid() && info.st_uid != 0) {
    return refuse("belongs to another user, so the compiled code in it is not trusted");
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return refuse("can be written by other users, so the compiled code in it is not trusted");
  }
  return static_cast<uint64_t>(info.st_size);
}

// `modules`: different ones; `which` names one of them for each of the caller's.
std::vector<std::byte> compose(const ArtifactKey& key, const Engine& engine,
                               std::span<const std::vector<std::byte>> modules,
                               std::span<const size_t> which, const Artifact& artifact) {
  std::vector<std::byte> file;
  std::vector<Range> ranges(modules.size());
  auto append = [&](std::span<const std::byte> bytes) {
    file.resize((file.size() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    Range range{file.size(), bytes.size()};
    file.insert(file.end(), bytes.begin(), bytes.end());
    return range;
  };
  auto bySize = [](const auto& a, const auto& b) { return a.size() < b.size(); };
  auto largest = std::max_element(modules.begin(), modules.end(), bySize);
  if (largest != modules.end()) {
    ranges[static_cast<size_t>(largest - modules.begin())] = append(*largest);
  }
  for (size_t i = 0; i < modules.size(); ++i) {
    if (modules.begin() + static_cast<ptrdiff_t>(i) != largest) ranges[i] = append(modules[i]);
  }
  std::vector<Range> table;
  for (size_t index : which) table.push_back(ranges[index]);
  Trailer trailer{};
  trailer.key = key.digest;
  trailer.compatibility = compatibilityDigest(engine);
  trailer.extra = append(artifact.extra);
  std::string_view name = std::string_view(artifact.name).substr(0, MAX_NAME);
  trailer.name = append(std::as_bytes(std::span(name)));
  trailer.table = append(std::as_bytes(std::span(table)));
  trailer.fileSize = file.size() + sizeof trailer;
  trailer.moduleCount = static_cast<uint32_t>(table.size());
  trailer.format = FORMAT;
  std::memcpy(trailer.magic, MAGIC, sizeof MAGIC);
  file.insert(file.end(), reinterpret_cast<const std::byte*>(&trailer),
              reinterpret_cast<const std::byte*>(&trailer + 1));
  uint64_t sum = checksum(std::span(file).first(file.size() - sizeof sum));
  std::memcpy(file.data() + file.size() - sizeof sum, &sum, sizeof sum);
  return file;
}

std::string nameIn(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A module at offset 0 is mapped from the file, when there is a name by which the engine can open
// it again.
Result<Module> load(const std::shared_ptr<Engine>& engine, int descriptor,
                    std::span<const std::byte> file, const Range& range) {
  if (range.offset == 0) {
    std::string name = "/proc/self/fd/" + std::to_string(descriptor);
    auto mapped = Module::deserializeFile(engine, name.c_str());
    if (mapped) return mapped;
  }
  return Module::deserialize(engine, part(file, range));
}

}  // namespace

std::string ArtifactKey::hex() const {
  constexpr char DIGITS[] = "0123456789abcdef";
  std::string text;
  for (std::byte value : digest) {
    text += DIGITS[static_cast<uint8_t>(value) >> 4];
    text += DIGITS[static_cast<uint8_t>(value) & 15];
  }
  return text;
}

ArtifactKey artifactKey(const Engine& engine, std::span<const std::byte> input,
                        std::string_view settings) {
  Digest digest;
  digest.addPart(engine.compatibility());
  digest.addPart(TENON_VERSION);
  digest.addPart(settings);
  digest.addPart(input);
  return {digest.finish()};
}

Result<void> writeArtifact(const std::string& path, const ArtifactKey& key,
                           const Artifact& artifact, const Engine& engine, Placement placement) {
  if (artifact.modules.size() > MAX_MODULES) {
    return Error(ErrorCode::LIMIT_EXCEEDED, "an artifact holds at most 100,000 modules");
  }
  std::vector<std::vector<std::byte>> modules;
  std::vector<size_t> which;
  std::map<const wasmtime_module_t*, size_t> known;
  for (const Module& module : artifact.modules) {
    auto [same, isNew] = known.try_emplace(module.raw(), modules.size());
    which.push_back(same->second);
    if (!isNew) continue;
    TENON_TRY(auto bytes, module.serialize());
    modules.push_back(std::move(bytes));
  }
  std::vector<std::byte> file = compose(key, engine, modules, which, artifact);
  return placement == Placement::CACHE ? replaceFile(path, file) : writeFile(path, file);
}

Result<Artifact> readArtifact(const std::shared_ptr<Engine>& engine, const std::string& path,
                              const ArtifactKey* key) {
  // What the user names may be a link; an entry of the cache never is one.
  int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (key != nullptr ? O_NOFOLLOW : 0);
  File file(open(path.c_str(), flags));
  if (file.get() < 0) {
    if (errno == ELOOP && key != nullptr) {
      return Error(ErrorCode::PERMISSION, path + " is a symbolic link");
    }
    return ioError("open", path, errno);
  }
  TENON_TRY(uint64_t size, checkTrust(file.get(), path));
  auto malformed = [&](const char* what) { return Error(ErrorCode::MALFORMED, path + " " + what); };
  if (size < sizeof(Trailer)) return malformed("is no artifact of Tenon, or is cut");
  Mapping mapping(file.get(), size);
  if (!mapping.ok()) return ioError("map", path, errno);
  std::span<const std::byte> bytes = mapping.bytes();

  auto trailer = readTrailer(bytes, size);
  if (!trailer) return malformed("is no artifact of Tenon, or is cut");
  if (trailer->format != FORMAT || trailer->compatibility != compatibilityDigest(*engine)) {
    return Error(
        ErrorCode::UNSUPPORTED,
        path + " was compiled by another version of Tenon, or for another machine or setting");
  }
  if (key != nullptr && trailer->key != key->digest) {
    return Error(ErrorCode::NOT_FOUND, path + " was compiled from something else");
  }
  uint64_t sum = checksum(bytes.first(bytes.size() - sizeof sum));
  if (sum != trailer->sum) return malformed("is damaged");
  // From here on it is what some Tenon wrote; the checks below keep a bug of that one contained.
  if (trailer->moduleCount > MAX_MODULES || !inside(trailer->extra, size) ||
      !inside(trailer->table, size) || !inside(trailer->name, size) ||
      trailer->table.size != trailer->moduleCount * sizeof(Range)) {
    return malformed("has a table that does not fit");
  }
  std::vector<Range> table(trailer->moduleCount);
  if (!table.empty()) {
    std::memcpy(table.data(), bytes.data() + trailer->table.offset, trailer->table.size);
  }
  Artifact artifact;
  artifact.modules.reserve(table.size());
  std::map<uint64_t, size_t> known;  // by offset
  for (const Range& range : table) {
    if (!inside(range, size)) return malformed("has a module that does not fit");
    auto [same, isNew] = known.try_emplace(range.offset, artifact.modules.size());
    if (!isNew) {
      artifact.modules.push_back(artifact.modules[same->second]);
      continue;
    }
    TENON_TRY(auto module, load(engine, file.get(), bytes, range));
    artifact.modules.push_back(std::move(module));
  }
  auto extra = part(bytes, trailer->extra);
  artifact.extra.assign(extra.begin(), extra.end());
  artifact.name = nameIn(part(bytes, trailer->name));
  return artifact;
}

bool looksLikeArtifact(std::span<const std::byte> bytes) {
  return readTrailer(bytes, bytes.size()).has_value();
}

std::optional<ArtifactInfo> artifactInfoOf(const std::string& path) {
  File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  struct stat status;
  if (file.get() < 0 || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))
    return std::nullopt;
  std::array<std::byte, sizeof(Trailer)> end;
  off_t start = status.st_size - static_cast<off_t>(end.size());
  if (start < 0 ||
      pread(file.get(), end.data(), end.size(), start) != static_cast<ssize_t>(end.size())) {
    return std::nullopt;
  }
  auto trailer = readTrailer(end, static_cast<uint64_t>(status.st_size));
  if (!trailer) return std::nullopt;
  ArtifactInfo info{.key = {trailer->key}};
  if (trailer->format != FORMAT || !inside(trailer->name, trailer->fileSize)) return info;
  std::vector<std::byte> name(std::min<uint64_t>(trailer->name.size, MAX_NAME));
  ssize_t count =
      pread(file.get(), name.data(), name.size(), static_cast<off_t>(trailer->name.offset));
  if (count == static_cast<ssize_t>(name.size())) info.name = nameIn(name);
  return info;
}

}  // namespace tenon::engine
