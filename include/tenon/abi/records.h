#pragma once

// Abi of records (structs described by TENON_RECORD) and tuples.

#include <tenon/abi/abi_type.h>
#include <tenon/describe.h>

#include <utility>

namespace tenon {

namespace abi::detail {  // guest-ok(pointer): all of a value lies inside

// Layout of Ts one after another, as fields of a record. Source: CanonicalABI.md "Alignment".
template <typename... Ts>
struct SequenceAbi {
  static constexpr size_t COUNT = sizeof...(Ts);
  static constexpr uint32_t ALIGNMENT = [] {
    uint32_t alignment = 1;
    ((alignment = Abi<Ts>::ALIGNMENT > alignment ? Abi<Ts>::ALIGNMENT : alignment), ...);
    return alignment;
  }();
  // COUNT offsets, then the size.
  static constexpr std::array<uint32_t, COUNT + 1> OFFSETS = [] {
    std::array<uint32_t, COUNT + 1> offsets{};
    uint32_t end = 0;
    size_t i = 0;
    ((offsets[i++] = alignTo(end, Abi<Ts>::ALIGNMENT), end = offsets[i - 1] + Abi<Ts>::SIZE), ...);
    offsets[COUNT] = alignTo(end, ALIGNMENT);
    return offsets;
  }();
  static constexpr uint32_t SIZE = OFFSETS[COUNT];
  static constexpr uint32_t FLAT_COUNT = (0 + ... + Abi<Ts>::FLAT_COUNT);
  static constexpr bool CAN_FAIL = (false || ... || Abi<Ts>::CAN_FAIL);
  static constexpr bool HAS_RESOURCE = (false || ... || Abi<Ts>::HAS_RESOURCE);
  static constexpr bool IS_VIEW = (false || ... || Abi<Ts>::IS_VIEW);
  static constexpr bool DENSE =
      (true && ... && Abi<Ts>::PLAIN) && (0 + ... + Abi<Ts>::SIZE) == SIZE;

  static const Type* memberType(const Type* type, size_t index) {
    return HAS_RESOURCE ? type->members[index].type : nullptr;
  }
};

template <typename Class, typename Member>
Member memberOf(Member Class::*);
template <typename Class, typename Member>
Member memberOf(NamedField<Member Class::*>);

template <typename Class, typename Member>
constexpr auto pointerOf(Member Class::* member) {
  return member;
}
template <typename Member>
constexpr auto pointerOf(NamedField<Member> field) {
  return field.member;
}
template <typename Class, typename Member>
constexpr std::string_view nameOf(Member Class::*) {
  return {};
}
template <typename Member>
constexpr std::string_view nameOf(NamedField<Member> field) {
  return field.name;
}

template <typename Fields>
struct FieldsAbi;
template <typename... Fields>
struct FieldsAbi<std::tuple<Fields...>> {
  using Sequence = SequenceAbi<decltype(memberOf(std::declval<Fields>()))...>;
};
template <typename T>
using RecordSequence = FieldsAbi<std::remove_cvref_t<decltype(Describe<T>::fields)>>::Sequence;

// Whether the struct's bytes are the record's bytes: trivial, no padding, fields declared in order.
// Looks where each field gets its bytes from; a struct too large to number them is taken as
// different.
template <typename T>
constexpr bool laidOutAlike() {
  using Sequence = RecordSequence<T>;
  if constexpr (!Sequence::DENSE || sizeof(T) != Sequence::SIZE || sizeof(T) > 256 ||
                alignof(T) != Sequence::ALIGNMENT || !std::is_trivially_copyable_v<T>) {
    return false;
  } else {
    std::array<uint8_t, sizeof(T)> numbers{};
    for (size_t i = 0; i < sizeof(T); i++) numbers[i] = static_cast<uint8_t>(i);
    const T probe = std::bit_cast<T>(numbers);
    return std::apply(
        [&](const auto&... field) {
          size_t i = 0;
          auto inPlace = [&](const auto& value) {
            auto bytes = std::bit_cast<std::array<uint8_t, sizeof(value)>>(value);
            return bytes[0] == Sequence::OFFSETS[i++];
          };
          return (... && inPlace(probe.*pointerOf(field)));
        },
        Describe<T>::fields);
  }
}

bool differCount(TypeMatch& match, std::string_view what, size_t expected, size_t found);
bool differLabel(TypeMatch& match, std::string_view what, std::string_view expected,
                 std::string_view found);
std::string fieldStep(std::string_view name);
std::string elementStep(size_t index);

}  // namespace abi::detail

template <DescribedRecord T>
struct Abi<T> : abi::detail::RecordSequence<T> {
  using Sequence = abi::detail::RecordSequence<T>;
  static constexpr bool PLAIN = abi::detail::laidOutAlike<T>();

