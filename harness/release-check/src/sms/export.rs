//! A phone's export as a stream of messages. Whatever its size, no more than one message of it is in memory, and no more
//! than [`LONGEST`] of what ends nowhere.

use std::{
    cell::Cell,
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    rc::Rc,
};

use quick_xml::{Reader, events::BytesStart, events::Event};
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::{Error, Usage};

/// A message that the phone received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Who sent it.
    pub sender: String,
    /// What it says.
    pub text: String,
}

/// What is done with each message.
pub type Each<'e> = &'e mut dyn FnMut(Exported) -> Result<(), Error>;

/// Names of the fields, as programs that export messages call them.
const SENDERS: &[&str] = &["address", "sender", "from", "number", "phone", "sender_phone"];
const TEXTS: &[&str] = &["body", "text", "message", "content", "sms_text"];
const KINDS: &[&str] = &["type"];
/// Names of the list, where a JSON object holds it.
const LISTS: &[&str] = &["messages", "smses", "sms", "data"];

/// Longest that a message, or the picture beside it, may be. A text without its closing quote goes on to the file's end.
pub const LONGEST: usize = 16 << 20;

const FORMS: &str = "expected the XML of \"SMS Backup & Restore\", a CSV with the columns address and body, or a JSON list of \
                     objects with these keys";

/// Reads an export; answers how many received messages it has.
///
/// # Errors
/// What is wrong with the file, and where; or the error of `each`.
pub fn read(path: &Path, each: Each<'_>) -> Result<u64, Error> {
    let file =
        File::open(path).map_err(|error| Usage::error(format!("{}: {error}\ncheck --export", path.display())))?;
    read_from(file, path, each)
}

/// The same of what stands in the file.
pub fn read_from(file: impl Read, path: &Path, each: Each<'_>) -> Result<u64, Error> {
    let at = Rc::new(At { line: Cell::new(1), unended: Cell::new(0) });
    let mut input = Lines { inner: BufReader::with_capacity(1 << 16, file), at: Rc::clone(&at) };
    let mut counted = 0;
    let mut each = |message: Exported| {
        counted += 1;
        each(message)
    };
    let read = match first_letter(&mut input) {
        Ok(None) => Err(Wrong::new("the file is empty")),
        Ok(Some(b'<')) => xml(input, &at, &mut each),
        Ok(Some(b'[' | b'{')) => json(input, &at, &mut each),
        Ok(Some(_)) => csv(input, &at, &mut each),
        Err(error) => Err(error.into()),
    };
    let place = |wrong: &Wrong| match wrong.line.unwrap_or(at.line.get()) {
        0 => path.display().to_string(),
        line => format!("{}:{line}", path.display()),
    };
    match read {
        Ok(()) if counted == 0 => {
            Err(Usage::error(format!("{}: there is no received message in it\n{FORMS}", path.display())))
        }
        Ok(()) => Ok(counted),
        Err(Wrong { own: Some(error), .. }) => Err(error),
        Err(wrong) => Err(Usage::error(format!("{}: {}\n{FORMS}", place(&wrong), wrong.what))),
    }
}

/// What is wrong with a file.
struct Wrong {
    what: String,
    /// Where the reader says, instead of how far the file was read.
    line: Option<u64>,
    /// An error that is not the file's.
    own: Option<Error>,
}

impl Wrong {
    fn new(what: impl fmt::Display) -> Self {
        Self { what: what.to_string(), line: None, own: None }
    }

    fn at(what: impl fmt::Display, line: u64) -> Self {
        Self { line: Some(line), ..Self::new(what) }
    }

    fn own(error: Error) -> Self {
        Self { own: Some(error), ..Self::new("") }
    }
}

impl From<io::Error> for Wrong {
    fn from(error: io::Error) -> Self {
        Self::new(error)
    }
}

/// How far a file was read.
struct At {
    line: Cell<u64>,
    /// What was read since the last message ended.
    unended: Cell<usize>,
}

impl At {
    fn ended(&self) {
        self.unended.set(0);
    }
}

/// A reader that knows where it is, and reads no further than a message may go.
struct Lines<R> {
    inner: BufReader<R>,
    at: Rc<At>,
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let taken = available.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&available[..taken]);
        self.consume(taken);
        Ok(taken)
    }
}

impl<R: Read> BufRead for Lines<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at.unended.get() > LONGEST {
            return Err(io::Error::other(format!("a message is longer than {} MB: its end is missing", LONGEST >> 20)));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, taken: usize) {
        let lines = self.inner.buffer().iter().take(taken).filter(|byte| **byte == b'\n').count();
        self.at.line.set(self.at.line.get() + lines as u64);
        self.at.unended.set(self.at.unended.get() + taken);
        self.inner.consume(taken);
    }
}

