# cmake -DOUTPUT=<file.cpp> -DHEADER=<include> -DNAMESPACE=<name>
#       -P CoppiceEmbed.cmake -- <file>...
#
# Writes a source file with the bytes of each file as a std::string_view that
# has the file's extension for a name: page.css becomes `css`.

set(out "// Made by CoppiceEmbed.cmake.\n\n#include \"${HEADER}\"\n\n")
string(APPEND out "namespace ${NAMESPACE} {\n")
set(past_dashes FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(past_dashes)
    set(file "${CMAKE_ARGV${i}}")
    cmake_path(GET file EXTENSION LAST_ONLY name)
    string(SUBSTRING "${name}" 1 -1 name)
    file(READ "${file}" bytes HEX)
    string(LENGTH "${bytes}" size)
    math(EXPR size "${size} / 2")
    string(REGEX REPLACE "(..)" "\\\\x\\1" bytes "${bytes}")
    # Compilers need not take literals of any length in one piece.
    string(REGEX REPLACE "(................................................................................)"
      "\\1\"\n  \"" bytes "${bytes}")
    string(APPEND out
      "\nconst std::string_view ${name}{\n  \"${bytes}\",\n  ${size}};\n")
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(past_dashes TRUE)
  endif()
endforeach()
string(APPEND out "\n} // namespace ${NAMESPACE}\n")
file(WRITE "${OUTPUT}" "${out}")
