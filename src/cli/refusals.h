#pragma once

// What guests were refused, as one line each on standard error: what was asked for, and the option
// or the line of the manifest that would allow it.

#include <tenon/refusal.h>

#include <functional>
#include <string>

namespace tenon::cli {

// "the guest asked for ... and was refused; allow it with --allow-http ...".
std::string describe(const Refusal& refusal);

// Gives each different text to `print` once, whichever thread tells it. Copies share what was told.
std::function<void(const Refusal&)> newRefusalReport(std::function<void(const std::string&)> print);

}  // namespace tenon::cli
