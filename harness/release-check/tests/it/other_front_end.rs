//! The same portal with another front end: payments are given in a drawer, dialogs are elements of no kind of their own,
//! figures are rounded, the ledger shows a week that rolls, and views are kept in memory. What changes is the contract.

use std::{fs, path::Path};

use harness::{
    Outcome,
    run::{CheckResult, read_results},
    workspace_root as root,
};
use portal::Portal;
use rstest::rstest;
use toml::{Table, Value};

use release_check::suites::Suite;

/// Views that are kept in memory: whatever the address is, the app begins with its first one.
const ROUTER: &str = "let current = '/';
export const path = () => current;
export const correct = (to) => { current = to; };
export function go(to) {
  current = to;
  window.dispatchEvent(new PopStateEvent('popstate'));
}
export const onNavigate = (listener, signal) => window.addEventListener('popstate', listener, { signal });
";

/// Changes of the front end's sources: a file, a text in it, and what stands there instead.
const CHANGES: [(&str, &str, &str); 5] = [
    (
        "assets/dialog.js",
        "el(\"dialog\", { \"aria-label\": title, onclose: () => dialog.remove() }, form)",
        "el(\"div\", { role: \"dialog\", \"aria-modal\": \"true\", \"aria-label\": title }, form)",
    ),
    (
        "assets/dialog.js",
        "\"dialog\",\n    { \"aria-label\": title, onclose: () => dialog.remove() }",
        "\"div\",\n    { role: \"dialog\", \"aria-modal\": \"true\", \"aria-label\": title }",
    ),
    (
        "assets/dialog.js",
        "  dialog.showModal();",
        "  const escape = ({ key }) => key === \"Escape\" && dialog.close();
  dialog.close = () => {
    document.removeEventListener(\"keydown\", escape);
    dialog.remove();
  };
  document.addEventListener(\"keydown\", escape);
  dialog.querySelector(\"input, select\")?.focus();",
    ),
    (
        "assets/views/dashboard.js",
        "import { money } from \"/assets/format.js\";",
        "const money = (amount, currency) => `${Math.round(Number(amount ?? 0) / 1000)}K ${currency}`;",
    ),
    (
        "assets/views/transactions.js",
        "limit: most, ...filters()",
        "limit: most, occurred_at: `gte.${new Date(Date.now() - 7 * 86_400_000).toISOString()}`, ...filters()",
    ),
];

/// Checks of what is different in it.
const CHECKS: [(&str, &[&str]); 3] = [
    (
        "data",
        &[
            "dashboard::",
            "transactions::",
            "the_dialog_allocates",
            "a_refused_allocation_is_no_success_on_screen",
            "the_dialog_finds_the_member",
            "the_controls_of_the_view_work::case_03_",
            "a_form_says_what_became_of_it::case_1_a_group",
            "lookalikes::",
            "duplicates::",
        ],
    ),
    ("sms-pipeline", &["end_to_end"]),
    ("authentication", &["a_view_is_closed", "a_view_is_open"]),
];

/// A front end that keeps its session for a tab.
const FOR_A_TAB: &[(&str, &str, &str)] = &[("assets/supabase/session.js", "localStorage", "sessionStorage")];

/// One that keeps it under a key that no option names.
const UNDER_ITS_OWN_KEY: &[(&str, &str, &str)] = &[
    (
        "assets/supabase/session.js",
        "`sb-${new URL(SUPABASE_URL).hostname.split(\".\")[0]}-auth-token`",
        "`caja:${\"sesion\"}`",
    ),
    // What is said of it goes with it.
    ("assets/supabase/session.js", "sb-127-auth-token", "caja:sesion"),
];

/// One that reports an error as supabase-js has had it for years: an object that is no `Error`.
const REPORTS_AN_OBJECT: &[(&str, &str, &str)] = &[(
    "assets/views/dashboard.js",
    "host.replaceChildren(",
    "console.error('no dashboard', { code: '42501', message: 'permission denied', hint: null });\n  host.replaceChildren(",
)];

fn change(folder: &Path, changes: &[(&str, &str, &str)]) {
    for (file, text, by) in changes {
        let path = folder.join(file);
        let source = fs::read_to_string(&path).unwrap();
        assert!(source.contains(text), "{file}");
        fs::write(path, source.replace(text, by)).unwrap();
    }
}

/// The front end in a folder of its own.
fn front_end(to: &Path) {
    copy(&root().join("fixtures/portal/web"), to);
    change(to, &CHANGES);
    fs::write(to.join("assets/router.js"), ROUTER).unwrap();
    fs::write(to.join("assets/allocate.js"), include_str!("drawer.js")).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &to)
        } else {
            let _ = fs::copy(path, to).unwrap();
        }
    }
}

