// What of the page does not fit the window, once it is laid out for it.
const [selector, answer] = arguments;
const visible = (element) => element.checkVisibility?.({ visibilityProperty: true, opacityProperty: true }) ?? true;
const name = (element) => {
  const text = element.innerText?.trim().split("\n")[0].slice(0, 40);
  return element.tagName.toLowerCase() + (element.className ? `.${String(element.className).split(" ")[0]}` : "") +
    (element.matches("button, a") && text ? ` ${JSON.stringify(text)}` : "");
};
const look = () => {
  const found = [];
  if (document.documentElement.scrollWidth > innerWidth + 1) {
    const widest = [...document.querySelectorAll("main *")].filter((it) => visible(it) && it.getBoundingClientRect().right > innerWidth + 1);
    const names = [...new Set(widest.map(name))].slice(0, 3).join(", ");
    found.push(`the page is ${document.documentElement.scrollWidth} px wide (${names || "nothing of the view"})`);
  }
  for (const element of [...document.querySelectorAll("main *, header *")].filter((it) => visible(it) && !it.closest("dialog"))) {
    const { overflowX, overflowY, textOverflow } = getComputedStyle(element);
    const cut = (overflow) => overflow === "hidden" || overflow === "clip";
    // An ellipsis says that there is more; what is one pixel wide is for those who listen.
    if (textOverflow === "ellipsis" || element.clientWidth < 8) continue;
    if (cut(overflowX) && element.scrollWidth > element.clientWidth + 1) found.push(`${name(element)} is cut off at its side`);
    else if (cut(overflowY) && element.scrollHeight > element.clientHeight + 1) found.push(`${name(element)} is cut off below`);
  }
  // A table whose heads are hidden says in each cell which column it is of.
  for (const table of [...document.querySelectorAll("main table")].filter(visible)) {
    const heads = [...table.querySelectorAll("thead th")];
    const hidden = heads.length > 0 && heads.every((head) => !visible(head) || head.getBoundingClientRect().width <= 1 || head.closest("thead").getBoundingClientRect().width <= 1);
    const named = (cell) => !["none", "normal", '""'].includes(getComputedStyle(cell, "::before").content);
    if (hidden && [...table.querySelectorAll("tbody td")].some((cell) => visible(cell) && !named(cell))) {
      found.push(`cells of table ${JSON.stringify(table.getAttribute("aria-label") ?? "")} do not say which column they are of`);
    }
  }
  const scrolls = (element) => {
    for (let it = element.parentElement; it; it = it.parentElement) {
      if (/auto|scroll/.test(getComputedStyle(it).overflowX) && it.scrollWidth > it.clientWidth) return true;
    }
    return false;
  };
  for (const control of [...document.querySelectorAll(selector)].filter((it) => visible(it) && !it.closest("dialog"))) {
    const { left, right, width, height } = control.getBoundingClientRect();
    if ((left < -1 || right > innerWidth + 1) && !scrolls(control)) found.push(`${name(control)} is out of sight`);
    else if (width < 16 || height < 16) found.push(`${name(control)} is too small for a finger`);
  }
  return [...new Set(found)].slice(0, 6);
};
requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => answer(look()), 0)));
