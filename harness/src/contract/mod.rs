//! What a particular portal promises: routes, texts, personas, thresholds, headers. Read from a TOML file
//! (`fixtures/sacco-plus.toml` unless `HARNESS_CONTRACT` names another). Unknown keys and contradictions are errors
//! with line and column; nothing has a default that could hide a forgotten promise. Parts that are of no use to a portal
//! may be left out as a whole ([`Section`]); that is stated, wherever it matters.

mod access;
mod data;
mod problem;
mod promised;
mod release;
mod sms;
mod views;
mod volume;
mod weakened;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde::Deserialize;
use toml::Spanned;

pub use access::{Budget, Tokens};
pub use data::{
    Allocation, AllocationColumns, AllocationRecord, Audit, AuditKinds, AuditPages, AuditRows, AuditSequence, Canary,
    Changes, ChosenWindow, Dashboard, Data, Duplicates, Kept, Kpi, Ledger, MemberChoice, Mirror, Recipe, Right, RowsOf,
    StatusFilter, Totals, Trail, WorkingHours,
};
pub use problem::Problem;
pub use release::{Function, Migration, Monitoring, Rebuild, Recovery, Release, Sentry, Variable};
pub use sms::{Attempts, Counts, FailedParses, Raw, Readings, Refusals, Sms, SmsTransaction, Soak, Times, Unread};
pub use views::{
    Action, Choice, Column, Controls, Count, Details, Field, Figures, Form, Formats, Grouped, Kind, List, Offer, Pages,
    Period, Search, State, View, Window,
};
pub use volume::{Filled, Volume};
pub use weakened::Weakened;

use crate::section::Section;

/// The default contract, part of this crate so that an archive of the tests needs no folder beside it.
const SACCO_PLUS: &str = include_str!("../../../fixtures/sacco-plus.toml");

/// What a portal promises.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// Texts of the whole app.
    pub portal: Portal,
    /// Who belongs where, for the prober of row level security.
    tenancy: Option<crate::rls::Tenancy>,
    /// The login view.
    pub login: Login,
    /// What surrounds the views of a signed-in user.
    pub shell: Shell,
    /// Who signs in, by the name that the credential variables carry.
    pub personas: BTreeMap<String, Persona>,
    /// The smoke suite's choices.
    pub smoke: Smoke,
    /// The views that the runbook has a line for, and how each is reached.
    routes: Vec<Spanned<Route>>,
    /// What the document loads.
    pub assets: Assets,
    /// Headers of the document and a pattern for each.
    pub headers: BTreeMap<String, Pattern>,
    /// Kinds of key that no bundle may hold, and how they look.
    pub secrets: BTreeMap<String, Pattern>,
    /// The browser's console.
    pub console: Console,
    /// Views that a role may not see.
    forbidden: Option<Vec<Spanned<Forbidden>>>,
    /// What the security checklist looks at.
    security: Option<Security>,
    /// What has to be true around a release.
    release: Option<Box<Release>>,
    /// The build, made again from a clean clone.
    rebuild: Option<Rebuild>,
    /// What is watched after a release.
    monitoring: Option<Monitoring>,
    /// Where the errors that visitors met are collected.
    sentry: Option<Sentry>,
    /// What the data checklist compares.
    data: Option<Box<Data>>,
    /// The dashboard's figures.
    dashboard: Option<Box<Dashboard>>,
    /// The ledger on screen.
    ledger: Option<Box<Ledger>>,
    /// How values are written on screen.
    formats: Option<Formats>,
    /// Kinds of row that views list.
    #[serde(default)]
    kinds: BTreeMap<String, Kind>,
    /// What people see.
    views: Option<Vec<Spanned<View>>>,
    /// Rows in the states that they may be in.
    states: Option<Vec<State>>,
    /// Relations that add rows up.
    totals: Option<Vec<Totals>>,
    /// Relations that repeat what other rows say.
    mirrors: Option<Vec<Mirror>>,
    /// What distinguishes controls.
    controls: Option<Box<Controls>>,
    /// What one click does.
    actions: Option<Vec<Action>>,
    /// What people make in dialogs.
    forms: Option<Vec<Form>>,
    /// How many rows it bears.
    volume: Option<Volume>,
    /// What tokens are good for.
    tokens: Option<Tokens>,
    /// What a page may cost.
    budget: Option<Budget>,
    /// Who may do what within an institution.
    rights: Option<Vec<Right>>,
    /// What nobody may make disappear.
    trail: Option<Trail>,
    /// Payments that may be there twice.
    duplicates: Option<Box<Duplicates>>,
    /// Giving a transaction to a member.
    allocation: Option<Box<Allocation>>,
    /// Events of the audit log.
    audit: Option<Box<Audit>>,
    /// The way from a gateway's message to the ledger.
    sms: Option<Box<Sms>>,
    /// What the last soak has to show.
    soak: Option<Soak>,
    /// Institutions that may be written to in production.
    canary: Option<Canary>,
    /// What it takes to make a tenant, by kind of row: `institution`, `profile`, `role` where roles are rows of a table of
    /// their own, and what is in it. Templates of an institution have `{name}` and `{code}`, those of a profile and a role
    /// `{user}`, `{institution}`, `{role}`, `{email}` and `{name}`, those of other rows `{institution}`, `{name}`, `{code}`,
    /// `{reference}` and `{now}`.
    make: Option<BTreeMap<String, Recipe>>,
    /// What evidence may show of a deployment with members' data.
    #[serde(default)]
    evidence: Evidence,
    /// Every text of it.
    #[serde(skip)]
    phrases: BTreeSet<String>,
}

