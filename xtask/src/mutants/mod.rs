//! Mutants: the portal's own sources with one change each, chosen at random by a seed, and which checks notice. Nobody can
//! tune a check to what nobody has chosen.

mod known;
mod own;
mod patches;
mod plan;
mod run;
mod server;
mod sound;
mod sql;
mod tree;
mod web;

use std::{
    borrow::Cow,
    fs,
    ops::Range,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::ValueEnum;
use jiff::SignedDuration;
use known::Known;
use run::{Kind, Outcome};

use crate::{
    Error, Verdict, print, say,
    setup::{self, root},
    table::{seconds, table},
};

/// The servers' sources.
const SERVERS: [&str; 6] = ["auth/", "functions/", "gateway.rs", "keys.rs", "pages/", "rest/"];

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
    /// Begin no further mutant after this time; the same command goes on where this one ended
    #[arg(long = "for", value_name = "TIME")]
    within: Option<SignedDuration>,
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
    const ALL: [Self; 3] = [Self::Web, Self::Sql, Self::Server];

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
    /// Steps whose promise it breaks, of which one has to notice; none where any may.
    breaks: Vec<String>,
    /// Steps that its source is about.
    about: Vec<String>,
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
}

/// Prints what became of each mutant. True when none survived.
///
/// # Errors
/// When a suite cannot be run, or the sound portal is not green by the same way.
pub fn run(options: &Options) -> Verdict {
    setup::ensure()?;
    let known = Known::read()?;
    let chosen = chosen(options, &known)?;
    if options.list {
        chosen.iter().for_each(|mutant| print(&mutant.diff()));
        return Ok(true);
    }
    let within = options.within.map(Duration::try_from).transpose().map_err(|error| error.to_string())?;
    let outcomes = run::all(&chosen, &options.suite, within)?;
    let judged: Vec<_> =
        chosen.iter().zip(&outcomes).filter_map(|(mutant, outcome)| Some((mutant, outcome.as_ref()?))).collect();
    let mut rows = table(&["class", "where", "change", "killed by", "time"]);
    for (mutant, outcome) in &judged {
        let line = mutant.source[..mutant.change.range.start].matches('\n').count() + 1;
        let (place, time) = (format!("{}:{line}", mutant.file), seconds(outcome.milliseconds));
        rows.add_row([mutant.class.name(), &place, &mutant.change.operator, &outcome.to_string(), &time]);
    }
    print(&rows.to_string());
    for (mutant, outcome) in &judged {
        if outcome.is_survivor() {
            print(&format!("{outcome}: {}", mutant.diff()));
        }
    }
    for class in Class::ALL {
        let of_class: Vec<_> = judged.iter().copied().filter(|(mutant, _)| mutant.class == class).collect();
        if !of_class.is_empty() {
            print(&summary(class, &of_class, &known));
        }
    }
    let left = chosen.len() - judged.len();
    if left > 0 {
        print(&format!("{left} of {} were not looked at: the same command goes on", chosen.len()));
    }
    Ok(left == 0 && !judged.iter().any(|(_, outcome)| outcome.is_survivor()))
}

/// A line for a class: killed and survived, of what touches money, tenancy, access or the audit log apart, and how many were
/// noticed by a step whose promise they break.
fn summary(class: Class, judged: &[(&Mutant, &Outcome)], known: &Known) -> String {
    let share = |outcomes: &[&Outcome]| {
        let (killed, all) = (
            outcomes.iter().filter(|outcome| outcome.killer().is_some()).count(),
            outcomes.iter().filter(|outcome| outcome.kind != Kind::Stillborn).count(),
        );
        let by_own = outcomes.iter().filter(|outcome| matches!(outcome.kind, Kind::KilledByOwn { .. })).count();
        let percent =
            |killed: usize| (100 * killed).checked_div(all).map_or(String::new(), |share| format!(" ({share} %)"));
        let more = if by_own > 0 {
            format!(", with the portal's own tests {}{}", killed + by_own, percent(killed + by_own))
        } else {
            String::new()
        };
        format!("{killed} of {all} killed{}{more}", percent(killed))
    };
    let all: Vec<_> = judged.iter().map(|(_, outcome)| *outcome).collect();
    let guarded: Vec<_> =
        judged.iter().filter(|(mutant, _)| known.is_guarded(mutant)).map(|(_, outcome)| *outcome).collect();
    let by_step = judged.iter().filter_map(|(mutant, outcome)| {
        let steps = if mutant.breaks.is_empty() { &mutant.about } else { &mutant.breaks };
        Some(run::is_of(outcome.killer()?, steps)).filter(|_| !steps.is_empty())
    });
    let by_step: Vec<_> = by_step.collect();
    let right = by_step.iter().filter(|is_right| **is_right).count();
    let of = |kind: &Kind| all.iter().filter(|outcome| outcome.kind == *kind).count();
    let (stillborn, unseen) = (of(&Kind::Stillborn), of(&Kind::Unseen));
    let unseen = if unseen > 0 { format!("; the code of {unseen} is run by no check") } else { String::new() };
    format!(
        "{}: {}; of those that touch money, tenancy, access or the audit log {}; {right} of {} by a step that they break; \
         {stillborn} are not made{unseen}",
        class.name(),
        share(&all),
        share(&guarded),
        by_step.len(),
    )
}

