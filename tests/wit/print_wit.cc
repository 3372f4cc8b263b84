// Prints the WIT of a component, for compare_wit.py: `print_wit [--json] FILE`. A development
// program that links the component parts alone.

#include "component/binary/decoder.h"
#include "component/wit/wit.h"

#include <cstring>
#include <fstream>
#include <iostream>
#include <span>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  const bool isJson = argc == 3 && std::strcmp(argv[1], "--json") == 0;
  if (argc != 2 && !isJson) {
    std::cerr << "usage: print_wit [--json] FILE\n";
    return 2;
  }
  std::ifstream file(argv[argc - 1], std::ios::binary | std::ios::ate);
  std::vector<char> bytes(file ? static_cast<size_t>(file.tellg()) : 0);
  file.seekg(0);
  if (!file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
    std::cerr << "cannot read " << argv[argc - 1] << "\n";
    return 2;
  }
  tenon::component::Features features;  // what can be shown though it cannot be run
  features.threads = true;
  features.errorContext = true;
  features.getters = true;
  features.fixedLists = true;
  features.maps = true;
  features.memory64 = true;
  features.stackful = true;
  features.moreAsync = true;
  features.forward = true;
  features.canonicalNames = true;
  const auto decoded = tenon::component::decode(std::as_bytes(std::span(bytes)), features);
  if (!decoded) {
    std::cerr << "error: " << decoded.error().text() << "\n";
    return 1;
  }
  const auto text =
      isJson ? tenon::component::printWitJson(**decoded) : tenon::component::printWit(**decoded);
  if (!text) {
    std::cerr << "error: " << text.error().text() << "\n";
    return 1;
  }
  std::cout << *text;
  return 0;
}
