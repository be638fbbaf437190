//! Which checks look for a mutant, and in which order: those first that are likely to notice and soon done.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    Class, Mutant,
    run::is_of,
    sound::{Seen, Sound},
};
use crate::suites::Suite;

/// The suites that look at what a class is made of, each with the files that it is likely to notice first, by a part of their
/// path. Of the release it is what migrations make.
const SUITES: [(&str, &[Class], &[&str]); 6] = [
    (
        "data",
        &[Class::Web, Class::Sql, Class::Server],
        &["assets/ledger", "assets/allocate", "dashboard", "transactions"],
    ),
    ("smoke", &[Class::Web, Class::Server], &["sw.js", "index.html", "pages/"]),
    (
        "authentication",
        &[Class::Web, Class::Sql, Class::Server],
        &["auth/", "assets/supabase/", "assets/views/login", "assets/identity"],
    ),
    ("sms-pipeline", &[Class::Sql, Class::Server], &["functions/", "sms_pipeline"]),
    ("release", &[Class::Sql], &[]),
    ("security", &[Class::Sql, Class::Server], &["consolidated_schema", "settings_module", "institutions_staff"]),
];

/// What looks, in the release, at what migrations make: the schema as it is declared, and the events that it writes.
const OF_MIGRATIONS: [&str; 2] = ["what_the_migrations_make_is_there", "only_known_actions_are_in_the_audit_log"];

/// With what statements begin.
const STATEMENTS: [&str; 6] = ["create ", "alter ", "grant ", "revoke ", "insert ", "do "];

/// Checks that are tried before all others.
const FIRST: usize = 6;

/// Checks of one suite that are run together.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub suite: String,
    pub tests: Vec<String>,
}

/// The suites that look at any of these classes.
pub(super) fn suites(classes: &[Class]) -> Vec<&'static str> {
    let looks = |(_, own, _): &&(&str, &[Class], &[&str])| own.iter().any(|class| classes.contains(class));
    SUITES.iter().filter(looks).map(|(name, ..)| *name).collect()
}

/// The suites of these that look at a class.
pub(super) fn of_class(suites: &[Suite], class: Class) -> Vec<Suite> {
    let names = self::suites(&[class]);
    suites.iter().filter(|suite| names.contains(&suite.name.as_str())).cloned().collect()
}

/// The checks that can notice the mutant, those first that are about it, of steps whose promise it breaks.
pub(super) fn batches(sound: &Sound, mutant: &Mutant, breaks: &[String]) -> Vec<Batch> {
    let looking: Vec<_> = sound.checks.iter().filter(|check| can_notice(sound, check, mutant)).collect();
    let about = looking.iter().copied().filter(|check| is_about(check, mutant));
    let is_right = |check: &&Seen| breaks.is_empty() || is_of(&check.step, breaks);
    let (right, others): (Vec<_>, Vec<_>) = about.partition(is_right);
    let about = if right.is_empty() { others } else { right };
    let first = quickest(about);
    let is_first = |check: &&Seen| first.iter().any(|other| other.suite == check.suite && other.test == check.test);
    let rest: Vec<_> = looking.iter().copied().filter(|check| !is_first(check)).collect();
    let mut batches = in_suites(&first, mutant);
    batches.extend(in_suites(&rest, mutant));
    batches
}

/// A few of them that together ask for the most in the shortest time.
fn quickest(mut checks: Vec<&Seen>) -> Vec<&Seen> {
    let mut asked: BTreeSet<&str> = BTreeSet::new();
    let mut first = Vec::new();
    while first.len() < FIRST {
        let new = |check: &Seen| check.asked.iter().flatten().filter(|it| !asked.contains(it.as_str())).count();
        let worth = |check: &Seen| (1 + new(check)) as f64 / (1 + check.milliseconds) as f64;
        let best = checks.iter().enumerate().max_by(|(_, one), (_, other)| worth(one).total_cmp(&worth(other)));
        let Some((at, _)) = best else { break };
        let best = checks.swap_remove(at);
        asked.extend(best.asked.iter().flatten().map(String::as_str));
        first.push(best);
    }
    first
}

/// A page that never asked for a script is the same without it. Scripts that no page asked for, a worker's, anybody may need;
/// what has no page reads the site itself, in smoke.
fn can_notice(sound: &Sound, check: &Seen, mutant: &Mutant) -> bool {
    match mutant.class {
        Class::Server => true,
        Class::Sql => check.suite != "release" || OF_MIGRATIONS.iter().any(|name| check.test.contains(name)),
        Class::Web if !sound.checks.iter().any(|check| check.asked_for(&mutant.file)) => true,
        Class::Web => check.asked_for(&mutant.file) || (check.asked.is_none() && check.suite == "smoke"),
    }
}

fn is_about(check: &Seen, mutant: &Mutant) -> bool {
    match mutant.class {
        Class::Server => false,
        Class::Web => check.asked_for(&mutant.file),
        Class::Sql => statement_names(mutant).iter().any(|name| check.asked_for(name)),
    }
}

