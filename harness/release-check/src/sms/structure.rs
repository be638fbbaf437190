//! The structure of a text: its provider's words, with whatever is somebody's in it masked. A word is a provider's if the
//! corpus of fixtures/sms has it in a structure.

use std::{collections::BTreeSet, sync::LazyLock};

use harness::Sample;

/// A number, whatever it is.
const NUMBER: &str = "#";
/// A word that is nobody's but the people's.
const WORD: &str = "@";

/// Words of providers, in lower case.
static KNOWN: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let mut known = BTreeSet::new();
    for sample in Sample::all().unwrap_or_default() {
        let Some(_) = &sample.structure else { continue };
        let names = sample.fields.payer_name.as_deref().unwrap_or_default().to_lowercase();
        for word in words(&sample.text).map(str::to_lowercase) {
            // Names of people and shops are in capitals or begin with one; a provider's words come often.
            if !names.contains(&word) {
                known.insert(word);
            }
        }
    }
    // In one text only: a name as a rule.
    let often = |word: &String| {
        let texts = Sample::all().unwrap_or_default().iter().filter(|sample| sample.structure.is_some());
        let has = |text: &str| words(text).any(|other| other.to_lowercase() == *word);
        texts
            .filter(|sample| has(&sample.text))
            .map(|sample| sample.structure.as_deref())
            .collect::<BTreeSet<_>>()
            .len()
            > 1
    };
    known.into_iter().filter(often).collect()
});

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty())
}

/// A text with numbers and people's words masked, and its blanks made one.
pub fn of(text: &str) -> String {
    let mut masked = String::new();
    let mut word = String::new();
    for letter in text.chars().chain(['\0']) {
        if letter.is_alphanumeric() || letter == '\'' {
            word.push(letter);
            continue;
        }
        push(&mut masked, &word);
        word.clear();
        match letter {
            '\0' => {}
            letter if letter.is_whitespace() => {
                if !masked.ends_with(' ') {
                    masked.push(' ');
                }
            }
            // Separators within a number, and masks of one.
            ',' | '.' | '-' | '/' | ':' if masked.ends_with(NUMBER) => masked.push(letter),
            '*' if masked.ends_with('*') => {}
            letter => masked.push(letter),
        }
    }
    collapse(masked.trim())
}

fn push(masked: &mut String, word: &str) {
    let is_known = KNOWN.contains(&word.to_lowercase());
    match word {
        "" => {}
        word if word.chars().any(char::is_numeric) => {
            // Currency and number may be one word.
            let currency: String = word.chars().filter(|letter| letter.is_alphabetic()).collect();
            *masked += match currency.to_uppercase().as_str() {
                "RWF" | "FRW" if word.starts_with(|letter: char| letter.is_numeric()) => "#RWF",
                "RWF" | "FRW" => "RWF#",
                _ => NUMBER,
            };
        }
        word if is_known => *masked += word,
        _ => *masked += WORD,
    }
}

/// Runs of numbers and of people's words are one: a name may have three, a date has six.
fn collapse(masked: &str) -> String {
    let mut text = masked.to_owned();
    for (run, one) in
        [("#,#", "#"), ("#.#", "#"), ("#-#", "#"), ("#/#", "#"), ("#:#", "#"), ("# #", "#"), ("@ @", "@"), ("@-@", "@")]
    {
        while text.contains(run) {
            text = text.replace(run, one);
        }
    }
    text
}