/// The first letter behind a byte order mark and blanks, which stay to be read but for the mark.
fn first_letter(input: &mut impl BufRead) -> io::Result<Option<u8>> {
    if input.fill_buf()?.starts_with(b"\xEF\xBB\xBF") {
        input.consume(3);
    }
    loop {
        let (blanks, letter) = {
            let buffer = input.fill_buf()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            (buffer.len(), buffer.iter().position(|byte| !byte.is_ascii_whitespace()).map(|at| (at, buffer[at])))
        };
        match letter {
            Some((at, letter)) => {
                input.consume(at);
                return Ok(Some(letter));
            }
            None => input.consume(blanks),
        }
    }
}

// --------------------------------------------------------------------------------------------------------------- XML

fn xml(input: impl BufRead, at: &At, each: &mut dyn FnMut(Exported) -> Result<(), Error>) -> Result<(), Wrong> {
    let mut reader = Reader::from_reader(input);
    let (mut buffer, mut root, mut open) = (Vec::new(), None::<String>, 0_u32);
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer).map_err(|error| match error {
            quick_xml::Error::Io(error) => Wrong::new(error),
            other => Wrong::new(other),
        })?;
        at.ended();
        let (element, is_start) = match event {
            Event::Start(element) => (element, true),
            Event::Empty(element) => (element, false),
            Event::End(_) => {
                open = open.saturating_sub(1);
                continue;
            }
            Event::Eof if root.is_none() => return Err(Wrong::new("it has no element")),
            Event::Eof if open > 0 => {
                return Err(Wrong::new("the file ends before its last element does: it was cut off"));
            }
            Event::Eof => return Ok(()),
            _ => continue,
        };
        open += u32::from(is_start);
        let name = String::from_utf8_lossy(element.local_name().as_ref()).into_owned();
        if root.is_none() {
            if name != "smses" {
                return Err(Wrong::new(format!("its root is <{name}> and not <smses>")));
            }
            root = Some(name);
        } else if name == "sms"
            && let Some(message) = sms(&element)?
        {
            each(message).map_err(Wrong::own)?;
        }
    }
}

/// A message of the inbox.
fn sms(element: &BytesStart<'_>) -> Result<Option<Exported>, Wrong> {
    let (mut sender, mut text, mut kind) = (None, None, None);
    for attribute in element.attributes() {
        let attribute = attribute.map_err(Wrong::new)?;
        let name = String::from_utf8_lossy(attribute.key.as_ref()).into_owned();
        let place = [(SENDERS, &mut sender), (TEXTS, &mut text), (KINDS, &mut kind)]
            .into_iter()
            .find(|(names, _)| names.contains(&name.as_str()));
        if let Some((_, place)) = place {
            let value = std::str::from_utf8(&attribute.value)
                .map_err(|_| Wrong::new(format!("the attribute {name} is not UTF-8")))?;
            *place = Some(unescaped(value)?);
        }
    }
    let missing = |name: &str| Wrong::new(format!("an <sms> has no {name}"));
    if kind.is_some_and(|kind| kind != "1") {
        return Ok(None);
    }
    Ok(Some(Exported { sender: sender.ok_or_else(|| missing("address"))?, text: text.ok_or_else(|| missing("body"))? }))
}

/// Without its references. Some programs write a letter beyond the basic plane as two references to surrogates.
fn unescaped(value: &str) -> Result<String, Wrong> {
    let (mut text, mut rest) = (String::with_capacity(value.len()), value);
    let mut high = None::<u16>;
    while let Some((before, behind)) = rest.split_once('&') {
        text += before;
        let (name, behind) = behind
            .split_once(';')
            .filter(|(name, _)| name.len() < 12)
            .ok_or_else(|| Wrong::new("a \"&\" is no reference"))?;
        rest = behind;
        let number = match name.strip_prefix('#') {
            Some(hex) if hex.starts_with(['x', 'X']) => u32::from_str_radix(&hex[1..], 16).ok(),
            Some(decimal) => decimal.parse().ok(),
            None => {
                text.push(match name {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    "quot" => '"',
                    "apos" => '\'',
                    _ => return Err(Wrong::new(format!("&{name}; is no reference"))),
                });
                continue;
            }
        };
        let number = number.ok_or_else(|| Wrong::new(format!("&{name}; is no reference")))?;
        match (high.take(), u16::try_from(number)) {
            (_, Ok(unit @ 0xD800..=0xDBFF)) => high = Some(unit),
            (Some(high), Ok(low @ 0xDC00..=0xDFFF)) => text.extend(char::decode_utf16([high, low]).flatten()),
            _ => text.push(char::from_u32(number).unwrap_or('\u{FFFD}')),
        }
    }
    text += rest;
    Ok(text)
}

// --------------------------------------------------------------------------------------------------------------- CSV

