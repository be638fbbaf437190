//! What happens to the clock while a check runs: the day that it speaks of may end, and somebody may set the time.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

/// How far wall clock and running time may part before the clock was set: adjustments of NTP are far below.
const STEP: SignedDuration = SignedDuration::from_secs(2);

/// The day on which a check began, in the portal's time zone.
#[derive(Debug)]
pub(crate) struct Clock {
    zone: TimeZone,
    began: Timestamp,
    since: Instant,
}

impl Clock {
    pub fn start(zone: TimeZone) -> Self {
        Self { zone, began: Timestamp::now(), since: Instant::now() }
    }

    /// What happened to it since, if anything did.
    pub fn disturbance(&self) -> Option<String> {
        self.disturbed(Timestamp::now(), self.since.elapsed())
    }

    fn disturbed(&self, now: Timestamp, ran: Duration) -> Option<String> {
        let date = |at: Timestamp| -> Date { at.to_zoned(self.zone.clone()).date() };
        let ran = SignedDuration::try_from(ran).unwrap_or(SignedDuration::MAX);
        let step = now.duration_since(self.began).saturating_sub(ran);
        if step.abs() > STEP {
            return Some(format!("the clock of this machine was set by {:+.0} s meanwhile", step.as_secs_f64()));
        }
        let (began, now) = (date(self.began), date(now));
        (began != now).then(|| format!("{began} became {now} meanwhile"))
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use rstest::rstest;

    use super::*;

    fn disturbed(zone: &str, began: &str, now: &str, ran: u64) -> String {
        let clock = Clock { zone: TimeZone::get(zone).unwrap(), began: began.parse().unwrap(), since: Instant::now() };
        clock.disturbed(now.parse().unwrap(), Duration::from_secs(ran)).unwrap_or_default()
    }

    #[rstest]
    #[case::within_a_day("Africa/Kigali", "2026-11-26T10:00:00Z", "2026-11-26T10:00:09Z", 9)]
    #[case::midnight_elsewhere("Africa/Kigali", "2026-11-26T23:59:58Z", "2026-11-27T00:00:03Z", 5)]
    #[case::summer_time_begins("Europe/Berlin", "2026-03-29T00:59:58Z", "2026-03-29T01:00:03Z", 5)]
    #[case::slowed_by_ntp("UTC", "2026-11-26T10:00:00Z", "2026-11-26T10:00:59Z", 60)]
    fn nothing_happened(#[case] zone: &str, #[case] began: &str, #[case] now: &str, #[case] ran: u64) {
        assert_eq!(disturbed(zone, began, now, ran), "");
    }

    #[test]
    fn midnight_in_the_portals_zone() {
        let text = disturbed("Africa/Kigali", "2026-11-30T21:59:58Z", "2026-11-30T22:00:03Z", 5);
        assert_snapshot!(text, @"2026-11-30 became 2026-12-01 meanwhile");
    }

    #[test]
    fn a_clock_that_was_set() {
        let at = |now: &str| disturbed("UTC", "2026-11-26T10:00:00Z", now, 5);
        assert_snapshot!(at("2026-11-26T11:00:05Z"), @"the clock of this machine was set by +3600 s meanwhile");
        assert_snapshot!(at("2026-11-26T09:59:05Z"), @"the clock of this machine was set by -60 s meanwhile");
    }
}
