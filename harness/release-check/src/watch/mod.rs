//! `release-check watch`: the runbook's monitoring table again and again, for the hours after a release. Each round is a
//! run of the checks that verify its steps, in processes of their own: what one round breaks or holds, the next has not.

mod course;
mod page;
#[cfg(test)]
mod tests;

use std::{
    fs::{self, File},
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use harness::{Runbook, SUITE_SECONDS, WATCH_ROUND, run::kept_out};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    runtime::Builder,
    signal,
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};

use crate::{
    Error, Exit, Usage,
    setup::{self, root},
    suites::{Source, Suite},
    terminal::{print, say},
};
use course::{Course, Sample};

/// What to watch, and for how long.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The deployment: embedded, local, staging or production [default: embedded, or what E2E_BASE_URL names]
    #[arg(long)]
    target: Option<String>,
    /// How long: 30m, 1h, 12h
    #[arg(long = "for", value_name = "TIME", default_value = "1h")]
    span: SignedDuration,
    /// How often
    #[arg(long, value_name = "TIME", default_value = "60s")]
    every: SignedDuration,
    /// A breach is one that lasts: so many rounds in a row in which a figure was over its limit, or nobody answered
    #[arg(long, value_name = "ROUNDS", default_value_t = 3)]
    lasts: usize,
    /// Where watch.jsonl and index.html go [default: target/watch]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Print what was seen as JSON: each metric's last sample, the breaches that lasted, what was never decided
    #[arg(long)]
    json: bool,
}

/// The checks of the table's steps that only read, by suite.
struct Watcher {
    suites: Vec<(Suite, Vec<String>)>,
    environment: Vec<(String, String)>,
}

impl Watcher {
    fn new(environment: Vec<(String, String)>) -> Result<Self, Error> {
        let steps = Runbook::get().steps().iter();
        let steps: Vec<_> =
            steps.filter(|step| step.is_monitored() && step.is_tested()).map(|step| step.id.as_str()).collect();
        let mut suites = Vec::new();
        for suite in Source::at(None)?.suites(&[])? {
            let tests = suite.steps()?.into_iter();
            let tests = tests.filter(|(step, test)| steps.contains(&step.as_str()) && kept_out(test).is_none());
            let tests: Vec<_> = tests.map(|(_, test)| test).collect();
            if !tests.is_empty() {
                suites.push((suite, tests));
            }
        }
        Ok(Self { suites, environment })
    }

    /// Looks once. The checks' evidence is in a folder below `out`, and gone with it unless it is kept.
    fn round(&self, out: &Path) -> Result<(Vec<Sample>, TempDir), Error> {
        let at = Timestamp::now();
        let name = at.strftime("%Y-%m-%d-%H%M%S-").to_string();
        let folder = tempfile::Builder::new().prefix(&name).tempdir_in(out)?;
        let environment: Vec<_> =
            self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let (mut samples, until) = (Vec::new(), Instant::now() + WATCH_ROUND);
        for (suite, tests) in &self.suites {
            let left = until.saturating_duration_since(Instant::now()).as_secs().to_string();
            let environment = [&environment[..], &[(SUITE_SECONDS, left.as_str())]].concat();
            let results = suite.run(Some(tests), &folder.path().join(&suite.name), &environment)?.results;
            samples.extend(results.into_iter().map(|result| Sample::of(result, at)));
        }
        if Instant::now() >= until {
            samples.iter_mut().for_each(Sample::came_late);
        }
        samples.sort_by(|one, other| one.step.cmp(&other.step));
        Ok((samples, folder))
    }
}

/// Watches until the time is over, or Ctrl-C. Failed when something was in breach for long, open when something was
/// never decided.
///
/// # Errors
/// When nothing can be watched, or the report cannot be written.
pub fn run(options: &Options) -> Result<Exit, Error> {
    let every = Duration::try_from(options.every).unwrap_or_default();
    let span = Duration::try_from(options.span).unwrap_or_default();
    if every.is_zero() || span.is_zero() || options.lasts == 0 {
        return Err(Usage::error("--for, --every and --lasts must be greater than zero"));
    }
    setup::ensure()?;
    let out = options.out.clone().unwrap_or_else(|| root().join("target/watch"));
    let target = options.target.iter().map(|target| ("HARNESS_TARGET".to_owned(), target.clone()));
    let watcher = Arc::new(Watcher::new(target.collect())?);
    let mut lines = fs::create_dir_all(&out)
        .and_then(|()| File::create(out.join("watch.jsonl")))
        .map_err(|error| format!("{} cannot be written: {error}", out.display()))?;
    let mut course = Course::new(options.lasts);
    let screen = Screen::new();
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let over = tokio::time::sleep(span);
        tokio::pin!(over);
        loop {
            tokio::select! {
                _ = signal::ctrl_c() => break,
                () = &mut over => break,
                _ = ticks.tick() => {}
            }
            let (looking, evidence) = (Arc::clone(&watcher), out.clone());
            let looked = tokio::select! {
                // The checks hear it, too, and end what they started.
                _ = signal::ctrl_c() => break,
                looked = spawn_blocking(move || looking.round(&evidence)) => looked?,
            };
            let (samples, evidence) = match looked {
                Ok(looked) => looked,
                // A full disk, say: reported and tried again, unless no round has worked yet.
                Err(error) if !course.is_empty() => {
                    screen.say(&format!("{} no round: {error}", Timestamp::now().strftime("%H:%M:%SZ")));
                    continue;
                }
                Err(error) => return Err(error),
            };
            if course.is_empty()
                && let Some(why) = Sample::obstacle(&samples)
            {
                return Err(format!("nothing can be watched\n{why}").into());
            }
            for sample in &samples {
                let figure = sample.figure.as_ref();
                let line = json!({
                    "at": sample.at, "step": sample.step, "outcome": sample.outcome, "seen": sample.seen,
                    "value": figure.map(|it| it.value), "limit": figure.map(|it| it.limit), "unit": figure.map(|it| &it.unit),
                });
                writeln!(lines, "{line}")?;
            }
            let added = course.add(samples);
            if added.is_evidence {
                let _ = evidence.keep();
            }
            added.begun.iter().for_each(|begun| screen.say(begun));
            screen.show(&course.to_string());
        }
        Ok::<_, Error>(())
    })?;
    screen.clear();
    fs::write(out.join("index.html"), page::html(&course)?)?;
    if options.json {
        print(&serde_json::to_string_pretty(&course.document())?);
    } else {
        print(&course.to_string());
        print(&course.last_word());
    }
    say(&format!("report: {}", out.join("index.html").display()));
    Ok(course.exit())
}

/// The table, drawn in place on a terminal; elsewhere in a new place each round.
struct Screen(Option<ProgressBar>);

impl Screen {
    fn new() -> Self {
        let style = ProgressStyle::with_template("{msg}").ok().filter(|_| std::io::stderr().is_terminal());
        Self(style.map(|style| ProgressBar::new_spinner().with_style(style)))
    }

    fn show(&self, table: &str) {
        match &self.0 {
            Some(bar) => bar.set_message(table.to_owned()),
            None => say(table),
        }
    }

    fn say(&self, line: &str) {
        match &self.0 {
            Some(bar) => bar.println(line),
            None => say(line),
        }
    }

    fn clear(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
