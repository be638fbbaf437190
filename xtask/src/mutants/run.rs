//! Running mutants: each in a portal of its own, until its first kill.

use std::{
    fmt, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use harness::{
    Outcome as Seen,
    run::{CheckResult, read_results},
};
use portal::Portal;

use super::{Class, Mutant, tree::Tree};
use crate::{Error, say, setup::root, suites::Suite};

/// The suites that look at what a class is made of, each with the files that it is likely to notice first, by a part of their
/// path. Of the release it is what the schema declares.
const SUITES: [(&str, &[Class], &[&str]); 6] = [
    (
        "data",
        &[Class::Web, Class::Sql, Class::Server],
        &[
            "assets/views/",
            "assets/ledger",
            "assets/allocate",
            "dashboard",
            "transactions",
            "reconciliation",
            "reports",
        ],
    ),
    (
        "smoke",
        &[Class::Web, Class::Server],
        &["sw.js", "index.html", "pages/", "assets/shell", "assets/routes", "assets/base", "assets/main"],
    ),
    (
        "authentication",
        &[Class::Web, Class::Sql, Class::Server],
        &["auth/", "assets/supabase/", "assets/views/login", "assets/identity"],
    ),
    ("sms-pipeline", &[Class::Sql, Class::Server], &["functions/", "sms_pipeline"]),
    ("release", &[Class::Sql], &[]),
    ("security", &[Class::Sql, Class::Server], &["consolidated_schema", "settings_module", "institutions_staff"]),
];

/// What looks at the schema as it is declared.
const DECLARED: &str = "what_the_migrations_make_is_there";

/// Mutants at once.
const WORKERS: usize = 2;

/// What became of a mutant.
pub(super) struct Outcome {
    kind: Kind,
    pub milliseconds: u64,
}

enum Kind {
    /// By a failed check: its step and its name.
    Killed(String, String),
    /// By checks of steps that it does not break, and by no other: the first one's step and name.
    Misled(String, String),
    Survived,
    /// The portal does not start with it.
    Stillborn,
}

impl Outcome {
    pub fn is_killed(&self) -> bool {
        matches!(self.kind, Kind::Killed(..) | Kind::Misled(..))
    }

    pub fn is_misled(&self) -> bool {
        matches!(self.kind, Kind::Misled(..))
    }

    pub fn is_survivor(&self) -> bool {
        matches!(self.kind, Kind::Survived)
    }

    pub fn is_stillborn(&self) -> bool {
        matches!(self.kind, Kind::Stillborn)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Killed(step, check) => write!(f, "{step} {check}"),
            Kind::Misled(step, check) => write!(f, "(misled) {step} {check}"),
            Kind::Survived => f.write_str("survived"),
            Kind::Stillborn => f.write_str("(does not start)"),
        }
    }
}

/// All of them, in their order.
///
/// # Errors
/// When a suite cannot be run, or the sound portal is not green by the same way.
pub(super) fn all(mutants: &[Mutant], only: &[String]) -> Result<Vec<Outcome>, Error> {
    let wanted = SUITES.iter().filter(|(name, ..)| only.is_empty() || only.iter().any(|only| only == name));
    let suites: Vec<_> = wanted.map(|(name, ..)| Suite::build(name)).collect::<Result<_, _>>()?;
    if suites.is_empty() {
        return Err(format!("none of {} looks at mutants", only.join(", ")).into());
    }
    let classes: std::collections::BTreeSet<_> = mutants.iter().map(|mutant| mutant.class).collect();
    let tree = if classes.contains(&Class::Server) { Some(Tree::of(&suites)?) } else { None };
    let tree = tree.as_ref();
    // Mutants of the servers are compiled in one place.
    let workers = if tree.is_some() { 1 } else { WORKERS };
    for class in classes {
        if let Kind::Killed(step, check) = judged(&suites, tree, class, None, "sound")?.kind {
            return Err(format!("the sound portal is red by this way: {step} {check}").into());
        }
    }
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || -> Result<(), Error> {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(mutant) = mutants.get(at) else { return Ok(()) };
            let outcome = judged(&suites, tree, mutant.class, Some(mutant), &at.to_string())?;
            say(&format!("{}/{} {}: {outcome}", at + 1, mutants.len(), mutant.file));
            done.lock().unwrap_or_else(PoisonError::into_inner).push((at, outcome));
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| Err("a worker panicked".into())))
    })?;
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, outcome)| outcome).collect())
}

