// The time machine in the browser: the diagram moves with the slider, the rest of the page is fetched for each moment from
// the very address that shows that moment without a script. What the picture is, `picture.js` decides.
import { drawn, frame } from "./diagram.js";
import { pictures } from "./picture.js";

const STEP = 650; // milliseconds between two events at single speed
const FLIGHT = 180; // milliseconds a token takes along a flow
const SPEEDS = [1, 2, 5, 20, 100];
const KEPT = 60; // moments whose parts are remembered
const still = matchMedia("(prefers-reduced-motion: reduce)");
const place = document.querySelector("[data-replay]");

class Machine {
  constructor(root) {
    this.root = root;
    this.at = Number(root.dataset.at);
    this.last = Number(root.dataset.last);
    this.view = Number(root.dataset.view);
    this.pinned = "pinned" in root.dataset;
    this.speed = 1;
    this.timer = 0;
    this.parts = new Map();
    this.drawings = new Map();
    this.slider = root.querySelector("[data-slider]");
    this.live = root.querySelector("[data-live]");
    this.canvas = root.querySelector("[data-canvas]");
    for (const hidden of root.querySelectorAll("[data-play], [data-js]")) hidden.hidden = false;
    this.listen();
    this.reveal();
    this.load();
  }

  async load() {
    this.canvas.hidden = false;
    this.canvas.parentElement.classList.add("is-loading");
    try {
      const answer = await fetch(this.root.dataset.track, { headers: { Accept: "application/json" }, credentials: "same-origin" });
      if (!answer.ok) throw new Error(`track: ${answer.status}`);
      this.track = await answer.json();
      this.pictures = pictures(this.track.marks);
      this.moving = [...new Set([...this.track.marks.map((mark) => mark.seq), ...this.track.beats.map((beat) => beat[1])])].sort((a, b) => a - b);
      await this.draw();
      this.root.dataset.shown = "yes";
    } catch (error) {
      console.warn(error);
      this.canvas.hidden = true;
      this.root.querySelector("[data-failed]").hidden = false;
    } finally {
      this.canvas.parentElement.classList.remove("is-loading");
    }
  }

  // -- going somewhere ------------------------------------------------------------------------------------------
  // `keep`: "push" makes the moment one to come back to, "replace" does not (sliding, playing).
  go(seq, keep = "push") {
    const from = this.at;
    this.at = Math.min(Math.max(seq, 1), this.last);
    this.slider.value = String(this.at);
    this.draw(from);
    this.fill();
    this.address(keep);
  }

  address(keep) {
    const url = new URL(this.root.dataset.page, window.location.href);
    url.searchParams.set("at", String(this.at));
    if (this.root.dataset.who) url.searchParams.set("who", this.root.dataset.who);
    if (this.pinned) url.searchParams.set("view", String(this.view));
    if (url.href === window.location.href) return;
    if (keep === "push") history.pushState({ at: this.at }, "", url);
    else if (keep === "replace") history.replaceState({ at: this.at }, "", url);
  }

  // The words of the moment, from its own page; while one is on its way only the newest wish is kept.
  async fill() {
    const url = new URL(this.root.dataset.page, window.location.href);
    url.searchParams.set("at", String(this.at));
    if (this.root.dataset.who) url.searchParams.set("who", this.root.dataset.who);
    if (this.pinned) url.searchParams.set("view", String(this.view));
    if (this.fetching) {
      this.wanted = true;
      return;
    }
    this.fetching = true;
    try {
      let page = this.parts.get(url.href);
      if (!page) {
        const answer = await fetch(url, { headers: { Accept: "text/html" }, credentials: "same-origin" });
        if (answer.redirected || !answer.ok) {
          window.location.assign(url); // the session has ended, or the right to see this: the whole page says so
          return;
        }
        page = new DOMParser().parseFromString(await answer.text(), "text/html");
        this.parts.set(url.href, page);
        if (this.parts.size > KEPT) this.parts.delete(this.parts.keys().next().value);
      }
      this.replace(page);
    } catch (error) {
      console.warn(error); // no connection: the picture goes on, the words come with the next moment
    } finally {
      this.fetching = false;
      if (this.wanted) {
        this.wanted = false;
        this.fill();
      }
    }
  }

