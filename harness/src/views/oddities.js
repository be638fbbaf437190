// What is on screen that a script has and no person can read, and what is there and says nothing.
const [answer] = arguments;
const visible = (element) => element.checkVisibility?.({ visibilityProperty: true, opacityProperty: true }) ?? true;
const name = (element) => element.tagName.toLowerCase() + (element.className ? `.${String(element.className).split(" ")[0]}` : "");
const ODD = /\b(?:undefined|NaN|Invalid Date)\b|\[object \w+\]|\$\{|^\s*(?:null|true|false)\s*$/;
const found = [];
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const { data, parentElement } = texts.currentNode;
  // What people wrote in a message is theirs.
  const odd = data.length < 80 && data.match(ODD);
  if (odd && visible(parentElement)) found.push(`${JSON.stringify(odd[0].trim())} in ${name(parentElement)}`);
}
for (const element of document.querySelectorAll("h1, h2, h3, dt, dd, label")) {
  if (visible(element) && !element.textContent.trim() && !element.children.length) found.push(`nothing in ${name(element)}`);
}
for (const picture of document.querySelectorAll("svg, img[src]")) {
  const isDrawn = picture.localName === "svg" ? picture instanceof SVGElement : !picture.complete || picture.naturalWidth > 0;
  if (visible(picture) && !isDrawn) found.push(`nothing drawn in ${name(picture)}`);
}
// What is called busy still when all has been read will be for ever to those who listen to it.
const busy = () => [...document.querySelectorAll("[aria-busy=true]")].filter(visible);
const told = () => answer([...new Set([...found, ...busy().map((it) => `${name(it)} called busy`)])].slice(0, 6));
if (busy().length === 0) told();
else {
  const ends = new MutationObserver(() => busy().length === 0 && end());
  const late = setTimeout(end, 5000);
  ends.observe(document.body, { subtree: true, childList: true, attributes: true });
  function end() {
    ends.disconnect();
    clearTimeout(late);
    told();
  }
}