  static std::string describe() {
    std::string text;
    eachField([&]<typename F>(size_t i, auto field) {
      text += i == 0 ? "record { " : ", ";
      if (auto name = abi::detail::nameOf(field); !name.empty()) text += std::string(name) + ": ";
      text += Abi<F>::describe();
      return true;
    });
    return text + " }";
  }
  static bool matches(const Type& type, TypeMatch& match) {
    if (type.kind != TypeKind::RECORD) return abi::detail::differ(match, describe(), &type);
    if (type.members.size() != Sequence::COUNT) {
      return abi::detail::differCount(match, "fields", Sequence::COUNT, type.members.size());
    }
    return eachField([&]<typename F>(size_t i, auto field) {
      const Labelled& member = type.members[i];
      auto name = abi::detail::nameOf(field);
      if (!name.empty() && !abi::detail::sameLabel(name, member.label)) {
        return abi::detail::differLabel(match, "field", name, member.label);
      }
      return abi::detail::within(match, abi::detail::fieldStep(member.label),
                                 Abi<F>::matches(*member.type, match));
    });
  }
  static T load(abi::Context& context, uint32_t pointer, const Type* type) {
    T value{};
    eachField([&]<typename F>(size_t i, auto field) {
      value.*abi::detail::pointerOf(field) =
          Abi<F>::load(context, pointer + Sequence::OFFSETS[i], Sequence::memberType(type, i));
      return true;
    });
    return value;
  }
  static void store(abi::Context& context, const T& value, uint32_t pointer, const Type* type) {
    eachField([&]<typename F>(size_t i, auto field) {
      Abi<F>::store(context, value.*abi::detail::pointerOf(field), pointer + Sequence::OFFSETS[i],
                    Sequence::memberType(type, i));
      return true;
    });
  }
  static T liftFlat(abi::Context& context, const RawValue*& in, const Type* type) {
    T value{};
    eachField([&]<typename F>(size_t i, auto field) {
      value.*abi::detail::pointerOf(field) =
          Abi<F>::liftFlat(context, in, Sequence::memberType(type, i));
      return true;
    });
    return value;
  }
  static void lowerFlat(abi::Context& context, const T& value, RawValue*& out, const Type* type) {
    eachField([&]<typename F>(size_t i, auto field) {
      Abi<F>::lowerFlat(context, value.*abi::detail::pointerOf(field), out,
                        Sequence::memberType(type, i));
      return true;
    });
  }

 private:
  // Calls `visit.operator()<FieldType>(index, field)` for each field until one is false.
  template <typename Visit>
  static constexpr bool eachField(Visit&& visit) {
    return std::apply(
        [&](auto... field) {
          size_t i = 0;
          return (visit.template operator()<decltype(abi::detail::memberOf(field))>(i++, field) &&
                  ...);
        },
        Describe<T>::fields);
  }
};

template <AbiType... Ts>
  requires(sizeof...(Ts) > 0)
struct Abi<std::tuple<Ts...>> : abi::detail::SequenceAbi<Ts...> {
  using Sequence = abi::detail::SequenceAbi<Ts...>;
  using Tuple = std::tuple<Ts...>;
  static constexpr bool PLAIN = false;  // C++ does not say how it is laid out

  static std::string describe() {
    std::string text = "tuple<";
    ((text += Abi<Ts>::describe() + ", "), ...);
    text.resize(text.size() - 2);
    return text + ">";
  }
  static bool matches(const Type& type, TypeMatch& match) {
    if (type.kind != TypeKind::TUPLE) return abi::detail::differ(match, describe(), &type);
    if (type.members.size() != Sequence::COUNT) {
      return abi::detail::differCount(match, "elements", Sequence::COUNT, type.members.size());
    }
    size_t i = 0;
    return (... && (i++, abi::detail::within(match, abi::detail::elementStep(i - 1),
                                             Abi<Ts>::matches(*type.members[i - 1].type, match))));
  }
  static Tuple load(abi::Context& context, uint32_t pointer, const Type* type) {
    return each([&]<size_t... I>(std::index_sequence<I...>) {
      return Tuple{
          Abi<Ts>::load(context, pointer + Sequence::OFFSETS[I], Sequence::memberType(type, I))...};
    });
  }
  static void store(abi::Context& context, const Tuple& value, uint32_t pointer, const Type* type) {
    each([&]<size_t... I>(std::index_sequence<I...>) {
      (Abi<Ts>::store(context, std::get<I>(value), pointer + Sequence::OFFSETS[I],
                      Sequence::memberType(type, I)),
       ...);
    });
  }
  static Tuple liftFlat(abi::Context& context, const RawValue*& in, const Type* type) {
    return each([&]<size_t... I>(std::index_sequence<I...>) {
      return Tuple{Abi<Ts>::liftFlat(context, in, Sequence::memberType(type, I))...};
    });
  }
  static void lowerFlat(abi::Context& context, const Tuple& value, RawValue*& out,
                        const Type* type) {
    each([&]<size_t... I>(std::index_sequence<I...>) {
      (Abi<Ts>::lowerFlat(context, std::get<I>(value), out, Sequence::memberType(type, I)), ...);
    });
  }

 private:
  template <typename Visit>
  static auto each(Visit&& visit) {
    return visit(std::index_sequence_for<Ts...>());
  }
};

}  // namespace tenon
