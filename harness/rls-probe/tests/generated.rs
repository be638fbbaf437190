//! Sound schemas made at random, and single holes in them: the sound ones are reported as sound, and each hole as what it
//! is. `RLS_PROBE_SEED` chooses the first of them.

use std::env;

use rls_probe::{Harm, Tenancy, Verb};

use crate::schema::Schema;

/// How many schemas a run makes.
const SCHEMAS: u64 = 3;

/// Choices that a seed makes.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    fn of<'t>(&mut self, all: &[&'t str]) -> &'t str {
        all[self.below(all.len())]
    }
}

/// A way that a sound schema is opened.
struct Hole {
    sql: String,
    object: String,
    verb: Verb,
}

/// A schema, and its holes.
struct Made {
    sql: String,
    holes: Vec<Hole>,
}

fn make(seed: u64) -> Made {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    for _ in 0..8 {
        dice.below(2);
    }
    let (tenants, column) = [("mills", "mill_id"), ("crews", "crew_id"), ("clinics", "clinic_id")][dice.below(3)];
    let role = match dice.below(3) {
        0 => "role text not null check (role in ('owner', 'member', 'viewer'))",
        1 => "role rank not null",
        _ => "role text not null default 'member' check (role in ('owner', 'member', 'viewer'))",
    };
    let members = dice.of(&["people", "staff_members", "profiles"]);
    let key = match dice.below(2) {
        0 => format!("user_id uuid primary key references auth.users, {column} uuid not null references {tenants}"),
        _ => format!(
            "id bigserial primary key, user_id uuid not null references auth.users, {column} uuid not null references {tenants}, unique ({column}, user_id)"
        ),
    };
    let mut sql = format!(
        "create type rank as enum ('owner', 'member', 'viewer');
create table {tenants} (id uuid primary key default gen_random_uuid(), name text not null);
create table {members} ({key}, {role});
create function mine() returns setof uuid language sql stable security definer set search_path = '' as
  $$ select {column} from public.{members} where user_id = auth.uid() $$;
create function may_write() returns setof uuid language sql stable security definer set search_path = '' as
  $$ select {column} from public.{members} where user_id = auth.uid() and role::text <> 'viewer' $$;
alter table {tenants} enable row level security;
alter table {members} enable row level security;
create policy s on {tenants} for select to authenticated using (id in (select mine()));
create policy s on {members} for select to authenticated using ({column} in (select mine()));\n"
    );
    let mut holes = Vec::new();
    let mut parent: Option<String> = None;
    for number in 0..2 + dice.below(2) {
        let name = format!("{}_{number}", dice.of(&["boards", "notes", "orders", "plans"]));
        let extra = dice.of(&[
            "amount numeric(10,2) not null check (amount > 0)",
            "title text not null check (length(title) between 3 and 40)",
            "status text not null default 'open' check (status in ('open', 'closed')), due date",
            "code text not null check (code ~ '^[A-Z]{2}[0-9]{3}$')",
        ]);
        let within = parent.clone().filter(|_| dice.below(2) == 0);
        let (tie, reads, writes) = match &within {
            Some(parent) => (
                format!("parent_id uuid not null references {parent} on delete cascade"),
                format!("exists (select from {parent} p where p.id = parent_id and p.{column} in (select mine()))"),
                format!(
                    "exists (select from {parent} p where p.id = parent_id and p.{column} in (select may_write()))"
                ),
            ),
            None => (
                format!("{column} uuid not null references {tenants}"),
                format!("{column} in (select mine())"),
                format!("{column} in (select may_write())"),
            ),
        };
        sql += &format!(
            "create table {name} (id uuid primary key default gen_random_uuid(), {tie}, {extra});
alter table {name} enable row level security;
create policy s on {name} for select to authenticated using ({reads});
create policy i on {name} for insert to authenticated with check ({writes});
create policy u on {name} for update to authenticated using ({writes}) with check ({writes});
create policy d on {name} for delete to authenticated using ({writes});\n"
        );
        for (verb, opened) in [
            (Verb::Read, format!("alter policy s on {name} using (true);")),
            (Verb::Insert, format!("alter policy i on {name} with check (true);")),
            (Verb::Update, format!("alter policy u on {name} using (true) with check (true);")),
            (Verb::Delete, format!("alter policy d on {name} using (true);")),
        ] {
            holes.push(Hole { sql: opened, object: format!("public.{name}"), verb });
        }
        if within.is_none() {
            parent = Some(name);
        }
    }
    sql += "grant select, insert, update, delete on all tables in schema public to authenticated;
grant usage on all sequences in schema public to authenticated;\n";
    Made { sql, holes }
}

#[tokio::test]
async fn sound_schemas_are_sound_and_each_hole_is_found() {
    let seed = env::var("RLS_PROBE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    for seed in seed..seed + SCHEMAS {
        let Made { sql, holes } = make(seed);
        let schema = Schema::of(&sql).await;
        let sound = schema.probe(&Tenancy::default(), None).await;
        let worst = sound.findings.iter().map(|finding| finding.harm).max();
        assert!(worst.is_none_or(|harm| harm == Harm::Low), "seed {seed}: {sound}\n{sql}");
        assert!(sound.undecided.is_empty(), "seed {seed}: {sound}\n{sql}");
        // One hole of each schema for each verb; the seed says in which table.
        for verb in [Verb::Read, Verb::Insert, Verb::Update, Verb::Delete] {
            let of_verb: Vec<_> = holes.iter().filter(|hole| hole.verb == verb).collect();
            let hole = of_verb[seed as usize % of_verb.len()];
            let report = schema.probe(&Tenancy::default(), Some(&hole.sql)).await;
            let found = report.findings.iter().any(|finding| {
                finding.object.name == hole.object && finding.verbs().contains(&hole.verb) && finding.harm > Harm::Low
            });
            assert!(found, "seed {seed}: {} is not found\n{report}\n{sql}", hole.sql);
        }
    }
}
