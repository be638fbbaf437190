//! `cargo xtask bench smoke`: a developer's `cargo test -p smoke`, and the same eight routes by Playwright's runner.

use std::{fs, path::Path, process::Command};

use super::{Figures, Rows, measure, median, times};
use crate::{
    Error, Verdict,
    cargo::cargo,
    peer::{Host, install},
    print,
    setup::{self, root},
    suites::Suite,
    table::table,
};

/// How to measure the smoke suite.
#[derive(clap::Args)]
pub struct Options {
    /// Measured runs of each command; a warm-up precedes them
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Compare with another runner: the eight route checks on one running portal
    #[arg(long)]
    against: Option<Peer>,
    /// Measure a fresh clone to its verdict too
    #[arg(long)]
    clone: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Peer {
    /// `@playwright/test` with two workers; needs node
    Playwright,
}

pub fn run(options: &Options) -> Verdict {
    setup::ensure()?;
    Suite::build("smoke")?;
    match options.against {
        Some(Peer::Playwright) => against_playwright(options.runs),
        None => alone(options),
    }
}

fn smoke() -> Command {
    cargo(&["test", "--quiet", "--package", "smoke"])
}

fn alone(options: &Options) -> Verdict {
    let mut rows = Rows::new("cargo test -p smoke");
    measure(&mut smoke())?;
    rows.add("compiled, warm template", times(options.runs, || measure(&mut smoke()))?)?;
    rows.add(
        "compiled, cold template",
        times(options.runs, || {
            forget_templates()?;
            measure(&mut smoke())
        })?,
    )?;
    rows.add(
        "after a change in one suite file",
        times(options.runs, || {
            touch(&root().join("suites/smoke/tests/routes.rs"))?;
            measure(&mut smoke())
        })?,
    )?;
    if options.clone {
        rows.add("a fresh clone, dependencies downloaded", vec![fresh_clone()?])?;
    }
    Ok(rows.print())
}

/// A cold start is one without the migrated template.
fn forget_templates() -> Result<(), Error> {
    let folder = root().join("target/portal");
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(())
}

fn touch(file: &Path) -> Result<(), Error> {
    let text = fs::read(file)?;
    Ok(fs::write(file, text)?)
}

fn fresh_clone() -> Result<Figures, Error> {
    let folder = tempfile::tempdir()?;
    let cloned = Command::new("git").args(["clone", "--quiet"]).arg(root()).arg(folder.path()).status()?;
    if !cloned.success() {
        return Err(format!("git clone failed: {cloned}").into());
    }
    measure(smoke().current_dir(folder.path()).env_remove("CARGO_TARGET_DIR"))
}

/// Both runners sign in once per worker and put the session into the page's storage; both look at the same headings
/// and texts, the console and failed requests, with the same browser binary and the same running portal.
fn against_playwright(runs: usize) -> Verdict {
    let peer = install(&root().join("xtask/playwright"))?;
    let host = Host::start()?;
    let environment = host.variables()?;
    let harness = || {
        let mut command = cargo(&["test", "--quiet", "--package", "smoke", "--", "signed_in::the_view_is_on_screen"]);
        command.envs(environment);
        command
    };
    let playwright = || {
        let mut command = Command::new("npx");
        command.args(["playwright", "test"]).current_dir(&peer).envs(environment);
        command.env("BROWSER_BIN", harness::tools::Tool::Browser.locate().unwrap_or_default());
        command
    };
    let mut figures = Vec::new();
    for run in 0..=runs {
        let pair = (measure(&mut harness())?, measure(&mut playwright())?);
        if run > 0 {
            figures.push(pair);
        }
    }
    let mut rows = table(&["eight routes, signed in", "wall, median", "peak memory, median"]);
    let medians = |of: fn(&(Figures, Figures)) -> Figures| -> Result<(f64, f64), Error> {
        let chosen: Vec<_> = figures.iter().map(of).collect();
        Ok((
            median(&chosen.iter().map(|run| run.wall).collect::<Vec<_>>())?,
            median(&chosen.iter().map(|run| run.memory).collect::<Vec<_>>())?,
        ))
    };
    let (ours, theirs) = (medians(|pair| pair.0)?, medians(|pair| pair.1)?);
    for (name, (wall, memory)) in [
        ("cargo test -p smoke -- signed_in::the_view_is_on_screen", ours),
        ("npx playwright test, two workers", theirs),
    ] {
        rows.add_row([name.to_owned(), format!("{wall:.2} s"), format!("{memory:.0} MB")]);
    }
    let ratio =
        |of: fn(&Figures) -> f64| median(&figures.iter().map(|pair| of(&pair.0) / of(&pair.1)).collect::<Vec<_>>());
    rows.add_row([
        "ratio, pair by pair".to_owned(),
        format!("{:.2}", ratio(|run| run.wall)?),
        format!("{:.2}", ratio(|run| run.memory)?),
    ]);
    print(&rows.to_string());
    Ok(figures.iter().all(|pair| pair.0.good && pair.1.good))
}
