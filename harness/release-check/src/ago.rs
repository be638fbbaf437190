//! How long ago something was, in words.

use jiff::Timestamp;

/// `5 minutes ago`, `3 hours ago`, `2 days ago`.
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    format!("{} ago", between(then, now))
}

/// `5 minutes`, `3 hours`, `2 days`, whichever of the two came first.
pub fn between(one: Timestamp, other: Timestamp) -> String {
    let minutes = (other.as_second() - one.as_second()).abs() / 60;
    let (count, unit) = match minutes {
        0..120 => (minutes, "minute"),
        120..2880 => (minutes / 60, "hour"),
        _ => (minutes / 1440, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}