  replace(page) {
    const focused = document.activeElement;
    const within = focused?.closest?.("[data-part]");
    const key = within && [within.dataset.part, focused.dataset.go ?? focused.textContent.trim()];
    for (const part of this.root.querySelectorAll("[data-part]")) {
      const fresh = page.querySelector(`[data-part="${part.dataset.part}"]`);
      if (!fresh) continue;
      const open = new Set([...part.querySelectorAll("details[open]")].map(kept));
      part.replaceChildren(...document.importNode(fresh, true).childNodes);
      for (const folded of part.querySelectorAll("details")) if (open.has(kept(folded))) folded.open = true;
      for (const select of part.querySelectorAll("select[data-autosubmit]")) select.addEventListener("change", () => select.form.requestSubmit());
    }
    if (key && !document.contains(focused)) {
      const again = [...this.root.querySelectorAll(`[data-part="${key[0]}"] a`)];
      (again.find((one) => one.dataset.go === key[1] || one.textContent.trim() === key[1]) ?? this.slider).focus({ preventScroll: true });
    }
    this.reveal();
    if (!this.timer) this.live.textContent = `${this.root.querySelector("[data-part=now] [data-say]")?.textContent.trim() ?? ""} ${this.root.querySelector("[data-part=clock]")?.textContent.trim().replace(/\s+/g, " ") ?? ""}`;
  }

  // The current line of the list in the middle of its own box, without moving the page.
  reveal() {
    const list = this.root.querySelector("[data-part=beats]");
    const here = list?.querySelector(".inside .at") ?? list?.querySelector("[data-here]");
    if (!here || list.scrollHeight <= list.clientHeight) return;
    list.scrollTop += here.getBoundingClientRect().top - list.getBoundingClientRect().top - list.clientHeight / 2.5;
  }

  // -- the diagram ----------------------------------------------------------------------------------------------
  async draw(from) {
    if (!this.pictures) return;
    const picture = this.pictures.at(this.at);
    if (!this.pinned && picture.here) this.view = picture.here[0];
    const { process } = this.track.views[this.view];
    const drawing = await this.drawing(process);
    if (this.shownView !== this.view) {
      for (const [name, other] of this.drawings) if (other.box) other.box.hidden = name !== process;
      this.shownView = this.view;
      drawing.viewer.get("canvas").resized();
      if (!drawing.framed) frame(drawing.viewer, Object.keys(picture.views[this.view]?.active ?? {}));
      drawing.framed = true;
    }
    this.paint(drawing, picture);
    this.follow(drawing, picture);
    if (from !== undefined && this.at > from && this.at - from < 12 && this.speed < 20 && !still.matches) this.fly(drawing, from);
  }

  async drawing(process) {
    const known = this.drawings.get(process);
    if (known) return known.ready;
    const box = document.createElement("div");
    box.className = "drawing";
    this.canvas.append(box);
    const made = { box };
    made.ready = (async () => {
      const answer = await fetch(this.root.dataset.diagramOf.replace("PROCESS", encodeURIComponent(process)), { headers: { Accept: "application/json" }, credentials: "same-origin" });
      if (!answer.ok) throw new Error(`diagram: ${answer.status}`);
      made.viewer = await drawn(box, (await answer.json()).xml);
      made.marks = new Map();
      made.badges = [];
      return made;
    })();
    this.drawings.set(process, made);
    return made.ready;
  }

