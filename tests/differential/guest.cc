#include "guest.h"

#include "component/types/type_table.h"

#include <map>

namespace tenon::differential {
namespace {

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
  return "";
}

const char* encodingName(StringEncoding encoding) {
  return encoding == StringEncoding::UTF8    ? "utf8"
         : encoding == StringEncoding::UTF16 ? "utf16"
                                             : "latin1+utf16";
}

// Records, variants, enums and flags must have names in a component's imports and exports; these
// are t0, t1, ...
class TypeNames {
 public:
  // `declarations` gets what an instance type needs before a use of `type`.
  std::string text(const Type& type, std::string* declarations = nullptr) {
    auto part = [&](const Type* inner) { return text(*inner, declarations); };
    switch (type.kind) {
      case TypeKind::LIST:
        if (type.isMap) {
          return "(map " + part(type.element->members[0].type) + " " +
                 part(type.element->members[1].type) + ")";
        }
        return "(list " + part(type.element) +
               (type.fixedLength ? " " + std::to_string(type.fixedLength) : "") + ")";
      case TypeKind::OPTION:
        return "(option " + part(type.element) + ")";
      case TypeKind::RESULT:
        return std::string("(result") + (type.ok ? " " + part(type.ok) : "") +
               (type.error ? " (error " + part(type.error) + ")" : "") + ")";
      case TypeKind::TUPLE: {
        std::string all = "(tuple";
        for (const Labelled& member : type.members) all += " " + part(member.type);
        return all + ")";
      }
      case TypeKind::OWN:
        return "(own $res)";
      case TypeKind::BORROW:
        return "(borrow $res)";
      case TypeKind::RECORD:
      case TypeKind::VARIANT:
      case TypeKind::ENUM:
      case TypeKind::FLAGS:
        return named(type, declarations);
      default:
        return tenon::toString(type);
    }
  }

  size_t size() const { return names_.size(); }

 private:
  std::string named(const Type& type, std::string* declarations) {
    auto found = names_.find(&type);
    if (found != names_.end()) return "$t" + std::to_string(found->second);
    std::string body;
    for (const Labelled& member : type.members) {
      const char* word = type.kind == TypeKind::RECORD    ? "(field "
                         : type.kind == TypeKind::VARIANT ? "(case "
                                                          : "";
      body += std::string(" ") + word + "\"" + member.label + "\"";
      if (member.type) body += " " + text(*member.type, declarations);
      if (*word) body += ")";
    }
    const char* word = type.kind == TypeKind::RECORD    ? "record"
                       : type.kind == TypeKind::VARIANT ? "variant"
                       : type.kind == TypeKind::ENUM    ? "enum"
                                                        : "flags";
    size_t number = names_.size();
    names_.emplace(&type, number);
    std::string n = std::to_string(number);
    if (declarations) {
      *declarations += "(type $d" + n + " (" + word + body + "))\n(export \"t" + n + "\" (type $t" +
                       n + " (eq $d" + n + ")))\n";
    }
    return "$t" + n;
  }

