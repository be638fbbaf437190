//! The text of a proposed contract.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use jiff::Zoned;

use harness::{Formats, Known, Runbook, now_in, rls::Tenancy};

use super::{Heading, Look, Other, View, Walk, lists, make::Catalog};

/// The lines of §4.1, by what views are called that belong to them.
const STEPS: [(&str, &[&str]); 7] = [
    ("4.1.2", &["dashboard", "overview", "home", "accueil", "inicio", "início", "übersicht", "tableau de bord"]),
    (
        "4.1.3",
        &["transaction", "transac", "ledger", "payment", "paiement", "pago", "zahlung", "order", "pedido", "commande"],
    ),
    ("4.1.4", &["group", "ibimina", "project", "projet", "proyecto", "grupo", "gruppe"]),
    ("4.1.5", &["member", "membre", "miembro", "mitglied", "customer", "client", "kund", "abanyamuryango"]),
    ("4.1.6", &["reconcili", "rapprochement", "concilia", "abgleich"]),
    ("4.1.7", &["report", "analytics", "rapport", "informe", "relatório", "bericht"]),
    ("4.1.8", &["setting", "réglage", "paramètre", "ajuste", "configura", "einstellung"]),
];

/// Words for leaving.
const SIGN_OUT: [&str; 23] = [
    "sign out",
    "log out",
    "log off",
    "logout",
    "signout",
    "déconnexion",
    "se déconnecter",
    "abmelden",
    "ausloggen",
    "cerrar sesión",
    "salir",
    "terminar sessão",
    "sair",
    "esci",
    "disconnetti",
    "uitloggen",
    "afmelden",
    "logga ut",
    "log ud",
    "logg ut",
    "kirjaudu ulos",
    "wyloguj",
    "gusohoka",
];

pub(super) fn is_sign_out(text: &str) -> bool {
    let of_words = |text: &str| {
        let words: Vec<_> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        format!(" {} ", words.join(" "))
    };
    let text = of_words(&text.to_lowercase());
    SIGN_OUT.iter().any(|word| text.contains(&of_words(word)))
}

/// A text as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// A key as TOML writes it.
pub(super) fn quoted_key(key: &str) -> String {
    let is_bare = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if is_bare { key.to_owned() } else { quoted(key) }
}

fn heading(heading: &Heading) -> String {
    format!("{{ selector = {}, text = {} }}", quoted(&heading.selector), quoted(&heading.text))
}

/// What is enough to wait for a page by.
const PROVISIONAL: &str = r#"
[portal]
title = TITLE
language = "en"
unknown_path = "app"
busy = []
broken = []
mock = []
[login]
heading = ""
email = "input[type=email]"
password = "input[type=password]"
submit = "form button"
within_ms = 10000
wrong_password = ""
[shell]
navigation = "nav a"
sign_out = ""
landing = "/"
title = { selector = "h1", text = "" }
denied = ""
[personas.ANYBODY]
label = ""
[smoke]
persona = "ANYBODY"
[[routes]]
name = "root"
step = "4.1.1"
path = "/"
entry = "url"
heading = { selector = "h1", text = "" }
within_ms = 10000
[assets]
required = []
hashed = "/assets/"
[headers]
[secrets]
[console]
allowed = []
"#;

pub(super) fn provisional(title: &str) -> String {
    PROVISIONAL.replace("TITLE", &quoted(title))
}

/// The proposal, with what its owner should look at.
pub(super) fn contract(walk: &Walk, known: &Known, tenancy: Option<&Tenancy>, catalog: &Catalog) -> String {
    let mut text = String::from(
        "# Proposed by `release-check contract new`: what was seen, not what is promised. Read each line.\n\
         # Sections that are left out (README, \"Point it at another Supabase portal\") leave their checks out.\n\n",
    );
    text += &portal(walk);
    text += &login(walk);
    text += &shell(walk, known, catalog);
    let _ = write!(text, "[smoke]\n# Who visits the routes.\npersona = {}\n\n", quoted(&walk.who));
    let steps = steps(walk);
    text += &routes(walk, &steps);
    text += &forbidden(walk);
    text += &rest(walk);
    let shown: Vec<_> = walk.views.iter().flat_map(|view| &view.lists).collect();
    let Ok(now) = now_in(&walk.home.zone) else { return text };
    let (mut formats, now) = lists::learn(formats(walk), &shown, &walk.answers, &now);
    let rows = tenancy.and_then(|tenancy| rows(walk, known, tenancy, catalog.rank(tenancy), &now));
    text += rows.as_ref().map_or("", |rows| &rows.text);
    let steps: Vec<_> = steps.iter().map(|(step, _)| *step).collect();
    let rows = rows.filter(|rows| rows.readers.len() == 2);
    let lists = rows.map_or_else(String::new, |rows| lists(walk, &steps, &rows, &mut formats, &now));
    if !lists.is_empty() || !formats.currency.is_empty() {
        text += &written(&formats);
    }
    text += &lists;
    if let Some(tenancy) = tenancy {
        text += &catalog.recipes(tenancy, &seen(walk, |look| &look.tables));
    }
    text
}

