#include "convert.h"

#include "random_values.h"
#include "sides.h"

#include <memory>
#include <string>

namespace tenon::differential {
namespace {

wasm_name_t nameOf(std::string_view text) {
  wasm_name_t name;
  wasm_name_new(&name, text.size(), text.data());
  return name;
}
std::string textOf(const wasm_name_t& name) { return {name.data, name.size}; }

// -- Values: Tenon's to Wasmtime's, along the type, which tells maps from lists -------------------

class Writer {
 public:
  explicit Writer(wasmtime_context_t* context) : context_(context) {}

  wasmtime_component_val_t write(const Value& value, const Type* type) {
    wasmtime_component_val_t out{};
    std::visit([&](const auto& content) { put(out, content, type); }, value.storage());
    return out;
  }

 private:
  using Val = wasmtime_component_val_t;

#define TENON_SCALAR(TYPE, KIND, MEMBER)        \
  void put(Val& out, TYPE value, const Type*) { \
    out.kind = WASMTIME_COMPONENT_##KIND;       \
    out.of.MEMBER = value;                      \
  }
  TENON_SCALAR(bool, BOOL, boolean)
  TENON_SCALAR(int8_t, S8, s8)
  TENON_SCALAR(uint8_t, U8, u8)
  TENON_SCALAR(int16_t, S16, s16)
  TENON_SCALAR(uint16_t, U16, u16)
  TENON_SCALAR(int32_t, S32, s32)
  TENON_SCALAR(uint32_t, U32, u32)
  TENON_SCALAR(int64_t, S64, s64)
  TENON_SCALAR(uint64_t, U64, u64)
  TENON_SCALAR(float, F32, f32)
  TENON_SCALAR(double, F64, f64)
#undef TENON_SCALAR

  void put(Val& out, Char value, const Type*) {
    out.kind = WASMTIME_COMPONENT_CHAR;
    out.of.character = value.code;
  }
  void put(Val& out, const std::string& value, const Type*) {
    out.kind = WASMTIME_COMPONENT_STRING;
    out.of.string = nameOf(value);
  }
  void put(Val& out, const List& value, const Type* type) {
    if (type && type->isMap) {
      out.kind = WASMTIME_COMPONENT_MAP;
      wasmtime_component_valmap_new_uninit(&out.of.map, value.items.size());
      for (size_t i = 0; i < value.items.size(); ++i) {
        const std::vector<Value>& pair = value.items[i].find<Tuple>()->items;
        out.of.map.data[i].key = write(pair[0], type->element->members[0].type);
        out.of.map.data[i].value = write(pair[1], type->element->members[1].type);
      }
      return;
    }
    out.kind = WASMTIME_COMPONENT_LIST;
    wasmtime_component_vallist_new_uninit(&out.of.list, value.items.size());
    for (size_t i = 0; i < value.items.size(); ++i) {
      out.of.list.data[i] = write(value.items[i], type ? type->element : nullptr);
    }
  }
  void put(Val& out, const Record& value, const Type* type) {
    out.kind = WASMTIME_COMPONENT_RECORD;
    wasmtime_component_valrecord_new_uninit(&out.of.record, value.fields.size());
    for (size_t i = 0; i < value.fields.size(); ++i) {
      out.of.record.data[i].name = nameOf(value.fields[i].name);
      out.of.record.data[i].val =
          write(value.fields[i].value, type ? type->members[i].type : nullptr);
    }
  }
  void put(Val& out, const Tuple& value, const Type* type) {
    out.kind = WASMTIME_COMPONENT_TUPLE;
    wasmtime_component_valtuple_new_uninit(&out.of.tuple, value.items.size());
    for (size_t i = 0; i < value.items.size(); ++i) {
      out.of.tuple.data[i] = write(value.items[i], type ? type->members[i].type : nullptr);
    }
  }
  void put(Val& out, const Variant& value, const Type* type) {
    out.kind = WASMTIME_COMPONENT_VARIANT;
    out.of.variant.discriminant = nameOf(value.label);
    const Type* payload = nullptr;
    if (type) {
      for (const Labelled& member : type->members) {
        if (member.label == value.label) payload = member.type;
      }
    }
    out.of.variant.val = boxed(value.payload, payload);
  }
  void put(Val& out, const Enum& value, const Type*) {
    out.kind = WASMTIME_COMPONENT_ENUM;
    out.of.enumeration = nameOf(value.label);
  }
  void put(Val& out, const Option& value, const Type* type) {
    out.kind = WASMTIME_COMPONENT_OPTION;
    out.of.option = boxed(value.value, type ? type->element : nullptr);
  }
  void put(Val& out, const ResultValue& value, const Type* type) {
    out.kind = WASMTIME_COMPONENT_RESULT;
    out.of.result.is_ok = !value.isError;
    out.of.result.val = boxed(value.payload, !type           ? nullptr
                                             : value.isError ? type->error
                                                             : type->ok);
  }
  void put(Val& out, const Flags& value, const Type*) {
    out.kind = WASMTIME_COMPONENT_FLAGS;
    wasmtime_component_valflags_new_uninit(&out.of.flags, value.labels.size());
    for (size_t i = 0; i < value.labels.size(); ++i) {
      out.of.flags.data[i] = nameOf(value.labels[i]);
    }
  }
  void put(Val& out, const Resource& value, const Type*) {
    out.kind = WASMTIME_COMPONENT_RESOURCE;
    // What is lent is owned by the host: a borrow can only be made from an `own`. It stays in the
    // store until that goes.
    auto rep = static_cast<uint32_t>(value.handle->id());
    wasmtime_component_resource_host_t* host =
        wasmtime_component_resource_host_new(/*owned=*/true, rep, RESOURCE_TAG);
    wasmtime_error_t* error =
        wasmtime_component_resource_host_to_any(context_, host, &out.of.resource);
    wasmtime_component_resource_host_delete(host);
    if (error) throw ResultError(Error(ErrorCode::INTERNAL, takeMessage(error)));
  }

