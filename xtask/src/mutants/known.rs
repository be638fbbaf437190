//! What is known of mutants beforehand, in `fixtures/mutants.toml`: those whose behaviour is the sound portal's, and what
//! each source is about.

use std::fs;

use regex::Regex;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{Class, Mutant, all_of};
use crate::{Error, setup::root};

const FILE: &str = "fixtures/mutants.toml";

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Known {
    #[serde(default)]
    mutant: Vec<Dismissal>,
    #[serde(default)]
    alike: Vec<Alike>,
    #[serde(default)]
    source: Vec<Source>,
}

/// One that is dismissed: a line of a file as it is and as it becomes, and why that changes nothing that anybody sees.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dismissal {
    file: String,
    from: String,
    to: String,
    #[expect(dead_code, reason = "for whoever reads the file")]
    why: String,
}

/// A part of lines, no change of which anybody sees.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Alike {
    files: Vec<String>,
    /// Finds the part in a line: its group `part`.
    #[serde(deserialize_with = "pattern")]
    line: Regex,
    #[expect(dead_code, reason = "for whoever reads the file")]
    why: String,
}

fn pattern<'de, D: Deserializer<'de>>(text: D) -> Result<Regex, D::Error> {
    let pattern = Regex::new(&String::deserialize(text)?).map_err(D::Error::custom)?;
    match pattern.capture_names().any(|name| name == Some("part")) {
        true => Ok(pattern),
        false => Err(D::Error::custom(format!("{pattern} has no group (?<part>...)"))),
    }
}

/// What sources are about.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    /// What their paths begin with, below the folder of their class; of several the longest counts.
    path: String,
    /// Steps whose promise breaks with them.
    #[serde(default)]
    steps: Vec<String>,
    /// Words of lines that touch money, tenancy, access or the audit log; `""` is in every line.
    #[serde(default)]
    guards: Vec<String>,
    /// Why they are not changed.
    left_out: Option<String>,
}

impl Known {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read, or dismisses what is not there any more.
    pub fn read() -> Result<Self, Error> {
        let text = fs::read_to_string(root().join(FILE)).map_err(|error| format!("{FILE}: {error}"))?;
        let known: Self = toml::from_str(&text).map_err(|error| format!("{FILE}: {error}"))?;
        let mut random = fastrand::Rng::with_seed(0);
        let mut all = Vec::new();
        if !(known.mutant.is_empty() && known.alike.is_empty()) {
            for class in Class::ALL {
                all.extend(all_of(class, &mut random)?);
            }
        }
        match known.stale(&all).as_slice() {
            [] => Ok(known),
            stale => Err(format!("{FILE} dismisses what is not there any more: remove\n{}", stale.join("\n")).into()),
        }
    }

    /// Dismissals of lines that no mutant has any more.
    fn stale(&self, all: &[Mutant]) -> Vec<String> {
        let is_gone = |dismissal: &&Dismissal| !all.iter().any(|mutant| dismissal.is_of(mutant));
        let line = |it: &Dismissal| format!("{}\n- {}\n+ {}", it.file, it.from, it.to);
        let is_of_none = |alike: &&Alike| !all.iter().any(|mutant| alike.is_of(mutant));
        let pattern = |it: &Alike| format!("{}\n{}", it.files.join(", "), it.line);
        let parts = self.alike.iter().filter(is_of_none).map(pattern);
        self.mutant.iter().filter(is_gone).map(line).chain(parts).collect()
    }

    /// Whether the mutant is dismissed, or its source left out.
    pub fn is_dismissed(&self, mutant: &Mutant) -> bool {
        self.source_of(&mutant.file).is_some_and(|source| source.left_out.is_some())
            || self.mutant.iter().any(|dismissal| dismissal.is_of(mutant))
            || self.alike.iter().any(|alike| alike.is_of(mutant))
    }

    /// Steps whose promise breaks with a source; none where that is not known.
    pub fn steps(&self, file: &str) -> Vec<String> {
        self.source_of(file).map(|source| source.steps.clone()).unwrap_or_default()
    }

    /// Whether a change touches money, tenancy, access or the audit log.
    pub fn is_guarded(&self, mutant: &Mutant) -> bool {
        let (before, after) = mutant.lines();
        let lines = format!("{before}\n{after}").to_lowercase();
        self.source_of(&mutant.file).is_some_and(|source| source.guards.iter().any(|word| lines.contains(word)))
    }

