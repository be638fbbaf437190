//! Two sessions that share a schema, and objects whose probes take too long.

use std::{fmt::Write, time::Duration};

use rls_probe::{Report, Tenancy, Wish, probe_as};

use crate::schema::Schema;

const HEAD: &str = "create table orgs (id uuid primary key default gen_random_uuid(), name text not null);
create table members (user_id uuid primary key references auth.users, org_id uuid not null references orgs, role text not null check (role in ('owner', 'viewer')));
create function mine() returns setof uuid language sql stable security definer set search_path = '' as $$ select org_id from public.members where user_id = auth.uid() $$;
create function edits() returns setof uuid language sql stable security definer set search_path = '' as $$ select org_id from public.members where user_id = auth.uid() and role = 'owner' $$;
alter table orgs enable row level security; alter table members enable row level security;
create policy s on orgs for select to authenticated using (id in (select mine()));
create policy s on members for select to authenticated using (org_id in (select mine()));
grant select on orgs, members to authenticated;
";

/// A table, with what its policies ask beside the tenant.
fn table(name: &str, and: &str) -> String {
    format!(
        "create table {name} (id uuid primary key default gen_random_uuid(), org_id uuid not null references orgs, title text not null);
alter table {name} enable row level security;
grant select, insert, update, delete on {name} to authenticated;
create policy r on {name} for select to authenticated using (org_id in (select mine()){and});
create policy w on {name} for all to authenticated using (org_id in (select edits()){and}) with check (org_id in (select edits()){and});\n"
    )
}

async fn probed(schema: &Schema, wish: Wish<'_>) -> Report {
    probe_as(schema.portal.database_url(), &Tenancy::default(), wish).await.unwrap()
}

/// What is reported, without the ids of the rows that were made.
fn said(report: &Report) -> String {
    let mut said = String::new();
    report.findings.iter().for_each(|finding| writeln!(said, "{finding}").unwrap());
    report.undecided.iter().for_each(|open| writeln!(said, "{open}").unwrap());
    said + &report.matrix()
}

#[tokio::test]
async fn two_sessions_report_what_one_does() {
    let mut sql = HEAD.to_owned();
    (0..22).for_each(|number| sql += &table(&format!("t{number}"), ""));
    for number in 0..8 {
        let asked = if number % 3 == 0 { "true" } else { "org_id in (select mine())" };
        let _ = writeln!(
            sql,
            "create function f{number}(p_t{number}_id uuid) returns text language sql stable security definer set search_path = 'public' as $$ select title from t{number} where id = p_t{number}_id and {asked} $$;"
        );
    }
    sql += "alter policy r on t2 using (true); alter policy w on t9 with check (true); alter policy r on t15 using (1 / 0 > 0);
        create policy open on t20 for delete to authenticated using (true); alter table t21 add check (false);";
    let schema = Schema::of(&sql).await;
    let one = probed(&schema, Wish { alone: true, ..Wish::default() }).await;
    let two = probed(&schema, Wish::default()).await;
    assert!(one.findings.len() > 5 && !one.undecided.is_empty(), "{one}");
    assert_eq!(said(&one), said(&two));
    // What is found is seen in both sessions.
    assert!(two.attempts >= one.attempts, "{} of {}", two.attempts, one.attempts);
    assert_eq!((two.proof.transaction.as_str(), two.proof.changed.len()), ("aborted", 0));
}

#[tokio::test]
async fn what_takes_too_long_has_an_end_and_is_undecided() {
    let slow = "create schema inner_part; grant usage on schema inner_part to authenticated;
create function inner_part.slow() returns boolean language plpgsql as $$ begin perform pg_sleep(0.2); return true; end $$;\n";
    let tables = [table("slow_notes", " and inner_part.slow()"), table("notes", "")].concat();
    let schema = Schema::of(&format!("{HEAD}{slow}{tables}")).await;
    let report = probed(&schema, Wish { budget: Some(Duration::from_secs(1)), ..Wish::default() }).await;
    let open: Vec<_> = report.undecided.iter().filter(|open| open.object.name == "public.slow_notes").collect();
    assert!(!open.is_empty(), "{report}");
    let is_said =
        open.iter().all(|open| open.reason == "not everything was tried within 1 s (--budget gives it longer)");
    assert!(is_said && report.undecided.len() == open.len() && report.findings.is_empty(), "{report}");
}
