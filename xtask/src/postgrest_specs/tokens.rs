//! A Haskell source taken apart into tokens, as far as specs need it: comments are gone, texts are unescaped.

/// A token, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    pub kind: Kind,
    /// From 1.
    pub line: usize,
    /// From 0.
    pub column: usize,
    /// The first of its line: layout begins and ends with such.
    pub leads: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A name, with the module that qualifies it.
    Name(String),
    /// A name between backticks.
    Infix(String),
    Text(String),
    /// `[json|…|]`: the quoter and what it quotes.
    Quoted(String, String),
    Number(i64),
    /// Brackets, commas and operators.
    Symbol(String),
}

const OPERATORS: &str = "!#$%&*+./<=>?@\\^|-~:";

struct Reader<'t> {
    rest: &'t str,
    line: usize,
    column: usize,
    leads: bool,
}

/// The tokens of a source. What is no token of the notation is left out.
pub fn tokens(source: &str) -> Vec<Token> {
    let mut reader = Reader { rest: source, line: 1, column: 0, leads: true };
    let mut tokens = Vec::new();
    loop {
        reader.skip_blanks();
        let (line, column, leads) = (reader.line, reader.column, reader.leads);
        let Some(first) = reader.rest.chars().next() else { return tokens };
        if let Some(kind) = reader.token(first) {
            tokens.push(Token { kind, line, column, leads });
            reader.leads = false;
        }
    }
}

impl<'t> Reader<'t> {
    fn take(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        match taken.rfind('\n') {
            Some(last) => {
                self.line += taken.matches('\n').count();
                self.column = taken[last + 1..].chars().count();
                self.leads = true;
            }
            None => self.column += taken.chars().count(),
        }
        taken
    }

    fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'t str {
        self.take(self.rest.find(|letter| !is_part(letter)).unwrap_or(self.rest.len()))
    }

    /// Up to and with `end`.
    fn take_to(&mut self, end: &str) -> &'t str {
        self.take(self.rest.find(end).map_or(self.rest.len(), |at| at + end.len()))
    }

    fn skip_blanks(&mut self) {
        loop {
            self.take_while(char::is_whitespace);
            if self.rest.starts_with("{-") {
                self.take_to("-}");
            } else if self.rest.starts_with("--") {
                self.take_to("\n");
            } else {
                return;
            }
        }
    }

    fn token(&mut self, first: char) -> Option<Kind> {
        Some(match first {
            '"' => Kind::Text(self.text()),
            '`' => Kind::Infix(self.take(1 + self.rest[1..].find('`')? + 1).trim_matches('`').to_owned()),
            '[' => self.quoted().unwrap_or_else(|| self.symbol(1)),
            '0'..='9' => Kind::Number(self.take_while(|letter| letter.is_ascii_digit()).parse().unwrap_or_default()),
            _ if first.is_alphabetic() || first == '_' => {
                let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '\'' | '.');
                Kind::Name(self.take_while(is_part).trim_end_matches('.').to_owned())
            }
            _ if OPERATORS.contains(first) => {
                Kind::Symbol(self.take_while(|letter| OPERATORS.contains(letter)).to_owned())
            }
            _ => self.symbol(first.len_utf8()),
        })
    }

    fn symbol(&mut self, bytes: usize) -> Kind {
        Kind::Symbol(self.take(bytes).to_owned())
    }

    fn quoted(&mut self) -> Option<Kind> {
        let (quoter, _) = self.rest[1..].split_once('|')?;
        if quoter.is_empty() || !quoter.chars().all(char::is_alphanumeric) {
            return None;
        }
        self.take(quoter.len() + 2);
        let quoted = self.take_to("|]");
        Some(Kind::Quoted(quoter.to_owned(), quoted.strip_suffix("|]").unwrap_or(quoted).to_owned()))
    }

    /// A text, without its quotes and escapes.
    fn text(&mut self) -> String {
        let mut text = String::new();
        self.take(1);
        while let Some(letter) = self.rest.chars().next() {
            self.take(letter.len_utf8());
            match letter {
                '"' => break,
                '\\' => text.extend(self.escaped()),
                letter => text.push(letter),
            }
        }
        text
    }

    /// What follows a backslash; nothing for `\&` and a gap.
    fn escaped(&mut self) -> Option<char> {
        let escape = self.rest.chars().next()?;
        if escape.is_ascii_digit() {
            let code = self.take_while(|letter| letter.is_ascii_digit());
            return char::from_u32(code.parse().ok()?);
        }
        self.take(escape.len_utf8());
        if escape.is_whitespace() {
            self.take_to("\\");
            return None;
        }
        match escape {
            '&' => None,
            'n' => Some('\n'),
            't' => Some('\t'),
            'r' => Some('\r'),
            'x' => {
                let code = self.take_while(|letter| letter.is_ascii_hexdigit());
                char::from_u32(u32::from_str_radix(code, 16).ok()?)
            }
            other => Some(other),
        }
    }
}