/// How values are written, by a page on which an amount is or, without any, by the language.
fn formats(walk: &Walk) -> Formats {
    let looks = || std::iter::once(&walk.home).chain(walk.views.iter().map(|view| &view.look));
    let seen = looks().find(|look| look.formats.money.is_some()).unwrap_or(&walk.home).formats.clone();
    let usual = if seen.decimal_comma { "." } else { "," };
    Formats {
        day: seen.day,
        moment: None,
        months: seen.months,
        money: seen.money.unwrap_or_else(|| "{amount}".to_owned()),
        decimal_comma: seen.decimal_comma,
        thousands: Some(seen.thousands).filter(|thousands| thousands != usual),
        always_cents: seen.always_cents,
        currency: seen.currency.unwrap_or_default(),
        nothing: "–".to_owned(),
        labels: BTreeMap::new(),
    }
}

/// The same as a contract has it.
fn written(formats: &Formats) -> String {
    let list = |texts: &[String]| texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ");
    let mut text = format!(
        "\n# How days and amounts are written, by the page's language and what was on screen.\n[formats]\nday = {}\n",
        quoted(&formats.day)
    );
    if let Some(moment) = &formats.moment {
        let _ = writeln!(text, "moment = {}", quoted(moment));
    }
    if !formats.months.is_empty() {
        let _ = writeln!(text, "months = [{}]", list(&formats.months));
    }
    if formats.currency.is_empty() {
        text += "# No amount was on screen.\n";
    }
    let _ = writeln!(text, "money = {}\ncurrency = {}", quoted(&formats.money), quoted(&formats.currency));
    if formats.decimal_comma {
        text += "decimal_comma = true\n";
    }
    if let Some(thousands) = &formats.thousands {
        let _ = writeln!(text, "thousands = {}", quoted(thousands));
    }
    if formats.always_cents {
        text += "always_cents = true\n";
    }
    let _ = writeln!(text, "# What stands where there is nothing.\nnothing = {}", quoted(&formats.nothing));
    if !formats.labels.is_empty() {
        let labels: Vec<_> =
            formats.labels.iter().map(|(code, word)| format!("{} = {}", quoted_key(code), quoted(word))).collect();
        let _ = writeln!(text, "labels = {{ {} }}", labels.join(", "));
    }
    text
}

/// The lists of the views, of rows that are read with the formats and at the time given: what the portal was given explains
/// them.
fn lists(walk: &Walk, steps: &[Option<&str>], rows: &Rows, formats: &mut Formats, now: &Zoned) -> String {
    let (mut text, mut kinds) = (String::new(), BTreeSet::new());
    let readers: Vec<_> = rows.readers.iter().map(|name| quoted(name)).collect();
    for (view, step) in walk.views.iter().zip(steps) {
        let answers = walk.answers[..view.answers].iter().filter(|answer| walk.owns(&answer.table));
        let (Some(step), answers) = (step, answers.cloned().collect::<Vec<_>>()) else { continue };
        let mut lists = String::new();
        for shown in &view.lists {
            let Some(list) = shown.explained(&answers, formats, now, &rows.column) else { continue };
            let further = (1..).map(|number| format!("{}-{}-{number}", name(view), list.table()));
            let kind = std::iter::once(list.table().to_owned()).chain(further).find(|kind| !kinds.contains(kind));
            let kind = kind.unwrap_or_default();
            text += &list.kind(&kind);
            lists += &list.list(&kind);
            let details = format!("{kind}-details");
            let opened = view.opened.iter().find(|opened| opened.rows == list.rows());
            let opened = opened.and_then(|opened| Some((opened, opened.kind(&details, formats, now)?)));
            text += opened.as_ref().map_or("", |(_, text)| text);
            lists += &list.handles(&view.handles, opened.as_ref().map(|(opened, _)| (details.as_str(), *opened)));
            kinds.extend([kind, details]);
        }
        if !lists.is_empty() {
            let (name, step, readers) = (quoted(&name(view)), quoted(step), readers.join(", "));
            let _ = write!(
                text,
                "\n[[views]]\nname = {name}\nstep = {step}\nroute = {name}\nreaders = [{readers}]\n{lists}"
            );
        }
    }
    if text.is_empty() {
        return text;
    }
    format!("\n# What the views list, of which rows and in which order: as seen, by what the portal asked for.\n{text}")
}

