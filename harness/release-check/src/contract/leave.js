// Answers once nothing that `selector` finds is on screen any more, or after `limit` milliseconds.
const [selector, limit, answer] = arguments;
const isGone = () => ![...document.querySelectorAll(selector)].some((it) => it.getBoundingClientRect().height > 0);
const observer = new MutationObserver(() => isGone() && done());
const over = setTimeout(done, limit);
observer.observe(document, { subtree: true, childList: true, attributes: true });
function done() {
  clearTimeout(over);
  observer.disconnect();
  answer(isGone());
}
if (isGone()) done();
