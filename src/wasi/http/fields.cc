#include "wasi/http/functions.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace tenon::wasi::http {
namespace {

using tenon::http::HeadLimits;
using tenon::http::isFieldValue;
using tenon::http::isForbidden;
using tenon::http::isToken;
using tenon::http::parseLength;
using tenon::http::sameName;

// Bytes of all names and values that one `fields` may hold.
constexpr uint64_t MAX_BYTES = 1024 * 1024;
constexpr const char* TOO_MUCH = "the fields of a message take more than 1 MiB";
constexpr std::string_view CONTENT_LENGTH = "content-length";

using Bytes = std::span<const std::byte>;
using Entry = std::tuple<std::string_view, Bytes>;
template <typename T>
using HeaderResult = Expected<T, HeaderError>;

Unexpected<HeaderError> invalidSyntax() { return {HeaderError(std::in_place_index<0>)}; }
Unexpected<HeaderError> forbidden() { return {HeaderError(std::in_place_index<1>)}; }
Unexpected<HeaderError> immutable() { return {HeaderError(std::in_place_index<2>)}; }

Bytes bytesOf(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
std::string_view textOf(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Whether a guest may set it.
HeaderResult<void> checkName(std::string_view name) {
  if (!isToken(name)) return invalidSyntax();
  if (isForbidden(name)) return forbidden();
  return {};
}

// What the Content-Length of a list says.
using Length = std::optional<uint64_t>;

// Whether a list that says `before` may have this value besides: a Content-Length says one number
// once and for all. Afterwards `before` is what the list says with it.
bool isValid(Length& before, std::string_view name, Bytes value) {
  if (!isFieldValue(textOf(value))) return false;
  if (!sameName(name, CONTENT_LENGTH)) return true;
  auto length = parseLength(trimmed(textOf(value)));
  if (!length || (before && *before != *length)) return false;
  before = length;
  return true;
}

// A list for a guest to fill.
std::unique_ptr<Fields> newList(call::HostCall& call) {
  auto charged = std::make_shared<ChargedFields>(call.objects.budget());
  std::shared_ptr<FieldList> list(charged, &charged->list);
  return std::make_unique<Fields>(std::move(list), false, charged.get());
}

// Counts a field that is to be added, as it was given. False, and the call failed, when all of them
// are too much. Before anything else is done with it: values may be long, and lie at one place.
bool count(call::HostCall& call, uint64_t& given, std::string_view name, Bytes value) {
  given += uint64_t{name.size()} + value.size() + FIELD_COST;
  if (given <= MAX_BYTES) return true;
  call.fail(TOO_MUCH);
  return false;
}

// Takes note that the list is to have `size`. False, and the call failed, when that is too much.
bool resize(call::HostCall& call, ChargedFields& fields, uint64_t size) {
  if (size > MAX_BYTES) {
    call.fail(TOO_MUCH);
    return false;
  }
  if (!fields.charge.set(size)) {
    call.fail("the fields of all messages take more memory than the instance may use");
    return false;
  }
  fields.size = size;
  return true;
}

// Bytes that a field counts as once it is there.
uint64_t costOf(std::string_view name, Bytes value) {
  return uint64_t{name.size()} + trimmed(textOf(value)).size() + FIELD_COST;
}

void add(ChargedFields& fields, std::string_view name, Bytes value) {
  fields.list.push_back({std::string(name), std::string(trimmed(textOf(value)))});
}

Own<Fields> newFields(call::HostCall& call) { return give(call, newList(call)); }

HeaderResult<Own<Fields>> fromList(call::HostCall& call, const std::vector<Entry>& entries) {
  auto fields = newList(call);
  ChargedFields& charged = *fields->charged;
  uint64_t given = 0;
  for (const auto& [name, value] : entries) {
    if (!count(call, given, name, value)) return {};
    if (!resize(call, charged, charged.size + costOf(name, value))) return {};
    auto checked = checkName(name);
    if (!checked) return Unexpected<HeaderError>{checked.error()};
    if (!isValid(charged.length, name, value)) return invalidSyntax();
    add(charged, name, value);
  }
  return give(call, std::move(fields));
}

std::vector<Bytes> get(call::HostCall&, Fields& self, std::string_view name) {
  std::vector<Bytes> values;
  for (const Field& field : *self.list) {
    if (sameName(field.name, name)) values.push_back(bytesOf(field.value));
  }
  return values;
}

bool has(call::HostCall&, Fields& self, std::string_view name) {
  return findField(*self.list, name) != nullptr;
}

// Takes out all of a name, and forgets what they said. How many bytes they counted as.
uint64_t erase(ChargedFields& fields, std::string_view name) {
  uint64_t size = 0;
  std::erase_if(fields.list, [&](const Field& field) {
    if (!sameName(field.name, name)) return false;
    size += field.name.size() + field.value.size() + FIELD_COST;
    return true;
  });
  if (sameName(name, CONTENT_LENGTH)) fields.length = std::nullopt;
  return size;
}

HeaderResult<void> set(call::HostCall& call, Fields& self, std::string_view name,
                       const std::vector<Bytes>& values) {
  if (self.immutable) return immutable();
  auto checked = checkName(name);
  if (!checked) return Unexpected<HeaderError>{checked.error()};
  ChargedFields& fields = *self.charged;
  uint64_t given = 0;
  uint64_t added = 0;
  Length length;  // of these alone: those that are there go
  for (Bytes value : values) {
    if (!count(call, given, name, value)) return {};
    if (!isValid(length, name, value)) return invalidSyntax();
    added += costOf(name, value);
  }
  uint64_t erased = erase(fields, name);
  if (!resize(call, fields, fields.size - erased + added)) return {};
  if (length) fields.length = length;
  for (Bytes value : values) add(fields, name, value);
  return {};
}

HeaderResult<void> remove(call::HostCall& call, Fields& self, std::string_view name) {
  if (self.immutable) return immutable();
  auto checked = checkName(name);
  if (!checked) return Unexpected<HeaderError>{checked.error()};
  (void)resize(call, *self.charged, self.charged->size - erase(*self.charged, name));
  return {};
}

HeaderResult<void> append(call::HostCall& call, Fields& self, std::string_view name, Bytes value) {
  if (self.immutable) return immutable();
  uint64_t given = 0;
  if (!count(call, given, name, value)) return {};
  auto checked = checkName(name);
  if (!checked) return Unexpected<HeaderError>{checked.error()};
  ChargedFields& fields = *self.charged;
  if (!isValid(fields.length, name, value)) return invalidSyntax();
  if (!resize(call, fields, fields.size + costOf(name, value))) return {};
  add(fields, name, value);
  return {};
}

std::vector<Entry> entries(call::HostCall&, Fields& self) {
  std::vector<Entry> entries;
  entries.reserve(self.list->size());
  for (const Field& field : *self.list) entries.emplace_back(field.name, bytesOf(field.value));
  return entries;
}

Own<Fields> clone(call::HostCall& call, Fields& self) {
  auto copy = newList(call);
  ChargedFields& fields = *copy->charged;
  if (!resize(call, fields, sizeOf(*self.list))) return {};
  fields.list = *self.list;
  fields.length = declaredLength(fields.list);
  return give(call, std::move(copy));
}

// What the trailers of a body that a server reads may take.
constexpr uint64_t TRAILERS_COST = HeadLimits().bytes;

}  // namespace

IncomingRequest::IncomingRequest(IncomingMessage received,
                                 std::shared_ptr<call::MemoryBudget> budget)
    : charge(budget), message(std::move(received)) {
  auto sizeOf = [](const std::optional<std::string>& text) { return text ? text->size() : 0; };
  charge.force(message.method.size() + sizeOf(message.pathWithQuery) + sizeOf(message.authority));
  message.fields = chargeFields(budget, std::move(message.fields));
  // Its connection is the server's; the trailers come with it.
  uint64_t bytes = message.body && message.body->finished() ? READ_BODY_COST : TRAILERS_COST;
  message.body = chargeBody(std::move(budget), std::move(message.body), bytes);
}

Own<Fields> giveImmutable(call::HostCall& call, std::shared_ptr<FieldList> list,
                          std::shared_ptr<void> parent) {
  auto fields = std::make_unique<Fields>(std::move(list), true);
  fields->parent = std::move(parent);
  return give(call, std::move(fields));
}

void provideFields(Binder& types) {
  types.resource("fields")
      .function<newFields>("[constructor]fields")
      .function<fromList>("[static]fields.from-list")
      .function<get>("[method]fields.get")
      .function<has>("[method]fields.has")
      .function<set>("[method]fields.set")
      .function<remove>("[method]fields.delete")
      .function<append>("[method]fields.append")
      .function<entries>("[method]fields.entries")
      .function<clone>("[method]fields.clone");
}

}  // namespace tenon::wasi::http
