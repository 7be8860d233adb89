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

# coppice_verify_headers(<target>...)
#
# Compiles each public header without a source file by itself, when the target
# verify_headers is built; the others come first in their own sources, as
# tools/check_layers sees to. CMake's own VERIFY_INTERFACE_HEADER_SETS would
# parse CAF anew for each of them; here CAF is there before, precompiled, so that
# a header that forgets to include it goes unseen. coppice_policy does without.
function(coppice_verify_headers)
  if(NOT TARGET verify_headers)
    add_custom_target(verify_headers)
  endif()
  foreach(target IN LISTS ARGN)
    set(sources "")
    get_target_property(headers ${target} HEADER_SET)
    get_target_property(base ${target} SOURCE_DIR)
    foreach(header IN LISTS headers)
      cmake_path(REPLACE_EXTENSION header LAST_ONLY cpp OUTPUT_VARIABLE source)
      if(EXISTS "${source}")
        continue()
      endif()
      cmake_path(RELATIVE_PATH header BASE_DIRECTORY "${base}")
      set(source "${CMAKE_CURRENT_BINARY_DIR}/headers/${header}.cpp")
      file(CONFIGURE OUTPUT "${source}"
        CONTENT "#include \"@header@\"\n" @ONLY)
      list(APPEND sources "${source}")
    endforeach()
    if(NOT sources)
      continue()
    endif()
    add_library(${target}_headers OBJECT EXCLUDE_FROM_ALL ${sources})
    target_link_libraries(${target}_headers PRIVATE ${target} coppice_flags)
    target_compile_options(${target}_headers PRIVATE -fsyntax-only)
    if(NOT target STREQUAL "coppice_policy")
      coppice_precompile(${target}_headers REUSE coppice_supervision)
    endif()
    add_dependencies(verify_headers ${target}_headers)
  endforeach()
endfunction()
