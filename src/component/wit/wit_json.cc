#include "component/wit/wit_json.h"

#include "base/utf8.h"
#include "component/wit/wit_printer.h"

#include <array>
#include <charconv>
#include <utility>

namespace tenon::component::wit {
namespace {

// Writes JSON as it is told to; the caller keeps the order right.
class Writer {
 public:
  void open(char bracket) {
    value();
    out_ += bracket;
    ++depth_;
    first_ = true;
  }

  void close(char bracket) {
    --depth_;
    if (!first_) line();
    out_ += bracket;
    first_ = false;
  }

  void key(std::string_view name) {
    value();
    quote(name);
    out_ += ": ";
    afterKey_ = true;
  }

  void string(std::string_view text) {
    value();
    quote(text);
  }

  void literal(std::string_view text) {
    value();
    out_ += text;
  }

  bool full() const { return out_.size() > MAX_WIT_BYTES; }
  std::string take() && { return std::move(out_) + "\n"; }

 private:
  void line() {
    out_ += '\n';
    out_.append(2 * depth_, ' ');
  }

  // Comma and new line before whatever comes next, unless it follows its key.
  void value() {
    if (std::exchange(afterKey_, false)) return;
    if (depth_ == 0) return;
    if (!std::exchange(first_, false)) out_ += ',';
    line();
  }

  void quote(std::string_view text) {
    out_ += '"';
    while (!text.empty()) {
      const Scalar scalar = decodeScalar(text).value_or(Scalar{0xfffd, 1});
      text.remove_prefix(scalar.length);
      if (scalar.code == '"' || scalar.code == '\\') {
        out_ += '\\';
        out_ += static_cast<char>(scalar.code);
      } else if (scalar.code == '\n') {
        out_ += "\\n";
      } else if (scalar.code < 0x20 || scalar.code == 0x7f) {
        constexpr std::string_view DIGITS = "0123456789abcdef";
        out_ += "\\u00";
        out_ += DIGITS[scalar.code >> 4];
        out_ += DIGITS[scalar.code & 0xf];
      } else {
        appendScalar(out_, scalar.code);
      }
    }
    out_ += '"';
  }

  std::string out_;
  size_t depth_ = 0;
  bool first_ = true;
  bool afterKey_ = false;
};

std::string_view kindName(const TypeDef& type) {
  switch (type.kind) {
    case TypeKind::RECORD:
      return "record";
    case TypeKind::VARIANT:
      return "variant";
    case TypeKind::ENUM:
      return "enum";
    case TypeKind::FLAGS:
      return "flags";
    default:
      return "alias";
  }
}

std::string_view formName(FuncForm form) {
  switch (form) {
    case FuncForm::METHOD:
      return "method";
    case FuncForm::STATIC:
      return "static";
    case FuncForm::CONSTRUCTOR:
      return "constructor";
    case FuncForm::FREE:
      break;
  }
  return "function";
}

class Printer {
 public:
  explicit Printer(const Model& model) : model_(model), wit_(model) {}

  Result<std::string> print() {
    out_.open('{');
    out_.key("world");
    if (model_.root) {
      TENON_CHECK(world(model_.worlds[*model_.root]));
    } else {
      out_.literal("null");
    }
    out_.key("packages");
    out_.open('[');
    const Package& main = model_.packages[model_.main];
    if (!model_.root || !main.interfaces.empty()) TENON_CHECK(package(main));
    for (size_t i = 0; i < model_.packages.size(); ++i) {
      if (i != model_.main) TENON_CHECK(package(model_.packages[i]));
    }
    out_.close(']');
    out_.close('}');
    if (out_.full()) {
      return Error(ErrorCode::LIMIT_EXCEEDED,
                   "JSON of more than " + std::to_string(MAX_WIT_BYTES) + " bytes");
    }
    return std::move(out_).take();
  }

 private:
  void member(std::string_view key, std::string_view text) {
    out_.key(key);
    out_.string(text);
  }

  void notes(const Notes& notes) {
    if (notes.docs) member("docs", *notes.docs);
    const Stability& stability = notes.stability;
    if (stability.kind != Stability::Kind::UNKNOWN) {
      const bool isStable = stability.kind == Stability::Kind::STABLE;
      member(isStable ? "since" : "unstable", stability.subject);
      if (stability.deprecated) member("deprecated", *stability.deprecated);
    }
    if (notes.externalId) member("external-id", *notes.externalId);
  }

  Result<> package(const Package& package) {
    out_.open('{');
    member("name", package.id());
    notes(package.notes);
    out_.key("interfaces");
    out_.open('[');
    for (const auto& [name, index] : package.interfaces) {
      const Interface& interface = model_.interfaces[index];
      out_.open('{');
      member("name", name);
      member("id", interface.id);
      notes(interface.notes);
      TENON_CHECK(content(interface));
      out_.close('}');
    }
    out_.close(']');
    if (!model_.root) {
      out_.key("worlds");
      out_.open('[');
      for (const auto& [name, index] : package.worlds) TENON_CHECK(world(model_.worlds[index]));
      out_.close(']');
    }
    out_.close('}');
    return {};
  }

