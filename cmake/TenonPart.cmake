# How a part of Tenon becomes targets.
#
#   tenon_part(component/types DEPENDS base)
#   tenon_part(engine DEPENDS base call ... ENGINE)
#   tenon_part(wasi DEPENDS base call LIBS CapnProto::kj-async TEST_DEPENDS component/wit)
#   tenon_part(cli PUBLIC_API LIBS CLI11::CLI11 EXECUTABLE tenon)
#
# src/<part>/**/*.h and *.cc become the library tenon_<part> ("/" becomes "_"), *_test.cc the
# program tenon_<part>_test, whose cases ctest knows one by one as "<part>:Suite.Case". A sub folder
# with a CMakeLists.txt is a part of its own and left out. Headers only, or tests only, is fine.
#
#   DEPENDS       parts that it may use according to tools/layers.txt; they are passed on to users
#   LIBS          other libraries, passed on to users
#   TEST_DEPENDS  further parts for the tests, unrestricted
#   TEST_LIBS     further libraries for the tests
#   ENGINE        the part includes Wasmtime's headers. Programs above it get the library: the product
#                 links tenon_wasmtime, tests and benchmarks tenon_wasmtime_oracle
#   PUBLIC_API    the part is written against include/tenon and links the public library
#   EXECUTABLE    main.cc is left out of the library and becomes the program of this name
#   OPTIONAL_DEPENDS  like DEPENDS, silently left out while the part does not exist yet

include_guard(GLOBAL)
include(GoogleTest)

function(tenon_target_name part out)
  string(REPLACE "/" "_" name "tenon_${part}")
  set(${out} ${name} PARENT_SCOPE)
endfunction()

# Reads tools/layers.txt: TENON_LAYER_<part> holds the parts allowed, TENON_LAYER_LIBS_<part> the libraries.
function(tenon_read_layers file)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(STRINGS ${file} lines REGEX "^[^#]")
  set(parts "")
  set(section "")
  foreach(line IN LISTS lines)
    if(line MATCHES "^\\[([a-z]+)\\]")
      set(section ${CMAKE_MATCH_1})
    elseif(section STREQUAL "parts" AND line MATCHES "^([a-z0-9_/]+) *:([^|]*)\\|?(.*)$")
      set(part ${CMAKE_MATCH_1})
      separate_arguments(allowed UNIX_COMMAND "${CMAKE_MATCH_2}")
      separate_arguments(libraries UNIX_COMMAND "${CMAKE_MATCH_3}")
      list(APPEND parts ${part})
      set_property(GLOBAL PROPERTY TENON_LAYER_${part} "${allowed}")
      set_property(GLOBAL PROPERTY TENON_LAYER_LIBS_${part} "${libraries}")
    endif()
  endforeach()
  set_property(GLOBAL PROPERTY TENON_PARTS "${parts}")
endfunction()

function(tenon_check_dependency part dependency)
  get_property(allowed GLOBAL PROPERTY TENON_LAYER_${part})
  foreach(pattern IN LISTS allowed)
    string(REPLACE "*" ".*" pattern "${pattern}")
    if(dependency MATCHES "^${pattern}$")
      return()
    endif()
  endforeach()
  message(FATAL_ERROR
    "Part ${part} may not depend on ${dependency}: tools/layers.txt allows only: ${allowed}")
endfunction()

function(tenon_check_library part library)
  set(needed "")
  if(library MATCHES "^CapnProto::kj")
    set(needed kj)
  elseif(library MATCHES "^CapnProto::")
    set(needed capnp)
  elseif(library MATCHES "^OpenSSL::")
    set(needed openssl)
  endif()
  get_property(allowed GLOBAL PROPERTY TENON_LAYER_LIBS_${part})
  if(needed AND NOT needed IN_LIST allowed)
    message(FATAL_ERROR "Part ${part} may not use ${library}: tools/layers.txt does not name ${needed}")
  endif()
endfunction()

# Gives a program the engine's library: the product's one, or with ORACLE the one that also has
# Wasmtime's component API, its text format and the validator of wasm-tools (tests, benchmarks).
function(tenon_link_engine target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "ORACLE" "" "")
  if(arg_ORACLE)
    if(NOT TARGET tenon_wasmtime_oracle)
      message(FATAL_ERROR "${target} needs the oracle variant of Wasmtime: run scripts/setup --for test")
    endif()
    target_include_directories(${target} SYSTEM BEFORE PRIVATE ${TENON_WASMTIME_ORACLE_DIR}/include)
    target_link_libraries(${target} PRIVATE tenon_wasmtime_oracle)
  else()
    target_link_libraries(${target} PRIVATE tenon_wasmtime)
  endif()
endfunction()

# Links parts, as many of them as exist, to a program or a library that is no part itself (tests/,
# bench/). Sets TENON_NEEDS_ENGINE on `target` when one of them needs the engine.
function(tenon_use_parts target)
  foreach(part IN LISTS ARGN)
    tenon_target_name(${part} library)
    if(NOT TARGET ${library})
      message(STATUS "${target}: part ${part} does not exist yet")
      continue()
    endif()
    target_link_libraries(${target} PRIVATE ${library})
    get_target_property(engine ${library} TENON_NEEDS_ENGINE)
    if(engine)
      set_target_properties(${target} PROPERTIES TENON_NEEDS_ENGINE ON)
    endif()
  endforeach()
endfunction()

