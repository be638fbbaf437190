//! A text without the escapes of URLs, JSON, HTML and debug output, which still knows where each byte was.

use std::ops::Range;

/// Bytes, and the part of the original text that each of them is written as.
pub(super) struct View {
    pub bytes: Vec<u8>,
    from: Vec<(u32, u32)>,
}

/// What an escape stands for, and its length.
struct Escape {
    means: char,
    length: usize,
}

impl View {
    /// The text itself.
    pub fn of(text: &str) -> Self {
        let from = (0..text.len() as u32).map(|at| (at, at + 1)).collect();
        Self { bytes: text.as_bytes().to_vec(), from }
    }

    /// Where a range of these bytes is in the original.
    pub fn span(&self, start: usize, end: usize) -> (usize, usize) {
        let span = &self.from[start..end];
        (span.first().map_or(0, |(start, _)| *start as usize), span.last().map_or(0, |(_, end)| *end as usize))
    }

    /// The same with one layer of escapes less; none where there was none.
    pub fn unescaped(&self) -> Option<Self> {
        let mut plainer =
            Self { bytes: Vec::with_capacity(self.bytes.len()), from: Vec::with_capacity(self.from.len()) };
        let mut at = 0;
        while at < self.bytes.len() {
            let end = match self.bytes[at] {
                b'%' => self.percent(at, &mut plainer),
                b'\\' | b'&' => self.escape(at, &mut plainer),
                _ => None,
            };
            at = end.unwrap_or_else(|| {
                plainer.push(self.bytes[at], self.from[at]);
                at + 1
            });
        }
        (plainer.bytes.len() < self.bytes.len()).then_some(plainer)
    }

    fn push(&mut self, byte: u8, from: (u32, u32)) {
        self.bytes.push(byte);
        self.from.push(from);
    }

    fn percent(&self, at: usize, plainer: &mut Self) -> Option<usize> {
        let byte = u8::try_from(number(self.bytes.get(at + 1..at + 3)?, 16)?).ok()?;
        plainer.push(byte, self.whole(at..at + 3));
        Some(at + 3)
    }

    fn escape(&self, at: usize, plainer: &mut Self) -> Option<usize> {
        let rest = &self.bytes[at + 1..];
        let Escape { means, length } = if self.bytes[at] == b'&' { entity(rest)? } else { backslash(rest)? };
        let end = at + 1 + length;
        for byte in means.encode_utf8(&mut [0; 4]).bytes() {
            plainer.push(byte, self.whole(at..end));
        }
        Some(end)
    }

    fn whole(&self, range: Range<usize>) -> (u32, u32) {
        (self.from[range.start].0, self.from[range.end - 1].1)
    }
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}

/// After a backslash: `n`, `u00e9`, `ud83d\ude00`, `u{e9}`, `x41`, or any sign.
fn backslash(rest: &[u8]) -> Option<Escape> {
    let escape = |means: char, length: usize| Some(Escape { means, length });
    match rest.first()? {
        b'n' => escape('\n', 1),
        b't' => escape('\t', 1),
        b'r' => escape('\r', 1),
        b'x' => escape(char::from_u32(number(rest.get(1..3)?, 16)?)?, 3),
        b'u' if rest.get(1) == Some(&b'{') => {
            let length = rest.iter().take(10).position(|byte| *byte == b'}')?;
            escape(char::from_u32(number(&rest[2..length], 16)?)?, length + 1)
        }
        b'u' => {
            let first = number(rest.get(1..5)?, 16)?;
            if let Some(means) = char::from_u32(first) {
                return escape(means, 5);
            }
            let second = rest.get(5..11).filter(|second| second.starts_with(b"\\u"))?;
            let units = [u16::try_from(first).ok()?, u16::try_from(number(&second[2..], 16)?).ok()?];
            escape(char::decode_utf16(units).next()?.ok()?, 11)
        }
        sign if sign.is_ascii_punctuation() => escape(char::from(*sign), 1),
        _ => None,
    }
}

/// After an ampersand: `amp;`, `#39;`, `#x27;`.
fn entity(rest: &[u8]) -> Option<Escape> {
    let length = rest.iter().take(10).position(|byte| *byte == b';')? + 1;
    let means = match &rest[..length - 1] {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        [b'#', b'x' | b'X', digits @ ..] => char::from_u32(number(digits, 16)?)?,
        [b'#', digits @ ..] => char::from_u32(number(digits, 10)?)?,
        _ => return None,
    };
    Some(Escape { means, length })
}
