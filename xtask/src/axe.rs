//! `cargo xtask axe`: the sign-off's page as axe-core sees it in the suites' own browser, on a desk and on a phone, in
//! light and in dark.

use std::fs;

use harness::{Browser, Contract, Failure, Wanted};
use serde::Deserialize;
use tokio::runtime::Builder;

use release_check::signoff::sample;

use crate::{Error, Verdict, peer, print, setup::root, table::table};

/// Enough checks for a page with everything on it.
const CHECKS: usize = 100;
/// A run in which fewer rules had something to look at has not looked.
const LEAST_RULES: usize = 15;

/// What axe says, and whether the page is wider than the screen.
#[derive(Deserialize)]
struct Seen {
    passes: usize,
    violations: Vec<Violation>,
    overflows: bool,
}

#[derive(Deserialize)]
struct Violation {
    id: String,
    help: String,
    nodes: Vec<String>,
}

const RUN: &str = "
    const answer = arguments[arguments.length - 1];
    axe.run(document, { resultTypes: ['violations', 'passes'] }).then(({ passes, violations }) => answer({
        passes: passes.length,
        violations: violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map(({ target }) => target.join(' ')) })),
        overflows: document.documentElement.scrollWidth > innerWidth,
    }), (error) => answer(String(error)));";

/// Looks at a page with every kind of entry. True when there is nothing to complain of.
///
/// # Errors
/// When npm or the browser fails.
pub fn run() -> Verdict {
    let package = peer::install(&root().join("xtask/axe"))?;
    let axe = fs::read_to_string(package.join("node_modules/axe-core/axe.min.js"))?;
    let folder = tempfile::tempdir()?;
    let run = sample::results(CHECKS, folder.path())?;
    sample::document(&run, folder.path())?;
    let url = format!("file://{}", folder.path().join("index.html").display());

    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut rows = table(&["screen", "rules passed", "violations"]);
    let mut good = true;
    for (screen, width, scheme) in [
        ("desk, light", 1280, "light"),
        ("desk, dark", 1280, "dark"),
        ("phone, light", 360, "light"),
        ("phone, dark", 360, "dark"),
    ] {
        let seen = runtime.block_on(look(&url, width, scheme, &axe)).map_err(|failure| failure.to_string())?;
        let mut complaints: Vec<_> = seen
            .violations
            .iter()
            .map(|violation| format!("{}, {}: {}", violation.id, violation.help, violation.nodes.join(", ")))
            .collect();
        if seen.overflows {
            complaints.push("the page is wider than the screen".to_owned());
        }
        good &= complaints.is_empty() && seen.passes >= LEAST_RULES;
        rows.add_row([screen.to_owned(), seen.passes.to_string(), complaints.join("\n")]);
    }
    print(&rows.to_string());
    Ok(good)
}

async fn look(url: &str, width: u32, scheme: &str, axe: &str) -> Result<Seen, Error> {
    let browser = Browser::open(Vec::new()).await?;
    browser.show_as(width, scheme).await?;
    let wanted = Wanted::anything(&Contract::sacco_plus()?).selector("main");
    browser.visit(&url.parse()?, &wanted).await?;
    let seen = browser.ask(&format!("{axe};{RUN}"), Vec::new()).await?;
    browser.close(true).await?;
    serde_json::from_value(seen.clone())
        .map_err(|_| Failure::undecided("axe looked at the page").seen(seen.to_string()).into())
}