# A GoogleTest program whose cases ctest runs one by one as "<prefix>:Suite.Case".
#   tenon_test(tenon_differential_test PREFIX differential SOURCES a_test.cc
#              [DEPENDS part...] [LIBS ...] [TIMEOUT seconds])
# Programs that use the engine get the oracle variant of Wasmtime. Tests run in the source folder and
# find their files by the macros TENON_SOURCE_DIR, TENON_BUILD_DIR and TENON_GUESTS_DIR (strings: the
# checkout, the build folder, the folder that tests/guests/build fills). Does nothing without tests.
function(tenon_test target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PREFIX;TIMEOUT" "SOURCES;DEPENDS;LIBS")
  if(NOT TENON_TESTS_ENABLED)
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  add_executable(${target} ${arg_SOURCES})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${target} PRIVATE
    TENON_SOURCE_DIR="${PROJECT_SOURCE_DIR}" TENON_BUILD_DIR="${PROJECT_BINARY_DIR}"
    TENON_GUESTS_DIR="${TENON_GUESTS_DIR}")
  target_link_libraries(${target} PRIVATE
    tenon_public ${arg_LIBS} GTest::gmock GTest::gtest GTest::gtest_main)
  tenon_use_parts(${target} ${arg_DEPENDS})
  get_target_property(engine ${target} TENON_NEEDS_ENGINE)
  if(engine)
    tenon_link_engine(${target} ORACLE)
  endif()
  gtest_discover_tests(${target}
    TEST_PREFIX "${arg_PREFIX}:" NO_PRETTY_VALUES DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 120
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS ${arg_PREFIX})
endfunction()

function(tenon_part part)
  cmake_parse_arguments(PARSE_ARGV 1 arg "ENGINE;PUBLIC_API" "EXECUTABLE"
    "DEPENDS;OPTIONAL_DEPENDS;LIBS;TEST_DEPENDS;TEST_LIBS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "tenon_part(${part}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  get_property(parts GLOBAL PROPERTY TENON_PARTS)
  if(NOT part IN_LIST parts)
    message(FATAL_ERROR "Part ${part} has no line in tools/layers.txt")
  endif()
  tenon_target_name(${part} target)
  set(folder ${PROJECT_SOURCE_DIR}/src/${part})

  # CONFIGURE_DEPENDS: the build looks again when files come or go.
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${folder}/*.h)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/*.cc)
  file(GLOB_RECURSE inner ${folder}/*/CMakeLists.txt)
  foreach(list IN ITEMS ${inner})
    get_filename_component(innerFolder ${list} DIRECTORY)
    list(FILTER headers EXCLUDE REGEX "^${innerFolder}/")
    list(FILTER sources EXCLUDE REGEX "^${innerFolder}/")
  endforeach()
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  set(main ${folder}/main.cc)
  if(arg_EXECUTABLE)
    list(REMOVE_ITEM sources ${main})
  endif()

  if(sources)
    set(scope PUBLIC)
    add_library(${target} STATIC ${sources})
  else()
    set(scope INTERFACE)
    add_library(${target} INTERFACE)
  endif()
  target_include_directories(${target} ${scope} ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(${target} ${scope} tenon_public)
  if(headers)
    # Lets `all_verify_interface_header_sets` compile every header alone.
    target_sources(${target} ${scope} FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/src
      FILES ${headers})
  endif()

  set(engine ${arg_ENGINE})
  if(arg_ENGINE)
    target_link_libraries(${target} ${scope} tenon_wasmtime_headers)
  endif()
  set(kj OFF)  # of its own or by what it depends on: what comes with it decides about threads
  if("${arg_LIBS}" MATCHES "CapnProto::")
    set(kj ON)
  endif()
  foreach(dependency IN LISTS arg_DEPENDS arg_OPTIONAL_DEPENDS)
    tenon_check_dependency(${part} ${dependency})
    tenon_target_name(${dependency} library)
    if(NOT TARGET ${library})
      message(STATUS "Part ${part}: part ${dependency} does not exist yet")
      continue()
    endif()
    target_link_libraries(${target} ${scope} ${library})
    get_target_property(inherited ${library} TENON_NEEDS_ENGINE)
    if(inherited)
      set(engine ON)
    endif()
    get_target_property(inherited ${library} TENON_HAS_KJ)
    if(inherited)
      set(kj ON)
    endif()
  endforeach()
  foreach(library IN LISTS arg_LIBS)
    tenon_check_library(${part} ${library})
  endforeach()
  target_link_libraries(${target} ${scope} ${arg_LIBS})
  if(sources)
    if(kj)
      tenon_precompile(${target} KJ)
    elseif("${arg_LIBS}" MATCHES "CLI11::")
      tenon_precompile(${target} CLI)
    else()
      tenon_precompile(${target})
    endif()
  endif()
  if(arg_PUBLIC_API)
    target_link_libraries(${target} ${scope} Tenon::tenon)
  elseif(sources)
    set_property(GLOBAL APPEND PROPERTY TENON_BUNDLE_PARTS ${target})
    set_property(GLOBAL APPEND PROPERTY TENON_BUNDLE_LIBS ${arg_LIBS})
  endif()
  set_target_properties(${target} PROPERTIES TENON_NEEDS_ENGINE "${engine}" TENON_HAS_KJ "${kj}")

  if(arg_EXECUTABLE AND EXISTS ${main})
    add_executable(${arg_EXECUTABLE} ${main})
    target_link_libraries(${arg_EXECUTABLE} PRIVATE ${target})
    set_target_properties(${arg_EXECUTABLE} PROPERTIES
      RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
    install(TARGETS ${arg_EXECUTABLE} RUNTIME COMPONENT command)
  endif()
  if(tests)
    tenon_test(${target}_test PREFIX ${part} SOURCES ${tests}
      DEPENDS ${part} ${arg_TEST_DEPENDS} LIBS ${arg_TEST_LIBS})
  endif()
endfunction()
