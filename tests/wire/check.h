#pragma once

// What must hold of one function's values on the wire, whoever makes them: the test or the fuzzer.

#include <tenon/abi/context.h>
#include <tenon/type.h>
#include <tenon/value.h>

#include <cstdint>
#include <string>
#include <vector>

namespace tenon::wiretest {

// Sends the values of the parameters from a guest to another: lowered, encoded, compared with the
// reference, scanned in pieces of `piece` bytes, decoded, lifted. Empty, or what does not hold.
std::string roundTrip(const FuncType& type, const std::vector<Value>& values, StringEncoding from,
                      StringEncoding to, size_t piece);

// Scans any bytes as parameters. What is accepted must be decoded, and encoded again to bytes that
// say the same. Empty, or what does not hold; `accepted` says whether the bytes were values.
std::string anyBytes(const FuncType& type, const std::string& bytes, size_t piece, bool& accepted);

// Whether wRPC can carry the parameters.
bool isSendable(const FuncType& type);

}  // namespace tenon::wiretest
