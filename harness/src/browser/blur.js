// Makes every text of the page unreadable, and answers whether it did: once that is on screen.
const [answer] = arguments;
const sheet = new CSSStyleSheet();
sheet.replaceSync(`
  *, *::before, *::after, *::placeholder, *::marker, *::backdrop {
    color: transparent !important; -webkit-text-fill-color: transparent !important; caret-color: transparent !important;
    text-shadow: 0 0 12px gray !important; background-image: none !important;
    transition: none !important; animation: none !important;
  }
  img, picture, video, canvas, iframe, object, embed, svg text { visibility: hidden !important; }
  html { filter: blur(3px) !important; }
`);
const elements = [];
const blur = (root) => {
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  for (const element of root.querySelectorAll('*')) {
    elements.push(element);
    if (element.shadowRoot) blur(element.shadowRoot);
  }
};
blur(document);
const isClear = (element) => {
  const style = getComputedStyle(element);
  return style.webkitTextFillColor !== 'rgba(0, 0, 0, 0)' || style.backgroundImage !== 'none';
};
requestAnimationFrame(() => requestAnimationFrame(() => answer(elements.length > 0 && !elements.some(isClear))));
