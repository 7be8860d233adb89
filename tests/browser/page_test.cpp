// This file is part of coppice. License: see LICENSE in the source root.

// The observer's page in a real browser, before real trees.

#include "browser/served_tree.hpp"
#include "browser/web_driver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <stdexcept>
#include <string>

namespace coppice::test {

namespace {

using namespace std::literals;
using testing::HasSubstr;

// -- what is on the page -----------------------------------------------------

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump();
}

std::string selector(const std::string& path) {
  return "[role=treeitem][data-path='" + path + "']";
}

/// The row of a child, as an expression.
std::string row(const std::string& path) {
  return "document.querySelector(" + quoted(selector(path)) + ")";
}

std::string shows(const std::string& css, const std::string& text) {
  return "document.querySelector(" + quoted(css) + ").textContent.includes("
         + quoted(text) + ")";
}

std::string is_at(const std::string& path) {
  return "document.activeElement.dataset.path === " + quoted(path);
}

/// Texts below 4.5:1 on the ground they stand on, as WCAG 2 counts.
constexpr auto low_contrasts = R"js(
  const parse = text => {
    const parts = text.match(/[\d.]+/g).map(Number);
    const scale = text.startsWith("color(") ? 255 : 1;
    return [...parts.slice(0, 3).map(x => x * scale), parts[3] ?? 1];
  };
  const over = (top, below) => [0, 1, 2].map(
    i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const luminance = colour => {
    const [r, g, b] = colour.map(x => x / 255).map(
      x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = element => {
    const colours = [];
    for (let x = element; x; x = x.parentElement)
      colours.unshift(parse(getComputedStyle(x).backgroundColor));
    return colours.reduce((below, top) => over(top, below), [255, 255, 255, 1]);
  };
  const bad = [];
  let seen = 0;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim()
        || !element.checkVisibility({visibilityProperty: true}))
      continue;
    const below = ground(element);
    const text = over(parse(getComputedStyle(element).color), below);
    const [light, dark] = [luminance(text), luminance(below)].sort(
      (x, y) => y - x);
    ++seen;
    if ((light + 0.05) / (dark + 0.05) < 4.5)
      bad.push(texts.currentNode.data.trim());
  }
  return seen < 40 ? ["too few texts: " + seen] : bad;
)js";

class ObserverPage : public testing::Test {
protected:
  static void SetUpTestSuite() {
    if (web_driver::is_installed())
      browser_ = std::make_unique<web_driver>();
  }
  static void TearDownTestSuite() { browser_.reset(); }

  void SetUp() override {
    if (browser_ == nullptr)
      GTEST_SKIP() << "needs Debian's chromium and chromium-driver";
    page().resize(1280, 800);
    page().prefer("light");
  }

  static web_driver& page() { return *browser_; }

  /// Waits for it; ends the test if it never comes.
  static void expect(const std::string& condition) {
    if (!page().eventually(condition))
      throw std::runtime_error{"never came: " + condition};
  }

  /// Returns when the tree is there.
  static void open(const served_tree& served) {
    page().open(served.url());
    expect("document.querySelectorAll('[role=treeitem]').length > 0");
  }

  static void answer(const std::string& text) {
    expect("document.querySelector('#ask').open");
    page().press(text + keys::enter);
  }

  static void take_picture(const std::string& name) {
    page().screenshot(std::filesystem::path{COPPICE_SCREENSHOTS}
                      / (name + ".png"));
  }

private:
  static inline std::unique_ptr<web_driver> browser_;
};

} // namespace

TEST_F(ObserverPage, DrawsTheTree) {
  served_tree served{shop()};
  open(served);
  expect(shows("#name", "shop"));
  expect(row("/shop/catalog/search") + ".dataset.state === 'running'");
  EXPECT_EQ(page().text("[...document.querySelectorAll('[role=treeitem]')]"
                        ".map(x => x.dataset.path.slice(5)).join(' ')"),
            " /catalog /catalog/store /catalog/search /catalog/suggest"
            " /payments /payments/gateway /payments/fraud /payments/refunds"
            " /thumbnails /thumbnails/resize-1 /thumbnails/resize-2"
            " /thumbnails/resize-3 /nightly-report /importer");
  const auto search = row("/shop/catalog/search");
  EXPECT_EQ(page().text(search + ".ariaLevel"), "3");
  EXPECT_EQ(page().text(search + ".ariaPosInSet"), "2");
  EXPECT_EQ(page().text(search + ".ariaSetSize"), "3");
  EXPECT_THAT(page().text(search + ".ariaLabel"),
              HasSubstr("search, worker, running, life 1"));
  expect("document.title === 'shop · coppice'");
  expect(shows("#events", "/shop/importer#1"));
}

