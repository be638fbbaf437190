// Answers the page's requests with a text in their address as PostgREST refuses one, until `window.accept` is called.
// Clients try again what the network loses; what is refused they hand on. What they keep for a while is older at once, so
// that they ask for it.
const [text, answer] = arguments;
const KEPT_MS = 600_000;
const own = window.fetch;
const now = Date.now;
Date.now = () => now() + KEPT_MS;
window.accept = () => {
  window.fetch = own;
  Date.now = now;
};
window.fetch = (...request) => {
  if (!String(request[0]?.url ?? request[0]).includes(text)) return own(...request);
  const body = JSON.stringify({ code: "42501", details: null, hint: null, message: "permission denied" });
  return Promise.resolve(new Response(body, { status: 403, headers: { "content-type": "application/json" } }));
};
answer(null);
