//! The pairs of a spec: what is requested, and what is expected of the answer, in the order of the source.

use std::{collections::BTreeMap, path::Path};

use super::{
    expression::{Bound, Matcher, Parser, Scope, Unread, Value, list},
    looked,
    tokens::{Kind, Token, tokens},
};

/// A request with an expectation, or why it could not be read.
pub struct Pair {
    pub line: usize,
    pub read: Result<(Request, Expected), Unread>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// Claims of a token that is to be signed for it.
    pub signed: Option<String>,
    pub body: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    pub status: Option<i64>,
    pub body: Body,
    pub headers: Vec<Matcher>,
    /// Nothing is said of headers: JSON has to be of the type that hspec-wai-json takes.
    pub any_json: bool,
}

impl Expected {
    /// The body, or nothing where it is no JSON.
    pub fn json(&self) -> serde_json::Value {
        let Body::Json(body) = &self.body else { return serde_json::Value::Null };
        serde_json::from_str(body).unwrap_or_default()
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    Any,
    Text(String),
    Json(String),
}

/// A file of specs.
pub struct Spec {
    tokens: Vec<Token>,
}

/// A definition: its parameters, and the tokens of its right side.
struct Definition<'t> {
    name: &'t str,
    parameters: Vec<&'t str>,
    tokens: &'t [Token],
}

/// Of what a spec says nothing itself.
#[derive(Clone, Copy)]
pub struct Place<'t> {
    pub fixtures: &'t Path,
    pub version: i64,
}

impl Spec {
    pub fn read(source: &str) -> Self {
        Self { tokens: tokens(source) }
    }

    /// The pairs of each definition that a test program starts with: those that no other one of the file uses. The pairs
    /// of a definition that several use are theirs.
    pub fn pairs(&self, place: Place<'_>) -> BTreeMap<String, Vec<Pair>> {
        let definitions = definitions(&self.tokens);
        let is_used = |name: &str| {
            definitions.iter().any(|other| {
                other.name != name
                    && other.tokens.iter().any(|token| match &token.kind {
                        Kind::Name(seen) | Kind::Infix(seen) => seen == name,
                        _ => false,
                    })
            })
        };
        let mut all = BTreeMap::new();
        for definition in definitions.iter().filter(|definition| !is_used(definition.name)) {
            let values = definitions.iter().filter(|of| of.parameters.is_empty());
            let bound = values.map(|of| (of.name.to_owned(), Bound::Tokens(of.tokens))).collect();
            let scope = Scope { bound, fixtures: place.fixtures, version: place.version };
            let mut walk = Walk { definitions: &definitions, pairs: Vec::new(), depth: 0 };
            walk.through(definition.tokens, scope);
            if !walk.pairs.is_empty() {
                all.insert(definition.name.to_owned(), walk.pairs);
            }
        }
        all
    }
}

/// The definitions of a file that begin in its first column.
fn definitions(tokens: &[Token]) -> Vec<Definition<'_>> {
    let starts = tokens.iter().enumerate().filter(|(_, token)| token.leads && token.column == 0).map(|(at, _)| at);
    let starts: Vec<usize> = starts.chain([tokens.len()]).collect();
    starts.windows(2).filter_map(|part| definition(&tokens[part[0]..part[1]])).collect()
}

/// `name a b = …`
fn definition(tokens: &[Token]) -> Option<Definition<'_>> {
    let end = tokens.iter().position(|token| !matches!(token.kind, Kind::Name(_)))?;
    let names: Vec<&str> = tokens[..end]
        .iter()
        .filter_map(|token| if let Kind::Name(name) = &token.kind { Some(name.as_str()) } else { None })
        .collect();
    let (name, parameters) = names.split_first()?;
    let is_definition = tokens[end].kind == Kind::Symbol("=".to_owned()) && !matches!(*name, "type" | "data");
    is_definition.then(|| Definition { name, parameters: parameters.to_vec(), tokens: &tokens[end + 1..] })
}

/// The way through the statements of a definition.
struct Walk<'t, 'd> {
    definitions: &'d [Definition<'t>],
    pairs: Vec<Pair>,
    depth: usize,
}

/// Deeper than any spec calls its own words.
const DEEPEST: usize = 8;

