// Both directions are one description: `ProgramFields` visits every field in order, and its archive
// either appends the field or fills it. Numbers are LEB128; lists and texts begin with their
// length.
#include "component/program/program_bytes.h"

#include "base/byte_reader.h"

#include <algorithm>
#include <type_traits>
#include <unordered_map>
#include <utility>

namespace tenon::component {
namespace {

// Instances inside exported instances; `flatten` makes no deeper ones.
constexpr uint32_t MAX_EXPORT_DEPTH = 110;
constexpr auto LAST_CANON = CanonKind::THREAD_AVAILABLE_PARALLELISM;

class Writer {
 public:
  template <typename T>
  using Ref = const T&;
  static constexpr bool READS = false;

  void number(uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<std::byte>(value | 0x80));
    out_.push_back(static_cast<std::byte>(value));
  }
  void wide(const uint64_t& value) { number(value); }
  void index(const uint32_t& value, size_t) { number(value); }
  // NONE is 0.
  void indexOrNone(const uint32_t& value, size_t) {
    number(value == NONE ? 0 : uint64_t{value} + 1);
  }
  template <typename E>
  void choice(const E& value, E) {
    number(static_cast<uint64_t>(value));
  }
  void flag(const bool& value) { number(value ? 1 : 0); }
  void text(const std::string& value) {
    number(value.size());
    bytes(std::as_bytes(std::span(value)));
  }
  void bytes(std::span<const std::byte> value) {
    out_.insert(out_.end(), value.begin(), value.end());
  }
  template <typename T>
  void size(const std::vector<T>& items) {
    number(items.size());
  }
  void fail() { failed_ = true; }
  bool failed() const { return failed_; }
  std::vector<std::byte> take() { return std::move(out_); }

  // The number of a type that `types` wrote; 0: none.
  void type(const Type* const& type) { number(type ? known_.at(type) : 0); }

  // Writes a type's nodes, parts first, unless they are there already.
  void collect(const Type* type, std::vector<const Type*>& nodes) {
    if (!type || known_.contains(type)) return;
    collect(type->element, nodes);
    collect(type->ok, nodes);
    collect(type->error, nodes);
    for (const Labelled& member : type->members) collect(member.type, nodes);
    nodes.push_back(type);
    known_.emplace(type, nodes.size());
  }

 private:
  std::vector<std::byte> out_;
  std::unordered_map<const Type*, size_t> known_;  // counted from 1
  bool failed_ = false;
};

// After the first thing that does not fit every value is zero or empty.
class Reader {
 public:
  template <typename T>
  using Ref = T&;
  static constexpr bool READS = true;

  explicit Reader(std::span<const std::byte> bytes) : in_(bytes) {}

  uint64_t number() {
    auto value = in_.u64();
    if (failed_ || !value) return failed_ = true, 0;
    return *value;
  }
  void wide(uint64_t& value) { value = number(); }
  void index(uint32_t& value, size_t limit) {
    uint64_t read = number();
    if (read >= limit) return fail();
    value = static_cast<uint32_t>(read);
  }
  void indexOrNone(uint32_t& value, size_t limit) {
    uint64_t read = number();
    if (read > limit) return fail();
    value = read == 0 ? NONE : static_cast<uint32_t>(read - 1);
  }
  template <typename E>
  void choice(E& value, E last) {
    uint64_t read = number();
    if (read > static_cast<uint64_t>(last)) return fail();
    value = static_cast<E>(read);
  }
  void flag(bool& value) { value = number() != 0; }
  void text(std::string& value) { value = asText(bytes(number())); }
  std::span<const std::byte> bytes(uint64_t size) {
    auto taken = in_.take(size, "program");
    if (failed_ || !taken) return failed_ = true, std::span<const std::byte>();
    return *taken;
  }
  // Every item takes at least a byte, so that a wrong length cannot take more memory than a
  // multiple of the file.
  template <typename T>
  void size(std::vector<T>& items) {
    uint64_t count = number();
    if (count > in_.remaining()) return fail();
    items.resize(count);
  }
  void fail() { failed_ = true; }
  bool failed() const { return failed_; }
  bool atEnd() const { return in_.atEnd(); }

  void type(const Type*& type) {
    uint64_t read = number();
    if (read > types_.size()) return fail();
    type = read == 0 ? nullptr : types_[read - 1];
  }
  void add(const Type* type) { types_.push_back(type); }

