//! The Supabase CLI's stack on this machine, as `supabase status -o json` reports it: by its Docker containers (an object
//! with names such as `API_URL`), or by its native stack (`api_url`, and `running`).

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use owned_process::{Launch, OwnedProcess, ScratchDir, Stop};
use serde_json::{Map, Value};
use url::Url;

use crate::limits;

/// Names of settings, and what the CLI calls them, the one that is taken first: versions before 2.50 have no publishable
/// keys, and projects without legacy keys have no others.
const NAMES: [(&str, &[&str]); 4] = [
    ("VITE_SUPABASE_URL", &["API_URL"]),
    ("VITE_SUPABASE_ANON_KEY", &["ANON_KEY", "PUBLISHABLE_KEY"]),
    ("SUPABASE_SERVICE_ROLE_KEY", &["SERVICE_ROLE_KEY", "SECRET_KEY"]),
    ("SUPABASE_DB_URL", &["DB_URL"]),
];

/// Without these no check can be made.
const NEEDED: [&str; 2] = ["VITE_SUPABASE_URL", "VITE_SUPABASE_ANON_KEY"];

/// Settings by their names.
pub(super) type Reported = BTreeMap<&'static str, String>;

/// Why the stack's URLs and keys are not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// There is no such program.
    #[error(
        "the target local is the Supabase CLI's stack, and there is no command supabase in PATH or in {}\ninstall it \
         (npm install --save-dev supabase) and run supabase start, or set VITE_SUPABASE_URL and VITE_SUPABASE_ANON_KEY",
        folder.join("node_modules/.bin").display()
    )]
    NoCli {
        /// Where the project is.
        folder: PathBuf,
    },
    /// The program cannot be run, or does not end.
    #[error("supabase status cannot be run in {}: {why}\nrun it there by hand; RELEASE_SOURCE names another folder", folder.display())]
    NotRun {
        /// Where the project is.
        folder: PathBuf,
        /// Why.
        why: String,
    },
    /// Containers have nothing to run in.
    #[error("the Supabase CLI finds no Docker to ask: {said}\nstart Docker or Podman, then run supabase start in {}", folder.display())]
    NoDocker {
        /// Where the project is.
        folder: PathBuf,
        /// The CLI's own words.
        said: String,
    },
    /// Nothing was started, or has stopped.
    #[error("the Supabase stack of {} is not running: {said}\nrun supabase start there; RELEASE_SOURCE names another folder", folder.display())]
    NotRunning {
        /// Where the project is.
        folder: PathBuf,
        /// The CLI's own words.
        said: String,
    },
    /// The database is there, and what is asked for is left out.
    #[error("the Supabase stack of {} runs without {missing}\nrun supabase stop and supabase start there without --exclude, with [api] and [auth] enabled in supabase/config.toml", folder.display())]
    Lacks {
        /// Where the project is.
        folder: PathBuf,
        /// Names of the CLI.
        missing: String,
    },
    /// Anything else that the CLI complains of.
    #[error("supabase status ended with exit code {code} in {}: {said}\ncorrect what it says, then run supabase start there", folder.display())]
    Failed {
        /// Where the project is.
        folder: PathBuf,
        /// Its exit code.
        code: i32,
        /// The CLI's own words.
        said: String,
    },
    /// An answer in another form.
    #[error("supabase status -o json printed no URLs and keys in {}: {said}\nuse a version that has -o json (supabase --version), or set VITE_SUPABASE_URL and VITE_SUPABASE_ANON_KEY", folder.display())]
    Unreadable {
        /// Where the project is.
        folder: PathBuf,
        /// What it was instead.
        said: String,
    },
}

/// What the CLI wrote, and how it ended.
#[derive(Debug, Clone, Default)]
struct Said {
    code: i32,
    out: String,
    err: String,
}

/// Asks the CLI, once in a process.
pub(super) fn reported(folder: &Path) -> Result<Reported, Problem> {
    static ANSWER: OnceLock<Result<Reported, Problem>> = OnceLock::new();
    ANSWER.get_or_init(|| read(folder, &ask(folder)?)).clone()
}

/// The first line of standard output that begins so is no longer the CLI's.
const ENDED: &str = "ended with ";

/// Keeps the two outputs apart, and says the exit code.
const ASK: &str = r#"cd -- "$1" && "$2" status -o json 2>"$3" </dev/null; printf '\nended with %s\n' "$?""#;