/// So many mutants of the chosen classes, the same for the same seed and sources; as many of each class as there can be.
fn chosen(options: &Options, known: &Known) -> Result<Vec<Mutant>, Error> {
    if let Some(file) = &options.patches {
        return patches::of_file(file, options.only);
    }
    let mut random = fastrand::Rng::with_seed(options.seed);
    let classes = options.only.map_or_else(|| vec![Class::Web, Class::Sql], |class| vec![class]);
    let mut chosen = Vec::new();
    for (at, class) in classes.iter().enumerate() {
        let mut all = all_of(*class, &mut random)?;
        random.shuffle(&mut all);
        // Afterwards, so that the others stay the same.
        all.retain(|mutant| !known.is_dismissed(mutant));
        let left = (options.count - chosen.len()) / (classes.len() - at);
        if *class == Class::Server {
            all = apart(all, left)?;
        }
        all.truncate(left);
        all.iter_mut().for_each(|mutant| mutant.about = known.steps(&mutant.file));
        chosen.extend(all);
    }
    say(&format!("{} mutants of seed {}", chosen.len(), options.seed));
    Ok(chosen)
}

/// The first so many that can be compiled together: each has a switch, and none is within another's.
fn apart(mutants: Vec<Mutant>, count: usize) -> Result<Vec<Mutant>, Error> {
    let mut apart: Vec<(Mutant, Range<usize>)> = Vec::new();
    for mutant in mutants {
        if apart.len() == count {
            break;
        }
        let Some((range, _)) = server::switch(&mutant.source, &mutant.change, 0)? else { continue };
        let meets = |(other, taken): &(Mutant, Range<usize>)| {
            other.file == mutant.file && taken.start < range.end && range.start < taken.end
        };
        if !apart.iter().any(meets) {
            apart.push((mutant, range));
        }
    }
    Ok(apart.into_iter().map(|(mutant, _)| mutant).collect())
}

fn all_of(class: Class, random: &mut fastrand::Rng) -> Result<Vec<Mutant>, Error> {
    let folder = root().join(class.folder());
    let mut files = Vec::new();
    walk(&folder, "", &mut files)?;
    files.sort();
    let mut mutants = Vec::new();
    for file in files {
        let source = fs::read_to_string(folder.join(&file))?;
        let is_none_of = |names: &[&str]| !names.iter().any(|name| file.ends_with(name));
        let changes = match (class, file.rsplit('.').next()) {
            // Pictures, made-up rows and build variables are not what a person sees of theirs.
            (Class::Web, Some("js")) if is_none_of(&["mock.js", "icons.js", "config.js"]) => web::script(&source)?,
            (Class::Web, Some("css")) => web::style(&source)?,
            (Class::Sql, Some("sql")) => sql::changes(&source, random)?,
            // What serves people; not what breaks it on purpose, nor what a start is made of.
            (Class::Server, Some("rs"))
                if SERVERS.iter().any(|folder| file.starts_with(folder)) && is_none_of(&["defect.rs", "tests.rs"]) =>
            {
                server::changes(&source)?
            }
            _ => Vec::new(),
        };
        let mutant = |change| Mutant {
            class,
            file: file.clone(),
            source: source.clone(),
            change,
            breaks: Vec::new(),
            about: Vec::new(),
        };
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
