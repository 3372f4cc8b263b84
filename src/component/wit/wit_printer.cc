#include "component/wit/wit_printer.h"

#include "base/utf8.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace tenon::component::wit {
namespace {

constexpr auto KEYWORDS = std::to_array<std::string_view>(
    {"use",         "type",          "func",     "u8",     "u16",     "u32",     "u64",
     "s8",          "s16",           "s32",      "s64",    "f32",     "f64",     "float32",
     "float64",     "char",          "resource", "record", "flags",   "variant", "enum",
     "bool",        "string",        "option",   "result", "future",  "stream",  "list",
     "own",         "borrow",        "_",        "as",     "from",    "static",  "interface",
     "tuple",       "world",         "import",   "export", "package", "with",    "include",
     "constructor", "error-context", "async",    "map"});

bool isKeyword(std::string_view name) {
  return std::find(KEYWORDS.begin(), KEYWORDS.end(), name) != KEYWORDS.end();
}

}  // namespace

// -- Text -----------------------------------------------------------------------------------------

void WitPrinter::fail(std::string why) {
  if (failure_.empty()) failure_ = std::move(why);
}

Result<std::string> WitPrinter::take() {
  std::string out = std::exchange(out_, {});
  indent_ = 0;
  atLineStart_ = false;
  anyItems_ = false;
  if (!failure_.empty()) {
    return Error(ErrorCode::UNSUPPORTED,
                 "cannot be written as WIT: " + std::exchange(failure_, {}));
  }
  if (out.size() > MAX_WIT_BYTES) {
    return Error(ErrorCode::LIMIT_EXCEEDED,
                 "WIT text of more than " + std::to_string(MAX_WIT_BYTES) + " bytes");
  }
  return out;
}

void WitPrinter::text(std::string_view part) {
  if (out_.size() > MAX_WIT_BYTES) return;
  if (atLineStart_) out_.append(2 * indent_, ' ');
  atLineStart_ = false;
  out_ += part;
}

void WitPrinter::name(std::string_view label) {
  if (isKeyword(label)) text("%");
  text(label);
}

void WitPrinter::newline() {
  if (out_.size() > MAX_WIT_BYTES) return;
  out_ += '\n';
  atLineStart_ = true;
}

void WitPrinter::semicolon() {
  text(";");
  newline();
}

void WitPrinter::open() {
  text(" {");
  ++indent_;
  newline();
}

void WitPrinter::close() {
  --indent_;
  text("}");
  newline();
}

// A blank line between items.
void WitPrinter::newItem() {
  if (anyItems_) newline();
  anyItems_ = true;
}

void WitPrinter::docs(const std::optional<std::string>& docs) {
  if (!docs) return;
  std::string_view rest = *docs;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    text("///");
    if (!line.empty()) text(" ");
    // Whoever reads this on a terminal must not be at the mercy of who wrote it.
    for (const char c : line) {
      const bool isControl = (static_cast<uint8_t>(c) < 0x20 && c != '\t') || c == 0x7f;
      text(isControl ? std::string_view("\xef\xbf\xbd") : std::string_view(&c, 1));
    }
    newline();
  }
}

void WitPrinter::stability(const Stability& stability) {
  if (stability.kind == Stability::Kind::UNKNOWN) return;
  text(stability.kind == Stability::Kind::STABLE ? "@since(version = " : "@unstable(feature = ");
  text(stability.subject);
  text(")");
  newline();
  if (!stability.deprecated) return;
  text("@deprecated(version = ");
  text(*stability.deprecated);
  text(")");
  newline();
}

void WitPrinter::externalId(std::optional<std::string_view> id) {
  if (!id) return;
  text("@external-id(\"");
  std::string_view rest = *id;
  while (!rest.empty()) {
    const Scalar scalar = decodeScalar(rest).value_or(Scalar{0xfffd, 1});
    const char32_t code = scalar.code;
    const std::string_view raw = rest.substr(0, scalar.length);
    rest.remove_prefix(scalar.length);
    if (code < 0x80 && (isLabel(raw) || std::string_view("_./: ").find(raw) != raw.npos)) {
      text(raw);
    } else if (code == '\\' || code == '"') {
      text("\\");
      text(raw);
    } else if (code == '\n') {
      text("\\n");
    } else if (code == '\r') {
      text("\\r");
    } else if (code == '\t') {
      text("\\t");
    } else {
      std::array<char, 8> digits;
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(),
                                     static_cast<uint32_t>(code), 16)
                           .ptr;
      text("\\u{");
      text(std::string_view(digits.data(), static_cast<size_t>(end - digits.data())));
      text("}");
    }
  }
  text("\")");
  newline();
}

