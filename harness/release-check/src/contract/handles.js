// Answers what people handle lists with on this page: buttons that lead through pages, fields in which rows are chosen, and
// the lists whose rows can be clicked.
const [lists, answer] = arguments;
const visible = (element) => element.checkVisibility?.({ visibilityProperty: true, opacityProperty: true }) ?? true;
const main = document.querySelector("main, [role=main]") ?? document.body;
const shown = (selector) => [...main.querySelectorAll(selector)].filter((it) => visible(it) && !it.closest("tbody, dialog, [role=dialog], form"));
const names = (it) => [it.innerText, it.getAttribute("aria-label"), it.title].map((text) => text?.trim()).filter(Boolean);

const NEXT = /^(next|older|weiter|nächste|ältere|suivant|plus ancien|siguiente|próxim|seguinte|successiv|volgende|nästa|seuraava|[›»→>]$)/i;
const PREVIOUS = /^(prev|newer|zurück|vorherige|neuere|précédent|plus récent|anterior|precedente|vorige|föregående|edellinen|[‹«←<]$)/i;
const named = (pattern) => shown("button, a, [role=button]").flatMap(names).find((name) => pattern.test(name)) ?? null;
const [next, previous] = [named(NEXT), named(PREVIOUS)];

const only = (selector, element) => document.querySelectorAll(selector).length === 1 && document.querySelector(selector) === element;
const selectorOf = (element) => {
  const place = main === document.body ? "" : main.matches("main") ? "main " : "[role=main] ";
  const own = ["aria-label", "name", "data-testid"].filter((name) => element.hasAttribute(name));
  const candidates = [
    ...own.map((name) => `${place}select[${name}=${JSON.stringify(element.getAttribute(name))}]`),
    ...(/^[a-z][\w-]*$/i.test(element.id) ? [`#${element.id}`] : []),
    `${place}select`,
  ];
  return candidates.find((selector) => only(selector, element)) ?? null;
};
const choosers = shown("select")
  .filter((it) => !it.disabled && it.options.length > 1)
  .map((it) => ({
    field: selectorOf(it),
    first: it.options[it.selectedIndex]?.text.trim() ?? "",
    options: [...it.options].map(({ text, value }) => ({ text: text.trim(), value })),
  }))
  .filter(({ field }) => field);

const opens = lists.filter((rows) => {
  const row = [...document.querySelectorAll(rows)].find(visible);
  return row && getComputedStyle(row).cursor === "pointer" && !row.querySelector("a[href]");
});
answer({ pages: next && previous ? { next, previous } : null, choosers, opens });
