// This file is part of coppice. License: see LICENSE in the source root.
//
// The observer's page. What comes over the wire is untrusted: it becomes text,
// never markup. Costs: a delta costs what it changes; only rows that can be
// seen are in the document, so 10,000 children are as fast as ten.

"use strict";

// -- small things -------------------------------------------------------------

const $ = id => document.getElementById(id);
const plural = (n, one, many) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
const clock = when => {
  const t = new Date(when);
  return Number.isNaN(t.getTime()) ? "" : t.toLocaleTimeString("en-GB")
    + "." + String(t.getMilliseconds()).padStart(3, "0");
};

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className)
    element.className = className;
  if (text !== undefined)
    element.textContent = text;
  return element;
}

function makeIcon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  setIcon(svg, name);
  return svg;
}

function setIcon(svg, name) {
  set(svg.firstElementChild, "href", "#i-" + name);
}

// These write only what differs: a write costs layout, a comparison nothing.
function set(element, attribute, value) {
  if (element.getAttribute(attribute) !== value)
    element.setAttribute(attribute, value);
}

function drop(element, attribute) {
  if (element.hasAttribute(attribute))
    element.removeAttribute(attribute);
}

function setText(element, text) {
  if (element.textContent !== text)
    element.textContent = text;
}

function setClass(element, name) {
  if (element.getAttribute("class") !== name)
    element.setAttribute("class", name);
}

