//! Whose rows are whose in a schema that is made: the shape of the tenancy, where roles stand, and how policies ask.

use super::dice::Dice;

/// How users belong to tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A table of memberships; policies ask functions.
    Memberships,
    /// A table of memberships; policies ask it themselves.
    Asked,
    /// Each user's profile says their tenant.
    Profiles,
    /// Memberships, and a tenant that says who founded it.
    Founded,
    /// The token says it.
    Token,
    /// Users own rows.
    Owners,
}

/// Where a role stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Text,
    Enum,
    Table,
    Missing,
}

/// A tenancy, with the names that its schema has for it.
pub struct Tenancy {
    pub shape: Shape,
    pub role: Role,
    pub tenants: &'static str,
    pub column: &'static str,
    pub members: &'static str,
    pub user: &'static str,
    /// The highest, one that writes and one that reads.
    pub roles: [&'static str; 3],
}

/// What a policy wants of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    Read,
    Write,
    Manage,
}

impl Tenancy {
    pub fn throw(dice: &mut Dice) -> Self {
        let shapes = [Shape::Memberships, Shape::Asked, Shape::Profiles, Shape::Founded, Shape::Token, Shape::Owners];
        let shape = dice.of(&shapes);
        let (tenants, column) = dice.of(&[
            ("studios", "studio_id"),
            ("farms", "farm_id"),
            ("workspaces", "workspace_id"),
            ("chapters", "chapter_id"),
            ("agencies", "agency_id"),
        ]);
        let members = match shape {
            Shape::Profiles => dice.of(&["profiles", "employees", "app_users"]),
            _ => dice.of(&["memberships", "team_members", "enrolments"]),
        };
        let user = match shape {
            Shape::Profiles => dice.of(&["id", "user_id"]),
            _ => dice.of(&["user_id", "profile_id", "account_id"]),
        };
        let role = match shape {
            Shape::Owners => Role::Missing,
            Shape::Token => dice.of(&[Role::Text, Role::Missing]),
            _ => dice.of(&[Role::Text, Role::Enum, Role::Table, Role::Missing]),
        };
        let roles =
            dice.of(&[["owner", "member", "viewer"], ["admin", "editor", "viewer"], ["manager", "staff", "readonly"]]);
        Self { shape, role, tenants, column, members, user, roles }
    }

    pub fn has_tenants(&self) -> bool {
        self.shape != Shape::Owners
    }

    pub fn has_members(&self) -> bool {
        !matches!(self.shape, Shape::Owners | Shape::Token)
    }