impl<'t> Walk<'t, '_> {
    fn through(&mut self, tokens: &'t [Token], mut scope: Scope<'t>) {
        if self.depth == DEEPEST {
            return;
        }
        self.depth += 1;
        let is_where = |token: &Token| token.kind == Kind::Name("where".to_owned());
        let mut at = tokens.iter().position(is_where).map_or(tokens.len(), |at| at + 1);
        while let Some((name, value, next)) = binding(tokens, at) {
            scope.bound.push((name.to_owned(), Bound::Tokens(value)));
            at = next;
        }
        at = 0;
        while at < tokens.len() {
            at = self.step(tokens, at, &mut scope);
        }
        self.depth -= 1;
    }

    /// What begins at `at`, and where the next one begins.
    fn step(&mut self, tokens: &'t [Token], at: usize, scope: &mut Scope<'t>) -> usize {
        if let Some((name, value, next)) = binding(tokens, at) {
            scope.bound.push((name.to_owned(), Bound::Tokens(value)));
            // What is bound may be a request.
            return if has_request(value) { next - value.len() } else { next };
        }
        let Kind::Name(name) = &tokens[at].kind else { return self.infix(tokens, at, scope).unwrap_or(at + 1) };
        if name == "when" {
            let mut parser = Parser { tokens, at: at + 1, scope };
            return match parser.condition() {
                Ok(false) => block_end(tokens, at),
                _ => at + 1,
            };
        }
        if name == "pendingWith" {
            return outdent(tokens, at);
        }
        if is_request(&tokens[at]) {
            return self.pair(tokens, at, scope);
        }
        if let Some(next) = self.call(tokens, at, scope) {
            return next;
        }
        self.infix(tokens, at, scope).unwrap_or(at + 1)
    }

    /// A word of the file's own: its pairs, with what it is given.
    fn call(&mut self, tokens: &'t [Token], at: usize, scope: &Scope<'t>) -> Option<usize> {
        let Kind::Name(name) = &tokens[at].kind else { return None };
        let definition = self.definitions.iter().find(|of| of.name == name && has_request(of.tokens))?;
        let mut parser = Parser { tokens, at: at + 1, scope };
        let mut given = scope.clone();
        for parameter in &definition.parameters {
            let value = parser.atom().ok()?;
            given.bound.push(((*parameter).to_owned(), Bound::Value(value)));
        }
        let next = parser.at;
        self.through(definition.tokens, given);
        Some(next)
    }

    /// The same between its two arguments.
    fn infix(&mut self, tokens: &'t [Token], at: usize, scope: &Scope<'t>) -> Option<usize> {
        let mut parser = Parser { tokens, at, scope };
        let left = parser.atom().ok()?;
        let Some(Kind::Infix(name)) = parser.kind() else { return None };
        let definition = self.definitions.iter().find(|of| of.name == name && has_request(of.tokens))?;
        let [first, second] = definition.parameters[..] else { return None };
        parser.at += 1;
        let right = parser.atom().ok()?;
        let next = parser.at;
        let mut given = scope.clone();
        given.bound.push((first.to_owned(), Bound::Value(left)));
        given.bound.push((second.to_owned(), Bound::Value(right)));
        self.through(definition.tokens, given);
        Some(next)
    }

    /// A request, and what is expected of its answer. One that a test looks at itself is not read.
    fn pair(&mut self, tokens: &'t [Token], at: usize, scope: &Scope<'t>) -> usize {
        let line = tokens[at].line;
        let mut parser = Parser { tokens, at: at + 1, scope };
        let request = request(&mut parser, &tokens[at].kind);
        let expects =
            |parser: &Parser<'_, '_>| matches!(parser.kind(), Some(Kind::Infix(name)) if name == "shouldRespondWith");
        let read = match request {
            Err(why) => {
                parser.at = statement_end(tokens, at);
                Err(why)
            }
            Ok(request) if !expects(&parser) => {
                let end = outdent(tokens, at.saturating_sub(2)).min(next_request(tokens, at));
                let looked = bound_to(tokens, at).ok_or_else(|| "an answer that nobody looks at".to_owned());
                let expected = looked.and_then(|name| looked::expected(&mut parser, name, end));
                parser.at = end;
                expected.map(|expected| (request, expected))
            }
            Ok(request) => {
                parser.at += 1;
                let expected = expected(&mut parser);
                if expected.is_err() {
                    parser.at = statement_end(tokens, at);
                }
                expected.map(|expected| (request, expected))
            }
        };
        self.pairs.push(Pair { line, read });
        parser.at.max(at + 1)
    }
}