  paint(drawing, picture) {
    const canvas = drawing.viewer.get("canvas");
    const registry = drawing.viewer.get("elementRegistry");
    const overlays = drawing.viewer.get("overlays");
    const seen = picture.views[this.view] ?? { active: {}, done: [], stopped: [], flows: {}, visits: {}, instances: {}, rounds: {}, waits: {} };
    const want = new Map();
    for (const id of seen.done) want.set(id, "is-done");
    for (const id of seen.stopped) want.set(id, "is-stopped");
    for (const id of Object.keys(seen.flows)) want.set(id, "is-done");
    for (const id of Object.keys(seen.active)) want.set(id, "is-active");
    const here = picture.here && picture.here[0] === this.view ? picture.here[1] : null;
    for (const [id, marker] of drawing.marks) if (want.get(id) !== marker && registry.get(id)) canvas.removeMarker(id, marker);
    for (const [id, marker] of want) if (drawing.marks.get(id) !== marker && registry.get(id)) canvas.addMarker(id, marker);
    drawing.marks = want;
    if (drawing.here && drawing.here !== here) canvas.removeMarker(drawing.here, "is-here");
    drawing.here = here && registry.get(here) ? here : null;
    if (drawing.here) canvas.addMarker(here, "is-here");
    for (const badge of drawing.badges) overlays.remove(badge);
    drawing.badges = [];
    const badge = (id, kind, text, position) => {
      if (!registry.get(id)) return;
      const html = document.createElement("span");
      html.className = `badge ${kind}`;
      if (kind === "wait") html.append(clockFace());
      else html.textContent = text;
      drawing.badges.push(overlays.add(id, { position, html }));
    };
    for (const [id, count] of Object.entries(seen.active)) badge(id, "token", count > 1 ? String(count) : "", { top: -9, left: -9 });
    for (const [id, times] of Object.entries(seen.visits)) if (times > 1) badge(id, "times", `×${times}`, { top: -11, right: 14 });
    for (const [id, [done, of]] of Object.entries(seen.instances)) badge(id, "run", `${done}/${of}`, { bottom: 12, right: 20 });
    for (const [id, rounds] of Object.entries(seen.rounds)) badge(id, "run", `↻${rounds}`, { bottom: 12, right: 20 });
    for (const id of Object.keys(seen.waits)) badge(id, "wait", "", { bottom: 10, left: -6 });
    for (const view of this.track.views) {
      if (view.parent !== this.view || view.first > this.at || !registry.get(view.element)) continue;
      const html = document.createElement("button");
      html.type = "button";
      html.className = "badge into";
      html.textContent = view.nth > 1 ? `▸ ${view.nth}` : "▸";
      html.title = view.name;
      html.setAttribute("aria-label", view.name);
      html.addEventListener("click", () => this.look(view.number));
      drawing.badges.push(overlays.add(view.element, { position: { bottom: -6, left: 30 + 26 * (view.nth - 1) }, html }));
    }
  }

  // Keep what happens in sight.
  follow(drawing, picture) {
    const canvas = drawing.viewer.get("canvas");
    const registry = drawing.viewer.get("elementRegistry");
    const current = drawing.here ? registry.get(drawing.here) : Object.keys(picture.views[this.view]?.active ?? {}).map((id) => registry.get(id)).find(Boolean);
    if (!current || current.width === undefined) return;
    const box = canvas.viewbox();
    const inside = current.x >= box.x && current.y >= box.y && current.x + current.width <= box.x + box.width && current.y + current.height <= box.y + box.height;
    if (inside) return;
    canvas.viewbox({ x: current.x + current.width / 2 - box.width / 2, y: current.y + current.height / 2 - box.height / 2, width: box.width, height: box.height });
  }

  // A token along each flow that was taken between two moments.
  fly(drawing, from) {
    const registry = drawing.viewer.get("elementRegistry");
    const layer = drawing.viewer.get("canvas").getLayer("tokens", 50);
    for (const mark of this.track.marks) {
      if (mark.seq <= from || mark.seq > this.at || mark.view !== this.view) continue;
      for (const flow of mark.flows ?? []) {
        const points = registry.get(flow)?.waypoints;
        if (points?.length > 1) along(layer, points);
      }
    }
  }

  look(view) {
    this.pinned = true;
    this.view = view;
    this.draw();
    this.fill();
    this.address("push");
  }

  // -- playing --------------------------------------------------------------------------------------------------
  play() {
    if (this.timer || !this.moving) return;
    if (this.at >= this.last) this.go(1, "push");
    this.root.classList.add("is-playing");
    let before = performance.now();
    let owed = 0;
    const frame = (now) => {
      owed += ((now - before) * this.speed) / STEP;
      before = now;
      if (owed >= 1) {
        const next = this.moving.filter((seq) => seq > this.at).slice(0, Math.floor(owed)).at(-1);
        owed -= Math.floor(owed);
        if (next === undefined) {
          this.stop();
          return;
        }
        this.go(next, "replace");
      }
      this.timer = requestAnimationFrame(frame);
    };
    this.timer = requestAnimationFrame(frame);
  }

  stop() {
    cancelAnimationFrame(this.timer);
    this.timer = 0;
    this.root.classList.remove("is-playing");
    this.fill();
    this.address("push");
  }

