//! The ledger's view: finding a payment that is not allocated, and giving it to a member.

use serde_json::Value;

use super::{PRESS, Page, Visit, visit::Wanted};
use crate::{
    contract::MemberChoice,
    failure::{Failure, Verdict},
    runbook::Cause,
};

impl Page<'_> {
    /// Opens the ledger, turns to what is not allocated, and waits for the payment with this reference.
    ///
    /// # Errors
    /// Failed when the payment is not listed; undecided when the browser itself fails.
    pub async fn open_unallocated(&self, reference: &str) -> Verdict<Visit> {
        let (contract, ledger) = (self.contract(), self.contract().ledger()?);
        let open = format!("eq.{}", contract.allocation()?.open);
        let status = ledger.statuses.iter().find(|status| status.filter == open);
        let status =
            status.ok_or_else(|| Failure::undecided("the contract has a button for what is to be allocated"))?;
        self.open(contract.route_of(&ledger.route)).await?.expect_on_the_way("the ledger is on screen")?;
        self.browser().click_text(&ledger.status_buttons, &status.button).await?;
        let visit = self.browser().wait_for(&Wanted::anything(contract).text(reference)).await?;
        visit.expect_ready("the payment is listed as not allocated")?;
        Ok(visit)
    }

    /// Allocates the payment with this reference, which is listed, in the dialog, and waits for it to leave the list.
    ///
    /// # Errors
    /// Failed when there is no way to, or the payment stays; undecided when the browser itself fails.
    pub async fn allocate(&self, reference: &str, member: &Value, note: &str) -> Verdict<Visit> {
        let rows = &self.contract().ledger()?.rows;
        self.ask_for_member(rows, reference, member, note).await?;
        self.give(member).await?;
        let visit = self.browser().wait_for(&Wanted::anything(self.contract()).gone(reference)).await?;
        visit.expect_on_the_way("the payment leaves the list of what is to be allocated")?;
        Ok(visit)
    }

    /// Opens the dialog of the payment with this reference in any list, and fills it in, up to the click that does it.
    ///
    /// # Errors
    /// Failed when there is no way to; undecided when the browser itself fails.
    pub async fn ask_for_member(&self, rows: &str, reference: &str, member: &Value, note: &str) -> Verdict {
        let words = self.contract().allocation()?;
        self.open_allocation(rows, reference).await?;
        if words.submit.is_some() {
            self.choose_member(member).await?;
        }
        match &words.note_field {
            Some(field) => self.browser().type_into(field, note).await,
            None => Ok(()),
        }
    }

    /// The click that gives the payment of the open dialog to the member: that of its button, or of the member.
    ///
    /// # Errors
    /// As [`Page::ask_for_member`].
    pub async fn give(&self, member: &Value) -> Verdict {
        match &self.contract().allocation()?.submit {
            Some(button) => self.browser().click(button).await,
            None => self.choose_member(member).await,
        }
    }

    /// Opens the dialog of the payment with this reference in any list.
    ///
    /// # Errors
    /// As [`Page::ask_for_member`].
    pub async fn open_allocation(&self, rows: &str, reference: &str) -> Verdict {
        let (contract, words) = (self.contract(), self.contract().allocation()?);
        let opened = match &words.button {
            Some(button) => self.click_in_row(rows, reference, None, button).await?,
            None => self.click_containing(rows, reference).await? > 0,
        };
        if !opened {
            let expected = match &words.button {
                Some(button) => format!("a button {button:?} in the row of {reference}"),
                None => format!("a row of {reference} that can be clicked"),
            };
            return Err(Failure::failed("a payment that is not allocated can be")
                .expected(expected)
                .seen("none")
                .caused_by(Cause::FrontEnd));
        }
        let choice = match words.choice() {
            MemberChoice::Field(field) => field,
            MemberChoice::Entries(entries) => &entries.selector,
        };
        let dialog = Wanted::anything(contract).selector(choice);
        let visit = self.browser().wait_for(&dialog).await?;
        visit.expect_on_the_way("the dialog asks for the member")
    }

    async fn choose_member(&self, member: &Value) -> Verdict {
        let words = self.contract().allocation()?;
        let name = words.called(member);
        let entries = match words.choice() {
            MemberChoice::Field(field) => return self.browser().choose(field, name).await,
            MemberChoice::Entries(entries) => entries,
        };
        if let Some(find) = &words.find {
            self.search(&find.field, name).await?;
        }
        let listed = Wanted::anything(self.contract()).text(name);
        self.browser().wait_for(&listed).await?.expect_on_the_way("the dialog lists the member")?;
        match self.click_containing(&entries.selector, name).await? {
            1 => Ok(()),
            found => Err(Failure::failed("the dialog lists each member once")
                .expected(format!("one entry ({}) with the member's {}", entries.selector, entries.shows))
                .seen(format!("{found} entries"))
                .caused_by(Cause::FrontEnd)),
        }
    }

    /// Clicks the first of the elements that hold a text; answers with how many do.
    async fn click_containing(&self, selector: &str, text: &str) -> Verdict<u64> {
        let script = "const [selector, text, answer] = arguments;
            const found = [...document.querySelectorAll(selector)].filter((it) => !it.disabled && it.innerText.includes(text));
            if (found.length) press(found[0]);
            answer(found.length);";
        let script = &[PRESS, script].concat();
        let found = self.browser().ask(script, vec![selector.into(), text.into()]).await?;
        Ok(found.as_u64().unwrap_or_default())
    }
}