function inWords(ms) {
  if (ms < 1000)
    return `${Math.round(ms)} ms`;
  if (ms < 60000)
    return `${(ms / 1000).toFixed(ms < 10000 ? 1 : 0)} s`;
  const minutes = Math.floor(ms / 60000);
  return minutes < 60 ? `${minutes} min ${Math.floor(ms % 60000 / 1000)} s`
                      : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

// Work for the next frame, at most once a frame.
function eachFrame(work) {
  let due = false;
  return () => {
    if (!due) {
      due = true;
      requestAnimationFrame(() => {
        due = false;
        work();
      });
    }
  };
}

// -- what a state looks like: a colour, an icon and a word ----------------------

// Level: 0 well, 1 on its way or by intent, 2 and 3 a problem.
const LOOKS = {
  failed: {tone: "bad", icon: "failed", word: "failed", level: 3},
  backoff: {tone: "bad", icon: "backoff", word: "backing off", level: 3},
  late: {tone: "warn", icon: "late", word: "late", level: 2},
  abandoned: {tone: "warn", icon: "unknown", word: "abandoned life", level: 2},
  group: {tone: "warn", icon: "stopped", word: "stopped for a sibling", level: 2},
  unknown: {tone: "warn", icon: "unknown", word: "unknown", level: 2},
  starting: {tone: "busy", icon: "starting", word: "starting", level: 1},
  stopping: {tone: "busy", icon: "stopping", word: "stopping", level: 1},
  held: {tone: "held", icon: "held", word: "held", level: 1},
  stopped: {tone: "off", icon: "stopped", word: "stopped", level: 1},
  finished: {tone: "off", icon: "finished", word: "finished", level: 0},
  running: {tone: "ok", icon: "running", word: "running", level: 0},
};
for (const [key, look] of Object.entries(LOOKS))
  Object.freeze(Object.assign(look, {key}));
const PROBLEM = 2;
const LATE = 2 / 3; // HEARTBEAT-4: the warning comes here

const STOPPED = {
  operator: LOOKS.stopped, group: LOOKS.group, finished: LOOKS.finished,
  failed: LOOKS.failed, exhausted: LOOKS.failed, declined: LOOKS.finished,
};

const whyOf = data => (data.why || "").replace(/^by[_ ]/, "");

function lookOf(data) {
  switch (data.state) {
    case "running":
      if (data.heartbeat && data.heartbeat.suspicion >= LATE)
        return LOOKS.late;
      return data.kind === "worker" && data.abandoned > 0 ? LOOKS.abandoned
                                                          : LOOKS.running;
    case "stopped":
      return data.hold_reason ? LOOKS.held
                              : STOPPED[whyOf(data)] || LOOKS.stopped;
    case "starting": return LOOKS.starting;
    case "stopping": return LOOKS.stopping;
    case "backoff": return LOOKS.backoff;
    default: return LOOKS.unknown;
  }
}

const retryIn = (node, now) =>
  Math.max(0, node.data.next_retry_ms - (now - node.at));

function stateInWords(node, now) {
  const {data, look} = node;
  if (look === LOOKS.held)
    return `held: ${data.hold_reason}`;
  if (look === LOOKS.backoff && data.next_retry_ms != null)
    return `${data.parked ? "parked, " : ""}retry in ${
      inWords(retryIn(node, now))}`;
  if (data.state === "stopped" && look !== LOOKS.group && whyOf(data))
    return ["finished", "declined"].includes(whyOf(data))
      ? whyOf(data) : `stopped, ${whyOf(data)}`;
  return look.word;
}

// -- the tree, as a value -------------------------------------------------------

const tree = {
  nodes: new Map(), // by path
  root: null,
  counts: {},       // by key of the look
  problems: 0,
  about: {},        // the snapshot without its nodes
};

function add(data, parent, now, opened) {
  const node = {
    data, parent, path: data.path, children: [], at: now, look: null,
    depth: parent ? parent.depth + 1 : 0, open: opened(data.path),
    troubled: 0, // problems below
    index: -1, pos: 0, size: 0, hit: false,
  };
  tree.nodes.set(node.path, node);
  if (parent)
    parent.children.push(node);
  put(node, data, now);
  for (const child of data.children || [])
    add(child, node, now, opened);
  data.children = undefined;
  return node;
}

// New data for a node. Tells those above it, where that changes their badges.
function put(node, data, now, touched) {
  const before = node.look;
  node.data = data;
  node.at = now;
  node.look = lookOf(data);
  if (touched)
    touched.add(node);
  if (before !== node.look)
    recount(node, before, node.look, touched);
}

function recount(node, before, after, touched) {
  if (before)
    --tree.counts[before.key];
  if (after)
    tree.counts[after.key] = (tree.counts[after.key] || 0) + 1;
  const change = Number(after !== null && after.level >= PROBLEM)
               - Number(before !== null && before.level >= PROBLEM);
  if (change === 0)
    return;
  tree.problems += change;
  for (let above = node.parent; above; above = above.parent) {
    above.troubled += change;
    if (touched)
      touched.add(above);
  }
}

function replaceTree(snapshot) {
  const old = tree.nodes;
  const opened = path => !old.has(path) || old.get(path).open;
  Object.assign(tree, {nodes: new Map(), counts: {}, problems: 0});
  tree.root = add(snapshot.root, null, performance.now(), opened);
  snapshot.root = undefined;
  tree.about = snapshot;
}

function parentOf(path) {
  for (let end = path.lastIndexOf("/"); end > 0;
       end = path.lastIndexOf("/", end - 1))
    if (tree.nodes.has(path.slice(0, end)))
      return tree.nodes.get(path.slice(0, end));
  return null;
}

function remove(node, touched, closed) {
  for (const child of [...node.children])
    remove(child, touched, closed);
  if (!node.open)
    closed.add(node.path);
  recount(node, node.look, null, touched);
  tree.nodes.delete(node.path);
  touched.delete(node);
  if (node.parent)
    node.parent.children.splice(node.parent.children.indexOf(node), 1);
}

// Returns whose rows have to be drawn again, and whether lines came or went.
function applyDelta(delta) {
  const now = performance.now();
  const touched = new Set();
  const closed = new Set(); // what is moved comes again, and stays closed
  let reshaped = false;
  for (const path of delta.removed || []) {
    const node = tree.nodes.get(path);
    if (node && node !== tree.root) {
      remove(node, touched, closed);
      reshaped = true;
    }
  }
  for (const data of delta.changed || []) {
    const node = tree.nodes.get(data.path);
    if (node) {
      put(node, data, now, touched);
    } else if (parentOf(data.path)) {
      add(data, parentOf(data.path), now, path => !closed.has(path));
      reshaped = true;
    }
  }
  for (const key of ["version", "state", "when", "abandoned", "events"])
    if (delta[key] !== undefined)
      tree.about[key] = delta[key];
  return {touched, reshaped};
}

// -- a list of which only the visible part is in the document --------------------

class VirtualList {
  // make() gives {element, show(item, index), tick(now)}.
  constructor(viewport, canvas, make) {
    Object.assign(this, {viewport, canvas, make});
    this.items = [];
    this.rows = new Map(); // by item
    this.spare = [];
    this.kept = null; // stays in the document: it has the focus, perhaps
    viewport.addEventListener("scroll", eachFrame(() => this.render(false)),
                              {passive: true});
    new ResizeObserver(() => this.measure()).observe(viewport);
    this.measure();
  }

  measure() {
    const height = parseFloat(getComputedStyle(this.canvas)
                                .getPropertyValue("--row"));
    if (height !== this.height) {
      this.height = height;
      for (const row of this.rows.values())
        row.index = -1;
    }
    this.setItems(this.items);
  }

  setItems(items) {
    this.items = items;
    this.canvas.style.height = `${items.length * this.height}px`;
    this.render();
  }

  range() {
    const top = this.viewport.scrollTop;
    const extra = 6;
    return [Math.max(0, Math.floor(top / this.height) - extra),
            Math.min(this.items.length,
                     Math.ceil((top + this.viewport.clientHeight) / this.height)
                       + extra)];
  }

  // @param all  Or only what comes into sight.
  render(all = true) {
    const [first, last] = this.range();
    const wanted = new Map();
    for (let i = first; i < last; ++i)
      wanted.set(this.items[i], i);
    if (this.kept && this.items[this.kept.index] === this.kept)
      wanted.set(this.kept, this.kept.index);
    for (const [item, row] of this.rows)
      if (!wanted.has(item)) {
        this.rows.delete(item);
        row.element.remove(); // or `sort` would move all the others
        this.spare.push(row);
      }
    for (const [item, index] of wanted)
      this.place(item, index, all);
    this.spare.length = 0;
    this.sort(wanted);
  }

  place(item, index, all) {
    let row = this.rows.get(item);
    if (!row) {
      row = this.spare.pop() || this.make();
      this.rows.set(item, row);
      row.index = -1;
    }
    const moves = row.index !== index;
    if (moves) {
      row.index = index;
      row.element.style.transform = `translateY(${index * this.height}px)`;
    }
    if (moves || all)
      row.show(item, index);
  }

  // Who reads the document line by line wants them in order.
  sort(wanted) {
    const focused = document.activeElement;
    const order = [...wanted].sort((a, b) => a[1] - b[1]);
    let next = this.canvas.firstElementChild;
    for (const [item] of order) {
      const element = this.rows.get(item).element;
      if (element === next)
        next = next.nextElementSibling;
      else
        this.canvas.insertBefore(element, next);
    }
    if (focused !== document.activeElement && focused.isConnected)
      focused.focus({preventScroll: true});
  }

  refresh(items) {
    for (const item of items) {
      const row = this.rows.get(item);
      if (row)
        row.show(item, row.index);
    }
  }

  tick(now) {
    for (const row of this.rows.values())
      row.tick(now);
  }

  reveal(index, room = 0) {
    const top = index * this.height;
    const {scrollTop, clientHeight} = this.viewport;
    if (top < scrollTop)
      this.viewport.scrollTop = top;
    else if (top + this.height + room > scrollTop + clientHeight)
      this.viewport.scrollTop = top + this.height + room - clientHeight;
    this.render(false);
  }
}

// -- rows of the tree -------------------------------------------------------------

class TreeRow {
  constructor() {
    this.element = make("div", "row");
    this.element.setAttribute("role", "treeitem");
    this.name = make("span", "name");
    this.twist = makeIcon("open");
    this.twist.setAttribute("class", "icon twist");
    this.id = make("span", "id");
    this.note = make("span", "note");
    this.inside = make("span", "inside");
    this.name.append(this.twist, this.id, this.note, this.inside);
    this.state = make("span", "state");
    this.icon = makeIcon("unknown");
    this.word = make("span", "word");
    this.state.append(this.icon, this.word);
    this.beat = makeMeter("beat");
    this.life = make("span", "life");
    this.restarts = makeMeter("restarts");
    this.restarts.window = make("span", "quiet");
    this.restarts.text.before(this.restarts.window);
    this.restarts.bar.parentElement.classList.add("small");
    this.failure = make("span", "failure");
    this.element.append(this.name, this.state, this.beat.element, this.life,
                        this.restarts.element, this.failure);
    // The row says it all in one sentence; its parts would only repeat it.
    for (const part of this.element.children)
      part.setAttribute("aria-hidden", "true");
  }

  show(node) {
    const {element} = this;
    this.node = node;
    element.node = node;
    set(element, "data-path", node.path);
    set(element, "data-kind", node.data.kind);
    set(element, "data-state", node.look.key);
    set(element, "data-tone", node.look.tone);
    set(element, "aria-level", String(node.depth + 1));
    set(element, "aria-posinset", String(node.pos));
    set(element, "aria-setsize", String(node.size));
    set(element, "aria-selected", String(node === view.selected));
    set(element, "tabindex", node === view.active ? "0" : "-1");
    if (node.children.length > 0)
      set(element, "aria-expanded", String(isOpen(node)));
    else
      drop(element, "aria-expanded");
    set(element, "aria-label", sentence(node));
    this.showName(node);
    setIcon(this.icon, node.look.icon);
    setClass(this.state, `state tone-${node.look.tone}`);
    setText(this.life, `#${node.data.incarnation}`);
    showRestarts(this.restarts, node.data);
    setText(this.failure, brief(node.data.last_failure));
    this.tick(performance.now());
  }

  showName(node) {
    const {data} = node;
    this.element.style.setProperty("--depth", node.depth);
    setText(this.id, data.id || data.path);
    const closed = node.children.length > 0 && !isOpen(node);
    setText(this.note, [
      closed ? node.children.length.toLocaleString("en") : "",
      data.abandoned > 0 ? `${data.abandoned} abandoned` : "",
    ].filter(Boolean).join(", "));
    setText(this.inside,
            closed && node.troubled ? `${node.troubled} not well` : "");
  }

  tick(now) {
    setText(this.word, stateInWords(this.node, now));
    showBeat(this.beat, this.node, now);
  }
}

function makeMeter(className) {
  const element = make("span", className);
  const meter = make("span", "meter");
  const bar = make("i");
  const text = make("span");
  meter.append(bar);
  element.append(meter, text);
  return {element, meter, bar, text};
}

function showMeter(meter, share, tone) {
  meter.meter.hidden = share === null;
  if (share === null)
    return;
  meter.bar.style.transform = `scaleX(${Math.min(1, share).toFixed(3)})`;
  set(meter.meter, "data-tone", tone);
}

const toneOf = share => share >= 1 ? "bad" : share >= LATE ? "warn" : "ok";

// A beat in time is no news: the observer sends an age again when it has passed
// a second, or two, four, eight, or has come back. So it ticks on by itself, up
// to there; after that it is known to be less.
const AGE_NEWS = 1000;
const SLACK = 1500; // until the next delta is here

function ageLimit(age) {
  let limit = AGE_NEWS;
  while (limit <= age)
    limit *= 2;
  return limit;
}

function beatAge(node, now) {
  const age = node.data.heartbeat.age_ms;
  const limit = ageLimit(age);
  const ticked = age + (connection.isLive ? now - node.at : 0);
  const exact = ticked <= limit + (age < AGE_NEWS ? 0 : SLACK);
  return {age: exact ? ticked : limit, exact, grows: age >= AGE_NEWS};
}

const hasBeat = ({data}) =>
  data.heartbeat && data.state !== "stopped" && data.state !== "backoff";

function beatInWords(node, now) {
  if (!hasBeat(node))
    return "";
  const {phase, limit_ms} = node.data.heartbeat;
  const {age, exact} = beatAge(node, now);
  return (phase && phase !== "busy" ? `${phase} ` : "")
    + (exact ? "" : "< ") + inWords(age)
    + (limit_ms == null ? "" : ` of ${inWords(limit_ms)}`);
}

function beatShare(node, now) {
  if (!hasBeat(node) || node.data.heartbeat.limit_ms == null)
    return null;
  const {age, exact, grows} = beatAge(node, now);
  return exact && grows ? age / node.data.heartbeat.limit_ms
                        : node.data.heartbeat.suspicion;
}

function showBeat(meter, node, now) {
  setText(meter.text, beatInWords(node, now));
  const share = beatShare(node, now);
  showMeter(meter, share, share === null ? "ok" : toneOf(share));
}

function showRestarts(meter, data) {
  const max = data.limits && data.limits.restarts_max;
  const share = max ? data.restarts_in_window / max : null;
  showMeter(meter, share, share === null ? "ok" : toneOf(share));
  setText(meter.window, max ? `${data.restarts_in_window}/${max}` : "");
  setText(meter.text, data.restarts.toLocaleString("en"));
  set(meter.element, "title", windowInWords(data));
}

function windowInWords(data) {
  const limits = data.limits;
  if (!limits)
    return data.restarts_in_window ? `${data.restarts_in_window} in the window`
                                   : "";
  const of = limits.restarts_max == null ? "" : ` of ${limits.restarts_max}`;
  const within = limits.window_ms == null ? "ever" : inWords(limits.window_ms);
  return `${data.restarts_in_window || 0}${of} in ${within}`;
}

// Without what ticks: a reader would never come to its end.
function sentence(node) {
  const {data, look} = node;
  return [
    data.id || data.path, data.kind,
    look === LOOKS.held ? `held: ${data.hold_reason}` : look.word,
    `life ${data.incarnation}`, plural(data.restarts, "restart", "restarts"),
    node.troubled ? `${node.troubled} not well inside` : "",
  ].filter(Boolean).join(", ");
}

// -- the tree, as it is seen --------------------------------------------------------

const view = {
  active: null,   // has the tab stop
  selected: null, // is in the details
  text: "", notWell: false, states: new Set(),
  typed: "", typedAt: 0,
};

const isFiltered = () =>
  view.text !== "" || view.notWell || view.states.size > 0;
const isOpen = node => isFiltered() || node.open;

const list = new VirtualList($("tree-viewport"), $("tree"),
                             () => new TreeRow());

function matches(node) {
  return (!view.notWell || node.look.level > 0)
    && (view.states.size === 0 || view.states.has(node.look.key))
    && (view.text === "" || node.path.toLowerCase().includes(view.text));
}

// Is it shown, for its own sake or for what is below it?
function mark(node) {
  node.hit = matches(node);
  for (const child of node.children)
    if (mark(child))
      node.hit = true;
  return node.hit;
}

function flatten(node, pos, size, filtered, lines) {
  Object.assign(node, {pos, size, index: lines.length});
  lines.push(node);
  if (!filtered && !node.open)
    return;
  const shown = filtered ? node.children.filter(x => x.hit) : node.children;
  shown.forEach((child, i) =>
    flatten(child, i + 1, shown.length, filtered, lines));
}

function rebuild() {
  const lines = [];
  const filtered = isFiltered();
  for (const node of list.items)
    node.index = -1;
  if (tree.root && (!filtered || mark(tree.root)))
    flatten(tree.root, 1, 1, filtered, lines);
  if (!view.active || view.active.index < 0)
    activate(nearestShown(view.active) || lines[0] || null);
  list.setItems(lines);
  $("empty").hidden = lines.length > 0;
  setText($("empty"), !tree.root ? "Waiting for the tree."
    : view.notWell && !view.text ? "All is well." : "Nothing matches.");
  const hits = filtered ? lines.filter(matches).length : 0;
  setText($("shown"), filtered
    ? `${hits.toLocaleString("en")} of ${tree.nodes.size.toLocaleString("en")}`
    : `${tree.nodes.size.toLocaleString("en")} in the tree`);
}

function nearestShown(node) {
  while (node && (node.index < 0 || tree.nodes.get(node.path) !== node))
    node = node.parent;
  return node;
}

function activate(node) {
  const before = view.active;
  view.active = node;
  list.kept = node;
  list.refresh([before, node].filter(Boolean));
}

function goTo(node) {
  if (!node)
    return;
  activate(node);
  list.reveal(node.index, $("tree-viewport").querySelector(".head").offsetHeight);
  list.rows.get(node).element.focus({preventScroll: true});
}

function toggle(node, open) {
  if (node.children.length === 0 || isFiltered() || node.open === open)
    return;
  node.open = open;
  rebuild();
}

// Opens what is above it, and takes filters away that hide it.
function showPath(path) {
  const node = tree.nodes.get(path);
  if (!node)
    return say(`${path} is no longer in the tree.`);
  for (let above = node.parent; above; above = above.parent)
    above.open = true;
  if (isFiltered() && !node.hit)
    clearFilters();
  rebuild();
  choose(node);
  list.reveal(node.index);
  activate(node);
}

const KEYS = {
  ArrowDown: () => goTo(list.items[view.active.index + 1]),
  ArrowUp: () => goTo(list.items[view.active.index - 1]),
  Home: () => goTo(list.items[0]),
  End: () => goTo(list.items[list.items.length - 1]),
  PageDown: () => goTo(list.items[Math.min(list.items.length - 1,
                                           view.active.index + pageOf(list))]),
  PageUp: () => goTo(list.items[Math.max(0, view.active.index - pageOf(list))]),
  ArrowRight: node => isOpen(node) || node.children.length === 0
    ? node.children.length && goTo(list.items[node.index + 1])
    : toggle(node, true),
  ArrowLeft: node => node.children.length > 0 && node.open && !isFiltered()
    ? toggle(node, false) : goTo(node.parent),
  Enter: node => choose(node, true),
  " ": node => choose(node, true),
  "*": node => {
    for (const sibling of node.parent ? node.parent.children : [node])
      sibling.open = true;
    rebuild();
  },
};
const pageOf = x =>
  Math.max(1, Math.floor(x.viewport.clientHeight / x.height) - 2);

function onTreeKey(event) {
  if (!view.active || event.ctrlKey || event.altKey || event.metaKey)
    return;
  if (KEYS[event.key])
    KEYS[event.key](view.active);
  else if (event.key.length === 1 && event.key !== "/")
    typeAhead(event.key.toLowerCase());
  else
    return;
  event.preventDefault();
}

// The next line whose id begins so; the same letter again goes on.
function typeAhead(letter) {
  const now = performance.now();
  const goesOn = now - view.typedAt < 700;
  view.typed = goesOn && view.typed !== letter ? view.typed + letter : letter;
  view.typedAt = now;
  const start = view.active.index + (view.typed.length === 1 ? 1 : 0);
  for (let i = 0; i < list.items.length; ++i) {
    const node = list.items[(start + i) % list.items.length];
    if ((node.data.id || "").toLowerCase().startsWith(view.typed))
      return goTo(node);
  }
}

function onTreeClick(event) {
  const row = event.target.closest(".row");
  if (!row)
    return;
  goTo(row.node);
  if (event.target.closest(".twist"))
    toggle(row.node, !row.node.open);
  else
    choose(row.node);
}

function setAllOpen(open) {
  for (const node of tree.nodes.values())
    node.open = open || node === tree.root;
  rebuild();
}

// -- the header -----------------------------------------------------------------------

function buildCounts() {
  for (const look of Object.values(LOOKS)) {
    const button = make("button");
    button.type = "button";
    button.dataset.key = look.key;
    button.append(makeIcon(look.icon), make("b"), make("span", "", look.word));
    button.firstElementChild.classList.add(`tone-${look.tone}`);
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      if (!view.states.delete(look.key))
        view.states.add(look.key);
      drawHeader();
      rebuild();
    });
    $("counts").append(button);
  }
}

