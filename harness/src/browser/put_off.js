// Knows what the page has put off for a moment: what it then asks for belongs to this look at it.
{
  const { setTimeout: later, clearTimeout: drop, requestIdleCallback: whenIdle, cancelIdleCallback: dropIdle } = window;
  const open = new Set();
  const known = new Set();
  let waiting = [];

  const done = (key) => {
    if (!open.delete(key) || open.size) return;
    const tell = waiting;
    waiting = [];
    // After what the last one did at once: it may put off something else.
    later(() => tell.forEach((told) => (open.size ? waiting.push(told) : told())));
  };
  // What puts itself off again and again, to look at something, is waited for once.
  const isNew = (task, delay) => {
    const key = `${delay} ${task}`.slice(0, 200);
    return !known.has(key) && known.add(key);
  };
  const tracked = (kind, task, key) => (...given) => {
    try {
      return task.apply(window, given);
    } finally {
      done(`${kind} ${key()}`);
    }
  };

  window.setTimeout = function setTimeout(task, delay, ...given) {
    const soon = typeof task === "function" && !(delay >= SOON_MS) && isNew(task, delay);
    if (!soon) return later.call(window, task, delay, ...given);
    const id = later.call(window, tracked("timer", task, () => id), delay, ...given);
    open.add(`timer ${id}`);
    return id;
  };
  window.clearTimeout = function clearTimeout(id) {
    drop.call(window, id);
    done(`timer ${id}`);
  };
  if (whenIdle) {
    window.requestIdleCallback = function requestIdleCallback(task, options) {
      if (typeof task !== "function" || !isNew(task, "idle")) return whenIdle.call(window, task, options);
      const id = whenIdle.call(window, tracked("idle", task, () => id), options);
      open.add(`idle ${id}`);
      return id;
    };
    window.cancelIdleCallback = function cancelIdleCallback(id) {
      dropIdle.call(window, id);
      done(`idle ${id}`);
    };
  }
  window[Symbol.for("put off")] = {
    later: later.bind(window),
    get some() {
      return open.size > 0;
    },
    over: (tell) => (open.size ? waiting.push(tell) : tell()),
  };
}
