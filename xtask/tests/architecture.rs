//! The allowed arrows between crates, and between the modules of each: what is not in these tables is not allowed, and
//! none of them has a circle. ARCHITECTURE.md says why; a new arrow is a decision, and is made here.

#![expect(clippy::unwrap_used, reason = "a test panics where it cannot go on")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use regex::Regex;
use toml::Table;

/// Which module uses which.
type Allowed = &'static [(&'static str, &'static str)];

/// Crates of the workspace by their folders. Every suite may use what `suites/smoke` may.
const CRATES: Allowed = &[
    ("fixtures/portal", "hosted-project owned-process"),
    ("harness", "held-texts owned-process portal rls-probe"),
    ("harness/contract-cases", ""),
    ("harness/held-texts", ""),
    ("harness/hosted-project", ""),
    ("harness/owned-process", ""),
    ("harness/release-check", "harness held-texts portal"),
    ("harness/rls-probe", "held-texts hosted-project owned-process portal"),
    ("suites/smoke", "contract-cases harness support"),
    ("suites/support", "harness"),
    ("xtask", "harness held-texts hosted-project portal release-check rls-probe"),
];

const HARNESS: Allowed = &[
    ("bounded", "limits"),
    (
        "browser",
        "bounded client contract deployment failure limits network obstacle redaction runbook seen site stopwatch",
    ),
    (
        "check",
        "browser client clock contract deployment ending evidence failure limits outcome panics privacy redaction run runbook section seen volume",
    ),
    ("checkout", "failure"),
    ("client", "bounded failure limits network obstacle permission redaction"),
    ("contract", "corpus failure runbook section"),
    (
        "deployment",
        "bounded checkout client contract ending failure limits network obstacle permission rebuild redaction rehearsal restore runbook section seen site target workspace",
    ),
    ("evidence", "failure outcome run runbook target"),
    ("failure", "clock outcome privacy redaction runbook stopwatch"),
    ("figures", "browser client contract failure"),
    ("mirror", "client deployment failure"),
    ("obstacle", "failure"),
    ("panics", "failure redaction"),
    ("privacy", "target"),
    ("rebuild", "checkout contract failure limits"),
    ("rehearsal", "failure"),
    ("restore", "failure rehearsal"),
    ("run", "contract deployment failure outcome privacy runbook section seen target workspace"),
    ("runbook", "section target workspace"),
    ("site", "bounded client failure limits obstacle"),
    ("soaked", "deployment failure run target"),
    ("views", "browser client contract failure figures"),
    ("volume", "client contract deployment failure network restore views"),
    ("workload", "client deployment failure run target"),
];

const RLS_PROBE: Allowed = &[
    ("actor", "sql"),
    ("arguments", "actor catalog names sql world"),
    ("asked", "catalog names sql"),
    ("baseline", "finding"),
    ("catalog", "desk error sql"),
    ("command", "baseline compare error finding harm infer mend output project report rule tenancy"),
    ("compare", "harm record report"),
    ("constraint", "catalog sql"),
    ("desk", "actor error refused sql"),
    ("draft", "catalog names refused sql"),
    ("error", "refused"),
    ("finding", "catalog fix harm record rule"),
    ("fix", "catalog draft names record sql tenancy"),
    ("granted", "catalog draft names sql tenancy"),
    ("guard", "catalog desk error fix names sql world"),
    ("harm", "actor"),
    ("infer", "catalog draft granted names sql tenancy"),
    ("lint", "catalog names sql"),
    ("mend", "actor constraint desk error finding fix guard probe record sql world"),
    ("names", "sql"),
    ("output", "finding harm record report rule"),
    ("probe", "actor arguments catalog desk draft error harm names record refused sql tenancy tie world"),
    ("project", "error"),
    ("proof", "desk error"),
    ("record", "actor harm"),
    ("report", "baseline finding lint mend proof record tenancy world"),
    ("rule", "record"),
    ("shown", "actor desk error finding record report world"),
    ("tenancy", "names"),
    ("tie", "catalog names sql tenancy"),
    ("world", "actor catalog desk draft error names refused sql tenancy tie"),
];

