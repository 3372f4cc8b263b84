# Flags for everything that is built here.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 16)
  message(FATAL_ERROR
    "Tenon needs Clang 16 or newer (19 recommended), this is ${CMAKE_CXX_COMPILER_ID} "
    "${CMAKE_CXX_COMPILER_VERSION}: GCC fails on coroutines that return kj::Promise (GCC bug 102051), "
    "and older Clang lacks parts of C++20. On Debian 12: apt install clang-19 lld-19, or scripts/setup.")
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON)  # KJ refuses OFF
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_VERIFY_INTERFACE_HEADER_SETS ON)

add_compile_options(-Wall -Wextra -Wno-missing-designated-field-initializers -Werror -fno-plt -ffunction-sections -fdata-sections)
add_compile_definitions(_GLIBCXX_ASSERTIONS)
add_link_options(-fuse-ld=lld -Wl,--gc-sections -Wl,--as-needed)

# The engine's library has 15,000 relocations; packed, the command starts about 0.3 ms faster. Needs
# glibc 2.36, Debian 12's.
include(CheckLinkerFlag)
check_linker_flag(CXX "-fuse-ld=lld;-Wl,-z,pack-relative-relocs" TENON_HAS_PACKED_RELOCATIONS)
if(TENON_HAS_PACKED_RELOCATIONS)
  add_link_options(-Wl,-z,pack-relative-relocs)
endif()

set(TENON_SANITIZED OFF)
if(TENON_FUZZ)
  set(TENON_ASAN ON)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(TENON_ASAN)
  set(TENON_SANITIZED ON)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined
    -fno-omit-frame-pointer -g1)
  # Compiling takes most of the time that a run under the sanitizers takes; the fuzzers keep -O2.
  if(NOT TENON_FUZZ)
    add_compile_options(${TENON_SANITIZER_LEVEL})
  endif()
  add_link_options(-fsanitize=address,undefined)
endif()
if(TENON_TSAN)
  set(TENON_SANITIZED ON)
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer -g1 ${TENON_SANITIZER_LEVEL})
  add_link_options(-fsanitize=thread)
endif()
if(TENON_COVERAGE)
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping -O0)
  add_link_options(-fprofile-instr-generate)
endif()
if(NOT TENON_SANITIZED AND NOT TENON_COVERAGE AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong)
endif()
