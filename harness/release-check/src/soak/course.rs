//! The sending of a soak: at most so many a second, at most so many at a time, until all are sent or somebody ends it.

use std::{
    cell::{Cell, RefCell},
    future::pending,
    time::Duration,
};

use futures_util::{Stream, StreamExt, stream};
use harness::{SmsIngest, Writes};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{
    account::Book,
    chaos::Chaos,
    meter::{Latency, Meter, Second},
    plan::Plan,
};
use crate::{Error, terminal::say};

/// So many messages without an answer are an outage, of which nobody learns more by further ones.
const OUTAGE: u32 = 100;

/// How late a timer may be. What begins later than this is not made up for.
const GRAIN: Duration = Duration::from_millis(20);

/// The sends of a plan, and what comes of them.
pub struct Course<'p> {
    plan: &'p Plan,
    writes: Writes<'p>,
    ingest: SmsIngest,
    book: RefCell<Book<'p>>,
    meter: RefCell<Meter>,
    bar: ProgressBar,
    has_given_up: Cell<bool>,
}

/// What came of them.
pub struct Sent<'p> {
    pub book: Book<'p>,
    pub latency: Latency,
    pub seconds: Vec<Second>,
    pub took: Duration,
    /// Nobody answered any more, so the rest was not sent.
    pub has_given_up: bool,
}

impl<'p> Course<'p> {
    pub fn new(plan: &'p Plan, writes: Writes<'p>, ingest: SmsIngest) -> Result<Self, Error> {
        let bar = ProgressBar::new(plan.messages.into());
        bar.set_style(ProgressStyle::with_template("{spinner} {pos}/{len} {wide_bar} {elapsed} {msg}")?);
        let (book, meter) = (RefCell::new(Book::new(plan)), RefCell::new(Meter::new()?));
        Ok(Self { plan, writes, ingest, book, meter, bar, has_given_up: Cell::new(false) })
    }

    /// Sends, until an interrupt. Requests in flight are then waited for, and nothing more is begun.
    ///
    /// # Errors
    /// When trouble that was ordered cannot be made.
    pub async fn run(
        self,
        concurrency: u16,
        rate: u32,
        chaos: Option<(&Chaos<'_>, Duration)>,
        mut interrupt: watch::Receiver<Option<u8>>,
    ) -> Result<Sent<'p>, Error> {
        self.bar.enable_steady_tick(Duration::from_millis(120));
        let end_of_chaos = || chaos.iter().for_each(|(chaos, _)| chaos.end());
        let interrupted = async {
            // The sender lives as long as the process: an error is no interrupt.
            if interrupt.wait_for(Option::is_some).await.is_err() {
                pending::<()>().await;
            }
            end_of_chaos();
            self.bar.suspend(|| say("ending: waiting for requests in flight; press Ctrl-C again to leave at once"));
        };
        let sends = self.sends(Pace::of(rate), &end_of_chaos).take_until(interrupted);
        let sending = sends.for_each_concurrent(usize::from(concurrency), |send| Box::pin(self.send(send, chaos)));
        match chaos {
            None => sending.await,
            Some((chaos, pause)) => tokio::select! {
                () = sending => {}
                Err(error) = chaos.rage(pause) => return Err(error),
            },
        }
        self.bar.finish_and_clear();
        let (book, meter) = (self.book.into_inner(), self.meter.into_inner());
        let took = meter.elapsed();
        let (latency, seconds) = meter.close();
        Ok(Sent { book, latency, seconds, took, has_given_up: self.has_given_up.get() })
    }

    /// The numbers of the sends, each when it may begin.
    fn sends(&self, pace: Pace, at_the_end: &impl Fn()) -> impl Stream<Item = u32> {
        stream::unfold((0, pace), move |(send, mut pace)| async move {
            if send == self.plan.messages || self.has_given_up.get() {
                at_the_end();
                return None;
            }
            pace.wait().await;
            Some((send, (send + 1, pace)))
        })
    }

    async fn send(&self, send: u32, chaos: Option<(&Chaos<'_>, Duration)>) {
        let number = self.plan.original(send);
        let receipt = self.ingest.send(&self.writes, &self.plan.message(number)).await;
        let mut book = self.book.borrow_mut();
        book.answered(number, &receipt);
        self.has_given_up.set(book.unanswered() >= OUTAGE);
        let mut meter = self.meter.borrow_mut();
        if meter.take(receipt.took)
            && let Some(Second { answers, p50, p99, .. }) = meter.last()
        {
            let troubles = chaos.map(|(chaos, _)| format!(", {}", chaos.made())).unwrap_or_default();
            self.bar.set_message(format!("{answers}/s, p50 {p50} ms, p99 {p99} ms{troubles}"));
        }
        self.bar.inc(1);
    }
}

/// When the next send may begin.
struct Pace {
    /// Between two; none as fast as it goes.
    step: Option<Duration>,
    next: Instant,
}

impl Pace {
    /// So many a second; 0 is as fast as it goes.
    fn of(rate: u32) -> Self {
        Self { step: (rate > 0).then(|| Duration::from_secs(1) / rate), next: Instant::now() }
    }

    async fn wait(&mut self) {
        if let Some(begin) = self.begin(Instant::now()) {
            sleep_until(begin).await;
        }
    }

    /// When one that asks now may begin.
    fn begin(&mut self, now: Instant) -> Option<Instant> {
        let step = self.step?;
        // A timer is coarse, so a moment is made up for; after a pause that would be a burst.
        let begin = now.checked_sub(GRAIN).map_or(self.next, |earliest| self.next.max(earliest));
        self.next = begin + step;
        Some(begin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_begin_than_the_rate_allows() {
        let mut pace = Pace::of(1_000);
        let start = pace.next;
        let last = |pace: &mut Pace, now| (0..100).filter_map(|_| pace.begin(now)).last().unwrap();
        assert_eq!(last(&mut pace, start) - start, Duration::from_millis(99));
        let later = start + Duration::from_secs(5);
        assert_eq!(last(&mut pace, later) - later, Duration::from_millis(99) - GRAIN, "a pause is not made up for");
        assert!(Pace::of(0).begin(start).is_none());
    }
}
