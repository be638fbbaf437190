// Answers with null where a pointer reaches what has this text, by the menu if need be, or with what is in its way.
const [wanted, answer] = arguments;
const visible = (element) => element.checkVisibility?.({ visibilityProperty: true, opacityProperty: true }) ?? true;
const find = () => [...document.querySelectorAll(wanted.selector)].find((it) => wanted.text === "" || it.innerText.trim() === wanted.text || it.textContent.trim() === wanted.text);
const obstacle = () => {
  const found = find();
  if (!found) return `there is no ${wanted.selector} ${JSON.stringify(wanted.text)}`;
  if (!visible(found)) return "it is hidden";
  found.scrollIntoView({ block: "nearest", behavior: "instant" });
  const { left, top, width, height } = found.getBoundingClientRect();
  const hit = document.elementFromPoint(left + width / 2, top + height / 2);
  if (!hit) return "it is outside the window";
  return found.contains(hit) || hit.contains(found) ? null : `it is covered by ${hit.tagName.toLowerCase()}`;
};
// What is still moving is on its way to somewhere else.
const still = async () => {
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  await Promise.allSettled(document.getAnimations().map((animation) => animation.finished));
};
(async () => {
  await still();
  if (obstacle() === null) return null;
  const menu = document.querySelector(wanted.menu);
  if (menu && visible(menu)) menu.click();
  await still();
  return obstacle();
})().then(answer);