/// What evidence may show where members' data is masked, beside the contract's own texts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Evidence {
    /// Texts of the portal that are nobody's.
    may_stay: Vec<Pattern>,
}

/// What the security checklist looks at.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Security {
    /// Tables whose rows are counted as somebody of an institution.
    pub counted: Vec<Counted>,
    /// Edge functions that only a signed-in user may call; left out where there are none.
    functions: Option<Vec<String>>,
    /// Paths of files that no site publishes.
    pub unpublished: Vec<String>,
    /// Whether people are invited, so that nobody makes an account for themselves.
    #[serde(default)]
    invited: bool,
}

impl Security {
    /// Edge functions that only a signed-in user may call.
    pub fn functions(&self) -> impl Iterator<Item = &String> {
        self.functions.iter().flatten()
    }
}

/// A table whose rows are counted.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counted {
    /// As PostgREST calls it.
    pub table: String,
    /// The step of the runbook that counts it.
    pub step: String,
}

/// Texts of the whole app.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Portal {
    /// The document's `<title>`.
    pub title: String,
    /// The document's `lang`.
    pub language: String,
    /// What a path that no route has answers.
    pub unknown_path: UnknownPath,
    /// Path of the service worker's script; absent where the portal has none.
    pub service_worker: Option<String>,
    /// Whether that keeps the app for bad connections: a returning visitor sees the login without one.
    #[serde(default)]
    pub offline: bool,
    /// Texts shown while the portal works.
    pub busy: Vec<String>,
    /// Headings of a portal that gave up.
    pub broken: Vec<String>,
    /// Text of the button by which somebody lets a portal that gave up start again.
    pub retry: Option<String>,
    /// Texts of a build that signs nobody in; left out where no build can be one.
    pub mock: Option<Vec<String>>,
    /// Size of the largest file that it serves, in megabytes, where that is more than any portal needs.
    pub largest_file_mb: Option<usize>,
}

/// What a path that no route has answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownPath {
    /// The app's own document with status 200.
    App,
    /// Status 404.
    NotFound,
}

/// The login view: its heading and CSS selectors.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// Text of a heading.
    pub heading: String,
    /// The field for the e-mail address.
    pub email: String,
    /// The field for the password.
    pub password: String,
    /// The button.
    pub submit: String,
    /// How long it may take to be on screen, and to let somebody in, in milliseconds.
    pub within_ms: u64,
    /// What a wrong password and an unknown e-mail address are answered with.
    pub wrong_password: String,
    /// What somebody reads there whose session has ended.
    pub ended: Option<String>,
    /// Its headings, fields and buttons, in their order, as of [`View::outline`].
    #[serde(default)]
    pub outline: Vec<String>,
    /// Accounts that do not get in.
    refused: Option<Vec<Refused>>,
}

