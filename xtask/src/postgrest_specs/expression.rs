//! The expressions that specs make requests and expectations of: texts, lists, headers, and PostgREST's own words for them.

use std::path::Path;

use super::tokens::{Kind, Token};

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(String),
    /// A text that is compared as JSON.
    Json(String),
    Number(i64),
    List(Vec<Value>),
    /// A header's name and value.
    Header(String, String),
    Matcher(Matcher),
    /// A token to be signed with the claims.
    Signed(String),
}

/// What is expected of the headers of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Matcher {
    Is(String, String),
    Has(String, String),
    /// Its value is like a regular expression.
    Like(String, String),
    Absent(String),
    /// A metric of `Server-Timing`.
    Times(String),
}

/// Why something is not read.
pub type Unread = String;

/// What names mean where an expression stands.
#[derive(Clone)]
pub struct Scope<'t> {
    /// Later ones hide earlier ones; none means itself.
    pub bound: Vec<(String, Bound<'t>)>,
    pub fixtures: &'t Path,
    /// PostgreSQL's major version.
    pub version: i64,
}

#[derive(Clone)]
pub enum Bound<'t> {
    Value(Value),
    Tokens(&'t [Token]),
}

/// Reads expressions off tokens.
pub struct Parser<'t, 's> {
    pub tokens: &'t [Token],
    pub at: usize,
    pub scope: &'s Scope<'t>,
}

fn text(value: Value) -> Result<String, Unread> {
    match value {
        Value::Text(text) | Value::Json(text) => Ok(text),
        Value::List(list) if list.is_empty() => Ok(String::new()),
        other => Err(format!("{other:?} is no text")),
    }
}

/// The values of a list; `mempty` is an empty one.
pub fn list(value: Value) -> Result<Vec<Value>, Unread> {
    match value {
        Value::List(list) => Ok(list),
        Value::Text(text) if text.is_empty() => Ok(Vec::new()),
        other => Err(format!("{other:?} is no list")),
    }
}

