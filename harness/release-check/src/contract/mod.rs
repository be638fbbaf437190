//! A contract for a portal that has none: the portal is walked through as a visitor and as somebody who signs in, and what
//! is seen becomes a proposal that its owner corrects. Nothing is written to the portal.

mod draft;
mod explain;
mod lists;
mod make;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use harness::{
    Browser, Contract, Known, Verdict, Wanted, known,
    rls::{Tenancy, inferred},
    views::outline_of,
};
use lists::{Answer, Handles, Opened, Shown};
use serde::Deserialize;
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use url::Url;

use crate::{
    Error, Exit, Usage, setup,
    terminal::{print, say},
};

/// What can be done with contracts.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Walk through a running portal and print a contract for it, to be corrected
    New(New),
    /// Print what a part of a contract means, with its keys and an example; without one, all parts
    Explain {
        /// The part, such as `allocation`
        part: Option<String>,
    },
}

/// What a new contract is made from.
#[derive(Debug, Args)]
pub struct New {
    /// Whose URL and accounts count: those of the environment, of T.env or of harness.toml
    #[arg(long, env = "HARNESS_TARGET", value_name = "TARGET", default_value = "staging")]
    target: harness::Target,
    /// Another URL of the portal
    #[arg(long, value_name = "URL")]
    from: Option<Url>,
    /// Who signs in, of those with `E2E_…_EMAIL` and `E2E_…_PASSWORD`; the first if none is named
    #[arg(long, value_name = "PERSONA")]
    persona: Option<String>,
    /// Where the contract goes, instead of the standard output
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

/// What was seen of a page.
#[derive(Debug, Clone, Default, Deserialize)]
struct Look {
    title: String,
    language: String,
    path: String,
    headings: Vec<Heading>,
    navigation: Navigation,
    buttons: Vec<String>,
    /// CSS selectors of buttons beside the views that open menus.
    menus: Vec<String>,
    lines: Vec<String>,
    login: Option<Login>,
    assets: Assets,
    #[serde(default)]
    formats: Formats,
    /// The browser's time zone.
    zone: String,
    /// All that was asked of Supabase since the document was loaded.
    asked: Vec<Asked>,
    /// When this was seen, in milliseconds since 1970.
    at: f64,
    #[serde(skip)]
    tables: Vec<String>,
    #[serde(skip)]
    calls: Vec<String>,
    #[serde(skip)]
    functions: Vec<String>,
    stored: Vec<String>,
    worker: Option<String>,
}

impl Look {
    /// The heading of the view: the first one in its main part, or the last one of the page.
    fn heading(&self) -> Option<&Heading> {
        let own = self.headings.iter().find(|heading| heading.selector.starts_with("main "));
        own.or(self.headings.last())
    }
}

/// How values are written on a page.
#[derive(Debug, Clone, Default, Deserialize)]
struct Formats {
    /// In strftime's words.
    day: String,
    /// Their short names, where days have them.
    months: Vec<String>,
    /// Where an amount is on screen.
    money: Option<String>,
    currency: Option<String>,
    decimal_comma: bool,
    thousands: String,
    always_cents: bool,
}

/// Something that was asked of Supabase.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Asked {
    kind: Kind,
    name: String,
    /// When, in milliseconds since 1970.
    start: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Tables,
    Calls,
    Functions,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Heading {
    selector: String,
    text: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Navigation {
    selector: String,
    texts: Vec<String>,
}

/// What the document loads.
#[derive(Debug, Clone, Default, Deserialize)]
struct Assets {
    /// CSS selectors that find something in it.
    required: Vec<String>,
    /// Where its scripts are.
    folder: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Login {
    email: String,
    password: String,
    submit: String,
}

/// A view, and how it was reached.
#[derive(Debug)]
struct View {
    button: String,
    look: Look,
    /// Whether its path alone shows it.
    by_url: bool,
    lists: Vec<Shown>,
    handles: Handles,
    opened: Vec<Opened>,
    /// How many of the walk's answers the portal had by then.
    answers: usize,
}

impl View {
    /// Whether it is what the portal begins with, under an address of its own.
    fn is_root(&self) -> bool {
        self.by_url && self.look.path == "/"
    }
}

/// Somebody else, and how the portal looks to them.
#[derive(Debug)]
struct Other {
    who: String,
    /// The texts of their navigation.
    offered: Vec<String>,
    /// Paths of views that they are not offered, and the heading that stands there instead.
    denied: Vec<(String, String)>,
}

/// All that was seen.
#[derive(Debug)]
struct Walk {
    /// Who signed in.
    who: String,
    login: Look,
    /// The headings, fields and buttons of the login.
    outline: Vec<String>,
    /// What a wrong password is answered with.
    refusal: String,
    home: Look,
    /// The menu with the way out, where it stands in one: its button, and the entry's text.
    account: Option<(String, String)>,
    views: Vec<View>,
    /// What the portal was given for its tables, in the order in which it asked.
    answers: Vec<Answer>,
    /// Tables and views whose rows say whose they are, where the database was asked.
    owned: Option<Vec<String>>,
    /// What the others of the same institution are offered.
    others: Vec<Other>,
    headers: Vec<(String, String)>,
    /// Whether a path that no route has is answered with 404.
    has_not_found: bool,
}

impl Walk {
    /// Whether the rows of a table say whose they are, as far as is known.
    fn owns(&self, table: &str) -> bool {
        self.owned.as_ref().is_none_or(|owned| owned.iter().any(|own| own == table))
    }
}

/// How long a page may take until it is left alone.
const SETTLES_MS: u64 = 8_000;

/// How long a sign-in may take until its form is gone.
const LEAVES_MS: u64 = 12_000;

/// The same of somebody else, who may not be let in at all.
const COLLEAGUES_LEAVE_MS: u64 = 6_000;

/// Does it.
///
/// # Errors
/// When the portal cannot be walked through.
pub fn run(action: &Action) -> Result<Exit, Error> {
    let options = match action {
        Action::New(options) => options,
        Action::Explain { part } => {
            print(&explain::page(part.as_deref())?);
            return Ok(Exit::Passed);
        }
    };
    setup::ensure_for(options.target)?;
    let known = known(options.target)?;
    let site = options.from.clone().or_else(|| known.site.clone());
    let site = site.ok_or_else(|| {
        Usage::error(format!(
            "no URL: give --from URL, or E2E_BASE_URL in the environment, in {}.env or in harness.toml",
            options.target
        ))
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let walk = runtime.block_on(walk(&site, &known, options.persona.as_deref()));
    let mut walk = walk.map_err(|failure| failure.to_string())?;
    let tenancy = runtime.block_on(tenancy(&known));
    if let Some(column) = tenancy.as_ref().and_then(draft::column_of) {
        walk.owned = runtime.block_on(relations_with(&known, column));
    }
    let catalog = tenancy.as_ref().map(|tenancy| runtime.block_on(make::Catalog::read(&known, tenancy)));
    let catalog = catalog.flatten().unwrap_or_default();
    let text = draft::contract(&walk, &known, tenancy.as_ref(), &catalog);
    // What is proposed has to be a contract.
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("contract.toml");
    std::fs::write(&path, &text)?;
    if let Err(problem) = Contract::read(&path) {
        say(&format!("to be corrected by hand: {problem}"));
    }
    match &options.to {
        Some(file) => {
            std::fs::write(file, &text)?;
            say(&format!("{} views; correct {}, and set HARNESS_CONTRACT to it", walk.views.len(), file.display()));
        }
        None => print(&text),
    }
    Ok(Exit::Passed)
}

/// What is waited for before anything is known: a page that can be typed into.
fn provisional(title: &str) -> Result<Contract, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("contract.toml");
    let text = draft::provisional(title);
    std::fs::write(&path, text).map_err(|error| error.to_string())?;
    Contract::read(&path).map_err(|problem| problem.to_string())
}

/// Whose rows are whose, as the database's catalog has it, where the database is known and says so.
async fn tenancy(known: &Known) -> Option<Tenancy> {
    let url = known.database.as_ref()?;
    match inferred(harness::revealed(url), &[]).await {
        Ok(inferred) => Some(inferred.tenancy).filter(Tenancy::is_given),
        Err(error) => {
            say(&format!("[tenancy] and [data] are left out, since the database cannot be read: {error}"));
            None
        }
    }
}

/// The tables and views that have a column.
async fn relations_with(known: &Known, column: &str) -> Option<Vec<String>> {
    let mut database = PgConnection::connect(harness::revealed(known.database.as_ref()?)).await.ok()?;
    let names = "select distinct table_name::text from information_schema.columns where column_name = $1";
    sqlx::query_scalar(names).bind(column).fetch_all(&mut database).await.ok()
}

async fn walk(site: &Url, known: &Known, persona: Option<&str>) -> Verdict<Walk> {
    let failed =
        |why: String| harness::Failure::not_run("the portal can be walked through").seen(why).at(site.as_str());
    let http = harness::http().redirect(reqwest::redirect::Policy::none()).build();
    let http = http.map_err(|error| failed(error.to_string()))?;
    let get = async |url: Url| http.get(url).send().await.map_err(|error| failed(error.to_string()));
    let document = get(site.clone()).await?;
    let headers = document.headers().iter();
    let headers =
        headers.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned()))).collect();
    let nowhere = site.join("no-such-path-of-anybody").map_err(|error| failed(error.to_string()))?;
    let has_not_found = get(nowhere).await?.status() == reqwest::StatusCode::NOT_FOUND;
    let html = document.text().await.map_err(|error| failed(error.to_string()))?;
    let title =
        html.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>")).map_or("", |(title, _)| title);
    let contract = provisional(title.trim()).map_err(failed)?;

    let browser = Browser::open([Some(site), known.api.as_ref()].into_iter().flatten().cloned().collect()).await?;
    let form = || Wanted::anything(&contract).selector("input[type=password]");
    browser.visit(site, &form()).await?.expect_ready("the login view has a field for the password")?;
    let login = look(&browser).await?;
    let outline = outline_of(&browser, "body", None).await?;
    let fields = login.login.clone().ok_or_else(|| failed("no field for a password".to_owned()))?;
    submit(&browser, &fields, "nobody@example.com", "not-a-password-of-anybody").await?;
    let refused = look(&browser).await?;
    let refusal = refused.lines.iter().find(|line| !login.lines.contains(line)).cloned().unwrap_or_default();

    let persona = known.personas.iter().find(|(name, ..)| persona.is_none_or(|wanted| wanted == name));
    let Some((name, email, password)) = persona else {
        return Err(failed("no account: E2E_<PERSONA>_EMAIL and E2E_<PERSONA>_PASSWORD are not set".to_owned()));
    };
    browser.watch_writes().await?;
    browser.visit(site, &form()).await?.expect_ready("the login view is there again")?;
    submit(&browser, &fields, email, harness::revealed(password)).await?;
    browser.ask(include_str!("leave.js"), vec![fields.password.clone().into(), LEAVES_MS.into()]).await?;
    let mut home = look(&browser).await?;
    if home.login.is_some() {
        let said = home.lines.iter().find(|line| !login.lines.contains(line)).cloned().unwrap_or_default();
        return Err(failed(format!("{name} does not get in: {said:?}")));
    }
    let account = account(&browser, &home).await?;
    let (mut views, mut answers) = (Vec::new(), given(&browser, &contract, known).await?);
    answers.retain(|answer| !answer.is_single);
    for button in home.navigation.texts.iter().filter(|text| !draft::is_sign_out(text)) {
        if !browser.click_text(&home.navigation.selector, button).await? {
            continue;
        }
        let mut look = look(&browser).await?;
        say(&format!("{button}: {} {}", look.path, look.headings.first().map_or("", |heading| heading.text.as_str())));
        answers.extend(given(&browser, &contract, known).await?.into_iter().filter(|answer| !answer.is_single));
        let lists = browser.ask(include_str!("lists.js"), vec![]).await?;
        let lists: Vec<Shown> = serde_json::from_value(lists).map_err(|error| failed(error.to_string()))?;
        let visitor = Visitor { browser: &browser, contract: &contract, known };
        let (handles, opened) = visitor.handled(&lists, &home.navigation.selector, button).await?;
        // What its lists asked for when they were handled is the view's, too.
        look.at = self::look(&browser).await?.at;
        let answers = answers.len();
        views.push(View { button: button.clone(), look, by_url: false, lists, handles, opened, answers });
    }
    attribute(&mut home, &mut views);
    // A deep link, as from a bookmark; a view that is kept in memory only is the landing page then.
    for view in &mut views {
        let url = site.join(&view.look.path).map_err(|error| failed(error.to_string()))?;
        browser.visit(&url, &Wanted::anything(&contract)).await?;
        let seen = look(&browser).await?;
        let is_landing = view.look.path == home.path && view.look.headings != home.headings;
        view.by_url = !is_landing && seen.heading() == view.look.heading();
    }
    browser.close(true).await?;
    let mut walk = Walk {
        who: name.clone(),
        login,
        outline,
        refusal,
        home,
        account,
        views,
        answers,
        owned: None,
        others: Vec::new(),
        headers,
        has_not_found,
    };
    for (other, email, password) in known.personas.iter().filter(|(other, ..)| draft::is_colleague(other, name)) {
        match colleague(site, &contract, &walk, (email, harness::revealed(password))).await? {
            Some((offered, denied)) => walk.others.push(Other { who: other.clone(), offered, denied }),
            None => say(&format!("{other} does not get in, or is offered nothing: what they see is left out")),
        }
    }
    Ok(walk)
}

/// The menu in which the way out stands, where no button says it.
async fn account(browser: &Browser, home: &Look) -> Verdict<Option<(String, String)>> {
    if home.buttons.iter().any(|text| draft::is_sign_out(text)) {
        return Ok(None);
    }
    for menu in &home.menus {
        browser.click(menu).await?;
        let entry = look(browser).await?.buttons.into_iter().find(|text| draft::is_sign_out(text));
        browser.press(ESCAPE).await?;
        if let Some(entry) = entry {
            return Ok(Some((menu.clone(), entry)));
        }
    }
    Ok(None)
}

/// The key, as WebDriver has it.
const ESCAPE: &str = "\u{E00C}";

/// Options of a field that are tried, at most.
const MOST_OPTIONS: usize = 12;

/// Somebody who is signed in, and looks what the lists of the view that is open can be asked for.
struct Visitor<'w> {
    browser: &'w Browser,
    contract: &'w Contract,
    known: &'w Known,
}

