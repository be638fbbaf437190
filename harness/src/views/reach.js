// Answers with null as soon as a pointer reaches what has this text, or with what is in its way when the time is over.
const [wanted, answer] = arguments;
const visible = (element) => element.checkVisibility?.({ visibilityProperty: true, opacityProperty: true }) ?? true;
const find = () => [...document.querySelectorAll(wanted.selector)].find((it) => it.innerText.trim() === wanted.text || it.textContent.trim() === wanted.text);
const obstacle = () => {
  const found = find();
  if (!found) return `nothing has the text ${JSON.stringify(wanted.text)}`;
  if (!visible(found)) return "it is hidden";
  found.scrollIntoView({ block: "nearest", behavior: "instant" });
  const { left, top, width, height } = found.getBoundingClientRect();
  const hit = document.elementFromPoint(left + width / 2, top + height / 2);
  if (!hit) return "it is outside the window";
  return found.contains(hit) || hit.contains(found) ? null : `it is covered by ${hit.tagName.toLowerCase()}`;
};
if (obstacle() !== null) {
  const menu = document.querySelector(wanted.menu);
  if (menu && visible(menu)) menu.click();
}
const begin = performance.now();
const look = () => {
  const what = obstacle();
  if (what === null || performance.now() - begin > wanted.limit_ms) answer(what);
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);
