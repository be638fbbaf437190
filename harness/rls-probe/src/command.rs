//! The command: what `rls-probe` is asked, what it prints, and how it ends.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use clap::{ColorChoice, Parser, Subcommand};
use jiff::Zoned;
use serde::{Deserialize, Serialize};

use crate::{
    BUDGET, Wish,
    baseline::Baseline,
    compare::Difference,
    error::Error,
    finding::Finding,
    harm::Harm,
    infer::Inferred,
    mend::Mended,
    output::{html, junit, sarif},
    project::Project,
    report::Report,
    rule::Rule,
    tenancy::Tenancy,
};

const AFTER_HELP: &str = "\
Exit codes:
  0  no findings
  1  findings
  2  usage: an option, a file or the [tenancy] is wrong
  3  undecided: nothing was found, and not everything could be tried
  4  infrastructure: the database cannot be reached or probed, or an output cannot be written

Examples:
  Probe a local Supabase project and infer its tenancy:
    rls-probe --database-url postgresql://postgres:postgres@127.0.0.1:54322/postgres
  See what a migration would open before it is run:
    rls-probe --migration supabase/migrations/next.sql
  Gate a pull request with code scanning, and keep what is already known out of it:
    rls-probe --tenancy tenancy.toml --baseline known.toml --sarif rls.sarif
  Probe a folder of migrations without a database at hand:
    rls-probe --migrations supabase/migrations
  See what a pull request opens and closes, beside the folder as it is on main:
    rls-probe --migrations supabase/migrations --diff main/supabase/migrations
  Write the fixes that were tried as a migration:
    rls-probe --fix supabase/migrations/20260101000000_fix.sql
  Explain a rule:
    rls-probe explain policy-too-wide

Everything happens in one transaction that is rolled back; the report says so.";

const NOTHING_TO_COMPARE: &str = "--diff has nothing to compare
do        compare a file with the database: --migration supabase/migrations/next.sql --diff
          or two folders: --migrations supabase/migrations --diff main/supabase/migrations";

/// Finds the ways by which a user reads or changes what is another tenant's.
///
/// Makes two tenants, users of every kind and rows in every table, lets each user try everything, looks at the effects,
/// and rolls it all back.
#[derive(Debug, Parser)]
#[command(name = "rls-probe", version, after_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
pub struct Command {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print a rule's page; without an id, list the rules
    #[command(alias = "rule")]
    Explain {
        /// The id, as findings and SARIF show it
        id: Option<String>,
    },
    /// Print the [tenancy] that is inferred, as a file for --tenancy, why, and what is not sure
    Infer {
        /// The database
        #[arg(long, value_name = "URL", env = "SUPABASE_DB_URL", hide_env_values = true)]
        database_url: Option<String>,
        /// Instead of a database, a folder like supabase/migrations, or a dump
        #[arg(long, value_name = "PATH")]
        migrations: Option<PathBuf>,
        /// A schema that the API exposes; may be repeated
        #[arg(long = "schema", value_name = "NAME")]
        schemas: Vec<String>,
    },
}

