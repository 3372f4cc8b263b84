# Chooses the compiler before project() looks for one: Clang 19, else any Clang from 16 on. GCC cannot
# compile coroutines that return kj::Promise (GCC bug 102051), so it is refused, with the reason.
if(NOT CMAKE_CXX_COMPILER AND NOT DEFINED ENV{CXX})
  find_program(TENON_CLANG NAMES clang++-19 clang++-21 clang++-20 clang++-18 clang++-17 clang++-16 clang++)
  if(TENON_CLANG)
    set(CMAKE_CXX_COMPILER ${TENON_CLANG})
  endif()
endif()
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, RelWithDebInfo or Debug")
endif()
if(NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(TENON_CCACHE ccache)
  if(TENON_CCACHE)
    # The first: without it ccache steps aside where a header is precompiled (cmake/TenonPrecompile.cmake).
    # The others: what one clone or work tree compiled serves all others of this machine.
    set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}
      CCACHE_NOHASHDIR=1 ${TENON_CCACHE} CACHE STRING "")
  endif()
endif()
