#include "call/binder.h"

#include <kj/exception.h>

#include <exception>
#include <string>

namespace tenon::call::detail {

std::string describe(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const kj::Exception& e) {
    return std::string("host function failed: ") + e.getDescription().cStr();
  } catch (const std::exception& e) {
    return std::string("host function failed: ") + e.what();
  } catch (...) {
    return "host function failed";
  }
}

bool isFailure(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const kj::Exception&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace tenon::call::detail
