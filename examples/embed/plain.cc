// A program that is built with -fno-exceptions: it looks at every Result.
#include "shop.h"

#include <tenon/tenon.h>

#include <cstdio>

// [plain]
// TENON_TRY declares a value, or returns the Error from this function.
tenon::Result<uint32_t> price(const char* path, std::vector<std::string> items) {
  TENON_TRY(auto engine, tenon::Engine::create());
  TENON_TRY(auto component, tenon::Component::load(engine, path));
  tenon::Linker linker;
  linker.wasi();
  linker.function("demo:shop/prices", "find",
                  [](std::string_view) { return std::optional<Offer>(); });
  tenon::Loop loop;
  TENON_TRY(auto instance, linker.instantiate(component, loop));
  TENON_TRY(auto total, instance.function<Total>("", "total"));
  TENON_TRY(auto answer, total(items));
  if (!answer) return tenon::Error(tenon::ErrorCode::NOT_FOUND, "no price for " + answer.error());
  return *answer;
}

int main(int, char** argv) {
  auto cents = price(argv[1], {"pear"});
  if (!cents) std::printf("%s: %s\n", toString(cents.error().code), cents.error().text().c_str());
  return 0;
}
// [/plain]
