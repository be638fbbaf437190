//! The one transaction that everything happens in, and that is rolled back. A probe is an attempt: a savepoint, the
//! actor's role and claims, one statement, a look at what it did, and back to the savepoint.

use std::{
    str::FromStr,
    time::{Duration, Instant},
};

use futures_util::TryStreamExt;
use sqlx::{
    AssertSqlSafe, Connection, Either, Executor, PgConnection, Row as _, ValueRef as _,
    postgres::{PgConnectOptions, PgDatabaseError},
};

use crate::{actor::Actor, error::Error, refused::Refused, sql::literal};

/// How long one probe may take, and how long it may wait for a lock, milliseconds; the same while another session of ours
/// may hold it.
const STATEMENT_TIMEOUT: u32 = 3_000;
const LOCK_TIMEOUT: u32 = 1_000;
const SHARED_LOCK_TIMEOUT: u32 = 100;

/// How long the probes of one object may take, unless somebody says otherwise.
pub const BUDGET: Duration = Duration::from_secs(60);

/// How it is taken back that somebody acts, with what they attempted.
const LEAVE: [&str; 2] = ["rollback to savepoint acting", "release savepoint acting"];

/// How an attempt is taken back by somebody who goes on acting.
const BACK: &str = "rollback to savepoint attempted";

/// A connection that privileged statements and probes are made on.
pub struct Desk {
    connection: PgConnection,
    /// Triggers can be held back, which takes a superuser or Supabase's `postgres`.
    pub can_hold_triggers: bool,
    /// Some constraint may wait for the end of the transaction.
    has_deferrable: bool,
    /// Constraints that do so unless somebody says otherwise, by name.
    deferred: String,
    /// Whatever is written moves the log on: not so what is written to tables of this transaction's own, where the server
    /// logs the least.
    pub logs_writes: bool,
    /// Who acts, by the statement that makes the transaction theirs: it holds inside the savepoint `acting`, and around the
    /// savepoint `attempted`, until somebody else acts.
    acting: Option<String>,
    /// An attempt was refused, and is taken back with the next statement: that saves a round trip for most probes.
    is_refused: bool,
    /// How many statements were attempted.
    pub attempts: u64,
    /// How long the probes of one object may take.
    pub budget: Duration,
    /// Until when attempts are made, where something says so.
    until: Option<Instant>,
    /// How many attempts were not made any more.
    late: u64,
    /// How often somebody else's locks kept a statement from its end.
    pub kept_waiting: u64,
    /// A value that somebody else is about to take is taken.
    pub gives_way: bool,
}

/// What a statement did.
#[derive(Debug, Clone, Default)]
pub struct Done {
    /// First column of each row, as text.
    pub rows: Vec<Option<String>>,
    /// Rows that it returned or changed.
    pub affected: u64,
}

impl Done {
    /// The only value of the only row.
    pub fn value(&self) -> Option<&str> {
        self.rows.first()?.as_deref()
    }

    pub fn number(&self) -> i64 {
        self.value().and_then(|text| text.parse().ok()).unwrap_or_default()
    }
}

/// What is arranged for an attempt, as one who may; each is one statement.
#[derive(Clone, Copy)]
pub enum Arranged<'a> {
    /// What no code of the database's notices.
    Unnoticed(&'a [String]),
    /// What sets off code, which sees that nobody's request does it.
    ByNobody(&'a [String]),
}

impl Arranged<'_> {
    pub const NOTHING: Self = Self::Unnoticed(&[]);
}

/// What came of an attempt: what the statement did, with what was looked at behind it, or why not.
pub type Attempted = Result<(Done, Vec<Done>), Refused>;

