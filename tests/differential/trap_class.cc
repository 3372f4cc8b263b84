#include "sides.h"

#include <string_view>

namespace tenon::differential {

// The first pattern that occurs decides. Both engines' words stand side by side. What the
// specification traps on for one reason, but the engines see at different steps, is one class.
std::string trapClass(const std::string& message) {
  struct Pattern {
    std::string_view words, name;
  };
  static constexpr Pattern PATTERNS[] = {
      {"the script refuses", "host"},
      {"borrow handles still remain", "borrows left"},
      {"handles are left", "borrows left"},
      {"unreachable", "unreachable"},
      {"uninitialized element", "uninitialized element"},
      {"indirect call type mismatch", "signature"},
      {"realloc trapped", "unreachable"},
      {"cannot leave component", "may not leave"},
      {"realloc return", "realloc"},
      {"realloc gave", "realloc"},
      {"discriminant", "discriminant"},
      {"char is not a Unicode", "char"},
      {"`char`", "char"},
      {"converted integer out of range for `char`", "char"},
      {"utf-8", "encoding"},
      {"UTF-8", "encoding"},
      {"unpaired surrogate", "encoding"},
      {"utf-16", "encoding"},
      {"UTF-16", "encoding"},
      {"utf16", "encoding"},
      {"utf8", "encoding"},
      {"not aligned", "misaligned"},
      {"unaligned", "misaligned"},
      {"misaligned", "misaligned"},
      {"string too long", "range"},
      {"string is longer", "range"},
      {"list too long", "range"},
      {"list is longer", "range"},
      {"too large", "range"},
      {"out of bounds memory access", "memory access"},
      {"memory fault", "memory access"},
      {"out of bounds", "range"},
      {"out-of-bounds", "range"},
      {"handle", "handle"},
      {"borrow", "handle"},
      {"not a resource", "handle"},
      {"not an own", "handle"},
  };
  // Wasmtime puts a backtrace before the reason.
  size_t cause = message.rfind("Caused by:");
  std::string_view reason = message;
  if (cause != std::string::npos) reason = reason.substr(cause + 10);
  for (const Pattern& pattern : PATTERNS) {
    if (reason.find(pattern.words) != std::string_view::npos) return std::string(pattern.name);
  }
  return std::string(reason);
}

bool sameTrap(const std::string& tenon, const std::string& wasmtime) {
  struct Known {
    std::string_view tenon, wasmtime;  // empty: any class
  };
  static constexpr Known KNOWN[] = {
      // When both rules are broken, definitions.py checks alignment before bounds, Wasmtime after.
      {"misaligned", "range"},
      // The same for strings: length, alignment, bounds.
      {"range", "misaligned"},
      // Wasmtime's adapters check what `realloc` gave with the code for any other pointer.
      {"realloc", "misaligned"},
      {"realloc", "range"},
      // Wasmtime's adapters leave some checks of bounds to the loads and stores themselves.
      {"range", "memory access"},
      {"realloc", "memory access"},
      // When both are wrong, definitions.py lifts the result before it looks for borrows that are
      // left (`Task.return_`), Wasmtime before.
      {"", "borrows left"},
  };
  std::string a = trapClass(tenon), b = trapClass(wasmtime);
  if (a == b) return true;
  for (const Known& known : KNOWN) {
    if ((known.tenon.empty() || known.tenon == a) && known.wasmtime == b) return true;
  }
  return false;
}

}  // namespace tenon::differential
