//! Sound schemas, and single holes in them, each with who does what to which object.

use rls_probe::{Report, Verb};

use super::{
    dice::Dice,
    tenancy::{Right, Shape, Tenancy},
};

/// A way that a sound schema is opened, and what has to be reported of it.
pub struct Hole {
    pub name: &'static str,
    pub sql: String,
    object: String,
    verb: Verb,
    actor: String,
    effect: &'static str,
}

impl Hole {
    /// Whether a report says it: object, verb, actor and effect.
    pub fn is_found(&self, report: &Report) -> bool {
        let mut findings = report.findings.iter().filter(|finding| finding.object.name == self.object);
        findings.any(|finding| {
            finding.effects.iter().any(|effect| {
                effect.verb == self.verb && effect.text.contains(self.effect) && effect.actors.contains(&self.actor)
            })
        })
    }
}

impl std::fmt::Display for Hole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, object, verb, actor, effect, .. } = self;
        write!(f, "{name} (expected: {actor} {effect}, {} {object})", verb.name())
    }
}

/// A schema, and its holes.
pub struct Made {
    pub about: String,
    pub sql: String,
    pub holes: Vec<Hole>,
}

/// A table of rows.
struct Table {
    name: String,
    /// What a policy asks for each right.
    asks: [String; 3],
    /// The table that its rows are part of.
    parent: Option<String>,
    /// A column of words.
    words: &'static str,
    /// Columns that have to be given, and what.
    sql: String,
}

impl Table {
    fn ask(&self, right: Right) -> &str {
        &self.asks[right as usize]
    }

    fn throw(dice: &mut Dice, tenancy: &Tenancy, number: usize, parent: Option<&Self>) -> Self {
        let noun = dice.of(&["invoices", "tickets", "projects", "visits", "assets", "shipments", "lessons"]);
        let name = format!("{noun}_{number}");
        let (words, extra) = dice.of(&[
            ("title", "title text not null, amount numeric(10, 2) not null default 0 check (amount >= 0)"),
            ("summary", "summary text not null check (length(summary) between 3 and 80), done boolean not null default false"),
            ("subject", "subject text not null, status text not null default 'draft' check (status in ('draft', 'sent', 'paid'))"),
            ("label", "label text not null, starts_on date, ends_on date, check (ends_on is null or ends_on >= starts_on)"),
            ("remark", "remark text, quantity integer not null check (quantity > 0), total integer generated always as (quantity * 2) stored"),
        ]);
        let column = tenancy.own_column();
        let rights = [Right::Read, Right::Write, Right::Manage];
        let (tie, asks) = match parent {
            Some(parent) => {
                let asks = rights.map(|right| {
                    format!(
                        "exists (select from {0} p where p.id = {name}.parent_id and {1})",
                        parent.name,
                        tenancy.asks(&format!("p.{column}"), right)
                    )
                });
                (format!("parent_id uuid not null references {} on delete cascade", parent.name), asks)
            }
            None => {
                let target = if tenancy.has_tenants() { tenancy.tenants } else { "auth.users" };
                let default = if tenancy.has_tenants() { "" } else { " default auth.uid()" };
                let tie = format!("{column} uuid not null{default} references {target} on delete cascade");
                (tie, rights.map(|right| tenancy.asks(&format!("{name}.{column}"), right)))
            }
        };
        let by = match dice.below(3) {
            0 if tenancy.has_tenants() => ", created_by uuid default auth.uid() references auth.users",
            _ => "",
        };
        let key = dice.of(&[
            "id uuid primary key default gen_random_uuid()",
            "id uuid default gen_random_uuid() primary key, created_at timestamptz not null default now()",
        ]);
        let [reads, writes, manages] = &asks;
        let deletes = if dice.coin() { writes } else { manages };
        let sql = format!(
            "create table {name} ({key}, {tie}, {extra}{by});
alter table {name} enable row level security;
create policy \"see {name}\" on {name} for select to authenticated using ({reads});
create policy \"add {name}\" on {name} for insert to authenticated with check ({writes});
create policy \"change {name}\" on {name} for update to authenticated using ({writes}) with check ({writes});
create policy \"drop {name}\" on {name} for delete to authenticated using ({deletes});\n"
        );
        Self { name, asks, parent: parent.map(|parent| parent.name.clone()), words, sql }
    }
}

