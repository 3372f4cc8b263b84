#pragma once

// A program as text, one line per thing: for tests and for people.

#include "component/program/program.h"

#include <string>

namespace tenon::component {

std::string dump(const Program& program);

}  // namespace tenon::component
