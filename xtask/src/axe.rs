//! `cargo xtask axe`: the sign-off's page as axe-core sees it in the suites' own browser, on a desk and on a phone, in
//! light and in dark; and each view of the embedded portal, by the rules that axe-core calls serious or critical.

use std::fs;

use harness::{Browser, Contract, Deployment, Failure, Session, Wanted};
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
    impact: Option<String>,
    nodes: Vec<String>,
}

impl Violation {
    fn is_grave(&self) -> bool {
        matches!(self.impact.as_deref(), Some("serious" | "critical"))
    }
}

const RUN: &str = "
    const answer = arguments[arguments.length - 1];
    axe.run(document, { resultTypes: ['violations', 'passes'] }).then(({ passes, violations }) => answer({
        passes: passes.length,
        violations: violations.map(({ id, help, impact, nodes }) => ({ id, help, impact, nodes: nodes.map(({ target }) => target.join(' ')) })),
        overflows: document.documentElement.scrollWidth > innerWidth,
    }), (error) => answer(String(error)));";

/// Looks at a page with every kind of entry, and at each view. True when there is nothing to complain of.
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
        let mut complaints: Vec<_> = seen.violations.iter().map(shown).collect();
        if seen.overflows {
            complaints.push("the page is wider than the screen".to_owned());
        }
        good &= complaints.is_empty() && seen.passes >= LEAST_RULES;
        rows.add_row([screen.to_owned(), seen.passes.to_string(), complaints.join("\n")]);
    }
    for (view, seen) in runtime.block_on(views(&axe)).map_err(|failure| failure.to_string())? {
        let complaints: Vec<_> = seen.violations.iter().filter(|it| it.is_grave()).map(shown).collect();
        good &= complaints.is_empty() && seen.passes >= LEAST_RULES;
        rows.add_row([view, seen.passes.to_string(), complaints.join("\n")]);
    }
    print(&rows.to_string());
    Ok(good)
}

fn shown(violation: &Violation) -> String {
    format!("{}, {}: {}", violation.id, violation.help, violation.nodes.join(", "))
}

/// Each view of the contract as its first reader sees it.
async fn views(axe: &str) -> Result<Vec<(String, Seen)>, Error> {
    let deployment = Deployment::open().await.map_err(|error| error.to_string())?;
    let contract = deployment.contract();
    let (site, key) = (deployment.site(), Session::storage_key(&deployment.api()?.url));
    let browser = Browser::open(Vec::new()).await?;
    browser.visit(&site.url("/"), &Wanted::login(contract)).await?;
    let mut looked = Vec::new();
    for view in contract.views()? {
        let session = deployment.session(view.readers.first().map_or("", String::as_str)).await?;
        let hold = "localStorage.setItem(arguments[0], arguments[1]); arguments[2](null);";
        browser.ask(hold, vec![key.as_str().into(), session.stored().to_string().into()]).await?;
        let route = contract.page_of(view);
        browser
            .visit(&site.url(&route.path), &Wanted::view(contract, route))
            .await?
            .expect_ready("the view is on screen")?;
        let seen = browser.ask(&format!("{axe};{RUN}"), Vec::new()).await?;
        looked.push((format!("{}, desk", route.path), read(seen)?));
    }
    browser.close(true).await?;
    Ok(looked)
}

fn read(seen: serde_json::Value) -> Result<Seen, Error> {
    serde_json::from_value(seen.clone())
        .map_err(|_| Failure::undecided("axe looked at the page").seen(seen.to_string()).into())
}

async fn look(url: &str, width: u32, scheme: &str, axe: &str) -> Result<Seen, Error> {
    let browser = Browser::open(Vec::new()).await?;
    browser.show_as(width, scheme).await?;
    let wanted = Wanted::anything(&Contract::sacco_plus()?).selector("main");
    browser.visit(&url.parse()?, &wanted).await?;
    let seen = browser.ask(&format!("{axe};{RUN}"), Vec::new()).await?;
    browser.close(true).await?;
    read(seen)
}
