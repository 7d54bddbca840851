// The diagram of a case with where it stands: done in walnut, current ringed, the rest grey. Reads, never writes.
import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";

const LABEL = 92; // px: what the library itself gives a label without bounds
const ink = { defaultFillColor: "var(--paper-raised)", defaultStrokeColor: "var(--line-strong)", defaultLabelColor: "var(--ink)" };

// `name:en` of an element stands in its extension elements, whatever namespace prefix the file uses.
function translate(element, language, seen = new Set()) {
  if (!element || typeof element !== "object" || seen.has(element)) return;
  seen.add(element);
  for (const extension of element.extensionElements?.values ?? []) {
    for (const property of [extension, ...(extension.$children ?? [])]) {
      if (property.name === `name:${language}` && property.value) element.name = property.value;
    }
  }
  for (const key of ["rootElements", "flowElements", "artifacts", "participants", "laneSets", "lanes", "childLaneSet"]) {
    const inner = element[key];
    for (const child of Array.isArray(inner) ? inner : inner ? [inner] : []) translate(child, language, seen);
  }
}

// Labels were measured for another font or language: give each room for a few words, centred where it stood.
function widen(definitions) {
  for (const diagram of definitions.diagrams ?? []) {
    for (const { label } of diagram.plane?.planeElement ?? []) {
      const bounds = label?.bounds;
      if (!bounds || bounds.width >= LABEL) continue;
      bounds.x -= (LABEL - bounds.width) / 2;
      bounds.width = LABEL;
    }
  }
}

function mark(viewer, { active, done, flows }) {
  const canvas = viewer.get("canvas");
  const registry = viewer.get("elementRegistry");
  const put = (id, marker) => registry.get(id) && canvas.addMarker(id, marker);
  for (const id of done) if (!active.includes(id)) put(id, "is-done");
  for (const id of active) put(id, "is-active");
  for (const id of flows) put(id, "is-done");
}

export function frame(viewer, active) {
  const canvas = viewer.get("canvas");
  const registry = viewer.get("elementRegistry");
  canvas.zoom("fit-viewport", "auto");
  const current = active.map((id) => registry.get(id)).find(Boolean);
  const outer = canvas.viewbox().outer;
  if (current && canvas.zoom() < 0.75 && outer.width) {
    const width = outer.width / 0.85;
    const height = outer.height / 0.85;
    canvas.viewbox({ x: current.x + current.width / 2 - width / 2, y: current.y + current.height / 2 - height / 2, width, height });
  }
}

// A viewer of ours with the diagram in it. Reads, never writes.
export async function drawn(container, xml) {
  const viewer = new NavigatedViewer({
    container,
    bpmnRenderer: ink,
    textRenderer: { defaultStyle: { fontFamily: getComputedStyle(container).fontFamily, fontSize: 12 }, externalStyle: { fontSize: 12 } },
    zoomScroll: { enabled: false },
  });
  const language = document.documentElement.lang;
  viewer.on("import.parse.complete", ({ definitions }) => {
    if (!definitions) return;
    if (language !== "zh-CN") translate(definitions, language);
    widen(definitions);
  });
  await viewer.importXML(xml);
  return viewer;
}

export async function show(place) {
  const canvas = place.querySelector("[data-canvas]");
  const failed = place.querySelector("[data-failed]");
  place.classList.add("is-loading");
  try {
    const answer = await fetch(place.dataset.diagram, { headers: { Accept: "application/json" }, credentials: "same-origin" });
    if (!answer.ok) throw new Error(`diagram: ${answer.status}`);
    const data = await answer.json();
    const viewer = await drawn(canvas, data.xml);
    mark(viewer, data);
    frame(viewer, data.active);
    const zoom = (factor) => viewer.get("canvas").zoom(viewer.get("canvas").zoom() * factor, "auto");
    const actions = { in: () => zoom(1.25), out: () => zoom(0.8), fit: () => viewer.get("canvas").zoom("fit-viewport", "auto"), here: () => frame(viewer, data.active) };
    for (const button of place.querySelectorAll("[data-zoom]")) {
      button.hidden = false;
      button.addEventListener("click", actions[button.dataset.zoom]);
    }
    let width = canvas.clientWidth;
    new ResizeObserver(() => {
      if (!canvas.clientWidth || canvas.clientWidth === width) return; // 0: behind another tab, nothing to fit into
      width = canvas.clientWidth;
      viewer.get("canvas").resized();
      frame(viewer, data.active);
    }).observe(canvas);
    place.dataset.shown = "yes";
  } catch (error) {
    console.warn(error);
    failed.hidden = false;
  } finally {
    place.classList.remove("is-loading");
  }
}
