//! Mutants: the portal's own sources with one change each, chosen at random by a seed, and which checks notice. Nobody can
//! tune a check to what nobody has chosen.

mod patches;
mod run;
mod server;
mod sql;
mod tree;
mod web;

use std::{
    borrow::Cow,
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use serde::Deserialize;

use crate::{
    Error, Verdict, print, say,
    setup::{self, root},
    table::{seconds, table},
};

/// Mutants whose behaviour is the sound portal's, with the reason for each.
const DISMISSED: &str = "fixtures/mutants.toml";

/// The servers' sources.
const SERVERS: [&str; 4] = ["auth/", "functions/", "pages/", "rest/"];

/// Lines shown around a change.
const AROUND: usize = 1;

/// Which mutants.
#[derive(clap::Args)]
pub struct Options {
    /// Chooses the mutants; the day's date in CI
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many
    #[arg(long, default_value_t = 40)]
    count: usize,
    /// Of these sources only; those of the servers are compiled, and so are left out unless they are asked for
    #[arg(long)]
    only: Option<Class>,
    /// Those of a file instead of any by chance: `[[patch]]` with name, file, from, to and the steps that it breaks
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "count"])]
    patches: Option<PathBuf>,
    /// With these suites only
    #[arg(long, value_name = "NAME")]
    suite: Vec<String>,
    /// Show the mutants and run nothing
    #[arg(long)]
    list: bool,
}

/// What is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Class {
    /// The front end: scripts and styles
    Web,
    /// The migrations
    Sql,
    /// The servers: each mutant is compiled
    Server,
}

impl Class {
    /// The sources, below the workspace.
    fn folder(self) -> &'static str {
        match self {
            Class::Web => "fixtures/portal/web",
            Class::Sql => "fixtures/portal/migrations",
            Class::Server => "fixtures/portal/src",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Class::Web => "web",
            Class::Sql => "sql",
            Class::Server => "server",
        }
    }
}

/// A part of a text, and what stands in its place.
#[derive(Debug, Clone)]
struct Change {
    operator: Cow<'static, str>,
    range: Range<usize>,
    by: String,
}

/// One change of one file.
#[derive(Debug, Clone)]
struct Mutant {
    class: Class,
    /// Below the class's folder.
    file: String,
    source: String,
    change: Change,
    /// Steps whose promise it breaks; none where any may notice.
    breaks: Vec<String>,
}

/// Mutants that behave as the sound portal does.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dismissals {
    #[serde(default)]
    mutant: Vec<Dismissal>,
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

impl Mutant {
    /// The file as the mutant has it.
    fn text(&self) -> String {
        let Change { range, by, .. } = &self.change;
        format!("{}{by}{}", &self.source[..range.start], &self.source[range.end..])
    }

    /// The lines that change, as they are and as they become.
    fn lines(&self) -> (String, String) {
        let Range { start, end } = self.change.range;
        let from = self.source[..start].rfind('\n').map_or(0, |at| at + 1);
        let to = self.source[end..].find('\n').map_or(self.source.len(), |at| end + at);
        let before = self.source[from..to].to_owned();
        let after = format!("{}{}{}", &self.source[from..start], self.change.by, &self.source[end..to]);
        (before, after)
    }

    fn diff(&self) -> String {
        let line = self.source[..self.change.range.start].matches('\n').count();
        let (before, after) = self.lines();
        let all: Vec<_> = self.source.lines().collect();
        let around = |from: usize, to: usize| {
            let lines = all.get(from..to.min(all.len())).unwrap_or_default();
            lines.iter().map(|line| format!("  {line}\n")).collect::<String>()
        };
        let marked = |mark: char, text: &str| text.lines().map(|line| format!("{mark} {line}\n")).collect::<String>();
        let until = line + before.lines().count();
        format!(
            "{}:{} {}\n{}{}{}{}",
            self.file,
            line + 1,
            self.change.operator,
            around(line.saturating_sub(AROUND), line),
            marked('-', &before),
            marked('+', &after),
            around(until, until + AROUND),
        )
    }

    fn is_dismissed(&self, dismissals: &Dismissals) -> bool {
        let (before, after) = self.lines();
        let is = |dismissal: &Dismissal| {
            dismissal.file == self.file && dismissal.from.trim() == before.trim() && dismissal.to.trim() == after.trim()
        };
        dismissals.mutant.iter().any(is)
    }
}