function drawHeader() {
  for (const button of $("counts").children) {
    const count = tree.counts[button.dataset.key] || 0;
    const pressed = view.states.has(button.dataset.key);
    button.hidden = count === 0 && !pressed;
    set(button, "aria-pressed", String(pressed));
    setText(button.children[1], count.toLocaleString("en"));
  }
  const {name, state, version} = tree.about;
  setText($("name"), name || "coppice");
  setText($("tree-state"), state && state !== "running" ? state : "");
  setText($("version"), version ? `version ${version}` : "");
  setText($("not-well-count"), tree.problems.toLocaleString("en"));
  document.title = (tree.problems ? `(${tree.problems}) ` : "")
                 + `${name || "tree"} · coppice`;
}

function clearFilters() {
  Object.assign(view, {text: "", notWell: false});
  view.states.clear();
  $("filter").value = "";
  set($("not-well"), "aria-pressed", "false");
  drawHeader();
  rebuild();
}

// -- details of one child ----------------------------------------------------------------

const details = {failure: null};

function choose(node, moveFocus) {
  const before = view.selected;
  view.selected = node;
  list.refresh([before, node].filter(Boolean));
  if (before !== node)
    closeReport();
  $("details").hidden = !node;
  if (!node)
    return;
  drawDetails();
  drawDetailsEvents();
  if (moveFocus)
    $("details-name").focus();
}

