#include "wasi/http/functions.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace tenon::wasi::http {
namespace {

// Bytes of all names and values that one `fields` may hold.
constexpr size_t MAX_BYTES = 1024 * 1024;
// Counted for each field besides.
constexpr size_t FIELD_COST = 64;

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

size_t sizeOf(const FieldList& fields) {
  size_t size = 0;
  for (const Field& field : fields) size += field.name.size() + field.value.size() + FIELD_COST;
  return size;
}

// Whether a guest may set it.
HeaderResult<void> checkName(std::string_view name) {
  if (!isToken(name)) return invalidSyntax();
  if (isForbidden(name)) return forbidden();
  return {};
}

// Whether the list may have this value besides: a Content-Length says one number once and for all.
bool isValid(const FieldList& list, std::string_view name, Bytes value) {
  if (!isFieldValue(textOf(value))) return false;
  if (!sameName(name, "content-length")) return true;
  auto length = parseLength(trimmed(textOf(value)));
  auto before = declaredLength(list);
  return length && (!before || *before == *length);
}

// A list that a guest fills, and what it has charged for it.
struct ChargedList {
  explicit ChargedList(call::HostCall& call) : charge(call.objects.budget()) {}
  call::MemoryCharge charge;
  FieldList list;
};

std::unique_ptr<Fields> newList(call::HostCall& call) {
  auto charged = std::make_shared<ChargedList>(call);
  std::shared_ptr<FieldList> list(charged, &charged->list);
  return std::make_unique<Fields>(std::move(list), false, &charged->charge);
}

bool charge(call::HostCall& call, Fields& fields, size_t size) {
  if (!fields.charge || fields.charge->set(size)) return true;
  call.fail("the fields of all messages take more memory than the instance may use");
  return false;
}

// Adds; false, and the call failed, when there is too much.
bool add(call::HostCall& call, Fields& fields, size_t& size, std::string_view name, Bytes value) {
  std::string_view text = trimmed(textOf(value));
  size += name.size() + text.size() + FIELD_COST;
  if (size > MAX_BYTES) {
    call.fail("the fields of a message take more than 1 MiB");
    return false;
  }
  if (!charge(call, fields, size)) return false;
  fields.list->push_back({std::string(name), std::string(text)});
  return true;
}

Own<Fields> newFields(call::HostCall& call) { return give(call, newList(call)); }

HeaderResult<Own<Fields>> fromList(call::HostCall& call, const std::vector<Entry>& entries) {
  auto fields = newList(call);
  size_t size = 0;
  for (const auto& [name, value] : entries) {
    auto checked = checkName(name);
    if (!checked) return Unexpected<HeaderError>{checked.error()};
    if (!isValid(*fields->list, name, value)) return invalidSyntax();
    if (!add(call, *fields, size, name, value)) return {};
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

void erase(FieldList& fields, std::string_view name) {
  std::erase_if(fields, [&](const Field& field) { return sameName(field.name, name); });
}

HeaderResult<void> set(call::HostCall& call, Fields& self, std::string_view name,
                       const std::vector<Bytes>& values) {
  if (self.immutable) return immutable();
  auto checked = checkName(name);
  if (!checked) return Unexpected<HeaderError>{checked.error()};
  FieldList first;  // compared with it: those that are there go
  for (Bytes value : values) {
    if (!isValid(first, name, value)) return invalidSyntax();
    if (first.empty()) first.push_back({std::string(name), std::string(trimmed(textOf(value)))});
  }
  erase(*self.list, name);
  size_t size = sizeOf(*self.list);
  for (Bytes value : values) {
    if (!add(call, self, size, name, value)) return {};
  }
  return {};
}

HeaderResult<void> remove(call::HostCall& call, Fields& self, std::string_view name) {
  if (self.immutable) return immutable();
  auto checked = checkName(name);
  if (!checked) return Unexpected<HeaderError>{checked.error()};
  erase(*self.list, name);
  (void)charge(call, self, sizeOf(*self.list));  // less than before
  return {};
}

HeaderResult<void> append(call::HostCall& call, Fields& self, std::string_view name, Bytes value) {
  if (self.immutable) return immutable();
  auto checked = checkName(name);
  if (!checked) return Unexpected<HeaderError>{checked.error()};
  if (!isValid(*self.list, name, value)) return invalidSyntax();
  size_t size = sizeOf(*self.list);
  (void)add(call, self, size, name, value);
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
  if (!charge(call, *copy, sizeOf(*self.list))) return {};
  *copy->list = *self.list;
  return give(call, std::move(copy));
}

}  // namespace

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