impl<'t> Parser<'t, '_> {
    pub fn kind(&self) -> Option<&'t Kind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    pub fn is(&self, symbol: &str) -> bool {
        matches!(self.kind(), Some(Kind::Symbol(seen)) if seen == symbol)
    }

    fn is_name(&self, name: &str) -> bool {
        matches!(self.kind(), Some(Kind::Name(seen)) if seen == name)
    }

    pub fn take(&mut self, symbol: &str) -> bool {
        let is = self.is(symbol);
        self.at += usize::from(is);
        is
    }

    fn expect(&mut self, symbol: &str) -> Result<(), Unread> {
        if self.take(symbol) { Ok(()) } else { Err(format!("no `{symbol}` at {:?}", self.kind())) }
    }

    /// A whole expression. All operators bind to the right, which is all the same for texts and lists.
    pub fn expression(&mut self) -> Result<Value, Unread> {
        let left = self.application()?;
        let Some(Kind::Symbol(operator)) = self.kind() else { return Ok(left) };
        match operator.as_str() {
            "<>" | "++" => {
                self.at += 1;
                joined(left, self.expression()?)
            }
            ":" => {
                self.at += 1;
                let mut values = vec![left];
                values.extend(list(self.expression()?)?);
                Ok(Value::List(values))
            }
            "<:>" => {
                self.at += 1;
                let name = text(left)?;
                Ok(Value::Matcher(Matcher::Is(name, text(self.expression()?)?)))
            }
            _ => Ok(left),
        }
    }

    fn application(&mut self) -> Result<Value, Unread> {
        let Some(Kind::Name(name)) = self.kind() else { return self.atom() };
        let start = self.at;
        self.at += 1;
        if name == "if" {
            return self.choice();
        }
        match self.called(name)? {
            Some(value) => Ok(value),
            None => {
                self.at = start;
                self.atom()
            }
        }
    }

    /// A function of `SpecHelper`, or of the libraries, with its arguments.
    fn called(&mut self, name: &str) -> Result<Option<Value>, Unread> {
        let header = |name: &str, value: String| Value::Header(name.to_owned(), value);
        let is_in = |values: Vec<Value>| Value::List(values);
        Ok(Some(match name.rsplit('.').next().unwrap_or(name) {
            "authHeaderJWT" => match self.argument()? {
                Value::Signed(claims) => Value::List(vec![Value::Signed(claims)]),
                token => header("Authorization", format!("Bearer {}", text(token)?)),
            },
            "authHeader" => {
                let scheme = text(self.argument()?)?;
                header("Authorization", format!("{scheme} {}", text(self.argument()?)?))
            }
            "acceptHdrs" => is_in(vec![header("Accept", text(self.argument()?)?)]),
            "rangeHdrs" => is_in(vec![header("Range-Unit", "items".into()), header("Range", text(self.argument()?)?)]),
            "rangeHdrsWithCount" => is_in(vec![
                header("Prefer", "count=exact".into()),
                header("Range-Unit", "items".into()),
                header("Range", text(self.argument()?)?),
            ]),
            "ByteRangeFromTo" => {
                let (from, to) = (self.number()?, self.number()?);
                Value::Text(format!("{from}-{to}"))
            }
            "ByteRangeFrom" => Value::Text(format!("{}-", self.number()?)),
            "ByteRangeSuffix" => Value::Text(format!("-{}", self.number()?)),
            "matchHeaderAbsent" => Value::Matcher(Matcher::Absent(text(self.argument()?)?)),
            "matchHeaderValuePresent" => {
                let name = text(self.argument()?)?;
                Value::Matcher(Matcher::Has(name, text(self.argument()?)?))
            }
            "matchServerTimingHasTiming" => Value::Matcher(Matcher::Times(text(self.argument()?)?)),
            "readFixtureFile" => {
                let file = self.scope.fixtures.join(text(self.argument()?)?);
                Value::Text(std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?)
            }
            "generateJWT" => Value::Signed(text(self.argument()?)?),
            _ => return Ok(None),
        }))
    }

    /// What a function is given: the next value, or all that follows `$`.
    fn argument(&mut self) -> Result<Value, Unread> {
        if self.take("$") { self.expression() } else { self.atom() }
    }

    fn number(&mut self) -> Result<i64, Unread> {
        match self.argument()? {
            Value::Number(number) => Ok(number),
            other => Err(format!("{other:?} is no number")),
        }
    }

    /// `if … then … else …`, where the condition is about PostgreSQL's version.
    fn choice(&mut self) -> Result<Value, Unread> {
        let holds = self.condition()?;
        if !self.is_name("then") {
            return Err("an `if` without `then`".to_owned());
        }
        self.at += 1;
        let first = self.expression()?;
        if !self.is_name("else") {
            return Err("an `if` without `else`".to_owned());
        }
        self.at += 1;
        let second = self.expression()?;
        Ok(if holds { first } else { second })
    }

    /// `actualPgVersion >= pgVersion130`
    pub fn condition(&mut self) -> Result<bool, Unread> {
        let in_brackets = self.take("(");
        let (Some(Kind::Name(left)), Some(Kind::Symbol(operator)), Some(Kind::Name(right))) = (
            self.kind(),
            self.tokens.get(self.at + 1).map(|token| &token.kind),
            self.tokens.get(self.at + 2).map(|token| &token.kind),
        ) else {
            return Err("a condition of another kind".to_owned());
        };
        let version = right.strip_prefix("pgVersion").and_then(|digits| digits.parse::<i64>().ok());
        let (true, Some(version)) = (left == "actualPgVersion", version) else {
            return Err(format!("the condition {left} {operator} {right}"));
        };
        self.at += 3;
        if in_brackets {
            self.expect(")")?;
        }
        let version = if version >= 100 { version / 10 } else { version };
        match operator.as_str() {
            ">=" => Ok(self.scope.version >= version),
            ">" => Ok(self.scope.version > version),
            "<" => Ok(self.scope.version < version),
            "<=" => Ok(self.scope.version <= version),
            _ => Err(format!("the operator {operator}")),
        }
    }

    pub fn atom(&mut self) -> Result<Value, Unread> {
        let kind = self.kind().ok_or("the end of the file")?;
        self.at += 1;
        match kind {
            Kind::Text(text) => Ok(Value::Text(text.clone())),
            Kind::Quoted(quoter, text) if quoter == "json" => Ok(Value::Json(text.clone())),
            Kind::Quoted(quoter, text) if quoter == "str" => Ok(Value::Text(text.clone())),
            Kind::Quoted(quoter, _) => Err(format!("the quoter `{quoter}`")),
            Kind::Number(number) => Ok(Value::Number(*number)),
            Kind::Name(name) => self.named(name),
            Kind::Infix(name) => Err(format!("`{name}` where a value was expected")),
            Kind::Symbol(symbol) if symbol == "(" => self.bracketed(),
            Kind::Symbol(symbol) if symbol == "[" => {
                let mut values = Vec::new();
                while !self.take("]") {
                    values.push(self.expression()?);
                    if !self.take(",") && !self.is("]") {
                        return Err(format!("{:?} in a list", self.kind()));
                    }
                }
                Ok(Value::List(values))
            }
            Kind::Symbol(symbol) => Err(format!("`{symbol}` where a value was expected")),
        }
    }

    /// `(value)`, or `(name, value)`
    fn bracketed(&mut self) -> Result<Value, Unread> {
        let value = self.expression()?;
        if self.take(",") {
            let second = text(self.expression()?)?;
            self.expect(")")?;
            return Ok(Value::Header(text(value)?, second));
        }
        self.expect(")")?;
        Ok(value)
    }

    /// What a name means: what the file binds, or else a word of `SpecHelper` and the libraries.
    fn named(&self, name: &str) -> Result<Value, Unread> {
        let bound = self.scope.bound.iter().rposition(|(bound, _)| bound == name);
        if let Some(at) = bound {
            let tokens = match &self.scope.bound[at].1 {
                Bound::Value(value) => return Ok(value.clone()),
                Bound::Tokens(tokens) => tokens,
            };
            let mut scope = self.scope.clone();
            scope.bound.remove(at);
            let mut parser = Parser { tokens, at: 0, scope: &scope };
            let value = parser.expression()?;
            let is_whole = parser.at == parser.tokens.len() || parser.is_name("in");
            return if is_whole { Ok(value) } else { Err(format!("the definition of `{name}`")) };
        }
        word(name.rsplit('.').next().unwrap_or(name)).ok_or_else(|| format!("the name `{name}`"))
    }
}

