//! What a parser makes of an export, by structure: booked, pending, and what it books although no parser may.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::{
    JudgeOptions,
    export::{self, Exported},
    parser::Parser,
    structure,
};
use crate::{
    Error, Exit,
    table::table,
    terminal::{print, say},
};

/// How many texts are read at a time.
const AT_A_TIME: usize = 500;
/// Structures beyond these count as one: an export of nothing but chatter has no end of them.
const STRUCTURES: usize = 5_000;
const OTHERS: &str = "(other texts)";
/// So much of a structure is printed.
const SHOWN: usize = 90;

/// What became of the texts of a structure.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What the embedded parser takes it for.
    pub kind: String,
    pub texts: u64,
    pub booked: u64,
    pub pending: u64,
    /// Laws that were broken, and how often.
    pub wrong: BTreeMap<String, u64>,
}

/// The texts of an export by structure.
#[derive(Debug, Default)]
pub struct Judged {
    pub lines: BTreeMap<String, Line>,
}

impl Judged {
    /// How many texts were booked against a law.
    pub fn wrong(&self) -> u64 {
        self.lines.values().flat_map(|line| line.wrong.values()).sum()
    }

    pub fn add(&mut self, message: &Exported, known: &Value, read: &Value, threshold: f64) {
        let mut structure = structure::of(&message.text);
        if !self.lines.contains_key(&structure) && self.lines.len() >= STRUCTURES {
            OTHERS.clone_into(&mut structure);
        }
        let line = self.lines.entry(structure).or_default();
        line.texts += 1;
        known["kind"].as_str().unwrap_or("unknown").clone_into(&mut line.kind);
        let is_booked = read["matched"] == true && read["confidence"].as_f64().is_some_and(|sure| sure >= threshold);
        // A sender's number keeps any portal from booking; whether it does is not the parser's to say.
        if !is_booked || is_a_person(&message.sender) {
            line.pending += 1;
            return;
        }
        line.booked += 1;
        if let Some(law) = broken_law(&message.text, known, read) {
            *line.wrong.entry(law).or_default() += 1;
        }
    }
}

/// A telephone's number or a mail address, and not a provider's name or short code.
fn is_a_person(sender: &str) -> bool {
    let letters: Vec<_> = sender.chars().filter(char::is_ascii_alphanumeric).collect();
    letters.len() >= 7 && letters.iter().all(char::is_ascii_digit) || sender.contains('@')
}

/// The law that a booking breaks, whatever the parser is like: what is no payment is none, and no field is made up.
pub fn broken_law(text: &str, known: &Value, read: &Value) -> Option<String> {
    let kind = known["kind"].as_str().unwrap_or_default();
    if ["out", "failed", "reversed", "promotion", "code"].contains(&kind) {
        return Some(format!("booked, and it is: {kind}"));
    }
    let plain = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_uppercase();
    let said = plain(&text.replace(',', ""));
    let currency = read["currency"].as_str().unwrap_or_default();
    let francs = ["RWF", "FRW"].iter().any(|name| said.contains(name));
    if currency != "RWF" || !francs {
        return Some("the currency is not what the text says".to_owned());
    }
    let amount = match &read["amount"] {
        Value::String(amount) => amount.clone(),
        other => other.to_string(),
    };
    if !numbers(text).contains(&value(&amount)) {
        return Some("the amount is not in the text".to_owned());
    }
    for (field, what) in [("momo_tx_id", "the id"), ("payer_name", "the payer's name")] {
        if read[field].as_str().is_some_and(|value| !said.contains(&plain(value))) {
            return Some(format!("{what} is not in the text"));
        }
    }
    let phone = read["payer_phone"].as_str().map(plain).unwrap_or_default();
    let phone = phone.strip_prefix('0').unwrap_or(&phone);
    (!phone.is_empty() && !said.contains(phone)).then(|| "the payer's number is not in the text".to_owned())
}

