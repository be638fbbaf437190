//! `cargo xtask bench rls --sizes`: what probing costs as a schema grows, and a table of ten million rows in it.

use std::{fmt::Write, fs, process::Command};

use portal::Portal;
use serde::Deserialize;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::runtime::Builder;

use super::process::measure;
use crate::{Verdict, print, say, setup, table::table};

/// Tables of each size; there are two functions for each five of them.
const SIZES: [usize; 4] = [50, 100, 200, 500];

/// Rows of the large table.
const LARGE: u32 = 10_000_000;

const TENANCY: &str = r#"[tenancy]
schemas = ["bench"]
tenant = { table = "bench.orgs", column = "org_id", closed = { status = "closed" } }
members = { table = "bench.members", user = "user_id", tenant = "org_id", role = "role", dead = [{ is_active = false }] }
"#;

const HEAD: &str = "
create schema bench;
grant usage on schema bench to anon, authenticated;
create table bench.orgs (id uuid primary key default gen_random_uuid(), name text not null, status text not null default 'open' check (status in ('open', 'closed')));
create table bench.members (
  id uuid primary key default gen_random_uuid(), user_id uuid not null references auth.users on delete cascade,
  org_id uuid not null references bench.orgs, role text not null check (role in ('owner', 'admin', 'editor', 'viewer')),
  is_active boolean not null default true, unique (user_id, org_id));
alter table bench.orgs enable row level security;
alter table bench.members enable row level security;
create function bench.own(writing boolean) returns setof uuid language sql stable security definer set search_path = '' as $$
  select m.org_id from bench.members m join bench.orgs o on o.id = m.org_id and o.status = 'open'
  where m.user_id = (select auth.uid()) and m.is_active and (m.role <> 'viewer' or not writing) $$;
revoke execute on function bench.own(boolean) from public;
grant execute on function bench.own(boolean) to authenticated;
";

/// What of the report is printed.
#[derive(Deserialize)]
struct Report {
    attempts: u64,
    took_ms: u64,
    actors: Vec<String>,
    findings: Vec<serde_json::Value>,
    undecided: Vec<serde_json::Value>,
}

/// Prints a line for each size. True when nothing was found in any of them.
pub fn run() -> Verdict {
    setup::ensure()?;
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let folder = tempfile::tempdir()?;
        let tenancy = folder.path().join("tenancy.toml");
        fs::write(&tenancy, TENANCY)?;
        let mut rows = table(&["tables", "functions", "actors", "probes", "seconds", "ms per table", "memory"]);
        let (mut good, mut small) = (true, 0);
        let sizes = SIZES.map(|tables| (tables, 0)).into_iter().chain([(SIZES[0], LARGE)]);
        for (tables, large) in sizes {
            // Committed: where many tables are made in the transaction itself, PostgreSQL looks through all of them at the
            // end of each savepoint.
            let portal = Portal::builder().start().await?;
            let mut connection = PgConnection::connect(portal.database_url()).await?;
            sqlx::raw_sql(AssertSqlSafe(schema(tables, large))).execute(&mut connection).await?;
            connection.close().await?;
            let json = folder.path().join("report.json");
            let mut command = Command::new(std::env::current_exe()?);
            command.args(["rls", "--database-url", portal.database_url()]).arg("--tenancy").arg(&tenancy);
            command.arg("--json").arg(&json);
            let figures = measure(&mut command)?;
            let text = fs::read_to_string(&json)
                .map_err(|_| format!("{tables} tables, one of {large} rows: nothing was probed"))?;
            let report: Report = serde_json::from_str(&text)?;
            fs::remove_file(&json)?;
            good &= report.findings.is_empty() && report.undecided.is_empty();
            if !good {
                say(&format!("{:?} {:?}", report.findings.first(), report.undecided.first()));
            }
            if tables == SIZES[0] && large == 0 {
                small = report.took_ms;
            }
            let name = if large > 0 { format!("{tables}, one of {large} rows") } else { tables.to_string() };
            say(&format!("{name} tables: {} probes in {:.1} s", report.attempts, report.took_ms as f64 / 1000.0));
            rows.add_row([
                name,
                (tables * 2 / 5).to_string(),
                report.actors.len().to_string(),
                report.attempts.to_string(),
                format!("{:.1}", report.took_ms as f64 / 1000.0),
                format!("{:.1}", report.took_ms as f64 / tables as f64),
                format!("{:.0} MB", figures.memory),
            ]);
            if large > 0 {
                say(&format!(
                    "the large table costs {:.1} s more",
                    report.took_ms.saturating_sub(small) as f64 / 1000.0
                ));
            }
        }
        print(&rows.to_string());
        Ok(good)
    })
}

/// Tables that refer to one another within a tenant, and functions that read and change them as they may.
fn schema(tables: usize, large: u32) -> String {
    let mut sql = HEAD.to_owned();
    for number in 0..tables {
        let parent = match number % 10 {
            0 => String::new(),
            _ => format!(
                ", parent_id uuid, foreign key (parent_id, org_id) references bench.t{} (id, org_id)",
                number - 1
            ),
        };
        let _ = write!(
            sql,
            "create table bench.t{number} (id uuid primary key default gen_random_uuid(), org_id uuid not null references bench.orgs, name text not null, amount numeric(12, 2) not null default 0, note text{parent}, unique (id, org_id));
            create index on bench.t{number} (org_id);
            alter table bench.t{number} enable row level security;
            grant select, insert, update, delete on bench.t{number} to authenticated;
            create policy reads on bench.t{number} for select to authenticated using (org_id in (select bench.own(false)));
            create policy writes on bench.t{number} for all to authenticated using (org_id in (select bench.own(true))) with check (org_id in (select bench.own(true)));\n"
        );
    }
    for number in 0..tables * 2 / 5 {
        let of = number % tables;
        let body = match number % 2 {
            0 => {
                format!("returns text language sql stable as $$ select name from bench.t{of} where id = p_t{of}_id $$")
            }
            _ => format!(
                "returns void language plpgsql security definer set search_path = '' as $$ begin update bench.t{of} set note = p_note where id = p_t{of}_id and org_id in (select bench.own(true)); if not found then raise insufficient_privilege; end if; end $$"
            ),
        };
        let _ = write!(
            sql,
            "create function bench.f{number} (p_t{of}_id uuid, p_note text default null) {body};
            revoke execute on function bench.f{number} from public; grant execute on function bench.f{number} to authenticated;\n"
        );
    }
    if large > 0 {
        let _ = write!(
            sql,
            "set session_replication_role = replica;
            insert into bench.orgs (id, name) values ('00000000-0000-4000-8000-000000000001', 'large');
            insert into bench.t0 (org_id, name) select '00000000-0000-4000-8000-000000000001', 'n' || n from generate_series(1, {large}) n;
            set session_replication_role = origin;
            analyze bench.t0;\n"
        );
    }
    sql
}