fn csv(input: impl Read, at: &At, each: &mut dyn FnMut(Exported) -> Result<(), Error>) -> Result<(), Wrong> {
    let mut reader = csv::ReaderBuilder::new().from_reader(input);
    let wrong = |error: csv::Error| {
        let line = error.position().map(csv::Position::line);
        Wrong { line, ..Wrong::new(error.into_kind_text()) }
    };
    let headers = reader.headers().map_err(wrong)?.clone();
    let column =
        |names: &[&str]| headers.iter().position(|header| names.contains(&header.trim().to_lowercase().as_str()));
    let (Some(sender), Some(text)) = (column(SENDERS), column(TEXTS)) else {
        return Err(Wrong::at("it has no columns of the sender and the text", 1));
    };
    let kind = column(KINDS);
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(wrong)? {
        at.ended();
        let field = |at: usize| record.get(at).unwrap_or_default().to_owned();
        if kind.is_none_or(|kind| ["", "1", "inbox", "received"].contains(&field(kind).to_lowercase().as_str())) {
            each(Exported { sender: field(sender), text: field(text) }).map_err(Wrong::own)?;
        }
    }
    Ok(())
}

/// What is wrong with a line, without its content.
trait KindText {
    fn into_kind_text(self) -> String;
}

impl KindText for csv::Error {
    fn into_kind_text(self) -> String {
        match self.into_kind() {
            csv::ErrorKind::Utf8 { .. } => "the line is not UTF-8".to_owned(),
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!("the line has {len} fields and the first one {expected_len}")
            }
            csv::ErrorKind::Io(error) => error.to_string(),
            _ => "the line cannot be read".to_owned(),
        }
    }
}

// -------------------------------------------------------------------------------------------------------------- JSON

fn json(input: impl Read, at: &At, each: &mut dyn FnMut(Exported) -> Result<(), Error>) -> Result<(), Wrong> {
    let mut own = None;
    let mut reader = serde_json::Deserializer::from_reader(input);
    let mut read = Top { each, at, own: &mut own }.deserialize(&mut reader);
    // One object in each line.
    while read.is_ok() && reader.end().is_err() {
        read = Top { each, at, own: &mut own }.deserialize(&mut reader);
    }
    if let Some(error) = own {
        return Err(Wrong::own(error));
    }
    read.map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Eof => "the file ends before its last value does: it was cut off".to_owned(),
            _ => error.to_string().split(" at line").next().unwrap_or_default().to_owned(),
        };
        Wrong { line: u64::try_from(error.line()).ok().filter(|line| *line > 0), ..Wrong::new(what) }
    })
}

/// A list of messages, an object that holds one, or a message.
struct Top<'t> {
    each: &'t mut dyn FnMut(Exported) -> Result<(), Error>,
    at: &'t At,
    own: &'t mut Option<Error>,
}

#[derive(Default)]
struct Record {
    sender: Option<String>,
    text: Option<String>,
    is_sent: bool,
}

impl Top<'_> {
    fn take<E: de::Error>(&mut self, record: Record) -> Result<(), E> {
        self.at.ended();
        let Record { sender: Some(sender), text: Some(text), is_sent } = record else {
            return Err(E::custom("a message has no sender (address) or no text (body)"));
        };
        if is_sent {
            return Ok(());
        }
        (self.each)(Exported { sender, text }).map_err(|error| {
            *self.own = Some(error);
            E::custom("stopped")
        })
    }
}

impl<'de> DeserializeSeed<'de> for Top<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of messages")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(record) = list.next_element::<Record>()? {
            self.take(record)?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut record = Record::default();
        let mut has_list = false;
        while let Some(key) = map.next_key::<String>()? {
            if LISTS.contains(&key.to_lowercase().as_str()) && record.sender.is_none() {
                let within = Top { each: &mut *self.each, at: self.at, own: &mut *self.own };
                match map.next_value_seed(TextOrList(within))? {
                    Some(text) => record.text = Some(text),
                    None => has_list = true,
                }
            } else {
                record.field(&key, &mut map)?;
            }
        }
        if has_list { Ok(()) } else { self.take(record) }
    }
}

/// "sms" may be the list, or the text of one message.
struct TextOrList<'t>(Top<'t>);

impl<'de> DeserializeSeed<'de> for TextOrList<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TextOrList<'_> {
    type Value = Option<String>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of messages")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        self.0.visit_seq(list).map(|()| None)
    }
}

impl Record {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let key = key.to_lowercase();
        if SENDERS.contains(&key.as_str()) {
            self.sender = map.next_value()?;
        } else if TEXTS.contains(&key.as_str()) {
            self.text = map.next_value()?;
        } else if KINDS.contains(&key.as_str()) {
            let kind: serde_json::Value = map.next_value()?;
            let kind = kind.as_str().map_or_else(|| kind.to_string(), str::to_lowercase);
            self.is_sent = !["", "1", "null", "inbox", "received"].contains(&kind.as_str());
        } else {
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Record;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a message, an object with address and body")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record, A::Error> {
                let mut record = Record::default();
                while let Some(key) = map.next_key::<String>()? {
                    record.field(&key, &mut map)?;
                }
                Ok(record)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}
