// Giving a payment to the member who made it: a click on its row opens a drawer, and a click on the member gives it.

import { el } from "/assets/dom.js";
import { failure } from "/assets/failure.js";
import { money } from "/assets/format.js";
import { WRITERS } from "/assets/roles.js";

const OPEN = ["unallocated", "error"];

export function allocateAction({ data, person, signal, announce, done }) {
  if (!WRITERS.includes(person.role)) return undefined;
  return (transaction) => {
    if (!OPEN.includes(transaction.allocation_status)) return "";
    const mark = el("span", null, "›");
    setTimeout(() => mark.closest("tr")?.addEventListener("click", () => open(transaction)));
    return mark;
  };

  async function open(transaction) {
    const members = await data.select(
      "members",
      {
        select: "id,full_name,member_code,phone",
        institution_id: `eq.${transaction.institution_id}`,
        status: "eq.ACTIVE",
        order: "full_name.asc",
      },
      { signal },
    );
    if (signal.aborted) return;
    const list = el("ul");
    const message = el("div");
    const find = el("input", { type: "search", "aria-label": "Find member", oninput: () => show(find.value) });
    const drawer = el("aside", { class: "drawer" }, el("h3", null, "Whose payment is it?"), find, list, message);
    document.querySelector(".drawer")?.remove();
    document.body.append(drawer);
    signal.addEventListener("abort", () => drawer.remove());
    show("");

    function show(wanted) {
      const found = members.filter((member) => described(member).toLowerCase().includes(wanted.trim().toLowerCase()));
      list.replaceChildren(...found.map((member) => el("li", null, entry(member))));
    }

    function entry(member) {
      const isLikely = member.phone && member.phone === transaction.payer_phone;
      return el("button", { type: "button", "aria-pressed": String(Boolean(isLikely)), onclick: () => give(member) }, described(member));
    }

    async function give(member) {
      const names = { p_transaction_id: transaction.id, p_member_id: member.id, p_note: null };
      try {
        await data.rpc("allocate_transaction", names);
      } catch (error) {
        message.replaceChildren(failure(error));
        return;
      }
      drawer.remove();
      announce(`${money(transaction.amount, transaction.currency)} allocated to ${described(member)}.`);
      done();
    }
  }
}

function described({ full_name, member_code, phone }) {
  return [full_name, member_code, phone].filter(Boolean).join(" · ");
}
