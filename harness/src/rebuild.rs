//! The release commit, built from a clean clone: without what only lies about in a working copy, and without what only the
//! builder's machine has set.

use std::{env, ffi::OsString, path::Path, time::Duration};

use owned_process::{Launch, OwnedProcess, ScratchDir, Stop};

use crate::{
    checkout::Checkout,
    contract::Rebuild,
    failure::{Failure, Verdict},
    limits,
};

/// How a folder is built, by the first of these files that it has.
const COMMANDS: [(&str, &str); 8] = [
    ("bun.lock", "bun install --frozen-lockfile && bun run build"),
    ("bun.lockb", "bun install --frozen-lockfile && bun run build"),
    ("pnpm-lock.yaml", "pnpm install --frozen-lockfile && pnpm run build"),
    ("yarn.lock", "yarn install --frozen-lockfile && yarn run build"),
    ("package-lock.json", "npm ci && npm run build"),
    ("npm-shrinkwrap.json", "npm ci && npm run build"),
    ("build.sh", "sh build.sh"),
    ("package.json", "npm install && npm run build"),
];

/// Beginnings of the names of variables that a build may see: who and where it is, how it reaches a registry, and what
/// bundlers publish.
const SEEN_BY_A_BUILD: [&str; 27] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_",
    "TMPDIR",
    "TZ",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_",
    "NPM_CONFIG_",
    "npm_config_",
    "NVM_",
    "COREPACK_",
    "VITE_",
    "NEXT_PUBLIC_",
    "NUXT_PUBLIC_",
    "REACT_APP_",
    "PUBLIC_",
    "CF_PAGES",
];

/// What package managers say when they did not reach their registry.
const UNREACHED: [&str; 7] =
    ["ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "ECONNRESET", "ECONNREFUSED", "ERR_SOCKET_TIMEOUT", "ENETUNREACH"];

/// The exit code of a shell that did not find a program.
const NOT_FOUND: &str = "127";

/// Last lines of a build's output in a failure.
const SAID: usize = 10;

const CLAIM: &str = "the release commit builds from a clean clone";

const ENDED: &str = "release-check: the build ended with ";

/// What a build left; it goes with this.
#[derive(Debug)]
pub(crate) struct Built {
    process: OwnedProcess,
    output: String,
}

impl Built {
    /// Its output's folder.
    pub fn folder(&self) -> std::path::PathBuf {
        self.process.scratch().path().join("clone").join(&self.output)
    }
}

/// Builds `commit` in a clone of its own, with the variables that the front end bakes in; blocks until it has ended.
///
/// # Errors
/// Failed where it does not build; not run where there is no program for it; undecided where it takes too long, or a registry
/// is out of reach.
pub(crate) fn build(
    checkout: &Checkout,
    commit: &str,
    rebuild: &Rebuild,
    baked: Vec<(OsString, OsString)>,
) -> Verdict<Built> {
    let lost = |error: String| Failure::not_run(CLAIM).expected("a folder to build in").seen(error);
    let scratch = ScratchDir::new("rebuild-").map_err(|error| lost(error.to_string()))?;
    let clone = scratch.path().join("clone");
    checkout.clone_at(commit, &clone)?;
    let place = rebuild.folder.as_deref().unwrap_or_default();
    let command = command(rebuild, &clone.join(place))?;
    let launch = Launch {
        program: "env".into(),
        args: arguments(&command, &clone.join(place)),
        env: baked.into_iter().chain([("CI".into(), "true".into()), ("NO_COLOR".into(), "1".into())]).collect(),
        user: None,
        stop: Stop::Kill,
        patience: Duration::from_secs(3),
    };
    let process = OwnedProcess::spawn(launch, scratch).map_err(|error| lost(error.to_string()))?;
    let ended = process.wait_for_line(limits::BUILD, |line| line.strip_prefix(ENDED).map(str::to_owned));
    let said = said(&process);
    let expected = format!("{command} succeeds in a clean clone of {}", &commit[..commit.len().min(12)]);
    let failure = |failure: Failure, seen: String| {
        Err(failure.expected(&expected).seen(seen).at(checkout.folder().display().to_string()))
    };
    match ended {
        Ok(code) if code == "0" => {
            Ok(Built { process, output: Path::new(place).join(&rebuild.output).display().to_string() })
        }
        Ok(code) if code == NOT_FOUND && !said.contains("node_modules") => {
            let failed = Failure::not_run(CLAIM)
                .advice("install what it is built with, or say the command in [rebuild] of the contract");
            failure(failed, said)
        }
        Ok(_) if UNREACHED.iter().any(|word| said.contains(word)) => {
            let failed =
                Failure::undecided(CLAIM).advice("let this machine reach the registry, and run the check again");
            failure(failed, said)
        }
        Ok(code) => {
            let failed = Failure::failed(CLAIM).advice(
                "git clone it into an empty folder and build it there: what it lacks was never committed, or is installed or set \
                 on one machine alone",
            );
            failure(failed, format!("exit code {code}\n{said}"))
        }
        Err(error) => {
            let failed = Failure::undecided(CLAIM).advice("run it by hand, and look at what it waits for");
            let what = match error {
                owned_process::Error::NotReady { waited, .. } => format!("not ended after {} s", waited.as_secs()),
                error => error.to_string(),
            };
            failure(failed, format!("{what}\n{said}"))
        }
    }
}

/// How it is built: as the contract says, or by what stands in the folder.
fn command(rebuild: &Rebuild, folder: &Path) -> Verdict<String> {
    if let Some(command) = &rebuild.command {
        return Ok(command.clone());
    }
    let found = COMMANDS.iter().find(|(file, _)| folder.join(file).is_file());
    found.map(|(_, command)| (*command).to_owned()).ok_or_else(|| {
        Failure::undecided(CLAIM)
            .expected("a package.json, or command in [rebuild] of the contract")
            .seen("neither")
            .at(rebuild.folder.clone().unwrap_or_else(|| "the root of the repository".to_owned()))
            .advice("name the folder of the front end as folder of [rebuild]")
    })
}

/// Arguments of `env`: a shell with the command, in the folder, without this process's own variables.
fn arguments(command: &str, folder: &Path) -> Vec<OsString> {
    let hidden = env::vars_os().map(|(name, _)| name).filter(|name| {
        let name = name.to_string_lossy();
        !SEEN_BY_A_BUILD.iter().any(|seen| name.starts_with(seen))
    });
    let mut arguments: Vec<OsString> = hidden.flat_map(|name| ["-u".into(), name]).collect();
    let script = format!("cd \"$1\" && ({command}) </dev/null\nprintf '\\n%s%s\\n' \"{ENDED}\" \"$?\"\n");
    arguments.extend(["sh".into(), "-c".into(), script.into(), "sh".into(), folder.into()]);
    arguments
}

/// The last lines of a build.
fn said(process: &OwnedProcess) -> String {
    let place = process.scratch().path().display().to_string();
    let tail = process.tail().replace(&place, "");
    let lines: Vec<_> =
        tail.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(ENDED)).collect();
    lines[lines.len().saturating_sub(SAID)..].join("\n")
}