/// The numbers of a text but nought, without separators and needless noughts; where blanks may separate thousands, in
/// both ways.
fn numbers(text: &str) -> BTreeSet<String> {
    let mut runs = vec![String::new()];
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let run = runs.last_mut().filter(|run| !run.is_empty());
        let goes_on = letters.peek().is_some_and(char::is_ascii_digit);
        match (letter, run) {
            ('0'..='9', Some(run)) => run.push(letter),
            ('0'..='9', None) => runs.push(letter.to_string()),
            ('.' | ',', Some(run)) if goes_on => run.push(letter),
            (blank, Some(run)) if blank.is_whitespace() && goes_on => run.push(' '),
            _ => runs.push(String::new()),
        }
    }
    let readings = runs.iter().flat_map(|run| run.split(' ').chain([run.as_str()]));
    readings.filter(|number| number.contains(|digit: char| ('1'..='9').contains(&digit))).map(value).collect()
}

/// A number as it is compared: one or two digits behind its last point or comma are its fraction.
fn value(number: &str) -> String {
    let digits = |text: &str| text.chars().filter(|it| it.is_ascii_digit() || *it == '-').collect::<String>();
    let (whole, fraction) = match number.rsplit_once(['.', ',']) {
        Some((whole, fraction)) if fraction.len() <= 2 => (digits(whole), fraction),
        _ => (digits(number), ""),
    };
    format!("{}.{}", whole.trim_start_matches('0'), fraction.trim_end_matches('0'))
}

pub async fn run(options: &JudgeOptions) -> Result<Exit, Error> {
    let mut embedded = Parser::embedded().await?;
    let mut given = match &options.migrations {
        Some(folder) => Some(Parser::in_migrations(folder, &options.function).await?),
        None => None,
    };
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<Vec<Exported>>(2);
    let path = options.export.clone();
    let reader = tokio::task::spawn_blocking(move || {
        let mut some = Vec::with_capacity(AT_A_TIME);
        let pass = |some: &mut Vec<Exported>| {
            sender.blocking_send(std::mem::take(some)).map_err(|_| Error::from("the parser has ended"))
        };
        let count = export::read(&path, &mut |message| {
            some.push(message);
            if some.len() < AT_A_TIME { Ok(()) } else { pass(&mut some) }
        })?;
        pass(&mut some)?;
        Ok::<_, Error>(count)
    });
    let mut judged = Judged::default();
    while let Some(messages) = receiver.recv().await {
        let texts: Vec<_> = messages.iter().map(|message| message.text.clone()).collect();
        let known = embedded.read(&texts).await?;
        let read = match &mut given {
            Some(parser) => parser.read(&texts).await?,
            None => known.clone(),
        };
        for ((message, known), read) in messages.iter().zip(&known).zip(&read) {
            judged.add(message, known, read, options.threshold);
        }
    }
    let count = reader.await??;
    if options.json {
        let lines: Vec<_> = judged
            .lines
            .iter()
            .map(|(structure, line)| serde_json::json!({"structure": structure, "figures": line}))
            .collect();
        print(&serde_json::to_string_pretty(&serde_json::json!({"messages": count, "structures": lines}))?);
    } else {
        print(&shown(&judged));
    }
    let booked: u64 = judged.lines.values().map(|line| line.booked).sum();
    let wrong = judged.wrong();
    say(&format!(
        "{count} messages of {} structures: {booked} booked, {} pending, {wrong} booked against a law",
        judged.lines.len(),
        count - booked
    ));
    Ok(Exit::of(wrong == 0))
}

/// The structures as a table, what is wrong first, then the most frequent.
fn shown(judged: &Judged) -> String {
    let mut rows = table(&["structure", "kind", "texts", "booked", "pending", "wrong by law"]);
    let mut lines: Vec<_> = judged.lines.iter().collect();
    lines.sort_by_key(|(structure, line)| {
        (std::cmp::Reverse(line.wrong.values().sum::<u64>()), std::cmp::Reverse(line.texts), *structure)
    });
    for (structure, line) in lines {
        let short: String = structure.chars().take(SHOWN).collect();
        let wrong: Vec<_> = line.wrong.iter().map(|(law, count)| format!("{count} × {law}")).collect();
        rows.add_row([
            short,
            line.kind.clone(),
            line.texts.to_string(),
            line.booked.to_string(),
            line.pending.to_string(),
            wrong.join("; "),
        ]);
    }
    rows.to_string()
}