/// An account that does not get in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// The name that its credential variables carry.
    pub persona: String,
    /// The message.
    pub text: String,
}

/// A view that a role may not see.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forbidden {
    /// Short name, part of the test's name.
    pub name: String,
    /// The path.
    pub path: String,
    /// How whoever may see it reaches it.
    #[serde(default)]
    pub entry: Entry,
    /// The navigation button.
    pub navigation: String,
    /// The heading that is on screen when it is.
    pub heading: Heading,
    /// Somebody who may not see it.
    pub persona: String,
    /// Somebody who may.
    pub allowed: String,
    /// The outline of what stands in its place for who may not, as in `[[views]]`; nothing where that is not promised.
    #[serde(default)]
    pub outline: Vec<String>,
}

/// What surrounds the views.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shell {
    /// CSS selector of the navigation's buttons or links.
    pub navigation: String,
    /// Text of the button that signs out.
    pub sign_out: String,
    /// CSS selector of the button that opens the menu with it, where it stands in one.
    pub account_menu: Option<String>,
    /// The path that signing in at `/` leads to.
    pub landing: String,
    /// The heading there; `{label}` is the role's.
    pub title: Heading,
    /// What a view says to somebody whose role may not see it.
    pub denied: String,
    /// CSS selector of the navigation's entry for the view that is on screen.
    pub current: Option<String>,
    /// CSS selector of what has the focus once the navigation has opened a view, so that whoever listens hears where they
    /// are.
    pub focus: Option<String>,
    /// Where it says who is signed in.
    pub who: Option<Who>,
}

/// Where the shell says who is signed in, as CSS selectors.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Who {
    /// The role, by its label.
    pub role: String,
    /// The address that they sign in with.
    pub email: String,
    /// The name of their institution, where there are institutions.
    pub institution: Option<String>,
}

/// A kind of user.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Persona {
    /// What the portal calls its role.
    pub label: String,
    /// Letter of its institution; none for the platform's own people.
    pub institution: Option<String>,
    /// What the navigation offers to it, in its order.
    pub navigation: Option<Vec<String>>,
}

/// The smoke suite's choices.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smoke {
    /// Who visits the routes.
    pub persona: Spanned<String>,
}

/// A route and the view that it owes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Short name, part of the test's name.
    pub name: String,
    /// The runbook's step.
    pub step: String,
    /// Path below the portal's URL.
    pub path: String,
    /// How the view is reached.
    pub entry: Entry,
    /// The navigation button that shows the view.
    pub navigation: Option<String>,
    /// Who visits it, where that is not [`Smoke::persona`].
    persona: Option<String>,
    /// The heading that is on screen when the view is.
    pub heading: Heading,
    /// Texts that the view shows once its data is there.
    #[serde(default)]
    pub texts: Vec<String>,
    /// From the start of the navigation to the view on screen, in milliseconds.
    pub within_ms: u64,
}

/// How a view is reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entry {
    /// Opening the path shows it.
    #[default]
    Url,
    /// Opening the path shows the app; the navigation button shows the view.
    Navigation,
}

/// A heading on screen.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heading {
    /// CSS selector.
    pub selector: String,
    /// The whole text.
    pub text: String,
}

/// What the document loads.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assets {
    /// CSS selectors of which each has to match.
    pub required: Vec<String>,
    /// Path below which names carry the hash of the content.
    pub hashed: String,
    /// Whether the build has `_redirects`; some hosts show the app for every path by themselves.
    #[serde(default = "yes")]
    pub redirects: bool,
}

fn yes() -> bool {
    true
}

/// The browser's console.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Console {
    /// Errors that are no defect.
    pub allowed: Vec<Pattern>,
}

/// A regular expression.
#[derive(Debug, Clone)]
pub struct Pattern(regex::Regex);

impl Pattern {
    /// Whether it occurs in `text`.
    pub fn is_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// The first group of where it occurs in `text`.
    pub fn first_group<'t>(&self, text: &'t str) -> Option<&'t str> {
        Some(self.0.captures(text)?.get(1)?.as_str())
    }

    /// As it is written in the contract.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        regex::Regex::new(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