    fn source_of(&self, file: &str) -> Option<&Source> {
        self.source.iter().filter(|source| file.starts_with(&source.path)).max_by_key(|source| source.path.len())
    }
}

impl Dismissal {
    fn is_of(&self, mutant: &Mutant) -> bool {
        if mutant.file != self.file {
            return false;
        }
        let (before, after) = mutant.lines();
        self.from.trim() == before.trim() && self.to.trim() == after.trim()
    }
}

impl Alike {
    /// Whether the change is within the part of its line.
    fn is_of(&self, mutant: &Mutant) -> bool {
        let changed = &mutant.change.range;
        let start = mutant.source[..changed.start].rfind('\n').map_or(0, |at| at + 1);
        let line = mutant.source[start..].lines().next().unwrap_or_default();
        let part = || self.line.captures(line)?.name("part");
        let contains =
            |part: regex::Match<'_>| part.start() + start <= changed.start && changed.end <= part.end() + start;
        self.files.contains(&mutant.file) && part().is_some_and(contains)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Change, *};

    const KNOWN: &str = r#"
        [[mutant]]
        file = "a.js"
        from = "wait(5);"
        to = "wait(6);"
        why = "nobody counts"
        [[source]]
        path = "views/"
        steps = ["4"]
        guards = ["amount"]
        [[source]]
        path = "views/members"
        steps = ["4.1.5"]
        [[source]]
        path = "vendors/"
        left_out = "others make them"
    "#;

    /// A mutant that is one line.
    fn of_line(file: &str, from: &str, to: &str) -> Mutant {
        let change = Change { operator: "test".into(), range: 0..from.len(), by: to.to_owned() };
        Mutant {
            class: Class::Web,
            file: file.to_owned(),
            source: from.to_owned(),
            change,
            breaks: Vec::new(),
            about: Vec::new(),
        }
    }

    #[test]
    fn dismissals_are_of_mutants_that_there_are() {
        Known::read().unwrap();
    }

    #[test]
    fn a_dismissal_is_of_a_line_wherever_it_stands_and_is_named_once_it_is_gone() {
        let known: Known = toml::from_str(KNOWN).unwrap();
        let here = of_line("a.js", "  wait(5);", "  wait(6);");
        assert!(known.is_dismissed(&here));
        assert!(known.stale(&[here]).is_empty());
        assert!(known.is_dismissed(&of_line("vendors/b.js", "wait(5);", "wait(6);")));
        let others = [of_line("b.js", "wait(5);", "wait(6);"), of_line("a.js", "wait(5);", "wait(0);")];
        assert!(!others.iter().any(|other| known.is_dismissed(other)));
        assert_eq!(known.stale(&others), ["a.js\n- wait(5);\n+ wait(6);"]);
    }

    #[test]
    fn a_part_of_a_line_is_dismissed_and_the_rest_is_not() {
        let known: Known = toml::from_str(
            r#"
            [[alike]]
            files = ["a.sql"]
            line = '^ \((?<part>[0-9]+), '
            why = "an order with gaps"
            "#,
        )
        .unwrap();
        let source = "values\n (10, 20)";
        let at = |found: &str| {
            let start = source.find(found).unwrap();
            let change = Change { operator: "test".into(), range: start..start + found.len(), by: "11".to_owned() };
            Mutant { change, source: source.to_owned(), ..of_line("a.sql", "", "") }
        };
        assert!(known.is_dismissed(&at("10")));
        assert!(!known.is_dismissed(&at("20")));
        assert!(known.stale(&[at("10")]).is_empty());
        assert_eq!(known.stale(&[at("20")]), ["a.sql\n^ \\((?<part>[0-9]+), "]);
        assert!(toml::from_str::<Known>("[[alike]]\nfiles = [\"a\"]\nline = \"b\"\nwhy = \"c\"").is_err());
    }

    #[test]
    fn the_longest_path_says_what_a_source_is_about() {
        let known: Known = toml::from_str(KNOWN).unwrap();
        assert_eq!(known.steps("views/members.js"), ["4.1.5"]);
        assert_eq!(known.steps("views/groups.js"), ["4"]);
        assert!(known.steps("sw.js").is_empty());
        assert!(known.is_guarded(&of_line("views/groups.js", "row.Amount", "row.name")));
        assert!(!known.is_guarded(&of_line("views/groups.js", "row.name", "row.code")));
        assert!(!known.is_guarded(&of_line("views/members.js", "row.amount", "row.name")));
    }
}
