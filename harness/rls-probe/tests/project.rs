//! Migrations that are made into a database of their own.

use std::fs;

use rls_probe::{Project, Tenancy, inferred, probe};

const FIRST: &str = "create extension if not exists vector;
create table notes (id uuid primary key default gen_random_uuid(), user_id uuid not null references auth.users, body text, embedding vector(3));
create index on notes using hnsw (embedding vector_cosine_ops);
alter table notes enable row level security;
create policy own on notes for all using (auth.uid() = user_id);
insert into storage.buckets (id, name) values ('files', 'files');
select cron.schedule('nightly', '0 0 * * *', 'select 1');";

/// What hosted projects have is there, with extensions that this server has not.
#[tokio::test]
async fn migrations_are_probed_on_a_server_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("1_first.sql"), format!("create extension pg_cron;\n{FIRST}")).unwrap();
    let project = Project::make(folder.path(), None, false).await.unwrap();
    let report = probe(&project.url, &Tenancy::default(), None).await.unwrap();
    assert!(report.is_good(), "{report}");
    let tenancy = inferred(&project.url, &[]).await.unwrap();
    assert_eq!(tenancy.tenancy.owner.unwrap().columns, ["user_id"]);
    assert!(tenancy.questions.is_empty(), "{:?}", tenancy.questions);
    project.remove().await.unwrap();
}

/// A statement that cannot be run is named by its file and line; the rest is judged where that was asked for.
#[tokio::test]
async fn a_migration_that_fails_is_named_and_can_be_left_out() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("1_first.sql"), format!("create extension pg_cron;\n{FIRST}")).unwrap();
    fs::write(
        folder.path().join("2_second.sql"),
        "-- a comment\n\nalter table nothing add column a int;\ncreate table last (id int);",
    )
    .unwrap();
    let failed = Project::make(folder.path(), None, false).await.err().unwrap().to_string();
    assert!(failed.contains("2_second.sql:3: 42P01 relation \"nothing\" does not exist"), "{failed}");
    let project = Project::make(folder.path(), None, true).await.unwrap();
    assert_eq!(project.skipped.len(), 1);
    let report = probe(&project.url, &Tenancy::default(), None).await.unwrap();
    assert!(report.ties.contains_key("public.last"), "{report}");
    project.remove().await.unwrap();
}

/// A function may name what a later statement makes, a dump of a newer server begins with settings that this one has not, and
/// a transaction of the file's own outlives what is left out of it.
#[tokio::test]
async fn statements_wait_for_what_they_name() {
    let folder = tempfile::tempdir().unwrap();
    let first = "\\restrict abc
set transaction_timeout = 0;
begin;
create function mine() returns setof uuid language sql stable as $$ select id from public.boats where user_id = auth.uid() $$;
create table public.boats (id uuid primary key default gen_random_uuid(), user_id uuid not null references auth.users);
create index on nothing (id);
alter table public.boats enable row level security;
create policy own on public.boats for select using (id in (select public.mine()));
commit;";
    fs::write(folder.path().join("1_first.sql"), first).unwrap();
    let project = Project::make(folder.path(), None, false).await.unwrap();
    assert_eq!(project.skipped, []);
    project.remove().await.unwrap();
    let second = "create policy late on public.boats for insert with check (public.later());\ncreate function lost() returns int language sql as 'select 1 from nothing';";
    fs::write(folder.path().join("2_second.sql"), second).unwrap();
    let third = "create function public.later() returns boolean language sql as 'select false';";
    fs::write(folder.path().join("3_third.sql"), third).unwrap();
    let failed = Project::make(folder.path(), None, false).await.err().unwrap().to_string();
    assert!(failed.contains("2_second.sql:1: 42883 function public.later() does not exist"), "{failed}");
    let project = Project::make(folder.path(), None, true).await.unwrap();
    let left_out: Vec<_> = project.skipped.iter().map(|skipped| skipped.line).collect();
    assert_eq!(left_out, [2], "{:?}", project.skipped);
    project.remove().await.unwrap();
}

/// A bucket that was made by hand is there where policies name it.
#[tokio::test]
async fn buckets_that_policies_name_are_probed() {
    let folder = tempfile::tempdir().unwrap();
    let files = "create policy files on storage.objects for select to authenticated using (bucket_id = 'papers' and owner is not null);";
    fs::write(folder.path().join("1_first.sql"), format!("create extension pg_cron;\n{FIRST}\n{files}")).unwrap();
    let project = Project::make(folder.path(), None, false).await.unwrap();
    let report = probe(&project.url, &Tenancy::default(), None).await.unwrap();
    let is_found = report.findings.iter().any(|finding| finding.object.name == "storage.objects");
    assert!(is_found, "{report}");
    project.remove().await.unwrap();
}
