// What of the page cannot be read or named: text too pale for its ground, controls and pictures without a name. The rules
// are axe-core's that it calls serious or critical and that a page can break by itself; each is named as there.
const [answer] = arguments;
const visible = (element) => element.checkVisibility?.({ visibilityProperty: true, opacityProperty: true }) ?? true;
const name = (element) => element.tagName.toLowerCase() + (element.className ? `.${String(element.className).split(" ").join(".")}` : "");
const found = [];
const all = (selector) => [...document.querySelectorAll(selector)].filter(visible);

// Null for colours of other spaces, which are not converted here.
const rgba = (text) => {
  if (!/^rgba?\(/.test(text)) return null;
  const [red, green, blue, alpha = 1] = text.match(/[\d.]+/g).map(Number);
  return [red, green, blue, alpha];
};
const over = ([r, g, b, a], [red, green, blue]) => [r * a + red * (1 - a), g * a + green * (1 - a), b * a + blue * (1 - a)];
const light = (colour) => {
  const [r, g, b] = colour.slice(0, 3).map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
// The colours behind an element, or null where a picture or a gradient is among them.
const ground = (element) => {
  const layers = [];
  for (let it = element; it; it = it.parentElement) {
    const { backgroundColor, backgroundImage } = getComputedStyle(it);
    if (backgroundImage !== "none") return null;
    const layer = rgba(backgroundColor);
    if (!layer) return null;
    layers.push(layer);
    if (layers.at(-1)[3] === 1) break;
  }
  return layers.reduceRight((below, layer) => over(layer, below), [255, 255, 255]);
};
const pale = (element) => {
  const { color, fontSize, fontWeight } = getComputedStyle(element);
  const [front, behind] = [rgba(color), ground(element)];
  if (!front || !behind) return;
  const [one, other] = [light(over(front, behind)), light(behind)].sort((a, b) => b - a);
  const ratio = (one + 0.05) / (other + 0.05);
  const size = parseFloat(fontSize);
  const least = size >= 24 || (size >= 18.66 && Number(fontWeight) >= 700) ? 3 : 4.5;
  if (ratio < least) found.push(`color-contrast: ${name(element)} has ${ratio.toFixed(1)}:1 where ${least}:1 is the least`);
};
for (const element of all("body *")) {
  const own = [...element.childNodes].some((it) => it.nodeType === Node.TEXT_NODE && it.data.trim());
  if (own && !element.closest(":disabled, [aria-disabled=true], option, script, style, noscript")) pale(element);
}

const called = (element) =>
  element.getAttribute("aria-label")?.trim() || element.title.trim() || element.placeholder?.trim() ||
  (element.getAttribute("aria-labelledby") ?? "").split(/\s+/).some((id) => document.getElementById(id)?.textContent.trim());
for (const field of all("input:not([type=hidden], [type=submit], [type=button]), select, textarea")) {
  if (!called(field) && ![...(field.labels ?? [])].some((label) => label.textContent.trim())) {
    found.push(`label: ${name(field)}${field.type ? ` of type ${field.type}` : ""} has no name`);
  }
}
for (const control of all("button, a[href], summary, [role=button], [role=tab], [role=link]")) {
  const pictured = [...control.querySelectorAll("img")].some((it) => it.alt.trim());
  if (!called(control) && !control.innerText.trim() && !pictured) found.push(`button-name: ${name(control)} has no name`);
}
for (const picture of all("img:not([alt]), [role=img]:not([aria-label], [aria-labelledby])")) found.push(`image-alt: ${name(picture)} has no text`);
for (const element of all("[tabindex]")) if (element.tabIndex > 0) found.push(`tabindex: ${name(element)} is out of the order of the page`);
for (const element of all("[aria-hidden=true] :is(button, a[href], input, select, textarea)")) found.push(`aria-hidden-focus: ${name(element)} takes the focus and is hidden`);
if (!document.documentElement.lang) found.push("html-has-lang: the document has no language");
answer([...new Set(found)].slice(0, 6));
