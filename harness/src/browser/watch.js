// Remembers what was ever on screen: an observer hears of every change before it is painted.
{
  const { texts, selectors } = WATCHED;
  const shown = new Set();
  const visible = (element) => element.checkVisibility?.({ visibilityProperty: true, opacityProperty: true }) ?? true;
  const look = () => {
    const text = document.body?.innerText.toLowerCase() ?? "";
    for (const part of texts) if (text.includes(part.toLowerCase())) shown.add(part);
    for (const selector of selectors) if ([...document.querySelectorAll(selector)].some(visible)) shown.add(selector);
  };
  window[Symbol.for("watched")] = shown;
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
}