/// Which database, and what is known of its tenancy.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The database, as a role that may SET ROLE and bypasses row level security: Supabase's postgres
    #[arg(long, value_name = "URL", env = "SUPABASE_DB_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// A file with a `[tenancy]` table; without it the tenancy is inferred, and printed
    #[arg(long, value_name = "FILE")]
    pub tenancy: Option<PathBuf>,
    /// A schema that the API exposes, where --tenancy names none [default: public]; may be repeated
    #[arg(long = "schema", value_name = "NAME", conflicts_with = "tenancy")]
    schemas: Vec<String>,
    /// Probe what these migrations make, a folder like supabase/migrations or a dump: in a database of their own, on the
    /// server that --database-url names or on one that is started for it
    #[arg(long, value_name = "PATH")]
    pub migrations: Option<PathBuf>,
    /// Leave out statements of --migrations that cannot be run, and name them
    #[arg(long, requires = "migrations")]
    keep_going: bool,
    /// Probe what this SQL file would make of the database; it is rolled back with everything else
    #[arg(long, value_name = "FILE")]
    migration: Option<PathBuf>,
    /// Report only what --migration opens and closes, or what --migrations do beside BEFORE, the folder without the change
    #[arg(
        long,
        value_name = "BEFORE",
        num_args = 0..=1,
        conflicts_with_all = ["fix", "baseline", "sarif", "junit", "html", "repro", "matrix"]
    )]
    diff: Option<Option<PathBuf>>,
    /// Write a migration of all fixes that were tried together, with who may do what before and after
    #[arg(long, value_name = "FILE")]
    fix: Option<PathBuf>,
    /// The least harm that ends with exit code 1: low, medium, high or critical
    #[arg(long, value_name = "HARM", default_value = "low", value_parser = harm)]
    fail_on: Harm,
    /// Findings that are accepted, each with a reason and a last day
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write the report as JSON to FILE; without FILE, print it instead of the text
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    json: Option<Option<PathBuf>>,
    /// Write the report as SARIF to FILE, for code scanning
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,
    /// Write the report as JUnit to FILE
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write the report with its matrix as a page to FILE
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write a psql script to FOLDER for each thing that somebody can do
    #[arg(long, value_name = "FOLDER")]
    repro: Option<PathBuf>,
    /// Print who may do what to which object as well
    #[arg(long)]
    matrix: bool,
    /// How long the probes of one object may take; what is left of them then is undecided
    #[arg(long, value_name = "SECONDS", default_value_t = BUDGET.as_secs())]
    budget: u64,
    /// Use one session alone: a second one takes a part of the objects where there are many
    #[arg(long)]
    alone: bool,
    /// When to color the text
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
}

/// How a run ended; the number is the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Nothing was found, and everything was decided.
    Clean = 0,
    /// Something was found.
    Findings = 1,
    /// An option, a file or the tenancy is wrong.
    Usage = 2,
    /// Nothing was found, and not everything could be tried.
    Undecided = 3,
    /// The database cannot be reached or probed, or an output cannot be written.
    Infrastructure = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    fn of_change(difference: &Difference, fail_on: Harm, is_whole: bool) -> Self {
        match (difference.worst() >= Some(fail_on), difference.undecided.is_empty() && is_whole) {
            (true, _) => Self::Findings,
            (false, false) => Self::Undecided,
            (false, true) => Self::Clean,
        }
    }

    fn of(report: &Report, fail_on: Harm, is_whole: bool) -> Self {
        match (
            !report.findings.iter().any(|finding| finding.harm >= fail_on),
            report.undecided.is_empty() && is_whole,
            report.proof.transaction == "aborted",
        ) {
            (false, ..) => Self::Findings,
            (true, false, _) => Self::Undecided,
            (true, true, true) => Self::Clean,
            (true, true, false) => Self::Infrastructure,
        }
    }
}

/// Why a run ended before its verdict.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
struct Failure {
    exit: Exit,
    why: String,
}

impl Failure {
    fn usage(why: String) -> Self {
        Self { exit: Exit::Usage, why }
    }

    fn infrastructure(why: String) -> Self {
        Self { exit: Exit::Infrastructure, why }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = match error {
            Error::Url
            | Error::Pooler
            | Error::NoSchema(_)
            | Error::NoTable(_)
            | Error::NoColumn(..)
            | Error::NoTables(..)
            | Error::Migration(_)
            | Error::MigrationFile(_)
            | Error::File(..) => Exit::Usage,
            Error::NoTenant(..) | Error::NoUser(_) | Error::NoMember(..) | Error::Refused { .. } => Exit::Undecided,
            Error::Connect(_)
            | Error::Version(_)
            | Error::Role { .. }
            | Error::Bound
            | Error::Catalog(_)
            | Error::NoServer
            | Error::Server(_)
            | Error::Lost { .. } => Exit::Infrastructure,
        };
        Self { exit, why: error.to_string() }
    }
}

#[derive(Default, Deserialize, Serialize)]
struct Document {
    tenancy: Tenancy,
}

