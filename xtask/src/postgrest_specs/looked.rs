//! Answers that a test binds to a name and looks at itself: `r <- request …`, and then what `shouldBe` and
//! `shouldSatisfy` say of its status, headers and body.

use super::{
    expression::{Matcher, Parser, Unread, Value},
    pairs::{Body, Expected, as_json},
    tokens::{Kind, Token},
};

/// What the statements from the parser's place on to `end` expect of the answer called `name`. One that is not understood
/// leaves the pair unread, and so does none at all.
pub fn expected(parser: &mut Parser<'_, '_>, name: &str, end: usize) -> Result<Expected, Unread> {
    let mut looks = Looks { name, headers: Vec::new(), statuses: Vec::new(), bodies: Vec::new() };
    let mut expected = Expected { status: None, body: Body::Any, headers: Vec::new(), any_json: false };
    let mut any = false;
    while parser.at < end {
        if looks.binds(parser) || skips(parser) {
            continue;
        }
        looks.look(parser, &mut expected)?;
        any = true;
    }
    if any { Ok(expected) } else { Err("an answer that the test does not look at".to_owned()) }
}

/// The parts of the answer, by the names that they are given.
struct Looks<'n> {
    name: &'n str,
    headers: Vec<String>,
    statuses: Vec<String>,
    bodies: Vec<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Headers,
    Status,
    Body,
}

fn name(token: Option<&Token>) -> &str {
    match token.map(|token| &token.kind) {
        Some(Kind::Name(name)) => name,
        _ => "",
    }
}

/// `liftIO $ do`, and the `let` before a name.
fn skips(parser: &mut Parser<'_, '_>) -> bool {
    let skips = matches!(name(parser.tokens.get(parser.at)), "liftIO" | "do" | "let") || parser.is("$");
    parser.at += usize::from(skips);
    skips
}

impl Looks<'_> {
    /// `let headers = simpleHeaders r`
    fn binds(&mut self, parser: &mut Parser<'_, '_>) -> bool {
        let bound = name(parser.tokens.get(parser.at)).to_owned();
        if bound.is_empty()
            || parser.tokens.get(parser.at + 1).map(|token| &token.kind) != Some(&Kind::Symbol("=".into()))
        {
            return false;
        }
        let Some(part) = self.part(&parser.tokens[parser.at + 2..]) else { return false };
        parser.at += 4;
        match part {
            Part::Headers => self.headers.push(bound),
            Part::Status => self.statuses.push(bound),
            Part::Body => self.bodies.push(bound),
        }
        true
    }

    /// `simpleHeaders r`
    fn part(&self, tokens: &[Token]) -> Option<Part> {
        let part = match name(tokens.first()) {
            "simpleHeaders" => Part::Headers,
            "simpleStatus" => Part::Status,
            "simpleBody" => Part::Body,
            _ => return None,
        };
        (name(tokens.get(1)) == self.name).then_some(part)
    }

    fn bound(&self, bound: &str) -> Option<Part> {
        let is = |names: &[String]| names.iter().any(|name| name == bound);
        let parts = [(&self.headers, Part::Headers), (&self.statuses, Part::Status), (&self.bodies, Part::Body)];
        parts.into_iter().find(|(names, _)| is(names)).map(|(_, part)| part)
    }

    /// One `shouldBe` or `shouldSatisfy`.
    fn look(&self, parser: &mut Parser<'_, '_>, expected: &mut Expected) -> Result<(), Unread> {
        let other = || "an answer that the test looks at in another way".to_owned();
        let part = if let Some(part) = self.part(&parser.tokens[parser.at..]) {
            parser.at += 2;
            part
        } else {
            let part = self.bound(name(parser.tokens.get(parser.at))).ok_or_else(other)?;
            parser.at += 1;
            part
        };
        let Some(Kind::Infix(verb)) = parser.kind() else { return Err(other()) };
        parser.at += 1;
        let word = name(parser.tokens.get(parser.at)).to_owned();
        match (part, verb.as_str(), word.as_str()) {
            (Part::Status, "shouldBe", _) => {
                parser.at += 1;
                expected.status = Some(status(&word).ok_or_else(other)?);
            }
            (Part::Headers, "shouldSatisfy", "noProfileHeader") => {
                parser.at += 1;
                expected.headers.push(Matcher::Absent("Content-Profile".to_owned()));
            }
            (Part::Headers, "shouldSatisfy", "matchHeader") => {
                parser.at += 1;
                let (Value::Text(name), Value::Text(pattern)) = (parser.atom()?, parser.atom()?) else {
                    return Err(other());
                };
                expected.headers.push(Matcher::Like(name, pattern));
            }
            (Part::Body, "shouldBe", _) => {
                expected.body = match parser.atom()? {
                    Value::Text(text) => Body::Text(text),
                    Value::Json(text) => Body::Json(as_json(&text)?),
                    _ => return Err(other()),
                };
            }
            _ => return Err(other()),
        }
        Ok(())
    }
}

/// `ok200`
fn status(word: &str) -> Option<i64> {
    word.get(word.len().checked_sub(3)?..)?.parse().ok()
}