/// `name = …` of a `let` or a `where`: the name, the right side, and what follows it.
fn binding(tokens: &[Token], at: usize) -> Option<(&str, &[Token], usize)> {
    let token = tokens.get(at)?;
    let follows_let = at > 0 && matches!(&tokens[at - 1].kind, Kind::Name(name) if name == "let" || name == "where");
    let Kind::Name(name) = &token.kind else { return None };
    if !(token.leads || follows_let) || tokens.get(at + 1)?.kind != Kind::Symbol("=".to_owned()) {
        return None;
    }
    let next = block_end(tokens, at);
    Some((name, &tokens[at + 2..next], next))
}

/// Where what began at `at` is over by its layout.
fn block_end(tokens: &[Token], at: usize) -> usize {
    let over = |token: &Token| token.leads && token.column <= tokens[at].column;
    tokens[at + 1..].iter().position(over).map_or(tokens.len(), |after| at + 1 + after)
}

/// Where the statements end that `at` is one of.
fn outdent(tokens: &[Token], at: usize) -> usize {
    let over = |token: &Token| token.leads && token.column < tokens[at].column;
    tokens[at + 1..].iter().position(over).map_or(tokens.len(), |after| at + 1 + after)
}

/// Where the next request begins at the latest.
fn statement_end(tokens: &[Token], at: usize) -> usize {
    next_request(tokens, at).min(block_end(tokens, at))
}

/// Where the next line begins that makes a request, or binds its answer.
fn next_request(tokens: &[Token], at: usize) -> usize {
    let makes =
        |after: &usize| tokens[*after].leads && (is_request(&tokens[*after]) || bound_to(tokens, *after + 2).is_some());
    (at + 1..tokens.len()).find(makes).unwrap_or(tokens.len())
}

/// The name that the answer of the request at `at` is bound to: `r <- request …`
fn bound_to(tokens: &[Token], at: usize) -> Option<&str> {
    let is_bound = tokens.get(at.checked_sub(1)?)?.kind == Kind::Symbol("<-".to_owned());
    let Kind::Name(name) = &tokens.get(at.checked_sub(2)?)?.kind else { return None };
    (is_bound && tokens.get(at).is_some_and(is_request)).then_some(name)
}

fn is_request(token: &Token) -> bool {
    let words = ["get", "post", "put", "patch", "delete", "options", "request"];
    matches!(&token.kind, Kind::Name(name) if words.contains(&name.as_str()))
}

fn has_request(tokens: &[Token]) -> bool {
    tokens.iter().any(is_request)
}

fn request(parser: &mut Parser<'_, '_>, word: &Kind) -> Result<Request, Unread> {
    let Kind::Name(word) = word else { return Err("no request".to_owned()) };
    let text = |value: Value| match value {
        Value::Text(text) => Ok(text),
        Value::Json(text) => as_json(&text),
        Value::List(list) if list.is_empty() => Ok(String::new()),
        other => Err(format!("{other:?} is no text")),
    };
    let mut request = Request {
        method: word.to_uppercase(),
        path: String::new(),
        headers: Vec::new(),
        signed: None,
        body: String::new(),
    };
    if word == "request" {
        request.method = text(parser.atom()?)?;
    }
    request.path = text(parser.atom()?)?;
    if word == "request" {
        take_headers(&mut request, list(parser.atom()?)?)?;
    }
    if matches!(word.as_str(), "request" | "post" | "put" | "patch") {
        request.body = text(parser.atom()?)?;
    }
    Ok(request)
}

fn take_headers(request: &mut Request, values: Vec<Value>) -> Result<(), Unread> {
    for value in values {
        match value {
            Value::Header(name, value) => request.headers.push((name, value)),
            Value::Signed(claims) => request.signed = Some(claims),
            Value::List(values) => take_headers(request, values)?,
            other => return Err(format!("{other:?} is no header")),
        }
    }
    Ok(())
}

