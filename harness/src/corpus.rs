//! Messages of Mobile Money providers and what a portal owes to each: `fixtures/sms`.

use std::sync::LazyLock;

use rust_embed::RustEmbed;
use serde::Deserialize;

/// Part of this crate, so that an archive of the tests needs no folder beside it.
#[derive(RustEmbed)]
#[folder = "../fixtures/sms"]
#[include = "*.toml"]
struct Files;

/// A message and what a portal owes to it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// A slug that says what is special about it.
    pub name: String,
    /// Who the device got it from.
    #[serde(default = "momo")]
    pub sender: String,
    /// The text, with `{run}` or `{run_lower}` where every run has something else.
    pub text: String,
    /// How far it has to be read.
    pub owes: Owes,
    /// The rule of a portal that reads it, for one that is owed exactly.
    pub rule: Option<String>,
    /// What it says.
    #[serde(default)]
    pub fields: Fields,
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
    /// The payer's number, without the country's code.
    pub payer_phone: Option<String>,
    /// The provider's id of the payment, in upper case.
    pub transaction_id: Option<String>,
}

fn momo() -> String {
    "MoMo".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    message: Vec<Sample>,
}

static SAMPLES: LazyLock<Result<Vec<Sample>, String>> = LazyLock::new(read);

fn read() -> Result<Vec<Sample>, String> {
    let mut samples = Vec::new();
    for path in Files::iter() {
        let file = Files::get(&path).unwrap_or_else(|| unreachable!("{path} is listed"));
        let text = String::from_utf8_lossy(&file.data);
        let read: File = toml::from_str(&text).map_err(|error| format!("fixtures/sms/{path}: {error}"))?;
        for sample in read.message {
            let is_stated = sample.fields.amount.is_some() && sample.fields.currency.is_some();
            let fits = match sample.owes {
                Owes::Exact => sample.rule.is_some() && is_stated,
                Owes::Safe => sample.rule.is_none() && is_stated,
                Owes::Never => sample.rule.is_none() && sample.fields == Fields::default(),
            };
            if !fits {
                return Err(format!(
                    "fixtures/sms/{path}: {} owes {:?} with other keys than that has",
                    sample.name, sample.owes
                ));
            }
            samples.push(sample);
        }
    }
    Ok(samples)
}

impl Sample {
    /// All of them, by file and in the order of the file.
    ///
    /// # Errors
    /// What is wrong with which file.
    pub fn all() -> Result<&'static [Self], String> {
        SAMPLES.as_deref().map_err(Clone::clone)
    }

    /// As a run sends it: with something of its own in the ids.
    #[must_use]
    pub fn in_run(&self, run: &str) -> Self {
        let (upper, lower) = (run.to_uppercase(), run.to_lowercase());
        let fill = |text: &String| text.replace("{run}", &upper).replace("{run_lower}", &lower);
        let mut sample = self.clone();
        sample.text = fill(&self.text);
        sample.fields.transaction_id = self.fields.transaction_id.as_ref().map(fill);
        sample
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_many_and_each_is_another() {
        let samples = Sample::all().unwrap();
        assert!(samples.len() >= 60, "{}", samples.len());
        let names: BTreeSet<_> = samples.iter().map(|sample| &sample.name).collect();
        let texts: BTreeSet<_> = samples.iter().map(|sample| sample.text.trim().to_lowercase()).collect();
        assert_eq!((names.len(), texts.len()), (samples.len(), samples.len()));
        for owes in [Owes::Exact, Owes::Safe, Owes::Never] {
            assert!(samples.iter().filter(|sample| sample.owes == owes).count() >= 10, "{owes:?}");
        }
    }

    /// Line 244 of the runbook.
    #[test]
    fn the_runbooks_own_sample_is_among_them() {
        let own = "You have received 5000 RWF from 0788000000...";
        assert!(Sample::all().unwrap().iter().any(|sample| sample.text == own && sample.owes == Owes::Safe));
    }

    #[test]
    fn every_run_has_ids_of_its_own() {
        for sample in Sample::all().unwrap() {
            let filled = sample.in_run("0a1b2c3d");
            assert!(!filled.text.contains("{run"), "{}", filled.text);
            if let Some(id) = filled.fields.transaction_id {
                assert!(id.contains("0A1B2C3D"), "{id}");
            }
        }
    }
}