impl Command {
    /// Does what was asked.
    pub async fn run(&self) -> Exit {
        match &self.action {
            Some(Action::Explain { id }) => rule(id.as_deref()),
            Some(Action::Infer { database_url, migrations, schemas }) => {
                let mut terminal = Terminal::of(ColorChoice::Auto);
                let done = infer(database_url.as_deref(), migrations.as_deref(), schemas, &mut terminal).await;
                done.unwrap_or_else(|failure| {
                    terminal.complain(&failure.why);
                    failure.exit
                })
            }
            None => self.options.run().await,
        }
    }
}

/// Prints a rule, or the list of all.
fn rule(id: Option<&str>) -> Exit {
    let mut terminal = Terminal::of(ColorChoice::Auto);
    let Some(id) = id else {
        Rule::ALL.iter().for_each(|rule| terminal.print(&format!("{:<26}{}", rule.id(), rule.help())));
        return Exit::Clean;
    };
    match Rule::named(id) {
        Some(rule) => terminal.print(rule.page().trim_end()),
        None => {
            terminal.complain(&format!("there is no rule \"{id}\"; `rls-probe explain` lists them"));
            return Exit::Usage;
        }
    }
    Exit::Clean
}

impl Options {
    /// Probes, writes what is to be written, and prints the report.
    pub async fn run(&self) -> Exit {
        let mut terminal = Terminal::of(self.color);
        self.probe(&mut terminal).await.unwrap_or_else(|failure| {
            terminal.complain(&failure.why);
            failure.exit
        })
    }

    async fn probe(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let document = match &self.tenancy {
            Some(path) => parsed(path)?,
            None => Document { tenancy: Tenancy { schemas: self.schemas.clone(), ..Tenancy::default() } },
        };
        let baseline: Baseline = self.baseline.as_deref().map(parsed).transpose()?.unwrap_or_default();
        let migration = self.migration.as_deref().map(read).transpose()?;
        let wish = Wish {
            migration: migration.as_deref(),
            mended: self.fix.is_some(),
            shown: self.repro.is_some(),
            budget: Some(Duration::from_secs(self.budget)),
            alone: self.alone,
        };
        if let Some(before) = &self.diff {
            return self.compare(before.as_deref(), &document.tenancy, wish, terminal).await;
        }
        let (mut report, is_whole) = self.probed(self.migrations.as_deref(), &document.tenancy, wish, terminal).await?;
        let remarks = report.accept(&baseline, Zoned::now().date());
        self.write(&report, terminal)?;
        if matches!(self.json, Some(None)) {
            terminal.print(&json(&report)?);
            return Ok(Exit::of(&report, self.fail_on, is_whole));
        }
        if self.tenancy.is_none() {
            let inferred = toml::to_string(&Document { tenancy: report.tenancy.clone() })
                .map_err(|error| Failure::infrastructure(error.to_string()))?;
            terminal.print(&format!("inferred; correct it in a file for --tenancy:\n\n{inferred}"));
        }
        if self.matrix {
            terminal.print(&report.matrix());
        }
        report.findings.iter().for_each(|finding| terminal.print(&colored(finding)));
        terminal.print(&report.rest());
        remarks.iter().for_each(|remark| terminal.print(&format!("baseline: {remark}")));
        Ok(Exit::of(&report, self.fail_on, is_whole))
    }

    /// Probes one database, and whether nothing was left out of it.
    async fn probed(
        &self,
        migrations: Option<&Path>,
        tenancy: &Tenancy,
        wish: Wish<'_>,
        terminal: &mut Terminal,
    ) -> Result<(Report, bool), Failure> {
        let source = Source::of(self.database_url.as_deref(), migrations, self.keep_going).await?;
        source.tell(terminal);
        let is_whole = source.is_whole();
        let probed = crate::probe_as(source.url(), tenancy, wish).await;
        source.remove().await?;
        Ok((probed?, is_whole))
    }

