// Remembers which texts were ever on screen: an observer hears of every change before it is painted.
{
  const texts = TEXTS;
  const shown = new Set();
  const look = () => {
    const text = document.body?.innerText.toLowerCase() ?? "";
    for (const part of texts) if (text.includes(part.toLowerCase())) shown.add(part);
  };
  window[Symbol.for("watched")] = shown;
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
}
