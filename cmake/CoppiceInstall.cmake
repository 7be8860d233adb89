# Installing: one export set per library, so that a consumer of one component
# need not have what only the others depend on.

set(COPPICE_PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/coppice")

# coppice_install(<target>...)
#
# Installs libraries named coppice_<component> as component <component> of the
# package, with their headers.
function(coppice_install)
  foreach(target IN LISTS ARGN)
    string(REGEX REPLACE "^coppice_" "" component ${target})
    set_target_properties(${target} PROPERTIES
      EXPORT_NAME ${component}
      VERSION ${PROJECT_VERSION}
      SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
    if(NOT COPPICE_INSTALL)
      continue()
    endif()
    install(TARGETS ${target}
      EXPORT coppice-${component}
      OBJECTS DESTINATION "${CMAKE_INSTALL_LIBDIR}/coppice"
      FILE_SET HEADERS)
    install(EXPORT coppice-${component}
      NAMESPACE coppice::
      FILE coppice-${component}.cmake
      DESTINATION "${COPPICE_PACKAGE_DIR}")
  endforeach()
endfunction()

# Writes `-I`, `-L` and `-l` for CAF, unless the compiler looks there anyway.
function(_coppice_caf_pkg_config cflags_var libs_var)
  set(cflags "")
  set(libs "")
  get_target_property(dirs CAF::core INTERFACE_INCLUDE_DIRECTORIES)
  foreach(dir IN LISTS dirs)
    if(IS_ABSOLUTE "${dir}"
       AND NOT dir IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
      string(APPEND cflags " -I${dir}")
    endif()
  endforeach()
  get_target_property(file CAF::core LOCATION)
  if(IS_ABSOLUTE "${file}")
    cmake_path(GET file PARENT_PATH dir)
    if(NOT dir IN_LIST CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES)
      string(APPEND libs " -L${dir}")
    endif()
  endif()
  set(${cflags_var} "${cflags}" PARENT_SCOPE)
  string(APPEND libs " -lcaf_io -lcaf_core")
  if(TARGET Boost::stacktrace_backtrace)
    string(APPEND libs " -lboost_stacktrace_backtrace")
  endif()
  set(${libs_var} "${libs}" PARENT_SCOPE)
endfunction()

# Installs coppiceConfig.cmake, its version file, and coppice.pc.
function(coppice_install_package)
  include(CMakePackageConfigHelpers)
  set(COPPICE_BOOST_FOUND FALSE)
  if(TARGET Boost::stacktrace_backtrace)
    set(COPPICE_BOOST_FOUND TRUE)
  endif()
  configure_package_config_file(
    "${PROJECT_SOURCE_DIR}/cmake/coppiceConfig.cmake.in"
    "${PROJECT_BINARY_DIR}/coppiceConfig.cmake"
    INSTALL_DESTINATION "${COPPICE_PACKAGE_DIR}"
    NO_SET_AND_CHECK_MACRO)
  # Before 1.0 a minor version may break the interface.
  write_basic_package_version_file(
    "${PROJECT_BINARY_DIR}/coppiceConfigVersion.cmake"
    COMPATIBILITY SameMinorVersion)
  install(
    FILES
      "${PROJECT_BINARY_DIR}/coppiceConfig.cmake"
      "${PROJECT_BINARY_DIR}/coppiceConfigVersion.cmake"
      "${PROJECT_SOURCE_DIR}/cmake/CoppiceFindCaf.cmake"
    DESTINATION "${COPPICE_PACKAGE_DIR}")

  file(RELATIVE_PATH COPPICE_PC_PREFIX
    "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
  _coppice_caf_pkg_config(COPPICE_PC_CFLAGS COPPICE_PC_LIBS)
  configure_file("${PROJECT_SOURCE_DIR}/cmake/coppice.pc.in"
    "${PROJECT_BINARY_DIR}/coppice.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/coppice.pc"
    DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
  install(FILES "${PROJECT_SOURCE_DIR}/LICENSE"
    DESTINATION "${CMAKE_INSTALL_DOCDIR}")
endfunction()
