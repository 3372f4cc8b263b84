#include "component/fuse/control.h"

namespace tenon::component::control {

const char* toString(TrapCode code) {
  switch (code) {
    case TrapCode::CANNOT_LEAVE:
      return "cannot leave component instance";
    case TrapCode::POINTER_MISALIGNED:
      return "unaligned pointer";
    case TrapCode::POINTER_OUT_OF_BOUNDS:
      return "pointer out of bounds of memory";
    case TrapCode::LIST_TOO_LONG:
      return "list too long";
    case TrapCode::STRING_TOO_LONG:
      return "string too long";
    case TrapCode::INVALID_UTF8:
      return "invalid utf-8 in a string";
    case TrapCode::INVALID_UTF16:
      return "unpaired surrogate in a utf-16 string";
    case TrapCode::INVALID_CHAR:
      return "invalid `char` bit pattern";
    case TrapCode::INVALID_DISCRIMINANT:
      return "invalid variant discriminant";
    case TrapCode::REALLOC_MISALIGNED:
      return "realloc returned an unaligned pointer";
    case TrapCode::REALLOC_OUT_OF_BOUNDS:
      return "realloc returned a pointer beyond the end of memory";
    case TrapCode::UNCAUGHT_EXCEPTION:
      return "an exception left a component";
  }
  return "unknown trap";
}

}  // namespace tenon::component::control
