#pragma once

// Typed calls: which C++ types stand for which component types, and how to describe your own.
//
//   component type        C++ type
//   bool                  bool
//   s8 ... u64            int8_t ... uint64_t (u8 also std::byte)
//   f32, f64              float, double
//   char                  char32_t, Char
//   string                std::string, std::string_view (1)
//   list<T>               std::vector<T>, std::span<const T> (1)
//   list<T, N>            std::array<T, N>
//   map<K, V>             std::vector<std::tuple<K, V>>
//   record                a struct with TENON_RECORD
//   tuple<...>            std::tuple<...>
//   variant               std::variant<...>, by position; std::monostate for a case without payload
//   enum                  an enum class with TENON_ENUM
//   flags                 an enum class with TENON_FLAGS, FlagSet<N>
//   option<T>             std::optional<T>
//   result<T, E>          Expected<T, E>; void where a side carries nothing
//   own<R>, borrow<R>     Own<T>, Borrow<T> for the host's resources, GuestResource for a guest's
// (1) a view: arguments of exports, parameters and results of host functions, not results of
// exports.
//
// Lifted values are made by default construction first where that is easier: types need a default
// constructor. Everything here is bound to the thread of the instance that is called or calls.
//
// What calls and host functions are made of is in <tenon/abi/...>: templates that an embedder uses
// without naming them. How one more C++ type crosses: <tenon/abi/abi_type.h>.

#include <tenon/abi/arrays.h>
#include <tenon/abi/call.h>
#include <tenon/abi/host_thunk.h>
#include <tenon/abi/labels.h>
#include <tenon/abi/lists.h>
#include <tenon/abi/records.h>
#include <tenon/abi/resources.h>
#include <tenon/abi/scalars.h>
#include <tenon/abi/variants.h>
#include <tenon/describe.h>  // TENON_RECORD, TENON_ENUM, TENON_FLAGS
#include <tenon/flag_set.h>  // FlagSet
#include <tenon/resource.h>  // Own, Borrow, GuestResource
#include <tenon/value.h>     // Char
