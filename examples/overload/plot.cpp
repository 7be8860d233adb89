// This file is part of coppice. License: see LICENSE in the source root.

#include "plot.hpp"

#include <sstream>

namespace example {

namespace {

constexpr double width = 640;
constexpr double height = 400;
constexpr double left = 60;
constexpr double right = 20;
constexpr double top = 40;
constexpr double bottom = 50;

class picture {
public:
  picture(const plot_axis& x, const plot_axis& y) : x_(x), y_(y) {
    out_ << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" << width
         << "\" height=\"" << height
         << "\" font-family=\"sans-serif\" font-size=\"12\">\n"
         << "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
  }

  void text(double x, double y, const std::string& what,
            const char* more = "text-anchor=\"middle\"") {
    out_ << "<text x=\"" << x << "\" y=\"" << y << "\" " << more << '>' << what
         << "</text>\n";
  }

  void axes() {
    for (double x = 0; x <= x_.end; x += x_.step)
      tick(across(x), up(0) + 18, number(x), across(x), up(0), across(x),
           up(y_.end));
    for (double y = 0; y <= y_.end; y += y_.step)
      tick(left - 20, up(y) + 4, number(y), across(0), up(y), across(x_.end),
           up(y));
    text((left + width - right) / 2, height - 12, x_.name);
    text(left - 40, top - 12, y_.name, "");
  }

  void draw(const plot_line& line, double legend_y) {
    out_ << "<polyline fill=\"none\" stroke-width=\"2\" stroke=\""
         << line.colour << "\" points=\"";
    for (const auto& [x, y] : line.points)
      out_ << across(x) << ',' << up(y) << ' ';
    out_ << "\"/>\n";
    for (const auto& [x, y] : line.points)
      out_ << "<circle r=\"4\" fill=\"" << line.colour << "\" cx=\""
           << across(x) << "\" cy=\"" << up(y) << "\"/>\n";
    out_ << "<rect x=\"" << left + 12 << "\" y=\"" << legend_y - 9
         << "\" width=\"12\" height=\"12\" fill=\"" << line.colour << "\"/>\n";
    text(left + 30, legend_y + 2, line.name, "");
  }

  std::string finish() {
    out_ << "</svg>\n";
    return std::move(out_).str();
  }

private:
  static std::string number(double x) {
    std::ostringstream res;
    res << x;
    return std::move(res).str();
  }

  double across(double x) const {
    return left + x / x_.end * (width - left - right);
  }
  double up(double y) const {
    return height - bottom - y / y_.end * (height - top - bottom);
  }

  void tick(double text_x, double text_y, const std::string& what, double x1,
            double y1, double x2, double y2) {
    text(text_x, text_y, what);
    out_ << "<line stroke=\"#ccc\" x1=\"" << x1 << "\" y1=\"" << y1
         << "\" x2=\"" << x2 << "\" y2=\"" << y2 << "\"/>\n";
  }

  plot_axis x_;
  plot_axis y_;
  std::ostringstream out_;
};

} // namespace

std::string svg_of(const std::string& title, const plot_axis& x,
                   const plot_axis& y, const std::vector<plot_line>& lines) {
  picture res{x, y};
  res.text(width / 2, 20, title);
  res.axes();
  auto legend_y = height / 2;
  for (const auto& line : lines)
    res.draw(line, legend_y += 20);
  return res.finish();
}

} // namespace example
