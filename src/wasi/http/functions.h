#pragma once

// The groups of functions that http.cc registers, and what they share.

#include "wasi/binder.h"
#include "wasi/http/error_code.h"
#include "wasi/http/resources.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace tenon::wasi::http {

// WIT's `header-error`, by position.
using HeaderError = std::variant<std::monostate, std::monostate, std::monostate>;

// WIT's `method`: nine named ones, then `other`.
using Method =
    std::variant<std::monostate, std::monostate, std::monostate, std::monostate, std::monostate,
                 std::monostate, std::monostate, std::monostate, std::monostate, std::string>;
Method toMethod(std::string_view name);
// Nothing when it is no method.
std::optional<std::string> fromMethod(const Method& method);

// WIT's `scheme`: HTTP, HTTPS, other.
using WitScheme = std::variant<std::monostate, std::monostate, std::string>;

// Takes what a guest gives away. Null, and the call failed: the handle is no `T`, which WIT calls
// `name`, or has children that are still there.
template <typename T>
std::unique_ptr<T> takeWhole(call::HostCall& call, Own<T> handle, std::string_view name) {
  auto refuse = [&](std::string_view why) {
    call.trap("the handle is no " + std::string(name) + std::string(why));
    return nullptr;
  };
  if (!call.objects.find<T>(handle.rep)) return refuse("");
  if (call.objects.hasChildren(handle.rep)) return refuse(" whose children were dropped before");
  return call.objects.take<T>(handle.rep);
}

// A guest's view of a message's fields; of a `parent` when it is a child.
Own<Fields> giveImmutable(call::HostCall& call, std::shared_ptr<FieldList> list,
                          std::shared_ptr<void> parent = nullptr);

void provideFields(Binder& types);
void provideIncoming(Binder& types);
void provideOutgoing(Binder& types);
void provideOutgoingHandler(call::Registry& registry);

}  // namespace tenon::wasi::http