fn portal(walk: &Walk) -> String {
    let worker = walk.login.worker.as_ref().or(walk.home.worker.as_ref());
    let worker = worker.map_or_else(String::new, |path| format!("service_worker = {}\n", quoted(path)));
    let unknown = if walk.has_not_found { "not-found" } else { "app" };
    format!(
        "[portal]\ntitle = {}\nlanguage = {}\nunknown_path = \"{unknown}\"\n{worker}# Texts that stand there while it works, \
         such as \"Loading…\".\nbusy = []\n# Headings of an app that gave up.\nbroken = []\n# mock = [\"Demo\"]: texts of demo data, where a build can have \
         any.\n\n",
        quoted(&walk.login.title),
        quoted(&walk.login.language),
    )
}

fn login(walk: &Walk) -> String {
    let heading = walk.login.headings.first().map(|heading| heading.text.clone());
    let heading = heading.or_else(|| walk.login.lines.first().cloned()).unwrap_or_default();
    let fields = walk.login.login.as_ref();
    let field = |of: fn(&super::Login) -> &String| fields.map_or_else(String::new, |fields| quoted(of(fields)));
    format!(
        "[login]\nheading = {}\nemail = {}\npassword = {}\nsubmit = {}\nwithin_ms = 3000\nwrong_password = {}\n\
         # Headings, fields and buttons, in their order.\noutline = [\n{}]\n\n",
        quoted(&heading),
        field(|fields| &fields.email),
        field(|fields| &fields.password),
        field(|fields| &fields.submit),
        quoted(&walk.refusal),
        walk.outline.iter().map(|line| format!("  {},\n", quoted(line))).collect::<String>(),
    )
}

fn shell(walk: &Walk, known: &Known, catalog: &Catalog) -> String {
    let home = &walk.home;
    let sign_out = home.buttons.iter().find(|text| is_sign_out(text));
    let sign_out = sign_out.or(walk.account.as_ref().map(|(_, entry)| entry));
    let advice = match &walk.account {
        Some((menu, _)) => format!("account_menu = {}\n", quoted(menu)),
        None if sign_out.is_some() => String::new(),
        None => {
            "# No button for leaving was seen, nor in a menu: account_menu names the button that opens it.\n".to_owned()
        }
    };
    let title = home.headings.first().map_or_else(|| "{ selector = \"h1\", text = \"\" }".to_owned(), heading);
    let mut text = format!(
        "[shell]\nnavigation = {}\n{advice}sign_out = {}\nlanding = {}\n# {{label}} in it stands for the persona's label.\ntitle = \
         {title}\n# What a view says to somebody whose role may not see it.\ndenied = {}\n\n",
        quoted(&home.navigation.selector),
        quoted(sign_out.map_or("Sign out", String::as_str)),
        quoted(&home.path),
        quoted(walk.others.iter().flat_map(|other| &other.denied).next().map_or("", |(_, heading)| heading)),
    );
    for (name, ..) in &known.personas {
        let role = catalog.roles.get(name).unwrap_or(name);
        let _ = writeln!(text, "[personas.{name}]\n# What the portal calls the role.\nlabel = {}", quoted(role));
        let other = walk.others.iter().find(|other| other.who == *name).map(|other| &other.offered);
        let offered = if *name == walk.who { Some(&home.navigation.texts) } else { other };
        if let Some(offered) = offered {
            let offered: Vec<_> = offered.iter().map(|text| quoted(text)).collect();
            let _ = writeln!(text, "navigation = [{}]", offered.join(", "));
        }
        text += &letter(name).map_or_else(String::new, |letter| format!("institution = \"{letter}\"\n"));
        text += "\n";
    }
    text
}