 private:
  ByteReader in_;
  std::vector<const Type*> types_;
  bool failed_ = false;
};

// Types that a program's tables and exports refer to.
class TypeNodes {
 public:
  explicit TypeNodes(Writer& out) : out_(out) {}

  std::vector<const Type*> of(const Program& program) {
    for (const Trampoline& trampoline : program.trampolines) add(trampoline.type);
    for (const ImportedFunction& import : program.imports) add(import.type);
    add(program.exports);
    return std::move(nodes_);
  }

 private:
  void add(const FuncType& type) {
    for (const Parameter& param : type.params) out_.collect(param.type, nodes_);
    out_.collect(type.result, nodes_);
  }
  // Nesting is capped where exports are made.
  void add(const std::vector<ProgramExport>& exports) {
    for (const ProgramExport& entry : exports) {
      if (auto* lifted = std::get_if<LiftedFunction>(&entry.item)) add(lifted->type);
      if (auto* type = std::get_if<ExportedType>(&entry.item)) out_.collect(type->type, nodes_);
      if (auto* instance = std::get_if<ExportedInstance>(&entry.item)) add(instance->exports);
    }
  }

  Writer& out_;
  std::vector<const Type*> nodes_;
};

// One node of a type. When it is read, its parts were read before.
template <typename A>
void typeFields(A& a, typename A::template Ref<Type> type) {
  a.choice(type.kind, TypeKind::FUTURE);
  a.type(type.element);
  a.type(type.ok);
  a.type(type.error);
  a.flag(type.isMap);
  a.index(type.fixedLength, size_t{1} << 32);
  a.index(type.resource, size_t{1} << 32);
  a.size(type.members);
  for (auto& member : type.members) {
    a.text(member.label);
    a.type(member.type);
  }
}

Result<const Type*> makeType(TypeTable& table, Type type) {
  auto refuse = [] { return Error{ErrorCode::MALFORMED, "a type without its parts"}; };
  auto labels = [&] {
    std::vector<std::string> names;
    for (Labelled& member : type.members) names.push_back(std::move(member.label));
    return names;
  };
  bool complete = std::ranges::all_of(type.members, [](const Labelled& m) { return m.type; });
  switch (type.kind) {
    case TypeKind::LIST:
      if (!type.element) return refuse();
      if (type.isMap) {
        const std::vector<Labelled>& pair = type.element->members;
        if (pair.size() != 2 || !pair[0].type || !pair[1].type) return refuse();
        return table.map(pair[0].type, pair[1].type);
      }
      if (type.fixedLength != 0) return table.fixedList(type.element, type.fixedLength);
      return table.list(type.element);
    case TypeKind::RECORD:
      if (!complete) return refuse();
      return table.record(std::move(type.members));
    case TypeKind::TUPLE: {
      if (!complete) return refuse();
      std::vector<const Type*> elements;
      for (const Labelled& member : type.members) elements.push_back(member.type);
      return table.tuple(std::move(elements));
    }
    case TypeKind::VARIANT:
      return table.variant(std::move(type.members));
    case TypeKind::ENUM:
      return table.enumeration(labels());
    case TypeKind::OPTION:
      if (!type.element) return refuse();
      return table.option(type.element);
    case TypeKind::RESULT:
      return table.result(type.ok, type.error);
    case TypeKind::FLAGS:
      return table.flags(labels());
    case TypeKind::OWN:
      return table.own(type.resource);
    case TypeKind::BORROW:
      return table.borrow(type.resource);
    case TypeKind::STREAM:
      return table.stream(type.element);
    case TypeKind::FUTURE:
      return table.future(type.element);
    default:
      return table.primitive(type.kind);
  }
}

template <typename A>
class ProgramFields {
 public:
  template <typename T>
  using Ref = typename A::template Ref<T>;

  ProgramFields(A& archive, Ref<Program> program) : a_(archive), p_(program) {}

  // The sizes of the tables, which bound every index.
  void sizes() {
    a_.size(p_.modules);
    a_.size(p_.steps);
    a_.size(p_.memories);
    a_.size(p_.functions);
    a_.size(p_.trampolines);
    a_.size(p_.imports);
    a_.size(p_.resources);
    a_.size(p_.instances);
    a_.size(p_.calls);
  }