  Val* boxed(const Box& box, const Type* type) {
    if (!box) return nullptr;
    Val inner = write(*box, type);
    return wasmtime_component_val_new(&inner);
  }

  wasmtime_context_t* context_;
};

Box readBox(wasmtime_context_t* context, const wasmtime_component_val_t* val) {
  return val ? Box(fromWasmtime(context, *val)) : Box();
}

Value readResource(wasmtime_context_t* context, const wasmtime_component_resource_any_t* any) {
  wasmtime_component_resource_host_t* host = nullptr;
  bool owned = wasmtime_component_resource_any_owned(any);
  if (wasmtime_error_t* error = wasmtime_component_resource_any_to_host(context, any, &host)) {
    throw ResultError(Error(ErrorCode::INTERNAL, takeMessage(error)));
  }
  auto handle = std::make_shared<TestHandle>(wasmtime_component_resource_host_rep(host));
  wasmtime_component_resource_host_delete(host);
  return Value(Resource{std::move(handle), owned});
}

}  // namespace

wasmtime_component_val_t toWasmtime(wasmtime_context_t* context, const Value& value,
                                    const Type* type) {
  return Writer(context).write(value, type);
}

Value fromWasmtime(wasmtime_context_t* context, const wasmtime_component_val_t& val) {
  auto all = [&](const auto& vec) {
    std::vector<Value> items;
    for (size_t i = 0; i < vec.size; ++i) items.push_back(fromWasmtime(context, vec.data[i]));
    return items;
  };
  switch (val.kind) {
    case WASMTIME_COMPONENT_BOOL:
      return Value(val.of.boolean);
    case WASMTIME_COMPONENT_S8:
      return Value(val.of.s8);
    case WASMTIME_COMPONENT_U8:
      return Value(val.of.u8);
    case WASMTIME_COMPONENT_S16:
      return Value(val.of.s16);
    case WASMTIME_COMPONENT_U16:
      return Value(val.of.u16);
    case WASMTIME_COMPONENT_S32:
      return Value(val.of.s32);
    case WASMTIME_COMPONENT_U32:
      return Value(val.of.u32);
    case WASMTIME_COMPONENT_S64:
      return Value(val.of.s64);
    case WASMTIME_COMPONENT_U64:
      return Value(val.of.u64);
    case WASMTIME_COMPONENT_F32:
      return Value(val.of.f32);
    case WASMTIME_COMPONENT_F64:
      return Value(val.of.f64);
    case WASMTIME_COMPONENT_CHAR:
      return Value(Char{val.of.character});
    case WASMTIME_COMPONENT_STRING:
      return Value(textOf(val.of.string));
    case WASMTIME_COMPONENT_LIST:
      return Value(List{all(val.of.list)});
    case WASMTIME_COMPONENT_MAP: {
      List list;
      for (size_t i = 0; i < val.of.map.size; ++i) {
        const wasmtime_component_valmap_entry_t& entry = val.of.map.data[i];
        list.items.push_back(
            Value(Tuple{{fromWasmtime(context, entry.key), fromWasmtime(context, entry.value)}}));
      }
      return Value(std::move(list));
    }
    case WASMTIME_COMPONENT_TUPLE:
      return Value(Tuple{all(val.of.tuple)});
    case WASMTIME_COMPONENT_RECORD: {
      Record record;
      for (size_t i = 0; i < val.of.record.size; ++i) {
        const wasmtime_component_valrecord_entry_t& entry = val.of.record.data[i];
        record.fields.push_back({textOf(entry.name), fromWasmtime(context, entry.val)});
      }
      return Value(std::move(record));
    }
    case WASMTIME_COMPONENT_VARIANT:
      return Value(
          Variant{textOf(val.of.variant.discriminant), readBox(context, val.of.variant.val)});
    case WASMTIME_COMPONENT_ENUM:
      return Value(Enum{textOf(val.of.enumeration)});
    case WASMTIME_COMPONENT_OPTION:
      return Value(Option{readBox(context, val.of.option)});
    case WASMTIME_COMPONENT_RESULT:
      return Value(ResultValue{!val.of.result.is_ok, readBox(context, val.of.result.val)});
    case WASMTIME_COMPONENT_FLAGS: {
      Flags flags;
      for (size_t i = 0; i < val.of.flags.size; ++i) {
        flags.labels.push_back(textOf(val.of.flags.data[i]));
      }
      return Value(std::move(flags));
    }
    case WASMTIME_COMPONENT_RESOURCE:
      return readResource(context, val.of.resource);
    default:
      return {};
  }
}

}  // namespace tenon::differential
