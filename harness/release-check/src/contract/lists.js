// Answers the lists on the page: tables with the cells of each row, and rows of cards with the texts of each card.
const [answer] = arguments;
const MOST_ROWS = 50;
const visible = (element) => element.checkVisibility?.({ visibilityProperty: true, opacityProperty: true }) ?? true;
const main = document.querySelector("main, [role=main]") ?? document.body;
const shown = (selector, within = document) => [...within.querySelectorAll(selector)].filter(visible);
const text = (element) =>
  (element.innerText ?? "").split("\n").map((line) => line.replace(/\s+/g, " ").trim()).filter(Boolean).join("\n");
const only = (selector, elements) => {
  const found = shown(selector);
  return found.length === elements.length && found.every((it, at) => it === elements[at]);
};
// What names an element for people who write selectors, the most lasting first.
const names = (element) => [
  ...(element.id && /^[a-z][\w-]*$/i.test(element.id) ? [`#${element.id}`] : []),
  ...["data-testid", "aria-label"].flatMap((name) =>
    element.hasAttribute(name) ? [`[${name}=${JSON.stringify(element.getAttribute(name))}]`] : []),
  ...[...element.classList].filter((name) => /^[a-z][\w-]*$/i.test(name)).map((name) => `.${name}`),
];
const place = main === document.body ? "" : main.matches("main") ? "main " : "[role=main] ";
const selectorOf = (container, below, rows) => {
  const kind = container.tagName.toLowerCase();
  const candidates = [`${place}${kind} ${below}`, ...names(container).map((name) => `${kind}${name} ${below}`)];
  return candidates.find((selector) => only(selector, rows)) ?? null;
};

const tables = shown("table", main).flatMap((table) => {
  const rows = [...table.tBodies].flatMap((body) => [...body.rows]).filter(visible);
  const heads = shown("thead th", table).map((head) => head.textContent.trim());
  const selector = selectorOf(table, "tbody tr", rows);
  // A row of another width says that there are none.
  if (!selector || rows.length === 0 || rows.some((row) => row.cells.length !== heads.length)) return [];
  const columns = heads.map((label, at) => ({ label, at })).filter(({ label }) => label && heads.indexOf(label) === heads.lastIndexOf(label));
  return [{
    rows: selector,
    columns: columns.map(({ label }) => ({ label, selector: null })),
    cells: rows.slice(0, MOST_ROWS).map((row) => columns.map(({ at }) => text(row.cells[at]))),
    all: rows.length,
  }];
});

// The texts of a card, each with its way from the card down.
const texts = (card) => {
  const found = [];
  const walk = (element, way) => {
    const children = [...element.children].filter((child) => visible(child) && text(child));
    const hasOwn = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (children.length === 0 || hasOwn) {
      if (text(element)) found.push({ way, text: text(element), name: element.tagName.toLowerCase() });
      return;
    }
    for (const child of children) {
      const at = [...element.children].indexOf(child) + 1;
      walk(child, `${way} > ${child.tagName.toLowerCase()}:nth-child(${at})`);
    }
  };
  walk(card, ":scope");
  return found.filter(({ way }) => way !== ":scope");
};
const kindOf = (element) => `${element.tagName} ${[...element.classList].sort().join(" ")}`;
const cards = shown("*", main).flatMap((container) => {
  const children = [...container.children].filter(visible);
  const rows = children.filter((child) => kindOf(child) === kindOf(children[0]) && text(child));
  if (container.closest("table, nav, form, header") || rows.length < 2 || rows.length !== children.length) return [];
  if (children.some((child) => child.matches("button, a, input, label, option, p, h1, h2, h3, h4, span, dt, dd, td, th, tr"))) return [];
  const tag = rows[0].tagName.toLowerCase();
  const own = names(rows[0]).filter((name) => name.startsWith(".")).map((name) => `${place}${tag}${name}`);
  const selector = own.find((it) => only(it, rows)) ?? selectorOf(container, `> ${tag}`, rows);
  const columns = texts(rows[0]).map(({ way, name }, at) => ({ label: `${name} ${at + 1}`, selector: way }));
  if (!selector || columns.length < 2) return [];
  const cells = rows.slice(0, MOST_ROWS).map((row) =>
    columns.map(({ selector }) => shown(selector, row).slice(0, 1).map(text).join("")));
  return [{ rows: selector, columns, cells, all: rows.length }];
});
answer([...tables, ...cards]);