/// What a seed makes.
pub fn make(seed: u64) -> Made {
    let mut dice = Dice::new(seed);
    let tenancy = Tenancy::throw(&mut dice);
    let mut sql = tenancy.sql();
    let mut tables: Vec<Table> = Vec::new();
    for number in 0..2 + dice.below(3) {
        let parent = tables.iter().find(|table| table.parent.is_none()).filter(|_| dice.coin());
        let table = Table::throw(&mut dice, &tenancy, number, parent);
        sql += &table.sql;
        tables.push(table);
    }
    let table = &tables[dice.below(tables.len())];
    let is_sound = objects(&mut dice, table, &mut sql);
    sql += "grant select, insert, update, delete on all tables in schema public to authenticated;
grant usage on all sequences in schema public to authenticated;
alter default privileges in schema public grant execute on functions to authenticated;\n";
    if tenancy.has_members() {
        sql += &format!("revoke insert, update, delete on {} from authenticated;\n", tenancy.members);
    }
    if tenancy.role == super::tenancy::Role::Table {
        sql += "revoke insert, update, delete on roles from authenticated;\n";
    }
    let about = format!("{:?} with {:?} roles, {} tables{is_sound}", tenancy.shape, tenancy.role, tables.len());
    let mut holes = of_policies(&tenancy, table);
    holes.extend(of_objects(table));
    holes.extend(of_roles(&tenancy, table));
    holes.extend(of_members(&tenancy));
    Made { about, sql, holes }
}

/// Views and functions over a table that ask what its policies ask.
fn objects(dice: &mut Dice, table: &Table, sql: &mut String) -> &'static str {
    let Table { name, words, .. } = table;
    match dice.below(4) {
        0 => {
            *sql += &format!(
                "create view {name}_shown with (security_invoker = true) as select id, {words} from {name};\n"
            );
            ", a view"
        }
        1 => {
            *sql += &format!(
                "create function {name}_{words}(p_id uuid) returns text language sql stable as $$ select {words} from {name} where id = p_id $$;\n"
            );
            ", a function that reads"
        }
        2 => {
            *sql += &format!(
                "create function edit_{name}(p_id uuid, p_{words} text) returns void language plpgsql security definer set search_path = 'public' as $$
begin
  update {name} set {words} = p_{words} where id = p_id and ({});
  if not found then raise exception 'not yours' using errcode = '42501'; end if;
end $$;
revoke execute on function edit_{name} from public;
grant execute on function edit_{name} to authenticated;\n",
                table.ask(Right::Write)
            );
            ", a function that writes"
        }
        _ => "",
    }
}

fn of_policies(tenancy: &Tenancy, table: &Table) -> Vec<Hole> {
    let name = &table.name;
    let (reads, writes) = (table.ask(Right::Read), table.ask(Right::Write));
    let hole = |title, sql: String, verb, effect| Hole {
        name: title,
        sql,
        object: format!("public.{name}"),
        verb,
        actor: "newcomer".to_owned(),
        effect,
    };
    let mut holes = vec![
        hole(
            "reads all",
            format!("alter policy \"see {name}\" on {name} using (true);"),
            Verb::Read,
            "can read rows of the other tenant",
        ),
        hole(
            "reads with an account",
            format!("alter policy \"see {name}\" on {name} using (auth.uid() is not null);"),
            Verb::Read,
            "can read rows of the other tenant",
        ),
        hole(
            "adds for all",
            format!("alter policy \"add {name}\" on {name} with check (true);"),
            Verb::Insert,
            "can add rows for the other tenant",
        ),
        hole(
            "changes all",
            format!(
                "alter policy \"see {name}\" on {name} using (true); alter policy \"change {name}\" on {name} using (true) with check (true);"
            ),
            Verb::Update,
            "can change rows of the other tenant",
        ),
        hole(
            "changes blindly",
            format!("alter policy \"change {name}\" on {name} using (true) with check (true);"),
            Verb::Update,
            "rows of the other tenant",
        ),
        hole(
            "deletes all",
            format!("alter policy \"drop {name}\" on {name} using (true);"),
            Verb::Delete,
            "can delete rows of the other tenant",
        ),
        hole(
            "no row security",
            format!("alter table {name} disable row level security;"),
            Verb::Read,
            "can read rows of the other tenant",
        ),
        hole(
            "one more policy",
            format!("create policy extra on {name} for all to authenticated using (true) with check (true);"),
            Verb::Delete,
            "can delete rows of the other tenant",
        ),
        hole(
            "or instead of and",
            format!("alter policy \"see {name}\" on {name} using ({reads} or id is not null);"),
            Verb::Read,
            "can read rows of the other tenant",
        ),
        Hole {
            actor: "anonymous".to_owned(),
            ..hole(
                "read without an account",
                format!(
                    "grant select on {name} to anon; create policy open on {name} for select to anon using (id is not null);"
                ),
                Verb::Read,
                "can read rows of the other tenant",
            )
        },
    ];
    if table.parent.is_none() {
        let member = of_own(tenancy);
        holes.push(Hole {
            actor: member.to_owned(),
            ..hole(
                "gives away",
                format!("alter policy \"change {name}\" on {name} using ({writes}) with check (true);"),
                Verb::Update,
                "can move rows of their own to the other tenant",
            )
        });
    }
    if let Some(parent) = &table.parent {
        let column = tenancy.own_column();
        let some = tenancy.asks(&format!("p.{column}"), Right::Read);
        holes.push(Hole {
            actor: of_own(tenancy).to_owned(),
            ..hole(
                "any parent",
                format!("alter policy \"see {name}\" on {name} using (exists (select from {parent} p where {some}));"),
                Verb::Read,
                "can read rows of the other tenant",
            )
        });
    }
    holes
}

