#pragma once

// The names that a letter or two stand for in mangled names of C++. Source: Itanium C++ ABI, 5.1.

#include <string_view>

namespace tenon::detail {

struct Named {
  std::string_view code, text;
};
inline constexpr Named BUILTIN_TYPES[] = {{"v", "void"},
                                          {"w", "wchar_t"},
                                          {"b", "bool"},
                                          {"c", "char"},
                                          {"a", "signed char"},
                                          {"h", "unsigned char"},
                                          {"s", "short"},
                                          {"t", "unsigned short"},
                                          {"i", "int"},
                                          {"j", "unsigned int"},
                                          {"l", "long"},
                                          {"m", "unsigned long"},
                                          {"x", "long long"},
                                          {"y", "unsigned long long"},
                                          {"n", "__int128"},
                                          {"o", "unsigned __int128"},
                                          {"f", "float"},
                                          {"d", "double"},
                                          {"e", "long double"},
                                          {"g", "__float128"},
                                          {"z", "..."},
                                          {"Dn", "std::nullptr_t"},
                                          {"Di", "char32_t"},
                                          {"Ds", "char16_t"},
                                          {"Du", "char8_t"},
                                          {"Da", "auto"},
                                          {"Dc", "decltype(auto)"}};
inline constexpr Named STANDARD[] = {
    {"t", "std"},          {"a", "std::allocator"}, {"b", "std::basic_string"},
    {"s", "std::string"},  {"i", "std::istream"},   {"o", "std::ostream"},
    {"d", "std::iostream"}};
inline constexpr Named OPERATORS[] = {
    {"nw", " new"}, {"na", " new[]"}, {"dl", " delete"}, {"da", " delete[]"}, {"aw", " co_await"},
    {"ps", "+"},    {"ng", "-"},      {"ad", "&"},       {"de", "*"},         {"co", "~"},
    {"pl", "+"},    {"mi", "-"},      {"ml", "*"},       {"dv", "/"},         {"rm", "%"},
    {"an", "&"},    {"or", "|"},      {"eo", "^"},       {"aS", "="},         {"pL", "+="},
    {"mI", "-="},   {"mL", "*="},     {"dV", "/="},      {"rM", "%="},        {"aN", "&="},
    {"oR", "|="},   {"eO", "^="},     {"ls", "<<"},      {"rs", ">>"},        {"lS", "<<="},
    {"rS", ">>="},  {"eq", "=="},     {"ne", "!="},      {"lt", "<"},         {"gt", ">"},
    {"le", "<="},   {"ge", ">="},     {"ss", "<=>"},     {"nt", "!"},         {"aa", "&&"},
    {"oo", "||"},   {"pp", "++"},     {"mm", "--"},      {"cm", ","},         {"pm", "->*"},
    {"pt", "->"},   {"cl", "()"},     {"ix", "[]"},      {"qu", "?"}};
inline constexpr Named SPECIAL[] = {{"TV", "vtable for "},
                                    {"TT", "VTT for "},
                                    {"TI", "typeinfo for "},
                                    {"TS", "typeinfo name for "}};

}  // namespace tenon::detail
