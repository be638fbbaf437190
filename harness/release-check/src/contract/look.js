// Answers what is on the page once it has been left alone for a moment, or after `limit` milliseconds: headings, the
// navigation, the login form, and what was asked of Supabase since the last look.
const [limit, answer] = arguments;
const QUIET = 700;

const isShown = (element) => {
  const box = element.getBoundingClientRect();
  return box.width > 0 && box.height > 0 && getComputedStyle(element).visibility !== "hidden";
};
const shown = (selector) => [...document.querySelectorAll(selector)].filter(isShown);
const text = (element) => element.innerText.trim().replace(/\s+/g, " ");
const of = (element) => {
  const place = ["header", "main", "aside"].find((name) => element.closest(name));
  return (place ? place + " " : "") + element.tagName.toLowerCase();
};
// A field by what distinguishes it best.
const field = (element, fallback) => {
  if (!element) return fallback;
  const name = element.tagName.toLowerCase();
  const type = element.getAttribute("type");
  const candidates = [
    type && `${name}[type=${type}]`,
    element.name && `${name}[name="${element.name}"]`,
    element.id && /^[a-z][\w-]*$/i.test(element.id) && `#${element.id}`,
  ];
  return candidates.find((it) => it && document.querySelectorAll(it).length === 1) ?? fallback;
};

// A button that opens a menu beside the views, by what nothing else has.
const menu = (element) => {
  const name = element.tagName.toLowerCase();
  const opens = `${name}[aria-haspopup=${element.getAttribute("aria-haspopup")}]`;
  const label = element.getAttribute("aria-label");
  const place = ["header", "aside", "nav", "footer"].find((it) => element.closest(it));
  const candidates = [label && `${name}[aria-label=${JSON.stringify(label)}]`, opens, place && `${place} ${opens}`];
  return candidates.find((it) => it && document.querySelectorAll(it).length === 1);
};

const navigations = [
  "aside nav button", "aside nav a", "nav button", "nav a", "aside button", "aside a", "[role=navigation] a",
  "[role=navigation] button", "[role=tablist] [role=tab]", "header a", "header button",
];

// How the page writes amounts, if it has any, and how its language writes numbers and days.
const formats = () => {
  const shown = document.body.innerText;
  const amounts = [
    ...shown.matchAll(/(?:(€|\$|£|\b[A-Z]{3}\b)(\s?)-?\d|\d(?:[.,]\d\d)?(\s?)(€|\$|£|\b[A-Z]{3}\b))/g),
  ].map(([, before, first, second, after]) => ({ sign: before ?? after, space: (first ?? second) && " ", leads: Boolean(before) }));
  const codes = { "€": "EUR", $: "USD", "£": "GBP" };
  const found = amounts.find(({ sign }) => codes[sign] || Intl.supportedValuesOf("currency").includes(sign));
  const language = document.documentElement.lang || "en";
  const currency = found && (codes[found.sign] ?? found.sign);
  const number = new Intl.NumberFormat(language, { minimumFractionDigits: 2 }).formatToParts(1234567.5);
  const of = (kind) => number.find(({ type }) => type === kind)?.value ?? "";
  const medium = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: "UTC" });
  const words = { "1": "%-m", "01": "%m" };
  const day = medium.formatToParts(Date.UTC(2026, 0, 5)).map(({ type, value }) => {
    if (type === "day") return value === "05" ? "%d" : "%-d";
    if (type === "month") return words[value] ?? "%b";
    return type === "year" ? "%Y" : value;
  });
  const month = (at) => medium.formatToParts(Date.UTC(2026, at, 5)).find(({ type }) => type === "month").value;
  const cents = of("decimal") + "\\d\\d(?!\\d)";
  const written = found ? shown.split("\n").filter((line) => line.includes(found.sign) && /\d/.test(line)) : [];
  return {
    day: day.join(""),
    months: day.includes("%b") ? Array.from({ length: 12 }, (_, at) => month(at)) : [],
    money: found && (found.leads ? found.sign + found.space + "{amount}" : "{amount}" + found.space + found.sign),
    currency,
    decimal_comma: of("decimal") === ",",
    thousands: of("group").replace(/\s/, " "),
    always_cents: written.length > 0 && written.every((line) => new RegExp(cents.replace(".", "[.]")).test(line)),
  };
};

const look = () => {
  const password = shown("input[type=password]")[0];
  const form = password?.closest("form") ?? document;
  const all = navigations.map((selector) => ({ selector, texts: shown(selector).map(text).filter(Boolean) }));
  const most = all.reduce((best, it) => (new Set(it.texts).size > new Set(best.texts).size ? it : best), { selector: "", texts: [] });
  // An answer that comes late belongs to the view that asked for it: all of them are listed, with their times.
  performance.setResourceTimingBufferSize(10_000);
  const kinds = [
    ["tables", /\/rest\/v1\/(?!rpc\/)([^/]+)$/],
    ["calls", /\/rest\/v1\/rpc\/([^/]+)$/],
    ["functions", /\/functions\/v1\/([^/]+)/],
  ];
  const asked = performance.getEntriesByType("resource").flatMap((entry) => {
    const path = new URL(entry.name).pathname;
    const of = ([kind, pattern]) => ({ kind, name: pattern.exec(path)?.[1], start: performance.timeOrigin + entry.startTime });
    return kinds.map(of).filter(({ name }) => name);
  });
  return {
    title: document.title,
    language: document.documentElement.lang,
    // Some apps keep their views behind a hash.
    path: location.pathname + (location.hash.startsWith("#/") ? location.hash : ""),
    headings: shown("h1, h2").map((it) => ({ selector: of(it), text: text(it) })).filter((it) => it.text),
    navigation: { selector: most.selector, texts: [...new Set(most.texts)] },
    buttons: [...new Set(shown("button, a, [role=button], [role=menuitem]").map(text).filter(Boolean))],
    menus: shown("[aria-haspopup=menu], [aria-haspopup=true]").filter((it) => !it.closest("main")).map(menu).filter(Boolean),
    lines: document.body.innerText.split("\n").map((line) => line.trim()).filter(Boolean),
    login: password
      ? {
          email: field(form.querySelector("input[type=email], input[name*=mail i], input[type=text]"), "input[type=email]"),
          password: field(password, "input[type=password]"),
          submit: field(form.querySelector("button[type=submit], input[type=submit], button"), "form button"),
        }
      : null,
    assets: {
      required: ["script[type=module][src]", "link[rel=stylesheet][href]", "link[rel=manifest][href]", "link[rel~=icon][href]"]
        .filter((selector) => document.querySelector(selector)),
      folder: [...document.querySelectorAll("script[src]")]
        .map(({ src }) => new URL(src))
        .filter(({ origin }) => origin === location.origin)
        .map(({ pathname }) => pathname.slice(0, pathname.lastIndexOf("/") + 1))[0] ?? "/assets/",
    },
    formats: formats(),
    asked,
    at: performance.timeOrigin + performance.now(),
    stored: Object.keys(localStorage),
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
};

let timer = setTimeout(done, QUIET);
const over = setTimeout(done, limit);
const observer = new MutationObserver(() => {
  clearTimeout(timer);
  timer = setTimeout(done, QUIET);
});
observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
function done() {
  clearTimeout(timer);
  clearTimeout(over);
  observer.disconnect();
  const workers = navigator.serviceWorker?.getRegistrations?.() ?? Promise.resolve([]);
  workers.then((all) => {
    const worker = all.map((it) => it.active ?? it.waiting ?? it.installing).find(Boolean);
    answer({ ...look(), worker: worker ? new URL(worker.scriptURL).pathname : null });
  });
}
