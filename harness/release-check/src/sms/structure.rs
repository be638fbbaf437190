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
    let samples = Sample::all().unwrap_or_default();
    let names = samples.iter().filter_map(|sample| sample.fields.payer_name.as_deref());
    let names: BTreeSet<_> = names.flat_map(words).map(str::to_lowercase).collect();
    let structured = samples.iter().filter(|sample| sample.structure.is_some());
    let known: BTreeSet<_> = structured.flat_map(|sample| words(&sample.text)).map(str::to_lowercase).collect();
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
    known.into_iter().filter(|word| !names.contains(word)).filter(often).collect()
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
