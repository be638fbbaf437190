//! Harm and rules say what was seen, not what it is called.

use rls_probe::{Cause, Finding, Harm, Report, Rule, Tenancy, Verb};

use crate::schema::Schema;

const CLUBS: &str = include_str!("schemas/clubs.sql");

fn of<'r>(report: &'r Report, name: &str) -> &'r Finding {
    let found = report.findings.iter().find(|finding| finding.object.name == name);
    found.unwrap_or_else(|| panic!("nothing was found in {name}: {report}"))
}

/// The same hole in two tables, one of which has "role" in its name.
#[tokio::test]
async fn the_same_hole_is_as_bad_whatever_its_table_is_called() {
    let table = |name: &str| {
        format!(
            "create table {name} (id uuid primary key default gen_random_uuid(), club_id uuid not null references clubs, title text);
             alter table {name} enable row level security;
             create policy see on {name} for select to authenticated using (club_id = my_club());
             create function read_{name}(p_id uuid) returns setof {name} language sql stable security definer set search_path = ''
               as $$ select * from public.{name} where id = p_id $$;
             revoke execute on function read_{name} from public, anon;"
        )
    };
    let schema = Schema::of(&(CLUBS.to_owned() + &table("rolecards") + &table("items"))).await;
    let report = schema.probe(&Tenancy::default(), None).await;
    let (one, other) = (of(&report, "public.read_rolecards"), of(&report, "public.read_items"));
    assert_eq!((one.harm, one.rule), (other.harm, other.rule));
    assert_eq!((one.harm, one.rule), (Harm::High, Rule::FunctionUncheckedCaller));
}

/// The verb of the first effect changes, the rule does not.
#[tokio::test]
async fn a_rule_is_the_same_when_part_of_its_fault_is_mended() {
    let hole = |command: &str| format!("create policy open on dues for {command} to authenticated using (true);");
    let schema = Schema::of(CLUBS).await;
    let whole = schema.probe(&Tenancy::default(), Some(&hole("all"))).await;
    let half = schema.probe(&Tenancy::default(), Some(&hole("delete"))).await;
    let first = |report: &Report| {
        let open = Cause::Policies(vec!["open".to_owned()]);
        let finding = report.findings.iter().find(|finding| finding.cause == open).unwrap();
        (finding.rule, finding.effects[0].verb)
    };
    assert_eq!(first(&whole), (Rule::PolicyTooWide, Verb::Read));
    assert_eq!(first(&half), (Rule::PolicyTooWide, Verb::Delete));
}