    /// Prints what a change opens and closes; what it opens decides.
    async fn compare(
        &self,
        before: Option<&Path>,
        tenancy: &Tenancy,
        wish: Wish<'_>,
        terminal: &mut Terminal,
    ) -> Result<Exit, Failure> {
        let was_of = match (before, &self.migration, &self.migrations) {
            (None, Some(_), migrations) => migrations.as_deref(),
            (Some(before), None, Some(_)) => Some(before),
            _ => return Err(Failure::usage(NOTHING_TO_COMPARE.to_owned())),
        };
        let (was, was_whole) = self.probed(was_of, tenancy, Wish { migration: None, ..wish }, terminal).await?;
        let (is, is_whole) = self.probed(self.migrations.as_deref(), tenancy, wish, terminal).await?;
        let difference = Difference::between(&was, &is);
        match &self.json {
            Some(Some(path)) => write(terminal, path, &(json(&difference)? + "\n"))?,
            Some(None) => terminal.print(&json(&difference)?),
            None => {}
        }
        if !matches!(self.json, Some(None)) {
            terminal.print(&difference.to_string());
        }
        Ok(Exit::of_change(&difference, self.fail_on, was_whole && is_whole))
    }

    fn write(&self, report: &Report, terminal: &mut Terminal) -> Result<(), Failure> {
        let broken = |what: &str, error: &dyn std::fmt::Display| {
            Failure::infrastructure(format!("the report cannot be written as {what}: {error}"))
        };
        if let Some(Some(path)) = &self.json {
            write(terminal, path, &(json(report)? + "\n"))?;
        }
        if let Some(path) = &self.sarif {
            let made_of = self.migration.as_deref().unwrap_or(Path::new("supabase/migrations"));
            let text = serde_json::to_string_pretty(&sarif(report, &made_of.display().to_string()))
                .map_err(|error| broken("SARIF", &error))?;
            write(terminal, path, &(text + "\n"))?;
        }
        if let Some(path) = &self.junit {
            write(terminal, path, &junit(report).map_err(|error| broken("JUnit", &error))?)?;
        }
        if let Some(path) = &self.html {
            write(terminal, path, &html(report).map_err(|error| broken("a page", &error))?)?;
        }
        if let (Some(path), Some(mended)) = (&self.fix, &report.mended) {
            write(terminal, path, &migration_of(mended))?;
        }
        let Some(folder) = &self.repro else { return Ok(()) };
        fs::create_dir_all(folder)
            .map_err(|error| Failure::infrastructure(format!("{} cannot be written: {error}", folder.display())))?;
        let mut shown = report.shown.iter().copied();
        let mut missing = 0;
        for (finding, number) in report.findings.iter().zip(1..) {
            for (effect, count) in finding.effects.iter().zip(1..) {
                if !shown.next().unwrap_or(false) {
                    missing += 1;
                    continue;
                }
                let object = finding.object.name.replace(['/', ' '], "-");
                let head = format!("-- {} {}\n", effect.actors.join(", "), effect.text);
                let name = format!("{number:03}-{object}-{}-{count}.sql", effect.verb.name());
                write(terminal, &folder.join(name), &(head + &report.repro(effect)))?;
            }
        }
        if missing > 0 {
            terminal.say(&format!(
                "not written: {missing} scripts that were run and did not show by themselves what the probes saw"
            ));
        }
        Ok(())
    }
}

/// Where a database is: behind a URL, or made of migrations.
enum Source {
    Url(String),
    Project(Box<Project>),
}

impl Source {
    async fn of(url: Option<&str>, migrations: Option<&Path>, keep_going: bool) -> Result<Self, Failure> {
        match (url, migrations) {
            (url, Some(path)) => Ok(Self::Project(Box::new(Project::make(path, url, keep_going).await?))),
            (Some(url), None) => Ok(Self::Url(url.to_owned())),
            (None, None) => Err(Failure::usage(
                "no database is named\ndo        --database-url URL, SUPABASE_DB_URL, or --migrations supabase/migrations"
                    .to_owned(),
            )),
        }
    }

    fn url(&self) -> &str {
        match self {
            Self::Url(url) => url,
            Self::Project(project) => &project.url,
        }
    }

    /// Whether nothing was left out of it.
    fn is_whole(&self) -> bool {
        match self {
            Self::Url(_) => true,
            Self::Project(project) => project.skipped.is_empty(),
        }
    }

