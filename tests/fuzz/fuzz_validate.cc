// Decoder and validator: no input crashes them, errors point into the input, and they accept and
// refuse what the validator of wasm-tools does. What they accept flattens and fuses.

#include "component/binary/decoder.h"
#include "component/flatten/flatten.h"
#include "component/fuse/fuse.h"
#include "component/validate/validator.h"
#include "tests/fuzz/input.h"
#include "tests/mutants/mutate.h"
#include "tests/mutants/verdict.h"

#include <algorithm>
#include <cstring>

using namespace tenon;

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t maxSize);

namespace {

void flattenAndFuse(std::span<const std::byte> bytes) {
  auto decoded = component::decode(bytes);
  if (!decoded || !component::validate(**decoded)) return;
  for (auto rewriting : {component::Rewriting::ON, component::Rewriting::OFF}) {
    auto program = component::flatten(**decoded, "fuzz");
    Result<void> done;
    if (program) done = component::fuse(*program, rewriting);
    const Error* error = !program ? &program.error() : !done ? &done.error() : nullptr;
    if (error != nullptr && error->code == ErrorCode::INTERNAL) {
      fuzzing::fail("an internal error: " + error->text());
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const mutants::KnownDifferences known(TENON_SOURCE_DIR
                                               "/tests/mutants/known_differences.txt");
  auto bytes = std::as_bytes(std::span(data, size));
  for (auto set : {mutants::FeatureSet::DEFAULT, mutants::FeatureSet::ALL}) {
    auto verdict = mutants::judge(bytes, set);
    if (!verdict.offsetInside) fuzzing::fail("an offset outside of the input: " + verdict.tenon);
    auto layer = component::readLayer(bytes);
    bool isModule = layer && *layer == component::Layer::CORE_MODULE;
    if (!isModule && !verdict.agree() && !known.find(verdict)) {
      fuzzing::fail("tenon: " + verdict.tenon + "\noracle: " + verdict.oracle);
    }
  }
  flattenAndFuse(bytes);
  return 0;
}

// Half of the mutations know what a component looks like.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t maxSize,
                                          unsigned int seed) {
  if (seed % 2 == 0) return LLVMFuzzerMutate(data, size, maxSize);
  auto tree = mutants::parseTree(std::as_bytes(std::span(data, size)));
  mutants::Pool pool;
  pool.add(tree);
  auto mutant = mutants::mutate(tree, mutants::recipeFor(seed, 0), pool);
  if (mutant.empty()) return LLVMFuzzerMutate(data, size, maxSize);
  size_t length = std::min(mutant.size(), maxSize);
  std::memcpy(data, mutant.data(), length);
  return length;
}