/// The line of the runbook for a view: the one whose title begins with its path or with its button, else the one of §4.1
/// that is about such views.
fn step(view: &View, taken: &BTreeSet<&str>) -> Option<&'static str> {
    let (button, path) = (view.button.to_lowercase(), format!("{}:", view.look.path.to_lowercase()));
    let is_named = |title: &str| title.starts_with(&path) || title.starts_with(&button);
    let mut steps = Runbook::get().steps().iter().filter(|step| !taken.contains(step.id.as_str()));
    if let Some(step) = steps.find(|step| is_named(&step.title.to_lowercase())) {
        return Some(&step.id);
    }
    let name = format!("{button} {path}");
    let fits = |words: &[&str]| words.iter().any(|word| name.contains(word));
    let is_free = |step: &str| !taken.contains(step) && Runbook::get().checked_as(step).is_some();
    STEPS.iter().find(|(step, words)| is_free(step) && fits(words)).map(|(step, _)| *step)
}

/// A short name of a view: what its path is made of, or its button.
fn name(view: &View) -> String {
    if view.is_root() {
        return "root".to_owned();
    }
    let path = view.look.path.trim_matches('/');
    let text = if path.is_empty() { &view.button } else { path };
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

/// A line of §4.1 that no view has, for one that no line is about.
fn free(taken: &BTreeSet<&str>) -> Option<&'static str> {
    let is_free = |step: &&str| !taken.contains(step) && Runbook::get().step(step).is_some();
    STEPS.iter().map(|(step, _)| *step).find(is_free)
}

/// The line of the runbook for each view, and what is said of one that has none of its own.
fn steps(walk: &Walk) -> Vec<(Option<&'static str>, &'static str)> {
    let mut taken = BTreeSet::new();
    let mut steps = Vec::new();
    for view in &walk.views {
        let step = step(view, &taken);
        taken.extend(step);
        steps.push((step, ""));
    }
    for (step, mark) in steps.iter_mut().filter(|(step, _)| step.is_none()) {
        *step = free(&taken);
        taken.extend(*step);
        *mark = "# No line of the runbook is about this view: it has one that was free, until a runbook of yours (HARNESS_RUNBOOK) has it.\n";
    }
    steps
}

fn routes(walk: &Walk, steps: &[(Option<&str>, &str)]) -> String {
    let home = walk.home.heading().map_or_else(|| "{ selector = \"h1\", text = \"\" }".to_owned(), heading);
    let root = walk.views.iter().find(|view| view.is_root());
    let root = root.map_or_else(String::new, |view| format!("navigation = {}\n", quoted(&view.button)));
    let mut text = format!(
        "[[routes]]\nname = \"root\"\nstep = \"4.1.1\"\npath = \"/\"\nentry = \"url\"\n{root}heading = {home}\nwithin_ms = 3000\n\n"
    );
    for (view, (step, mark)) in walk.views.iter().zip(steps).filter(|(view, _)| !view.is_root()) {
        let step = *step;
        let heading = view.look.heading().map_or_else(|| "{ selector = \"h1\", text = \"\" }".to_owned(), heading);
        let entry = if view.by_url { "url" } else { "navigation" };
        let asked = [("tables", &view.look.tables), ("calls", &view.look.calls), ("functions", &view.look.functions)];
        let asked = asked.iter().filter(|(_, names)| !names.is_empty());
        let asked: Vec<_> = asked.map(|(kind, names)| format!("{kind} {}", names.join(", "))).collect();
        let lines = format!(
            "[[routes]]\nname = {}\nstep = {}\npath = {}\nentry = \"{entry}\"\nnavigation = {}\nheading = {heading}\nwithin_ms = 3000\n",
            quoted(&name(view)),
            quoted(step.unwrap_or("4.1.x")),
            quoted(&view.look.path),
            quoted(&view.button),
        );
        let others = view.look.headings.iter().filter(|heading| Some(*heading) != view.look.heading());
        let others = others.map(|heading| heading.text.as_str()).collect::<Vec<_>>();
        let others =
            if others.is_empty() { String::new() } else { format!("# Other headings: {}\n", others.join(" | ")) };
        let asked = if asked.is_empty() { String::new() } else { format!("# Asked for {}\n", asked.join("; ")) };
        match step {
            Some(_) => text += &format!("{mark}{asked}{others}{lines}\n"),
            None => {
                text += &format!(
                    "# No line of the runbook is about this view; give it one to have it checked.\n{asked}{others}"
                );
                text.extend(lines.lines().map(|line| format!("# {line}\n")));
                text += "\n";
            }
        }
    }
    text
}

