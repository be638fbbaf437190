// Answers a frame after the page did what it had put off, or when the time is over: whether it has put off more since.
const [left_ms, answer] = arguments;
const off = window[Symbol.for("put off")] ?? {
  later: (...given) => setTimeout(...given),
  whenIdle: (task) => setTimeout(task, 5),
  some: false,
  over: (tell) => tell(),
};
off.later(() => answer(false), left_ms);
off.over(() => requestAnimationFrame(() => off.whenIdle(() => answer(off.some))));
