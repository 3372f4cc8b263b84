// A program that does what its first argument says: the same sub commands as the Rust `cli`,
// through wasi-libc, libc++ and the adapter from WASI preview 1.

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

extern "C" char** environ;  // NOLINT(readability-redundant-declaration)

namespace {

constexpr std::string_view USAGE =
    "usage: c_cli COMMAND [ARG...]\n"
    "  args [ARG...]     print the arguments, one a line\n"
    "  env               print the environment, sorted\n"
    "  cat               copy standard input to standard output\n"
    "  lines             print each line of standard input with its number\n"
    "  sort              print the lines of standard input, sorted\n"
    "  exit N            call exit(N)\n"
    "  return N          return N from main\n"
    "  abort             call abort()\n"
    "  trap              execute `unreachable`\n"
    "  stderr TEXT       print to standard error\n"
    "  both              print to standard output and to standard error\n"
    "  sleep MS          sleep, then print `slept`\n"
    "  clock MS          sleep; print how long by the monotonic clock, and the year\n"
    "  random            print two random numbers\n"
    "  read-file PATH    print a file\n";

void printYear() {
  const std::time_t now = std::time(nullptr);
  std::cout << "year " << 1900 + std::gmtime(&now)->tm_year << '\n';
}

void sleepFor(int milliseconds) {
  const std::timespec duration{milliseconds / 1000, (milliseconds % 1000) * 1'000'000L};
  nanosleep(&duration, nullptr);
}

void printSorted(std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  for (const std::string& line : lines) std::cout << line << '\n';
}

std::vector<std::string> readLines() {
  std::vector<std::string> lines;
  for (std::string line; std::getline(std::cin, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable)
    variables.emplace_back(*variable);
  return variables;
}

int readFile(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) {
    std::perror(path.c_str());
    return 1;
  }
  std::vector<char> block(4096);
  while (const std::size_t got = std::fread(block.data(), 1, block.size(), file)) {
    std::fwrite(block.data(), 1, got, stdout);
  }
  std::fclose(file);
  return 0;
}

void printRandom() {
  for (int i = 0; i < 2; ++i) {
    std::uint64_t number = 0;
    if (getentropy(&number, sizeof number) == 0) std::cout << number << '\n';
  }
}

}  // namespace

int main(int count, char** values) {
  const std::vector<std::string> args(values, values + count);
  const std::string command = count > 1 ? args[1] : "";
  const std::string first = count > 2 ? args[2] : "";

  if (command == "args") {
    for (int i = 2; i < count; ++i) std::cout << args[i] << '\n';
  } else if (command == "env") {
    printSorted(environment());
  } else if (command == "cat") {
    std::vector<char> block(4096);
    while (std::cin.read(block.data(), std::ssize(block)) || std::cin.gcount() > 0) {
      std::cout.write(block.data(), std::cin.gcount());
    }
  } else if (command == "lines") {
    int number = 0;
    for (std::string line; std::getline(std::cin, line);)
      std::cout << ++number << ' ' << line << std::endl;
  } else if (command == "sort") {
    printSorted(readLines());
  } else if (command == "exit") {
    std::exit(std::atoi(first.c_str()));
  } else if (command == "return") {
    return std::atoi(first.c_str());
  } else if (command == "abort") {
    std::abort();
  } else if (command == "trap") {
    __builtin_trap();
  } else if (command == "stderr") {
    std::cerr << first << '\n';
  } else if (command == "both") {
    std::cout << "to standard output" << std::endl;
    std::cerr << "to standard error" << std::endl;
  } else if (command == "sleep") {
    sleepFor(std::atoi(first.c_str()));
    std::cout << "slept\n";
  } else if (command == "clock") {
    const auto start = std::chrono::steady_clock::now();
    sleepFor(std::atoi(first.c_str()));
    const auto passed = std::chrono::steady_clock::now() - start;
    std::cout << "monotonic "
              << std::chrono::duration_cast<std::chrono::milliseconds>(passed).count() << " ms\n";
    printYear();
  } else if (command == "random") {
    printRandom();
  } else if (command == "read-file") {
    return readFile(first);
  } else {
    std::cerr << USAGE;
    return 2;
  }
  return 0;
}