  std::map<const Type*, size_t> names_;
};

std::string signatureText(const CoreSignature& signature) {
  std::string text;
  for (CoreType param : signature.params) text += std::string(" (param ") + coreName(param) + ")";
  for (CoreType result : signature.results) {
    text += std::string(" (result ") + coreName(result) + ")";
  }
  return text;
}

std::string funcText(TypeNames& names, const FuncType& type, std::string* declarations) {
  std::string text;
  for (const Parameter& param : type.params) {
    text += " (param \"" + param.name + "\" " + names.text(*param.type, declarations) + ")";
  }
  if (type.result) text += " (result " + names.text(*type.result, declarations) + ")";
  return text;
}

// -- The core modules -----------------------------------------------------------------------------

// Memory and `realloc`, and what every phase of a call does. Addresses: 16 next free byte, 20 calls
// of realloc, 32 the pair that peek returns, 512 the disturbance, LOG_ADDRESS the log.
constexpr const char* LIBRARY = R"((core module $L
  (memory (export "mem") 16)
  (func $align (param $pointer i32) (param $align i32) (result i32)
    (i32.and (i32.add (local.get $pointer) (i32.sub (local.get $align) (i32.const 1)))
      (i32.xor (i32.sub (local.get $align) (i32.const 1)) (i32.const -1))))
  (func $quiet (export "quiet") (param $old i32) (param $oldsize i32) (param $align i32)
      (param $size i32) (result i32) (local $pointer i32)
    (local.set $pointer (call $align (i32.load (i32.const 16)) (local.get $align)))
    (i32.store (i32.const 16) (i32.add (local.get $pointer) (local.get $size)))
    (memory.copy (local.get $pointer) (local.get $old)
      (select (local.get $size) (local.get $oldsize)
        (i32.lt_u (local.get $size) (local.get $oldsize))))
    (local.get $pointer))
  (func $log (param i32)
    (i32.store (i32.const 1176)
      (i32.xor (i32.mul (i32.load (i32.const 1176)) (i32.const 33)) (local.get 0))))
  (func $realloc (export "realloc") (param $old i32) (param $oldsize i32) (param $align i32)
      (param $size i32) (result i32) (local $pointer i32)
    (call $log (local.get $old)) (call $log (local.get $oldsize))
    ;; When UTF-16 becomes Latin-1, definitions.py gives alignment 1, Wasmtime 2.
    (if (i32.eqz (local.get $old)) (then (call $log (local.get $align))))
    (call $log (local.get $size))
    (local.set $pointer (call $quiet (local.get $old) (local.get $oldsize) (local.get $align)
      (local.get $size)))
    (i32.store (i32.const 20) (i32.add (i32.load (i32.const 20)) (i32.const 1)))
    (if (i32.eq (i32.load (i32.const 20)) (i32.load (i32.const 516))) (then
      (if (i32.eq (i32.load (i32.const 520)) (i32.const -1)) (then unreachable))
      (local.set $pointer (i32.xor (local.get $pointer) (i32.load (i32.const 520))))))
    (local.get $pointer))
  (func (export "phase") (param $phase i32) (local $edit i32) (local $left i32)
    (if (i32.eq (i32.load (i32.const 512)) (local.get $phase)) (then unreachable))
    (local.set $left (i32.load (i32.const 532)))
    (local.set $edit (i32.const 672))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $left)))
      (if (i32.eq (i32.load (local.get $edit)) (local.get $phase)) (then
        (i32.store (i32.load offset=4 (local.get $edit))
          (i32.xor (i32.load (i32.load offset=4 (local.get $edit)))
            (i32.load offset=8 (local.get $edit))))))
      (local.set $edit (i32.add (local.get $edit) (i32.const 12)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br $next))))
  (func (export "poke") (param $pointer i32) (param $length i32)
    (memory.fill (i32.const 512) (i32.const 0) (i32.const 512))
    (memory.copy (i32.const 512) (local.get $pointer)
      (i32.mul (local.get $length) (i32.const 4)))
    (memory.fill (i32.const 1024) (i32.const 0)
      (i32.sub (i32.load (i32.const 16)) (i32.const 1024)))
    (i32.store (i32.const 20) (i32.const 0))
    (i32.store (i32.const 16) (i32.const 1184)))
  (func (export "peek") (result i32)
    (i32.store (i32.const 32) (i32.const 1024))
    (i32.store (i32.const 36) (i32.shr_u
      (i32.sub (call $align (i32.load (i32.const 16)) (i32.const 8)) (i32.const 1024))
      (i32.const 3)))
    (i32.const 32))
  (data (i32.const 16) "\a0\04\00\00")
)
)";

// On the stack: `value`, a flat value of `type`, with the mask at `address`.
std::string masked(CoreType type, const std::string& value, uint32_t address) {
  std::string at = "(i32.const " + std::to_string(address) + ")";
  switch (type) {
    case CoreType::I32:
      return "(i32.xor " + value + " (i32.load " + at + "))";
    case CoreType::I64:
      return "(i64.xor " + value + " (i64.load " + at + "))";
    case CoreType::F32:
      return "(f32.reinterpret_i32 (i32.xor (i32.reinterpret_f32 " + value + ") (i32.load " + at +
             ")))";
    case CoreType::F64:
      return "(f64.reinterpret_i64 (i64.xor (i64.reinterpret_f64 " + value + ") (i64.load " + at +
             ")))";
  }
  return "";
}

std::string stored(CoreType type, const std::string& value, uint32_t address) {
  return std::string("(") + coreName(type) + ".store (i32.const " + std::to_string(address) + ") " +
         value + ")\n";
}

std::string phaseText(size_t component, Phase phase) {
  std::string number = std::to_string(static_cast<uint32_t>(phase));
  std::string text;
  if (phase != Phase::POST_RETURN) {
    text =
        "(call $mark (i32.const " + std::to_string(component) + ") (i32.const " + number + "))\n";
  }
  return text + "(call $phase (i32.const " + number + "))\n";
}

