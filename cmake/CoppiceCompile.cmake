# How this tree is compiled: warnings, precompiled headers, compiler cache.
# Nothing in here reaches the users of the libraries.

add_library(coppice_flags INTERFACE)
target_compile_features(coppice_flags INTERFACE cxx_std_20)
target_compile_options(coppice_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  $<$<BOOL:${COPPICE_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU"
   AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # Where g++ 12 optimises, it sees these in any variant or string that moves.
  target_compile_options(coppice_flags INTERFACE
    -Wno-array-bounds -Wno-maybe-uninitialized -Wno-restrict
    -Wno-stringop-overflow)
endif()

# For targets without CAF: the standard library's own assertions. Not for the
# others, because 0.17's spawn dereferences an empty shared_ptr.
add_library(coppice_assertions INTERFACE)
target_compile_definitions(coppice_assertions INTERFACE
  $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)

if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_CXX_EXTENSIONS OFF)
  find_program(COPPICE_CCACHE ccache)
  mark_as_advanced(COPPICE_CCACHE)
  if(COPPICE_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
    # ccache's manual asks for these where precompiled headers are in use.
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros "${COPPICE_CCACHE}")
  endif()
endif()

# coppice_precompile(<target> <header>...)
# coppice_precompile(<target> REUSE <other>)
#
# Precompiles what is expensive and not ours: CAF alone takes some five seconds
# a source file. Reuse works among static libraries and programs, where all
# are compiled with the same code generation flags.
function(coppice_precompile target)
  if(BUILD_SHARED_LIBS)
    return()
  endif()
  if("${ARGV1}" STREQUAL "REUSE")
    target_precompile_headers(${target} REUSE_FROM ${ARGV2})
  else()
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
  target_compile_options(${target} PRIVATE
    $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>) # for ccache
endfunction()
