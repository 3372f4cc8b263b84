#include "base/demangle.h"

#include "base/cpu_time_testing.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace tenon {
namespace {

std::string text(std::string_view name) { return demangle(name).value_or("(none)"); }

TEST(Demangle, LeavesWhatIsNotMangled) {
  for (const char* name : {"",
                           "f",
                           "i",
                           "v",
                           "S_",
                           "St",
                           "main",
                           "_start",
                           "_Z",
                           "_R",
                           "__Z1fv",
                           "ZN1fE",
                           "_ZN",
                           "R",
                           "memcpy",
                           "core::panicking::panic::h0123456789abcdef",
                           "$u7e$",
                           "_Zf",
                           "_RNv",
                           "_R0C1a",
                           "cabi_realloc",
                           "wasi:cli/run@0.2.0#run",
                           "_ZN4core9panicking5panic17h0123456789abcdeg"}) {
    EXPECT_EQ(text(name), "(none)") << name;
  }
}

TEST(Demangle, ReadsRustsLegacyNames) {
  EXPECT_EQ(text("_ZN4core9panicking5panic17h0123456789abcdefE"), "core::panicking::panic");
  EXPECT_EQ(text("_ZN4core9panicking5panic17h0123456789abcdefE.llvm.123"),
            "core::panicking::panic");
  EXPECT_EQ(text("_ZN71_$LT$std..io..Stdout$u20$as$u20$core..fmt..Write$GT$9write_str17h"
                 "0123456789abcdefE"),
            "(none)");  // its length is wrong
  EXPECT_EQ(text("_ZN51_$LT$a..B$u20$as$u20$core..fmt..Write$LT$u8$GT$$GT$9write_str"
                 "17h0123456789abcdefE"),
            "<a::B as core::fmt::Write<u8>>::write_str");
  EXPECT_EQ(text("_ZN4main28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE"),
            "main::{{closure}}");
  // An escape does not bring in what could steer a terminal.
  EXPECT_EQ(text("_ZN7a$u1b$b17h0123456789abcdefE"), "a$u1b$b");
}

TEST(Demangle, ReadsRustsNewNames) {
  EXPECT_EQ(text("_RNvCs15kBYyAo9fc_7mycrate7example"), "mycrate::example");
  EXPECT_EQ(text("_RNvMs_Cs4Cv8Wi1oAIB_7mycrateNtB4_7Example3foo"), "<mycrate::Example>::foo");
  EXPECT_EQ(text("_RNvXCs15kBYyAo9fc_7mycrateNtB2_7ExampleNtB2_5Trait3foo"),
            "<mycrate::Example as mycrate::Trait>::foo");
  EXPECT_EQ(text("_RINvNtC3std3mem8align_ofjdE"), "std::mem::align_of::<usize, f64>");
  EXPECT_EQ(text("_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_"), "cc::spawn::{closure#0}::{closure#0}");
  EXPECT_EQ(text("_RINvC1a1fARShj4_TlEFUKCmEuRDNtC1b1TEL_E"),
            "a::f::<[&[u8]; 4usize], (i32,), unsafe extern \"C\" fn(u32), &dyn b::T>");
}

TEST(Demangle, ReadsNamesOfCpp) {
  struct Case {
    const char* mangled;
    const char* text;
  };
  for (const Case& item : {
           Case{"_Z1fv", "f()"},
           Case{"_ZN4shop4cart3addEi", "shop::cart::add(int)"},
           Case{"_ZNK4shop4cart4sizeEv", "shop::cart::size() const"},
           Case{"_ZNSt6vectorIiSaIiEE9push_backERKi",
                "std::vector<int, std::allocator<int>>::push_back(int const&)"},
           Case{"_ZN3FooC1ERKS_", "Foo::Foo(Foo const&)"},
           Case{"_ZN3FooIiED2Ev", "Foo<int>::~Foo()"},
           Case{"_Z3maxIiET_S0_S0_", "int max<int>(int, int)"},
           Case{"_Z1fPFicEPKcRA5_iMS_Fi", "(none)"},
           Case{"_Z1fPFicEPKc", "f(int (*)(char), char const*)"},
           Case{"_Z1gRA5_iM1AFvvE", "g(int (&) [5], void (A::*)())"},
           Case{"_ZN1aplERKS_", "a::operator+(a const&)"},
           Case{"_ZZ4mainENKUliE_clEi", "main::{lambda(int)#1}::operator()(int) const"},
           Case{"_Z1fIJicEEvDpRKT_", "void f<int, char>(int const&, char const&)"},
           Case{"_Z1fIJEEvDpT_", "void f<>()"},
           Case{"_ZN12_GLOBAL__N_11fEv", "(anonymous namespace)::f()"},
           Case{"_ZTV3Foo", "vtable for Foo"},
           Case{"_ZThn8_N3Foo1fEv", "non-virtual thunk to Foo::f()"},
           Case{"_Z1fILi3ELb1ELj7EEvv", "void f<3, true, 7u>()"},
           Case{"_ZNSsC1Ev", "std::string::basic_string()"},
           Case{"_ZN3FoocvbEv", "Foo::operator bool()"},
           Case{"_Z1fv.cold", "f()"},
           Case{"_Z1fB5cxx11v", "f[abi:cxx11]()"},
       }) {
    EXPECT_EQ(text(item.mangled), item.text) << item.mangled;
  }
}

constexpr char DIGITS[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

// A function whose every parameter is a class of twelve of the one before.
std::string expandingCpp(size_t levels) {
  std::string name = "_Z1f1aIiiE";
  for (size_t level = 1; level < levels; ++level) {
    // "a" and "a<...>" are remembered for each.
    name += "1aI";
    for (int i = 0; i < 12; ++i) name += std::string("S") + DIGITS[2 * level - 2] + "_";
    name += "E";
  }
  return name;
}

// A function of tuples, each of two of the one before.
std::string expandingRust(size_t levels) {
  constexpr size_t PREFIX = 2;  // references count from behind it
  std::string name = "_RINvC1a1f";
  size_t before = name.size() - PREFIX;
  name += "TllE";
  for (size_t level = 1; level < levels; ++level) {
    size_t at = name.size() - PREFIX;
    std::string digits;  // of before - 1, in base 62
    for (size_t left = before - 1; left > 0 || digits.empty(); left /= 62) {
      size_t digit = left % 62;
      digits.insert(0, 1,
                    static_cast<char>(digit < 10   ? '0' + digit
                                      : digit < 36 ? 'a' + digit - 10
                                                   : 'A' + digit - 36));
    }
    name += "TB" + digits + "_B" + digits + "_E";
    before = at;
  }
  return name + "E";
}

// Each reference repeats all that was there: the text would have gigabytes.
TEST(Demangle, StopsAtBoundsOfLengthAndWork) {
  EXPECT_EQ(
      text(expandingCpp(2)), "f(a<int, int>, a<" + [] {
        std::string items = "a<int, int>";
        for (int i = 1; i < 12; ++i) items += ", a<int, int>";
        return items;
      }() + ">)");
  EXPECT_EQ(text(expandingRust(2)), "a::f::<(i32, i32), ((i32, i32), (i32, i32))>");
  auto timed = [](const std::string& name) {
    return cpuTimeOf([&] { EXPECT_EQ(text(name), "(none)") << name; });
  };
  constexpr auto LONG = std::chrono::milliseconds(200);  // gigabytes take minutes
  EXPECT_LT(timed(expandingCpp(18)), LONG);
  EXPECT_LT(timed(expandingRust(40)), LONG);
  EXPECT_LT(timed("_Z1f" + std::string(4000, 'P') + "i"), LONG);
  EXPECT_LT(timed("_RINvC1a1f" + std::string(4000, 'S') + "lE"), LONG);
  EXPECT_LT(timed("_ZN" + std::string(5000, '1') + "E"), LONG);
}

TEST(Demangle, NeverReadsBehindTheEndOfACutName) {
  for (std::string_view whole :
       {std::string_view("_ZNSt6vectorIiSaIiEE9push_backERKi"),
        std::string_view("_ZZ4mainENKUliE_clEi"), std::string_view("_Z1fIJicEEvDpRKT_"),
        std::string_view("_RINvC1a1fARShj4_TlEFUKCmEuRDNtC1b1TEL_E"),
        std::string_view("_ZN4main28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE")}) {
    for (size_t size = 0; size < whole.size(); ++size) {
      std::string cut(whole.substr(0, size));  // a heap block of its own, for the sanitizer
      auto result = demangle(cut);
      EXPECT_TRUE(!result || result->size() < 200) << cut;
      for (size_t at = 2; at < cut.size(); ++at) {
        std::string changed = cut;
        changed[at] = static_cast<char>(changed[at] ^ 0x11);
        result = demangle(changed);
        EXPECT_TRUE(!result || result->size() < 2000) << changed;
      }
    }
  }
}

}  // namespace
}  // namespace tenon
