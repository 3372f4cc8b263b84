#include "component/types/names.h"
#include "component/wit/wit_printer.h"

#include <utility>

namespace tenon::component::wit {
namespace {}  // namespace

bool isUse(const Model& model, const TypeDef& type, Owner owner) {
  if (type.form != TypeDef::Form::ALIAS || type.target.isPrimitive) return false;
  const Owner& other = model.types[type.target.index].owner;
  return other.kind != Owner::Kind::NONE && other != owner;
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
      return generic(type.isMap ? "map" : "list", type);
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
  if (type.length) {
    text(", ");
    text(std::to_string(*type.length));
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