const RELEASE_CHECK: Allowed = &[
    ("accounts", "terminal"),
    ("contract", "setup terminal"),
    ("exit", "terminal"),
    ("github", "terminal"),
    ("history", "table terminal"),
    ("runbook", "suites table terminal"),
    ("setup", "table terminal"),
    ("signoff", "ago evidence github history setup suites terminal"),
    ("sms", "setup table terminal"),
    ("soak", "setup table terminal"),
    ("suites", "archive cargo nearest"),
    ("verify", "ago evidence github history nearest package setup signoff suites table terminal"),
    ("watch", "setup suites table terminal"),
];

const PORTAL: Allowed = &[
    ("accounts", "error sources"),
    ("alias", "error server"),
    ("auth", "accounts keys runtime"),
    (
        "builder",
        "accounts alias api auth config error fault functions gateway keys pages platform portal postgres project requests rest runtime server sources",
    ),
    ("config", "error sources"),
    ("error", "failed"),
    ("fault", "api auth error functions keys pages project"),
    ("functions", "config error keys project runtime sources"),
    ("gateway", "keys"),
    ("pages", "error sources"),
    ("plans", "postgres project rest"),
    ("platform", "error keys pages project requests runtime sources"),
    ("portal", "accounts alias error keys pages platform postgres project requests server"),
    ("postgres", "accounts auth config error failed project runtime sources"),
    ("rest", "keys"),
    ("server", "error requests"),
    ("sources", "error"),
    ("stand_in", "alias api auth error gateway keys postgres project requests rest server"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The code of each module of a crate, its folder included, without comments and unit tests.
fn modules(source: &Path) -> BTreeMap<String, String> {
    let comment = Regex::new(r"(?m)//.*$").unwrap();
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    let mut folders = vec![(source.to_owned(), None::<String>)];
    while let Some((folder, module)) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let is_test = name == "tests" || name.ends_with("_tests");
            let module = module.clone().unwrap_or_else(|| name.clone());
            if is_test || ["lib", "main"].contains(&module.as_str()) {
                continue;
            }
            if path.is_dir() {
                folders.push((path, Some(module)));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                *texts.entry(module).or_default() += &comment.replace_all(code, "");
            }
        }
    }
    texts
}

/// The modules that each module names.
fn arrows(source: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let texts = modules(source);
    let path = Regex::new(r"\bcrate::([a-z_]+)").unwrap();
    let block = Regex::new(r"(?s)\bcrate::\{(.*?)\};").unwrap();
    let names: BTreeSet<_> = texts.keys().cloned().collect();
    let named = |module: &String, text: &String| -> BTreeSet<String> {
        let paths = path.captures_iter(text).map(|found| found[1].to_owned());
        let blocks = block.captures_iter(text).flat_map(|found| heads(&found[1]));
        paths.chain(blocks).filter(|name| name != module && names.contains(name)).collect()
    };
    texts.iter().map(|(module, text)| (module.clone(), named(module, text))).collect()
}

/// The first words of a block's entries: `a::{b, c}, d` has `a` and `d`.
fn heads(block: &str) -> Vec<String> {
    let (mut depth, mut entries) = (0, vec![String::new()]);
    for letter in block.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => entries.push(String::new()),
            letter if depth == 0 => entries.last_mut().unwrap().push(letter),
            _ => {}
        }
    }
    entries.iter().map(|entry| entry.trim().split("::").next().unwrap_or_default().to_owned()).collect()
}

fn table(allowed: Allowed) -> BTreeMap<String, BTreeSet<String>> {
    allowed.iter().map(|(from, to)| ((*from).to_owned(), to.split_whitespace().map(str::to_owned).collect())).collect()
}

/// An arrow that the table lacks, one that nobody needs any more, or a circle.
fn compare(whose: &str, seen: BTreeMap<String, BTreeSet<String>>, allowed: Allowed) {
    let pairs = |arrows: BTreeMap<String, BTreeSet<String>>| -> BTreeSet<(String, String)> {
        arrows.into_iter().flat_map(|(from, to)| to.into_iter().map(move |to| (from.clone(), to))).collect()
    };
    let (seen, allowed) = (pairs(seen), pairs(table(allowed)));
    let shown =
        |arrows: Vec<&(String, String)>| arrows.iter().map(|(from, to)| format!("{from} -> {to}")).collect::<Vec<_>>();
    assert_eq!(shown(seen.difference(&allowed).collect()), [""; 0], "{whose}: not allowed");
    assert_eq!(shown(allowed.difference(&seen).collect()), [""; 0], "{whose}: allowed, and not used");
    let mut rest: BTreeSet<_> = allowed;
    loop {
        let from: BTreeSet<_> = rest.iter().map(|(from, _)| from.clone()).collect();
        let before = rest.len();
        rest.retain(|(_, to)| from.contains(to));
        if rest.len() == before {
            break;
        }
    }
    assert_eq!(shown(rest.iter().collect()), [""; 0], "{whose}: in a circle");
}

