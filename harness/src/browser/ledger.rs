//! The ledger's view: finding a payment that is not allocated, and giving it to a member.

use super::{Page, Visit, visit::Wanted};
use crate::{
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
    pub async fn allocate(&self, reference: &str, member: &str, note: &str) -> Verdict<Visit> {
        let rows = &self.contract().ledger()?.rows;
        self.ask_for_member(rows, reference, member, note).await?;
        self.browser().click(&self.contract().allocation()?.submit).await?;
        let visit = self.browser().wait_for(&Wanted::anything(self.contract()).gone(reference)).await?;
        visit.expect_on_the_way("the payment leaves the list of what is to be allocated")?;
        Ok(visit)
    }

    /// Opens the dialog of the payment with this reference in any list, and fills it in.
    ///
    /// # Errors
    /// Failed when there is no way to; undecided when the browser itself fails.
    pub async fn ask_for_member(&self, rows: &str, reference: &str, member: &str, note: &str) -> Verdict {
        let (contract, words) = (self.contract(), self.contract().allocation()?);
        if !self.click_in_row(rows, reference, &words.button).await? {
            return Err(Failure::failed("a payment that is not allocated can be")
                .expected(format!("a button {:?} in the row of {reference}", words.button))
                .seen("none")
                .caused_by(Cause::FrontEnd));
        }
        let dialog = Wanted::anything(contract).selector(&words.member_field);
        self.browser().wait_for(&dialog).await?.expect_on_the_way("the dialog asks for the member")?;
        self.browser().choose(&words.member_field, member).await?;
        self.browser().type_into(&words.note_field, note).await
    }
}
