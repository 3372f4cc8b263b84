#include "component/wit/wit_printer.h"

#include "component/wit/utf8.h"

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

std::string_view primitiveName(TypeKind kind) {
  switch (kind) {
    case TypeKind::BOOL:
      return "bool";
    case TypeKind::S8:
      return "s8";
    case TypeKind::U8:
      return "u8";
    case TypeKind::S16:
      return "s16";
    case TypeKind::U16:
      return "u16";
    case TypeKind::S32:
      return "s32";
    case TypeKind::U32:
      return "u32";
    case TypeKind::S64:
      return "s64";
    case TypeKind::U64:
      return "u64";
    case TypeKind::F32:
      return "f32";
    case TypeKind::F64:
      return "f64";
    case TypeKind::CHAR:
      return "char";
    case TypeKind::STRING:
      return "string";
    default:
      return "error-context";
  }
}

}  // namespace

bool isUse(const Model& model, const TypeDef& type, Owner owner) {
  if (type.form != TypeDef::Form::ALIAS || type.target.isPrimitive) return false;
  const Owner& other = model.types[type.target.index].owner;
  return other.kind != Owner::Kind::NONE && other != owner;
}

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

// -- Types and functions --------------------------------------------------------------------------

void WitPrinter::types(Owner owner, uint32_t package, const Named& types, const Methods& methods) {
  Named declared;
  uses(owner, package, types, declared);
  for (const auto& [label, index] : declared) {
    const TypeDef& type = model_.types[index];
    newItem();
    notes(type.notes);
    if (type.form == TypeDef::Form::RESOURCE) {
      resource(index, methods);
    } else {
      declare(type);
    }
  }
}

// One `use` for neighbours that come from one interface and have the same notes. The rest of the
// types goes to `declared`.
void WitPrinter::uses(Owner owner, uint32_t package, const Named& types, Named& declared) {
  struct Use {
    Owner from;
    const TypeDef* first;
    std::vector<std::pair<std::string_view, std::string_view>> names;  // here, there
  };
  std::vector<Use> uses;
  for (const auto& [label, index] : types) {
    const TypeDef& type = model_.types[index];
    if (!isUse(model_, type, owner)) {
      declared.emplace_back(label, index);
      continue;
    }
    const TypeDef& other = model_.types[type.target.index];
    const bool joins = !uses.empty() && uses.back().from == other.owner &&
                       uses.back().first->notes.stability == type.notes.stability &&
                       uses.back().first->notes.externalId == type.notes.externalId;
    if (!joins) uses.push_back(Use{other.owner, &type, {}});
    uses.back().names.emplace_back(label, other.name.value_or(""));
  }
  for (const Use& use : uses) {
    anyItems_ = true;
    stability(use.first->notes.stability);
    externalId(use.first->notes.externalId);
    text("use ");
    if (use.from.kind != Owner::Kind::INTERFACE) {
      fail("the use of a type that is not defined in an interface");
      return;
    }
    pathTo(use.from.index, package);
    text(".{");
    for (size_t i = 0; i < use.names.size(); ++i) {
      const auto& [here, there] = use.names[i];
      if (i > 0) text(", ");
      name(there);
      if (here != there) {
        text(" as ");
        name(here);
      }
    }
    text("}");
    semicolon();
  }
}

void WitPrinter::resource(uint32_t type, const Methods& methods) {
  text("resource ");
  name(model_.types[type].name.value_or(""));
  const auto found = methods.find(type);
  if (found == methods.end()) {
    semicolon();
    return;
  }
  open();
  for (const Function* method : found->second) {
    notes(method->notes);
    if (method->parts.form != FuncForm::CONSTRUCTOR) {
      name(method->parts.name);
      text(": ");
      if (method->parts.form == FuncForm::STATIC) text("static ");
    }
    function(*method);
    semicolon();
  }
  close();
}

void WitPrinter::function(const Function& function) {
  const bool isConstructor = function.parts.form == FuncForm::CONSTRUCTOR;
  if (isConstructor) {
    text("constructor(");
  } else if (function.parts.accessor != Accessor::NONE) {
    text(function.parts.accessor == Accessor::GET ? "get(" : "set(");
  } else {
    if (function.async) text("async ");
    text("func(");
  }
  const size_t skipped = function.parts.form == FuncForm::METHOD ? 1 : 0;
  for (size_t i = skipped; i < function.params.size(); ++i) {
    if (i > skipped) text(", ");
    name(function.params[i].name);
    text(": ");
    typeText(function.params[i].type);
  }
  text(")");
  if (!function.result) return;
  if (isConstructor && !function.result->isPrimitive) {
    const TypeDef& result = model_.types[function.result->index];
    if (result.form == TypeDef::Form::DEFINED && result.kind == TypeKind::OWN &&
        result.resource == function.resource) {
      return;
    }
  }
  text(" -> ");
  typeText(*function.result);
}

