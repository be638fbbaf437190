//! What the suites need from the machine: a browser of the Chromium family, its driver, PostgreSQL 15 or newer.
//!
//! On Debian and Ubuntu, with root or sudo, packages are installed; elsewhere the text says what to install. What is
//! there already is used as it is.

use std::{
    env,
    ffi::OsStr,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

pub use harness::workspace_root as root;
use harness::{Missing, Target, missing_variables, settings_file, tools::Tool};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::{
    Error, Exit, Usage,
    table::table,
    terminal::{print, say},
};

/// Debian's wrapper makes a system cluster when it installs a server, unless this says no.
const CLUSTER_CONFIGURATION: &str = "/etc/postgresql-common/createcluster.conf";

/// Something that the machine has to have.
struct Need {
    name: &'static str,
    /// Where it is, or the text that says that it is not.
    found: Result<String, String>,
    /// What installs it on Debian; more than one are tried from the first.
    packages: fn() -> Vec<String>,
}

/// A remote deployment has its database with it.
fn needs(target: Target) -> Vec<Need> {
    let tool = |tool: Tool| match env::var("WEBDRIVER_URL") {
        Ok(url) if !url.is_empty() => Ok(format!("{url} (WEBDRIVER_URL)")),
        _ => tool.locate().map(|path| path.display().to_string()).map_err(|missing| missing.to_string()),
    };
    let postgres = match env::var("DATABASE_URL") {
        Ok(url) if !url.is_empty() => Ok("the server of DATABASE_URL".to_owned()),
        _ => portal::postgres::locate()
            .map(|found| format!("{} ({})", found.bin.display(), found.version))
            .map_err(|error| error.to_string()),
    };
    let mut needs = vec![
        Need {
            name: "browser",
            found: tool(Tool::Browser),
            packages: || vec!["chromium-headless-shell".to_owned(), "chromium".to_owned()],
        },
        Need { name: "chromedriver", found: tool(Tool::Driver), packages: || vec!["chromium-driver".to_owned()] },
    ];
    if target == Target::Embedded {
        needs.push(Need { name: "PostgreSQL", found: postgres, packages: postgres_packages });
    }
    needs
}

/// Reports and changes nothing; passed when nothing is missing: of the machine, and of the target's variables.
///
/// # Errors
/// When the target's settings or contract cannot be read.
pub fn doctor(target: Option<Target>, as_json: bool) -> Result<Exit, Error> {
    let needs = needs(target.unwrap_or(Target::Embedded));
    let missing = target.map_or_else(|| Ok(Vec::new()), missing_variables)?;
    let exit = Exit::of(missing.is_empty() && needs.iter().all(|need| need.found.is_ok()));
    if as_json {
        let line = |need: &Need| {
            let (found, missing) = (need.found.as_ref().ok(), need.found.as_ref().err());
            json!({ "needed": need.name, "found": found, "missing": missing })
        };
        let needs: Vec<_> = needs.iter().map(line).collect();
        let variables: Vec<_> =
            missing.iter().map(|one| json!({ "variables": one.variables, "steps": one.steps })).collect();
        print(&json!({ "schema": 1, "needs": needs, "variables_missing": variables }).to_string());
        return Ok(exit);
    }
    let mut table = table(&["", "needed", "found"]);
    for need in &needs {
        let (mark, found) = match &need.found {
            Ok(found) => ("✓", found),
            Err(missing) => ("✗", missing),
        };
        table.add_row([mark, need.name, found.as_str()]);
    }
    print(&table.to_string());
    let Some(target) = target else { return Ok(exit) };
    if missing.is_empty() {
        print(&format!("{target} has every variable that its steps need"));
        return Ok(exit);
    }
    let mut table = crate::table::table(&["missing", "for the steps"]);
    for Missing { variables, steps } in &missing {
        let steps = if steps.is_empty() { "all of them".to_owned() } else { steps.join(" ") };
        table.add_row([variables.join("\n"), steps]);
    }
    print(&table.to_string());
    let first = missing.first().and_then(|one| one.variables.first()).map_or("E2E_BASE_URL", String::as_str);
    print(&format!(
        "write them into {target}.env as NAME=value, or into [{target}] of harness.toml as {first} = \"…\"; \
         an embedded portal writes its own with --env-file {target}.env"
    ));
    Ok(exit)
}

/// Installs what is missing; says nothing when nothing is.
///
/// # Errors
/// What is missing and cannot be installed here, with what to install by hand.
pub fn ensure() -> Result<(), Error> {
    ensure_for(Target::Embedded)
}

/// The same for verifying one target.
///
/// # Errors
/// As [`ensure`].
pub fn ensure_for(target: Target) -> Result<(), Error> {
    // A path that somebody named and that leads nowhere is theirs to correct: a package would not change it.
    for variable in ["CHROME_BIN", "CHROMEDRIVER_BIN", "PG_BIN_DIR"] {
        if let Some(path) = env::var_os(variable).filter(|path| !path.is_empty() && !Path::new(path).exists()) {
            let text = format!("{variable} names {}, which is not there\ncorrect or unset {variable}", path.display());
            return Err(Usage::error(text));
        }
    }
    let missing: Vec<_> = needs(target).into_iter().filter(|need| need.found.is_err()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.iter().map(|need| need.name).collect::<Vec<_>>().join(", ");
    let Some(apt) = Apt::of_this_machine() else {
        return Err(format!("missing: {names}\n{}", by_hand()).into());
    };
    say(&format!("missing: {names}"));
    apt.update()?;
    let packages = missing.iter().map(|need| apt.available((need.packages)()).ok_or_else(by_hand));
    apt.install(&packages.collect::<Result<Vec<_>, _>>()?)?;
    match needs(target).into_iter().find_map(|need| need.found.err()) {
        None => Ok(()),
        Some(still) => Err(format!("installed, and yet: {still}").into()),
    }
}

/// The file of settings holds secrets: whoever commits all that is there would commit them.
pub fn warn_of_settings_that_git_would_take() {
    let file = settings_file();
    let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else { return };
    let git = |arguments: &[&OsStr]| {
        let mut command = Command::new("git");
        command.arg("-C").arg(folder).args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let is_in_a_repository = || git(&["rev-parse".as_ref(), "--git-dir".as_ref()]);
    if file.exists() && is_in_a_repository() && !git(&["check-ignore".as_ref(), "--quiet".as_ref(), name]) {
        let name = name.display();
        say(&format!("warning: {name} holds secrets, and git does not ignore it; add /{name} to .gitignore"));
    }
}

fn by_hand() -> String {
    "install them yourself, for example\n  \
     macOS:   brew install postgresql@17 && brew install --cask chromium chromedriver\n  \
     Debian:  sudo apt-get install chromium-headless-shell chromium-driver postgresql\n  \
     Fedora:  sudo dnf install chromium chromium-headless chromedriver postgresql-server\n\
     or point CHROME_BIN, CHROMEDRIVER_BIN and PG_BIN_DIR at what you have (any Chrome with the chromedriver of its version)"
        .to_owned()
}

/// The server packages that there are, newest first, 15 or newer.
fn postgres_packages() -> Vec<String> {
    let listed = Command::new("apt-cache").args(["search", "--names-only", "^postgresql-[0-9]+$"]).output();
    let listed = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let version = |line: &str| line.split(' ').next()?.strip_prefix("postgresql-")?.parse::<u32>().ok();
    let mut versions: Vec<u32> = listed.lines().filter_map(version).filter(|version| *version >= 15).collect();
    versions.sort_unstable_by(|one, other| other.cmp(one));
    versions.into_iter().map(|version| format!("postgresql-{version}")).collect()
}

/// Debian's package installer, with the rights that it needs.
struct Apt {
    sudo: bool,
}

impl Apt {
    fn of_this_machine() -> Option<Self> {
        let succeeds = |program: &str, arguments: &[&str]| {
            Command::new(program)
                .args(arguments)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        };
        let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0");
        let usable = succeeds("apt-get", &["--version"]) && (root || succeeds("sudo", &["-n", "true"]));
        usable.then_some(Self { sudo: !root })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = if self.sudo {
            let mut command = Command::new("sudo");
            command.args(["-n", "DEBIAN_FRONTEND=noninteractive", program]);
            command
        } else {
            Command::new(program)
        };
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    }

    fn update(&self) -> Result<(), Error> {
        self.follow(self.command("apt-get").arg("update"), "apt-get update")
    }

    /// The first of `packages` that the machine's sources have.
    fn available(&self, packages: Vec<String>) -> Option<String> {
        packages.into_iter().find(|package| {
            let policy = Command::new("apt-cache").args(["policy", package]).output();
            policy.is_ok_and(|policy| {
                String::from_utf8_lossy(&policy.stdout)
                    .lines()
                    .any(|line| line.trim().strip_prefix("Candidate: ").is_some_and(|candidate| candidate != "(none)"))
            })
        })
    }

    fn install(&self, packages: &[String]) -> Result<(), Error> {
        say(&format!("installing with apt-get: {}", packages.join(", ")));
        if packages.iter().any(|package| package.starts_with("postgresql")) {
            self.refuse_system_cluster()?;
        }
        let mut command = self.command("apt-get");
        // The configuration written above is kept without a question.
        command
            .args(["install", "--yes", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold"])
            .args(packages);
        self.follow(&mut command, "apt-get install")
    }

    /// The suites start servers of their own: a system cluster would be one more service that nobody asked for.
    fn refuse_system_cluster(&self) -> Result<(), Error> {
        let path = Path::new(CLUSTER_CONFIGURATION);
        if path.exists() {
            return Ok(());
        }
        let script = format!(
            "mkdir -p {} && echo 'create_main_cluster = false' > {CLUSTER_CONFIGURATION}",
            "/etc/postgresql-common"
        );
        let status = self.command("sh").args(["-c", &script]).status()?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("{CLUSTER_CONFIGURATION} cannot be written: {status}").into())
        }
    }

    /// Runs a command with one line of progress; its output is shown when it fails.
    fn follow(&self, command: &mut Command, name: &str) -> Result<(), Error> {
        let bar = ProgressBar::new_spinner().with_message(name.to_owned());
        bar.set_style(ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}")?);
        bar.enable_steady_tick(Duration::from_millis(120));
        let log = tempfile::tempfile()?;
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log.try_clone()?).spawn()?;
        let mut said = String::new();
        for line in child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
            bar.set_message(format!("{name}: {line}"));
            said = format!("{said}{line}\n");
        }
        let status = child.wait()?;
        bar.finish_and_clear();
        if status.success() {
            return Ok(());
        }
        let errors = std::io::read_to_string({
            let mut log = log;
            std::io::Seek::rewind(&mut log)?;
            log
        })?;
        let tail: Vec<_> = said.lines().chain(errors.lines()).rev().take(12).map(str::to_owned).collect();
        let tail = tail.into_iter().rev().collect::<Vec<_>>().join("\n  ");
        Err(format!("{name} failed ({status}):\n  {tail}\n{}", by_hand()).into())
    }
}