/// Prints what became of each mutant. True when none survived.
///
/// # Errors
/// When a suite cannot be run, or the sound portal is not green by the same way.
pub fn run(options: &Options) -> Verdict {
    setup::ensure()?;
    let chosen = chosen(options)?;
    if options.list {
        chosen.iter().for_each(|mutant| print(&mutant.diff()));
        return Ok(true);
    }
    let outcomes = run::all(&chosen, &options.suite)?;
    let mut rows = table(&["class", "where", "change", "killed by", "time"]);
    for (mutant, outcome) in chosen.iter().zip(&outcomes) {
        let line = mutant.source[..mutant.change.range.start].matches('\n').count() + 1;
        let place = format!("{}:{line}", mutant.file);
        rows.add_row([
            mutant.class.name(),
            &place,
            &mutant.change.operator,
            &outcome.to_string(),
            &seconds(outcome.milliseconds),
        ]);
    }
    print(&rows.to_string());
    for (mutant, outcome) in chosen.iter().zip(&outcomes) {
        if outcome.is_survivor() {
            print(&format!("survived: {}", mutant.diff()));
        }
    }
    for class in [Class::Web, Class::Sql, Class::Server] {
        let of = |what: &dyn Fn(&run::Outcome) -> bool| {
            chosen.iter().zip(&outcomes).filter(|(mutant, outcome)| mutant.class == class && what(outcome)).count()
        };
        let (killed, survived) = (of(&run::Outcome::is_killed), of(&run::Outcome::is_survivor));
        if let Some(share) = (100 * killed).checked_div(killed + survived) {
            let (misled, stillborn) = (of(&run::Outcome::is_misled), of(&run::Outcome::is_stillborn));
            print(&format!(
                "{}: {killed} killed ({misled} of them by a step that was not broken), {survived} survived ({share} %), \
                 {stillborn} do not start",
                class.name()
            ));
        }
    }
    Ok(!outcomes.iter().any(run::Outcome::is_survivor))
}

/// So many mutants of the chosen classes, the same for the same seed and sources; as many of each class as there can be.
fn chosen(options: &Options) -> Result<Vec<Mutant>, Error> {
    if let Some(file) = &options.patches {
        return patches::of_file(file, options.only);
    }
    let dismissals: Dismissals = match fs::read_to_string(root().join(DISMISSED)) {
        Ok(text) => toml::from_str(&text).map_err(|error| format!("{DISMISSED}: {error}"))?,
        Err(_) => Dismissals::default(),
    };
    let mut random = fastrand::Rng::with_seed(options.seed);
    let classes = options.only.map_or_else(|| vec![Class::Web, Class::Sql], |class| vec![class]);
    let mut chosen = Vec::new();
    for (at, class) in classes.iter().enumerate() {
        let mut all = all_of(*class, &mut random)?;
        all.retain(|mutant| !mutant.is_dismissed(&dismissals));
        random.shuffle(&mut all);
        let left = (options.count - chosen.len()) / (classes.len() - at);
        all.truncate(left);
        chosen.extend(all);
    }
    say(&format!("{} mutants of seed {}", chosen.len(), options.seed));
    Ok(chosen)
}

fn all_of(class: Class, random: &mut fastrand::Rng) -> Result<Vec<Mutant>, Error> {
    let folder = root().join(class.folder());
    let mut files = Vec::new();
    walk(&folder, "", &mut files)?;
    files.sort();
    let mut mutants = Vec::new();
    for file in files {
        let source = fs::read_to_string(folder.join(&file))?;
        let changes = match file.rsplit('.').next() {
            // Pictures, made-up rows and build variables are not what a person sees of theirs.
            Some("js") if !["mock.js", "icons.js", "config.js"].iter().any(|name| file.ends_with(name)) => {
                web::script(&source)?
            }
            Some("css") => web::style(&source)?,
            Some("sql") => sql::changes(&source, random)?,
            // What serves people; not what breaks it on purpose, nor what a start is made of.
            Some("rs") if SERVERS.iter().any(|folder| file.starts_with(folder)) && !file.ends_with("defect.rs") => {
                server::changes(&source)?
            }
            _ => Vec::new(),
        };
        let mutant = |change| Mutant { class, file: file.clone(), source: source.clone(), change, breaks: Vec::new() };
        mutants.extend(changes.into_iter().map(mutant));
    }
    Ok(mutants)
}

fn walk(folder: &Path, below: &str, files: &mut Vec<String>) -> Result<(), Error> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.push(name);
        }
    }
    Ok(())
}