fn ask(folder: &Path) -> Result<Said, Problem> {
    let not_run = |why: String| Problem::NotRun { folder: folder.to_owned(), why };
    let own = folder.join("node_modules/.bin/supabase");
    let cli = if own.is_file() { Some(own) } else { which::which("supabase").ok() };
    let cli = cli.ok_or_else(|| Problem::NoCli { folder: folder.to_owned() })?;
    let scratch = ScratchDir::new("supabase-").map_err(|error| not_run(error.to_string()))?;
    let errors = scratch.join("errors");
    let launch = Launch {
        program: "/bin/sh".into(),
        args: ["-c".into(), ASK.into(), "supabase".into(), folder.into(), cli.into(), (&errors).into()].into(),
        env: vec![("NO_COLOR".into(), "1".into())],
        user: None,
        stop: Stop::Kill,
        patience: limits::BROWSER_END,
    };
    let process = OwnedProcess::spawn(launch, scratch).map_err(|error| not_run(error.to_string()))?;
    let mut out = String::new();
    let code = process.wait_for_line(limits::REQUEST, |line| {
        let code = line.strip_prefix(ENDED).and_then(|code| code.parse().ok());
        if code.is_none() {
            out += line;
            out.push('\n');
        }
        code
    });
    let code = code.map_err(|error| not_run(error.to_string()))?;
    Ok(Said { code, out, err: fs::read_to_string(&errors).unwrap_or_default() })
}

/// What an answer says.
fn read(folder: &Path, said: &Said) -> Result<Reported, Problem> {
    let folder = || folder.to_owned();
    let object = object(&said.out);
    let words = object.as_ref().and_then(complaint).unwrap_or_else(|| words(&said.err, &said.out));
    if said.code != 0 {
        return Err(match kind(&words) {
            Kind::NoDocker => Problem::NoDocker { folder: folder(), said: words },
            Kind::NotRunning => Problem::NotRunning { folder: folder(), said: words },
            Kind::Other => Problem::Failed { folder: folder(), code: said.code, said: words },
        });
    }
    let object = object.ok_or_else(|| Problem::Unreadable { folder: folder(), said: words.clone() })?;
    if object.get("running") == Some(&Value::Bool(false)) {
        return Err(Problem::NotRunning { folder: folder(), said: words });
    }
    let text = |name: &&str| {
        let value = object.get(*name).or_else(|| object.get(&name.to_lowercase()))?;
        value.as_str().map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let found = NAMES.iter().filter_map(|(name, theirs)| Some((*name, theirs.iter().find_map(text)?)));
    let found: Reported = found.collect();
    let missing = NAMES.iter().filter(|(name, _)| NEEDED.contains(name) && !found.contains_key(name));
    let missing: Vec<_> = missing.map(|(_, theirs)| theirs.join(" or ")).collect();
    if !missing.is_empty() {
        return Err(Problem::Lacks { folder: folder(), missing: missing.join(" and ") });
    }
    match Url::parse(&found["VITE_SUPABASE_URL"]) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(found),
        _ => Err(Problem::Unreadable {
            folder: folder(),
            said: format!("API_URL is {:?}, which is no http or https URL", found["VITE_SUPABASE_URL"]),
        }),
    }
}

/// The object that is the answer: whoever starts the CLI (npm, pnpm, a version manager) may write lines of their own
/// before it and after it, objects among them.
fn object(out: &str) -> Option<Map<String, Value>> {
    let mut objects = Vec::new();
    let mut rest = out;
    while !rest.is_empty() {
        let mut read = serde_json::Deserializer::from_str(rest).into_iter();
        let end = match read.next() {
            Some(Ok(Value::Object(object))) => {
                objects.push(object);
                read.byte_offset()
            }
            _ => rest.find('\n').map_or(rest.len(), |end| end + 1),
        };
        rest = &rest[end..];
    }
    let is_answer = |object: &Map<String, Value>| ANSWERS.iter().any(|name| object.contains_key(*name));
    let at = objects.iter().position(is_answer).or(objects.len().checked_sub(1))?;
    Some(objects.swap_remove(at))
}

/// An answer has one of these, whatever is left out of the stack.
const ANSWERS: [&str; 4] = ["DB_URL", "API_URL", "running", "error"];

