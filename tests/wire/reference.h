#pragma once

// The encoding of values on the wire, written a second time: from `Value`, the plain way, for tests
// to compare with. Handles, streams and what has no encoding are not in it.

#include <tenon/type.h>
#include <tenon/value.h>

#include <string>

namespace tenon::wiretest {

std::string encode(const Type& type, const Value& value);

}  // namespace tenon::wiretest
