//! Which messages a soak sends: the k-th is computed from k alone, so that none has to be remembered.

use std::str::FromStr;

use harness::Message;
use jiff::{SignedDuration, Timestamp, Unit, tz::TimeZone};

/// Devices that messages come from. The endpoint counts messages in the device's row, so one device would be a queue.
pub const DEVICES: usize = 8;

/// Who they say that they are from.
const SENDER: &str = "MoMo";

/// The share of messages that were sent before, in hundredths of a percent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share(u64);

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let percent: Option<f64> = text.strip_suffix('%').unwrap_or(text).trim().parse().ok();
        match percent.filter(|percent| (0.0..=100.0).contains(percent)) {
            Some(percent) => Ok(Self((percent * 100.0).round() as u64)),
            None => Err("a share is a number from 0% to 100%, such as 10%".to_owned()),
        }
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} %", self.0 as f64 / 100.0)
    }
}

/// The messages of one soak.
#[derive(Debug)]
pub struct Plan {
    /// What their ids begin with, so that those of two soaks differ.
    pub run: String,
    /// How many sends there are, duplicates included.
    pub messages: u32,
    /// How many of the sends repeat an earlier one.
    pub duplicates: Share,
    /// Identifiers of the devices.
    pub devices: Vec<String>,
    /// When the first message was received; the others follow a millisecond apart.
    pub begin: Timestamp,
}

impl Plan {
    /// A plan whose messages begin now.
    pub fn of(run: &str, messages: u32, duplicates: Share) -> Self {
        let devices = (0..DEVICES).map(|device| format!("SOAK-{run}-{device}")).collect();
        // Whole seconds, for times that are written alike.
        let begin = Timestamp::now().round(Unit::Second).unwrap_or(Timestamp::UNIX_EPOCH);
        Self { run: run.to_owned(), messages, duplicates, devices, begin }
    }

    /// Which message the `send`-th send carries: the one of this number, or one that was sent before.
    pub fn original(&self, send: u32) -> u32 {
        let mut original = send;
        loop {
            let dice = mixed(original);
            if original == 0 || dice % 10_000 >= self.duplicates.0 {
                return original;
            }
            original = u32::try_from(dice / 10_000 % u64::from(original)).unwrap_or_default();
        }
    }

    /// The message with this number.
    pub fn message(&self, number: u32) -> Message {
        let received_at = self.begin + SignedDuration::from_millis(number.into());
        Message {
            device: self.devices.get(Self::device(number)).cloned().unwrap_or_default(),
            sender: SENDER.to_owned(),
            text: self.text(number),
            received_at: received_at.to_zoned(TimeZone::UTC),
            sim_slot: Some(1),
            message_id: None,
        }
    }

    /// Which device it comes from.
    pub fn device(number: u32) -> usize {
        number as usize % DEVICES
    }

    /// The amount, in RWF.
    pub fn amount(number: u32) -> u32 {
        100 + u32::try_from(mixed(number) >> 32).unwrap_or_default() % 99_900
    }

    /// The provider's id of its payment.
    pub fn id(&self, number: u32) -> String {
        format!("{}{number}", self.mark())
    }

    /// The text, which every rule of a parser of payments reads.
    pub fn text(&self, number: u32) -> String {
        let (amount, id) = (Self::amount(number), self.id(number));
        format!("You have received {amount} RWF from SOAK TEST (0788999999). Txn ID: {id}")
    }

    /// The number of the message that has this id.
    pub fn number(&self, id: &str) -> Option<u32> {
        let number = id.strip_prefix(&self.mark())?.parse().ok()?;
        (number < self.messages && self.id(number) == id).then_some(number)
    }

    /// The number of the message with this text.
    pub fn number_of_text(&self, text: &str) -> Option<u32> {
        let number = self.number(text.rsplit(' ').next()?)?;
        (self.text(number) == text).then_some(number)
    }

    fn mark(&self) -> String {
        format!("SOAK-{}-", self.run.to_uppercase())
    }
}

/// Well mixed bits of a number (the finalizer of SplitMix64).
fn mixed(number: u32) -> u64 {
    let mut bits = (u64::from(number) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use insta::assert_snapshot;

    use super::*;

    pub fn plan(messages: u32, duplicates: &str) -> Plan {
        let plan = Plan::of("00000000", messages, duplicates.parse().unwrap());
        Plan { begin: "2026-01-07T12:00:00Z".parse().unwrap(), ..plan }
    }

    #[test]
    fn a_duplicate_is_a_message_that_was_sent_before() {
        let plan = plan(20_000, "10%");
        let mut sent = BTreeSet::new();
        for send in 0..plan.messages {
            let original = plan.original(send);
            assert!(original == send || sent.contains(&original), "{send} repeats {original}");
            sent.insert(original);
        }
        let duplicates = plan.messages as usize - sent.len();
        assert!((1_800..2_200).contains(&duplicates), "{duplicates}");
    }

    #[test]
    fn the_shares_that_there_are() {
        let originals = |share: &str| {
            let plan = plan(1_000, share);
            (0..plan.messages).filter(|send| plan.original(*send) == *send).count()
        };
        assert_eq!((originals("0%"), originals("100")), (1_000, 1));
        for wrong in ["-1%", "101%", "", "ten"] {
            assert!(wrong.parse::<Share>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_message_is_told_by_its_text() {
        let plan = plan(20, "0%");
        let message = plan.message(17);
        assert_snapshot!(message.body().to_string(), @r#"{"device_identifier":"SOAK-00000000-1","sender_phone":"MoMo","sms_text":"You have received 17476 RWF from SOAK TEST (0788999999). Txn ID: SOAK-00000000-17","received_at":"2026-01-07T12:00:00.017+00:00","sim_slot":1}"#);
        assert_eq!(plan.message(17), message);
        assert_eq!(plan.number_of_text(&message.text), Some(17));
        assert_eq!(plan.number_of_text(&message.text.replace("RWF", "USD")), None);
        for foreign in ["SOAK-00000001-17", "SOAK-00000000-20", "SOAK-00000000-017", "SOAK-00000000-", ""] {
            assert_eq!(plan.number(foreign), None, "{foreign}");
        }
    }
}