/// What an object says that is an error, or about a stack that does not run.
fn complaint(object: &Map<String, Value>) -> Option<String> {
    let message = object.get("error").and_then(|error| error.get("message")).or_else(|| object.get("message"));
    message.and_then(Value::as_str).map(str::to_owned)
}

/// The first line that says something: errors first, without what is said of new versions and of stopped services.
fn words(err: &str, out: &str) -> String {
    let is_aside = |line: &str| {
        let aside =
            ["A new version of Supabase CLI", "We recommend updating", "Stopped services:", "npm warn", "npm notice"];
        aside.iter().any(|begin| line.starts_with(begin)) || line.starts_with("Try rerunning the command")
    };
    let lines = err.lines().chain(out.lines()).map(str::trim);
    let line = lines.filter(|line| !is_aside(line)).find(|line| !line.is_empty());
    line.map_or_else(|| "it said nothing".to_owned(), |line| line.trim_start_matches("Error: ").to_owned())
}

/// What is at fault, by the CLI's words.
enum Kind {
    NoDocker,
    NotRunning,
    Other,
}

fn kind(words: &str) -> Kind {
    let words = words.to_lowercase();
    let says = |texts: &[&str]| texts.iter().any(|text| words.contains(text));
    match () {
        () if says(&["docker daemon", "docker_engine", "docker: command not found", "podman", "docker desktop"]) => {
            Kind::NoDocker
        }
        () if says(&["no such container", "not running", "is not ready", "no local supabase stack"]) => {
            Kind::NotRunning
        }
        () => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    /// `supabase status -o json` of 1.x, with containers.
    const OLD: &str = r#"{
  "ANON_KEY": "eyJ.anon.sig",
  "API_URL": "http://localhost:54321",
  "DB_URL": "postgresql://postgres:postgres@localhost:54322/postgres",
  "GRAPHQL_URL": "http://localhost:54321/graphql/v1",
  "INBUCKET_URL": "http://localhost:54324",
  "JWT_SECRET": "super-secret-jwt-token-with-at-least-32-characters-long",
  "SERVICE_ROLE_KEY": "eyJ.service.sig",
  "STUDIO_URL": "http://localhost:54323"
}
"#;

    /// The same of 2.x, which has both kinds of keys.
    const NEW: &str = r#"{
  "ANON_KEY": "eyJ.anon.sig",
  "API_URL": "http://127.0.0.1:54321",
  "DB_URL": "postgresql://postgres:postgres@127.0.0.1:54322/postgres",
  "FUNCTIONS_URL": "http://127.0.0.1:54321/functions/v1",
  "GRAPHQL_URL": "http://127.0.0.1:54321/graphql/v1",
  "INBUCKET_URL": "http://127.0.0.1:54324",
  "JWT_SECRET": "super-secret-jwt-token-with-at-least-32-characters-long",
  "MAILPIT_URL": "http://127.0.0.1:54324",
  "MCP_URL": "http://127.0.0.1:54321/mcp",
  "PUBLISHABLE_KEY": "sb_publishable_ACJWlzQHlZjBrEguHvfOxg_3BJgxAaH",
  "REST_URL": "http://127.0.0.1:54321/rest/v1",
  "S3_PROTOCOL_ACCESS_KEY_ID": "625729a08b95bf1b7ff351a663f3a23c",
  "S3_PROTOCOL_ACCESS_KEY_SECRET": "850181e4652dd023b7a98c58ae0d2d34",
  "S3_PROTOCOL_REGION": "local",
  "SECRET_KEY": "sb_secret_N7UND0UgjKTVK",
  "SERVICE_ROLE_KEY": "eyJ.service.sig",
  "STORAGE_S3_URL": "http://127.0.0.1:54321/storage/v1/s3",
  "STUDIO_URL": "http://127.0.0.1:54323"
}
"#;

    /// The native stack's, which has one line, services among it and no legacy keys.
    const NATIVE: &str = concat!(
        r#"{"stack":"default","running":true,"api_url":"http://127.0.0.1:54721","#,
        r#""db_url":"postgresql://postgres:postgres@127.0.0.1:54722/postgres","publishable_key":"sb_publishable_a","#,
        r#""secret_key":"sb_secret_b","services":[{"name":"auth","status":"Healthy","error":null}],"#,
        r#""message":"Local Supabase stack is running."}"#,
        "\n"
    );

    fn answered(code: i32, out: &str, err: &str) -> Result<Reported, Problem> {
        read(Path::new("/portal"), &Said { code, out: out.to_owned(), err: err.to_owned() })
    }

    fn values(out: &str) -> [String; 4] {
        let reported = answered(0, out, "").unwrap();
        NAMES.map(|(name, _)| reported.get(name).cloned().unwrap_or_default())
    }

    #[test]
    fn each_form_of_an_answer_gives_urls_and_keys() {
        let old = values(OLD);
        let db = "postgresql://postgres:postgres@localhost:54322/postgres";
        assert_eq!(old, ["http://localhost:54321", "eyJ.anon.sig", "eyJ.service.sig", db]);
        assert_eq!(values(NEW)[..3], ["http://127.0.0.1:54321", "eyJ.anon.sig", "eyJ.service.sig"]);
        assert_eq!(values(NATIVE)[..3], ["http://127.0.0.1:54721", "sb_publishable_a", "sb_secret_b"]);
        // A project whose legacy keys are gone.
        let without: String =
            NEW.lines().filter(|line| !line.contains("ANON_KEY") && !line.contains("ROLE_KEY")).collect();
        assert_eq!(
            values(&without)[1..3],
            ["sb_publishable_ACJWlzQHlZjBrEguHvfOxg_3BJgxAaH", "sb_secret_N7UND0UgjKTVK"]
        );
    }

    #[test]
    fn lines_of_others_around_an_answer_are_left_out() {
        let noise =
            "\n> portal@1.0.0 supabase\n> supabase status -o json\n\n{\"level\":\"info\",\"hello\":1}\n{not json\n";
        for answer in [OLD, NEW, NATIVE] {
            assert_eq!(values(&format!("{noise}{answer}Done in 0.4s.\n{{\"level\":\"info\"}}\n")), values(answer));
        }
        let asides =
            "Stopped services: [supabase_imgproxy_portal]\nA new version of Supabase CLI is available: v2.98.0\n";
        assert!(answered(0, NEW, asides).is_ok());
    }

    #[rstest]
    #[case::never_started(
        1,
        "",
        "failed to inspect container health: Error response from daemon: No such container: supabase_db_portal\nTry rerunning the command with --debug to troubleshoot the error.\n"
    )]
    #[case::first_versions(1, "", "Error: supabase start is not running.\n")]
    #[case::stopped(1, "", "supabase_db_portal container is not running: exited\n")]
    #[case::starts(1, "", "supabase_db_portal container is not ready: starting\n")]
    #[case::native(0, r#"{"stack":"default","running":false,"message":"Local Supabase stack is stopped."}"#, "")]
    #[case::as_json(
        1,
        r#"{"_tag":"Error","error":{"code":"NoRunningStackError","message":"No local Supabase stack is running."}}"#,
        ""
    )]
    fn a_stack_that_does_not_run_is_reported_with_what_starts_it(
        #[case] code: i32,
        #[case] out: &str,
        #[case] err: &str,
    ) {
        let problem = answered(code, out, err).unwrap_err();
        assert!(matches!(problem, Problem::NotRunning { .. }), "{problem:?}");
        assert!(problem.to_string().ends_with("run supabase start there; RELEASE_SOURCE names another folder"));
    }

    #[rstest]
    #[case(
        "failed to inspect container health: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
    )]
    #[case(
        "docker: command not found (podman also not found) — install Docker Desktop or Podman and ensure it is on PATH"
    )]
    #[case(
        "error during connect: this error may indicate that the docker daemon is not running: Get \"http://%2F%2F.%2Fpipe%2Fdocker_engine/v1.24\""
    )]
    fn docker_that_does_not_run_is_another_matter(#[case] err: &str) {
        let problem = answered(1, "", err).unwrap_err();
        assert!(matches!(problem, Problem::NoDocker { .. }), "{problem:?}");
    }

    #[test]
    fn each_problem_says_what_where_and_what_to_do() {
        let shown = |code, out: &str, err: &str| answered(code, out, err).unwrap_err().to_string();
        let texts = [
            Problem::NoCli { folder: "/portal".into() }.to_string(),
            Problem::NotRun { folder: "/portal".into(), why: "it was not ready after 30s".to_owned() }.to_string(),
            shown(
                1,
                "",
                "Stopped services: []\nfailed to inspect container health: No such container: supabase_db_portal\n",
            ),
            shown(
                1,
                "",
                "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n",
            ),
            shown(1, "", "failed to read config: toml: expected = after a key, but the document ends there\n"),
            shown(0, &json!({"DB_URL": "postgresql://x", "ANON_KEY": "a"}).to_string(), ""),
            shown(0, &json!({"DB_URL": "postgresql://x", "API_URL": "http://127.0.0.1:54321"}).to_string(), ""),
            shown(0, &json!({"API_URL": "127.0.0.1:54321", "ANON_KEY": "a"}).to_string(), ""),
            shown(0, "         API URL: http://127.0.0.1:54321\n", ""),
            shown(0, "[]\n", ""),
            shown(0, "", ""),
        ];
        assert_snapshot!(texts.join("\n\n"), @r#"
        the target local is the Supabase CLI's stack, and there is no command supabase in PATH or in /portal/node_modules/.bin
        install it (npm install --save-dev supabase) and run supabase start, or set VITE_SUPABASE_URL and VITE_SUPABASE_ANON_KEY

        supabase status cannot be run in /portal: it was not ready after 30s
        run it there by hand; RELEASE_SOURCE names another folder

        the Supabase stack of /portal is not running: failed to inspect container health: No such container: supabase_db_portal
        run supabase start there; RELEASE_SOURCE names another folder

        the Supabase CLI finds no Docker to ask: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?
        start Docker or Podman, then run supabase start in /portal

        supabase status ended with exit code 1 in /portal: failed to read config: toml: expected = after a key, but the document ends there
        correct what it says, then run supabase start there

        the Supabase stack of /portal runs without API_URL
        run supabase stop and supabase start there without --exclude, with [api] and [auth] enabled in supabase/config.toml

        the Supabase stack of /portal runs without ANON_KEY or PUBLISHABLE_KEY
        run supabase stop and supabase start there without --exclude, with [api] and [auth] enabled in supabase/config.toml

        supabase status -o json printed no URLs and keys in /portal: API_URL is "127.0.0.1:54321", which is no http or https URL
        use a version that has -o json (supabase --version), or set VITE_SUPABASE_URL and VITE_SUPABASE_ANON_KEY

        supabase status -o json printed no URLs and keys in /portal: API URL: http://127.0.0.1:54321
        use a version that has -o json (supabase --version), or set VITE_SUPABASE_URL and VITE_SUPABASE_ANON_KEY

        supabase status -o json printed no URLs and keys in /portal: []
        use a version that has -o json (supabase --version), or set VITE_SUPABASE_URL and VITE_SUPABASE_ANON_KEY

        supabase status -o json printed no URLs and keys in /portal: it said nothing
        use a version that has -o json (supabase --version), or set VITE_SUPABASE_URL and VITE_SUPABASE_ANON_KEY
        "#);
    }

    #[cfg(unix)]
    mod asked {
        use std::os::unix::fs::PermissionsExt;

        use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
        use wiremock::{Mock, MockServer, ResponseTemplate, matchers::path_regex};

        use super::*;

        fn asked(script: &str) -> (tempfile::TempDir, Result<Said, Problem>) {
            let folder = tempfile::tempdir().unwrap();
            write_cli(folder.path(), script);
            let said = ask(folder.path());
            (folder, said)
        }

        fn write_cli(folder: &Path, script: &str) {
            let bin = folder.join("node_modules/.bin");
            fs::create_dir_all(&bin).unwrap();
            let cli = bin.join("supabase");
            fs::write(&cli, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&cli, fs::Permissions::from_mode(0o755)).unwrap();
        }

        #[test]
        fn the_projects_own_cli_is_asked_in_its_folder_and_its_outputs_are_kept_apart() {
            let script = "pwd; echo \"$@\"; echo 'Stopped services: [a]' >&2; echo 'ended with pride'; exit 3";
            let (folder, said) = asked(script);
            let said = said.unwrap();
            let place = folder.path().canonicalize().unwrap();
            assert_eq!(said.out.trim(), format!("{}\nstatus -o json\nended with pride", place.display()));
            assert_eq!((said.code, said.err.trim()), (3, "Stopped services: [a]"));
        }

        /// Whether Docker answers, and which containers of the project it knows: those of `up` run.
        #[derive(Clone, Copy)]
        enum Docker {
            Absent,
            Runs { known: bool, healthy: bool, up: &'static [&'static str] },
        }

        const ALL: &[&str] = &["kong", "auth", "rest", "realtime", "storage", "inbucket", "pg_meta", "studio"];

        /// What the vendor's own CLI says, of a daemon that answers as Docker's API does.
        async fn said_by_the_vendors(docker: Docker) -> Result<Reported, Problem> {
            let folder = tempfile::tempdir().unwrap();
            let config = "project_id = \"portal\"\n[api]\nport = 54721\n[db]\nport = 54722\n";
            fs::create_dir(folder.path().join("supabase")).unwrap();
            fs::write(folder.path().join("supabase/config.toml"), config).unwrap();
            let daemon = MockServer::start().await;
            if let Docker::Runs { known, healthy, up } = docker {
                let answer = |status: u16, body: Value| ResponseTemplate::new(status).set_body_json(body);
                let (id, health) = ("supabase_db_portal", if healthy { "healthy" } else { "starting" });
                let database = match known {
                    true => answer(
                        200,
                        json!({ "Id": id, "Name": format!("/{id}"), "Config": {},
                        "State": { "Running": true, "Status": "running", "Health": { "Status": health } } }),
                    ),
                    false => answer(404, json!({ "message": format!("No such container: {id}") })),
                };
                let list = up.iter().map(|name| {
                    json!({ "Id": name, "State": "running", "Names": [format!("/supabase_{name}_portal")],
                    "Labels": { "com.supabase.cli.project": "portal" } })
                });
                let of = |part: &str| Mock::given(path_regex(format!("{part}$")));
                of("/_ping")
                    .respond_with(ResponseTemplate::new(200).insert_header("api-version", "1.47"))
                    .mount(&daemon)
                    .await;
                of("/containers/json").respond_with(answer(200, list.collect())).mount(&daemon).await;
                of(&format!("/containers/{id}/json")).respond_with(database).mount(&daemon).await;
            }
            let at = match docker {
                Docker::Absent => "127.0.0.1:9".to_owned(),
                Docker::Runs { .. } => daemon.address().to_string(),
            };
            let cli = crate::workspace::root().join("target/npm/vendors/node_modules/.bin/supabase");
            write_cli(folder.path(), &format!("DOCKER_HOST=tcp://{at} exec '{}' \"$@\"", cli.display()));
            read(Path::new("/portal"), &ask(folder.path())?)
        }

        #[tokio::test(flavor = "multi_thread")]
        #[ignore = "needs the CLI that cargo xtask vendors installs"]
        async fn what_the_vendors_cli_says_of_a_stack_is_read() {
            let reported = said_by_the_vendors(Docker::Runs { known: true, healthy: true, up: ALL }).await.unwrap();
            assert_eq!(reported["VITE_SUPABASE_URL"], "http://127.0.0.1:54721");
            assert_eq!(reported["SUPABASE_DB_URL"], "postgresql://postgres:postgres@127.0.0.1:54722/postgres");
            let role = |name| {
                let claims = reported[name].split('.').nth(1).map(|part| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap());
                serde_json::from_slice::<Value>(&claims.unwrap()).unwrap()["role"].clone()
            };
            assert_eq!([role("VITE_SUPABASE_ANON_KEY"), role("SUPABASE_SERVICE_ROLE_KEY")], ["anon", "service_role"]);
        }

        #[rstest]
        #[case::without_docker(Docker::Absent, "the Supabase CLI finds no Docker to ask: ")]
        #[case::never_started(Docker::Runs { known: false, healthy: false, up: &[] }, "the Supabase stack of /portal is not running: ")]
        #[case::starting(Docker::Runs { known: true, healthy: false, up: ALL }, "the Supabase stack of /portal is not running: ")]
        #[case::without_its_api(Docker::Runs { known: true, healthy: true, up: &["auth", "studio"] }, "the Supabase stack of /portal runs without API_URL")]
        #[tokio::test(flavor = "multi_thread")]
        #[ignore = "needs the CLI that cargo xtask vendors installs"]
        async fn what_the_vendors_cli_complains_of_is_told_apart(#[case] docker: Docker, #[case] begins: &str) {
            let problem = said_by_the_vendors(docker).await.unwrap_err().to_string();
            assert!(problem.starts_with(begins), "{problem}");
        }
    }
}