/// What the contract says of it.
fn contract() -> Table {
    let ours = fs::read_to_string(root().join("fixtures/sacco-plus.toml")).unwrap();
    let mut contract: Table = ours.replace("dialog[open]", "[role=dialog]").parse().unwrap();
    let entry = || Value::from("navigation");
    for route in contract["routes"].as_array_mut().unwrap() {
        if route.get("navigation").is_some() {
            route.as_table_mut().unwrap().insert("entry".to_owned(), entry());
        }
    }
    for view in contract["forbidden"].as_array_mut().unwrap() {
        let view = view.as_table_mut().unwrap();
        view.insert("entry".to_owned(), entry());
        // There is no address that could say so.
        view.remove("outline");
    }
    for kpi in contract["dashboard"]["kpis"].as_array_mut().unwrap() {
        if kpi.get("sum").is_some() {
            kpi.as_table_mut().unwrap().insert("rounded_to".to_owned(), 1000.into());
        }
    }
    let window: Table = "time = 'occurred_at'\nhours = 168".parse().unwrap();
    contract["ledger"].as_table_mut().unwrap().insert("window".to_owned(), window.into());
    // What an institution begins with, as if none could choose another time.
    let duplicates = contract["duplicates"].as_table_mut().unwrap();
    duplicates.remove("window").unwrap();
    duplicates.insert("minutes".to_owned(), 60.into());
    let allocation = contract["allocation"].as_table_mut().unwrap();
    for name in ["button", "member_field", "note_field", "outline", "submit"] {
        allocation.remove(name).unwrap();
    }
    let drawer: Table = "dialog = '.drawer'
        member_entries = { selector = '.drawer li button', shows = 'member_code' }
        find = { field = '.drawer input[type=search]', columns = ['full_name', 'member_code', 'phone'] }"
        .parse()
        .unwrap();
    allocation.extend(drawer);
    contract
}

