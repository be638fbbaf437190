//! A panic within a check is an outcome like others, and shows no secret.

use std::{
    any::Any,
    cell::RefCell,
    future::poll_fn,
    panic::{self, AssertUnwindSafe, PanicHookInfo},
    pin::pin,
    sync::Once,
    task::Poll,
    thread,
};

use crate::{
    failure::{Failure, Verdict},
    redaction,
};

thread_local! {
    /// Where this thread panicked last, and what it said.
    static LAST: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
}

/// From now on panics of this process are reported without secrets.
pub(crate) fn report_without_secrets() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| panic::set_hook(Box::new(report)));
}

#[expect(
    clippy::print_stderr,
    reason = "where the standard library reports panics, and the test runner looks for them"
)]
fn report(panic: &PanicHookInfo<'_>) {
    let said = redaction::redactor().clean(panic.payload_as_str().unwrap_or("(it said nothing)"));
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = thread::current();
    eprintln!("\nthread '{}' panicked at {place}:\n{said}", thread.name().unwrap_or("<unnamed>"));
    LAST.with(|last| *last.borrow_mut() = Some((place, said)));
}

/// The verdict of a check's body; a panic in it says nothing of the portal.
///
/// # Errors
/// As the body; not run when it panicked.
pub(crate) async fn caught(body: impl Future<Output = Verdict>) -> Verdict {
    let mut body = pin!(body);
    let ended = poll_fn(|context| match panic::catch_unwind(AssertUnwindSafe(|| body.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(verdict)) => Poll::Ready(Ok(verdict)),
        Err(panic) => Poll::Ready(Err(panic)),
    });
    ended.await.unwrap_or_else(|panic| Err(failure(panic.as_ref())))
}

fn failure(panic: &(dyn Any + Send)) -> Failure {
    let own = || {
        let text = panic.downcast_ref::<&str>().map(ToString::to_string);
        text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
    };
    let (place, said) = LAST.with(|last| last.borrow_mut().take()).unwrap_or_else(|| (String::new(), own()));
    Failure::not_run("the check itself broke off: it says nothing of the portal")
        .seen(format!("a panic: {said}"))
        .at(place)
        .advice("report it with this text; the other checks of the run are not affected")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_not_run_and_says_where_and_why_without_secrets() {
        report_without_secrets();
        let key = "Pn17-a-key-that-only-this-test-knows";
        redaction::know([key.to_owned()], []);
        let failure = caught(async { panic!("no row for {key}") }).await.unwrap_err();
        let text = failure.to_string().replace('\\', "/");
        let line = regex::Regex::new(r"panics\.rs:\d+:\d+").unwrap();
        insta::assert_snapshot!(line.replace(&text, "panics.rs:1:1"), @"
        not run  the check itself broke off: it says nothing of the portal
          seen      a panic: no row for [secret]
          where     harness/src/panics.rs:1:1
          do        report it with this text; the other checks of the run are not affected
        ");
    }

    #[tokio::test]
    async fn what_does_not_panic_is_left_alone() {
        assert_eq!(caught(async { Ok(()) }).await, Ok(()));
        let failed = Failure::failed("it works");
        assert_eq!(caught(async { Err(Failure::failed("it works")) }).await, Err(failed));
    }
}