  Result<> world(const World& world) {
    out_.open('{');
    member("name", world.name);
    notes(world.notes);
    for (const auto& [key, items] :
         {std::pair("imports", &world.imports), std::pair("exports", &world.exports)}) {
      out_.key(key);
      out_.open('[');
      for (const auto& [label, item] : *items) TENON_CHECK(worldItem(label, item));
      out_.close(']');
    }
    out_.close('}');
    return {};
  }

  Result<> worldItem(std::string_view label, const WorldItem& item) {
    if (out_.full()) return {};
    out_.open('{');
    if (item.kind == WorldItem::Kind::FUNCTION) {
      member("item", "function");
      TENON_CHECK(function(item.function));
      out_.close('}');
      return {};
    }
    if (item.kind == WorldItem::Kind::TYPE) {
      member("item", "type");
      TENON_CHECK(type(label, model_.types[item.index], item.index));
      out_.close('}');
      return {};
    }
    const Interface& interface = model_.interfaces[item.index];
    member("item", "interface");
    member("name", label);
    notes(item.notes);
    if (!interface.name) {
      TENON_CHECK(content(interface));
    } else if (item.hasLabel) {
      member("implements", interface.id);
    }
    out_.close('}');
    return {};
  }

  Result<> content(const Interface& interface) {
    out_.key("types");
    out_.open('[');
    for (const auto& [name, index] : interface.types) {
      if (out_.full()) return {};
      out_.open('{');
      TENON_CHECK(type(name, model_.types[index], index));
      out_.close('}');
    }
    out_.close(']');
    out_.key("functions");
    out_.open('[');
    for (const auto& [name, function] : interface.functions) {
      if (out_.full()) return {};
      out_.open('{');
      TENON_CHECK(this->function(function));
      out_.close('}');
    }
    out_.close(']');
    return {};
  }

  // The members of an object that is open.
  Result<> type(std::string_view name, const TypeDef& type, uint32_t index) {
    const auto head = [&](std::string_view kind) {
      member("kind", kind);
      member("name", name);
      notes(type.notes);
    };
    if (isUse(model_, type, type.owner)) {
      const TypeDef& other = model_.types[type.target.index];
      head("use");
      if (other.owner.kind == Owner::Kind::INTERFACE) {
        member("from", model_.interfaces[other.owner.index].id);
      }
      member("of", other.name.value_or(""));
      return {};
    }
    if (type.form == TypeDef::Form::RESOURCE) {
      head("resource");
      return {};
    }
    head(type.form == TypeDef::Form::ALIAS ? "alias" : kindName(type));
    return definition(type, index);
  }

  Result<> definition(const TypeDef& type, uint32_t index) {
    const bool isNamedKind = type.form == TypeDef::Form::DEFINED && kindName(type) != "alias";
    if (!isNamedKind) {
      TENON_TRY(std::string text, wit_.declaration(index));
      const size_t start = text.find(" = ");
      if (start == std::string::npos) return {};
      text = text.substr(start + 3);
      if (text.ends_with(';')) text.pop_back();
      member("type", text);
      return {};
    }
    out_.key(type.kind == TypeKind::RECORD  ? "fields"
             : type.kind == TypeKind::FLAGS ? "flags"
                                            : "cases");
    out_.open('[');
    for (const Member& part : type.members) {
      out_.open('{');
      member("name", part.label);
      if (part.docs) member("docs", *part.docs);
      if (part.type) TENON_CHECK(typeMember("type", *part.type));
      out_.close('}');
    }
    out_.close(']');
    return {};
  }

  Result<> typeMember(std::string_view key, const TypeRef& type) {
    TENON_TRY(const std::string text, wit_.typeName(type));
    member(key, text);
    return {};
  }

  // The members of an object that is open.
  Result<> function(const Function& function) {
    member("kind", formName(function.parts.form));
    member("name", function.name);
    notes(function.notes);
    if (!function.isFree()) {
      member("resource", function.parts.resource);
      member("label", function.parts.name);
    }
    if (function.parts.accessor != Accessor::NONE) {
      member("accessor", function.parts.accessor == Accessor::GET ? "get" : "set");
    }
    out_.key("async");
    out_.literal(function.async ? "true" : "false");
    out_.key("params");
    out_.open('[');
    for (const Param& param : function.params) {
      out_.open('{');
      member("name", param.name);
      TENON_CHECK(typeMember("type", param.type));
      out_.close('}');
    }
    out_.close(']');
    if (function.result) {
      TENON_CHECK(typeMember("result", *function.result));
    } else {
      out_.key("result");
      out_.literal("null");
    }
    TENON_TRY(const std::string text, wit_.signature(function));
    member("wit", text);
    return {};
  }

  const Model& model_;
  WitPrinter wit_;
  Writer out_;
};

}  // namespace

Result<std::string> printJson(const Model& model) { return Printer(model).print(); }

}  // namespace tenon::component::wit