/// Views that somebody else of the same institution is shown something else in the place of, or is not offered where views
/// have no address: one person for each.
fn forbidden(walk: &Walk) -> String {
    let mut text = String::new();
    for view in &walk.views {
        let is_denied = |other: &&Other| match view.by_url {
            true => other.denied.iter().any(|(path, _)| *path == view.look.path),
            false => !other.offered.contains(&view.button),
        };
        let (Some(other), Some(seen)) = (walk.others.iter().find(is_denied), view.look.heading()) else {
            continue;
        };
        let _ = write!(
            text,
            "[[forbidden]]\nname = {}\npath = {}\n{}navigation = {}\nheading = {}\npersona = {}\nallowed = {}\n\n",
            quoted(&name(view)),
            quoted(&view.look.path),
            if view.by_url { "" } else { "entry = \"navigation\"\n" },
            quoted(&view.button),
            heading(seen),
            quoted(&other.who),
            quoted(&walk.who),
        );
    }
    text
}

/// Headers whose loss would be a defect, and how a value is recognised.
const HEADERS: [(&str, &str); 5] = [
    ("content-security-policy", "default-src|script-src"),
    ("referrer-policy", ".+"),
    ("strict-transport-security", "max-age=[1-9]"),
    ("x-content-type-options", "^nosniff$"),
    ("x-frame-options", "^(DENY|SAMEORIGIN)$"),
];

fn rest(walk: &Walk) -> String {
    let assets = &walk.login.assets;
    let required: Vec<_> = assets.required.iter().map(|selector| quoted(selector)).collect();
    let mut text = format!(
        "[assets]\nrequired = [{}]\n# Paths below this are named after their content.\nhashed = {}\n\n[headers]\n",
        required.join(", "),
        quoted(&assets.folder)
    );
    for (name, pattern) in HEADERS {
        let is_sent = walk.headers.iter().any(|(sent, _)| sent == name);
        let mark = if is_sent { "" } else { "# not sent: " };
        let _ = writeln!(text, "{mark}{name} = {}", quoted(pattern));
    }
    let asked: [(&str, Names); 4] = [
        ("tables and views", |look| &look.tables),
        ("functions of the database", |look| &look.calls),
        ("edge functions", |look| &look.functions),
        ("kept in the browser", |look| &look.stored),
    ];
    let asked = asked.map(|(kind, of)| (kind, seen(walk, of))).into_iter().filter(|(_, names)| !names.is_empty());
    let asked: Vec<_> = asked.map(|(kind, names)| format!("{kind} {}", names.join(", "))).collect();
    let _ = write!(
        text,
        "\n[secrets]\n\"Supabase secret key\" = 'sb_secret_[A-Za-z0-9_-]{{10,}}'\n\"Supabase access token\" = 'sbp_[a-f0-9]{{20,}}'\n\n\
         [console]\n# Errors that are no defect, as patterns.\nallowed = []\n\n\
         # Seen on the way: {}.\n\
         # They are where [tenancy], [data] and [dashboard] begin; cargo xtask rls prints what it infers of the tenancy.\n",
        asked.join("; "),
    );
    text += &watched(walk);
    text
}

/// Names of one kind that were seen on a page.
type Names = fn(&Look) -> &Vec<String>;

/// What was seen of something on any view, each once.
fn seen(walk: &Walk, of: Names) -> Vec<&str> {
    let looks = walk.views.iter().map(|view| &view.look).chain([&walk.home]);
    let names: BTreeSet<_> = looks.flat_map(|look| of(look).iter().map(String::as_str)).collect();
    names.into_iter().collect()
}

/// Whose rows are whose.
struct Rows<'k> {
    /// The column that says so.
    column: String,
    /// Two people whose rows are held against each other, if there are two.
    readers: Vec<&'k str>,
    text: String,
}

/// The column that says whose a row is.
pub(super) fn column_of(tenancy: &Tenancy) -> Option<&str> {
    match (&tenancy.tenant, &tenancy.owner) {
        (Some(tenant), _) => Some(&tenant.column),
        (None, owner) => owner.as_ref()?.columns.first().map(String::as_str),
    }
}

