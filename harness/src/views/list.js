// Reads a list off the screen: at once if it is as wanted, else when it has become so or the time is over.
const [wanted, answer] = arguments;
const visible = (element) => element.checkVisibility?.({ visibilityProperty: true, opacityProperty: true }) ?? true;
const shown = (selector, within = document) => [...within.querySelectorAll(selector)].filter(visible);
const text = (element) =>
  element.innerText.split("\n").map((line) => line.replace(/\s+/g, " ").trim()).filter(Boolean).join("\n");
const cell = (row, { label, selector }) => {
  if (selector) {
    const found = shown(selector, row);
    return found.length > 0 ? text(found[0]) : null;
  }
  const table = row.closest("table");
  if (!table) {
    const beside = shown("dt", row).find((term) => text(term) === label)?.nextElementSibling;
    // Beside a term, nothing may be left empty.
    return beside ? text(beside) || wanted.nothing : null;
  }
  const heads = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
  const at = heads.indexOf(label);
  return at < 0 || !row.cells[at] ? null : text(row.cells[at]);
};
// A cell across the whole table says that there are no rows, or that they are on their way.
const isRow = (row) => !(row.cells?.length === 1 && row.cells[0].colSpan > 1);
const look = () => ({
  rows: shown(wanted.rows).filter(isRow).map((row) => wanted.columns.map((column) => cell(row, column))),
  counts: wanted.count ? shown(wanted.count).map(text) : [],
  text: document.body.innerText,
});
const fits = (seen) =>
  JSON.stringify(seen.rows) === JSON.stringify(wanted.cells) && (wanted.text === null || seen.counts.includes(wanted.text));

let timer;
const finish = (seen) => {
  observer.disconnect();
  clearTimeout(timer);
  answer(seen);
};
const check = () => {
  const seen = look();
  if (fits(seen)) finish(seen);
};
const observer = new MutationObserver(check);
observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
timer = setTimeout(() => finish(look()), wanted.limit_ms);
check();
