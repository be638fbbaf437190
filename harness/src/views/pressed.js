// Clicks a row, a button in it or a control of the view, and answers with what came of it.
const [wanted, answer] = arguments;
const visible = (element) => element.checkVisibility?.({ visibilityProperty: true, opacityProperty: true }) ?? true;
const text = (element) => element.innerText.trim();
const row = wanted.rows && [...document.querySelectorAll(wanted.rows)].filter(visible)[wanted.at];
const among = wanted.rows ? [...(row?.querySelectorAll("button") ?? [])] : [...document.querySelectorAll(wanted.selector)];
const pressed = wanted.text ? among.find((it) => visible(it) && !it.disabled && text(it) === wanted.text) : row;
const state = () => location.href + document.body.innerHTML;
const asked = () => window[Symbol.for("writes")]?.asked ?? 0;
const said = () => [...document.querySelectorAll(wanted.toast)].filter(visible).map(text).filter(Boolean);
const before = { state: state(), asked: asked(), said: said() };
const seen = () => ({
  found: Boolean(pressed),
  changed: state() !== before.state,
  asked: asked() - before.asked,
  said: said().filter((it) => !before.said.includes(it)),
});
// A control that writes may change the page before it says anything.
const isOver = ({ changed, asked, said }) => asked > 0 || said.length > 0 || (wanted.rows && changed);
let timer;
const finish = () => {
  observer.disconnect();
  removeEventListener("held", check);
  clearTimeout(timer);
  answer(seen());
};
const check = () => isOver(seen()) && finish();
const observer = new MutationObserver(check);
observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
addEventListener("held", check);
timer = setTimeout(finish, pressed ? wanted.limit_ms : 0);
if (pressed) press(pressed);
check();