void WitPrinter::notes(const Notes& notes) {
  docs(notes.docs);
  stability(notes.stability);
  externalId(notes.externalId);
}

// -- Packages, interfaces, worlds -----------------------------------------------------------------

Result<std::string> WitPrinter::print() {
  package(model_.packages[model_.main], true);
  bool first = true;
  for (size_t i = 0; i < model_.packages.size(); ++i) {
    if (i == model_.main) continue;
    if (!first) {
      newline();
      newline();
    }
    first = false;
    package(model_.packages[i], false);
  }
  return take();
}

void WitPrinter::package(const Package& package, bool isMain) {
  docs(package.notes.docs);
  text("package ");
  name(package.ns);
  text(":");
  name(package.name);
  if (package.version) {
    text("@");
    text(*package.version);
  }
  if (isMain) {
    semicolon();
    newline();
  } else {
    open();
  }
  for (const auto& [label, index] : package.interfaces) {
    docs(model_.interfaces[index].notes.docs);
    stability(model_.interfaces[index].notes.stability);
    text("interface ");
    name(label);
    open();
    interface(index);
    close();
    if (isMain) newline();
  }
  for (const auto& [label, index] : package.worlds) {
    docs(model_.worlds[index].notes.docs);
    stability(model_.worlds[index].notes.stability);
    text("world ");
    name(label);
    open();
    world(index);
    close();
  }
  if (!isMain) close();
}

void WitPrinter::interface(uint32_t index) {
  const bool outerItems = std::exchange(anyItems_, false);
  const Interface& interface = model_.interfaces[index];
  Methods methods;
  for (const auto& [label, function] : interface.functions) {
    if (!function.isFree()) methods[function.resource].push_back(&function);
  }
  const Named named(interface.types.begin(), interface.types.end());
  types(Owner{Owner::Kind::INTERFACE, index}, interface.package.value_or(model_.main), named,
        methods);
  for (const auto& [label, free] : interface.functions) {
    if (!free.isFree()) continue;
    newItem();
    notes(free.notes);
    name(free.parts.name);
    text(": ");
    function(free);
    semicolon();
  }
  anyItems_ = outerItems;
}

void WitPrinter::world(uint32_t index) {
  const bool outerItems = std::exchange(anyItems_, false);
  const World& world = model_.worlds[index];
  const uint32_t package = world.package.value_or(model_.main);
  Named named;
  Methods methods;
  std::vector<std::pair<std::string_view, const WorldItem*>> functions;
  for (const auto& [label, item] : world.imports) {
    if (item.kind == WorldItem::Kind::TYPE) {
      named.emplace_back(label, item.index);
    } else if (item.kind == WorldItem::Kind::INTERFACE) {
      worldItem(label, item, package, "import ");
      anyItems_ = true;
    } else if (item.function.isFree()) {
      functions.emplace_back(label, &item);
    } else {
      methods[item.function.resource].push_back(&item.function);
    }
  }
  types(Owner{Owner::Kind::WORLD, index}, package, named, methods);
  for (const auto& [label, item] : functions) {
    worldItem(label, *item, package, "import ");
    anyItems_ = true;
  }
  if (!world.exports.empty()) newItem();
  for (const auto& [label, item] : world.exports) worldItem(label, item, package, "export ");
  anyItems_ = outerItems;
}

void WitPrinter::worldItem(std::string_view label, const WorldItem& item, uint32_t package,
                           std::string_view keyword) {
  if (item.kind == WorldItem::Kind::FUNCTION) {
    notes(item.function.notes);
    text(keyword);
    name(item.function.parts.name);
    text(": ");
    function(item.function);
    semicolon();
    return;
  }
  const Interface& target = model_.interfaces[item.index];
  docs(item.notes.docs || !item.hasLabel ? item.notes.docs : target.notes.docs);
  stability(item.notes.stability);
  externalId(item.notes.externalId);
  text(keyword);
  if (item.hasLabel) {
    name(label);
    text(": ");
    if (!target.name) {
      text("interface");
      open();
      interface(item.index);
      close();
      return;
    }
  }
  pathTo(item.index, package);
  semicolon();
}

void WitPrinter::pathTo(uint32_t interface, uint32_t fromPackage) {
  const Interface& target = model_.interfaces[interface];
  if (!target.name || !target.package) {
    fail("a type of an interface without a name");
    return;
  }
  if (*target.package == fromPackage) {
    name(*target.name);
    return;
  }
  const Package& package = model_.packages[*target.package];
  name(package.ns);
  text(":");
  name(package.name);
  text("/");
  name(*target.name);
  if (package.version) {
    text("@");
    text(*package.version);
  }
}

}  // namespace tenon::component::wit