/// Somebody who belongs somewhere, and may write there.
fn of_own(tenancy: &Tenancy) -> &'static str {
    match (tenancy.has_tenants(), tenancy.has_roles()) {
        (false, _) => "user",
        (true, true) => tenancy.roles[1],
        (true, false) => "user",
    }
}

fn of_objects(table: &Table) -> Vec<Hole> {
    let Table { name, words, .. } = table;
    let function = |title, sql: String, function: String, effect| Hole {
        name: title,
        sql,
        object: format!("public.{function}"),
        verb: Verb::Call,
        actor: "newcomer".to_owned(),
        effect,
    };
    vec![
        function(
            "function that reads all",
            format!(
                "create function find_{name}(p_id uuid) returns setof {name} language sql stable security definer set search_path = 'public' as $$ select * from {name} where id = p_id $$;"
            ),
            format!("find_{name}"),
            "can obtain data of the other tenant",
        ),
        function(
            "function that lists all",
            format!(
                "create function list_{name}() returns json language sql stable security definer set search_path = 'public' as $$ select json_agg(t) from {name} t $$;"
            ),
            format!("list_{name}"),
            "can obtain data of the other tenant",
        ),
        function(
            "function that changes all",
            format!(
                "create function set_{name}(target uuid, new_text text) returns void language plpgsql security definer set search_path = 'public' as $$ begin update {name} set {words} = new_text where id = target; end $$;"
            ),
            format!("set_{name}"),
            "can change the other tenant's rows",
        ),
        function(
            "function that deletes all",
            format!(
                "create function remove_{name}(target uuid) returns boolean language plpgsql security definer set search_path = 'public' as $$ begin delete from {name} where id = target; return found; end $$;"
            ),
            format!("remove_{name}"),
            "can change the other tenant's rows",
        ),
        Hole {
            name: "view of its owner",
            sql: format!(
                "create view all_{name} as select * from {name}; grant select on all_{name} to authenticated;"
            ),
            object: format!("public.all_{name}"),
            verb: Verb::Read,
            actor: "newcomer".to_owned(),
            effect: "can read rows of the other tenant through it",
        },
        Hole {
            name: "sums of its owner",
            sql: format!(
                "create view {name}_counted as select count(*) as n, max({words}) as last from {name}; grant select on {name}_counted to authenticated;"
            ),
            object: format!("public.{name}_counted"),
            verb: Verb::Read,
            actor: "newcomer".to_owned(),
            effect: "the other tenant",
        },
    ]
}

/// Readers who write.
fn of_roles(tenancy: &Tenancy, table: &Table) -> Vec<Hole> {
    // Nothing names a role of the token that may nothing.
    if !tenancy.has_roles() || tenancy.shape == Shape::Token {
        return Vec::new();
    }
    let (name, reads) = (&table.name, table.ask(Right::Read));
    let hole = |title, sql, verb, effect| Hole {
        name: title,
        sql,
        object: format!("public.{name}"),
        verb,
        actor: tenancy.roles[2].to_owned(),
        effect,
    };
    vec![
        hole(
            "readers change",
            format!("alter policy \"change {name}\" on {name} using ({reads}) with check ({reads});"),
            Verb::Update,
            "although its role is read-only",
        ),
        hole(
            "readers add",
            format!("alter policy \"add {name}\" on {name} with check ({reads});"),
            Verb::Insert,
            "although its role is read-only",
        ),
        hole(
            "readers delete",
            format!("alter policy \"drop {name}\" on {name} using ({reads});"),
            Verb::Delete,
            "although its role is read-only",
        ),
    ]
}

/// Memberships that anybody writes.
fn of_members(tenancy: &Tenancy) -> Vec<Hole> {
    if !tenancy.has_members() {
        return Vec::new();
    }
    let Tenancy { members, user, column, .. } = tenancy;
    let hole = |title, sql, verb, actor: &str, effect| Hole {
        name: title,
        sql,
        object: format!("public.{members}"),
        verb,
        actor: actor.to_owned(),
        effect,
    };
    let mine = format!("{user} = auth.uid()");
    let mut holes = vec![hole(
        "moves oneself",
        format!(
            "grant update ({column}) on {members} to authenticated; create policy own on {members} for update to authenticated using ({mine}) with check ({mine});"
        ),
        Verb::Update,
        of_own(tenancy),
        "can move themselves to the other tenant",
    )];
    if tenancy.shape != Shape::Profiles {
        holes.push(hole(
            "joins",
            format!("grant insert on {members} to authenticated; create policy own on {members} for insert to authenticated with check ({mine});"),
            Verb::Insert,
            "newcomer",
            "tenant",
        ));
    }
    if tenancy.has_roles() {
        holes.push(hole(
            "raises oneself",
            format!("grant update (role) on {members} to authenticated; create policy own on {members} for update to authenticated using ({mine}) with check ({mine});"),
            Verb::Update,
            tenancy.roles[1],
            "can raise their own role",
        ));
    }
    holes
}
