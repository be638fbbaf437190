//! Candidates for the corpus out of an export: the structures, with invented names and numbers. What each owes is for a
//! person to say; until then nothing of it may be booked wrongly.

use std::{collections::BTreeMap, fmt::Write as _, io::Write as _, path::Path};

use serde_json::Value;

use super::{AnonymiseOptions, export, parser::Parser, structure};
use crate::{Error, Exit, Usage, terminal::say};

/// Structures beyond these are left out.
const STRUCTURES: usize = 2_000;
const NAMES: &[&str] = &["KEZA", "Mutsinzi", "UWERA", "Bosco", "Gatera", "OLGA", "Nshuti", "IREBE", "Divine", "Hugo"];

pub async fn run(options: &AnonymiseOptions) -> Result<Exit, Error> {
    if options.to.exists() {
        return Err(Usage::error(format!(
            "{} exists already\nname a file that does not: --to FILE",
            options.to.display()
        )));
    }
    let mut kept: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let count = export::read(&options.export, &mut |message| {
        let structure = structure::of(&message.text);
        if kept.len() < STRUCTURES || kept.contains_key(&structure) {
            let texts = kept.entry(structure).or_default();
            if texts.len() < options.each {
                let text = invented(&message.text, texts.len());
                if !texts.contains(&text) {
                    texts.push(text);
                }
            }
        }
        Ok(())
    })?;
    let texts: Vec<_> = kept.values().flatten().cloned().collect();
    let read = Parser::embedded().await?.read(&texts).await?;
    let mut written = String::from(
        "# Candidates out of a phone's export, with invented names and numbers: say what each owes.\n\n[about]\nsource = \"export\"\nlanguage = \"en\"\nprovider = \"mtn\"\ndirection = \"unclear\"\nsender = \"M-Money\"\n",
    );
    let mut read = read.iter();
    for (number, texts) in kept.values().enumerate() {
        for (at, text) in texts.iter().enumerate() {
            candidate(&mut written, number + 1, at + 1, text, read.next().unwrap_or(&Value::Null))?;
        }
    }
    whole(&options.to, &written)?;
    say(&format!(
        "{}: {} candidates of {} structures, of {count} messages",
        options.to.display(),
        texts.len(),
        kept.len()
    ));
    Ok(Exit::Passed)
}

fn candidate(written: &mut String, structure: usize, at: usize, text: &str, read: &Value) -> Result<(), Error> {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    writeln!(written, "\n[[message]]\nname = \"candidate_{structure}_{at}\"\nstructure = \"candidate-{structure}\"")?;
    writeln!(written, "text = {}", quoted(text))?;
    if read["kind"] != "received" || read["matched"] != true {
        writeln!(written, "owes = \"never\"")?;
        return Ok(());
    }
    writeln!(written, "direction = \"in\"\nowes = \"safe\"")?;
    let amount = read["amount"].as_f64().map(|amount| format!("{amount:.2}")).unwrap_or_default();
    let mut fields = vec![format!("amount = \"{amount}\""), "currency = \"RWF\"".to_owned()];
    for (name, column) in
        [("payer_name", "payer_name"), ("payer_phone", "payer_phone"), ("transaction_id", "momo_tx_id")]
    {
        fields.extend(read[column].as_str().map(|value| format!("{name} = {}", quoted(value))));
    }
    writeln!(written, "fields = {{ {} }}", fields.join(", "))?;
    Ok(())
}

/// A text of the same structure that is nobody's: each digit another one, each word that is no provider's a name.
pub fn invented(text: &str, variant: usize) -> String {
    // Masked and shown letter by letter: what stays in the structure stays in the text.
    let mut invented = String::with_capacity(text.len());
    let (mut word, mut seed) = (String::new(), 7 + 13 * variant);
    for letter in text.chars().chain(['\0']) {
        if letter.is_alphanumeric() || letter == '\'' {
            word.push(letter);
            continue;
        }
        invented += &replaced(&word, &mut seed);
        word.clear();
        if letter != '\0' {
            invented.push(letter);
        }
    }
    invented
}

fn replaced(word: &str, seed: &mut usize) -> String {
    let mut next = |below: usize| {
        *seed = (*seed * 1_103 + 12_345) % 1_000_003;
        *seed % below
    };
    if word.is_empty() {
        return String::new();
    }
    if word.chars().any(char::is_numeric) {
        // Dates stay dates and numbers stay numbers of this country: their first digits are kept.
        let mut digits = 0;
        let first = if word.len() >= 9 { 4 } else { 2 };
        let other = word.chars().map(|letter| match letter {
            letter if letter.is_ascii_digit() => {
                digits += 1;
                let kept = digits <= first || word.len() <= 2 || (word.len() == 4 && word.starts_with("20"));
                if kept { letter } else { char::from(b'0' + u8::try_from(next(10)).unwrap_or(0)) }
            }
            letter
                if letter.is_alphabetic() && !["RWF", "FRW"].iter().any(|name| word.to_uppercase().contains(name)) =>
            {
                char::from(b'A' + u8::try_from(next(26)).unwrap_or(0))
            }
            letter => letter,
        });
        return other.collect();
    }
    match structure::of(word).as_str() {
        "@" => NAMES[next(NAMES.len())].to_owned(),
        _ => word.to_owned(),
    }
}

/// Writes a file as a whole or not at all.
fn whole(path: &Path, text: &str) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let wrong = |error: std::io::Error| Usage::error(format!("{}: {error}\ncheck --to", folder.display()));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(wrong)?;
    file.write_all(text.as_bytes())?;
    file.persist_noclobber(path).map_err(|error| wrong(error.error))?;
    Ok(())
}
