//! Post-Deployment Monitoring, First 24 Hours: "Review audit log for anomalies", of two days, so that a night and the working
//! hours on either side of the release are in them.

use harness::{
    AuditSequence, Check, Contract, Deployment, Failure, MADE_BY_CHECKS, Section, Verdict, check_if_promised,
};
use serde::{Deserialize, de::DeserializeOwned};

/// What is looked at.
const SPAN: &str = "interval '48 hours'";

/// The same for people.
const SPAN_SHOWN: &str = "the last two days";

/// Of one person in a minute: more is a program with their session.
const MOST_IN_A_MINUTE: i64 = 120;

/// Events and actions that a report names.
const SHOWN: usize = 5;

/// The log's names as SQL.
struct Log {
    table: String,
    actor: String,
    time: String,
    action: String,
    /// What leaves out events of a check's own people: they come and go, with institutions of their own, and are as fast as
    /// programs, at any hour.
    not_ours: String,
    accepted: String,
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn texts<'t>(all: impl Iterator<Item = &'t str>) -> String {
    format!("array[{}]::text[]", all.map(literal).collect::<Vec<_>>().join(", "))
}

impl Log {
    fn of(contract: &Contract) -> Verdict<Self> {
        let audit = contract.audit()?;
        let institution = contract.make().ok().and_then(|make| make.get("institution"));
        let in_ours = institution.map(|recipe| {
            let (institutions, tenant) = (identifier(&recipe.table), identifier(&audit.tenant));
            format!("exists (select from public.{institutions} i where i.id = {tenant} and i.name like '{MADE_BY_CHECKS} %')")
        });
        let email = audit.email.as_deref().map(identifier);
        let by_ours = email.map(|email| format!("coalesce({email}, '') like '{MADE_BY_CHECKS}-%'"));
        let ours: Vec<_> = in_ours.into_iter().chain(by_ours).map(|ours| format!("and not {ours}")).collect();
        Ok(Self {
            table: format!("public.{}", identifier(&audit.table)),
            actor: identifier(&audit.actor),
            time: identifier(&audit.time),
            action: identifier(&audit.action),
            not_ours: ours.join(" "),
            accepted: texts(audit.accepted.iter().map(String::as_str)),
        })
    }

    /// The events that are looked at, as `day`.
    fn day(&self) -> String {
        let Self { table, actor, time, action, not_ours, accepted } = self;
        format!(
            "with day as (select {actor} as actor, {time} as at, {action}::text as action, {action} = any({accepted}) as is_allocation
                 from {table} where {time} > now() - {SPAN} {not_ours})"
        )
    }
}

/// The one row of a query.
async fn row<T: DeserializeOwned>(check: &Check, claim: &str, sql: &str) -> Verdict<Option<T>> {
    let management = check.deployment().management()?;
    let rows: Vec<T> = management.query(sql).await.map_err(|error| Deployment::vendor_failed(claim, &error))?;
    Ok(rows.into_iter().next())
}

/// Nothing is wrong in a log that is not written.
fn nothing_seen(claim: &str, expected: String, log: &Log) -> Failure {
    Failure::undecided(claim)
        .expected(expected)
        .seen("none")
        .at(shown(log))
        .advice("after a release somebody has signed in or allocated: look whether the log is written at all")
}

fn shown(log: &Log) -> String {
    log.table.replace('"', "")
}

/// What is odd about the events.
#[derive(Deserialize)]
struct Events {
    all: i64,
    nobody: i64,
    gone: i64,
    future: i64,
    most_in_a_minute: i64,
}