    /// What was left out of it.
    fn tell(&self, terminal: &mut Terminal) {
        if let Self::Project(project) = self {
            project.skipped.iter().for_each(|skipped| terminal.say(&format!("left out: {skipped}")));
        }
    }

    async fn remove(self) -> Result<(), Error> {
        match self {
            Self::Url(_) => Ok(()),
            Self::Project(project) => project.remove().await,
        }
    }
}

async fn infer(
    url: Option<&str>,
    migrations: Option<&Path>,
    schemas: &[String],
    terminal: &mut Terminal,
) -> Result<Exit, Failure> {
    let source = Source::of(url, migrations, true).await?;
    source.tell(terminal);
    let inferred = crate::inferred(source.url(), schemas).await;
    source.remove().await?;
    let Inferred { tenancy, reasons, questions } = inferred?;
    reasons.iter().for_each(|reason| terminal.print(&format!("# {reason}")));
    questions.iter().for_each(|question| terminal.print(&format!("# unsure: {question}")));
    let text = toml::to_string(&Document { tenancy }).map_err(|error| Failure::infrastructure(error.to_string()))?;
    terminal.print(&format!("\n{}", text.trim_end()));
    Ok(if questions.is_empty() { Exit::Clean } else { Exit::Undecided })
}

/// Fixes as a migration, with who may do what before and after in comments.
fn migration_of(mended: &Mended) -> String {
    let comment = |text: &str| text.lines().map(|line| format!("-- {line}\n")).collect::<String>();
    format!(
        "-- Closes {} findings; tried together, and nobody lost what is theirs.\n\n{}\n\n-- Who may do what before it:\n{}\n-- and after it:\n{}",
        mended.closes,
        mended.sql,
        comment(&mended.before),
        comment(&mended.after)
    )
}

fn harm(text: &str) -> Result<Harm, String> {
    let all = [Harm::Low, Harm::Medium, Harm::High, Harm::Critical];
    all.into_iter().find(|harm| harm.name() == text).ok_or_else(|| "expected low, medium, high or critical".to_owned())
}

/// Where texts go.
struct Terminal {
    out: AutoStream<std::io::Stdout>,
    error: AutoStream<std::io::Stderr>,
}

impl Terminal {
    fn of(color: ColorChoice) -> Self {
        let choice = match color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        };
        Self { out: AutoStream::new(std::io::stdout(), choice), error: AutoStream::new(std::io::stderr(), choice) }
    }

    /// What was asked for. Whoever closes the pipe has read enough.
    fn print(&mut self, text: &str) {
        let _ = writeln!(self.out, "{text}");
    }

    /// What happens beside it.
    fn say(&mut self, text: &str) {
        let _ = writeln!(self.error, "{text}");
    }

    fn complain(&mut self, text: &str) {
        let style = AnsiColor::Red.on_default().bold();
        self.say(&format!("{style}error{style:#}: {text}"));
    }
}

/// A finding whose first line has the color of its harm.
fn colored(finding: &Finding) -> String {
    let text = format!("{finding:#}");
    let (head, body) = text.split_once('\n').unwrap_or((&text, ""));
    let style: Style = match finding.harm {
        Harm::Critical => AnsiColor::Red.on_default().bold(),
        Harm::High => AnsiColor::Red.on_default(),
        Harm::Medium => AnsiColor::Yellow.on_default(),
        Harm::Low => AnsiColor::Cyan.on_default(),
    };
    format!("{style}{head}{style:#}\n{body}")
}

fn json(report: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(report)
        .map_err(|error| Failure::infrastructure(format!("the report cannot be written as JSON: {error}")))
}

fn write(terminal: &mut Terminal, path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text)
        .map_err(|error| Failure::infrastructure(format!("{} cannot be written: {error}", path.display())))?;
    terminal.say(&format!("written: {}", path.display()));
    Ok(())
}

fn parsed<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, Failure> {
    toml::from_str(&read(path)?).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::usage(format!("{} cannot be read: {error}", path.display())))
}