fn expected(parser: &mut Parser<'_, '_>) -> Result<Expected, Unread> {
    let mut expected = Expected { status: Some(200), body: Body::Any, headers: Vec::new(), any_json: false };
    match parser.atom()? {
        Value::Number(status) => expected.status = Some(status),
        Value::Text(text) => expected.body = Body::Text(text),
        Value::Json(text) => {
            expected.body = Body::Json(as_json(&text)?);
            expected.any_json = true;
        }
        Value::List(list) if list.is_empty() => expected.body = Body::Text(String::new()),
        other => return Err(format!("{other:?} is no expectation")),
    }
    if !parser.take("{") {
        return Ok(expected);
    }
    while !parser.take("}") {
        let Some(Kind::Name(field)) = parser.kind() else { return Err("a record of another kind".to_owned()) };
        parser.at += 1;
        if !parser.take("=") {
            return Err("a record of another kind".to_owned());
        }
        match (field.as_str(), parser.expression()?) {
            ("matchStatus", Value::Number(status)) => expected.status = Some(status),
            ("matchHeaders", value) => {
                expected.any_json = false;
                expected.headers = list(value)?.into_iter().map(matcher).collect::<Result<_, _>>()?;
            }
            ("matchBody", _) => return Err("a matcher of bodies".to_owned()),
            (field, value) => return Err(format!("{field} = {value:?}")),
        }
        parser.take(",");
    }
    Ok(expected)
}

fn matcher(value: Value) -> Result<Matcher, Unread> {
    match value {
        Value::Matcher(matcher) => Ok(matcher),
        other => Err(format!("{other:?} is no expectation of headers")),
    }
}