fn joined(left: Value, right: Value) -> Result<Value, Unread> {
    match (left, right) {
        (Value::List(mut left), right) => {
            left.extend(list(right)?);
            Ok(Value::List(left))
        }
        (left, Value::List(right)) if !right.is_empty() => {
            let mut all = list(left)?;
            all.extend(right);
            Ok(Value::List(all))
        }
        (left, right) => Ok(Value::Text(text(left)? + &text(right)?)),
    }
}

fn word(name: &str) -> Option<Value> {
    let content_type = |of: &str| Value::Matcher(Matcher::Is("Content-Type".into(), format!("{of}; charset=utf-8")));
    Some(match name {
        "mempty" | "empty" => Value::List(Vec::new()),
        "hAccept" => Value::Text("Accept".into()),
        "hAuthorization" => Value::Text("Authorization".into()),
        "hContentLength" => Value::Text("Content-Length".into()),
        "hContentType" => Value::Text("Content-Type".into()),
        "hCookie" => Value::Text("Cookie".into()),
        "hLocation" => Value::Text("Location".into()),
        "hOrigin" => Value::Text("Origin".into()),
        "hRange" => Value::Text("Range".into()),
        "matchContentTypeJson" => content_type("application/json"),
        "matchContentTypeSingular" => content_type("application/vnd.pgrst.object+json"),
        "matchCTArrayStrip" => content_type("application/vnd.pgrst.array+json;nulls=stripped"),
        "matchCTSingularStrip" => content_type("application/vnd.pgrst.object+json;nulls=stripped"),
        "planHdr" => Value::Header("Accept".into(), "application/vnd.pgrst.plan+json".into()),
        "rangeUnit" => Value::Header("Range-Unit".into(), "items".into()),
        _ => Value::Text(name.strip_prefix("method")?.to_uppercase()),
    })
}
