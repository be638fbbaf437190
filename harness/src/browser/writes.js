// Counts what the page asks to be written, and holds it back once that is wanted.
{
  const held = { holds: false, asked: 0 };
  window[Symbol.for("writes")] = held;
  const send = window.fetch;
  window.fetch = (resource, options) => {
    const method = (options?.method ?? resource?.method ?? "GET").toUpperCase();
    if (!held.holds || method === "GET" || method === "HEAD") return send.call(window, resource, options);
    held.asked += 1;
    window.dispatchEvent(new Event("held"));
    return new Promise(() => {});
  };
}