fn judged(
    suites: &[Suite],
    tree: Option<&Tree>,
    class: Class,
    mutant: Option<&Mutant>,
    name: &str,
) -> Result<Outcome, Error> {
    let start = Instant::now();
    let folder = root().join("target/mutants").join(format!("{}-{name}", class.name()));
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let sources = folder.join("sources");
    copy(&root().join(class.folder()), &sources)?;
    if let Some(mutant) = mutant {
        fs::write(sources.join(&mutant.file), mutant.text())?;
    }
    let seed = root().join("fixtures/portal/seed");
    let environment: Vec<(&str, PathBuf)> = match class {
        Class::Web => vec![("PORTAL_DIST", sources)],
        Class::Sql => vec![
            ("PORTAL_MIGRATIONS", sources),
            ("PORTAL_SEED", seed.join("seed.sql")),
            ("PORTAL_ACCOUNTS", seed.join("accounts.toml")),
        ],
        Class::Server => Vec::new(),
    };
    let compiled = match tree.filter(|_| class == Class::Server) {
        Some(tree) => tree.suites(class.folder(), mutant)?,
        None => Some(suites.to_vec()),
    };
    let kind = if let Some(suites) = compiled.filter(|_| starts(class, &environment).unwrap_or_default()) {
        let looks = looks(&suites, class, mutant.map(|mutant| mutant.file.as_str()).unwrap_or_default());
        kind(&looks, mutant.map_or(&[], |mutant| &mutant.breaks), &environment, &folder)?
    } else {
        Kind::Stillborn
    };
    Ok(Outcome { kind, milliseconds: u64::try_from(start.elapsed().as_millis())? })
}

/// Whether a portal can be made of these sources at all; what PostgreSQL does not take is no defect that is released.
fn starts(class: Class, environment: &[(&str, PathBuf)]) -> Result<bool, Error> {
    if class == Class::Server {
        return Ok(true);
    }
    let path = |at: usize| environment.get(at).map(|(_, path)| path.clone()).unwrap_or_default();
    let builder = Portal::builder();
    let builder = match class {
        Class::Web => builder.dist(path(0)),
        Class::Sql => builder.migrations(path(0)).seed(path(1)).accounts(path(2)),
        Class::Server => builder,
    };
    Ok(tokio::runtime::Runtime::new()?.block_on(builder.start()).is_ok())
}

/// The suites that look at this class with the tests of each, those first that are likely to notice a change of this file:
/// of a view's script the checks that are named after the view.
fn looks<'s>(suites: &'s [Suite], class: Class, file: &str) -> Vec<(&'s Suite, Option<String>)> {
    let view = file.strip_prefix("assets/views/").and_then(|name| name.strip_suffix(".js"));
    let data = suites.iter().find(|suite| suite.name == "data");
    let first = view.zip(data).map(|(view, data)| (data, Some(view.replace('-', "_"))));
    let likely = |suite: &Suite| {
        let (_, classes, parts) = SUITES.iter().find(|(name, ..)| *name == suite.name)?;
        classes.contains(&class).then(|| parts.iter().any(|part| file.contains(part)))
    };
    let tests = |suite: &Suite| (suite.name == "release").then(|| DECLARED.to_owned());
    let mut all: Vec<_> =
        suites.iter().filter_map(|suite| likely(suite).map(|is_likely| (!is_likely, (suite, tests(suite))))).collect();
    all.sort_by_key(|(rank, _)| *rank);
    let all = all.into_iter().map(|(_, look)| look);
    first.into_iter().chain(all).collect()
}

/// Until the first check of a broken step fails.
fn kind(
    looks: &[(&Suite, Option<String>)],
    breaks: &[String],
    environment: &[(&str, PathBuf)],
    folder: &Path,
) -> Result<Kind, Error> {
    let mut misled = None;
    for (at, (suite, tests)) in looks.iter().enumerate() {
        let own = folder.join(format!("{at}-{}", suite.name));
        fs::create_dir_all(&own)?;
        let mut command = suite.command_in(&own);
        command.env("HARNESS_TARGET", "embedded").env("RUST_TEST_THREADS", "2").envs(environment.iter().cloned());
        let mut child =
            command.args(tests).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let lines = child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines).map_while(Result::ok);
        let mut kind = None;
        for line in lines {
            if line.starts_with("test ") && line.ends_with("FAILED") {
                kind = first_kill(&read_results(&own).unwrap_or_default(), breaks);
                if matches!(kind, Some(Kind::Killed(..))) {
                    break;
                }
            }
        }
        // What is still running ends with it: nothing outlives the process that started it.
        let _ = child.kill();
        child.wait()?;
        match kind {
            Some(killed @ Kind::Killed(..)) => return Ok(killed),
            other => misled = misled.or(other),
        }
    }
    Ok(misled.unwrap_or(Kind::Survived))
}

/// A failed check kills; one that could not tell does not. One of a broken step comes before all others.
fn first_kill(results: &[CheckResult], breaks: &[String]) -> Option<Kind> {
    let is_of = |step: &str, broken: &String| {
        step.strip_prefix(broken.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let is_right = |result: &CheckResult| breaks.is_empty() || breaks.iter().any(|broken| is_of(&result.step, broken));
    let failed: Vec<_> = results.iter().filter(|result| result.outcome == Seen::Failed).collect();
    match failed.iter().find(|result| is_right(result)) {
        Some(right) => Some(Kind::Killed(right.step.clone(), right.name.clone())),
        None => failed.first().map(|result| Kind::Misled(result.step.clone(), result.name.clone())),
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (entry, is_folder) = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?.is_dir())))?;
        let target = to.join(entry.file_name().unwrap_or_default());
        if is_folder {
            copy(&entry, &target)?;
        } else {
            fs::copy(&entry, &target)?;
        }
    }
    Ok(())
}