/// JSON as it is quoted in Haskell: keys may stand without quotes.
pub fn as_json(quoted: &str) -> Result<String, Unread> {
    let mut json = String::new();
    let mut letters = quoted.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == '"' {
            let mut end = at;
            while let Some((at, letter)) = letters.next() {
                end = at;
                match letter {
                    '\\' => drop(letters.next()),
                    '"' => break,
                    _ => {}
                }
            }
            json.push_str(&quoted[at..=end]);
        } else if letter == '#' {
            return Err("JSON with Haskell in it".to_owned());
        } else if letter.is_alphabetic() || letter == '_' {
            let mut end = at + letter.len_utf8();
            while let Some((at, letter)) = letters.next_if(|(_, letter)| letter.is_alphanumeric() || *letter == '_') {
                end = at + letter.len_utf8();
            }
            let is_key = quoted[end..].trim_start().starts_with(':');
            let word = &quoted[at..end];
            json += &if is_key { format!("\"{word}\"") } else { word.to_owned() };
        } else {
            json.push(letter);
        }
    }
    serde_json::from_str::<serde_json::Value>(&json).map_err(|error| format!("JSON that is none: {error}"))?;
    Ok(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(source: &str) -> BTreeMap<String, Vec<Pair>> {
        Spec::read(source).pairs(Place { fixtures: Path::new("."), version: 15 })
    }

    fn is(name: &str, value: &str) -> Matcher {
        Matcher::Is(name.to_owned(), value.to_owned())
    }

    #[test]
    fn a_pair_is_read_as_it_is_sent() {
        let source = r#"
module Feature.OursSpec where
import Protolude hiding (get)

spec :: SpecWith ((), Application)
spec = describe "ships" $ do
  let captain = authHeaderJWT "a.b.c"
      many = [json| [{ name: "One" }, {"name": "T\"wo"}] |]
  it "is listed" $ do
    request methodPost "/ships?select=name"
        ([("Prefer", "return=" <> "representation"), captain] ++ acceptHdrs "text/csv") many
      `shouldRespondWith` -- as sent
      [json| [ {"name": "One"} ] |]
      { matchStatus = 201
      , matchHeaders = [ matchContentTypeJson, "Content-Range" <:> "*/*", matchHeaderAbsent hLocation ]
      }
    get "/ships" `shouldRespondWith` 404
"#;
        let pairs = pairs(source);
        let pairs = &pairs["spec"];
        assert_eq!(Vec::from_iter(pairs.iter().map(|pair| pair.line)), [10, 17]);
        let (request, expected) = pairs[0].read.as_ref().unwrap();
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/ships?select=name"));
        assert_eq!(
            request.headers,
            [
                header("Prefer", "return=representation"),
                header("Authorization", "Bearer a.b.c"),
                header("Accept", "text/csv"),
            ]
        );
        assert_eq!(request.body.trim(), r#"[{ "name": "One" }, {"name": "T\"wo"}]"#);
        assert_eq!(expected.status, Some(201));
        assert_eq!(
            expected.headers,
            [
                is("Content-Type", "application/json; charset=utf-8"),
                is("Content-Range", "*/*"),
                Matcher::Absent("Location".to_owned()),
            ]
        );
        let (_, expected) = pairs[1].read.as_ref().unwrap();
        assert_eq!((expected.status, &expected.body), (Some(404), &Body::Any));
    }

    #[test]
    fn words_of_a_file_are_its_pairs_each_time() {
        let source = r#"
keep = [("Prefer", "tx=commit")]

answersTo sent applied = do
  it "reads" $
    request methodGet "/ships" sent "" `shouldRespondWith` "[]" { matchHeaders = matchContentTypeJson : applied }
  sunk

sunk = delete "/ships?id=eq.0" `shouldRespondWith` 204

spec actualPgVersion = do
  keep `answersTo` [ matchHeaderValuePresent "Preference-Applied" "tx" ]
  [] `answersTo` []
  when (actualPgVersion < pgVersion140) $ do
    get "/old" `shouldRespondWith` 200
  get "/new" `shouldRespondWith` (if actualPgVersion >= pgVersion130 then "new" else "old")
"#;
        let pairs = pairs(source);
        assert_eq!(Vec::from_iter(pairs.keys()), ["spec"]);
        let read: Vec<_> = pairs["spec"].iter().map(|pair| pair.read.as_ref().unwrap()).collect();
        let paths: Vec<_> = read.iter().map(|(request, _)| request.path.as_str()).collect();
        assert_eq!(paths, ["/ships", "/ships?id=eq.0", "/ships", "/ships?id=eq.0", "/new"]);
        let (request, expected) = read[0];
        assert_eq!(request.headers, [("Prefer".to_owned(), "tx=commit".to_owned())]);
        assert_eq!(expected.headers[1], Matcher::Has("Preference-Applied".to_owned(), "tx".to_owned()));
        assert_eq!(read[4].1.body, Body::Text("new".to_owned()));
    }

    #[test]
    fn what_a_test_looks_at_itself_is_expected() {
        let source = r#"
spec = do
  it "counts" $ do
    r <- request methodGet "/ships" (rangeHdrs $ ByteRangeFromTo 0 1) mempty
    let seen = simpleHeaders r
    liftIO $ do
      seen `shouldSatisfy` matchHeader "Content-Range" "0-1/*"
      simpleStatus r `shouldBe` ok200
    p <- get "/ships"
    liftIO $ simpleBody p `shouldBe` [json|[]|]
"#;
        let pairs = pairs(source);
        let read: Vec<_> = pairs["spec"].iter().map(|pair| pair.read.as_ref().unwrap()).collect();
        let (request, expected) = read[0];
        assert_eq!(request.headers[1], ("Range".to_owned(), "0-1".to_owned()));
        assert_eq!(expected.status, Some(200));
        assert_eq!(expected.headers, [Matcher::Like("Content-Range".to_owned(), "0-1/*".to_owned())]);
        let (_, expected) = read[1];
        assert_eq!((expected.status, &expected.body), (None, &Body::Json("[]".to_owned())));
    }

    #[test]
    fn what_cannot_be_read_is_counted() {
        let source = r#"
spec = do
  it "is looked at" $ do
    r <- get "/ships"
    liftIO $ simpleHeaders r `shouldSatisfy` noBlankHeader
  it "is made" $ post "/ships" (made 3) `shouldRespondWith` 201
  it "is not run" $ do
    pendingWith "a decision"
    get "/ships" `shouldRespondWith` 500
  it "goes on" $ get "/ships" `shouldRespondWith` 200
"#;
        let pairs = pairs(source);
        let read: Vec<_> = pairs["spec"].iter().map(|pair| pair.read.as_ref().err().map(String::as_str)).collect();
        assert_eq!(read, [Some("an answer that the test looks at in another way"), Some("the name `made`"), None]);
    }
}
