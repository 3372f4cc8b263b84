#include "component/flatten/reexports.h"

#include "base/byte_writer.h"
#include "component/types/type_table.h"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace tenon::component {
namespace {

// The opcodes that are needed.
constexpr uint8_t UNREACHABLE = 0x00, IF = 0x04, END = 0x0b, CALL = 0x10, LOCAL_GET = 0x20,
                  LOCAL_SET = 0x21, LOCAL_TEE = 0x22, GLOBAL_GET = 0x23, GLOBAL_SET = 0x24,
                  MEMORY_SIZE = 0x3f, MEMORY_GROW = 0x40, I32_CONST = 0x41, I64_CONST = 0x42,
                  I32_EQ = 0x46, I64_GT_U = 0x56, I64_ADD = 0x7c, I64_SUB = 0x7d, I64_AND = 0x83,
                  I64_SHL = 0x86, I64_SHR_U = 0x88, I32_WRAP_I64 = 0xa7, I64_EXTEND_I32_U = 0xad,
                  PREFIX_FC = 0xfc, VOID = 0x40;
constexpr uint32_t MEMORY_COPY = 10;
constexpr uint8_t I32 = 0x7f, I64 = 0x7e;

// Where the first byte is given out; below nothing is, so that no pointer is 0.
constexpr int32_t HEAP = 16;

uint8_t encode(CoreType type) {
  switch (type) {
    case CoreType::I32:
      return I32;
    case CoreType::I64:
      return I64;
    case CoreType::F32:
      return 0x7d;
    case CoreType::F64:
      return 0x7c;
  }
  return I32;
}

class Writer {
 public:
  explicit Writer(const std::vector<Reexport>& functions) : functions_(functions) {}

  std::vector<std::byte> write() && {
    out_.fixed32(0x6d736100);  // "\0asm"
    out_.fixed32(1);
    types();
    imports();
    // realloc, then a function and a post-return for each.
    out_.section(3, [&] {
      out_.u32(count() * 2 + 1);
      out_.u32(REALLOC_TYPE);
      for (uint32_t i = 0; i < count(); ++i) {
        out_.u32(liftedType(i));
        out_.u32(doneType(i));
      }
    });
    out_.section(5, [&] {
      out_.u32(1);
      out_.u8(1);  // with a maximum, so that no end of it is 2^32
      out_.u32(1);
      out_.u32(65535);
    });
    out_.section(6, [&] {
      out_.u32(1);
      out_.u8(I32);
      out_.u8(1);  // mutable: where the next byte is given out
      code({I32_CONST});
      out_.s32(HEAP);
      out_.u8(END);
    });
    exports();
    out_.section(10, [&] {
      out_.u32(count() * 2 + 1);
      out_.sized([&] { realloc(); });
      for (uint32_t i = 0; i < count(); ++i) {
        out_.sized([&] { passOn(i); });
        out_.sized([&] {
          out_.u32(0);  // locals
          code({I32_CONST});
          out_.s32(HEAP);
          code({GLOBAL_SET, 0, END});
        });
      }
    });
    return std::move(out_).take();
  }

 private:
  static constexpr uint32_t REALLOC_TYPE = 0, DROP_TYPE = 1, FIRST_TYPE = 2;

  uint32_t count() const { return static_cast<uint32_t>(functions_.size()); }
  static uint32_t loweredType(uint32_t i) { return FIRST_TYPE + 3 * i; }
  static uint32_t liftedType(uint32_t i) { return FIRST_TYPE + 3 * i + 1; }
  static uint32_t doneType(uint32_t i) { return FIRST_TYPE + 3 * i + 2; }
  uint32_t reallocIndex() const { return count() + drops_; }
  uint32_t liftedIndex(uint32_t i) const { return reallocIndex() + 1 + 2 * i; }

  void code(std::initializer_list<uint8_t> bytes) {
    for (uint8_t byte : bytes) out_.u8(byte);
  }
  void get(uint32_t local) {
    out_.u8(LOCAL_GET);
    out_.u32(local);
  }

  void type(const std::vector<CoreType>& params, const std::vector<CoreType>& results) {
    out_.u8(0x60);
    for (const auto* list : {&params, &results}) {
      out_.u32(static_cast<uint32_t>(list->size()));
      for (CoreType each : *list) out_.u8(encode(each));
    }
  }
  void types() {
    out_.section(1, [&] {
      out_.u32(FIRST_TYPE + 3 * count());
      type({CoreType::I32, CoreType::I32, CoreType::I32, CoreType::I32}, {CoreType::I32});
      type({CoreType::I32}, {});
      for (const Reexport& function : functions_) {
        CoreSignature lowered = flattenLower(*function.type), lifted = flattenLift(*function.type);
        type(lowered.params, lowered.results);
        type(lifted.params, lifted.results);
        type(lifted.results, {});
      }
    });
  }

