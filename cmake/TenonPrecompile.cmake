# Precompiled headers: other people's large headers are parsed once and not by every source, which
# takes a third off a build from nothing. Sources include what they use all the same: lint, whose
# commands are these without the precompiled header, finds what is missing.
#
#   tenon_precompile(target)       the standard library
#   tenon_precompile(target KJ)    and KJ's event loop
#   tenon_precompile(target CLI)   and CLI11

set(TENON_PRECOMPILED <algorithm> <charconv> <functional> <map> <memory> <optional> <set> <span> <string>
  <string_view> <tuple> <utility> <variant> <vector>)

# Made on first use, for all targets of this kind.
function(tenon_precompile target)
  set(kind std)
  set(headers ${TENON_PRECOMPILED})
  set(libraries "")
  set(options "")
  if("KJ" IN_LIST ARGN)
    set(kind kj)
    list(APPEND headers <kj/async-io.h>)
    set(libraries CapnProto::kj-async)
  elseif("CLI" IN_LIST ARGN)
    set(kind cli)
    list(APPEND headers <CLI/CLI.hpp>)
    set(libraries CLI11::CLI11)
    set(options -pthread)  # as all that uses KJ has it
  endif()
  set(precompiled tenon_precompiled_${kind})
  if(NOT TARGET ${precompiled})
    # Something to compile: a library without sources has no precompiled header.
    set(source ${PROJECT_BINARY_DIR}/${precompiled}.cc)
    file(CONFIGURE OUTPUT ${source} CONTENT "// Nothing but the precompiled header.\n")
    add_library(${precompiled} OBJECT ${source})
    target_link_libraries(${precompiled} PRIVATE ${libraries})
    # Without a time stamp ccache can tell that it is the same.
    target_compile_options(${precompiled} PRIVATE ${options} "SHELL:-Xclang -fno-pch-timestamp")
    target_precompile_headers(${precompiled} PRIVATE ${headers})
  endif()
  target_precompile_headers(${target} REUSE_FROM ${precompiled})
  # libstdc++ may use what it deprecates, by a pragma that a precompiled header does not keep.
  target_compile_options(${target} PRIVATE -Wno-deprecated-declarations)
endfunction()
