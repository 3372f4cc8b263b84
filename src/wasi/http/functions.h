#pragma once

// The groups of functions that http.cc registers, and what they share.

#include "wasi/binder.h"
#include "wasi/http/resources.h"

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

// A guest's view of a message's fields.
Own<Fields> giveImmutable(call::HostCall& call, std::shared_ptr<FieldList> list);

void provideFields(Binder& types);
void provideIncoming(Binder& types);
void provideOutgoing(Binder& types);
void provideOutgoingHandler(call::Registry& registry);

}  // namespace tenon::wasi::http