fn add_texts(value: &toml::Value, texts: &mut BTreeSet<String>) {
    match value {
        toml::Value::String(text) => drop(texts.insert(text.clone())),
        toml::Value::Array(values) => values.iter().for_each(|value| add_texts(value, texts)),
        toml::Value::Table(table) => table.values().for_each(|value| add_texts(value, texts)),
        _ => {}
    }
}

impl Contract {
    /// The contract of the SACCO+ Admin Portal.
    ///
    /// # Errors
    /// Never for the file as it is committed; a test reads it.
    pub fn sacco_plus() -> Result<Self, Problem> {
        Self::parse(SACCO_PLUS, Path::new("fixtures/sacco-plus.toml"))
    }

    /// Reads a contract from a file.
    ///
    /// # Errors
    /// When it cannot be read, or says something unknown or contradictory.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        let text = fs::read_to_string(path).map_err(|source| Problem::unreadable(path, source))?;
        Self::parse(&text, path)
    }

    /// What the contract that is compiled in is called.
    pub(crate) const BUILT_IN: &str = "fixtures/sacco-plus.toml (built in)";

    /// The text of the contract that is compiled in.
    pub(crate) fn built_in_text() -> &'static str {
        SACCO_PLUS
    }

    /// Parts that this portal has no use for.
    pub fn not_promised(&self) -> Vec<Section> {
        Section::ALL.into_iter().filter(|section| !self.has(*section)).collect()
    }

    fn has(&self, section: Section) -> bool {
        match section {
            Section::Actions => self.actions.is_some(),
            Section::Allocation => self.allocation.is_some(),
            Section::Audit => self.audit.is_some(),
            Section::AuditActions => self.audit.as_ref().is_some_and(|audit| audit.actions.is_some()),
            Section::AuditHours => self.audit.as_ref().is_some_and(|audit| audit.hours.is_some()),
            Section::AuditSequence => self.audit.as_ref().is_some_and(|audit| audit.sequence.is_some()),
            Section::Budget => self.budget.is_some(),
            Section::Canary => self.canary.is_some(),
            Section::Controls => self.controls.is_some(),
            Section::Dashboard => self.dashboard.is_some(),
            Section::Data => self.data.is_some(),
            Section::Duplicates => self.duplicates.is_some(),
            Section::Forbidden => self.forbidden.is_some(),
            Section::Forms => self.forms.is_some(),
            Section::Functions => self.security.as_ref().is_some_and(|security| security.functions.is_some()),
            Section::Invited => self.security.as_ref().is_some_and(|security| security.invited),
            Section::Ledger => self.ledger.is_some(),
            Section::More => self.ledger.as_ref().is_some_and(|ledger| ledger.more.is_some()),
            Section::Make => self.make.is_some(),
            Section::Mirrors => self.mirrors.is_some(),
            Section::Mock => self.portal.mock.is_some(),
            Section::Monitoring => self.monitoring.is_some(),
            Section::Navigation => self.personas.values().any(|persona| persona.navigation.is_some()),
            Section::Outline => !self.login.outline.is_empty(),
            Section::Readings => self.sms.as_ref().is_some_and(|sms| sms.readings.is_some()),
            Section::Rebuild => self.rebuild.is_some(),
            Section::Refused => self.login.refused.is_some(),
            Section::Release => self.release.is_some(),
            Section::Retry => self.portal.retry.is_some(),
            Section::Rights => self.rights.is_some(),
            Section::Security => self.security.is_some(),
            Section::Sentry => self.sentry.is_some(),
            Section::Sms => self.sms.is_some(),
            Section::Soak => self.soak.is_some(),
            Section::States => self.states.is_some(),
            Section::Tenancy => self.tenancy.is_some(),
            Section::Tokens => self.tokens.is_some(),
            Section::Totals => self.totals.is_some(),
            Section::Trail => self.trail.is_some(),
            Section::Views => self.views.is_some() && self.formats.is_some(),
            Section::Volume => self.volume.is_some(),
        }
    }

    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self, Problem> {
        let mut contract: Self = toml::from_str(text).map_err(|error| Problem::syntax(path, text, &error))?;
        if let Ok(mut table) = toml::from_str::<toml::Table>(text) {
            // What tells the rows of one institution from another's is theirs.
            if let Some(toml::Value::Table(data)) = table.get_mut("data") {
                data.remove("canaries");
            }
            add_texts(&toml::Value::Table(table), &mut contract.phrases);
        }
        contract.contradiction(text, path).map_or(Ok(contract), Err)
    }

    /// Every text of it, but for those that mark an institution's rows.
    pub(crate) fn phrases(&self) -> &BTreeSet<String> {
        &self.phrases
    }

    /// Texts that may stay in evidence where members' data is masked.
    pub(crate) fn may_stay(&self) -> impl Iterator<Item = &str> {
        self.evidence.may_stay.iter().map(Pattern::as_str)
    }

    /// The routes, in the runbook's order.
    pub fn routes(&self) -> impl Iterator<Item = &Route> + Clone {
        self.routes.iter().map(Spanned::get_ref)
    }

    /// The route with this name.
    pub fn route(&self, name: &str) -> Option<&Route> {
        self.routes().find(|route| route.name == name)
    }

    /// The route of the dashboard and the one of the ledger; [`Contract::read`] made sure of them.
    pub fn route_of(&self, name: &str) -> &Route {
        self.route(name).unwrap_or_else(|| self.routes[0].get_ref())
    }

    /// Who visits a route.
    pub fn visitor<'c>(&'c self, route: &'c Route) -> &'c str {
        route.persona.as_deref().unwrap_or(self.smoke.persona.get_ref())
    }

    /// What tells a persona's rows from others': their institution's letter, or the persona where rows are users'; nothing
    /// for somebody who sees the rows of all.
    pub fn owner_of<'c>(&'c self, persona: &str) -> Option<&'c str> {
        let (name, persona) = self.personas.get_key_value(persona)?;
        match self.data.as_ref().map(|data| data.rows_of).unwrap_or_default() {
            RowsOf::Users => Some(name),
            RowsOf::Institutions => persona.institution.as_deref(),
        }
    }

    /// Why a view cannot be looked at.
    fn unseen(&self, view: &View) -> Option<String> {
        let route = view.route.as_ref().filter(|name| self.route(name).is_none());
        let reader = view.readers.iter().find(|name| !self.personas.contains_key(*name));
        let details = view.lists.iter().flat_map(|list| &list.details).map(|details| &details.kind);
        let mut kinds = view.lists.iter().map(|list| &list.kind).chain(details);
        let kind = kinds.find(|kind| !self.kinds.contains_key(*kind));
        let is_endless = |list: &List| list.pages.is_some() && list.limit.is_none();
        match (route, reader, kind) {
            (Some(name), ..) => Some(format!("names the route {name:?}, which is not there")),
            (_, Some(name), _) => Some(format!("is read by {name:?}, which is not one of its personas")),
            (.., Some(kind)) => Some(format!("lists rows of the kind {kind:?}, which is not there")),
            _ if view.route.is_some() == view.page.is_some() => Some("has to name a route or a page".to_owned()),
            _ if view.lists.iter().any(is_endless) => {
                Some("has a list with pages and without limit, which says how many rows a page has".to_owned())
            }
            _ => None,
        }
    }

    fn contradiction(&self, text: &str, path: &Path) -> Option<Problem> {
        let problem =
            |span: std::ops::Range<usize>, what: String| Some(Problem::contradiction(path, text, span.start, what));
        let (mut names, mut paths, mut steps) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for spanned in &self.routes {
            let (span, route) = (spanned.span(), spanned.get_ref());
            if !names.insert(&route.name) {
                return problem(span, format!("a second route is named {:?}", route.name));
            }
            // Views that are kept in memory have one address.
            if route.entry == Entry::Url && !paths.insert(&route.path) {
                return problem(
                    span,
                    format!("route {:?} has the path {:?} of an earlier one", route.name, route.path),
                );
            }
            if !steps.insert(&route.step) {
                return problem(span, format!("route {:?} has the step {} of an earlier one", route.name, route.step));
            }
            if !route.path.starts_with('/') {
                return problem(span, format!("the path of route {:?} does not begin with \"/\"", route.name));
            }
            if route.entry == Entry::Navigation && route.navigation.is_none() {
                return problem(span, format!("route {:?} is entered by navigation and names no button", route.name));
            }
        }
        if self.routes.is_empty() {
            return problem(0..0, "it has no route, so nothing would be checked".to_owned());
        }
        let persona = &self.smoke.persona;
        if !self.personas.contains_key(persona.get_ref()) {
            return problem(persona.span(), format!("{:?} is not one of its personas", persona.get_ref()));
        }
        let unknown = |route: &&Spanned<Route>| !self.personas.contains_key(self.visitor(route.get_ref()));
        if let Some(route) = self.routes.iter().find(unknown) {
            return problem(route.span(), format!("{:?} is not one of its personas", self.visitor(route.get_ref())));
        }
        for forbidden in self.forbidden.iter().flatten() {
            let (span, view) = (forbidden.span(), forbidden.get_ref());
            if let Some(unknown) =
                [&view.persona, &view.allowed].into_iter().find(|name| !self.personas.contains_key(*name))
            {
                return problem(span, format!("{unknown:?} is not one of its personas"));
            }
        }
        let shown = [self.dashboard.as_ref().map(|it| &it.route), self.ledger.as_ref().map(|it| &it.route)];
        if let Some(name) = shown.into_iter().flatten().find(|name| !names.contains(name)) {
            return problem(0..0, format!("no route is named {name:?}, which [dashboard] or [ledger] names"));
        }
        for spanned in self.views.iter().flatten() {
            let (span, view) = (spanned.span(), spanned.get_ref());
            if let Some(why) = self.unseen(view) {
                return problem(span, format!("view {:?} {why}", view.name));
            }
        }
        let unplaced = |name: &&String| self.owner_of(name).is_none();
        if let Some(name) = self.data.iter().flat_map(|data| &data.readers).find(unplaced) {
            let with = match self.data.as_ref().map(|data| data.rows_of) {
                Some(RowsOf::Users) => "",
                _ => " with an institution",
            };
            return problem(0..0, format!("the reader {name:?} is not one of its personas{with}"));
        }
        let choices = self.allocation.as_ref().map(|it| (it.member_field.is_some(), it.member_entries.is_some()));
        if choices.is_some_and(|(field, entries)| field == entries) {
            let what = "[allocation] says how a member is chosen: member_field or member_entries, one of the two";
            return problem(0..0, what.to_owned());
        }
        if self.duplicates.as_ref().is_some_and(|it| it.window.is_some() == it.minutes.is_some()) {
            let what = "[duplicates] says how far apart two payments may be: window or minutes, one of the two";
            return problem(0..0, what.to_owned());
        }
        if self.monitoring.as_ref().is_some_and(|it| it.loads == 0 || it.errors_of_at_least == 0) {
            return problem(
                0..0,
                "[monitoring] looks at nothing: loads and errors_of_at_least are 1 or more".to_owned(),
            );
        }
        let of_ledger: &[&str] = if self.allocation.is_some() { &["group", "member", "transaction"] } else { &[] };
        let is_missing = |kind: &&&str| self.make.as_ref().is_some_and(|make| !make.contains_key(**kind));
        if let Some(kind) = ["institution", "profile"].iter().chain(of_ledger).find(is_missing) {
            return problem(0..0, format!("[make.{kind}] is missing"));
        }
        if let Some(why) = self.unfillable() {
            return problem(0..0, why);
        }
        if self.audit.as_ref().and_then(|audit| audit.hours).is_some_and(|hours| hours.from == hours.until) {
            return problem(0..0, "the hours of [audit] are none, or all: they begin when they end".to_owned());
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn shown(change: impl Fn(&str) -> String) -> String {
        Contract::parse(&change(SACCO_PLUS), Path::new("fixtures/sacco-plus.toml")).unwrap_err().to_string()
    }

    #[test]
    fn the_default_contract_is_sound_and_has_the_routes_of_the_runbook() {
        let contract = Contract::sacco_plus().unwrap();
        assert_eq!(contract.routes().count(), 8);
        assert_eq!(contract.route("dashboard").unwrap().texts.len(), 6, "six KPI cards");
    }

    #[test]
    fn a_duplicate_route_is_reported() {
        assert_snapshot!(shown(|text| text.replace("name = \"groups\"", "name = \"dashboard\"")), @r#"the contract fixtures/sacco-plus.toml contradicts itself at line 162, column 1: a second route is named "dashboard""#);
    }

    #[test]
    fn an_unknown_key_is_reported() {
        assert_snapshot!(shown(|text| text.replace("within_ms = 2000", "within_seconds = 2")), @"the contract fixtures/sacco-plus.toml cannot be understood at line 160, column 1, `within_seconds = 2`: unknown field `within_seconds`, expected one of `name`, `step`, `path`, `entry`, `navigation`, `persona`, `heading`, `texts`, `within_ms`");
    }

    #[test]
    fn invalid_toml_is_reported() {
        assert_snapshot!(shown(|text| text.replace("[portal]", "[portal")), @"the contract fixtures/sacco-plus.toml cannot be understood at line 4, column 8, `[portal`: unclosed table, expected `]`");
    }

    #[test]
    fn a_missing_promise_is_reported() {
        assert_snapshot!(shown(|text| text.replace("title = \"SACCO+ Admin Portal\"", "")), @"the contract fixtures/sacco-plus.toml cannot be understood at line 4, column 1, `[portal]`: missing field `title`");
    }

    #[test]
    fn what_the_data_checklist_cannot_use_is_reported() {
        let shown = |from: &str, to: &str| shown(|text| text.replace(from, to));
        let text = shown("readers = [\"ADMIN_A\"", "readers = [\"PLATFORM_ADMIN\"");
        assert!(
            text.contains("the reader \"PLATFORM_ADMIN\" is not one of its personas with an institution"),
            "{text}"
        );
        let text = shown("[[routes]]\nname = \"settings\"", "[[routes]]\npersona = \"NOBODY\"\nname = \"settings\"");
        assert!(text.contains("\"NOBODY\" is not one of its personas"), "{text}");
        let text = shown("[make.member]", "[make.person]");
        assert!(text.contains("[make.member] is missing"), "{text}");
        let text = shown("allowed = \"PLATFORM_ADMIN\"", "allowed = \"NOBODY\"");
        assert!(text.contains("\"NOBODY\" is not one of its personas"), "{text}");
        let text = shown("member_field = ", "member_entries = { selector = \"li\", shows = \"id\" }\nmember_field = ");
        assert!(text.contains("member_field or member_entries, one of the two"), "{text}");
        let text = shown("[duplicates]", "[duplicates]\nminutes = 10");
        assert!(text.contains("window or minutes, one of the two"), "{text}");
        let text = shown("[ledger]\nroute = \"transactions\"", "[ledger]\nroute = \"payments\"");
        assert!(text.contains("no route is named \"payments\""), "{text}");
    }

    #[test]
    fn a_volume_that_cannot_be_made_is_reported() {
        let shown = |from: &str, to: &str| shown(|text| text.replace(from, to));
        let text = shown("large_from = 5000", "large_from = 0");
        assert!(text.contains("[volume] promises nothing"), "{text}");
        let text = shown("kind = \"device\"\nrows = 40", "kind = \"phone\"\nrows = 40");
        assert!(text.contains("[[volume.rows]] \"phone\": each has a kind of [make] or a table"), "{text}");
        let text = shown("p_days = \"7\" }\npersona = \"ADMIN_A\"", "p_days = \"7\" }\npersona = \"NOBODY\"");
        assert!(text.contains("\"NOBODY\" is not one of its personas"), "{text}");
    }

    #[test]
    fn an_unknown_persona_is_reported() {
        assert_snapshot!(shown(|text| text.replace("persona = \"ADMIN_A\"", "persona = \"ADMIN_C\"")), @r#"the contract fixtures/sacco-plus.toml contradicts itself at line 124, column 11: "ADMIN_C" is not one of its personas"#);
    }

    #[test]
    fn an_invalid_pattern_is_reported() {
        assert_snapshot!(shown(|text| text.replace("\"^nosniff$\"", "\"(\"")), @r#"
        the contract fixtures/sacco-plus.toml cannot be understood at line 224, column 26, `x-content-type-options = "("`: regex parse error:
            (
            ^
        error: unclosed group
        "#);
    }
}