function closeDetails() {
  choose(null);
  goTo(nearestShown(view.active));
}

function drawDetails() {
  const node = view.selected;
  if (!node)
    return;
  const {data, look} = node;
  set($("details-icon"), "href", `#i-${look.icon}`);
  setClass($("details-icon").parentElement, `icon tone-${look.tone}`);
  setText($("details-name"), data.id || data.path);
  setText($("details-path"), data.path);
  drawActions(node);
  drawFacts(node);
  drawFailure(data.last_failure);
}

function drawFacts(node) {
  const now = performance.now();
  const {data} = node;
  const facts = [
    ["State", stateInWords(node, now), "state"],
    ["Kind", data.strategy ? `${data.kind}, ${data.strategy}` : data.kind],
    ["Restart", data.restart],
    ["Life", `#${data.incarnation}`],
    ["Restarts", `${data.restarts.toLocaleString("en")} in total`],
    ["In window", windowInWords(data)],
    ["Heartbeat", beatInWords(node, now), "beat"],
    ["Suspicion", data.heartbeat && data.heartbeat.suspicion > 0
      ? `${data.heartbeat.suspicion.toFixed(2)} (verdict at 1)` : ""],
    ["Held because", data.hold_reason],
    ["Abandoned", data.abandoned ? plural(data.abandoned, "life", "lives") : ""],
    ["Children", node.children.length
      ? node.children.length.toLocaleString("en") : ""],
    ["Not well inside", node.troubled ? String(node.troubled) : ""],
  ];
  $("facts").replaceChildren(...facts.flatMap(([name, value, tick]) => {
    if (!value)
      return [];
    const fact = make("dd", "", value);
    if (tick)
      fact.dataset.tick = tick;
    return [make("dt", "", name), fact];
  }));
}