impl Visitor<'_> {
    /// What lists are handled with, each option tried once, and what opens from rows that can be clicked. Nothing is written
    /// by it.
    async fn handled(&self, lists: &[Shown], navigation: &str, button: &str) -> Verdict<(Handles, Vec<Opened>)> {
        let unread = |error: serde_json::Error| {
            harness::Failure::undecided("what lists are handled with can be read").seen(error.to_string())
        };
        let rows: Vec<_> = lists.iter().map(Shown::rows).collect();
        let handles = self.browser.ask(include_str!("handles.js"), vec![serde_json::json!(rows)]).await?;
        let mut handles: Handles = serde_json::from_value(handles).map_err(unread)?;
        handles.choosers.retain(|chooser| chooser.options.len() <= MOST_OPTIONS && !lists.is_empty());
        for chooser in &mut handles.choosers {
            let (field, first) = (chooser.field.clone(), chooser.first.clone());
            for option in chooser.options.iter_mut().filter(|option| option.text != first) {
                self.browser.choose_text(&field, &option.text).await?;
                option.answers = self.given().await?;
            }
            self.browser.choose_text(&field, &first).await?;
            self.given().await?;
        }
        let mut opened = Vec::new();
        for list in lists.iter().filter(|list| handles.opens.iter().any(|rows| rows == list.rows())) {
            self.browser.hold_writes(true).await?;
            opened.extend(self.opened(list).await?);
            // Whatever opened, the view is there again.
            self.browser.hold_writes(false).await?;
            self.browser.click_text(navigation, button).await?;
            self.given().await?;
        }
        Ok((handles, opened))
    }

    async fn given(&self) -> Verdict<Vec<Answer>> {
        look(self.browser).await?;
        given(self.browser, self.contract, self.known).await
    }

    /// What opens in front of the view from the first row of a list and from the last.
    async fn opened(&self, list: &Shown) -> Verdict<Option<Opened>> {
        let mut opened = Opened::of(list.rows());
        let last = list.shown().saturating_sub(1);
        for at in [0, last].into_iter().take(last + 1) {
            let click = "const [rows, at, answer] = arguments;
                const visible = (it) => it.checkVisibility?.({ visibilityProperty: true, opacityProperty: true }) ?? true;
                [...document.querySelectorAll(rows)].filter(visible)[at]?.click();
                answer(null);";
            self.browser.ask(click, vec![list.rows().into(), at.into()]).await?;
            opened.answers.push(self.given().await?);
            let seen = self.browser.ask(include_str!("opened.js"), vec![]).await?;
            let Some(within) = seen["within"].as_str() else { return Ok(None) };
            opened.within = within.to_owned();
            opened.pairs.push(serde_json::from_value(seen["pairs"].clone()).unwrap_or_default());
            self.browser.press(ESCAPE).await?;
        }
        Ok(Some(opened))
    }
}

