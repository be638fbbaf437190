use insta::assert_snapshot;

use super::*;
use crate::soak::plan::tests::plan;

fn id(number: u32) -> String {
    Uuid::from_u128(number.into()).to_string()
}

fn receipt(outcome: Ingest, tries: u32) -> Receipt {
    Receipt {
        outcome,
        status: None,
        body: String::new(),
        headers: Default::default(),
        tries,
        took: std::time::Duration::ZERO,
    }
}

fn ingested(number: u32) -> Receipt {
    receipt(Ingest::Ingested { sms_id: id(number), transaction_id: None }, 1)
}

fn duplicate(number: u32) -> Receipt {
    receipt(Ingest::Duplicate { sms_id: id(number), transaction_id: None }, 1)
}

fn unanswered() -> Receipt {
    receipt(Ingest::Unavailable { why: "error sending request: connection refused".to_owned() }, 4)
}

/// A soak in which all went well, but for what `change` does with the answer and the rows of a message.
struct Soak {
    plan: Plan,
    answers: Vec<(u32, Receipt)>,
    /// Message, id, device, understood.
    rows: Vec<(u32, String, usize, bool)>,
    /// Message, amount, row that it comes from.
    payments: Vec<(u32, f64, String)>,
}

impl Soak {
    fn of(messages: u32) -> Self {
        let plan = plan(messages, "0%");
        let numbers = || 0..messages;
        Self {
            plan,
            answers: numbers().map(|number| (number, ingested(number))).collect(),
            rows: numbers().map(|number| (number, id(number), Plan::device(number), true)).collect(),
            payments: numbers().map(|number| (number, f64::from(Plan::amount(number)), id(number))).collect(),
        }
    }

    fn account(&self) -> Account {
        let mut book = Book::new(&self.plan);
        for (number, receipt) in &self.answers {
            book.answered(*number, receipt);
        }
        for (number, id, device, understood) in &self.rows {
            book.row(&self.plan.text(*number), id, *device, *understood);
        }
        for (number, amount, source) in &self.payments {
            book.payment(&self.plan.id(*number), Some(*amount), source);
        }
        book.close()
    }

    fn shown(&self) -> String {
        self.account().to_string()
    }

    /// How many are lost, doubled, otherwise wrong.
    fn sums(&self) -> (u32, u32, u32) {
        let account = self.account();
        (account.totals.lost, account.totals.doubled, account.otherwise_wrong())
    }
}