TEST_F(ObserverPage, ShowsACrashItsReportAndTheNextLife) {
  served_tree served{shop()};
  open(served);
  served.tell("/shop/payments/gateway", "connection refused");
  const auto gateway = row("/shop/payments/gateway");
  expect(gateway + ".dataset.state === 'backoff'");
  EXPECT_THAT(page().text(gateway + ".textContent"), HasSubstr("retry in"));
  // Red, and not by its name alone.
  EXPECT_EQ(page().run("const [r, g, b] = getComputedStyle(" + gateway
                       + ".querySelector('.state')).color.match(/\\d+/g)"
                         ".map(Number); return r > 2 * g && r > 2 * b;"),
            true);
  expect("document.title === '(1) shop · coppice'");
  expect(shows("#live", "/shop/payments/gateway failed"));

  page().click(selector("/shop/payments/gateway") + " .id");
  expect(shows("#failure-line", "connection refused"));
  page().click("#failure-open");
  expect("!document.querySelector('#failure-report').hidden");
  EXPECT_THAT(page().text("document.querySelector('#failure-report')"
                          ".textContent"),
              HasSubstr("std::runtime_error"));
  expect(shows("#details-events", "failed #1"));

  page().click("[data-action=retry]");
  answer(served.token());
  expect(gateway + ".dataset.state === 'running'");
  expect(gateway + ".querySelector('.life').textContent === '#2'");
  expect("document.title === 'shop · coppice'");
}

TEST_F(ObserverPage, TellsThatATokenWasRefused) {
  served_tree served{shop()};
  open(served);
  page().click("#reload");
  answer("not-the-token");
  expect(shows("#message", "the token was refused"));
  EXPECT_EQ(page().text("document.querySelector('#version').textContent"),
            "version 1");
  // It asks again; this one is kept, and is not asked for a second time.
  page().click("#reload");
  answer(served.token());
  expect(shows("#result-title", "Version 2"));
  expect(shows("#version", "version 2"));
  page().press(keys::escape);
  page().click("#reload");
  expect(shows("#result-title", "Version 3"));
}

TEST_F(ObserverPage, HoldsAChildForAReasonAndStartsItAgain) {
  served_tree served{shop()};
  open(served);
  page().click(selector("/shop/payments/refunds") + " .id");
  page().click("[data-action=hold]");
  answer("vendor outage");
  answer(served.token());
  const auto refunds = row("/shop/payments/refunds");
  expect(refunds + ".dataset.state === 'held'");
  EXPECT_THAT(page().text(refunds + ".textContent"),
              HasSubstr("held: vendor outage"));
  expect("!document.querySelector('[data-action=start]').disabled");
  page().click("[data-action=start]");
  expect(refunds + ".dataset.state === 'running'");
}

TEST_F(ObserverPage, IsUsedByKeyboard) {
  served_tree served{shop()};
  open(served);
  expect("document.querySelectorAll('[role=treeitem][tabindex=\"0\"]').length"
         " === 1");
  page().run(row("/shop") + ".focus()");
  const auto press = [](const char* key, const std::string& path) {
    page().press(key);
    expect(is_at(path));
  };
  press(keys::down, "/shop/catalog");
  press(keys::left, "/shop/catalog");
  expect(row("/shop/catalog") + ".ariaExpanded === 'false'");
  press(keys::down, "/shop/payments");
  press(keys::right, "/shop/payments/gateway");
  press(keys::left, "/shop/payments");
  press(keys::end, "/shop/importer");
  press(keys::up, "/shop/nightly-report");
  press(keys::home, "/shop");
  press("im", "/shop/importer");
  page().press(keys::enter);
  expect("document.activeElement.id === 'details-name'");
  press(keys::escape, "/shop/importer");
  expect("document.querySelector('#details').hidden");
  page().press("/");
  expect("document.activeElement.id === 'filter'");
  page().press("pay");
  expect("document.querySelectorAll('[role=treeitem]').length === 5");
}

TEST_F(ObserverPage, ShowsWhatIsNotWell) {
  served_tree served{shop()};
  open(served);
  page().click("#not-well");
  expect(shows("#empty", "All is well"));
  served.tell("/shop/importer", "give up");
  expect(row("/shop/importer") + "?.dataset.state === 'failed'");
  EXPECT_EQ(page().text("document.querySelectorAll('[role=treeitem]').length"),
            "2"); // and the root, in which it is
}

// Ids and failures come from anywhere.
TEST_F(ObserverPage, TakesNothingForMarkup) {
  const auto markup = "<img src=x onerror=\"document.title='owned'\">"s;
  served_tree served{{.name = "shop", .children = {child("<b>" + markup)}}};
  open(served);
  served.tell("/shop/<b>" + markup, markup);
  expect(shows("#events", markup));
  expect("document.title === '(1) shop · coppice'");
  page().run("document.querySelector('[aria-level=\"2\"] .id').click()");
  expect(shows("#failure-line", markup));
  EXPECT_EQ(page().text("document.querySelectorAll('img').length"), "0");
}

