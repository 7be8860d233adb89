# cmake -DEXPECT=<regex;...> -DTIMEOUT=<seconds> -P CoppiceRunExample.cmake
#       -- <program> <argument>...
#
# Runs a program; prints "example: as expected" if it ended in time, with
# status 0, and if each regular expression matches what it printed.

set(command "")
set(past_dashes FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(past_dashes)
    string(REPLACE ";" "\\;" argument "${CMAKE_ARGV${i}}")
    list(APPEND command "${argument}")
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(past_dashes TRUE)
  endif()
endforeach()

execute_process(
  COMMAND ${command}
  TIMEOUT ${TIMEOUT}
  RESULT_VARIABLE status
  OUTPUT_VARIABLE output
  ERROR_VARIABLE output)
message("${output}")
if(NOT status STREQUAL "0")
  message(FATAL_ERROR "example: ended with ${status}")
endif()
foreach(expected IN LISTS EXPECT)
  if(NOT output MATCHES "${expected}")
    message(FATAL_ERROR "example: nothing printed matches '${expected}'")
  endif()
endforeach()
message("example: as expected")
