// Answers {script} of the active service worker, {} where none is registered, {inactive: state} when it does not get
// ready. `promised` waits for one; without it, none that a visitor meets at once is none.
const [promised, limit, answer] = arguments;
const workers = navigator.serviceWorker;
const late = (state) => new Promise((over) => setTimeout(() => over(state), limit));
const path = (worker) => new URL(worker.scriptURL).pathname;

const activated = async (worker) => {
  while (worker.state !== "activated") await new Promise((changed) => worker.addEventListener("statechange", changed, { once: true }));
  return { script: path(worker) };
};
const ready = async () => activated((await workers.ready).active);

(async () => {
  if (!promised) return (await workers.getRegistrations()).length ? Promise.race([ready(), late({ inactive: "installing" })]) : {};
  const registered = workers.getRegistrations().then((all) => (all.length ? { inactive: "installing" } : {}));
  return Promise.race([ready(), late().then(() => registered)]);
})().then(answer, (error) => answer({ inactive: String(error) }));
