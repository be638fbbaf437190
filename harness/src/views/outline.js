// The headings, buttons, fields and tables within some elements, in their order, without what is made of rows: `data` finds
// those. Digits are `#`.
const outline = (roots, data) => {
  const visible = (element) => element.checkVisibility?.({ visibilityProperty: true, opacityProperty: true }) ?? true;
  const plain = (text) => text.replace(/\s+/g, " ").trim().replace(/\d+/g, "#");
  const quoted = (text) => JSON.stringify(plain(text));
  const named = (it) => it.getAttribute("aria-label") || [...(it.labels ?? [])].map((label) => label.innerText).join(" ") || it.innerText || "";
  const isId = (value) => /^[0-9a-f]{8}-[0-9a-f-]{27}$|^\d+$/.test(value);
  const state = (it) =>
    ["pressed", "selected", "expanded"]
      .filter((name) => it.hasAttribute(`aria-${name}`))
      .map((name) => (it.getAttribute(`aria-${name}`) === "true" ? ` ${name}` : ` not ${name}`))
      .join("") + (it.disabled ? " disabled" : "");
  const field = (it) => {
    const rules = ["type", "min", "max", "step", "maxlength", "pattern", "placeholder"]
      .filter((name) => it.hasAttribute(name))
      .map((name) => `, ${name} ${it.getAttribute(name)}`)
      .join("");
    const own = it.tagName === "SELECT" ? [...it.options].filter(({ value }) => !isId(value)).map(({ text }) => plain(text)) : [];
    return `field ${quoted(named(it))}${rules}${it.required ? ", required" : ""}${own.length > 0 ? `: ${own.join(" | ")}` : ""}${state(it)}`;
  };
  const line = (it) => {
    const tag = it.tagName;
    if (/^H[1-6]$/.test(tag)) return `heading ${tag[1]} ${quoted(it.innerText)}`;
    if (it.matches("[role=group], [role=tablist], [role=tabpanel]")) return `${it.getAttribute("role")} ${quoted(it.getAttribute("aria-label") ?? "")}`;
    if (it.matches("[role=status]")) return "status";
    if (it.matches("[role=alert]") && it.innerText.trim()) return `alert ${quoted(it.innerText)}`;
    if (it.matches("[role=tab]")) return `tab ${quoted(it.innerText)}${state(it)}`;
    if (it.matches("button, [role=button]")) return `button ${quoted(named(it))}${state(it)}`;
    if (it.matches("a[href]")) return `link ${quoted(named(it))}`;
    if (it.matches("input:not([type=hidden]), select, textarea")) return field(it);
    if (tag === "LABEL") return `label ${quoted(it.innerText)}`;
    // Of a card's figure and what stands below it, the latter; one and many are alike.
    if (tag === "DD") return it.previousElementSibling?.tagName === "DD" ? `note ${quoted(it.innerText).replace(/# ([a-z]+?)s\b/g, "# $1")}` : null;
    if (tag === "DT") return `figure ${quoted(it.innerText)}`;
    if (tag === "TABLE") {
      const heads = [...it.querySelectorAll("thead th")].filter(visible).map((head) => plain(head.textContent));
      return `table ${quoted(it.getAttribute("aria-label") ?? "")}: ${heads.join(" | ")}`;
    }
    return null;
  };
  return roots
    .flatMap((root) => [...root.querySelectorAll("*")])
    .filter((it) => visible(it) && !(data && it.closest(data)))
    .map(line)
    .filter((it) => it !== null);
};
