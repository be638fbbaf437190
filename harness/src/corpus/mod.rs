//! Messages of Mobile Money providers and what a portal owes to each: `fixtures/sms`, and variants of them by a grammar.

mod grammar;

use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use regex::{Captures, Regex};
use rust_embed::RustEmbed;
use serde::Deserialize;

pub use grammar::{Variant, variants};

/// Part of this crate, so that an archive of the tests needs no folder beside it.
#[derive(RustEmbed)]
#[folder = "../fixtures/sms"]
#[include = "*.toml"]
struct Files;

/// A message and what a portal owes to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// A slug that says what is special about it.
    pub name: String,
    /// What it has in common with other texts of the same provider, version and purpose; none for one that was made up.
    pub structure: Option<String>,
    /// Who the device got it from.
    pub sender: String,
    /// The text, with `{run}`, `{run_lower}` or `{digits}` where every run has something else, and `{at:%H:%M}` where it
    /// says when it happened.
    pub text: String,
    /// How far it has to be read.
    pub owes: Owes,
    /// The rule of a portal that reads it, for one that is owed exactly.
    pub rule: Option<String>,
    /// What it says.
    pub fields: Fields,
    /// When it says that it happened: in its file, where it always says the same, or once it is filled in.
    pub said_at: Option<Timestamp>,
    /// Where its structure was seen.
    pub source: Source,
    /// Its language, as ISO 639-1 calls it.
    pub language: String,
    /// Whose text it is: `mtn`, `airtel`, `bank`, `other`.
    pub provider: String,
    /// The year that the structure is known from.
    pub year: Option<u16>,
    /// What became of the money.
    pub direction: Direction,
}

/// Where the structure of a message was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A phone's export.
    Export,
    /// The tests or documents of a public program that reads such messages.
    Code,
    /// Nowhere: made up.
    Made,
}

/// What became of the money that a message speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Came in, from somebody who pays.
    In,
    /// Went out.
    Out,
    /// Stayed where it was.
    Failed,
    /// Went back.
    Reversed,
    /// A purchase was paid back.
    Refunded,
    /// The payment was called off.
    Cancelled,
    /// Was lent.
    Loan,
    /// Somebody asks for it.
    Request,
    /// A balance.
    Balance,
    /// No money: a code.
    Code,
    /// No money: an offer, a prize.
    Promotion,
    /// Another country's.
    Foreign,
    /// No money: the text is not the provider's.
    Forged,
    /// The text does not say.
    Unclear,
}

/// How far a message has to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owes {
    /// Becomes a transaction with exactly these fields; one that is not named is empty.
    Exact,
    /// May wait, but never becomes a transaction with other fields. A wrong amount is worse than none.
    Safe,
    /// Never becomes a transaction.
    Never,
}

/// What a message says of a payment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fields {
    /// The amount, with two decimals.
    pub amount: Option<String>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// Who paid.
    pub payer_name: Option<String>,
    /// The payer's number, without the country's code; as it stands where it is masked or of another country.
    pub payer_phone: Option<String>,
    /// The provider's id of the payment, in upper case.
    pub transaction_id: Option<String>,
}

/// A message as its file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    structure: Option<String>,
    sender: Option<String>,
    text: String,
    said_at: Option<Timestamp>,
    owes: Owes,
    rule: Option<String>,
    #[serde(default)]
    fields: Fields,
    source: Option<Source>,
    language: Option<String>,
    provider: Option<String>,
    year: Option<u16>,
    direction: Option<Direction>,
}

/// What the messages of a file have in common, unless one says otherwise.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    source: Source,
    language: String,
    provider: String,
    direction: Direction,
    sender: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    about: About,
    message: Vec<Written>,
}

static SAMPLES: LazyLock<Result<Vec<Sample>, String>> = LazyLock::new(read);

