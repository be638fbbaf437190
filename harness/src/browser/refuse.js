// Answers the page's requests with a text in their address as PostgREST refuses one, until `window.accept` is called.
// Clients try again what the network loses; what is refused they hand on.
const [text, answer] = arguments;
const own = window.fetch;
window.accept = () => (window.fetch = own);
window.fetch = (...request) => {
  if (!String(request[0]?.url ?? request[0]).includes(text)) return own(...request);
  const body = JSON.stringify({ code: "42501", details: null, hint: null, message: "permission denied" });
  return Promise.resolve(new Response(body, { status: 403, headers: { "content-type": "application/json" } }));
};
answer(null);
