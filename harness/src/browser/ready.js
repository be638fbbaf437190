// Answers as soon as the page shows what is wanted, has given up, or the time is over. Nothing is polled: a mutation
// observer reports every change.
const [wanted, answer] = arguments;
// The clock of a page that is being opened started with its navigation; of an action on an open page it starts now.
const begin = wanted.opening ? 0 : performance.now();
const squeeze = (text) => text.replace(/\s+/g, " ").trim();
const plain = (text) => squeeze(text).toLowerCase();
const visible = (element) => element.checkVisibility?.({ visibilityProperty: true, opacityProperty: true }) ?? true;
const shown = (selector) => [...document.querySelectorAll(selector)].filter(visible);
const headings = () => shown("h1, h2, h3, [role=heading]").map((element) => squeeze(element.innerText));

const look = () => {
  const text = document.body ? document.body.innerText : "";
  const lower = plain(text);
  const lacking = [];
  if (wanted.heading && !shown(wanted.heading.selector).some((element) => plain(element.innerText) === plain(wanted.heading.text))) {
    lacking.push(`the heading ${JSON.stringify(wanted.heading.text)} (${wanted.heading.selector})`);
  }
  for (const part of wanted.texts) if (!lower.includes(plain(part))) lacking.push(`the text ${JSON.stringify(part)}`);
  for (const selector of wanted.selectors) if (!shown(selector).length) lacking.push(selector);
  const still = wanted.unwanted.filter((part) => lower.includes(plain(part)));
  const broken = headings().find((heading) => wanted.broken.some((part) => plain(part) === plain(heading))) ?? null;
  return {
    lacking, still, broken, ms: performance.now() - begin, url: location.href, title: document.title,
    headings: headings(), text: squeeze(text).slice(0, 400),
    mock: wanted.mock.find((part) => lower.includes(plain(part))) ?? null,
  };
};

let timer;
const finish = (seen) => {
  const captcha = () => wanted.captchas.find((sign) => document.documentElement?.outerHTML.includes(sign)) ?? null;
  seen.captcha = seen.lacking.length ? captcha() : null;
  observer.disconnect();
  clearTimeout(timer);
  // What follows the last change, such as an error thrown after it, belongs to this page; so does what it put off.
  // The blank page that a browser begins with knows nothing of it.
  const off = window[Symbol.for("put off")] ?? { whenIdle: (task) => setTimeout(task, 0), some: false };
  requestAnimationFrame(() => off.whenIdle(() => answer({ ...seen, put_off: off.some })));
};
const check = () => {
  const seen = look();
  if ((!seen.lacking.length && !seen.still.length) || seen.broken) finish(seen);
};
const observer = new MutationObserver(check);
observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
timer = setTimeout(() => finish(look()), Math.max(0, begin + wanted.limit_ms - performance.now()));
check();
