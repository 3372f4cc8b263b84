#include "component/types/names.h"

#include <tenon/type.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace tenon {

const char* primitiveName(TypeKind kind) {
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
    case TypeKind::ERROR_CONTEXT:
      return "error-context";
    default:
      return "?";
  }
}

namespace {

// A type that shares its parts can be exponentially long as text, so the printer stops here.
constexpr size_t MAX_TEXT = 4096;

const char* coreName(CoreType type) {
  switch (type) {
    case CoreType::I32:
      return "i32";
    case CoreType::I64:
      return "i64";
    case CoreType::F32:
      return "f32";
    case CoreType::F64:
      return "f64";
  }
  return "?";
}

class Printer {
 public:
  void type(const Type& type) {
    if (full()) return;
    switch (type.kind) {
      case TypeKind::RECORD:
        return fields("record", type);
      case TypeKind::VARIANT:
        return cases(type);
      case TypeKind::ENUM:
        return labels("enum", type);
      case TypeKind::FLAGS:
        return labels("flags", type);
      case TypeKind::TUPLE:
        return tuple(type);
      case TypeKind::LIST:
        return list(type);
      case TypeKind::OPTION:
        return generic("option", type.element);
      case TypeKind::STREAM:
        return generic("stream", type.element);
      case TypeKind::FUTURE:
        return generic("future", type.element);
      case TypeKind::RESULT:
        return result(type);
      case TypeKind::OWN:
        return handle("own", type);
      case TypeKind::BORROW:
        return handle("borrow", type);
      default:
        return text(primitiveName(type.kind));
    }
  }

  void text(std::string_view part) {
    if (!full()) out_.append(part);
  }

  std::string take() && {
    if (full()) {
      out_.resize(MAX_TEXT);
      out_ += "...";
    }
    return std::move(out_);
  }

 private:
  bool full() const { return out_.size() > MAX_TEXT; }

  void handle(std::string_view name, const Type& type) {
    text(name);
    text("<");
    text(type.members.empty() ? "resource " + std::to_string(type.resource)
                              : type.members.front().label);
    text(">");
  }

  // Calls `print` for every member, with commas between, until the text is full.
  template <typename Print>
  void separated(const Type& type, Print print) {
    bool first = true;
    for (const Labelled& member : type.members) {
      if (full()) return;
      if (!first) text(", ");
      first = false;
      print(member);
    }
  }

  void list(const Type& type) {
    if (!type.isMap && type.fixedLength == 0) return generic("list", type.element);
    text(type.isMap ? "map<" : "list<");
    if (type.isMap) {
      this->type(*type.element->members[0].type);
      text(", ");
      this->type(*type.element->members[1].type);
    } else {
      this->type(*type.element);
      text(", " + std::to_string(type.fixedLength));
    }
    text(">");
  }

  void fields(std::string_view keyword, const Type& type) {
    text(keyword);
    text(" { ");
    separated(type, [this](const Labelled& member) {
      text(member.label);
      text(": ");
      this->type(*member.type);
    });
    text(" }");
  }

  void cases(const Type& type) {
    text("variant { ");
    separated(type, [this](const Labelled& member) {
      text(member.label);
      if (member.type == nullptr) return;
      text("(");
      this->type(*member.type);
      text(")");
    });
    text(" }");
  }

  void labels(std::string_view keyword, const Type& type) {
    text(keyword);
    text(" { ");
    separated(type, [this](const Labelled& member) { text(member.label); });
    text(" }");
  }

  void tuple(const Type& type) {
    text("tuple<");
    separated(type, [this](const Labelled& member) { this->type(*member.type); });
    text(">");
  }

  void generic(std::string_view keyword, const Type* element) {
    text(keyword);
    if (element == nullptr) return;
    text("<");
    type(*element);
    text(">");
  }

  void result(const Type& node) {
    text("result");
    if (node.ok == nullptr && node.error == nullptr) return;
    text("<");
    if (node.ok != nullptr) {
      type(*node.ok);
    } else {
      text("_");
    }
    if (node.error != nullptr) {
      text(", ");
      type(*node.error);
    }
    text(">");
  }

  std::string out_;
};

}  // namespace

bool FuncType::operator==(const FuncType& other) const {
  if (async != other.async || result != other.result || params.size() != other.params.size()) {
    return false;
  }
  for (size_t i = 0; i < params.size(); ++i) {
    if (params[i].type != other.params[i].type || params[i].name != other.params[i].name) {
      return false;
    }
  }
  return true;
}

std::string toString(const Type& type) {
  Printer printer;
  printer.type(type);
  return std::move(printer).take();
}

std::string toString(const FuncType& type) {
  Printer printer;
  printer.text(type.async ? "async func(" : "func(");
  bool first = true;
  for (const Parameter& param : type.params) {
    if (!first) printer.text(", ");
    first = false;
    printer.text(param.name);
    printer.text(": ");
    printer.type(*param.type);
  }
  printer.text(")");
  if (type.result != nullptr) {
    printer.text(" -> ");
    printer.type(*type.result);
  }
  return std::move(printer).take();
}

std::string toString(const CoreSignature& signature) {
  std::string out = "(";
  for (size_t i = 0; i < signature.params.size(); ++i) {
    if (i > 0) out += ", ";
    out += coreName(signature.params[i]);
  }
  out += ") -> (";
  for (size_t i = 0; i < signature.results.size(); ++i) {
    if (i > 0) out += ", ";
    out += coreName(signature.results[i]);
  }
  return out + ")";
}

}  // namespace tenon
