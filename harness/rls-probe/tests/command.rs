//! `rls-probe` as a command: what it says of itself, its outputs, its exit codes.

use std::{fs, process::Output};

use portal::Portal;
use rstest::rstest;
use tokio::process::Command;

use crate::{
    held::{hold, root},
    schema::{execute, holes},
};

async fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rls-probe"));
    command.env_remove("SUPABASE_DB_URL").args(arguments).output().await.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn its_help_reads_well() {
    assert!(hold("help", &text(&run(&["--help"]).await.stdout)));
    let version = text(&run(&["--version"]).await.stdout);
    assert_eq!(version, format!("rls-probe {}\n", env!("CARGO_PKG_VERSION")));
}

#[rstest]
#[case::no_database(&[], 2, "no database is named")]
#[case::unknown_option(&["--nosuch"], 2, "unexpected argument '--nosuch'")]
#[case::a_file_that_is_not_there(&["--database-url", "postgres://x@127.0.0.1:1/x", "--tenancy", "nowhere.toml"], 2, "nowhere.toml cannot be read")]
#[case::a_transaction_mode_pooler(&["--database-url", "postgres://x@pooler:6543/x"], 2, "pooler in transaction mode")]
#[case::nobody_there(&["--database-url", "postgres://x@127.0.0.1:1/x"], 4, "cannot be reached")]
#[case::unknown_rule(&["rule", "nosuch"], 2, "there is no rule \"nosuch\"")]
#[case::nothing_to_compare(&["--database-url", "postgres://x@127.0.0.1:1/x", "--diff"], 2, "--diff has nothing to compare")]
#[case::a_folder_beside_a_file(&["--migrations", "a", "--migration", "b", "--diff", "c"], 2, "b cannot be read")]
#[case::a_difference_with_fixes(&["--migrations", "a", "--diff", "b", "--fix", "c"], 2, "cannot be used with '--fix <FILE>'")]
#[case::a_rule(&["rule", "public-bucket"], 0, "# public-bucket")]
#[tokio::test]
async fn it_ends_with(#[case] arguments: &[&str], #[case] code: i32, #[case] says: &str) {
    let output = run(arguments).await;
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(says), "{said}");
}

#[tokio::test]
async fn its_exit_code_is_its_verdict() {
    let portal = Portal::builder().start().await.unwrap();
    let (folder, contract) = (tempfile::tempdir().unwrap(), root().join("fixtures/sacco-plus.toml"));
    let file = |name: &str, sql: &str| {
        let path = folder.path().join(name);
        fs::write(&path, sql).unwrap();
        path.display().to_string()
    };
    let hole = file("hole.sql", &holes(&["groups-changed-by-writers-of-any-institution"]));
    let sealed = file(
        "sealed.sql",
        "create table sealed (id uuid primary key, institution_id uuid not null references institutions, check (false));
         alter table sealed enable row level security; grant select on sealed to authenticated;",
    );
    let broken = file("broken.sql", "drop table nothing");
    let contract = contract.display().to_string();
    let given = ["--database-url", portal.database_url(), "--tenancy", &contract];
    for (more, code, says) in [
        (vec![], 0, "0 findings, 0 undecided"),
        (vec!["--migration", &hole], 1, "CRITICAL table public.groups"),
        (vec!["--migration", &sealed], 3, "UNDECIDED read table public.sealed"),
        (vec!["--migration", &hole, "--diff"], 1, "OPENS critical table public.groups"),
        (vec!["--migration", &hole, "--diff", "--json"], 1, "\"is_opened\": true"),
        (vec!["--migration", &sealed, "--diff"], 3, "0 opened, 0 closed, 1 undecided that were not before"),
        (vec!["--migration", &broken], 2, "the migration cannot be run"),
        (vec!["--migration", &hole, "--json"], 1, "\"rule\": \"policy-too-wide\""),
        (vec!["--migration", &hole, "--color", "always"], 1, "\u{1b}[1m\u{1b}[31mCRITICAL"),
    ] {
        let output = run(&[&given[..], &more].concat()).await;
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{more:?}: {said}");
        assert!(said.contains(says), "{more:?}: {said}");
    }
    execute(portal.database_url(), "create role rls_nobody login").await;
    let url = portal.database_url().replace("//postgres@", "//rls_nobody@");
    assert_eq!(run(&["--database-url", &url]).await.status.code(), Some(4));
}

/// What a pull request opens and closes, by the folder of migrations with it and the one without.
#[tokio::test]
async fn two_folders_are_compared() {
    const NOTES: &str = "create table notes (id uuid primary key default gen_random_uuid(), user_id uuid not null references auth.users, body text);
alter table notes enable row level security;
create policy own on notes for all using (auth.uid() = user_id);";
    const WIDE: &str = "drop policy own on notes; create policy own on notes for update using (auth.uid() is not null);
create policy seen on notes for select using (auth.uid() = user_id);";
    let folder = tempfile::tempdir().unwrap();
    let made = |name: &str, files: &[&str]| {
        let path = folder.path().join(name);
        fs::create_dir(&path).unwrap();
        files.iter().zip(1..).for_each(|(sql, at)| fs::write(path.join(format!("{at}.sql")), sql).unwrap());
        path.display().to_string()
    };
    let (tight, wide) = (made("tight", &[NOTES]), made("wide", &[NOTES, WIDE]));
    let compared = async |after: &str, before: &str, more: &[&str]| {
        let output = run(&[&["--migrations", after, "--diff", before], more].concat()).await;
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, opens, said) = compared(&wide, &tight, &[]).await;
    assert_eq!(code, Some(1), "{opens}{said}");
    assert!(opens.starts_with("OPENS critical table public.notes: "), "{opens}");
    let (code, closes, said) = compared(&tight, &wide, &[]).await;
    assert_eq!(code, Some(0), "{closes}{said}");
    assert!(closes.starts_with("CLOSES critical table public.notes: "), "{closes}");
    assert_eq!(opens.lines().last().unwrap().split(' ').next(), closes.lines().last().unwrap().split(' ').nth(2));
    let (code, same, said) = compared(&wide, &wide, &[]).await;
    assert_eq!((code, same.as_str(), said.as_str()), (Some(0), "0 opened, 0 closed\n", ""));
}