function tickDetails(now) {
  if (!view.selected)
    return;
  for (const fact of $("facts").querySelectorAll("[data-tick]"))
    setText(fact, fact.dataset.tick === "beat"
      ? beatInWords(view.selected, now) : stateInWords(view.selected, now));
}

function drawFailure(failure) {
  $("failure").hidden = !failure;
  if (!failure)
    return;
  if (details.failure !== failure.id)
    closeReport();
  details.failure = failure.id;
  setText($("failure-line"), failure.line);
  setText($("failure-when"),
          [failure.class, clock(failure.when), failure.id].filter(Boolean)
            .join(" · "));
}

function closeReport() {
  set($("failure-open"), "aria-expanded", "false");
  setText($("failure-open"), "Full report");
  $("failure-report").hidden = true;
}

async function openReport() {
  if ($("failure-open").getAttribute("aria-expanded") === "true")
    return closeReport();
  const {path} = view.selected;
  try {
    const answer = await ask(`api/failure?path=${encodeURIComponent(path)}`);
    if (!view.selected || view.selected.path !== path)
      return;
    setText($("failure-report"), answer.text);
    $("failure-report").hidden = false;
    set($("failure-open"), "aria-expanded", "true");
    setText($("failure-open"), "Hide the report");
  } catch (error) {
    complain(`The report of ${path}`, error);
  }
}

// -- commands ---------------------------------------------------------------------------------

const ACTIONS = [
  {action: "stop", word: "Stop…", question: "Stop",
   text: "It stays stopped until it is started again; no group restart revives it.",
   can: data => data.state !== "stopped"},
  {action: "start", word: "Start", can: data => data.state === "stopped"},
  {action: "restart", word: "Restart…", question: "Restart",
   text: "It is stopped in order, and started again. That costs no budget.",
   can: data => data.state !== "stopping"},
  {action: "retry", word: "Retry now", can: data => data.state === "backoff"},
  {action: "hold", word: "Hold…", question: "Hold", asks: "Reason", must: true,
   text: "It is stopped, and everybody sees why, until it is started again.",
   can: data => !data.hold_reason},
];

function buildActions() {
  for (const entry of ACTIONS) {
    const button = make("button", "", entry.word);
    button.type = "button";
    button.dataset.action = entry.action;
    button.addEventListener("click", () => act(entry, view.selected));
    $("actions").append(button);
  }
}

function drawActions(node) {
  $("actions").hidden = !node.parent; // the root is its program's to stop
  ACTIONS.forEach((entry, i) => {
    $("actions").children[i].disabled = !entry.can(node.data);
  });
}

async function act(entry, node) {
  let reason = "";
  if (entry.question) {
    const below = node.children.length;
    reason = await inquire({
      title: `${entry.question} ${node.path}?`,
      text: (below ? `With its ${plural(below, "child", "children")}. ` : "")
            + entry.text,
      label: entry.asks, must: entry.must, ok: entry.question,
    });
    if (reason === null)
      return;
  }
  const what = `${entry.action} ${node.path}`;
  const answer = await post("api/ctl", what,
                            {action: entry.action, path: node.path, reason});
  if (answer)
    say(`${what}: done.`);
}

async function reload() {
  const answer = await post("api/reload", "Reload", {});
  if (!answer)
    return;
  const changes = answer.changes || [];
  say(`Reload: version ${answer.version} is in force.`);
  showResult(`Version ${answer.version} is in force: ${
    plural(changes.length, "change", "changes")}`,
             changes.map(changeInWords).join("\n") || "Nothing differs.");
  if (answer.version) {
    tree.about.version = answer.version;
    drawHeader();
  }
}

function changeInWords(change) {
  const value = x => typeof x === "string" ? x : JSON.stringify(x);
  let line = `${change.kind} ${change.path}`;
  if (change.field)
    line += ` ${change.field}: ${value(change.before)} → ${value(change.after)}`;
  return line;
}

// -- requests, and the token that changes need ---------------------------------------------------

const token = {
  get: () => sessionStorage.getItem("coppice.token") || "",
  set: value => sessionStorage.setItem("coppice.token", value),
  forget: () => sessionStorage.removeItem("coppice.token"),
};

class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `status ${status}`);
    Object.assign(this, {status, problem});
  }
}

const authorised = () =>
  token.get() ? {Authorization: `Bearer ${token.get()}`} : {};

async function ask(url, options = {}) {
  const response = await fetch(url, {
    ...options, cache: "no-store",
    headers: {...options.headers, ...authorised()},
  });
  const body = await response.json().catch(() => ({}));
  if (!response.ok)
    throw new Refused(response.status, body);
  return body;
}

async function post(url, what, body) {
  if (!token.get() && !await inquireToken())
    return null;
  say(`${what} …`);
  try {
    return await ask(url, {
      method: "POST", headers: {"Content-Type": "application/json"},
      body: JSON.stringify(body),
    }) || {};
  } catch (error) {
    complain(what, error);
    return null;
  }
}

async function inquireToken(why) {
  const given = await inquire({
    title: "Token", ok: "Use it", label: "Token", must: true, secret: true,
    text: why || "What changes the tree needs the token of its program. It is "
      + "kept in this tab until the tab is closed.",
  });
  if (given)
    token.set(given);
  return given;
}

const isAboutToken = ({status, problem}) =>
  status === 401 || status === 403 && /token/i.test(problem.title);

function complain(what, error) {
  const {status, message} = error;
  const title = status ? error.problem.title || "Refused" : "";
  if (isAboutToken(error)) {
    token.forget();
    say(`${what}: the token was refused (${status}). ${message}`, "bad");
  } else if (status === 403) {
    say(`${what}: ${title} (${status}). ${message}`, "bad");
  } else if (status) {
    say(`${what}: ${title} (${status})`, "bad");
    showResult(`${what}: not done`, message);
  } else {
    say(`${what}: the observer cannot be reached. ${message}`, "bad");
  }
}

// A question in a dialog, with something to fill in where there is a label.
// The answer, or null if there is none.
function inquire({title, text, label, ok, must, secret}) {
  const dialog = $("ask");
  const input = $("ask-input");
  if (dialog.open) // one question at a time
    return Promise.resolve(null);
  setText($("ask-title"), title);
  setText($("ask-text"), text);
  setText($("ask-label"), label || "");
  input.hidden = !label;
  setText($("ask-ok"), ok);
  Object.assign(input, {
    value: "", required: Boolean(must), type: secret ? "password" : "text",
    maxLength: 500,
  });
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise(resolve => {
    dialog.addEventListener("close", () => resolve(
      dialog.returnValue === "ok" ? input.value.trim() : null), {once: true});
  });
}