// The function that passes a call on, and its post-return.
std::string forwarder(const GuestFunction& function, size_t number, size_t component) {
  const FuncType& type = function.type;
  CoreSignature lift = component::flattenLift(type), lower = component::flattenLower(type);
  std::string n = std::to_string(number);
  std::string text = "(func (export \"f" + n + "\")" + signatureText(lift);
  bool inMemory = component::resultSpills(type);
  if (!lift.results.empty()) text += std::string(" (local $r ") + coreName(lift.results[0]) + ")";
  text += "\n";
  for (size_t i = 0; i < lift.params.size(); ++i) {
    text += stored(lift.params[i], "(local.get " + std::to_string(i) + ")",
                   LOG_ADDRESS + 8 * static_cast<uint32_t>(i));
  }
  text += phaseText(component, Phase::ENTERED);
  std::string call = "(call $i" + n;
  for (size_t i = 0; i < lift.params.size(); ++i) {
    call += " " + masked(lift.params[i], "(local.get " + std::to_string(i) + ")",
                         544 + 8 * static_cast<uint32_t>(i));
  }
  if (inMemory) {
    text += "(local.set $r (call $quiet (i32.const 0) (i32.const 0) (i32.const " +
            std::to_string(type.result->alignment) + ") (i32.const " +
            std::to_string(type.result->size) + ")))\n";
    text += call + " (local.get $r))\n";
  } else if (!lift.results.empty()) {
    text += "(local.set $r " + call + "))\n";
  } else {
    text += call + ")\n";
  }
  // Borrowed handles must be gone before the call ends; those at the top can be.
  if (!component::paramsSpill(type)) {
    size_t at = 0;
    for (const Parameter& param : type.params) {
      if (param.type->kind == TypeKind::BORROW) {
        text += "(call $drop (local.get " + std::to_string(at) + "))\n";
      }
      at += param.type->flatCount;
    }
  }
  if (!lift.results.empty()) text += stored(lift.results[0], "(local.get $r)", 1152);
  text += phaseText(component, Phase::RETURNING);
  if (!lift.results.empty()) text += masked(lift.results[0], "(local.get $r)", 524) + "\n";
  text += ")\n";
  if (!function.postReturn) return text;
  text += "(func (export \"pr" + n + "\")" + signatureText({lift.results, {}}) + "\n";
  if (!lift.results.empty()) text += stored(lift.results[0], "(local.get 0)", 1160);
  return text + phaseText(component, Phase::POST_RETURN) + ")\n";
}

std::string componentText(const Guest& guest, size_t component, const std::string& host) {
  TypeNames names;
  std::string text = "(component $C" + std::to_string(component) + "\n";
  text += "(import \"host\" (instance $host\n" + host + "))\n";
  text +=
      "(import \"log\" (instance $log (export \"mark\" (func (param \"a\" u32) (param \"b\" "
      "u32)))))\n";
  text += "(alias export $host \"res\" (type $res))\n";
  // Names are given in the same order as in the text of the host's type.
  std::string functions, lowers, given, imports, core, drop;
  std::string options = std::string(" (memory $mem) (realloc $realloc) string-encoding=") +
                        encodingName(guest.encodings[component]);
  for (size_t i = 0; i < guest.functions.size(); ++i) {
    const GuestFunction& function = guest.functions[i];
    std::string n = std::to_string(i);
    std::string type = funcText(names, function.type, nullptr);
    lowers += "(core func $l" + n + " (canon lower (func $host \"f" + n + "\")" + options + "))\n";
    given += "(export \"f" + n + "\" (func $l" + n + "))";
    imports += "(import \"h\" \"f" + n + "\" (func $i" + n +
               signatureText(component::flattenLower(function.type)) + "))\n";
    core += forwarder(function, i, component);
    functions += "(alias core export $m \"f" + n + "\" (core func $c" + n + "))\n";
    std::string post;
    if (function.postReturn) {
      functions += "(alias core export $m \"pr" + n + "\" (core func $pr" + n + "))\n";
      post = " (post-return $pr" + n + ")";
    }
    functions += "(func (export \"f" + n + "\")" + type + " (canon lift (core func $c" + n + ")" +
                 options + post + "))\n";
  }
  for (size_t i = 0; i < names.size(); ++i) {
    std::string n = std::to_string(i);
    text += "(alias export $host \"t" + n + "\" (type $t" + n + "))\n";
  }
  text += LIBRARY;
  text += "(core instance $l (instantiate $L))\n";
  for (const char* name : {"realloc", "quiet", "poke", "peek"}) {
    text += std::string("(alias core export $l \"") + name + "\" (core func $" + name + "))\n";
  }
  text += "(alias core export $l \"mem\" (core memory $mem))\n" + lowers;
  text += "(core func $lmark (canon lower (func $log \"mark\")))\n";
  text += "(core func $ldrop (canon resource.drop $res))\n";
  text += R"((core module $M
(import "l" "mem" (memory 1))
(import "l" "phase" (func $phase (param i32)))
(import "l" "quiet" (func $quiet (param i32 i32 i32 i32) (result i32)))
(import "h" "mark" (func $mark (param i32 i32)))
(import "h" "drop" (func $drop (param i32)))
)" + imports +
          core + ")\n";
  text += "(core instance $m (instantiate $M (with \"l\" (instance $l)) (with \"h\" (instance " +
          given + "(export \"mark\" (func $lmark)) (export \"drop\" (func $ldrop))))))\n" +
          functions;
  text += R"((func (export "poke") (param "words" (list u32))
  (canon lift (core func $poke) (memory $mem) (realloc $quiet)))