TEST_F(ObserverPage, DrawsTenThousandChildren) {
  served_tree served{crowd(10'000), 1s};
  open(served);
  expect(shows("#shown", "10,001"));
  const auto rows = "document.querySelectorAll('[role=treeitem]').length"s;
  EXPECT_TRUE(page().run("return " + rows + " > 10 && " + rows + " < 200"));
  RecordProperty("draw_ms", page().text("timing.tree"));
  page().run(row("/crowd") + ".focus()");
  page().press(keys::end);
  expect(is_at("/crowd/worker-9999"));
  EXPECT_TRUE(page().run("return " + rows + " < 200"));
  served.tell("/crowd/worker-9999", "crash");
  expect(row("/crowd/worker-9999") + ".dataset.state === 'backoff'");
  RecordProperty("delta_ms", page().text("timing.delta"));
}

TEST_F(ObserverPage, SaysSinceWhenItIsStaleAndComesBack) {
  served_tree served{shop()};
  open(served);
  EXPECT_EQ(page().run("return document.querySelector('#banner').hidden"),
            true);
  const auto port = served.window().port();
  served.close_window();
  expect("!document.querySelector('#banner').hidden");
  expect(shows("#banner", "Stale since"));
  served.tell("/shop/importer", "give up");
  served.open_window(port);
  expect("document.querySelector('#banner').hidden");
  expect(row("/shop/importer") + ".dataset.state === 'failed'");
}

TEST_F(ObserverPage, ShowsFiguresAndEventsOfOneKind) {
  served_tree served{shop()};
  pool_statistics figures;
  figures.admission.arrived = 18'231;
  served.window().figures().add_pool("checkout", [&] { return figures; });
  open(served);
  page().click("#tab-figures");
  expect(shows("#figures-panel", "checkout"));
  expect(shows("#figures-panel", "18,231"));
  page().click("#tab-events");
  served.tell("/shop/importer", "give up");
  expect(shows("#events", "schema 12"));
  page().run("const x = document.querySelector('#event-kind');"
             "x.value = 'failed'; x.dispatchEvent(new Event('change'));");
  expect("document.querySelectorAll('.event').length === 1");
  page().click("#pause");
  served.tell("/shop/payments/gateway", "crash");
  expect(row("/shop/payments/gateway") + ".dataset.state === 'backoff'");
  expect(shows("#event-count", "more since"));
  EXPECT_EQ(page().run("return document.querySelectorAll('.event').length"), 1);
  page().click("#pause");
  expect("document.querySelectorAll('.event').length === 2");
}

TEST_F(ObserverPage, IsReadableInBothThemesAndOnAPhone) {
  served_tree served{shop()};
  open(served);
  for (const auto* life : {"#2", "#3", "#4"}) {
    served.tell("/shop/catalog/search", "checksum of segment 17 differs");
    expect(row("/shop/catalog/search")
           + ".querySelector('.life').textContent === " + quoted(life));
  }
  served.tell("/shop/thumbnails/resize-1", "work");
  served.tell("/shop/thumbnails/resize-3", "work");
  served.tell("/shop/importer", "give up");
  served.tell("/shop/nightly-report", "finish");
  served.tell("/shop/payments/gateway", "cannot reach gateway-2: refused");
  expect(row("/shop/importer") + ".dataset.state === 'failed'");
  expect(row("/shop/nightly-report") + ".dataset.state === 'finished'");
  expect(row("/shop/payments/gateway") + ".dataset.state === 'backoff'");
  page().click(selector("/shop/payments/refunds") + " .id");
  page().click("[data-action=hold]");
  answer("vendor outage, OPS-4411");
  answer(served.token());
  expect(row("/shop/payments/refunds") + ".dataset.state === 'held'");
  page().click("#message-close");
  page().click(selector("/shop/payments/gateway") + " .id");
  expect(shows("#failure-line", "gateway-2"));
  for (const auto* theme : {"light", "dark"}) {
    page().prefer(theme);
    for (const auto width : {1200, 400}) {
      page().resize(width, 740);
      // Once it is laid out anew, with rows of the height for this width.
      expect("innerWidth === " + std::to_string(width)
             + " && list.height === parseFloat(getComputedStyle($('tree'))"
               ".getPropertyValue('--row'))");
      take_picture("observer-" + std::string{theme} + '-'
                   + std::to_string(width));
      EXPECT_EQ(page().run(low_contrasts), nlohmann::json::array())
        << theme << ' ' << width;
      EXPECT_EQ(page().run("return document.documentElement.scrollWidth"),
                width);
    }
  }
}

} // namespace coppice::test
