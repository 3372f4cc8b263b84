// Compares what Tenon and the validator of wasm-tools say about mutated components.
//
//   tenon_mutants [--mutants N] [--seed S] [--only INDEX] [--save FOLDER] [--verbose]
//   FILE|FOLDER...
//       makes N mutants (default 1000) of the files and prints where the two disagree; --only
//       makes the one of this number again, and prints its bytes' path
//   tenon_mutants --truncate FILE|FOLDER...
//       cuts every file at every byte (large ones: at some) and looks at how Tenon refuses it
//   tenon_mutants --check FILE|FOLDER...
//       compares on the files themselves
//
// The exit code is 1 if there was a disagreement that is not in known_differences.txt.

#include "component/binary/decoder.h"
#include "tests/mutants/mutate.h"
#include "tests/mutants/random.h"
#include "tests/mutants/tree.h"
#include "tests/mutants/verdict.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

namespace tenon::mutants {
namespace {

constexpr size_t SMALL = size_t{1} << 16;  // larger files are slimmed
constexpr size_t LARGE = size_t{1} << 18;  // larger ones even then give few mutants
constexpr size_t MAX_SHOWN = 40;
constexpr const char* KNOWN = TENON_SOURCE_DIR "/tests/mutants/known_differences.txt";

struct Options {
  uint64_t mutants = 1000, seed = 1;
  std::optional<uint64_t> only;
  std::string save;
  bool truncate = false, check = false, verbose = false;
  std::vector<std::filesystem::path> files;
};

struct Parent {
  std::string name;
  Bytes bytes;
  Tree tree;
};

// What to print when a mutant kills the process.
char doing[512] = "nothing yet";

void onCrash(int signal) {
  constexpr char PREFIX[] = "\ncrashed at: ";
  (void)!write(STDERR_FILENO, PREFIX, sizeof(PREFIX) - 1);
  (void)!write(STDERR_FILENO, doing, strnlen(doing, sizeof(doing)));
  (void)!write(STDERR_FILENO, "\n", 1);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

Bytes readFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  Bytes bytes(text.size());
  for (size_t i = 0; i < text.size(); ++i) bytes[i] = static_cast<std::byte>(text[i]);
  return bytes;
}

void writeFile(const std::filesystem::path& path, const Bytes& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

std::vector<std::filesystem::path> wasmFiles(const std::vector<std::filesystem::path>& roots) {
  std::vector<std::filesystem::path> files;
  for (const auto& root : roots) {
    if (!std::filesystem::is_directory(root)) {
      files.push_back(root);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(root)) {
      if (entry.path().extension() == ".wasm") files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<Parent> parentsOf(const Options& options) {
  std::vector<Parent> parents;
  for (const auto& path : wasmFiles(options.files)) {
    Bytes bytes = readFile(path);
    auto layer = component::readLayer(bytes);
    if (layer && *layer == component::Layer::CORE_MODULE) continue;
    if (bytes.size() > SMALL) {
      if (Bytes small = slim(bytes); !small.empty()) bytes = std::move(small);
    }
    Tree tree = parseTree(bytes);
    parents.push_back({path.filename().string(), std::move(bytes), std::move(tree)});
  }
  if (parents.empty()) {
    std::fprintf(stderr, "no component among the files\n");
    std::exit(2);
  }
  return parents;
}

// -- Disagreements --------------------------------------------------------------------------------

// A message without what differs from mutant to mutant.
std::string pattern(const std::string& message) {
  std::string out;
  bool quoted = false;
  for (char c : message) {
    if (c == '`') {
      if (!quoted) out += "`..`";
      quoted = !quoted;
    } else if (!quoted) {
      bool digit = c >= '0' && c <= '9';
      if (!digit)
        out += c;
      else if (out.empty() || out.back() != '#')
        out += '#';
    }
  }
  return out;
}

class Report {
 public:
  explicit Report(const Options& options) : options_(options), known_(KNOWN) {}

  // Whether the verdict is fine. Counts what is not.
  bool fine(const Verdict& verdict) {
    ++total_;
    ++(verdict.tenon.empty() ? accepted_ : refused_);
    if (verdict.byEngine) ++byEngine_;
    if (!verdict.offsetInside) return false;
    if (verdict.agree()) return true;
    auto line = known_.find(verdict);
    if (line) ++listed_[*line];
    return line.has_value();
  }

  // Whether this is the first of its kind, to be shown.
  bool add(const Verdict& verdict) {
    std::string kind = pattern(verdict.tenon) + " | " + pattern(verdict.oracle);
    return ++disagreements_[kind] == 1;
  }

  void show(const std::string& what, const Verdict& verdict) const {
    if (disagreements_.size() > MAX_SHOWN) return;
    std::printf("DISAGREE %s\n  tenon:  %s\n  oracle: %s\n", what.c_str(),
                verdict.tenon.empty() ? "accepts" : verdict.tenon.c_str(),
                verdict.oracle.empty() ? "accepts" : verdict.oracle.c_str());
    if (!verdict.offsetInside) std::printf("  the offset of the error is not inside the file\n");
    std::fflush(stdout);
  }

  int finish() const {
    uint64_t bad = 0;
    for (const auto& [kind, count] : disagreements_) {
      bad += count;
      if (disagreements_.size() > 1 || count > 1) {
        std::printf("%8llu x %s\n", static_cast<unsigned long long>(count), kind.c_str());
      }
    }
    uint64_t listed = 0;
    for (const auto& [line, count] : listed_) {
      listed += count;
      if (options_.verbose) {
        std::printf("%8llu x known_differences.txt:%d\n", static_cast<unsigned long long>(count),
                    line);
      }
    }
    std::printf(
        "%llu compared: %llu accepted, %llu refused, %llu left to the engine, "
        "%llu differences in the list, %llu disagreements (seed %llu)\n",
        static_cast<unsigned long long>(total_), static_cast<unsigned long long>(accepted_),
        static_cast<unsigned long long>(refused_), static_cast<unsigned long long>(byEngine_),
        static_cast<unsigned long long>(listed), static_cast<unsigned long long>(bad),
        static_cast<unsigned long long>(options_.seed));
    return bad == 0 ? 0 : 1;
  }

 private:
  const Options& options_;
  KnownDifferences known_;
  uint64_t total_ = 0, accepted_ = 0, refused_ = 0, byEngine_ = 0;
  std::map<int, uint64_t> listed_;
  std::map<std::string, uint64_t> disagreements_;
};

// -- Mutants --------------------------------------------------------------------------------------

// Chooses parents, small ones more often: a mutant costs time in proportion to its size.
class Chooser {
 public:
  explicit Chooser(const std::vector<Parent>& parents) {
    for (const Parent& parent : parents) {
      size_t size = parent.bytes.size();
      total_ += 1 + (size > LARGE ? 0 : 20'000'000 / (size + 1000));
      sums_.push_back(total_);
    }
  }
  size_t choose(uint64_t random) const {
    auto it = std::upper_bound(sums_.begin(), sums_.end(), random % total_);
    return static_cast<size_t>(it - sums_.begin());
  }

 private:
  uint64_t total_ = 0;
  std::vector<uint64_t> sums_;
};

// Leaves out changes that the disagreement does not need.
Recipe minimal(const Tree& parent, Recipe recipe, const Pool& pool, FeatureSet set) {
  for (size_t i = recipe.changes.size(); i-- > 0 && recipe.changes.size() > 1;) {
    Recipe shorter = recipe;
    shorter.changes.erase(shorter.changes.begin() + static_cast<std::ptrdiff_t>(i));
    Verdict verdict = judge(mutate(parent, shorter, pool), set);
    if (!verdict.agree() || !verdict.offsetInside) recipe = std::move(shorter);
  }
  return recipe;
}

int compareMutants(const Options& options) {
  auto parents = parentsOf(options);
  Pool pool;
  for (const Parent& parent : parents) pool.add(parent.tree);
  Chooser chooser(parents);
  Report report(options);
  uint64_t first = options.only.value_or(0);
  uint64_t end = options.only ? first + 1 : options.mutants;
  for (uint64_t index = first; index < end; ++index) {
    const Parent& parent = parents[chooser.choose(mixSeeds(~options.seed, index))];
    FeatureSet set = index % 2 == 0 ? FeatureSet::DEFAULT : FeatureSet::ALL;
    std::snprintf(doing, sizeof(doing), "--seed %llu --only %llu, a mutant of %s",
                  static_cast<unsigned long long>(options.seed),
                  static_cast<unsigned long long>(index), parent.name.c_str());
    Recipe recipe = recipeFor(options.seed, index);
    Bytes mutant = mutate(parent.tree, recipe, pool);
    Verdict verdict = judge(mutant, set);
    bool fine = report.fine(verdict);
    if (options.only) {
      std::printf("tenon:  %s\noracle: %s\n", verdict.tenon.c_str(), verdict.oracle.c_str());
    }
    if ((!fine && report.add(verdict)) || options.only) {
      Bytes small = mutate(parent.tree, minimal(parent.tree, recipe, pool, set), pool);
      std::string where = doing;
      if (!options.save.empty()) {
        auto path = std::filesystem::path(options.save) /
                    (std::to_string(options.seed) + "-" + std::to_string(index) + ".wasm");
        writeFile(path, options.only ? mutant : small);
        where += set == FeatureSet::ALL ? ", all features, " : ", default features, ";
        where += path.string();
      }
      if (!fine) report.show(where, judge(small, set));
    }
  }
  return report.finish();
}

int compareFiles(const Options& options) {
  Report report(options);
  for (const auto& path : wasmFiles(options.files)) {
    Bytes bytes = readFile(path);
    auto layer = component::readLayer(bytes);
    if (layer && *layer == component::Layer::CORE_MODULE) continue;
    for (FeatureSet set : {FeatureSet::DEFAULT, FeatureSet::ALL}) {
      std::snprintf(doing, sizeof(doing), "%s, %s", path.c_str(),
                    set == FeatureSet::ALL ? "all features" : "default features");
      Verdict verdict = judge(bytes, set);
      if (!report.fine(verdict)) {
        (void)report.add(verdict);
        report.show(doing, verdict);
      }
    }
  }
  return report.finish();
}

// -- Truncation -----------------------------------------------------------------------------------

// The lengths to cut a file at: all of a small one; of a large one its beginning, its end, and some
// between.
std::vector<size_t> lengths(size_t size, uint64_t seed) {
  constexpr size_t EVERY = 5000, ENDS = 500, SAMPLES = 1000;
  std::vector<size_t> all;
  if (size <= EVERY) {
    for (size_t i = 0; i < size; ++i) all.push_back(i);
    return all;
  }
  for (size_t i = 0; i < ENDS; ++i) {
    all.push_back(i);
    all.push_back(size - 1 - i);
  }
  Random random(seed);
  for (size_t i = 0; i < SAMPLES; ++i) all.push_back(random.below(size));
  return all;
}

// Where the top level's sections end: what is cut there may be a component, only a shorter one.
std::vector<size_t> ends(const Bytes& bytes) {
  std::vector<size_t> found = {8};
  Tree tree = parseTree(bytes);
  Tree prefix;
  prefix.preamble = tree.preamble;
  size_t end = prefix.preamble.size();
  for (const Section& section : tree.sections) {
    prefix.sections = {section};
    end += serialize(prefix).size() - prefix.preamble.size();
    found.push_back(end);
  }
  return found;
}

int truncateFiles(const Options& options) {
  uint64_t cuts = 0, bad = 0;
  KnownDifferences known(KNOWN);
  for (const auto& path : wasmFiles(options.files)) {
    Bytes bytes = readFile(path);
    auto layer = component::readLayer(bytes);
    if (!layer || *layer == component::Layer::CORE_MODULE) continue;
    if (!component::decode(bytes)) continue;
    auto boundaries = ends(bytes);
    for (size_t length : lengths(bytes.size(), options.seed)) {
      std::snprintf(doing, sizeof(doing), "%s cut to %zu bytes", path.c_str(), length);
      bool boundary = std::find(boundaries.begin(), boundaries.end(), length) != boundaries.end();
      // A copy of its own, so that AddressSanitizer sees a byte too many.
      Bytes copy;
      if (length <= SMALL)
        copy.assign(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
      auto cut = std::span<const std::byte>(length <= SMALL ? copy : bytes).first(length);
      ++cuts;
      const char* wrong = nullptr;
      if (boundary) {
        Verdict verdict = judge(cut, FeatureSet::DEFAULT);
        if (!verdict.agree() && !known.find(verdict)) wrong = "disagrees with wasm-tools";
      } else {
        auto decoded = component::decode(cut);
        if (decoded)
          wrong = "decodes";
        else if (!decoded.error().offset || *decoded.error().offset > length)
          wrong = "no offset";
      }
      if (wrong != nullptr && ++bad <= MAX_SHOWN) std::printf("BAD %s: %s\n", doing, wrong);
    }
  }
  std::printf("%llu cuts, %llu bad\n", static_cast<unsigned long long>(cuts),
              static_cast<unsigned long long>(bad));
  return bad == 0 ? 0 : 1;
}

// -- Main -----------------------------------------------------------------------------------------

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    auto number = [&]() -> uint64_t {
      if (i + 1 >= argc) {
        std::fprintf(stderr, "%s needs a number\n", word.c_str());
        std::exit(2);
      }
      return std::strtoull(argv[++i], nullptr, 10);
    };
    if (word == "--mutants")
      options.mutants = number();
    else if (word == "--seed")
      options.seed = number();
    else if (word == "--only")
      options.only = number();
    else if (word == "--save" && i + 1 < argc)
      options.save = argv[++i];
    else if (word == "--file" && i + 1 < argc)
      options.files.emplace_back(argv[++i]);
    else if (word == "--truncate")
      options.truncate = true;
    else if (word == "--check")
      options.check = true;
    else if (word == "--verbose")
      options.verbose = true;
    else
      options.files.emplace_back(word);
  }
  return options;
}

int run(int argc, char** argv) {
  Options options = parse(argc, argv);
  for (int signal : {SIGSEGV, SIGABRT, SIGFPE, SIGILL, SIGBUS}) std::signal(signal, onCrash);
  if (options.truncate) return truncateFiles(options);
  if (options.check) return compareFiles(options);
  return compareMutants(options);
}

}  // namespace
}  // namespace tenon::mutants

int main(int argc, char** argv) { return tenon::mutants::run(argc, argv); }