function showResult(title, text) {
  setText($("result-title"), title);
  setText($("result-text"), text);
  if (!$("result").open)
    $("result").showModal();
}

let messageTimer = 0;
function say(text, tone = "ok") {
  clearTimeout(messageTimer);
  setText($("message-text"), text);
  set($("message"), "data-tone", tone);
  $("message").hidden = false;
  if (tone === "ok")
    messageTimer = setTimeout(() => $("message").hidden = true, 8000);
}

// -- events -------------------------------------------------------------------------------------------

const EVENTS_MAX = 1000;
const TONES = {
  failed: "bad", stalled: "bad", gave_up: "bad", abandoned: "bad",
  budget_spent: "bad", pool_stuck: "bad", backing_off: "warn",
  restarting: "warn", beat_late: "warn", watcher_late: "warn", paused: "warn",
  late_news: "warn", late_reply: "warn", message_ignored: "warn", ready: "ok",
  resumed: "ok", pool_free: "ok", abandoned_ended: "ok", started: "busy",
  reloaded: "busy",
};
const TONE_ICONS = {bad: "failed", warn: "late", ok: "finished",
                    busy: "starting", off: "event"};
const KIND_ICONS = {restarting: "backoff", backing_off: "backoff",
                    stopped: "stopped", reloaded: "backoff"};
const ANNOUNCED = new Set(["failed", "stalled", "gave_up", "abandoned",
                           "pool_stuck"]);

const log = {
  lines: [],   // the latest last
  last: 0,     // number
  missed: 0,
  fresh: 0,    // since the view was drawn
  paused: false,
  kind: "",
  kinds: new Set(),
};

class EventRow {
  constructor() {
    this.element = make("div", "event");
    this.time = make("time");
    this.kind = make("span", "kind");
    this.icon = makeIcon("event");
    this.word = make("span");
    this.kind.append(this.icon, this.word);
    this.where = make("span", "where");
    this.what = make("span", "what");
    this.element.append(this.time, this.kind, this.where, this.what);
  }

  show(line) {
    const tone = toneOfEvent(line);
    this.element.line = line;
    setText(this.time, clock(line.when));
    setClass(this.kind, `kind tone-${tone}`);
    setIcon(this.icon, KIND_ICONS[line.kind] || TONE_ICONS[tone]);
    setText(this.word, line.kind.replaceAll("_", " "));
    setText(this.where, whereOf(line));
    const what = eventInWords(line);
    setText(this.what, what);
    set(this.what, "title", what);
  }

  tick() {}
}

const toneOfEvent = line => TONES[line.kind] || "off";
const whereOf = line =>
  (line.path || "(tree)") + (line.incarnation ? `#${line.incarnation}` : "");

// What follows from a failure comes right after it, and need not repeat it.
const CONSEQUENCES = new Set(["restarting", "backing_off", "started", "ready"]);