#[test]
fn every_event_of_the_audit_log_can_be_explained() -> Verdict {
    check_if_promised(&[Section::Release, Section::Audit], "post.2.3", async |check| {
        let (log, claim) = (Log::of(check.contract())?, "every event of the audit log can be explained");
        // What nobody did is the system's own; an allocation is a person's.
        let sql = format!(
            "{} select count(*) as \"all\", count(*) filter (where actor is null and is_allocation) as nobody,
                    count(*) filter (where actor is not null and not exists (
                        select from auth.users u where u.id::text = actor::text and coalesce(u.banned_until < now(), true))) as gone,
                    count(*) filter (where at > now() + interval '5 minutes') as future,
                    coalesce((select max(of_one) from (select count(*) as of_one from day where actor is not null
                        group by actor, date_trunc('minute', at)) as minutes), 0) as most_in_a_minute
             from day",
            log.day()
        );
        let events = row::<Events>(check, claim, &sql).await?.filter(|events| events.all > 0);
        let Some(events) = events else {
            return Err(nothing_seen(claim, format!("events of {SPAN_SHOWN}"), &log));
        };
        let odd = [
            (events.nobody, "allocations without anybody who made them"),
            (events.gone, "by users who are deleted or banned"),
            (events.future, "of a time that is still to come"),
            (events.most_in_a_minute.saturating_sub(MOST_IN_A_MINUTE).max(0), "more than a person makes in a minute"),
        ];
        let odd: Vec<_> =
            odd.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        if odd.is_empty() {
            check.measured(format!("{} events of {SPAN_SHOWN}", events.all));
            return Ok(());
        }
        Err(Failure::failed(claim)
            .expected("events by users who are there, at times that have been, as fast as people are")
            .seen(format!("of {} events {}", events.all, odd.join(", ")))
            .at(shown(&log))
            .advice("ask whoever operates the portal; what nobody can explain is an incident (Incident Response)"))
    })
}

/// When people did something.
#[derive(Deserialize)]
struct Hours {
    all: i64,
    odd: i64,
    named: Vec<String>,
}

#[test]
fn people_act_in_their_working_hours() -> Verdict {
    check_if_promised(&[Section::Release, Section::AuditHours, Section::Data], "post.2.3", async |check| {
        let (log, hours) = (Log::of(check.contract())?, check.contract().audit_hours()?);
        let (claim, zone) = ("people act in their working hours", &check.contract().data()?.time_zone);
        let outside = if hours.from < hours.until { "or" } else { "and" };
        let sql = format!(
            "{}, local as (select action, at at time zone {} as at from day where actor is not null),
                  odd as (select * from local where at::time < '{}' {outside} at::time >= '{}')
             select (select count(*) from local) as \"all\", (select count(*) from odd) as odd,
                    coalesce((select json_agg(line) from (select to_char(at, 'DD Mon, HH24:MI') || ' ' || action as line
                        from odd order by at limit {SHOWN}) lines), '[]') as named",
            log.day(),
            literal(zone),
            hours.from,
            hours.until
        );
        let events = row::<Hours>(check, claim, &sql).await?.filter(|events| events.all > 0);
        let Some(Hours { all, odd, named }) = events else {
            return Err(nothing_seen(claim, format!("events of {SPAN_SHOWN} by people"), &log));
        };
        let shown_hours = format!("{} to {} of {zone}", hours.from.strftime("%H:%M"), hours.until.strftime("%H:%M"));
        if odd == 0 {
            check.measured(format!("{all} events by people, each from {shown_hours}"));
            return Ok(());
        }
        Err(Failure::failed(claim)
            .expected(format!("events by people from {shown_hours}"))
            .seen(format!("{odd} of {all} at other times\n{}", named.join("\n")))
            .at(shown(&log))
            .advice("ask whoever it was; if they know nothing of it, somebody else has their session: sign them out and give them another password (Incident Response)"))
    })
}

/// The numbers of a sequence, beside what the database itself has counted.
#[derive(Deserialize)]
struct Numbers {
    all: i64,
    last: i64,
    unnumbered: i64,
    missing: i64,
    widest: i64,
    /// Rows that were deleted since the database's statistics began.
    deleted: i64,
}