(func (export "peek") (result (list u64)) (canon lift (core func $peek) (memory $mem)))
)
)";
  return text;
}

}  // namespace

std::string toText(const Type& type) {
  std::string declarations;
  TypeNames names;
  std::string text = names.text(type, &declarations);
  return declarations + text;
}

std::string toText(const Guest& guest) {
  TypeNames names;
  std::string host = "(export \"res\" (type $res (sub resource)))\n";
  for (size_t i = 0; i < guest.functions.size(); ++i) {
    std::string type = funcText(names, guest.functions[i].type, &host);
    host += "(export \"f" + std::to_string(i) + "\" (func" + type + "))\n";
  }
  std::string text = "(component\n(import \"host\" (instance $host\n" + host + "))\n";
  text +=
      "(import \"log\" (instance $log (export \"mark\" (func (param \"a\" u32) (param \"b\" "
      "u32)))))\n";
  std::string bag;
  for (size_t i = 0; i < names.size(); ++i) {
    std::string n = std::to_string(i);
    bag += "(export \"t" + n + "\" (type $host \"t" + n + "\"))";
  }
  bag += "(export \"res\" (type $host \"res\"))";
  size_t count = guest.encodings.size();
  for (size_t c = count; c-- > 0;) {
    std::string n = std::to_string(c), next = std::to_string(c + 1);
    text += componentText(guest, c, host);
    text += "(instance $x" + n + " (instantiate $C" + n + " (with \"log\" (instance $log)) ";
    if (c + 1 == count) {
      text += "(with \"host\" (instance $host))))\n";
      continue;
    }
    text += "(with \"host\" (instance " + bag;
    for (size_t i = 0; i < guest.functions.size(); ++i) {
      std::string f = "\"f" + std::to_string(i) + "\"";
      text += "(export " + f + " (func $x" + next + " " + f + "))";
    }
    text += "))))\n";
  }
  for (size_t i = 0; i < guest.functions.size(); ++i) {
    std::string f = "\"f" + std::to_string(i) + "\"";
    text += "(export " + f + " (func $x0 " + f + "))\n";
  }
  for (size_t c = 0; c < count; ++c) {
    std::string n = std::to_string(c);
    text += "(export \"poke" + n + "\" (func $x" + n + " \"poke\"))\n";
    text += "(export \"peek" + n + "\" (func $x" + n + " \"peek\"))\n";
  }
  return text + ")\n";
}

std::vector<uint32_t> Disturbance::words() const {
  std::vector<uint32_t> words(40);
  words[0] = static_cast<uint32_t>(trap);
  words[1] = reallocCall;
  words[2] = reallocMask;
  words[3] = static_cast<uint32_t>(resultMask);
  words[4] = static_cast<uint32_t>(resultMask >> 32);
  words[5] = static_cast<uint32_t>(edits.size());
  for (size_t i = 0; i < argumentMasks.size() && i < 16; ++i) {
    words[8 + 2 * i] = static_cast<uint32_t>(argumentMasks[i]);
    words[9 + 2 * i] = static_cast<uint32_t>(argumentMasks[i] >> 32);
  }
  for (const Edit& edit : edits) {
    words.insert(words.end(), {static_cast<uint32_t>(edit.phase), edit.address, edit.mask});
  }
  return words;
}

}  // namespace tenon::differential