fn read() -> Result<Vec<Sample>, String> {
    let mut samples = Vec::new();
    let mut paths: Vec<_> = Files::iter().collect();
    paths.sort();
    for path in paths {
        let file = Files::get(&path).unwrap_or_else(|| unreachable!("{path} is listed"));
        let text = String::from_utf8_lossy(&file.data);
        let read: File = toml::from_str(&text).map_err(|error| format!("fixtures/sms/{path}: {error}"))?;
        for written in read.message {
            let sample = written.of(&read.about);
            sample.check().map_err(|why| format!("fixtures/sms/{path}: {}: {why}", sample.name))?;
            samples.push(sample);
        }
    }
    Ok(samples)
}

impl Written {
    fn of(self, about: &About) -> Sample {
        Sample {
            name: self.name,
            structure: self.structure,
            sender: self.sender.unwrap_or_else(|| about.sender.clone()),
            text: self.text,
            owes: self.owes,
            rule: self.rule,
            fields: self.fields,
            said_at: self.said_at,
            source: self.source.unwrap_or(about.source),
            language: self.language.unwrap_or_else(|| about.language.clone()),
            provider: self.provider.unwrap_or_else(|| about.provider.clone()),
            year: self.year,
            direction: self.direction.unwrap_or(about.direction),
        }
    }
}

/// `{at:%Y-%m-%d %H:%M}`
static AT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\{at:([^}]*)\}").unwrap_or_else(|_| unreachable!()));

/// Where the clocks of the texts are.
const ZONE: &str = "Africa/Kigali";

/// How long a message was on its way.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_hours(5);

impl Sample {
    /// All of them, by file and in the order of the file.
    ///
    /// # Errors
    /// What is wrong with which file.
    pub fn all() -> Result<&'static [Self], String> {
        SAMPLES.as_deref().map_err(Clone::clone)
    }

    fn check(&self) -> Result<(), String> {
        let is_stated = self.fields.amount.is_some() && self.fields.currency.is_some();
        let fits = match self.owes {
            Owes::Exact => self.rule.is_some() && is_stated && self.direction == Direction::In,
            Owes::Safe => self.rule.is_none() && is_stated,
            Owes::Never => self.rule.is_none() && self.fields == Fields::default() && self.direction != Direction::In,
        };
        if !fits {
            return Err(format!("it owes {:?} with other keys than that has", self.owes));
        }
        match (self.source, &self.structure) {
            (Source::Export | Source::Code, None) => Err("its structure has no name".to_owned()),
            _ => Ok(()),
        }
    }

    /// As a run sends it: with something of its own in the ids, some hours after the payment.
    #[must_use]
    pub fn in_run(&self, run: &str, sent: Timestamp) -> Self {
        let (upper, lower, digits) = (run.to_uppercase(), run.to_lowercase(), digits(run));
        let fill =
            |text: &str| text.replace("{run}", &upper).replace("{run_lower}", &lower).replace("{digits}", &digits);
        let mut sample = self.clone();
        let at = (sent - ON_ITS_WAY).to_zoned(TimeZone::get(ZONE).unwrap_or(TimeZone::UTC));
        let at = at.with().subsec_nanosecond(0).build().unwrap_or(at);
        let text = AT.replace_all(&self.text, |found: &Captures<'_>| at.strftime(&found[1]).to_string());
        sample.text = fill(&text);
        sample.fields.transaction_id = self.fields.transaction_id.as_deref().map(fill);
        let second = at.timestamp().as_second();
        let filled =
            self.precision().and_then(|seconds| Timestamp::from_second(second - second.rem_euclid(seconds)).ok());
        sample.said_at = filled.or(self.said_at);
        sample
    }

    /// How exactly the text says when it happened, in seconds.
    fn precision(&self) -> Option<i64> {
        let says = |what: &str| AT.captures_iter(&self.text).any(|found| found[1].contains(what));
        match (says("%S"), says("%M")) {
            (true, _) => Some(1),
            (false, true) => Some(60),
            (false, false) => None,
        }
    }
}