/// What the changed statement says of the schema that is exposed: the names with which it begins.
fn statement_names(mutant: &Mutant) -> Vec<String> {
    let start = mutant.change.range.start;
    let end = mutant.source[start..].find('\n').map_or(mutant.source.len(), |at| start + at);
    let before = &mutant.source[..end];
    let begins = |line: &str| STATEMENTS.iter().any(|word| line.starts_with(word));
    let mut at = before.len();
    let mut head = "";
    for line in before.split_inclusive('\n').rev() {
        at -= line.len();
        if begins(line) {
            head = &mutant.source[at..];
            break;
        }
    }
    let head = head.split(['\n', '(']).next().unwrap_or_default();
    let word = |text: &str| text.chars().take_while(|it| it.is_ascii_alphanumeric() || *it == '_').collect::<String>();
    head.match_indices("public.").map(|(at, found)| word(&head[at + found.len()..])).collect()
}

/// By suite: first those that are likely to notice a change of this file, of the others the quickest.
fn in_suites(checks: &[&Seen], mutant: &Mutant) -> Vec<Batch> {
    let mut suites: BTreeMap<&str, (u64, Vec<String>)> = BTreeMap::new();
    for check in checks {
        let (milliseconds, tests) = suites.entry(&check.suite).or_default();
        *milliseconds += check.milliseconds;
        tests.push(check.test.clone());
    }
    let is_likely = |suite: &str| {
        SUITES.iter().any(|(name, _, parts)| *name == suite && parts.iter().any(|part| mutant.file.contains(part)))
    };
    let mut suites: Vec<_> = suites.into_iter().collect();
    suites.sort_by_key(|(suite, (milliseconds, _))| (Reverse(is_likely(suite)), *milliseconds));
    suites.into_iter().map(|(suite, (_, tests))| Batch { suite: suite.to_owned(), tests }).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::Change, *};

    fn seen(suite: &str, test: &str, milliseconds: u64, asked: Option<&[&str]>) -> Seen {
        let asked = asked.map(|asked| asked.iter().map(|it| (*it).to_owned()).collect());
        let (suite, test, step) = (suite.to_owned(), test.to_owned(), format!("of {test}"));
        Seen { suite, test, step, milliseconds, asked }
    }

    fn mutant(class: Class, file: &str, source: &str, at: usize) -> Mutant {
        let change = Change { operator: "test".into(), range: at..at + 1, by: String::new() };
        Mutant {
            class,
            file: file.to_owned(),
            source: source.to_owned(),
            change,
            breaks: Vec::new(),
            about: Vec::new(),
        }
    }

    fn sound() -> Sound {
        let all = ["assets/main.js", "assets/views/members.js", "rest/v1/members"];
        Sound::of_checks(vec![
            seen("data", "by_rest", 10, None),
            seen("data", "members", 500, Some(&all)),
            seen("data", "groups", 400, Some(&["assets/main.js", "rest/v1/groups"])),
            seen("smoke", "headers", 5, None),
            seen("smoke", "login", 300, Some(&["assets/main.js"])),
        ])
    }

    fn names(batches: &[Batch]) -> Vec<&str> {
        batches.iter().flat_map(|batch| batch.tests.iter().map(String::as_str)).collect()
    }

    #[test]
    fn a_view_is_looked_at_by_those_that_asked_for_it() {
        let batches = batches(&sound(), &mutant(Class::Web, "assets/views/members.js", "x", 0), &[]);
        assert_eq!(names(&batches), ["members", "headers"]);
    }

    #[test]
    fn what_no_page_asked_for_anybody_looks_at() {
        assert_eq!(names(&batches(&sound(), &mutant(Class::Web, "sw.js", "x", 0), &[])).len(), 5);
    }

    #[test]
    fn a_step_that_is_broken_looks_before_others() {
        let of = |breaks: &[&str]| {
            let breaks: Vec<_> = breaks.iter().map(|step| (*step).to_owned()).collect();
            batches(&sound(), &mutant(Class::Web, "assets/main.js", "x", 0), &breaks)
        };
        assert_eq!(names(&of(&["of groups"]))[0], "groups");
        assert_eq!(of(&["of groups"])[0].tests.len(), 1);
        assert_eq!(names(&of(&["of members"]))[0], "members");
    }

    #[test]
    fn a_statement_is_looked_at_first_by_those_that_asked_for_what_it_makes() {
        let source = "create table public.groups ();\n\ncreate function public.a() returns int\nlanguage sql as $$\n  select x\n$$;";
        let of = |text: &str| mutant(Class::Sql, "a.sql", source, source.find(text).unwrap());
        assert_eq!(statement_names(&of("x")), ["a"]);
        assert_eq!(statement_names(&of(";\n\n")), ["groups"]);
        let batches = batches(&sound(), &of(";\n\n"), &[]);
        assert_eq!(names(&batches)[0], "groups");
        assert_eq!(names(&batches).len(), 5);
    }
}