    /// The column that says whose a row is.
    pub fn own_column(&self) -> &'static str {
        if self.has_tenants() { self.column } else { self.user }
    }

    /// Whether a role tells those who write from those who read.
    pub fn has_roles(&self) -> bool {
        self.role != Role::Missing
    }

    /// What a row's tenant has to be, where `expression` is it.
    pub fn asks(&self, expression: &str, right: Right) -> String {
        let Self { column, members, user, .. } = self;
        match self.shape {
            Shape::Owners => format!("{expression} = auth.uid()"),
            Shape::Token => {
                let same = format!("{expression} = (auth.jwt() -> 'app_metadata' ->> '{column}')::uuid");
                match self.named(right).filter(|_| self.has_roles()) {
                    Some(names) => format!("{same} and auth.jwt() -> 'app_metadata' ->> 'role' in ({names})"),
                    None => same,
                }
            }
            Shape::Memberships | Shape::Founded => match right {
                Right::Read => format!("{expression} in (select my_{}())", self.tenants),
                _ => format!("can_{}({expression})", if right == Right::Write { "write" } else { "manage" }),
            },
            Shape::Profiles => match right {
                Right::Read => format!("{expression} = my_tenant()"),
                _ => format!("{expression} = my_tenant() and {}", self.role_is("my_role()", right)),
            },
            Shape::Asked => {
                let role = self.role_is("m.role", right);
                format!(
                    "exists (select from {members} m where m.{column} = {expression} and m.{user} = auth.uid() and {role})"
                )
            }
        }
    }

    fn named(&self, right: Right) -> Option<String> {
        let [highest, writes, _] = self.roles;
        match right {
            Right::Read => None,
            Right::Write => Some(format!("'{highest}', '{writes}'")),
            Right::Manage => Some(format!("'{highest}'")),
        }
    }

    /// That a role is one of those that have a right.
    fn role_is(&self, role: &str, right: Right) -> String {
        match self.named(right).filter(|_| self.has_roles()) {
            Some(names) => format!("{role} in ({names})"),
            None => "true".to_owned(),
        }
    }

    /// Tenants, members and the functions that policies ask.
    pub fn sql(&self) -> String {
        let Self { tenants, column, members, user, .. } = self;
        let mut sql = String::new();
        if !self.has_tenants() {
            return sql;
        }
        let founder = match self.shape {
            Shape::Founded => ", created_by uuid not null default auth.uid() references auth.users",
            _ => "",
        };
        sql += &format!(
            "create table {tenants} (id uuid primary key default gen_random_uuid(), name text not null, created_at timestamptz not null default now(){founder});
alter table {tenants} enable row level security;\n"
        );
        if self.has_members() {
            sql += &self.members_sql();
        }
        sql += &format!(
            "create policy \"members see it\" on {tenants} for select to authenticated using ({});\n",
            self.asks(&format!("{tenants}.id"), Right::Read)
        );
        if self.has_members() {
            let visible = match self.shape {
                Shape::Asked => format!("{user} = auth.uid()"),
                _ => self.asks(column, Right::Read),
            };
            sql +=
                &format!("create policy \"see members\" on {members} for select to authenticated using ({visible});\n");
        }
        sql
    }

    fn members_sql(&self) -> String {
        let Self { tenants, column, members, user, roles: [highest, writes, reads], .. } = self;
        let all = format!("'{highest}', '{writes}', '{reads}'");
        let (before, role) = match self.role {
            Role::Text => (String::new(), format!(", role text not null check (role in ({all}))")),
            Role::Enum => (
                format!("create type member_role as enum ({all});\n"),
                format!(", role member_role not null default '{reads}'"),
            ),
            Role::Table => (
                format!(
                    "create table roles (name text primary key, label text not null);
insert into roles values ('{highest}', 'A'), ('{writes}', 'B'), ('{reads}', 'C');
alter table roles enable row level security;
create policy \"everybody reads roles\" on roles for select to authenticated using (true);\n"
                ),
                ", role text not null references roles".to_owned(),
            ),
            Role::Missing => (String::new(), String::new()),
        };
        let key = match self.shape {
            Shape::Profiles => {
                format!("{user} uuid primary key references auth.users on delete cascade, full_name text")
            }
            _ => format!(
                "id uuid primary key default gen_random_uuid(), {user} uuid not null references auth.users on delete cascade"
            ),
        };
        let unique = if self.shape == Shape::Profiles { String::new() } else { format!(", unique ({column}, {user})") };
        let table = format!(
            "{before}create table {members} ({key}, {column} uuid not null references {tenants} on delete cascade{role}{unique});
alter table {members} enable row level security;\n"
        );
        let definer = "language sql stable security definer set search_path = ''";
        let me = format!("from public.{members} where {user} = auth.uid()");
        let functions = match self.shape {
            Shape::Profiles => {
                let role =
                    format!("create function my_role() returns text {definer} as $$ select role::text {me} $$;\n");
                format!(
                    "create function my_tenant() returns uuid {definer} as $$ select {column} {me} $$;\n{}",
                    if self.has_roles() { role.as_str() } else { "" }
                )
            }
            Shape::Memberships | Shape::Founded => {
                let can = |name: &str, right: Right| {
                    format!(
                        "create function can_{name}(tenant uuid) returns boolean {definer} as $$ select exists (select {me} and {column} = tenant and {}) $$;\n",
                        self.role_is("role::text", right)
                    )
                };
                format!(
                    "create function my_{tenants}() returns setof uuid {definer} as $$ select {column} {me} $$;\n{}{}",
                    can("write", Right::Write),
                    can("manage", Right::Manage)
                )
            }
            _ => String::new(),
        };
        table + &functions
    }
}
