// Which controls no Tab reaches, and which do not show that they have the focus. The last key was one of the keyboard's.
const [answer] = arguments;
const visible = (element) => element.checkVisibility?.({ visibilityProperty: true, opacityProperty: true }) ?? true;
const name = (element) => {
  const text = (element.innerText || element.getAttribute("aria-label") || "").trim().split("\n")[0].slice(0, 40);
  return element.tagName.toLowerCase() + (text && !element.closest("tbody") ? ` ${JSON.stringify(text)}` : "");
};
const look = (element) => {
  const { outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor, textDecorationLine } = getComputedStyle(element);
  const outline = outlineStyle === "none" || parseFloat(outlineWidth) === 0 ? "none" : outlineColor;
  return JSON.stringify([outline, boxShadow, borderColor, textDecorationLine]);
};
const found = [];
const held = document.activeElement;
for (const control of document.querySelectorAll("button, a[href], input, select, textarea, [tabindex='0']")) {
  if (!visible(control) || control.disabled || control.closest("dialog")) continue;
  // Tabs take turns: arrow keys reach the others.
  if (control.tabIndex < 0) {
    if (!control.matches("[role=tab], [role=option], [role=menuitem], [role=radio]")) found.push(`no Tab reaches ${name(control)}`);
    continue;
  }
  document.activeElement?.blur();
  const before = look(control);
  control.focus({ preventScroll: true });
  // A group of tabs hands it on to the one whose turn it is.
  if (document.activeElement !== control && control.contains(document.activeElement)) continue;
  if (document.activeElement !== control) found.push(`${name(control)} does not take the focus`);
  else if (look(control) === before) found.push(`${name(control)} does not show the focus`);
}
document.activeElement?.blur();
held?.focus?.({ preventScroll: true });
answer([...new Set(found)].slice(0, 6));