#[cfg(test)]
mod tests {
    use std::{fs, process::Command};

    use rstest::rstest;

    use super::*;
    use crate::outcome::Outcome;

    fn rebuild(command: &str) -> Rebuild {
        Rebuild {
            folder: Some("web".to_owned()),
            command: Some(command.to_owned()),
            output: "out".to_owned(),
            may_differ: Vec::new(),
        }
    }

    /// A repository with what is committed, and a file that is not.
    fn repository() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("web")).unwrap();
        fs::write(folder.path().join("web/committed"), "1").unwrap();
        let git = |arguments: &[&str]| {
            let mut git = Command::new("git");
            git.arg("-C").arg(folder.path()).args(["-c", "user.name=ada", "-c", "user.email=ada@example.org"]);
            assert!(git.args(arguments).output().unwrap().status.success(), "{arguments:?}");
        };
        git(&["init", "--quiet"]);
        git(&["add", "--all"]);
        git(&["commit", "--quiet", "--message", "first"]);
        fs::write(folder.path().join("web/uncommitted"), "1").unwrap();
        folder
    }

    #[rstest]
    #[case::what_was_never_committed("cat uncommitted", Outcome::Failed, "uncommitted")]
    #[case::no_such_program("no-such-program", Outcome::NotRun, "no-such-program")]
    #[case::no_registry("echo npm error code ENOTFOUND; exit 1", Outcome::Undecided, "ENOTFOUND")]
    #[case::a_program_of_the_project("echo sh: node_modules/.bin/tsc: not found; exit 127", Outcome::Failed, "tsc")]
    fn a_commit_that_does_not_build_is_seen(#[case] command: &str, #[case] outcome: Outcome, #[case] said: &str) {
        let folder = repository();
        let checkout = Checkout::at(folder.path()).unwrap();
        let commit = checkout.head().unwrap().hash;
        let failure = build(&checkout, &commit, &rebuild(command), Vec::new()).unwrap_err();
        assert_eq!(failure.outcome(), outcome, "{failure}");
        assert!(failure.get("seen").unwrap().contains(said), "{failure}");
    }

    #[test]
    fn a_build_sees_what_is_committed_and_what_is_baked_in_and_no_variable_of_ours() {
        let folder = repository();
        let checkout = Checkout::at(folder.path()).unwrap();
        let commit = checkout.head().unwrap().hash;
        // Cargo sets this one, for the tests.
        assert!(env::var_os("CARGO_MANIFEST_DIR").is_some());
        let command = "mkdir out && cat committed && printf '%s' \"$VITE_SUPABASE_URL $CARGO_MANIFEST_DIR\" > out/seen";
        let baked = vec![("VITE_SUPABASE_URL".into(), "https://one.example".into())];
        let built = build(&checkout, &commit, &rebuild(command), baked).unwrap();
        assert_eq!(fs::read_to_string(built.folder().join("seen")).unwrap(), "https://one.example ");
    }

    #[test]
    fn a_lockfile_says_how_it_is_built() {
        let folder = tempfile::tempdir().unwrap();
        let found = || command(&Rebuild { command: None, ..rebuild("") }, folder.path());
        assert_eq!(found().unwrap_err().outcome(), Outcome::Undecided);
        fs::write(folder.path().join("package.json"), "{}").unwrap();
        assert_eq!(found().unwrap(), "npm install && npm run build");
        fs::write(folder.path().join("pnpm-lock.yaml"), "").unwrap();
        assert_eq!(found().unwrap(), "pnpm install --frozen-lockfile && pnpm run build");
    }
}