/// What the checks of it say, by a contract that `change` may have made wrong.
async fn verified(change: impl Fn(&mut Table), checks: &[(&str, &[&str])]) -> Vec<CheckResult> {
    let folder = tempfile::tempdir().unwrap();
    front_end(&folder.path().join("web"));
    let portal = Portal::builder().dist(folder.path().join("web")).for_suites().start().await.unwrap();
    let mut contract = contract();
    change(&mut contract);
    let path = folder.path().join("contract.toml");
    fs::write(&path, toml::to_string(&contract).unwrap()).unwrap();
    let mut results = Vec::new();
    for (suite, checks) in checks {
        let left = folder.path().join(suite);
        let mut command = Suite::build(suite).unwrap().command_in(&left);
        command.args(*checks).env("HARNESS_CONTRACT", &path).env("HARNESS_TARGET", "staging");
        command.envs(portal.variables()).output().unwrap();
        results.extend(read_results(&left).unwrap());
    }
    results
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_contract_says_of_it_holds() {
    let results = verified(|_| (), &CHECKS).await;
    assert!(results.len() > 15, "{} checks", results.len());
    for check in results {
        assert_eq!(check.outcome, Outcome::Passed, "{}\n{:?}", check.name, check.text());
    }
}

/// Each of these is seen where a contract says it of a portal that is otherwise.
#[rstest]
#[case::all_days("ledger", "window", "the_screen_counts_what_the_database_counts")]
#[case::exact_figures("dashboard", "rounded_to", "each_figure_is_that_of_the_rows")]
#[tokio::test(flavor = "multi_thread")]
async fn what_its_contract_leaves_out_is_seen(#[case] section: &str, #[case] key: &str, #[case] claim: &str) {
    let leave_out = |contract: &mut Table| {
        let section = contract[section].as_table_mut().unwrap();
        section.remove(key);
        for kpi in section.get_mut("kpis").and_then(Value::as_array_mut).into_iter().flatten() {
            kpi.as_table_mut().unwrap().remove(key);
        }
    };
    let results = verified(leave_out, &[("data", &[claim])]).await;
    assert!(!results.is_empty());
    for check in results {
        assert_eq!(check.outcome, Outcome::Failed, "{}\n{:?}", check.name, check.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_within_another_time_are_seen() {
    let half = |contract: &mut Table| {
        contract["duplicates"].as_table_mut().unwrap().insert("minutes".to_owned(), 30.into());
    };
    let [check] = <[_; 1]>::try_from(verified(half, &[("data", &["duplicates::"])]).await).unwrap();
    let text = check.text().unwrap_or_default();
    assert!(check.outcome == Outcome::Failed && text.contains("listed: two payments 31 minutes apart"), "{text}");
}

/// A view that somebody may see is not closed to them, however it is reached.
#[tokio::test(flavor = "multi_thread")]
async fn a_view_in_memory_that_is_open_is_not_closed() {
    let open = |contract: &mut Table| {
        for view in contract["forbidden"].as_array_mut().unwrap() {
            let allowed = view["allowed"].clone();
            view.as_table_mut().unwrap().insert("persona".to_owned(), allowed);
        }
    };
    for check in verified(open, &[("authentication", &["a_view_is_closed"])]).await {
        assert_eq!(check.outcome, Outcome::Failed, "{}\n{:?}", check.name, check.text());
    }
}

/// What checks say of our own front end with these changes, and what they print.
async fn verified_with(changes: &[(&str, &str, &str)], suite: &str, checks: &[&str]) -> (Vec<CheckResult>, String) {
    verified_by(changes, &[], suite, checks).await
}

/// The same by a contract with other words.
async fn verified_by(
    changes: &[(&str, &str, &str)],
    words: &[(&str, &str)],
    suite: &str,
    checks: &[&str],
) -> (Vec<CheckResult>, String) {
    let folder = tempfile::tempdir().unwrap();
    let (web, left) = (folder.path().join("web"), folder.path().join("results"));
    copy(&root().join("fixtures/portal/web"), &web);
    change(&web, changes);
    let portal = Portal::builder().dist(web).for_suites().start().await.unwrap();
    let ours = fs::read_to_string(root().join("fixtures/sacco-plus.toml")).unwrap();
    let contract = words.iter().fold(ours, |contract, (text, by)| {
        assert!(contract.contains(text), "{text}");
        contract.replace(text, by)
    });
    let path = folder.path().join("contract.toml");
    fs::write(&path, contract).unwrap();
    let mut command = Suite::build(suite).unwrap().command_in(&left);
    command.args(checks).env("HARNESS_CONTRACT", &path).env("HARNESS_TARGET", "staging").envs(portal.variables());
    let output = command.output().unwrap();
    (read_results(&left).unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Whoever is not signed in is sent to an address that the login alone has.
const LOGIN_ELSEWHERE: &[(&str, &str, &str)] = &[
    ("assets/main.js", "if (kept) await", "if (kept && path() === \"/login\") correct(\"/\");\n    if (kept) await"),
    ("assets/main.js", "const login = await", "correct(\"/login\");\n  const login = await"),
];

#[rstest]
#[case::its_routes("smoke", &["routes::"])]
#[case::its_form("authentication", &["login::", "the_url_shows_a_visitor"])]
#[tokio::test(flavor = "multi_thread")]
async fn a_login_may_have_an_address_of_its_own(#[case] suite: &str, #[case] checks: &[&str]) {
    let (results, _) = verified_with(LOGIN_ELSEWHERE, suite, checks).await;
    assert!(results.len() > 8, "{} checks", results.len());
    for check in results {
        assert_eq!(check.outcome, Outcome::Passed, "{}\n{:?}", check.name, check.text());
    }
}

/// The way out stands in a menu that opens when a pointer goes down, as in apps of React's.
const ACCOUNT_MENU: &[(&str, &str, &str)] = &[
    (
        "assets/shell.js",
        "signOut && el(\"button\", { type: \"button\", class: \"quiet\", onclick: (event) => leave(event.target, signOut) }, \"Sign Out\")",
        "signOut && accountMenu(signOut)",
    ),
    (
        "assets/shell.js",
        "function leave(",
        "function accountMenu(signOut) {
  const leaving = el(\"button\", { type: \"button\", role: \"menuitem\", onclick: (event) => leave(event.target, signOut) }, \"Sign Out\");
  const menu = el(\"div\", { role: \"menu\" }, leaving);
  const open = (event) => {
    event.preventDefault();
    opener.after(menu);
    leaving.focus();
  };
  const onkeydown = (event) => event.key === \"Enter\" && open(event);
  const opener = el(\"button\", { type: \"button\", \"aria-haspopup\": \"menu\", onpointerdown: open, onkeydown }, \"Account\");
  return el(\"div\", null, opener);
}

function leave(",
    ),
];

#[rstest]
#[case::the_way_out("authentication", &["logout::"], 6)]
#[case::its_views("smoke", &["routes::signed_in"], 8)]
#[tokio::test(flavor = "multi_thread")]
async fn the_way_out_may_stand_in_a_menu(#[case] suite: &str, #[case] checks: &[&str], #[case] at_least: usize) {
    let words = [("sign_out = \"Sign Out\"", "sign_out = \"Sign Out\"\naccount_menu = \"[aria-haspopup=menu]\"")];
    let (results, _) = verified_by(ACCOUNT_MENU, &words, suite, checks).await;
    assert!(results.len() >= at_least, "{} checks", results.len());
    for check in results {
        assert_eq!(check.outcome, Outcome::Passed, "{}\n{:?}", check.name, check.text());
    }
}

/// Tabs that turn when the mouse goes down; what can be done with a row stands in a menu.
const DOWN_AND_MENUS: &[(&str, &str, &str)] = &[
    ("assets/tabs.js", "onclick: () => select(at)", "onmousedown: () => select(at)"),
    (
        "assets/action.js",
        "  return button;",
        "  const onpointerdown = () => {
    button.setAttribute(\"role\", \"menuitem\");
    document.body.append(button);
    button.addEventListener(\"click\", () => button.remove());
  };
  return el(\"button\", { type: \"button\", class: \"small\", \"aria-label\": `${label} …`, onpointerdown }, \"…\");",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_with_a_row_may_stand_in_a_menu() {
    let words =
        [("button = \"Resolve\"\nmeanwhile", "menu = \"[aria-label^=Resolve]\"\nbutton = \"Resolve\"\nmeanwhile")];
    let checks = ["case_1_a_message_is_dealt_with"];
    let (results, _) = verified_by(DOWN_AND_MENUS, &words, "data", &checks).await;
    assert!(!results.is_empty());
    for check in results {
        assert_eq!(check.outcome, Outcome::Passed, "{}\n{:?}", check.name, check.text());
    }
}

/// Rows that open when the mouse goes down.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_may_open_when_the_mouse_goes_down() {
    let changes = [("assets/table.js", "onclick: () => open(row)", "onmousedown: () => open(row)")];
    let (results, _) = verified_with(&changes, "data", &["the_view_is_its_rows::case_04_members"]).await;
    let [check] = <[_; 1]>::try_from(results).unwrap();
    assert_eq!(check.outcome, Outcome::Passed, "{:?}", check.text());
}

/// A button whose effect is none of the page's.
#[rstest]
#[case::that_prints("() => print()", Outcome::Passed)]
#[case::that_does_nothing("() => {}", Outcome::Failed)]
#[tokio::test(flavor = "multi_thread")]
async fn what_a_button_does_outside_the_page_is_an_effect(#[case] does: &str, #[case] outcome: Outcome) {
    let button = format!("\"New Group\"), el(\"button\", {{ type: \"button\", onclick: {does} }}, \"Print\")");
    let changes = [("assets/views/groups.js", "\"New Group\")", button.as_str())];
    let words = [("  'button \"New Group\"',\n", "  'button \"New Group\"',\n  'button \"Print\"',\n")];
    let (results, _) = verified_by(&changes, &words, "data", &["the_controls_of_the_view_work::case_03_groups"]).await;
    let [check] = <[_; 1]>::try_from(results).unwrap();
    assert_eq!(check.outcome, outcome, "{:?}", check.text());
}

/// A view that lists files.
const LISTS_FILES: &[(&str, &str, &str)] = &[(
    "assets/views/dashboard.js",
    "host.replaceChildren(",
    "fetch(`${import.meta.env.VITE_SUPABASE_URL}/storage/v1/object/list/files`, { method: 'POST', headers: { apikey: import.meta.env.VITE_SUPABASE_ANON_KEY } });\n  host.replaceChildren(",
)];

/// What the embedded portal has not says nothing of a deployment.
#[tokio::test(flavor = "multi_thread")]
async fn a_view_of_a_service_that_is_not_here_is_undecided() {
    let (results, _) = verified_with(LISTS_FILES, "smoke", &["the_view_is_on_screen::case_2"]).await;
    let [check] = <[_; 1]>::try_from(results).unwrap();
    let text = check.text().unwrap_or_default();
    assert!(check.outcome == Outcome::Undecided && text.contains("501 EMBEDDED: not offered"), "{text}");
}

/// Fonts that another host serves, which no machine reaches.
const FONTS: &[(&str, &str, &str)] = &[(
    "index.html",
    "<link rel=\"manifest\"",
    "<link rel=\"stylesheet\" href=\"https://fonts.invalid/css2?family=Inter\">\n    <link rel=\"manifest\"",
)];

/// It is no defect of the portal, and no secret that got out.
#[rstest]
#[case::an_asset("smoke", "every_asset_of_the_document_answers")]
#[case::a_file_to_scan("security", "nothing_that_is_served_holds_a_secret")]
#[tokio::test(flavor = "multi_thread")]
async fn what_another_host_serves_may_be_out_of_reach(#[case] suite: &str, #[case] claim: &str) {
    let (results, _) = verified_with(FONTS, suite, &[claim]).await;
    let [check] = <[_; 1]>::try_from(results).unwrap();
    assert_eq!(check.outcome, Outcome::Passed, "{:?}", check.text());
}

/// Whoever signs in there has a session, wherever it is kept.
#[rstest]
#[case::in_session_storage(FOR_A_TAB)]
#[case::under_a_key_of_its_own(UNDER_ITS_OWN_KEY)]
#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_found_where_an_app_keeps_it(#[case] changes: &[(&str, &str, &str)]) {
    let (results, _) =
        verified_with(changes, "authentication", &["a_persona_signs_in_and_the_password_goes_nowhere_else"]).await;
    assert!(results.len() > 3, "{} checks", results.len());
    for check in results {
        assert_eq!(check.outcome, Outcome::Passed, "{}\n{:?}", check.name, check.text());
    }
}

/// A session that is stored is none to it. Where nothing can be stored people sign in by the form, in each check, and the run
/// says so once.
#[rstest]
#[case::in_session_storage(FOR_A_TAB, 1)]
#[case::under_a_key_of_its_own(UNDER_ITS_OWN_KEY, 0)]
#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_keeps_its_session_elsewhere_is_looked_at_signed_in(
    #[case] changes: &[(&str, &str, &str)],
    #[case] by_the_form: usize,
) {
    let (results, said) = verified_with(changes, "smoke", &["signed_in::the_view_is_on_screen"]).await;
    assert!(results.len() >= 8, "{} checks", results.len());
    for check in results {
        assert_eq!(check.outcome, Outcome::Passed, "{}\n{:?}", check.name, check.text());
    }
    assert_eq!(said.matches("people sign in by the form").count(), by_the_form, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_an_object_of_the_console_stands_in_the_failure() {
    let (results, _) = verified_with(REPORTS_AN_OBJECT, "smoke", &["the_view_is_on_screen::case_2"]).await;
    let [check] = <[_; 1]>::try_from(results).unwrap();
    let text = check.text().unwrap_or_default().to_owned();
    assert!(text.contains(r#""no dashboard" {"code":"42501","message":"permission denied","hint":null}"#), "{text}");
}
