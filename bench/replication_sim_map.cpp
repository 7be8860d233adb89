// This file is part of coppice. License: see LICENSE in the source root.

#include "replication_sim_map.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

namespace replication_sim {

namespace {

constexpr double cell_width = 46;
constexpr double cell_height = 26;
constexpr double left = 66;
constexpr double top = 44;
constexpr double gap = 30;
constexpr std::size_t maps_per_line = 4;
constexpr double heading = 40;

/// Fully coloured at a quarter, and at four times as much.
std::string colour_of(double ratio) {
  const auto strength = std::clamp(std::log2(ratio) / 2.0, -1.0, 1.0);
  const auto faded = static_cast<int>(255.0 * (1.0 - 0.8 * std::abs(strength)));
  const auto red = strength > 0.0 ? 255 : faded;
  const auto blue = strength > 0.0 ? faded : 255;
  char out[16];
  std::snprintf(out, sizeof out, "#%02x%02x%02x", static_cast<unsigned>(red),
                static_cast<unsigned>(faded), static_cast<unsigned>(blue));
  return out;
}

std::string text_of(double ratio) {
  char out[16];
  if (ratio >= 10.0)
    return ">10";
  std::snprintf(out, sizeof out, "%.2f", ratio);
  return out;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const auto c : text)
    out += c == '&' ? "&amp;" : c == '>' ? "&gt;" : std::string{c};
  return out;
}

class picture {
public:
  picture(double width, double height) {
    out_ << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" << width
         << "\" height=\"" << height
         << "\" font-family=\"sans-serif\" font-size=\"12\">\n"
         << "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
  }

  void text(double x, double y, const std::string& what, const char* anchor) {
    out_ << "<text x=\"" << x << "\" y=\"" << y << "\" text-anchor=\"" << anchor
         << "\">" << escaped(what) << "</text>\n";
  }

  void cell(double x, double y, double ratio) {
    out_ << "<rect x=\"" << x << "\" y=\"" << y << "\" width=\"" << cell_width
         << "\" height=\"" << cell_height << "\" stroke=\"#ccc\" fill=\""
         << colour_of(ratio) << "\"/>\n";
    text(x + cell_width / 2, y + cell_height / 2 + 4, text_of(ratio), "middle");
  }

  std::string finish() {
    out_ << "</svg>\n";
    return std::move(out_).str();
  }

private:
  std::ostringstream out_;
};

} // namespace

std::string svg_of(const std::string& title,
                   const std::vector<std::string>& rows,
                   const std::vector<std::string>& columns,
                   const std::vector<heat_map>& maps) {
  const auto map_width = left + cell_width * static_cast<double>(columns.size())
                         + gap;
  const auto map_height = top + cell_height * static_cast<double>(rows.size())
                          + gap;
  const auto in_line = std::min(maps.size(), maps_per_line);
  const auto lines = (maps.size() + maps_per_line - 1) / maps_per_line;
  picture out{map_width * static_cast<double>(in_line),
              heading + map_height * static_cast<double>(lines)};
  out.text(16, 24, title, "start");
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const auto x = map_width * static_cast<double>(i % maps_per_line) + left;
    const auto y = heading + map_height * static_cast<double>(i / maps_per_line)
                   + top;
    out.text(x, y - 26, maps[i].title, "start");
    for (std::size_t c = 0; c < columns.size(); ++c)
      out.text(x + cell_width * (static_cast<double>(c) + 0.5), y - 6,
               columns[c], "middle");
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const auto line = y + cell_height * static_cast<double>(r);
      out.text(x - 6, line + cell_height / 2 + 4, rows[r], "end");
      for (std::size_t c = 0; c < columns.size(); ++c)
        out.cell(x + cell_width * static_cast<double>(c), line,
                 maps[i].ratios[r][c]);
    }
  }
  return out.finish();
}

} // namespace replication_sim
