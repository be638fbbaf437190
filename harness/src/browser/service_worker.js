// Answers {script} of the active service worker, {} where none is registered, {inactive: state} when it does not get ready.
const [limit, answer] = arguments;
const path = (worker) => new URL(worker.scriptURL).pathname;
const known = async () => (await navigator.serviceWorker.getRegistrations()).length > 0;
(async () => {
  // Portals register when the page has loaded: one that has not by then never will.
  if (document.readyState !== "complete") await new Promise((loaded) => addEventListener("load", loaded, { once: true }));
  await new Promise((idle) => requestIdleCallback(idle, { timeout: 500 }));
  if (!(await known())) return {};
  const late = new Promise((over) => setTimeout(over, Number(limit)));
  const registration = await Promise.race([navigator.serviceWorker.ready, late]);
  if (!registration) return { inactive: "still installing" };
  const worker = registration.active;
  if (worker.state !== "activated") {
    await Promise.race([late, new Promise((done) => worker.addEventListener("statechange", () => worker.state === "activated" && done()))]);
  }
  return worker.state === "activated" ? { script: path(worker) } : { inactive: worker.state };
})().then(answer, (error) => answer({ inactive: String(error) }));