  // All but modules and types, which come before.
  void tables() {
    for (size_t i = 0; i < p_.steps.size(); ++i) {
      auto& step = p_.steps[i];
      a_.index(step.module, p_.modules.size());
      a_.indexOrNone(step.instance, p_.instances.size());
      a_.size(step.args);
      for (auto& arg : step.args) {
        a_.text(arg.module);
        a_.text(arg.name);
        item(arg.item, i);
      }
    }
    for (auto& memory : p_.memories) item(memory, p_.steps.size());
    for (auto& function : p_.functions) item(function, p_.steps.size());
    for (auto& entry : p_.trampolines) trampoline(entry);
    for (auto& import : p_.imports) {
      a_.text(import.interface);
      a_.text(import.name);
      function(import.type);
      a_.index(import.part, p_.instances.size());
    }
    for (auto& resource : p_.resources) {
      a_.text(resource.name);
      a_.flag(resource.imported);
      a_.text(resource.interface);
      a_.indexOrNone(resource.instance, p_.instances.size());
      a_.indexOrNone(resource.dtor, p_.functions.size());
    }
    for (auto& instance : p_.instances) {
      a_.text(instance.name);
      a_.indexOrNone(instance.parent, p_.instances.size());
      a_.index(instance.part, p_.instances.size());
    }
    for (auto& call : p_.calls) {
      a_.index(call.caller, p_.instances.size());
      a_.index(call.callee, p_.instances.size());
    }
    exports(p_.exports, 0);
    bool hasControl = p_.control.has_value();
    if constexpr (A::READS) {
      a_.flag(hasControl);
      if (hasControl) p_.control.emplace();
    } else {
      a_.flag(hasControl);
    }
    if (hasControl) item(*p_.control, p_.steps.size());
  }

 private:
  void item(Ref<CoreItem> item, size_t steps) {
    a_.choice(item.kind, CoreItem::Kind::TRAMPOLINE);
    bool isExport = item.kind == CoreItem::Kind::INSTANCE_EXPORT;
    a_.index(item.index, isExport ? steps : p_.trampolines.size());
    a_.text(item.name);
  }

  void types(Ref<std::vector<CoreType>> types) {
    a_.size(types);
    for (auto& type : types) a_.choice(type, CoreType::F64);
  }

  void function(Ref<FuncType> type) {
    a_.size(type.params);
    for (auto& param : type.params) {
      a_.text(param.name);
      a_.type(param.type);
      if (!param.type) a_.fail();
    }
    a_.type(type.result);
    a_.flag(type.async);
  }

  void options(Ref<Options> options) {
    a_.index(options.instance, p_.instances.size());
    a_.choice(options.encoding, StringEncoding::LATIN1_UTF16);
    a_.indexOrNone(options.memory, p_.memories.size());
    a_.indexOrNone(options.realloc, p_.functions.size());
    a_.indexOrNone(options.postReturn, p_.functions.size());
    a_.indexOrNone(options.callback, p_.functions.size());
    a_.flag(options.async);
  }

  void trampoline(Ref<Trampoline> trampoline) {
    a_.choice(trampoline.kind, Trampoline::Kind::EXIT_CALL);
    a_.indexOrNone(trampoline.instance, p_.instances.size());
    types(trampoline.signature.params);
    types(trampoline.signature.results);
    a_.indexOrNone(trampoline.import, p_.imports.size());
    a_.indexOrNone(trampoline.resource, p_.resources.size());
    a_.indexOrNone(trampoline.target, p_.instances.size());
    function(trampoline.type);
    options(trampoline.options);
    a_.choice(trampoline.canon, LAST_CANON);
    a_.index(trampoline.contextSlot, 2);
    a_.choice(trampoline.contextType, CoreType::F64);
    a_.flag(trampoline.lateBound);
    a_.index(trampoline.boundAfter, p_.steps.size() + 1);
    bool calls = trampoline.kind == Trampoline::Kind::LOWER_IMPORT;
    if (calls && trampoline.import == NONE) a_.fail();
  }

  void lifted(Ref<LiftedFunction> lifted) {
    item(lifted.callee, p_.steps.size());
    a_.indexOrNone(lifted.calleeSlot, p_.functions.size());
    function(lifted.type);
    options(lifted.options);
  }

  void exports(Ref<std::vector<ProgramExport>> exports, uint32_t depth) {
    if (depth > MAX_EXPORT_DEPTH) return a_.fail();
    a_.size(exports);
    for (auto& entry : exports) {
      if (a_.failed()) return;
      a_.text(entry.name);
      if constexpr (A::READS) {
        read(entry, depth);
      } else {
        a_.number(entry.item.index());
        std::visit([&](const auto& content) { fields(content, depth); }, entry.item);
      }
    }
  }

