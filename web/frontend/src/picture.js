// The picture of a moment: where the tokens stand, what was passed and how often. A pure function of the track, the same
// as engine/queries/picture.py; the tests give both the same tracks and compare. What the parts mean is said there.

export function blank() {
  return { views: {}, tokens: new Map(), waits: new Map(), here: null, ended: false };
}

const view = (state, number) =>
  (state.views[number] ??= { visits: {}, instances: {}, rounds: {}, done: {}, stopped: {}, flows: {} });

// One mark on; changes `state`.
export function move(state, mark) {
  if (mark.kind === "end") {
    state.tokens.clear();
    state.waits.clear();
    state.ended = true;
    return state;
  }
  const { kind, element, token } = mark;
  const seen = view(state, mark.view);
  const inner = "index" in mark;
  state.here = [mark.view, element];
  if (kind === "in") {
    state.waits.delete(token);
    state.tokens.set(token, { view: mark.view, element, inner });
    if (!inner) {
      seen.visits[element] = (seen.visits[element] ?? 0) + 1;
      if ("instances" in mark) seen.instances[element] = [0, mark.instances];
    } else if (!(element in seen.instances)) seen.rounds[element] = mark.index + 1;
  } else if (kind === "out" || kind === "stop") {
    state.tokens.delete(token);
    for (const [other, wait] of state.waits) if (wait.host === token) state.waits.delete(other);
    state.waits.delete(token);
    if (kind === "out") {
      delete seen.stopped[element];
      if (!inner) seen.done[element] = true;
      else if (element in seen.instances) seen.instances[element][0] += 1;
      for (const flow of mark.flows ?? []) seen.flows[flow] = (seen.flows[flow] ?? 0) + 1;
    } else if (!inner && !(element in seen.done)) seen.stopped[element] = true;
  } else if (kind === "wait") state.waits.set(token, { view: mark.view, element, due: mark.due ?? "", host: mark.host });
  else state.waits.delete(token);
  return state;
}

// The state as the page draws it.
export function finished(state) {
  const views = {};
  for (const [number, seen] of Object.entries(state.views)) {
    views[number] = {
      visits: { ...seen.visits },
      instances: Object.fromEntries(Object.entries(seen.instances).map(([element, pair]) => [element, [...pair]])),
      rounds: { ...seen.rounds },
      flows: { ...seen.flows },
      active: {},
      waits: {},
      done: Object.keys(seen.done).sort(),
      stopped: Object.keys(seen.stopped).sort(),
    };
  }
  const inner = new Set();
  for (const at of state.tokens.values()) if (at.inner) inner.add(`${at.view} ${at.element}`);
  for (const at of state.tokens.values()) {
    if (!at.inner && inner.has(`${at.view} ${at.element}`)) continue;
    const { active } = views[at.view];
    active[at.element] = (active[at.element] ?? 0) + 1;
  }
  for (const { view: number, element, due } of state.waits.values()) views[number].waits[element] = due;
  return { views, here: state.here, ended: state.ended };
}

const EVERY = 64; // marks between two kept states: jumping back replays fewer than this many

function copied(state) {
  return { ...state, views: structuredClone(state.views), tokens: new Map(state.tokens), waits: new Map(state.waits) };
}

// Pictures of one track, forwards and backwards. `at(seq)` is what `picture(marks, seq)` gives in Python.
export function pictures(marks) {
  const kept = [blank()]; // kept[i]: after EVERY * i marks
  let current = blank();
  let place = 0;
  const until = (seq) => {
    let low = 0;
    let high = marks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (marks[middle].seq <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    at(seq) {
      const goal = until(seq);
      const near = Math.min(Math.floor(goal / EVERY), kept.length - 1);
      if (goal < place || near * EVERY > place) {
        current = copied(kept[near]);
        place = near * EVERY;
      }
      while (place < goal) {
        move(current, marks[place]);
        place += 1;
        if (place % EVERY === 0 && kept.length === place / EVERY) kept.push(copied(current));
      }
      return finished(current);
    },
  };
}
