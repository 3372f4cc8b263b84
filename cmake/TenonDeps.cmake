# Imported targets for what Tenon is built on.
#   CapnProto::kj, kj-async, kj-http, kj-tls ...   built by scripts/setup into the cache; under
#                            ThreadSanitizer the one that is built with it, which sees what KJ's locks order
#   tenon_wasmtime_headers   Wasmtime's C headers, no library (parts that use the engine)
#   tenon_wasmtime           the same with the library of the product
#   tenon_wasmtime_oracle    the variant for tests and benchmarks, see tenon_link_engine()
#   GTest::*, benchmark::benchmark   when TENON_TESTS_ENABLED
#   TENON_IDN2               names of libraries to link
# System libraries (OpenSSL, zlib, simdjson, CLI11, nlohmann_json) are searched for by name.

set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  deps/pins deps/wasmtime/Cargo.toml deps/wasmtime/Cargo.lock
  deps/wasmtime/src/lib.rs deps/wasmtime/src/extend.rs deps/wasmtime/src/oracle.rs scripts/lib.sh)
set(TENON_CAPNPROTO capnproto)
if(TENON_TSAN)
  set(TENON_CAPNPROTO capnproto-tsan)
endif()
execute_process(COMMAND ${PROJECT_SOURCE_DIR}/deps/where ${TENON_CAPNPROTO} wasmtime wasmtime-oracle wasm-tools
  OUTPUT_VARIABLE TENON_DEP_DIRS OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "\n" ";" TENON_DEP_DIRS "${TENON_DEP_DIRS}")
list(GET TENON_DEP_DIRS 0 TENON_CAPNPROTO_DIR)
list(GET TENON_DEP_DIRS 1 TENON_WASMTIME_DIR)
list(GET TENON_DEP_DIRS 2 TENON_WASMTIME_ORACLE_DIR)
list(GET TENON_DEP_DIRS 3 TENON_WASM_TOOLS_DIR)
foreach(dir IN ITEMS ${TENON_CAPNPROTO_DIR} ${TENON_WASMTIME_DIR})
  if(NOT EXISTS ${dir})
    message(FATAL_ERROR "${dir} is missing: run scripts/setup first (it builds Wasmtime and Cap'n Proto)")
  endif()
endforeach()

find_package(Threads REQUIRED)
# Static where there is one: the shared one's 20,000 relocations cost every start 2 ms.
set(OPENSSL_USE_STATIC_LIBS TRUE)
find_package(OpenSSL QUIET)
if(NOT OpenSSL_FOUND)
  set(OPENSSL_USE_STATIC_LIBS FALSE)
  find_package(OpenSSL REQUIRED)
endif()
find_package(ZLIB REQUIRED)
# Names with other letters than ASCII's. Static for the same reason; by name, so that the package
# has no path of this machine.
find_library(TENON_IDN2_STATIC libidn2.a)
find_library(TENON_UNISTRING_STATIC libunistring.a)
if(TENON_IDN2_STATIC AND TENON_UNISTRING_STATIC)
  set(TENON_IDN2 libidn2.a libunistring.a)
else()
  find_library(TENON_IDN2_SHARED idn2 REQUIRED)
  set(TENON_IDN2 idn2)
endif()
find_package(CapnProto CONFIG REQUIRED PATHS ${TENON_CAPNPROTO_DIR} NO_DEFAULT_PATH)
find_package(simdjson REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)

# The pinned version, checked where it counts: in the header that the engine is compiled against.
function(tenon_check_wasmtime dir)
  file(STRINGS ${dir}/include/wasmtime.h line REGEX "^#define WASMTIME_VERSION ")
  if(NOT line MATCHES "\"48\\.0\\.8\"")
    message(FATAL_ERROR "${dir} is not Wasmtime 48.0.8 but: ${line}")
  endif()
endfunction()

tenon_check_wasmtime(${TENON_WASMTIME_DIR})
add_library(tenon_wasmtime_headers INTERFACE IMPORTED)
# What deps/wasmtime adds to the C API.
set(TENON_WASMTIME_EXTRA ${PROJECT_SOURCE_DIR}/deps/wasmtime/include)
target_include_directories(tenon_wasmtime_headers SYSTEM INTERFACE ${TENON_WASMTIME_DIR}/include
  ${TENON_WASMTIME_EXTRA})
add_library(tenon_wasmtime STATIC IMPORTED)
set_target_properties(tenon_wasmtime PROPERTIES
  IMPORTED_LOCATION ${TENON_WASMTIME_DIR}/lib/libtenon_wasmtime.a
  INTERFACE_INCLUDE_DIRECTORIES "${TENON_WASMTIME_DIR}/include;${TENON_WASMTIME_EXTRA}"
  INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS};m")

set(TENON_TESTS_ENABLED OFF)
if(NOT TENON_TESTS STREQUAL "OFF")
  find_package(GTest)
  find_package(benchmark)
  if(GTest_FOUND AND benchmark_FOUND AND EXISTS ${TENON_WASMTIME_ORACLE_DIR}
      AND EXISTS ${TENON_WASM_TOOLS_DIR})
    set(TENON_TESTS_ENABLED ON)
  elseif(NOT TENON_TESTS STREQUAL "AUTO")
    message(FATAL_ERROR "Tests need GoogleTest, Google Benchmark, ${TENON_WASMTIME_ORACLE_DIR} and ${TENON_WASM_TOOLS_DIR}: run scripts/setup")
  endif()
endif()
message(STATUS "Tests and benchmarks: ${TENON_TESTS_ENABLED}")
if(TENON_TESTS_ENABLED)
  tenon_check_wasmtime(${TENON_WASMTIME_ORACLE_DIR})
  add_library(tenon_wasmtime_oracle STATIC IMPORTED)
  # Parts are compiled against the product's headers, also when a test links the oracle: the features that
  # decide value layouts must be the same. Only what adds functions may differ.
  set(conf "")
  foreach(dir IN ITEMS ${TENON_WASMTIME_DIR} ${TENON_WASMTIME_ORACLE_DIR})
    file(STRINGS ${dir}/include/wasmtime/conf.h lines REGEX "WASMTIME_FEATURE")
    list(FILTER lines EXCLUDE REGEX "_FEATURE_(WAT|COMPONENT_MODEL|COMPONENT_MODEL_ASYNC)( |$)")
    list(FILTER lines EXCLUDE REGEX "_FEATURE_(WAT|COMPONENT_MODEL|COMPONENT_MODEL_ASYNC) \\*/")
    string(MD5 hash "${lines}")
    list(APPEND conf ${hash})
  endforeach()
  list(REMOVE_DUPLICATES conf)
  list(LENGTH conf count)
  if(NOT count EQUAL 1)
    message(FATAL_ERROR "The two variants of Wasmtime were built with different engine features: see deps/wasmtime/Cargo.toml")
  endif()
  set_target_properties(tenon_wasmtime_oracle PROPERTIES
    IMPORTED_LOCATION ${TENON_WASMTIME_ORACLE_DIR}/lib/libtenon_wasmtime.a
    INTERFACE_INCLUDE_DIRECTORIES "${TENON_WASMTIME_ORACLE_DIR}/include;${TENON_WASMTIME_EXTRA}"
    INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS};m")
endif()
