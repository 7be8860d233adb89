// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The observer's page, as it was when coppice was built. Internal.
///
/// Layer: L3. The sources are page.html, page.js and page.css; the build makes
/// page_files.cpp of them (cmake/CoppiceEmbed.cmake).
/// Threads: constants.
/// Rules: none.

#include <string_view>

namespace coppice::page_files {

extern const std::string_view html;
extern const std::string_view js;
extern const std::string_view css;

} // namespace coppice::page_files