#[test]
fn what_is_as_it_was_told_agrees() {
    let mut soak = Soak::of(3);
    soak.answers.push((1, duplicate(1)));
    assert_snapshot!(soak.shown(), @"
    sent 4 = 3 ingested + 1 duplicates + 0 refused
    the database agrees row by row: 3 messages, 3 rows, 3 transactions
    ");
    assert!(soak.account().differences.is_empty());
    assert_eq!(soak.sums(), (0, 0, 0));
}

#[test]
fn a_duplicate_may_be_answered_before_its_original() {
    let mut soak = Soak::of(3);
    soak.answers.insert(0, (2, duplicate(2)));
    assert!(soak.account().differences.is_empty(), "{}", soak.shown());
}

#[test]
fn a_lost_message_is_named() {
    let mut soak = Soak::of(3);
    soak.rows.remove(1);
    soak.payments.remove(1);
    soak.payments.remove(1);
    assert_snapshot!(soak.shown(), @"
    sent 3 = 3 ingested + 0 duplicates + 0 refused
    2 messages do not agree:
      SOAK-00000000-1: lost: no row; lost: no transaction
      SOAK-00000000-2: lost: no transaction
    ");
    assert_eq!(soak.sums(), (2, 0, 0));
}

#[test]
fn a_doubled_message_is_named() {
    let mut soak = Soak::of(3);
    soak.rows.push((0, id(7), 0, true));
    soak.payments.push((0, f64::from(Plan::amount(0)), id(7)));
    soak.answers.push((2, ingested(2)));
    assert_snapshot!(soak.shown(), @"
    sent 4 = 4 ingested + 0 duplicates + 0 refused
    2 messages do not agree:
      SOAK-00000000-0: 2 rows; 2 transactions; its row is 00000000-0000-0000-0000-000000000007, not 00000000-0000-0000-0000-000000000000 as reported; its transaction comes from the row 00000000-0000-0000-0000-000000000007, not 00000000-0000-0000-0000-000000000000 as reported
      SOAK-00000000-2: reported 2 times that it was new
    ");
    assert_eq!(soak.sums(), (0, 1, 1));
}

#[test]
fn a_wrong_amount_is_named() {
    let mut soak = Soak::of(3);
    soak.payments[1].1 = 5.0;
    assert_snapshot!(soak.shown(), @"
    sent 3 = 3 ingested + 0 duplicates + 0 refused
    1 message does not agree:
      SOAK-00000000-1: its transaction's amount is 5, not 53934
    ");
}

#[test]
fn a_row_of_another_device_or_id_is_named() {
    let mut soak = Soak::of(3);
    soak.rows[0].2 = 5;
    soak.rows[1].1 = id(9);
    soak.rows[2].3 = false;
    assert_snapshot!(soak.shown(), @"
    sent 3 = 3 ingested + 0 duplicates + 0 refused
    3 messages do not agree:
      SOAK-00000000-0: its row names another device
      SOAK-00000000-1: its row is 00000000-0000-0000-0000-000000000009, not 00000000-0000-0000-0000-000000000001 as reported
      SOAK-00000000-2: its row does not say that it was understood
    ");
}

#[test]
fn different_answers_are_named() {
    let mut soak = Soak::of(2);
    soak.answers.push((0, duplicate(9)));
    soak.answers.push((1, receipt(Ingest::Duplicate { sms_id: "7".to_owned(), transaction_id: None }, 1)));
    assert_snapshot!(soak.shown(), @"
    sent 4 = 2 ingested + 2 duplicates + 0 refused
    2 messages do not agree:
      SOAK-00000000-0: reported as 00000000-0000-0000-0000-000000000009, and before as 00000000-0000-0000-0000-000000000000
      SOAK-00000000-1: reported as 7, and before as 00000000-0000-0000-0000-000000000001
    ");
}

/// An answer that never came may have been the one that said "new"; one that came to the only request cannot be.
#[test]
fn only_a_lost_answer_explains_that_none_said_new() {
    let mut soak = Soak::of(2);
    soak.answers[0].1 = duplicate(0);
    assert_snapshot!(soak.shown(), @"
    sent 2 = 1 ingested + 1 duplicates + 0 refused
    1 message does not agree:
      SOAK-00000000-0: stored, and no answer said that it was new
    ");
    soak.answers[0].1.tries = 2;
    assert!(soak.account().differences.is_empty(), "{}", soak.shown());
}

#[test]
fn a_send_without_an_answer_is_named_whether_it_arrived_or_not() {
    let mut soak = Soak::of(2);
    soak.answers[0].1 = unanswered();
    soak.answers[1].1 = unanswered();
    soak.rows.remove(1);
    soak.payments.remove(1);
    assert_snapshot!(soak.shown(), @"
    sent 2 = 0 ingested + 0 duplicates + 0 refused + 2 without a definite answer
    2 messages do not agree:
      SOAK-00000000-0: no definite answer: no answer: error sending request: connection refused after 4 requests
      SOAK-00000000-1: no definite answer: no answer: error sending request: connection refused after 4 requests
    ");
}

#[test]
fn a_refused_message_is_named_and_must_not_be_stored() {
    let mut soak = Soak::of(2);
    for (_, receipt) in &mut soak.answers {
        receipt.outcome = Ingest::Refused(harness::IngestRefusal::Key);
        receipt.status = 401.try_into().ok();
        receipt.body = r#"{"success":false,"error":"Unauthorized"}"#.to_owned();
    }
    soak.rows.remove(1);
    soak.payments.remove(1);
    assert_snapshot!(soak.shown(), @r#"
    sent 2 = 0 ingested + 0 duplicates + 2 refused
    2 messages do not agree:
      SOAK-00000000-0: a row, though no answer said so; a transaction, though no answer said so; refused: 401 {"success":false,"error":"Unauthorized"}
      SOAK-00000000-1: refused: 401 {"success":false,"error":"Unauthorized"}
    "#);
}

/// After an interrupt the rest was not sent, and nothing of it may be there.
#[test]
fn what_was_not_sent_is_not_missed() {
    let mut soak = Soak::of(3);
    soak.answers.truncate(2);
    assert_snapshot!(soak.shown(), @"
    sent 2 = 2 ingested + 0 duplicates + 0 refused
    1 message does not agree:
      SOAK-00000000-2: a row, though no answer said so; a transaction, though no answer said so
    ");
    soak.rows.truncate(2);
    soak.payments.truncate(2);
    assert!(soak.account().differences.is_empty(), "{}", soak.shown());
}

#[test]
fn rows_that_nobody_sent_are_named() {
    let soak = Soak::of(1);
    let mut book = Book::new(&soak.plan);
    book.row("Payment of 100 RWF received. Ref: X1", "7", 0, true);
    book.payment("X1", None, "7");
    assert_snapshot!(book.close().to_string(), @"
    sent 0 = 0 ingested + 0 duplicates + 0 refused
    2 messages do not agree:
      a row of a message that nobody sent: 7, Payment of 100 RWF received. Ref: X1
      a transaction of a message that nobody sent: X1
    ");
}

#[test]
fn of_many_the_first_are_named() {
    let mut soak = Soak::of(1_000);
    soak.rows.clear();
    let shown = soak.shown();
    assert_eq!(shown.lines().count(), 23, "{shown}");
    assert!(shown.ends_with("\n  and 980 more"), "{shown}");
}