  void read(ProgramExport& entry, uint32_t depth) {
    [&]<size_t... I>(std::index_sequence<I...>) {
      uint64_t kind = a_.number();
      bool found =
          ((kind == I ? (fields(entry.item.template emplace<I>(), depth), true) : false) || ...);
      if (!found) a_.fail();
    }(std::make_index_sequence<std::variant_size_v<decltype(entry.item)>>());
  }

  void fields(Ref<LiftedFunction> item, uint32_t) { lifted(item); }
  void fields(Ref<ReexportedImport> item, uint32_t) { a_.index(item.import, p_.imports.size()); }
  void fields(Ref<ExportedInstance> item, uint32_t depth) { exports(item.exports, depth + 1); }
  void fields(Ref<ExportedType> item, uint32_t) {
    a_.type(item.type);
    a_.indexOrNone(item.resource, p_.resources.size());
  }
  void fields(Ref<ExportedModule>, uint32_t) {}
  void fields(Ref<ExportedComponent>, uint32_t) {}

  A& a_;
  Ref<Program> p_;
};

bool contains(std::span<const std::byte> outer, std::span<const std::byte> inner) {
  std::less_equal<const std::byte*> notAfter;
  return notAfter(outer.data(), inner.data()) &&
         notAfter(inner.data() + inner.size(), outer.data() + outer.size());
}

}  // namespace

Result<std::vector<std::byte>> writeProgram(const Program& program, ProgramSources sources) {
  if (!program.adapters.empty()) {
    return Error{ErrorCode::INTERNAL, "a program with adapters is not written"};
  }
  Writer out;
  ProgramFields<Writer> fields(out, program);
  fields.sizes();
  for (const ModuleBytes& module : program.modules) {
    out.text(module.name);
    out.flag(module.generated);
    if (module.generated) {
      out.number(module.bytes.size());
      out.bytes(module.bytes);
      continue;
    }
    auto source = std::ranges::find_if(
        sources, [&](std::span<const std::byte> bytes) { return contains(bytes, module.bytes); });
    if (source == sources.end()) {
      return Error{ErrorCode::INTERNAL, module.name + " is in no component"};
    }
    out.number(static_cast<uint64_t>(source - sources.begin()));
    out.number(static_cast<uint64_t>(module.bytes.data() - source->data()));
    out.number(module.bytes.size());
    out.wide(module.offset);
  }
  std::vector<const Type*> nodes = TypeNodes(out).of(program);
  out.number(nodes.size());
  for (const Type* node : nodes) typeFields(out, *node);
  fields.tables();
  return out.take();
}

Result<Program> readProgram(std::span<const std::byte> bytes, ProgramSources sources) {
  auto malformed = [] { return Error{ErrorCode::MALFORMED, "not a program that Tenon wrote"}; };
  Program program;
  program.types = std::make_shared<TypeTable>();
  Reader in(bytes);
  ProgramFields<Reader> fields(in, program);
  fields.sizes();
  for (ModuleBytes& module : program.modules) {
    if (in.failed()) return malformed();
    in.text(module.name);
    in.flag(module.generated);
    if (module.generated) {
      std::span<const std::byte> code = in.bytes(in.number());
      program.storage.push_back(std::make_unique<std::vector<std::byte>>(code.begin(), code.end()));
      module.bytes = *program.storage.back();
      module.offset = NONE;
      continue;
    }
    uint32_t source = 0;
    in.index(source, sources.size());
    uint64_t start = in.number(), size = in.number();
    in.wide(module.offset);
    if (in.failed() || start > sources[source].size() || size > sources[source].size() - start) {
      return malformed();
    }
    module.bytes = sources[source].subspan(start, size);
  }
  for (uint64_t left = in.number(); left > 0; --left) {
    Type type;
    typeFields(in, type);
    if (in.failed()) return malformed();
    TENON_TRY(const Type* made, makeType(*program.types, std::move(type)));
    in.add(made);
  }
  fields.tables();
  if (in.failed() || !in.atEnd()) return malformed();
  program.types->nameResources([&](uint32_t resource) {
    return resource < program.resources.size() ? program.resources[resource].name : std::string();
  });
  return program;
}

}  // namespace tenon::component