/// Whose rows are whose, as the database's catalog has it.
fn rows<'k>(walk: &Walk, known: &'k Known, tenancy: &Tenancy, rank: &[String], now: &Zoned) -> Option<Rows<'k>> {
    let table = toml::Table::from_iter([("tenancy".to_owned(), toml::Value::try_from(tenancy).ok()?)]);
    let mut text = format!(
        "\n# Whose rows are whose, as the database's catalog has it; rls-probe says why.\n{}",
        toml::to_string(&table).ok()?
    );
    if tenancy.roles.rank.is_empty() && !rank.is_empty() {
        let rank = rank.iter().map(|role| quoted(role)).collect::<Vec<_>>().join(", ");
        let _ = write!(
            text,
            "\n[tenancy.roles]\n# From the highest to the lowest: they stand as the database has them.\nrank = [{rank}]\n"
        );
    }
    let (of_users, column) = (tenancy.tenant.is_none(), column_of(tenancy)?);
    let mut by_owner = BTreeMap::new();
    // Somebody like whoever walked sees what they saw.
    let role = |name: &str| name.rsplit_once('_').map(|(role, _)| role.to_owned());
    let (same, others): (Vec<_>, Vec<_>) = known.personas.iter().partition(|(name, ..)| role(name) == role(&walk.who));
    for (name, ..) in same.into_iter().chain(others) {
        if let Some(owner) = if of_users { Some(name.as_str()) } else { letter(name) } {
            by_owner.entry(owner).or_insert(name.as_str());
        }
    }
    let readers: Vec<_> = by_owner.into_values().take(2).collect();
    if readers.len() == 2 {
        let quoted = |names: &[&str]| names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
        let _ = write!(
            text,
            "\n[data]\n{}tenant = {}\nreaders = [{}]\n# Where days begin at midnight.\ntime_zone = {}\n# To be \
             filled in: part of a value that stands in the rows of each of them, and in nobody else's.\ncanaries = {{}}\nrelations = [{}]\n",
            if of_users { "rows_of = \"users\"\n" } else { "" },
            quoted(&[column]),
            quoted(&readers),
            quoted(&[now.time_zone().iana_name().unwrap_or("UTC")]),
            quoted(&seen(walk, |look| &look.tables).into_iter().filter(|table| walk.owns(table)).collect::<Vec<_>>()),
        );
    }
    Some(Rows { column: column.to_owned(), readers, text })
}

/// Whether somebody is another person of the same institution, or neither has one.
pub(super) fn is_colleague(other: &str, who: &str) -> bool {
    other != who && letter(other) == letter(who)
}

/// The letter of a persona's institution.
fn letter(persona: &str) -> Option<&str> {
    persona.rsplit('_').next().filter(|letter| letter.len() == 1)
}

/// The runbook's counts of "RLS Verification".
const COUNTS: [&str; 3] = ["sec.1.1", "sec.1.2", "sec.1.3"];

/// What every portal can promise that has tables: they are counted where `[data]` says whose rows are whose.
fn watched(walk: &Walk) -> String {
    let (tables, functions) = (seen(walk, |look| &look.tables), seen(walk, |look| &look.functions));
    let steps = COUNTS.into_iter().filter(|step| Runbook::get().checked_as(step).is_some());
    let counted = tables.iter().zip(steps);
    let counted = counted.map(|(table, step)| format!("  {{ table = {}, step = {} }},\n", quoted(table), quoted(step)));
    let functions = match functions.iter().map(|name| quoted(name)).collect::<Vec<_>>() {
        none if none.is_empty() => String::new(),
        names => format!("# Edge functions that only a signed-in user may call.\nfunctions = [{}]\n", names.join(", ")),
    };
    let mut text = format!(
        "\n[security]\n# Tables of which somebody sees their own rows and no others.\ncounted = [\n{}]\n{functions}\
         # What a build's folder may have in it by mistake.\nunpublished = [\"/.env\", \"/.env.production\", \"/.git/config\", \
         \"/package.json\"]\n# invited = true: nobody makes an account for themselves.\n\n\
         [monitoring]\nloads = 5\nerrors_below_percent = 1.0\nerrors_of_at_least = 200\n",
        counted.collect::<String>(),
    );
    if let Some(relation) = tables.first() {
        let _ = write!(
            text,
            "\n[tokens]\naccess_at_most_s = 3600\n# What only somebody who is signed in reads.\nrelation = {}\nguesses_at_most = 60\n",
            quoted(relation)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaving_is_known_by_its_words_in_many_languages() {
        for text in ["Sign Out", "⎋ Log out", "Salir", "Cerrar sesión", "Se déconnecter", "Abmelden", "Kirjaudu ulos"]
        {
            assert!(is_sign_out(text), "{text}");
        }
        for text in ["Crescimento", "Logbook", "Salida", "Sign in", "Outils"] {
            assert!(!is_sign_out(text), "{text}");
        }
    }
}
