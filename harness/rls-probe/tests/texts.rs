//! What people read of the prober, and what it says of databases that it cannot probe.

use std::{fs, time::Duration};

use portal::Portal;
use rls_probe::{Error, Report, Tenancy, Wish, output, probe, probe_as};
use rstest::rstest;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::{
    held::{hold, root},
    schema::{Schema, execute, holes, of_portal},
};

/// A finding in every form, and in a script that really shows it.
#[tokio::test]
async fn findings_are_reported_and_shown() {
    let portal = Portal::builder().start().await.unwrap();
    let sql = holes(&["groups-changed-by-writers-of-any-institution", "group-closed-by-id"]);
    execute(portal.database_url(), &sql).await;
    let report = probe(portal.database_url(), &of_portal(), None).await.unwrap();
    assert_eq!(report.findings.len(), 2, "{report}");
    let texts: Vec<_> = report.findings.iter().map(|finding| format!("{finding:#}")).collect();
    let sarif = serde_json::to_string_pretty(&output::sarif(&report, "supabase/migrations")).unwrap();
    let page = output::html(&report).unwrap();
    let held =
        [hold("findings", &texts.join("\n")), hold("sarif", &sarif), hold("junit", &output::junit(&report).unwrap())];
    assert!(held.iter().all(|held| *held));
    assert!(page.contains("public.close_group") && page.contains(r#"<span class="crossed""#), "{page}");
    for effect in report.findings.iter().flat_map(|finding| &finding.effects) {
        let script = report.repro(effect);
        let (before, last) = script.trim_end().trim_end_matches("rollback;").trim_end().rsplit_once('\n').unwrap();
        let mut connection = PgConnection::connect(portal.database_url()).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(before.to_owned())).execute(&mut connection).await.unwrap();
        let shown = sqlx::raw_sql(AssertSqlSafe(last.to_owned())).execute(&mut connection).await.unwrap();
        assert!(shown.rows_affected() > 0, "{last}");
    }
}

/// What is opened is reported once for the table, and once for the row that nobody could make.
#[tokio::test]
async fn what_cannot_be_tried_is_undecided() {
    let portal = Portal::builder().start().await.unwrap();
    let migration = "create table public.sealed (id uuid primary key, institution_id uuid not null references institutions, check (false));
        alter table public.sealed enable row level security; grant select on public.sealed to authenticated;
        create function public.tells_others() returns text language plpgsql as $$ begin return dblink_exec('', ''); end $$;";
    let report = probe(portal.database_url(), &of_portal(), Some(migration)).await.unwrap();
    let open: Vec<_> = report.undecided.iter().map(ToString::to_string).collect();
    assert!(hold("undecided", &open.join("\n")));
    assert!(report.findings.is_empty() && !report.is_good());
}

/// A database with something wrong with it, or a URL.
#[rstest]
#[case::url_that_is_none("not a url", "")]
#[case::nobody_there("postgres://postgres@127.0.0.1:1/postgres", "")]
#[case::pooler_in_transaction_mode("postgres://postgres.ref@pooler.supabase.com:6543/postgres", "")]
#[case::role_that_cannot_play_users("", "create role rls_nobody login")]
#[case::role_that_is_bound_itself("", "create role rls_nobody login; grant anon, authenticated to rls_nobody")]
#[tokio::test]
async fn bad_connection(#[case] given: &str, #[case] sql: &str) {
    let portal = Portal::builder().start().await.unwrap();
    let mut url = given.to_owned();
    if !sql.is_empty() {
        execute(portal.database_url(), sql).await;
        url = portal.database_url().replace("//postgres@", "//rls_nobody@");
    }
    let error = probe(&url, &of_portal(), None).await.unwrap_err();
    assert!(hold(&named("bad_connection"), &error.to_string()));
}

#[rstest]
#[case::schema_that_is_not_there(r#"schemas = ["nowhere"]"#)]
#[case::tenants_table_that_is_not_there(
    r#"tenant = { table = "public.saccos", column = "sacco_id" }
       members = { table = "public.profiles", user = "user_id", tenant = "institution_id" }"#
)]
#[case::tenant_column_that_is_not_there(
    r#"tenant = { table = "public.institutions", column = "institution_id", key = "uuid" }
       members = { table = "public.profiles", user = "user_id", tenant = "institution_id" }"#
)]
#[case::members_column_that_is_not_there(
    r#"tenant = { table = "public.institutions", column = "institution_id" }
       members = { table = "public.profiles", user = "uid", tenant = "institution_id" }"#
)]
#[case::schema_without_tables(r#"schemas = ["extensions"]"#)]
#[tokio::test]
async fn bad_tenancy(#[case] text: &str) {
    let portal = Portal::builder().start().await.unwrap();
    let tenancy: Tenancy = toml::from_str(text).unwrap();
    let error = probe(portal.database_url(), &tenancy, None).await.unwrap_err();
    assert!(hold(&named("bad_tenancy"), &error.to_string()));
}

#[tokio::test]
async fn a_migration_that_fails() {
    let portal = Portal::builder().start().await.unwrap();
    let error = probe(portal.database_url(), &of_portal(), Some("drop table nothing")).await.unwrap_err();
    assert!(hold("migration_that_fails", &error.to_string()));
}

/// What nobody else may do, a script shows beside the same on rows of one's own.
#[tokio::test]
async fn a_script_shows_the_same_on_rows_of_ones_own() {
    let case = |path: &str| fs::read_to_string(root().join("harness/rls-probe/tests").join(path)).unwrap();
    let schema = Schema::of(&(case("schemas/hosted.sql") + &case("cases/rows_in_states.sql"))).await;
    // Whoever sees a row names it.
    let migration = Some("alter policy s on public.pages using (true)");
    let wish = Wish { migration, shown: true, ..Wish::default() };
    let report = probe_as(schema.portal.database_url(), &Tenancy::default(), wish).await.unwrap();
    let finding = report.findings.iter().find(|finding| finding.object.name == "public.pages").unwrap();
    let effect = finding.effects.iter().find(|effect| effect.text.contains("take over")).unwrap();
    let script = report.repro(effect);
    assert!(script.contains("-- the same by them, on rows of their own tenant"), "{script}");
}

/// Whoever is thrown out in the middle says so, and leaves nothing.
#[tokio::test]
async fn a_connection_that_is_lost() {
    let portal = Portal::builder().start().await.unwrap();
    let (tenancy, url) = (of_portal(), portal.database_url().to_owned());
    let probing = tokio::spawn(async move { probe(&url, &tenancy, None).await });
    let mut connection = PgConnection::connect(portal.database_url()).await.unwrap();
    let victim = "select coalesce(bool_or(pg_terminate_backend(pid)), false) from pg_stat_activity where query like '%savepoint attempted%' and pid <> pg_backend_pid()";
    while !probing.is_finished() {
        let ended: bool = sqlx::query_scalar(victim).fetch_one(&mut connection).await.unwrap();
        if ended {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let error: Error = probing.await.unwrap().map(|report: Report| report.attempts).unwrap_err();
    assert!(hold("connection_that_is_lost", &error.to_string()));
    let left: i64 =
        sqlx::query_scalar("select count(*) from auth.users where email like 'INSTITUTION_ADMIN-%@example.com'")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    assert_eq!(left, 0);
}

/// The test's own name with its case, as a file's.
fn named(test: &str) -> String {
    let thread = std::thread::current().name().unwrap_or_default().to_owned();
    let case = thread.rsplit("::").next().unwrap_or_default().to_owned();
    let case =
        case.trim_start_matches("case_").trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches('_');
    format!("{test}_{case}")
}
