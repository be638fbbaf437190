// Answers what opened in front of the page: where it is, and its terms with what stands beside them.
const [answer] = arguments;
const visible = (element) => element.checkVisibility?.({ visibilityProperty: true, opacityProperty: true }) ?? true;
const text = (element) =>
  (element.innerText ?? "").split("\n").map((line) => line.replace(/\s+/g, " ").trim()).filter(Boolean).join("\n");
const within = ["dialog[open]", "[role=dialog]", "[aria-modal=true]"].find((it) => [...document.querySelectorAll(it)].some(visible));
const opened = within && [...document.querySelectorAll(within)].find(visible);
const terms = [...(opened?.querySelectorAll("dt") ?? [])].filter((term) => visible(term) && term.nextElementSibling?.matches("dd"));
const pairs = terms.map((term) => [text(term), text(term.nextElementSibling)]);
answer(within ? { within, pairs } : null);
