//! Parts of a secret, eight characters or more, wherever they stand and however they are written.
//!
//! Every piece of eight bytes of a secret, and of the secret in base64, is in one table; a text is looked up in it byte
//! by byte, as it is and without its escapes, so that the time does not depend on how many secrets there are. A piece
//! that is an ordinary word (`postgres`, `-2026-01`) tells nothing by itself and is masked only as part of more.

use std::collections::{BTreeSet, HashMap};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};

use super::{MASK, unescaped::View};

/// How long a part has to be, in bytes.
const PART: usize = 8;

/// Ordinary words that stand in a secret in this order, for so many bytes, are no accident.
const PHRASE: usize = 16;

/// Bytes that are looked at as one: each becomes several while its escapes are taken away.
const CHUNK: usize = 1 << 18;

/// How often escapes are taken away: JSON in JSON in JSON is as far as logs go.
const DEPTH: usize = 3;

type Piece = [u8; PART];

/// The parts of secrets.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// Each piece, and whether it tells something by itself.
    pieces: HashMap<Piece, bool>,
}

impl Parts {
    /// Those of `secrets`, without what `public` texts have in common with them.
    pub fn of(secrets: &BTreeSet<String>, public: &BTreeSet<String>) -> Self {
        let mut pieces = HashMap::new();
        for secret in secrets {
            let kind = Kind::of(own_part(secret));
            for spelling in spellings(own_part(secret)) {
                pieces.extend(spelling.array_windows().map(|piece| (*piece, kind.is_telling(piece))));
            }
        }
        for piece in public.iter().flat_map(|text| text.as_bytes().array_windows::<PART>()) {
            pieces.remove(piece);
        }
        Self { pieces }
    }

    /// The text without them.
    pub fn masked(&self, text: &str) -> String {
        if self.pieces.is_empty() {
            return text.to_owned();
        }
        text.split_inclusive('\n').flat_map(chunks).map(|chunk| self.masked_chunk(chunk)).collect()
    }

    fn masked_chunk(&self, text: &str) -> String {
        let mut found = Vec::new();
        let mut view = View::of(text);
        self.find(&view, &mut found);
        for _ in 0..DEPTH {
            let Some(plainer) = view.unescaped() else { break };
            view = plainer;
            self.find(&view, &mut found);
        }
        found.sort_unstable();
        let mut masked = String::new();
        let mut done = 0;
        for (start, end) in found {
            let (start, end) = (text.floor_char_boundary(start), text.ceil_char_boundary(end));
            if start > done || (start == 0 && done == 0) {
                masked += &text[done..start];
                masked += MASK;
            }
            done = done.max(end);
        }
        masked + &text[done..]
    }

    /// Adds where parts are, in bytes of the text that the view is of.
    fn find(&self, view: &View, found: &mut Vec<(usize, usize)>) {
        let mut run: Option<Run> = None;
        for (at, piece) in view.bytes.array_windows::<PART>().enumerate() {
            match (self.pieces.get(piece), &mut run) {
                (Some(telling), Some(run)) => {
                    run.end = at + PART;
                    run.tells |= telling;
                }
                (Some(telling), None) => run = Some(Run { start: at, end: at + PART, tells: *telling }),
                (None, _) => found.extend(run.take().and_then(|run| run.span(view))),
            }
        }
        found.extend(run.and_then(|run| run.span(view)));
    }
}

/// Pieces that overlap.
struct Run {
    start: usize,
    end: usize,
    tells: bool,
}

impl Run {
    fn span(&self, view: &View) -> Option<(usize, usize)> {
        let phrase = || {
            let bytes = &view.bytes[self.start..self.end];
            bytes.len() >= PHRASE && bytes.iter().collect::<BTreeSet<_>>().len() > PHRASE / 3
        };
        (self.tells || phrase()).then(|| view.span(self.start, self.end))
    }
}

/// What of a secret may be met in part: itself, its form in a query, and itself in base64 at each of the three places
/// that it may begin at there.
fn spellings(own: &str) -> Vec<Vec<u8>> {
    if own.len() < PART {
        return Vec::new();
    }
    let mut all = vec![own.as_bytes().to_vec()];
    if own.contains(' ') {
        all.push(own.replace(' ', "+").into_bytes());
    }
    for before in 0..3 {
        let bytes = [vec![0; before], own.as_bytes().to_vec()].concat();
        // The letters at the ends hold bits of their neighbours too.
        let inner = |encoded: String| {
            let end = encoded.len() - usize::from(bytes.len() % 3 != 0);
            encoded.as_bytes()[[0, 2, 3][before]..end].to_vec()
        };
        all.push(inner(BASE64_STANDARD_NO_PAD.encode(&bytes)));
        all.push(inner(BASE64_URL_SAFE_NO_PAD.encode(&bytes)));
    }
    all
}

/// A secret without what everybody knows of it: the head of a JSON web token says how it is signed; of a URL only the
/// password is one, and that is known by itself.
fn own_part(secret: &str) -> &str {
    match secret.split_once('.') {
        _ if secret.contains("://") => "",
        Some((head, rest)) if head.starts_with("eyJ") => rest,
        _ => secret,
    }
}

/// What a secret is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Hexadecimal digits.
    Hex,
    /// Letters and digits of chance.
    Random,
    /// Words of somebody, perhaps.
    Words,
}

impl Kind {
    fn of(secret: &str) -> Self {
        let long = secret.len() >= 2 * PART;
        let has = |is: fn(&u8) -> bool| secret.bytes().any(|byte| is(&byte));
        if long && secret.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Self::Hex;
        }
        let token = secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~+/=".contains(&byte));
        let mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
        if long && token && mixed { Self::Random } else { Self::Words }
    }

    /// Whether no ordinary text has this piece by accident: letters among digits, capitals in the middle, signs.
    fn is_telling(self, piece: &Piece) -> bool {
        let distinct = piece.iter().collect::<BTreeSet<_>>().len();
        let count = |is: fn(&u8) -> bool| piece.iter().filter(|byte| is(byte)).count();
        let (letters, digits) = (count(u8::is_ascii_alphabetic), count(u8::is_ascii_digit));
        let signs = count(|byte| byte.is_ascii_punctuation() && !b"-_./:@".contains(byte));
        let climbs =
            piece.array_windows().filter(|[one, two]| one.is_ascii_lowercase() && two.is_ascii_uppercase()).count();
        let capitals = count(u8::is_ascii_uppercase);
        let by_letters = match self {
            Self::Hex => letters > 0,
            Self::Random => climbs >= 1 || (capitals >= 2 && capitals < letters),
            Self::Words => climbs >= 2,
        };
        distinct >= PART / 2 && ((letters > 0 && digits > 0) || by_letters || signs >= 2)
    }
}

/// A line in pieces that are not too long; cut between words where there are words.
fn chunks(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let most = rest.floor_char_boundary(CHUNK);
        let cut = match rest[..most].rfind([' ', '<', ',']) {
            Some(at) if most < rest.len() && at > 0 => at,
            _ => most,
        };
        let (chunk, after) = rest.split_at(cut);
        rest = after;
        Some(chunk)
    })
}
