//! The text of a proposed contract.

use std::{collections::BTreeSet, fmt::Write};

use harness::Known;

use super::{Heading, View, Walk};

/// The lines of §4.1, by what views are called that belong to them.
const STEPS: [(&str, &[&str]); 7] = [
    ("4.1.2", &["dashboard", "overview", "home", "accueil"]),
    ("4.1.3", &["transaction", "ledger", "payment"]),
    ("4.1.4", &["group", "ibimina", "project"]),
    ("4.1.5", &["member", "customer", "client"]),
    ("4.1.6", &["reconciliation"]),
    ("4.1.7", &["report", "analytics"]),
    ("4.1.8", &["setting"]),
];

/// Words for leaving.
const SIGN_OUT: [&str; 8] =
    ["sign out", "log out", "logout", "signout", "déconnexion", "se déconnecter", "abmelden", "gusohoka"];

pub(super) fn is_sign_out(text: &str) -> bool {
    let text = text.to_lowercase();
    SIGN_OUT.iter().any(|word| text.contains(word))
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
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
pub(super) fn contract(walk: &Walk, known: &Known) -> String {
    let mut text = String::from(
        "# Proposed by `release-check contract new`: what was seen, not what is promised. Read each line.\n\
         # Sections that are left out (README, \"Point it at another Supabase portal\") leave their checks out.\n\n",
    );
    text += &portal(walk);
    text += &login(walk);
    text += &shell(walk, known);
    let first = known.personas.first().map_or("ADMIN_A", |(name, ..)| name);
    let _ = write!(text, "[smoke]\n# Who visits the routes.\npersona = {}\n\n", quoted(first));
    text += &routes(walk);
    text += &rest(walk);
    text
}

fn portal(walk: &Walk) -> String {
    let worker = walk.login.worker.as_ref().or(walk.home.worker.as_ref());
    let worker = worker.map_or_else(String::new, |path| format!("service_worker = {}\n", quoted(path)));
    let unknown = if walk.has_not_found { "not-found" } else { "app" };
    format!(
        "[portal]\ntitle = {}\nlanguage = {}\nunknown_path = \"{unknown}\"\n{worker}# Texts that stand there while it works, \
         such as \"Loading…\".\nbusy = []\n# Headings of an app that gave up.\nbroken = []\n# Banners of demo data.\nmock = []\n\n",
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
        "[login]\nheading = {}\nemail = {}\npassword = {}\nsubmit = {}\nwithin_ms = 3000\nwrong_password = {}\n\n",
        quoted(&heading),
        field(|fields| &fields.email),
        field(|fields| &fields.password),
        field(|fields| &fields.submit),
        quoted(&walk.refusal),
    )
}

fn shell(walk: &Walk, known: &Known) -> String {
    let home = &walk.home;
    let sign_out = home.buttons.iter().find(|text| is_sign_out(text));
    let advice = if sign_out.is_none() { "# No button for leaving was seen: is it in a menu?\n" } else { "" };
    let title = home.headings.first().map_or_else(|| "{ selector = \"h1\", text = \"\" }".to_owned(), heading);
    let mut text = format!(
        "[shell]\nnavigation = {}\n{advice}sign_out = {}\nlanding = {}\n# {{label}} in it stands for the persona's label.\ntitle = \
         {title}\n# What a view says to somebody whose role may not see it.\ndenied = \"\"\n\n",
        quoted(&home.navigation.selector),
        quoted(sign_out.map_or("Sign out", String::as_str)),
        quoted(&home.path),
    );
    for (name, ..) in &known.personas {
        let _ = writeln!(text, "[personas.{name}]\n# What the portal calls the role.\nlabel = {}", quoted(name));
        let letter = name.rsplit('_').next().filter(|letter| letter.len() == 1);
        text += &letter.map_or_else(String::new, |letter| format!("institution = \"{letter}\"\n"));
        text += "\n";
    }
    text
}

/// The line of §4.1 for a view.
fn step(view: &View, taken: &BTreeSet<&str>) -> Option<&'static str> {
    let name = format!("{} {}", view.button, view.look.path).to_lowercase();
    let fits = |words: &[&str]| words.iter().any(|word| name.contains(word));
    STEPS.iter().find(|(step, words)| !taken.contains(step) && fits(words)).map(|(step, _)| *step)
}