  faster(way) {
    const select = this.root.querySelector("[data-speed]");
    const place = Math.min(Math.max(SPEEDS.indexOf(this.speed) + way, 0), SPEEDS.length - 1);
    this.speed = SPEEDS[place];
    select.value = String(this.speed);
    this.live.textContent = `${this.speed}×`;
  }

  // The end of the beat after (or before) this one.
  beat(way) {
    const link = this.root.querySelector(way > 0 ? "[data-part=links2] [rel=next]" : "[data-part=links] [rel=prev]");
    if (this.root.dataset.who && link) return Number(link.dataset.go);
    const ends = this.track?.beats.map((beat) => beat[1]) ?? [];
    if (way > 0) return ends.find((end) => end > this.at) ?? this.last;
    const begin = this.track?.beats.findLast((beat) => beat[0] <= this.at)?.[0] ?? 1;
    return ends.findLast((end) => end < begin) ?? 1;
  }

  // -- listening ------------------------------------------------------------------------------------------------
  listen() {
    this.slider.addEventListener("input", () => this.go(Number(this.slider.value), "replace"));
    this.slider.addEventListener("change", () => history.pushState({ at: this.at }, "", window.location.href));
    this.slider.form.addEventListener("submit", (event) => {
      event.preventDefault();
      event.stopPropagation();
      this.go(Number(this.slider.value));
    });
    this.root.querySelector("[data-play]").addEventListener("click", () => (this.timer ? this.stop() : this.play()));
    this.root.querySelector("[data-speed]").addEventListener("change", (event) => {
      this.speed = Number(event.target.value);
    });
    this.root.addEventListener("click", (event) => {
      if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
      const go = event.target.closest("[data-go]");
      const view = event.target.closest("[data-view-link]");
      if (!go && !view) return;
      event.preventDefault();
      if (view) {
        if (Number(view.dataset.first) > this.at) this.at = Number(view.dataset.first);
        this.slider.value = String(this.at);
        this.look(Number(view.dataset.viewLink));
        return;
      }
      if (go.closest("[data-part=beats], [data-part=links], [data-part=links2]") && this.pinned) this.pinned = false;
      this.go({ first: 1, last: this.last }[go.dataset.go] ?? Number(go.dataset.go));
    });
    window.addEventListener("popstate", () => {
      const given = new URL(window.location.href).searchParams;
      this.pinned = given.has("view");
      if (this.pinned) this.view = Number(given.get("view"));
      this.at = 0;
      this.go(Number(given.get("at") ?? this.last), "");
    });
    document.addEventListener("keydown", (event) => this.key(event));
    const zoom = (factor) => () => {
      const canvas = this.drawings.get(this.track.views[this.view].process).viewer.get("canvas");
      canvas.zoom(canvas.zoom() * factor, "auto");
    };
    const viewer = () => this.drawings.get(this.track.views[this.view].process).viewer;
    const active = () => Object.keys(this.pictures.at(this.at).views[this.view]?.active ?? {});
    const actions = { in: zoom(1.25), out: zoom(0.8), fit: () => viewer().get("canvas").zoom("fit-viewport", "auto"), here: () => frame(viewer(), active()) };
    for (const button of this.root.querySelectorAll("[data-zoom]")) {
      button.hidden = false;
      button.addEventListener("click", actions[button.dataset.zoom]);
    }
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest?.("input:not([type=range]), select, textarea, [contenteditable]")) return;
    const onButton = event.target.closest?.("button, a, summary");
    const moves = {
      ArrowRight: () => this.go(event.shiftKey ? this.beat(1) : this.at + 1),
      ArrowLeft: () => this.go(event.shiftKey ? this.beat(-1) : this.at - 1),
      Home: () => this.go(1),
      End: () => this.go(this.last),
      "+": () => this.faster(1),
      "=": () => this.faster(1),
      "-": () => this.faster(-1),
      " ": onButton ? undefined : () => (this.timer ? this.stop() : this.play()),
    };
    // inside the diagram or a box of its own the arrows belong to that
    if (event.key.startsWith("Arrow") && event.target.closest?.(".djs-container, .decision")) return;
    if (!moves[event.key]) return;
    event.preventDefault();
    moves[event.key]();
  }
}

// What was unfolded stays unfolded from moment to moment.
const kept = (details) => details.dataset.keep ?? details.querySelector("summary").textContent.trim();