#[test]
fn modules_use_only_what_they_may() {
    for (folder, allowed) in [
        ("harness/src", HARNESS),
        ("harness/rls-probe/src", RLS_PROBE),
        ("harness/release-check/src", RELEASE_CHECK),
        ("fixtures/portal/src", PORTAL),
    ] {
        compare(folder, arrows(&root().join(folder)), allowed);
    }
}

#[test]
fn crates_use_only_what_they_may() {
    let allowed = table(CRATES);
    let workspace: Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let own = workspace["workspace"]["dependencies"].as_table().unwrap().iter();
    let own: BTreeSet<_> = own.filter(|(_, value)| value.get("path").is_some()).map(|(name, _)| name.clone()).collect();
    let mut folders: Vec<_> = allowed.keys().filter(|folder| !folder.starts_with("suites/")).cloned().collect();
    let suites = fs::read_dir(root().join("suites")).unwrap().map(|entry| entry.unwrap().file_name());
    folders.extend(suites.map(|suite| format!("suites/{}", suite.to_string_lossy())));
    for folder in folders {
        let Ok(text) = fs::read_to_string(root().join(&folder).join("Cargo.toml")) else { continue };
        let manifest: Table = text.parse().unwrap();
        let sections = ["dependencies", "dev-dependencies", "build-dependencies"];
        let used = sections.iter().filter_map(|section| manifest.get(*section)?.as_table()).flat_map(Table::keys);
        let used: BTreeSet<_> = used.filter(|name| own.contains(*name)).cloned().collect();
        let may = allowed.get(&folder).unwrap_or(&allowed["suites/smoke"]);
        assert!(used.is_subset(may), "{folder} may use {may:?}, and uses {used:?}");
    }
}

/// A client of its own does not find the address that a team's build has baked in, which the embedded portal serves.
#[test]
fn suites_find_hosts_by_the_harness() {
    let suites = fs::read_dir(root().join("suites")).unwrap().map(|entry| entry.unwrap().path());
    let folders = suites.flat_map(|suite| [suite.join("tests"), suite.join("src")]).filter(|folder| folder.is_dir());
    let within = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, mut files): (Vec<_>, Vec<_>) = folders.flat_map(within).partition(|path| path.is_dir());
    files.extend(folders.into_iter().flat_map(within));
    assert!(files.len() > 50, "{} files", files.len());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        assert!(
            !text.contains("reqwest::Client") && !text.contains("reqwest::get"),
            "harness::http() in {}",
            file.display()
        );
    }
}

/// Crates with their versions and features, as a command that names this package builds them.
fn built(package: &[&str]) -> BTreeSet<String> {
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--locked", "--edges", "no-build,no-proc-macro", "--prefix", "none", "--format", "{p} [{f}]"]);
    let output = tree.args(package).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).filter(|line| !line.is_empty()).collect()
}

/// A package that asks for fewer features than the others has all that it stands on compiled once more: the features are
/// to be added in the root's `Cargo.toml`, and to the list at the end of the harness's.
#[test]
fn every_command_builds_the_same_crates() {
    let all = built(&["--workspace"]);
    let suites = fs::read_dir(root().join("suites")).unwrap().map(|entry| entry.unwrap().file_name());
    let names = suites.map(|name| name.into_string().unwrap()).chain(["release-check", "xtask"].map(str::to_owned));
    for name in names {
        let own = built(&["--package", &name]);
        assert!(own.len() > 100, "{name} is built of {} crates", own.len());
        assert_eq!(own.difference(&all).collect::<Vec<_>>(), Vec::<&String>::new(), "only {name} is built of these");
    }
}