fn routes(walk: &Walk) -> String {
    let mut taken = BTreeSet::new();
    let home = walk.home.headings.last().map_or_else(|| "{ selector = \"h1\", text = \"\" }".to_owned(), heading);
    let mut text = format!(
        "[[routes]]\nname = \"root\"\nstep = \"4.1.1\"\npath = \"/\"\nentry = \"url\"\nheading = {home}\nwithin_ms = 3000\n\n"
    );
    for view in &walk.views {
        let step = step(view, &taken);
        taken.extend(step);
        let name: String =
            view.button.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
        let heading =
            view.look.headings.last().map_or_else(|| "{ selector = \"h1\", text = \"\" }".to_owned(), heading);
        let entry = if view.by_url { "url" } else { "navigation" };
        let asked = [("tables", &view.look.tables), ("calls", &view.look.calls), ("functions", &view.look.functions)];
        let asked = asked.iter().filter(|(_, names)| !names.is_empty());
        let asked: Vec<_> = asked.map(|(kind, names)| format!("{kind} {}", names.join(", "))).collect();
        let lines = format!(
            "[[routes]]\nname = {}\nstep = {}\npath = {}\nentry = \"{entry}\"\nnavigation = {}\nheading = {heading}\nwithin_ms = 3000\n",
            quoted(name.trim_matches('-')),
            quoted(step.unwrap_or("4.1.x")),
            quoted(&view.look.path),
            quoted(&view.button),
        );
        let others = view.look.headings.iter().rev().skip(1).map(|heading| heading.text.as_str()).collect::<Vec<_>>();
        let others =
            if others.is_empty() { String::new() } else { format!("# Other headings: {}\n", others.join(" | ")) };
        let asked = if asked.is_empty() { String::new() } else { format!("# Asked for {}\n", asked.join("; ")) };
        match step {
            Some(_) => text += &format!("{asked}{others}{lines}\n"),
            None => {
                text +=
                    &format!("# No line of §4.1 is about this view; give it one to have it checked.\n{asked}{others}");
                text.extend(lines.lines().map(|line| format!("# {line}\n")));
                text += "\n";
            }
        }
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
    let mut text =
        String::from("[assets]\nrequired = [\"script[type=module][src]\"]\nhashed = \"/assets/\"\n\n[headers]\n");
    for (name, pattern) in HEADERS {
        let is_sent = walk.headers.iter().any(|(sent, _)| sent == name);
        let mark = if is_sent { "" } else { "# not sent: " };
        let _ = writeln!(text, "{mark}{name} = {}", quoted(pattern));
    }
    let all = |of: fn(&super::Look) -> &Vec<String>| {
        let looks = walk.views.iter().map(|view| &view.look).chain([&walk.home]);
        let names: BTreeSet<_> = looks.flat_map(|look| of(look).iter().map(String::as_str)).collect();
        names.into_iter().collect::<Vec<_>>().join(", ")
    };
    let _ = write!(
        text,
        "\n[secrets]\n\"Supabase secret key\" = 'sb_secret_[A-Za-z0-9_-]{{10,}}'\n\"Supabase access token\" = 'sbp_[a-f0-9]{{20,}}'\n\n\
         [console]\n# Errors that are no defect, as patterns. The embedded portal has no realtime: an app that uses it needs\n\
         # 'WebSocket connection to .*/realtime/v1/' there.\nallowed = []\n\n\
         # Seen on the way: tables and views {}; functions of the database {}; edge functions {}; kept in the browser {}.\n\
         # They are where [tenancy], [security], [data] and [dashboard] begin; cargo xtask rls prints what it infers of the tenancy.\n",
        all(|look| &look.tables),
        all(|look| &look.calls),
        all(|look| &look.functions),
        walk.home.stored.join(", "),
    );
    text
}
