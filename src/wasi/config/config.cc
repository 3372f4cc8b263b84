#include "wasi/config/config.h"

#include "wasi/binder.h"
#include "wasi/context.h"

#include <tenon/expected.h>
#include <tenon/typed.h>

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

namespace tenon::wasi {
namespace {

// variant error { upstream(string), io(string) }: neither happens, the values are at hand.
using StoreError = std::variant<std::string, std::string>;

Expected<std::optional<std::string_view>, StoreError> get(call::HostCall& call,
                                                          std::string_view key) {
  for (const auto& [name, value] : contextOf(call).configuration) {
    if (name == key) return std::optional<std::string_view>(value);
  }
  return std::optional<std::string_view>();
}

Expected<std::vector<std::tuple<std::string_view, std::string_view>>, StoreError> getAll(
    call::HostCall& call) {
  std::vector<std::tuple<std::string_view, std::string_view>> all;
  for (const auto& [name, value] : contextOf(call).configuration) all.emplace_back(name, value);
  return all;
}

}  // namespace

void provideConfig(call::Registry& registry) {
  Binder(registry, "wasi:config/store@0.2.0-rc.1").function<get>("get").function<getAll>("get-all");
}

}  // namespace tenon::wasi