/// The rows of one answer that are read, at most.
const MOST_ROWS: usize = 200;

/// What the portal was given for its tables since the last look.
async fn given(browser: &Browser, contract: &Contract, known: &Known) -> Verdict<Vec<Answer>> {
    let Some(api) = &known.api else { return Ok(Vec::new()) };
    let visit = browser.wait_for(&Wanted::anything(contract)).await?;
    let prefix = format!("{}/rest/v1/", api.as_str().trim_end_matches('/'));
    let mut answers = Vec::new();
    for request in visit.answers(&prefix).filter(|request| request.method() == "GET") {
        let table = request.url()[prefix.len()..].to_owned();
        // The browser keeps no answer for long; what it has forgotten explains nothing.
        let Some(answer) = browser.body(request).await.ok().and_then(|body| serde_json::from_str(&body).ok()) else {
            continue;
        };
        let (rows, is_single) = match answer {
            Value::Array(rows) => (rows, false),
            row => (vec![row], true),
        };
        if !table.contains('/') && rows.iter().all(Value::is_object) {
            let query = url::form_urlencoded::parse(request.query().as_bytes()).into_owned().collect();
            answers.push(Answer { table, query, rows: rows.into_iter().take(MOST_ROWS).collect(), is_single });
        }
    }
    Ok(answers)
}