impl Desk {
    /// Connects, and makes sure that the connection may play users and sees everything.
    ///
    /// # Errors
    /// When nobody answers, or the connection's role is not fit for probing.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        if url.contains(":6543") || url.contains("pgbouncer=true") {
            return Err(Error::Pooler);
        }
        let options = PgConnectOptions::from_str(url).map_err(|_| Error::Url)?.statement_cache_capacity(0);
        let connection = PgConnection::connect_with(&options).await.map_err(|error| Error::Connect(reason(&error)))?;
        let mut desk = Self {
            connection,
            can_hold_triggers: false,
            has_deferrable: false,
            deferred: String::new(),
            logs_writes: true,
            acting: None,
            is_refused: false,
            attempts: 0,
            budget: BUDGET,
            until: None,
            late: 0,
            kept_waiting: 0,
            gives_way: false,
        };
        let version: i64 = desk.run("select current_setting('server_version_num')").await.map(|done| done.number())?;
        if version < 140_000 {
            return Err(Error::Version(version / 10_000));
        }
        desk.run("begin isolation level read committed").await?;
        for role in ["anon", "authenticated"] {
            if let Err(refused) = desk.try_privileged(&format!("set local role {role}")).await? {
                return Err(Error::Role { role, refused: refused.to_string() });
            }
        }
        let bypasses = "select rolsuper or rolbypassrls from pg_roles where rolname = current_user";
        if desk.run(bypasses).await?.value() != Some("t") {
            return Err(Error::Bound);
        }
        desk.run("rollback").await?;
        Ok(desk)
    }

    /// Begins the transaction, with a migration as its first part.
    ///
    /// # Errors
    /// When the migration fails.
    pub async fn begin(&mut self, migration: Option<&str>) -> Result<(), Error> {
        self.run("begin isolation level read committed").await?;
        if let Some(migration) = migration {
            self.keep(migration).await?.map_err(|refused| Error::Migration(refused.to_string()))?;
            // Its settings are those of its session, not of the users'.
            self.run("reset all").await?;
        }
        self.run(&format!(
            "set local statement_timeout = {STATEMENT_TIMEOUT}; set local lock_timeout = {LOCK_TIMEOUT}; \
             set local idle_in_transaction_session_timeout = '5min'; set local client_min_messages = error; \
             set local default_transaction_deferrable = off; set local synchronous_commit = off; set local jit = off"
        ))
        .await?;
        // Thousands of attempts are refused, and nobody looks for them in the server's log.
        let _ = self.keep("set local log_min_messages = fatal; set local log_min_error_statement = panic").await?;
        let deferrable = "select exists (select from pg_constraint where condeferrable)";
        self.has_deferrable = self.run(deferrable).await?.value() == Some("t");
        let level = "select current_setting('wal_level')";
        self.logs_writes = migration.is_none() || self.run(level).await?.value() != Some("minimal");
        let deferred = "select string_agg(distinct format('%I.%I', n.nspname, k.conname), ', ')
            from pg_constraint k join pg_namespace n on n.oid = k.connamespace where k.condeferred";
        self.deferred = self.run(deferred).await?.value().unwrap_or_default().to_owned();
        self.can_hold_triggers = self.try_privileged("set local session_replication_role = replica").await?.is_ok();
        Ok(())
    }

    /// Runs statements and answers with what the last one did.
    ///
    /// # Errors
    /// When one of them is refused, or the connection is lost.
    pub async fn run(&mut self, sql: &str) -> Result<Done, Error> {
        match self.statements(sql).await? {
            Ok(mut done) => Ok(done.pop().unwrap_or_default()),
            Err(refused) => Err(Error::Refused { sql: sql.to_owned(), refused }),
        }
    }

    /// Asks a question whose parameter is a list of texts.
    pub async fn text(&mut self, sql: &'static str, list: &[String]) -> Result<String, Error> {
        if self.acting.is_some() {
            self.run("select").await?;
        }
        sqlx::query_scalar(sql)
            .bind(list)
            .fetch_one(&mut self.connection)
            .await
            .map_err(|error| lost(&error, self.attempts))
    }

    /// Runs statements that stay, or, when one is refused, none of them.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn keep(&mut self, sql: &str) -> Result<Result<Done, Refused>, Error> {
        self.kept(sql, &[]).await
    }

    /// Runs statements that stay, and what they left for the end of the transaction: an attempt has to do with its own
    /// constraints only.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn keep_settled(&mut self, sql: &str) -> Result<Result<Done, Refused>, Error> {
        if self.deferred.is_empty() {
            return self.keep(sql).await;
        }
        let defer = format!("set constraints {} deferred; ", self.deferred);
        self.kept(sql, &["set constraints all immediate; ", &defer]).await
    }

    /// Answers with what the last of the statements did, before those `after` it.
    async fn kept(&mut self, sql: &str, after: &[&str]) -> Result<Result<Done, Refused>, Error> {
        match self.statements(&format!("savepoint kept; {sql}; {}release savepoint kept", after.concat())).await? {
            Ok(done) => {
                let last = done.len().saturating_sub(2 + after.len());
                Ok(Ok(done.into_iter().nth(last).unwrap_or_default()))
            }
            Err(refused) => {
                self.back("kept").await?;
                Ok(Err(refused))
            }
        }
    }

    /// Runs a privileged statement and takes it back.
    async fn try_privileged(&mut self, sql: &str) -> Result<Result<(), Refused>, Error> {
        let done = self.statements(&format!("savepoint tried; {sql}")).await?;
        self.back("tried").await?;
        Ok(done.map(|_| ()))
    }

    /// Attempts one statement as an actor, looks at its effects as one who sees all, and takes it back. Each of `looks` is
    /// one statement.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn attempt(
        &mut self,
        actor: &Actor,
        arranged: Arranged<'_>,
        sql: &str,
        looks: &[String],
    ) -> Result<Attempted, Error> {
        if self.until.is_some_and(|until| Instant::now() >= until) {
            self.late += 1;
            return Ok(Err(Refused::by_time("not tried any more")));
        }
        self.attempts += 1;
        let (become_them, take_role) = (actor.become_in_one(), actor.take_role());
        let nobody;
        let acts_on = self.acting.as_deref() == Some(&become_them);
        let mut script = self.beginning(&become_them);
        let (begun, left) = (script.len(), self.leave().len());
        match arranged {
            Arranged::Unnoticed([]) | Arranged::ByNobody([]) => {}
            Arranged::Unnoticed(statements) => {
                script.push("reset role");
                script.extend(statements.iter().map(String::as_str));
                script.push(&take_role);
            }
            Arranged::ByNobody(statements) => {
                nobody = Actor::become_nobody();
                script.extend(["reset role", &nobody]);
                script.extend(statements.iter().map(String::as_str));
                script.push(&become_them);
            }
        }
        let ahead = script.len();
        script.push(sql);
        if self.has_deferrable {
            script.push("set constraints all immediate");
        }
        if !looks.is_empty() {
            script.push("reset role");
            script.extend(looks.iter().map(String::as_str));
        }
        script.push(BACK);
        let (done, refused) = self.answers(script.join(";\n")).await?;
        // A statement that cannot be parsed keeps those before it from being run.
        if !acts_on && (done.len() > left || refused.is_none()) {
            self.acting = Some(if done.len() >= begun { become_them } else { String::new() });
        }
        self.is_refused = refused.is_some();
        if let Some(refused) = refused {
            return Ok(Err(refused));
        }
        let mut done = done.into_iter().skip(ahead);
        let first = done.next().unwrap_or_default();
        let between = if self.has_deferrable { 2 } else { 1 };
        Ok(Ok((first, done.skip(between).take(looks.len()).collect())))
    }

    /// What makes the transaction an actor's. Each statement counts, since there are thousands of probes: who acted last
    /// goes on acting.
    fn beginning<'s>(&self, become_them: &'s str) -> Vec<&'s str> {
        if self.acting.as_deref() == Some(become_them) {
            return if self.is_refused { vec![BACK] } else { Vec::new() };
        }
        let mut script = self.leave().to_vec();
        script.extend(["savepoint acting", become_them, "savepoint attempted"]);
        script
    }

    /// What takes it back that somebody acts, where somebody does.
    fn leave(&self) -> &'static [&'static str] {
        if self.acting.is_some() { &LEAVE } else { &[] }
    }

    /// Begins the time that the probes of an object may take.
    pub fn begin_object(&mut self) {
        self.until = Some(Instant::now() + self.budget);
        self.late = 0;
    }

    /// Says whether another session of ours is at work.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn share(&mut self, is_shared: bool) -> Result<(), Error> {
        let timeout = if is_shared { SHARED_LOCK_TIMEOUT } else { LOCK_TIMEOUT };
        self.run(&format!("set local lock_timeout = {timeout}")).await.map(|_| ())
    }

    /// Ends it. Whether attempts were left out.
    pub fn end_object(&mut self) -> bool {
        self.until = None;
        self.late > 0
    }

    /// Runs statements outside the transaction, and answers with the rows of the last one and its first value.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn outside(&mut self, sql: &str) -> Result<Result<(u64, Option<String>), ()>, Error> {
        let done = self.statements(sql).await?;
        Ok(done.map_err(drop).map(|mut done| {
            let last = done.pop().unwrap_or_default();
            (last.affected, last.value().map(str::to_owned))
        }))
    }

    /// Begins something that is taken back as a whole.
    pub async fn mark(&mut self, name: &str) -> Result<(), Error> {
        self.run(&format!("savepoint {name}")).await.map(|_| ())
    }

    /// Takes back everything since [`Desk::mark`].
    pub async fn back(&mut self, name: &str) -> Result<(), Error> {
        self.run(&format!("rollback to savepoint {name}; release savepoint {name}")).await.map(|_| ())
    }

    /// Takes back everything, and answers with the status that PostgreSQL then reports of the transaction.
    pub async fn end(&mut self) -> Result<String, Error> {
        let id = self.run("select pg_current_xact_id()::text").await?.value().unwrap_or_default().to_owned();
        self.run("rollback").await?;
        let status = self.run(&format!("select pg_xact_status({}::xid8)", literal(&id))).await?;
        Ok(status.value().unwrap_or_default().to_owned())
    }

    /// Ends the connection.
    pub async fn close(self) -> Result<(), Error> {
        self.connection.close().await.map_err(|error| lost(&error, self.attempts))
    }

    /// The first value of each statement.
    pub async fn each(&mut self, sql: &str) -> Result<Vec<Option<String>>, Error> {
        match self.statements(sql).await? {
            Ok(done) => Ok(done.iter().map(|done| done.value().map(str::to_owned)).collect()),
            Err(refused) => Err(Error::Refused { sql: sql.to_owned(), refused }),
        }
    }

    /// Each statement's rows and count, in order; or the refusal of the first that was refused.
    async fn statements(&mut self, sql: &str) -> Result<Result<Vec<Done>, Refused>, Error> {
        let (script, ahead) = ([self.leave(), &[sql]].concat(), self.leave().len());
        let (mut done, refused) = self.answers(script.join(";\n")).await?;
        // A statement that cannot be parsed keeps those before it from being run.
        if done.len() >= ahead {
            self.acting = None;
            self.is_refused = false;
            done.drain(..ahead);
        }
        Ok(match refused {
            Some(refused) => Err(refused),
            None => Ok(done),
        })
    }

    /// What the statements did up to the first that was refused, and why it was.
    async fn answers(&mut self, sql: String) -> Result<(Vec<Done>, Option<Refused>), Error> {
        let mut done = Vec::new();
        let mut now = Done::default();
        let mut stream = self.connection.fetch_many(sqlx::raw_sql(AssertSqlSafe(sql)));
        loop {
            match stream.try_next().await {
                Ok(None) => return Ok((done, None)),
                Ok(Some(Either::Left(result))) => {
                    now.affected = result.rows_affected();
                    done.push(std::mem::take(&mut now));
                }
                Ok(Some(Either::Right(row))) => {
                    let text = row.try_get_raw(0).ok().filter(|value| !value.is_null());
                    now.rows.push(text.and_then(|value| value.as_str().ok().map(str::to_owned)));
                }
                Err(error) => {
                    drop(stream);
                    let database = error.as_database_error();
                    return match database.and_then(|error| error.try_downcast_ref::<PgDatabaseError>()) {
                        // The server ended the connection or shuts down.
                        Some(error) if error.code().starts_with("57P") => {
                            Err(Error::Lost { why: error.message().to_owned(), attempts: self.attempts })
                        }
                        Some(error) if let Some(index) = waited_for(error).filter(|_| self.gives_way) => {
                            let refused = Refused {
                                code: "23505".to_owned(),
                                message: error.message().to_owned(),
                                constraint: Some(index.to_owned()),
                                column: None,
                            };
                            Ok((done, Some(refused)))
                        }
                        Some(error) => {
                            self.kept_waiting += u64::from(matches!(error.code(), "55P03" | "40P01"));
                            let refused = Refused {
                                code: error.code().to_owned(),
                                message: error.message().to_owned(),
                                constraint: error.constraint().map(str::to_owned),
                                column: error.column().map(str::to_owned),
                            };
                            Ok((done, Some(refused)))
                        }
                        None => Err(lost(&error, self.attempts)),
                    };
                }
            }
        }
    }
}

/// The index that a statement waited for in vain, since somebody else is about to put the same value into it.
fn waited_for(error: &PgDatabaseError) -> Option<&str> {
    let place = error.r#where().filter(|_| error.code() == "55P03")?;
    place.strip_prefix("while inserting index tuple ")?.split('"').nth(1)
}

fn lost(error: &sqlx::Error, attempts: u64) -> Error {
    Error::Lost { why: reason(error), attempts }
}

/// An error without the address and what else may be in it.
fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Database(error) => error.message().to_owned(),
        other => other.to_string(),
    }
}
