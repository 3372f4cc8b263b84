// The smallest program that clang and wasi-libc make: shows that a C++ program starts.

#include <cstdio>

int main() {
  std::puts("Hello from C++");
  return 0;
}
