# tenon_command_tests(PREFIX RUNNER TIMEOUT SECONDS): tests of the command from outside. A ctest case "PREFIX:NAME" for
# each function in the test_*.py beside RUNNER, in this folder (tests/e2e/runner.py says how they look). Sets
# TENON_COMMAND_TEST_OPTIONS: what RUNNER takes behind "run NAME".
function(tenon_command_tests prefix runner)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" TIMEOUT "")
  set(runner ${CMAKE_CURRENT_SOURCE_DIR}/${runner})
  file(GLOB modules CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.py)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${modules})
  execute_process(COMMAND ${Python3_EXECUTABLE} ${runner} list
    OUTPUT_VARIABLE cases OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  set(options --tenon $<TARGET_FILE:tenon> --guests ${TENON_GUESTS_DIR} --work ${PROJECT_BINARY_DIR}/${prefix}
    $<$<BOOL:${TENON_SANITIZED}>:--slow>)
  string(REPLACE "\n" ";" cases "${cases}")
  foreach(case IN LISTS cases)
    # "name lock": what runs at the same time must not share the lock; "-" is none.
    string(REGEX MATCH "^([^ ]+) ([^ ]+)$" line "${case}")
    set(name ${CMAKE_MATCH_1})
    set(lock ${CMAKE_MATCH_2})
    add_test(NAME ${prefix}:${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
      COMMAND ${Python3_EXECUTABLE} ${runner} run ${name} ${options} COMMAND_EXPAND_LISTS)
    set_tests_properties(${prefix}:${name} PROPERTIES
      LABELS ${prefix} TIMEOUT ${arg_TIMEOUT} SKIP_RETURN_CODE 77)
    if(NOT lock STREQUAL "-")
      set_tests_properties(${prefix}:${name} PROPERTIES RESOURCE_LOCK ${lock})
    endif()
  endforeach()
  set(TENON_COMMAND_TEST_OPTIONS ${options} PARENT_SCOPE)
endfunction()