// Without where it was: that stands beside it.
const brief = failure => failure
  ? failure.line.replace(/^\S+ in \/\S*#\d+: /, "") : "";

function eventInWords(line) {
  return [
    line.cause || "", (line.why || "").replaceAll("_", " "),
    line.span_ms ? inWords(line.span_ms) : "",
    line.attempts ? plural(line.attempts, "attempt", "attempts") : "",
    line.suspicion ? `suspicion ${line.suspicion.toFixed(2)}` : "",
    line.kind === "reloaded" && line.version ? `version ${line.version}` : "",
    CONSEQUENCES.has(line.kind) ? "" : brief(line.failure),
  ].filter(Boolean).join(" · ");
}

const eventList = new VirtualList($("events-panel"), $("events"),
                                  () => new EventRow());

function onEvent(line) {
  line.kind = (line.kind || "").replaceAll(" ", "_");
  if (log.last && line.number > log.last + 1)
    log.missed += line.number - log.last - 1;
  if (line.number <= log.last)
    return;
  log.last = line.number || log.last;
  log.lines.push(line);
  if (log.lines.length > EVENTS_MAX)
    log.lines.shift();
  ++log.fresh;
  if (!log.kinds.has(line.kind))
    offerKind(line.kind);
  if (ANNOUNCED.has(line.kind))
    announce(line);
  if (line.version && tree.about.version
      && line.version > tree.about.version) {
    tree.about.version = line.version;
    drawHeader();
  }
  drawEventsSoon();
}

function offerKind(kind) {
  log.kinds.add(kind);
  const option = make("option", "", kind.replaceAll("_", " "));
  option.value = kind;
  const select = $("event-kind");
  const after = [...select.options].slice(2)
    .find(x => x.value.localeCompare(kind) > 0);
  select.insertBefore(option, after || null);
}

const isShown = line => log.kind === "" || log.kind === line.kind
  || log.kind === "*" && ["bad", "warn"].includes(toneOfEvent(line));

function drawEvents() {
  const missed = log.missed ? `, ${log.missed.toLocaleString("en")} missed` : "";
  setText($("event-count"), log.paused
    ? `${log.fresh.toLocaleString("en")} more since${missed}`
    : `${log.lines.length.toLocaleString("en")} of the latest${missed}`);
  drawDetailsEvents();
  if (log.paused)
    return;
  log.fresh = 0;
  const first = eventList.items[0];
  const lines = log.lines.filter(isShown).reverse();
  // Who reads further down is not to be pushed away.
  const {viewport, height} = eventList;
  const reads = viewport.scrollTop > 0 ? Math.max(0, lines.indexOf(first)) : 0;
  eventList.setItems(lines);
  $("no-events").hidden = lines.length > 0;
  if (reads > 0)
    viewport.scrollTop += reads * height;
}
const drawEventsSoon = eachFrame(drawEvents);

function drawDetailsEvents() {
  const node = view.selected;
  if (!node)
    return;
  const below = node.path + "/";
  const lines = log.lines
    .filter(x => x.path === node.path || x.path && x.path.startsWith(below))
    .slice(-40).reverse();
  $("details-no-events").hidden = lines.length > 0;
  $("details-events").replaceChildren(...lines.map(line => {
    const item = make("li");
    const words = make("span");
    const kind = make("b", `tone-${toneOfEvent(line)}`,
                      line.kind.replaceAll("_", " "));
    const where = line.path === node.path
      ? `#${line.incarnation}` : whereOf(line).slice(below.length);
    words.append(kind, ` ${where} ${eventInWords(line)}`);
    item.append(make("time", "", clock(line.when)), words);
    return item;
  }));
}

// For screen readers: the first of a burst, and how many more there were.
const spoken = {lines: [], timer: 0};
function announce(line) {
  spoken.lines.push(line);
  spoken.timer = spoken.timer || setTimeout(() => {
    const [first, ...others] = spoken.lines.splice(0);
    spoken.timer = 0;
    $("live").textContent = `${first.path} ${first.kind.replaceAll("_", " ")}: ${
      brief(first.failure) || first.cause || ""}`
      + (others.length ? `. And ${others.length} more.` : "");
  }, 1200);
}

// -- figures of pools and replicators -------------------------------------------------------------------

// {"pools": [{...}], "replicators": [{...}]}: whatever numbers they have, a
// column each; lists of parts, such as members, become tables of their own.
function drawFigures(figures) {
  const panel = $("figures-panel");
  const {scrollTop, scrollLeft} = panel;
  const sets = make("div", "sets");
  for (const [title, things] of Object.entries(figures))
    if (Array.isArray(things) && things.length > 0)
      addTables(sets, title, things);
  if (sets.children.length > 0)
    panel.replaceChildren(sets);
  Object.assign(panel, {scrollTop, scrollLeft});
}

function addTables(sets, title, things) {
  const flat = things.map(x => flattenFigures(x));
  const names = things.map((x, i) => x.name || x.path || `${title} ${i + 1}`);
  const keys = [...new Set(flat.flatMap(x => Object.keys(x)))];
  sets.append(makeTable(title, names, keys.map(
    key => [key.replaceAll("_", " "), ...flat.map(x => figure(key, x[key]))])));
  things.forEach((thing, i) => {
    for (const [key, parts] of Object.entries(thing))
      if (Array.isArray(parts) && parts.length && typeof parts[0] === "object")
        sets.append(makePartsTable(`${names[i]}: ${key}`, parts));
  });
}

function makePartsTable(title, parts) {
  const flat = parts.slice(0, 100).map(x => flattenFigures(x, true));
  const keys = [...new Set(flat.flatMap(x => Object.keys(x)))];
  return makeTable(title, keys.map(x => x.replaceAll("_", " ")),
                   flat.map((x, i) => [
                     String(i + 1), ...keys.map(k => figure(k, x[k]))]));
}

function flattenFigures(thing, named, prefix = "", into = {}) {
  for (const [key, value] of Object.entries(thing || {})) {
    if (value !== null && typeof value === "object") {
      if (!Array.isArray(value))
        flattenFigures(value, true, `${prefix}${key}.`, into);
    } else if (named || key !== "name") {
      into[prefix + key] = value;
    }
  }
  return into;
}

function figure(key, value) {
  if (value == null)
    return "–";
  if (typeof value !== "number")
    return String(value === true ? "yes" : value === false ? "no" : value);
  if (key.endsWith("_ms"))
    return value < 10 ? `${value.toFixed(2)} ms` : inWords(value);
  return Number.isInteger(value) ? value.toLocaleString("en") : value.toFixed(3);
}

function makeTable(title, columns, lines) {
  const set = make("div");
  const table = make("table");
  const head = table.createTHead().insertRow();
  head.append(make("th"), ...columns.map(x => make("th", "", x)));
  for (const cell of head.cells)
    cell.scope = "col";
  const body = table.createTBody();
  for (const [name, ...values] of lines) {
    const line = body.insertRow();
    const heading = make("th", "", name);
    heading.scope = "row";
    line.append(heading, ...values.map(x => make("td", "", x)));
  }
  table.setAttribute("aria-label", title);
  set.append(make("h3", "", title), table);
  return set;
}

// -- the stream of news -------------------------------------------------------------------------------------

// By fetch and not by EventSource: that cannot send the token as a header, and
// does not tell a refusal from a cut wire.
const connection = {
  isLive: false, attempts: 0, heard: 0, heardAt: null, due: 0, abort: null,
  state: "connecting",
  patience: 20000, // grows: how often there is news is the observer's to say
};
const RETRY_MAX = 10000;

const HANDLERS = {
  tree: onTree, delta: onDelta, event: onEvent, figures: drawFigures,
};

async function connect() {
  connection.due = 0;
  connection.abort = new AbortController();
  setConnection("connecting");
  try {
    const response = await fetch(`api/events?after=${log.last}`, {
      headers: {Accept: "text/event-stream", ...authorised()},
      cache: "no-store", signal: connection.abort.signal,
    });
    if (!response.ok)
      throw new Refused(response.status,
                        await response.json().catch(() => ({})));
    await readStream(response.body.getReader());
    lost("the observer ended the connection");
  } catch (error) {
    if (isAboutToken(error))
      return refusedToLook(error);
    if (error.name !== "AbortError" && error.name !== "TypeError")
      console.error(error);
    lost(error.status ? error.message : "the observer cannot be reached");
  }
}

async function readStream(reader) {
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const {done, value} = await reader.read();
    if (done)
      return;
    connection.heard = performance.now();
    connection.heardAt = new Date();
    const text = decoder.decode(value, {stream: true});
    // The blank line may be split between two pieces.
    let from = Math.max(0, rest.length - 3);
    rest += text.includes("\r") ? text.replaceAll("\r", "") : text;
    let end;
    let begin = 0;
    while ((end = rest.indexOf("\n\n", Math.max(begin, from))) >= 0) {
      dispatch(rest.slice(begin, end));
      begin = end + 2;
    }
    rest = rest.slice(begin);
  }
}

function dispatch(block) {
  let kind = "message";
  const data = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event:"))
      kind = line.slice(6).trim();
    else if (line.startsWith("data:"))
      data.push(line.slice(line[5] === " " ? 6 : 5));
  }
  if (data.length > 0 && HANDLERS[kind])
    HANDLERS[kind](JSON.parse(data.join("\n")));
}

function onTree(snapshot) {
  const start = performance.now();
  if (snapshot.events && snapshot.events.last < log.last)
    log.last = 0; // another run of the program: its numbers begin anew
  const active = view.active && view.active.path;
  const selected = view.selected && view.selected.path;
  replaceTree(snapshot);
  connection.attempts = 0;
  connection.isLive = true;
  view.active = tree.nodes.get(active) || null;
  rebuild();
  drawHeader();
  choose(tree.nodes.get(selected) || null);
  setConnection("live");
  noteTime("tree", start);
}

function onDelta(delta) {
  if (!tree.root)
    return;
  const start = performance.now();
  const {touched, reshaped} = applyDelta(delta);
  if (reshaped || isFiltered())
    rebuild();
  list.refresh(touched);
  drawHeader();
  const {selected} = view;
  const now = selected && tree.nodes.get(selected.path);
  if (selected && now !== selected)
    choose(now || null);
  else if (touched.has(selected))
    drawDetails();
  noteTime("delta", start);
}

// For whoever wants to know what this page costs, tests among them.
const timing = {};
function noteTime(what, start) {
  timing[what] = performance.now() - start;
  timing[`${what}s`] = (timing[`${what}s`] || 0) + 1;
}