/// Gives each look what was asked for between the one before it and itself, also where the answer came later.
fn attribute(home: &mut Look, views: &mut [View]) {
    let mut looks: Vec<_> = std::iter::once(home).chain(views.iter_mut().map(|view| &mut view.look)).collect();
    let asked: Vec<_> = looks.iter().flat_map(|look| look.asked.clone()).collect();
    for Asked { kind, name, start } in asked {
        let Some(look) = looks.iter_mut().find(|look| start <= look.at) else { continue };
        let names = match kind {
            Kind::Tables => &mut look.tables,
            Kind::Calls => &mut look.calls,
            Kind::Functions => &mut look.functions,
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
}

/// What somebody else is offered, and what stands where the others' views are; nothing where they do not get in.
async fn colleague(
    site: &Url,
    contract: &Contract,
    walk: &Walk,
    (email, password): (&str, &str),
) -> Verdict<Option<(Vec<String>, Vec<(String, String)>)>> {
    let Some(fields) = &walk.login.login else { return Ok(None) };
    let browser = Browser::open(vec![site.clone()]).await?;
    let form = Wanted::anything(contract).selector(&fields.password);
    browser.visit(site, &form).await?.expect_ready("the login view has a field for the password")?;
    submit(&browser, fields, email, password).await?;
    browser.ask(include_str!("leave.js"), vec![fields.password.clone().into(), COLLEAGUES_LEAVE_MS.into()]).await?;
    let home = look(&browser).await?;
    let offered = home.navigation.texts;
    let mut denied = Vec::new();
    if home.login.is_none() && !offered.is_empty() {
        for view in walk.views.iter().filter(|view| view.by_url && !offered.contains(&view.button)) {
            let Ok(url) = site.join(&view.look.path) else { continue };
            browser.visit(&url, &Wanted::anything(contract)).await?;
            let seen = look(&browser).await?;
            let heading = seen.heading().filter(|_| seen.path == view.look.path);
            let heading = heading.filter(|heading| Some(*heading) != view.look.heading());
            denied.extend(heading.map(|heading| (view.look.path.clone(), heading.text.clone())));
        }
    }
    browser.close(true).await?;
    Ok((home.login.is_none() && !offered.is_empty()).then_some((offered, denied)))
}

async fn submit(browser: &Browser, fields: &Login, email: &str, password: &str) -> Verdict {
    browser.type_into(&fields.email, email).await?;
    browser.type_into(&fields.password, password).await?;
    browser.click(&fields.submit).await
}

async fn look(browser: &Browser) -> Verdict<Look> {
    let seen = browser.ask(include_str!("look.js"), vec![SETTLES_MS.into()]).await?;
    serde_json::from_value(seen)
        .map_err(|error| harness::Failure::undecided("a page can be looked at").seen(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_answered_late_belongs_to_the_view_that_asked_for_it() {
        let asked = |name: &str, start| Asked { kind: Kind::Functions, name: name.to_owned(), start };
        let look = |at, asked: &[Asked]| Look { at, asked: asked.to_vec(), ..Look::default() };
        let view = |look| View {
            button: String::new(),
            look,
            by_url: false,
            lists: Vec::new(),
            handles: Handles::default(),
            opened: Vec::new(),
            answers: 0,
        };
        let (early, late) = (asked("early", 1.0), asked("late", 11.0));
        let mut home = look(10.0, std::slice::from_ref(&early));
        let mut views =
            [view(look(20.0, std::slice::from_ref(&early))), view(look(30.0, &[early, late, asked("own", 25.0)]))];
        attribute(&mut home, &mut views);
        assert_eq!((home.functions, &views[0].look.functions), (vec!["early".to_owned()], &vec!["late".to_owned()]));
        assert_eq!(views[1].look.functions, ["own"]);
    }
}