  void import(std::string_view module, const std::string& name, uint32_t type) {
    out_.name(module);
    out_.name(name);
    out_.u8(0);  // a function
    out_.u32(type);
  }
  void imports() {
    for (const Reexport& function : functions_) {
      firstDrop_.push_back(count() + drops_);
      drops_ += static_cast<uint32_t>(function.borrows.size());
    }
    out_.section(2, [&] {
      out_.u32(count() + drops_);
      for (uint32_t i = 0; i < count(); ++i) import("import", std::to_string(i), loweredType(i));
      for (uint32_t i = 0; i < count(); ++i) {
        for (uint32_t b : functions_[i].borrows) {
          import("drop", std::to_string(i) + ":" + std::to_string(b), DROP_TYPE);
        }
      }
    });
  }

  void exports() {
    auto add = [&](const std::string& name, uint8_t kind, uint32_t index) {
      out_.name(name);
      out_.u8(kind);
      out_.u32(index);
    };
    out_.section(7, [&] {
      out_.u32(count() * 2 + 2);
      add("memory", 2, 0);
      add("realloc", 0, reallocIndex());
      for (uint32_t i = 0; i < count(); ++i) {
        add(std::to_string(i), 0, liftedIndex(i));
        add("done:" + std::to_string(i), 0, liftedIndex(i) + 1);
      }
    });
  }

  // (old, old size, alignment, new size) -> new: behind all that was given out before. Everything
  // is given back by the post-return.
  void realloc() {
    constexpr uint32_t OLD = 0, OLD_SIZE = 1, ALIGNMENT = 2, NEW_SIZE = 3, BEGIN = 4, END_AT = 5;
    out_.u32(1);  // one kind of locals
    out_.u32(2);
    out_.u8(I64);
    // begin = (next + alignment - 1) & -alignment
    code({GLOBAL_GET, 0, I64_EXTEND_I32_U});
    get(ALIGNMENT);
    code({I64_EXTEND_I32_U, I64_ADD, I64_CONST, 1, I64_SUB, I64_CONST, 0});
    get(ALIGNMENT);
    code({I64_EXTEND_I32_U, I64_SUB, I64_AND, LOCAL_TEE, BEGIN});
    // end = begin + size
    get(NEW_SIZE);
    code({I64_EXTEND_I32_U, I64_ADD, LOCAL_SET, END_AT});
    // if end > memory.size << 16: grow by (end - (memory.size << 16) + 0xffff) >> 16
    get(END_AT);
    memoryBytes();
    code({I64_GT_U, IF, VOID});
    get(END_AT);
    memoryBytes();
    code({I64_SUB, I64_CONST});
    out_.s64(0xffff);
    code({I64_ADD, I64_CONST, 16, I64_SHR_U, I32_WRAP_I64, MEMORY_GROW, 0, I32_CONST, 0x7f, I32_EQ,
          IF, VOID, UNREACHABLE, END, END});
    // What was there before moves along.
    get(BEGIN);
    out_.u8(I32_WRAP_I64);
    get(OLD);
    get(OLD_SIZE);
    out_.u8(PREFIX_FC);
    out_.u32(MEMORY_COPY);
    code({0, 0});
    get(END_AT);
    code({I32_WRAP_I64, GLOBAL_SET, 0});
    get(BEGIN);
    code({I32_WRAP_I64, END});
  }
  void memoryBytes() { code({MEMORY_SIZE, 0, I64_EXTEND_I32_U, I64_CONST, 16, I64_SHL}); }

  void passOn(uint32_t i) {
    const FuncType& type = *functions_[i].type;
    const auto params = static_cast<uint32_t>(flattenLift(type).params.size());
    const bool spills = resultSpills(type);
    out_.u32(spills ? 1 : 0);
    if (spills) {
      out_.u32(1);
      out_.u8(I32);  // where the result is
    }
    for (uint32_t p = 0; p < params; ++p) get(p);
    if (spills) {
      code({I32_CONST, 0, I32_CONST, 0, I32_CONST});
      out_.s32(static_cast<int32_t>(type.result->alignment));
      out_.u8(I32_CONST);
      out_.s32(static_cast<int32_t>(type.result->size));
      out_.u8(CALL);
      out_.u32(reallocIndex());
      out_.u8(LOCAL_TEE);
      out_.u32(params);
    }
    out_.u8(CALL);
    out_.u32(i);
    // A result stays below what follows.
    uint32_t drop = firstDrop_[i];
    for (uint32_t b : functions_[i].borrows) {
      uint32_t flat = 0;
      for (uint32_t p = 0; p < b; ++p) flat += type.params[p].type->flatCount;
      get(flat);
      out_.u8(CALL);
      out_.u32(drop++);
    }
    if (spills) get(params);
    out_.u8(END);
  }

  const std::vector<Reexport>& functions_;
  uint32_t drops_ = 0;
  std::vector<uint32_t> firstDrop_;  // by function: the index of its first drop
  ByteWriter out_;
};

}  // namespace

bool canReexport(const FuncType& type) {
  if (type.async) return false;
  return std::ranges::all_of(type.params, [&](const Parameter& param) {
    if (!param.type->hasBorrow) return true;
    return param.type->kind == TypeKind::BORROW && !paramsSpill(type);
  });
}

std::vector<std::byte> writeReexports(const std::vector<Reexport>& functions) {
  return Writer(functions).write();
}

}  // namespace tenon::component
