// Clicks a control as a person does, and answers with what came of it.
const [wanted, answer] = arguments;
const visible = (element) => element.checkVisibility?.({ visibilityProperty: true, opacityProperty: true }) ?? true;
const find = () =>
  [...document.querySelectorAll(wanted.selector)].find(
    (it) => visible(it) && !it.disabled && !it.closest("tbody, dialog") && it.innerText.trim() === wanted.text,
  );
// What is done outside the page: a file that is saved, a print, a text that is copied, a window.
let doneOutside = 0;
for (const [owner, name] of [[URL, "createObjectURL"], [window, "print"], [window, "open"], [navigator.clipboard, "writeText"]]) {
  const own = owner?.[name];
  if (!own) continue;
  owner[name] = function (...given) {
    doneOutside += 1;
    owner[name] = own;
    return own.apply(this, given);
  };
}
const state = () => doneOutside + location.href + document.body.innerHTML + document.querySelectorAll(wanted.dialog).length;
const choices = () => [...document.querySelectorAll("[role=listbox], [role=menu]")].some(visible);
// Dialogs that are no <dialog> hear Escape wherever the focus is.
const escape = () => (document.activeElement ?? document).dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
const isOn = (it) => it.getAttribute("aria-pressed") ?? it.getAttribute("aria-selected");

// Resolves as soon as `is` holds, or when the time is over.
const until = (is) =>
  new Promise((resolve) => {
    let timer;
    const check = () => {
      if (!is()) return;
      observer.disconnect();
      clearTimeout(timer);
      resolve(true);
    };
    const observer = new MutationObserver(check);
    observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
    timer = setTimeout(() => {
      observer.disconnect();
      resolve(is());
    }, wanted.limit_ms);
    check();
  });

// What of a dialog is out of the window and cannot be scrolled to.
const outside = (dialog) => {
  const found = [];
  if (dialog.scrollWidth > dialog.clientWidth + 1) found.push(`it is ${dialog.scrollWidth} px wide in ${dialog.clientWidth} px`);
  for (const part of [dialog, ...dialog.querySelectorAll("button, input, select, textarea")].filter(visible)) {
    const { left, right } = part.getBoundingClientRect();
    if (left < -1 || right > innerWidth + 1) found.push(`${part.tagName.toLowerCase()} ${JSON.stringify(part.getAttribute("aria-label") ?? part.innerText.split("\n")[0])} is out of the window`);
    part.scrollIntoView({ block: "nearest", behavior: "instant" });
    const { top, bottom } = part.getBoundingClientRect();
    if (part !== dialog && (top < -1 || bottom > innerHeight + 1)) found.push(`${part.tagName.toLowerCase()} cannot be scrolled to`);
  }
  return found;
};

// What is still moving, such as a menu that goes, is on its way to somewhere else.
const still = async () => {
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  await Promise.allSettled(document.getAnimations().map((animation) => animation.finished));
};

(async () => {
  await still();
  const control = find();
  if (!control) return { covered: "nothing: it is gone", changed: false, on: null, dialog: false, cancelled: null };
  control.scrollIntoView({ block: "center", behavior: "instant" });
  const { left, top, width, height } = control.getBoundingClientRect();
  const hit = document.elementFromPoint(left + width / 2, top + height / 2);
  if (!hit || !(control.contains(hit) || hit.contains(control))) {
    return { covered: hit ? hit.tagName.toLowerCase() : "the window's edge", changed: false, on: null, dialog: false, cancelled: null };
  }
  if (isOn(control) === "true") return { covered: null, changed: true, on: true, dialog: false, cancelled: null };
  const switches = isOn(control) !== null;
  const before = state();
  const offered = choices();
  press(control);
  const changed = await until(() => state() !== before);
  const on = switches ? await until(() => control.isConnected && isOn(control) === "true") : null;
  const dialog = document.querySelector(wanted.dialog);
  // What is chosen from lies over the rest of the page until it is closed.
  if (!dialog && !offered && choices()) {
    escape();
    await until(() => !choices());
  }
  if (!dialog) return { covered: null, changed, on, dialog: false, cancelled: null };
  const lines = outline([dialog], null);
  const beyond = outside(dialog);
  const cancel = [...dialog.querySelectorAll("button")].find((it) => it.innerText.trim() === wanted.cancel);
  // Some have no such button, only a cross, and are left by Escape.
  if (cancel) press(cancel);
  else escape();
  const cancelled = await until(() => !document.querySelector(wanted.dialog));
  if (!cancelled && dialog.close) dialog.close();
  else if (!cancelled) escape();
  return { covered: null, changed, on, dialog: true, cancelled, lines, beyond };
})().then(answer);