function setConnection(state) {
  connection.state = state;
  connection.isLive = state === "live";
  set($("connection"), "data-state", state);
  setText($("connection"), state === "lost" ? "not connected" : state);
  $("tree").classList.toggle("stale", state === "lost");
  drawBanner();
}

function lost(why) {
  const delay = Math.min(RETRY_MAX, 500 * 2 ** connection.attempts)
              * (0.75 + Math.random() / 2);
  ++connection.attempts;
  connection.why = why;
  connection.due = performance.now() + delay;
  setConnection("lost");
}

function drawBanner() {
  const ended = tree.about.state === "ended";
  const stale = connection.state !== "live" && connection.attempts > 0;
  $("banner").hidden = !stale && !ended;
  $("banner-retry").hidden = !stale;
  if (!stale)
    return setText($("banner-text"), "The tree has ended.");
  const wait = Math.max(0, connection.due - performance.now());
  setText($("banner-text"), (connection.heardAt
    ? `Stale since ${connection.heardAt.toLocaleTimeString("en-GB")}` : "No news yet")
    + `: ${connection.why}. ${connection.due
      ? `Next attempt in ${Math.ceil(wait / 1000)} s.` : "Connecting …"}`);
}

function retryNow() {
  if (connection.due)
    connect();
}

async function refusedToLook(error) {
  token.forget();
  connection.attempts = 1;
  connection.why = "this observer shows nothing without its token";
  setConnection("lost");
  const given = await inquireToken(
    `This observer needs its token even for looking (${error.status}). ${
      error.message}`);
  if (given)
    connect();
  else
    lost("it shows nothing without its token");
}

// -- the rest of the page ---------------------------------------------------------------------------------------

const THEMES = {"": "Auto", light: "Light", dark: "Dark"};

function setTheme(theme) {
  if (theme)
    document.documentElement.dataset.theme = theme;
  else
    delete document.documentElement.dataset.theme;
  setText($("theme-name"), THEMES[theme]);
  set($("theme"), "aria-label", `Colours: ${THEMES[theme]}`);
  try {
    localStorage.setItem("coppice.theme", theme);
  } catch {
    // Private windows may refuse; then it is for this page only.
  }
}

function nextTheme() {
  const names = Object.keys(THEMES);
  const now = document.documentElement.dataset.theme || "";
  setTheme(names[(names.indexOf(now) + 1) % names.length]);
}

function showTab(name) {
  for (const x of ["events", "figures"]) {
    set($(`tab-${x}`), "aria-selected", String(x === name));
    set($(`tab-${x}`), "tabindex", x === name ? "0" : "-1");
    $(`${x}-panel`).hidden = x !== name;
  }
  $("event-tools").hidden = name !== "events";
  foldDrawer(false);
}

function foldDrawer(folded) {
  $("drawer").classList.toggle("folded", folded);
  $("drawer-body").hidden = folded;
  set($("drawer-fold"), "aria-expanded", String(!folded));
  setText($("drawer-fold"), folded ? "Show" : "Hide");
}

function tick() {
  const now = performance.now();
  if (connection.due && now >= connection.due) {
    connect();
  } else if (connection.isLive && now - connection.heard > connection.patience) {
    connection.patience *= 4;
    connection.abort.abort();
  }
  if (connection.state !== "live" || tree.about.state === "ended")
    drawBanner();
  if (document.hidden || connection.state === "lost")
    return;
  list.tick(now);
  tickDetails(now);
}

// A token in the address goes out of it at once: addresses are remembered.
function takeTokenFromAddress() {
  const address = new URL(location.href);
  const given = address.searchParams.get("token");
  if (!given)
    return;
  token.set(given);
  address.searchParams.delete("token");
  history.replaceState(null, "", address);
}

function onKey(event) {
  const typing = event.target.closest("input, select, dialog");
  if (event.key === "/" && !typing) {
    event.preventDefault();
    $("filter").focus();
  } else if (event.key === "Escape" && !typing && !$("details").hidden) {
    closeDetails();
  } else if (event.key === "Escape" && event.target === $("filter")) {
    clearFilters();
  }
}

const on = (id, event, handler) => $(id).addEventListener(event, handler);

function bind() {
  on("tree", "keydown", onTreeKey);
  on("tree", "click", onTreeClick);
  on("tree", "focusin", event => event.target.node && activate(event.target.node));
  on("filter", "input", () => {
    view.text = $("filter").value.trim().toLowerCase();
    rebuild();
  });
  on("not-well", "click", () => {
    view.notWell = !view.notWell;
    set($("not-well"), "aria-pressed", String(view.notWell));
    rebuild();
  });
  on("expand", "click", () => setAllOpen(true));
  on("collapse", "click", () => setAllOpen(false));
  on("details-close", "click", closeDetails);
  on("failure-open", "click", openReport);
  on("reload", "click", reload);
  on("token", "click", () => inquireToken());
  on("theme", "click", nextTheme);
  on("message-close", "click", () => $("message").hidden = true);
  on("banner-retry", "click", retryNow);
  on("ask-cancel", "click", () => $("ask").close());
  on("ask-form", "submit", event => {
    event.preventDefault();
    $("ask").close("ok");
  });
  on("events", "click", event => {
    const where = event.target.closest(".where");
    if (where)
      showPath(where.parentElement.line.path);
  });
  on("event-kind", "change", () => {
    log.kind = $("event-kind").value;
    drawEvents();
  });
  on("pause", "click", () => {
    log.paused = !log.paused;
    set($("pause"), "aria-pressed", String(log.paused));
    drawEvents();
  });
  on("tab-events", "click", () => showTab("events"));
  on("tab-figures", "click", () => showTab("figures"));
  on("drawer", "keydown", event => {
    if (event.target.role !== "tab" || !/^Arrow(Left|Right)$/.test(event.key))
      return;
    const other = event.target.id === "tab-events" ? "figures" : "events";
    showTab(other);
    $(`tab-${other}`).focus();
  });
  on("drawer-fold", "click",
     () => foldDrawer(!$("drawer").classList.contains("folded")));
  document.addEventListener("keydown", onKey);
  addEventListener("online", retryNow);
}

async function hideReloadWithoutFile() {
  try {
    const {file} = await ask("api/topology");
    $("reload").title = `Read ${file} again and apply it as a whole`;
  } catch (error) {
    $("reload").hidden = error.status === 404;
  }
}

function begin() {
  takeTokenFromAddress();
  let theme = "";
  try {
    theme = localStorage.getItem("coppice.theme") || "";
  } catch {
    // As above.
  }
  setTheme(theme in THEMES ? theme : "");
  buildCounts();
  buildActions();
  bind();
  drawHeader();
  setInterval(tick, 250);
  hideReloadWithoutFile();
  connect();
}

begin();