/// Seven digits that a run has for itself.
fn digits(run: &str) -> String {
    let number = run.bytes().fold(7_u64, |number, byte| number.wrapping_mul(131).wrapping_add(byte.into()));
    format!("{:07}", number % 10_000_000)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_many_and_each_is_another() {
        let samples = Sample::all().unwrap();
        assert!(samples.len() >= 260, "{}", samples.len());
        let names: BTreeSet<_> = samples.iter().map(|sample| &sample.name).collect();
        let texts: BTreeSet<_> = samples.iter().map(|sample| sample.text.trim().to_lowercase()).collect();
        assert_eq!((names.len(), texts.len()), (samples.len(), samples.len()));
        for owes in [Owes::Exact, Owes::Safe, Owes::Never] {
            assert!(samples.iter().filter(|sample| sample.owes == owes).count() >= 40, "{owes:?}");
        }
    }

    /// Of each direction, language and provider there is what people really get.
    #[test]
    fn they_are_of_many_real_structures() {
        let samples = Sample::all().unwrap();
        let real = samples.iter().filter(|sample| sample.source != Source::Made);
        let structures: BTreeSet<_> = real.clone().filter_map(|sample| sample.structure.as_deref()).collect();
        assert!(structures.len() >= 60, "{}", structures.len());
        for (direction, at_least) in [
            (Direction::In, 25),
            (Direction::Out, 35),
            (Direction::Failed, 3),
            (Direction::Reversed, 3),
            (Direction::Refunded, 2),
            (Direction::Promotion, 3),
            (Direction::Code, 2),
            (Direction::Foreign, 8),
        ] {
            let found = real.clone().filter(|sample| sample.direction == direction).count();
            assert!(found >= at_least, "{direction:?}: {found}");
        }
        for language in ["en", "fr", "rw"] {
            assert!(samples.iter().filter(|sample| sample.language == language).count() >= 15, "{language}");
        }
        for provider in ["mtn", "airtel", "bank", "other"] {
            assert!(samples.iter().filter(|sample| sample.provider == provider).count() >= 10, "{provider}");
        }
    }

    #[test]
    fn a_time_is_that_of_the_text() {
        let sent: Timestamp = "2026-11-26T12:34:56.789Z".parse().unwrap();
        let of = |text: &str| {
            let mut sample = Sample::all().unwrap()[0].clone();
            sample.text = text.to_owned();
            sample.in_run("00", sent)
        };
        let to_the_second = of("at {at:%Y-%m-%d %H:%M:%S}.");
        assert_eq!(to_the_second.text, "at 2026-11-26 09:34:56.");
        assert_eq!(to_the_second.said_at, Some("2026-11-26T07:34:56Z".parse().unwrap()));
        let to_the_minute = of("on {at:%d/%m/%Y} at {at:%I:%M %p}");
        assert_eq!(to_the_minute.text, "on 26/11/2026 at 09:34 AM");
        assert_eq!(to_the_minute.said_at, Some("2026-11-26T07:34:00Z".parse().unwrap()));
        assert_eq!(of("on {at:%d-%m-%Y}").said_at, None);
    }

    /// Line 244 of the runbook.
    #[test]
    fn the_runbooks_own_sample_is_among_them() {
        let own = "You have received 5000 RWF from 0788000000...";
        assert!(Sample::all().unwrap().iter().any(|sample| sample.text == own && sample.owes == Owes::Safe));
    }

    #[test]
    fn every_run_has_ids_of_its_own() {
        let now = Timestamp::now();
        for sample in Sample::all().unwrap() {
            let (filled, other) = (sample.in_run("0a1b2c3d", now), sample.in_run("0a1b2c3e", now));
            assert!(!filled.text.contains("{run") && !filled.text.contains("{digits"), "{}", filled.text);
            let cut_off = sample.owes != Owes::Exact;
            assert!(
                filled.fields.transaction_id.is_none() || filled.fields != other.fields || cut_off,
                "{}",
                filled.text
            );
        }
    }
}
