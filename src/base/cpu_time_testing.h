#pragma once

// How long something takes, whatever else the machine has to do meanwhile.

#include <chrono>
#include <ctime>

namespace tenon {

// Processor time that the whole process takes while `work` runs, all its threads together.
template <typename Work>
std::chrono::nanoseconds cpuTimeOf(Work&& work) {
  const std::clock_t begin = std::clock();
  work();
  const std::chrono::duration<double> seconds(static_cast<double>(std::clock() - begin) /
                                              CLOCKS_PER_SEC);
  return std::chrono::duration_cast<std::chrono::nanoseconds>(seconds);
}

}  // namespace tenon