// A clock face: not every font has one.
function clockFace() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 12 12");
  svg.setAttribute("class", "face-of-clock");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M6 1a5 5 0 1 0 0 10A5 5 0 0 0 6 1M6 3.2V6l1.9 1.3");
  svg.append(path);
  return svg;
}

function along(layer, points) {
  const dot = document.createElementNS("http://www.w3.org/2000/svg", "circle");
  dot.setAttribute("r", "7");
  dot.setAttribute("class", "flying");
  const lengths = points.slice(1).map((point, place) => Math.hypot(point.x - points[place].x, point.y - points[place].y));
  const whole = lengths.reduce((sum, length) => sum + length, 0) || 1;
  const began = performance.now();
  const frame = (now) => {
    let left = Math.min((now - began) / FLIGHT, 1) * whole;
    let part = 0;
    while (part < lengths.length - 1 && left > lengths[part]) {
      left -= lengths[part];
      part += 1;
    }
    const share = lengths[part] ? left / lengths[part] : 1;
    dot.setAttribute("cx", String(points[part].x + (points[part + 1].x - points[part].x) * share));
    dot.setAttribute("cy", String(points[part].y + (points[part + 1].y - points[part].y) * share));
    if (now - began >= FLIGHT) dot.remove();
    else requestAnimationFrame(frame);
  };
  layer.append(dot);
  requestAnimationFrame(frame);
}

// -- the proof: each line as the server finds it ------------------------------------------------------------------
async function prove(button, panel) {
  const part = (name) => panel.querySelector(`[data-proof-${name}]`);
  const bar = part("bar");
  const verdict = part("verdict");
  panel.hidden = false;
  part("checks").replaceChildren();
  part("commands").replaceChildren();
  verdict.textContent = "";
  verdict.className = "verdict";
  bar.hidden = false;
  bar.value = 0;
  button.setAttribute("aria-busy", "true");
  const seen = { holds: 0, fails: 0, open: 0, command: 0, bad: null };
  const told = (line) => {
    seen[line.state] += 1;
    if (line.kind === "command") seen.command += 1;
    if (line.state === "fails" && !seen.bad) seen.bad = line;
    const item = document.createElement("li");
    item.className = line.state;
    const link = document.createElement("a");
    link.href = line.link;
    const words = document.createElement("span");
    words.textContent = line.kind === "command" ? line.says : line.why && line.state === "holds" ? line.why : line.says;
    link.append(panel.querySelector(`template[data-${line.state}]`).content.cloneNode(true), words);
    if (line.kind === "command") {
      const where = document.createElement("span");
      where.className = "hash";
      where.textContent = `${line.seq}–${line.last} · ${line.found.slice(0, 12) || "—"}`;
      link.append(where);
      bar.value = line.last;
      part("count").textContent = String(seen.command);
    }
    item.append(link);
    if (line.why && line.state !== "holds") {
      const why = document.createElement("p");
      why.className = "small";
      why.textContent = line.why;
      item.append(why);
    }
    part(line.kind === "command" ? "commands" : "checks").append(item);
    if (line.kind === "command") part("commands").scrollTop = part("commands").scrollHeight;
  };
  try {
    const answer = await fetch(button.dataset.prove, { credentials: "same-origin" });
    if (answer.redirected || !answer.ok) throw new Error(`proof: ${answer.status}`);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      const lines = (rest + (value ?? "")).split("\n");
      rest = done ? "" : lines.pop();
      for (const line of lines) if (line.trim()) told(JSON.parse(line));
      if (done) break;
      await new Promise(requestAnimationFrame); // let what was found be seen before more is read
    }
    bar.value = bar.max;
    verdict.classList.add(seen.bad ? "late" : "good");
    verdict.textContent = seen.bad ? `${verdict.dataset.bad}：${seen.bad.why || seen.bad.says}` : verdict.dataset[seen.open ? "open" : "good"].replace("#", String(seen.command));
  } catch (error) {
    console.warn(error);
    verdict.classList.add("late");
    verdict.textContent = verdict.dataset.broken;
  } finally {
    bar.hidden = true;
    button.removeAttribute("aria-busy");
    panel.querySelector("h2").scrollIntoView({ block: "nearest" });
  }
}

if (place) {
  place.machine = new Machine(place);
  const button = document.querySelector("[data-prove]");
  button?.addEventListener("click", (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-busy") !== "true") prove(button, document.querySelector("[data-proof]"));
  });
}
