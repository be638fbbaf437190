//! How long answers took: over the whole soak, and second by second. Memory grows with the seconds, not the answers.

use std::time::{Duration, Instant};

use hdrhistogram::{CreationError, Histogram};
use serde::Serialize;

/// From a microsecond to ten minutes, to three digits.
const LONGEST: u64 = 600_000_000;

/// Latencies, in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Latency {
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
}

/// The answers of one second.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Second {
    /// Since the start.
    pub second: u64,
    pub answers: u64,
    /// In milliseconds.
    pub p50: f64,
    pub p99: f64,
}

/// Takes the time of every message.
pub struct Meter {
    start: Instant,
    all: Histogram<u64>,
    now: Histogram<u64>,
    /// The second that `now` is of.
    second: u64,
    seconds: Vec<Second>,
}

impl Meter {
    pub fn new() -> Result<Self, CreationError> {
        let histogram = || Histogram::new_with_bounds(1, LONGEST, 3);
        Ok(Self { start: Instant::now(), all: histogram()?, now: histogram()?, second: 0, seconds: Vec::new() })
    }

    /// Takes an answer that came now. True when a second is over.
    pub fn take(&mut self, took: Duration) -> bool {
        let second = self.start.elapsed().as_secs();
        let is_over = second != self.second;
        if is_over {
            self.close_second();
            self.second = second;
        }
        let took = u64::try_from(took.as_micros()).unwrap_or(LONGEST);
        self.all.saturating_record(took);
        self.now.saturating_record(took);
        is_over
    }

    fn close_second(&mut self) {
        if !self.now.is_empty() {
            let (p50, p99) = (milliseconds(&self.now, 0.5), milliseconds(&self.now, 0.99));
            self.seconds.push(Second { second: self.second, answers: self.now.len(), p50, p99 });
        }
        self.now.reset();
    }

    /// The last second that is over.
    pub fn last(&self) -> Option<Second> {
        self.seconds.last().copied()
    }

    /// Since the start.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// What there was to see.
    pub fn close(mut self) -> (Latency, Vec<Second>) {
        self.close_second();
        let latency = Latency {
            p50: milliseconds(&self.all, 0.5),
            p95: milliseconds(&self.all, 0.95),
            p99: milliseconds(&self.all, 0.99),
            max: milliseconds(&self.all, 1.0),
        };
        (latency, self.seconds)
    }
}

fn milliseconds(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    (histogram.value_at_quantile(quantile) as f64 / 100.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_answers() {
        let mut meter = Meter::new().unwrap();
        (1..=100).for_each(|answer| {
            meter.take(Duration::from_millis(answer));
        });
        let (latency, seconds) = meter.close();
        assert_eq!((latency.p50, latency.p95, latency.p99, latency.max), (50.0, 95.0, 99.0, 100.0));
        assert_eq!(seconds.iter().map(|second| second.answers).sum::<u64>(), 100);
    }
}
