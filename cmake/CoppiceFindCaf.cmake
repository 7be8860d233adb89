# Finds CAF: CAF::core and CAF::io, and CAF::openssl and CAF::test where they
# exist. Installed with the package, so the consumer's build uses it as well.
#
#  - upstream 1.x installs CAFConfig.cmake; it is taken where it was asked for,
#    by CMAKE_PREFIX_PATH, CAF_ROOT or CAF_DIR, or is all there is;
#  - Debian's libcaf-dev 0.17.6 has headers and libraries only.
#
# Sets COPPICE_CAF_FOUND, COPPICE_CAF_VERSION ("0.17.6", "1.1.0") and, where
# none is found, COPPICE_CAF_REASON: what is missing and what to do about it.

set(COPPICE_CAF_FOUND FALSE)
set(COPPICE_CAF_REASON "")

# Reads the version out of the headers of 0.17. Not to be used with 1.x, whose
# CAF_VERSION is an octal number by mistake.
function(_coppice_caf_header_version config_hpp result)
  file(STRINGS "${config_hpp}" line REGEX "^#define CAF_VERSION [0-9]+")
  string(REGEX MATCH "[0-9]+" number "${line}")
  if(number STREQUAL "")
    set(${result} "0" PARENT_SCOPE)
    return()
  endif()
  math(EXPR major "${number} / 10000")
  math(EXPR minor "(${number} / 100) % 100")
  math(EXPR patch "${number} % 100")
  set(${result} "${major}.${minor}.${patch}" PARENT_SCOPE)
endfunction()

if(NOT TARGET CAF::core) # asked for
  find_package(CAF CONFIG QUIET NO_CMAKE_SYSTEM_PATH
    NO_CMAKE_PACKAGE_REGISTRY NO_CMAKE_SYSTEM_PACKAGE_REGISTRY)
endif()
if(NOT TARGET CAF::core)
  find_path(COPPICE_CAF_INCLUDE_DIR caf/all.hpp)
  find_library(COPPICE_CAF_CORE_LIBRARY caf_core)
  find_library(COPPICE_CAF_IO_LIBRARY caf_io)
  find_library(COPPICE_CAF_OPENSSL_LIBRARY caf_openssl)
  mark_as_advanced(COPPICE_CAF_INCLUDE_DIR COPPICE_CAF_CORE_LIBRARY
    COPPICE_CAF_IO_LIBRARY COPPICE_CAF_OPENSSL_LIBRARY)
  if(NOT COPPICE_CAF_INCLUDE_DIR OR NOT COPPICE_CAF_CORE_LIBRARY)
    find_package(CAF CONFIG QUIET) # anywhere else
  endif()
endif()

if(TARGET CAF::core) # from a package, built beside us, or found before
  if(CAF_VERSION)
    set(COPPICE_CAF_VERSION "${CAF_VERSION}")
  endif()
  if(CAF_VERSION AND CAF_VERSION VERSION_LESS 1.0)
    set(COPPICE_CAF_REASON "CAF ${CAF_VERSION} is not supported: take 1.x, or \
Debian's 0.17.6")
  elseif(TARGET CAF::openssl AND NOT TARGET OpenSSL::SSL)
    find_package(OpenSSL QUIET) # CAFConfig.cmake forgets to
  endif()
else()
  find_package(Threads QUIET)
  if(COPPICE_CAF_INCLUDE_DIR AND COPPICE_CAF_CORE_LIBRARY)
    _coppice_caf_header_version("${COPPICE_CAF_INCLUDE_DIR}/caf/config.hpp"
      COPPICE_CAF_VERSION)
    if(COPPICE_CAF_VERSION VERSION_LESS 0.17.5
       OR COPPICE_CAF_VERSION VERSION_GREATER_EQUAL 0.18)
      set(COPPICE_CAF_REASON "CAF ${COPPICE_CAF_VERSION} is not supported: \
take 1.x with its CMake package, or Debian's 0.17.6")
    else()
      set(_coppice_caf_below Threads::Threads)
      foreach(_coppice_caf_part IN ITEMS core io openssl)
        string(TOUPPER "${_coppice_caf_part}" _coppice_caf_name)
        set(_coppice_caf_file "${COPPICE_CAF_${_coppice_caf_name}_LIBRARY}")
        if(_coppice_caf_file)
          add_library(CAF::${_coppice_caf_part} UNKNOWN IMPORTED)
          set_target_properties(CAF::${_coppice_caf_part} PROPERTIES
            IMPORTED_LOCATION "${_coppice_caf_file}"
            INTERFACE_INCLUDE_DIRECTORIES "${COPPICE_CAF_INCLUDE_DIR}"
            INTERFACE_LINK_LIBRARIES "${_coppice_caf_below}")
          set(_coppice_caf_below CAF::${_coppice_caf_part})
        endif()
      endforeach()
    endif()
  endif()
endif()

if(TARGET CAF::core AND TARGET CAF::io AND NOT COPPICE_CAF_REASON)
  set(COPPICE_CAF_FOUND TRUE)
elseif(TARGET CAF::core AND NOT COPPICE_CAF_REASON)
  set(COPPICE_CAF_REASON "CAF is there, but without its io module")
elseif(NOT COPPICE_CAF_REASON)
  set(COPPICE_CAF_REASON
    "CAF not found: install libcaf-dev, or name the prefix of a CAF 1.x in \
CMAKE_PREFIX_PATH")
endif()
