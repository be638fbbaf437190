// Knows what the page has put off for a moment: what it then asks for belongs to this look at it.
{
  const { setTimeout: later, clearTimeout: drop, requestIdleCallback: whenIdle, cancelIdleCallback: dropIdle } = window;
  const open = new Map();
  const known = new Set();
  let waiting = [];

  const done = (key, ran) => {
    if (ran) known.add(open.get(key));
    if (!open.delete(key) || open.size) return;
    const tell = waiting;
    waiting = [];
    // After what the last one did at once: it may put off something else.
    later(() => tell.forEach((told) => (open.size ? waiting.push(told) : told())));
  };
  // What puts itself off again and again, to look at something, is waited for once.
  const nameOf = (task, delay) => `${delay} ${task}`.slice(0, 200);
  const tracked = (kind, task, key) => (...given) => {
    try {
      return task.apply(window, given);
    } finally {
      done(`${kind} ${key()}`, true);
    }
  };

  window.setTimeout = function setTimeout(task, delay, ...given) {
    const name = nameOf(task, delay);
    const soon = typeof task === "function" && !(delay >= SOON_MS) && !known.has(name);
    if (!soon) return later.call(window, task, delay, ...given);
    const id = later.call(window, tracked("timer", task, () => id), delay, ...given);
    open.set(`timer ${id}`, name);
    return id;
  };
  window.clearTimeout = function clearTimeout(id) {
    drop.call(window, id);
    done(`timer ${id}`, false);
  };
  if (whenIdle) {
    window.requestIdleCallback = function requestIdleCallback(task, options) {
      const name = nameOf(task, "idle");
      if (typeof task !== "function" || known.has(name)) return whenIdle.call(window, task, options);
      const id = whenIdle.call(window, tracked("idle", task, () => id), options);
      open.set(`idle ${id}`, name);
      return id;
    };
    window.cancelIdleCallback = function cancelIdleCallback(id) {
      dropIdle.call(window, id);
      done(`idle ${id}`, false);
    };
  }
  window[Symbol.for("put off")] = {
    later: later.bind(window),
    // Once the page has nothing else to do: frameworks put effects off until what they drew is on screen.
    whenIdle: whenIdle ? (task) => whenIdle.call(window, task, { timeout: 50 }) : (task) => later(task, 0),
    get some() {
      return open.size > 0;
    },
    over: (tell) => (open.size ? waiting.push(tell) : tell()),
  };
}