void WitPrinter::declare(const TypeDef& type) {
  if (type.form == TypeDef::Form::DEFINED) {
    switch (type.kind) {
      case TypeKind::RECORD:
        return members("record ", type);
      case TypeKind::VARIANT:
        return members("variant ", type);
      case TypeKind::ENUM:
        return members("enum ", type);
      case TypeKind::FLAGS:
        return members("flags ", type);
      default:
        break;
    }
  }
  text("type ");
  name(type.name.value_or(""));
  text(" = ");
  if (type.form == TypeDef::Form::ALIAS) {
    typeText(type.target);
  } else {
    definedText(type, true);
  }
  semicolon();
}

void WitPrinter::members(std::string_view keyword, const TypeDef& type) {
  text(keyword);
  name(type.name.value_or(""));
  open();
  for (const Member& member : type.members) {
    docs(member.docs);
    name(member.label);
    if (type.kind == TypeKind::RECORD) text(": ");
    if (type.kind == TypeKind::VARIANT && member.type) text("(");
    if (member.type) typeText(*member.type);
    if (type.kind == TypeKind::VARIANT && member.type) text(")");
    text(",");
    newline();
  }
  close();
}

void WitPrinter::typeText(const TypeRef& type) {
  if (type.isPrimitive) return text(primitiveName(type.primitive));
  const TypeDef& def = model_.types[type.index];
  if (def.name) return name(*def.name);
  if (def.form == TypeDef::Form::ALIAS) return typeText(def.target);
  definedText(def, false);
}

// A type that needs no name. `spellOwn`: as `own<name>`, where `name` alone would be an alias.
void WitPrinter::definedText(const TypeDef& type, bool spellOwn) {
  if (out_.size() > MAX_WIT_BYTES) return;
  switch (type.kind) {
    case TypeKind::OWN:
    case TypeKind::BORROW: {
      const bool spelled = spellOwn || type.kind == TypeKind::BORROW;
      if (spelled) text(type.kind == TypeKind::OWN ? "own<" : "borrow<");
      name(model_.types[type.resource].name.value_or(""));
      if (spelled) text(">");
      return;
    }
    case TypeKind::LIST:
      return generic("list", type);
    case TypeKind::TUPLE:
      return generic("tuple", type);
    case TypeKind::OPTION:
      return generic("option", type);
    case TypeKind::STREAM:
      return generic("stream", type);
    case TypeKind::FUTURE:
      return generic("future", type);
    case TypeKind::RESULT:
      return resultText(type);
    default:
      fail("a type that needs a name and has none");
  }
}

void WitPrinter::generic(std::string_view keyword, const TypeDef& type) {
  text(keyword);
  if (type.members.empty() || !type.members[0].type) return;
  text("<");
  bool first = true;
  for (const Member& member : type.members) {
    if (!first) text(", ");
    first = false;
    if (member.type) typeText(*member.type);
  }
  text(">");
}

void WitPrinter::resultText(const TypeDef& type) {
  const std::optional<TypeRef>& ok = type.members.at(0).type;
  const std::optional<TypeRef>& error = type.members.at(1).type;
  text("result");
  if (!ok && !error) return;
  text("<");
  if (ok) {
    typeText(*ok);
  } else {
    text("_");
  }
  if (error) {
    text(", ");
    typeText(*error);
  }
  text(">");
}

// -- Parts on their own ---------------------------------------------------------------------------

Result<std::string> WitPrinter::typeName(const TypeRef& type) {
  typeText(type);
  return take();
}

Result<std::string> WitPrinter::declaration(uint32_t type) {
  if (model_.types[type].form == TypeDef::Form::RESOURCE) {
    resource(type, {});
  } else {
    declare(model_.types[type]);
  }
  TENON_TRY(std::string out, take());
  while (out.ends_with('\n')) out.pop_back();
  return out;
}

Result<std::string> WitPrinter::signature(const Function& function) {
  this->function(function);
  return take();
}

}  // namespace tenon::component::wit