impl Numbers {
    async fn of(check: &Check, claim: &str, log: &Log, sequence: &AuditSequence) -> Verdict<Option<Self>> {
        let (table, column) = (&log.table, identifier(&sequence.column));
        let (table_name, column_name) = (literal(table), literal(&sequence.column));
        let sql = format!(
            "with counter as (select s.start_value, s.last_value from pg_catalog.pg_sequences s
                  where format('%I.%I', s.schemaname, s.sequencename) = pg_catalog.pg_get_serial_sequence({table_name}, {column_name})),
                  numbers as (select {column}::int8 as number from {table} where {column} is not null),
                  ends as (select coalesce((select start_value from counter), 1) as first,
                      greatest((select max(number) from numbers), (select last_value from counter)) as last),
                  gaps as (select number - lag(number, 1, (select first - 1 from ends)) over (order by number) - 1 as missing
                      from (select number from numbers union all select last + 1 from ends) all_numbers)
             select (select count(*) from numbers) as \"all\", coalesce((select last from ends), 0) as last,
                    (select count(*) from {table} where {column} is null) as unnumbered,
                    coalesce((select sum(missing) from gaps where missing > 0), 0)::int8 as missing,
                    coalesce((select max(missing) from gaps), 0) as widest,
                    coalesce((select n_tup_del from pg_catalog.pg_stat_all_tables where relid = {table_name}::regclass), 0) as deleted"
        );
        row(check, claim, &sql).await
    }

    /// What the numbers prove. A transaction that is taken back leaves a gap as somebody does who deletes: the two differ in
    /// what the database has counted, and in how wide a gap can be.
    fn wrong(&self, sequence: &AuditSequence) -> Vec<String> {
        let Self { unnumbered, missing, widest, deleted, last, .. } = self;
        let mut wrong = Vec::new();
        if *missing > 0 && *deleted > 0 {
            wrong.push(format!("{missing} of the numbers up to {last} are missing, and {deleted} events were deleted"));
        }
        if *widest > sequence.taken_back_at_most {
            wrong.push(format!("{widest} numbers in a row are missing, more than a transaction writes"));
        }
        if *unnumbered > 0 {
            wrong.push(format!("{unnumbered} events without a number"));
        }
        wrong
    }
}

#[test]
fn no_event_of_the_audit_log_is_missing() -> Verdict {
    check_if_promised(&[Section::Release, Section::AuditSequence], "post.2.3", async |check| {
        let (log, sequence) = (Log::of(check.contract())?, check.contract().audit_sequence()?);
        let claim = "no event of the audit log is missing";
        let numbers = Numbers::of(check, claim, &log, sequence).await?.filter(|it| it.last > 0 || it.unnumbered > 0);
        let Some(numbers) = numbers else {
            return Err(nothing_seen(claim, "events".to_owned(), &log));
        };
        let wrong = numbers.wrong(sequence);
        if wrong.is_empty() {
            let Numbers { all, last, missing, .. } = numbers;
            check.measured(format!("{all} events up to number {last}, {missing} taken back, none deleted"));
            return Ok(());
        }
        Err(Failure::failed(claim)
            .expected(format!(
                "no event deleted, and no more than {} numbers in a row missing, those of a transaction that was taken back",
                sequence.taken_back_at_most
            ))
            .seen(wrong.join("\n"))
            .at(format!("{}.{}", shown(&log), sequence.column))
            .advice("restore the log beside the portal to a point in time before, compare the two, and find who may delete there (Incident Response)"))
    })
}

/// Actions that the contract does not know.
#[derive(Deserialize)]
struct Actions {
    all: i64,
    unknown: i64,
    named: Vec<String>,
}

#[test]
fn only_known_actions_are_in_the_audit_log() -> Verdict {
    check_if_promised(&[Section::Release, Section::AuditActions], "post.2.3", async |check| {
        let (log, claim) = (Log::of(check.contract())?, "only actions that the portal has are in the audit log");
        let known = texts(check.contract().audit_actions()?);
        let sql = format!(
            "{}, unknown as (select action, count(*) as events from day where action <> all({known}) group by action)
             select (select count(*) from day) as \"all\", coalesce((select sum(events) from unknown), 0)::int8 as unknown,
                    coalesce((select json_agg(line) from (select format('%s × %s', events, action) as line
                        from unknown order by events desc, action limit {SHOWN}) lines), '[]') as named",
            log.day()
        );
        let events = row::<Actions>(check, claim, &sql).await?.filter(|events| events.all > 0);
        let Some(Actions { all, unknown, named }) = events else {
            return Err(nothing_seen(claim, format!("events of {SPAN_SHOWN}"), &log));
        };
        if unknown == 0 {
            check.measured(format!("{all} events of {SPAN_SHOWN}, each of a known action"));
            return Ok(());
        }
        Err(Failure::failed(claim)
            .expected("events that [audit] of the contract lists as accepted or under actions")
            .seen(format!("{unknown} of {all} events\n{}", named.join("\n")))
            .at(shown(&log))
            .advice("find what writes them: add the action to [audit] of the contract if it came with this release; else it is an incident (Incident Response)"))
    })
}
