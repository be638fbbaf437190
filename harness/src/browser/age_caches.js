// Makes each document that the page's caches keep one of an older release, and answers with how many there are.
const [mark, answer] = arguments;
(async () => {
  let aged = 0;
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      const kept = await cache.match(request);
      const type = kept?.headers.get("content-type") ?? "";
      if (!type.includes("text/html")) continue;
      const text = (await kept.text()).replace(/<head[^>]*>/, `$&<meta name="${mark}">`);
      await cache.put(request, new Response(text, { headers: { "content-type": type } }));
      aged += 1;
    }
  }
  return aged;
})().then(answer, () => answer(null));
