// This file is part of coppice. License: see LICENSE in the source root.

// What strangers wrote is shown, and does nothing else.

#include "coppice/text_escape.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace coppice {
namespace {

using namespace std::literals;

// FAILURE-5: text in any language is left alone.
TEST(TextEscape, LeavesTextAlone) {
  for (const auto* text :
       {"", "plain", "caf\u00e9 \u00a0\u00bf", "\u65e5\u672c\u8a9e",
        "\u05e9\u05dc\u05d5\u05dd", "\U0001f332", "\u2027\u2030\u2065\u206a"})
    EXPECT_EQ(escaped(text), text);
}

// FAILURE-5: nothing steers a terminal, or fakes a line.
TEST(TextEscape, EscapesControls) {
  EXPECT_EQ(escaped("a\nb\tc"), "a\\nb\\tc");
  EXPECT_EQ(escaped("\x1b[31m\x7f\0"sv), "\\x1b[31m\\x7f\\x00");
}

// FAILURE-5: U+009B is ESC [ in one character, and U+0085 a line break.
TEST(TextEscape, EscapesTheSecondSetOfControls) {
  EXPECT_EQ(escaped("\u009b2J"), "\\xc2\\x9b2J");
  EXPECT_EQ(escaped("\u0080\u0085\u009f\u00a0"),
            "\\xc2\\x80\\xc2\\x85\\xc2\\x9f\u00a0");
}

// FAILURE-5: so is byte 9b, to a terminal that knows no UTF-8; as the middle
// of a character it is text.
TEST(TextEscape, EscapesTheSameAsSingleBytes) {
  EXPECT_EQ(escaped("a\x9b"
                    "2J"),
            "a\\x9b2J");
  EXPECT_EQ(escaped("\u26db"), "\u26db"); // e2 9b 9b
  for (const auto broken :
       {"\xe2\x9b"sv, "\xc0\x9b"sv, "\xe0\x9b\x9b"sv, "\xed\xa0\x9b"sv,
        "\xf0\x8f\x9b\x9b"sv, "\xf4\x90\x9b\x9b"sv, "\xf5\x9b\x9b\x9b"sv,
        "\xe2\x9b\xc3\xa9"sv}) {
    const auto text = escaped(broken);
    EXPECT_EQ(text.find('\x9b'), std::string::npos) << text;
    EXPECT_EQ(text.front(), broken.front());
  }
  EXPECT_EQ(escaped("\xff\xa9"), "\xff\xa9"); // broken, and harmless
}

// FAILURE-5: what ends a line elsewhere, or turns around what follows.
TEST(TextEscape, EscapesWhatMovesText) {
  EXPECT_EQ(escaped("a\u2028b\u2029c"), "a\\xe2\\x80\\xa8b\\xe2\\x80\\xa9c");
  for (const auto* c : {"\u202a", "\u202b", "\u202c", "\u202d", "\u202e",
                        "\u2066", "\u2067", "\u2068", "\u2069"})
    EXPECT_EQ(escaped(c).substr(0, 4), "\\xe2") << escaped(c);
}

} // namespace
} // namespace coppice
