//! Post-Deployment Monitoring, First Hour and First 24 Hours: what the project's log and its database have, against what they
//! had before. Counts alone: messages may hold what members' rows hold.

use std::collections::BTreeMap;

use harness::{
    Cause, Check, Deployment, Failure, ManagementClient, Progress, Section, SentryIssue, Verdict, Workload, Workloads,
    check, check_if_promised,
};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

/// Days before with whose hour the last one is compared.
const DAYS: i64 = 3;

/// So many errors of a source in an hour are its noise.
const NOISE: u64 = 3;

/// Lines of the log that are alike.
#[derive(Deserialize)]
struct Lines {
    source: String,
    severity: Option<String>,
    status: Value,
    lines: Value,
}

impl Lines {
    fn count(&self) -> u64 {
        self.lines.as_u64().or_else(|| self.lines.as_str()?.parse().ok()).unwrap_or(0)
    }

    /// An answer of 500 or more, or what its writer calls an error.
    fn are_errors(&self) -> bool {
        let severity = self.severity.as_deref().unwrap_or_default().to_ascii_uppercase();
        let status = self.status.as_u64().or_else(|| self.status.as_str()?.parse().ok());
        matches!(severity.as_str(), "ERROR" | "FATAL" | "PANIC") || status.is_some_and(|status| status >= 500)
    }
}

/// Errors and lines by source, in an hour before `end`.
async fn hour(management: &ManagementClient, end: Timestamp) -> Verdict<BTreeMap<String, (u64, u64)>> {
    const QUERY: &str = "select source, severity_text as severity, log_attributes['response.status_code'] as status, \
                         count(timestamp) as lines from logs group by source, severity_text, status";
    let span = [end - SignedDuration::from_hours(1), end];
    let rows: Vec<Lines> = management
        .logged(QUERY, span)
        .await
        .map_err(|error| Deployment::vendor_failed("the project's log can be read", &error))?;
    let mut sources = BTreeMap::<String, (u64, u64)>::new();
    for row in rows {
        let (errors, lines) = sources.entry(row.source.clone()).or_default();
        *lines += row.count();
        *errors += if row.are_errors() { row.count() } else { 0 };
    }
    Ok(sources)
}

/// Compares the last hour with the same one of the days before, for the sources that are `of_interest`.
async fn as_before(check: &Check, noise: u64, of_interest: fn(&str) -> bool, claim: &str) -> Verdict {
    let (management, now) = (check.deployment().management()?, Timestamp::now());
    let last = hour(&management, now).await?;
    let mut before = BTreeMap::<String, u64>::new();
    for day in 1..=DAYS {
        for (source, (errors, _)) in hour(&management, now - SignedDuration::from_hours(24 * day)).await? {
            let most = before.entry(source).or_default();
            *most = (*most).max(errors);
        }
    }
    let of_interest: Vec<_> = last.iter().filter(|(source, _)| of_interest(source)).collect();
    let lines: u64 = of_interest.iter().map(|(_, (_, lines))| lines).sum();
    let at = management.url("analytics/endpoints/logs");
    if lines == 0 {
        return Err(Failure::undecided(claim)
            .expected("lines of the last hour")
            .seen("none")
            .at(at)
            .advice("lines arrive some seconds late: look again in a minute"));
    }
    let worse = of_interest.iter().filter_map(|(source, (errors, lines))| {
        let most = before.get(*source).copied().unwrap_or(0);
        let is_worse = *errors >= noise && *errors > 2 * most;
        is_worse.then(|| {
            format!("{source}: {errors} errors in {lines} lines, {most} at most in that hour of the days before")
        })
    });
    let worse: Vec<_> = worse.collect();
    if worse.is_empty() {
        let errors: u64 = of_interest.iter().map(|(_, (errors, _))| errors).sum();
        check.measured(format!("{errors} errors in {lines} lines of the last hour"));
        return Ok(());
    }
    Err(Failure::failed(claim)
        .expected(format!("no more errors than twice those of the same hour of the {DAYS} days before"))
        .seen(worse.join("\n"))
        .at(at)
        .advice("Supabase Dashboard, Logs: read the lines of that source, and decide whether they are of this release"))
}

/// "Check Supabase logs for errors".
#[test]
fn the_logs_have_no_more_errors_than_before() -> Verdict {
    check("post.1.2", async |check| {
        as_before(
            check,
            NOISE,
            |source| !source.starts_with("function"),
            "the project's logs have no more errors than before",
        )
        .await
    })
}

/// Of the issues that visitors met since then: those that nobody had met before, and those that had been resolved.
async fn expect_no_new_issue(check: &Check, since: Timestamp, claim: &str) -> Verdict {
    let (sentry, now) = (check.deployment().sentry()?, Timestamp::now());
    let issues = sentry.unresolved(since.duration_until(now)).await;
    let issues = issues.map_err(|error| Deployment::vendor_failed(claim, &error))?;
    let (errors, remarks): (Vec<_>, Vec<_>) = issues.into_iter().partition(SentryIssue::is_error);
    let of_now = |issue: &&SentryIssue| issue.is_back() || issue.first_seen.is_some_and(|first| first >= since);
    let new: Vec<_> = errors.iter().filter(of_now).collect();
    let listed = |issues: &[&SentryIssue]| Vec::from_iter(issues.iter().map(ToString::to_string)).join("\n");
    let expected = format!("no error that was not met before {since:.0}, and none that had been resolved");
    if !new.is_empty() {
        return Err(Failure::failed(claim)
            .caused_by(Cause::FrontEnd)
            .expected(expected)
            .seen(listed(&new))
            .at(sentry.url())
            .advice("Sentry, Issues: read each of them, and decide whether it is of this release; resolve or archive what is not to be mended"));
    }
    let undated: Vec<_> = errors.iter().filter(|issue| issue.first_seen.is_none()).collect();
    if !undated.is_empty() {
        let advice = "Sentry, Issues: look when they were met first";
        return Err(Failure::undecided(claim)
            .expected(expected)
            .seen(listed(&undated))
            .at(sentry.url())
            .advice(advice));
    }
    check.measured(format!("{} older errors and {} remarks since {since:.0}", errors.len(), remarks.len()));
    Ok(())
}

/// "Monitor error rates in browser console", of everybody's browsers.
#[test]
fn visitors_met_no_new_error_in_the_last_hour() -> Verdict {
    check_if_promised(&[Section::Sentry], "post.1.1", async |check| {
        let since = Timestamp::now() - SignedDuration::from_hours(1);
        expect_no_new_issue(check, since, "visitors met no new error in the last hour").await
    })
}

/// When the live deployment was made, where that can be asked.
async fn released(check: &Check) -> Option<Timestamp> {
    let deployments = check.deployment().pages().ok()?.deployments().await.ok()?;
    let live = deployments.into_iter().find(|deployment| deployment.progress() == Progress::Published);
    live?.created_on
}

/// "Review Sentry error reports": those since the release; of the last 24 hours where nobody knows when that was.
#[test]
fn visitors_met_no_new_error_since_the_release() -> Verdict {
    check_if_promised(&[Section::Sentry], "post.2.1", async |check| {
        let a_day_ago = Timestamp::now() - SignedDuration::from_hours(24);
        let since = released(check).await.unwrap_or(a_day_ago);
        expect_no_new_issue(check, since, "visitors met no new error since the release").await
    })
}

/// "Monitor Edge Function invocation logs": one error is one too many.
#[test]
fn the_functions_logs_have_no_error_that_was_not_there_before() -> Verdict {
    check("post.1.3", async |check| {
        // So that the log has a line of each.
        for function in &check.contract().release()?.functions {
            let preflight = harness::Unstorable::empty();
            check.deployment().function(&function.name)?.probe(reqwest::Method::OPTIONS, &[], &preflight).await;
        }
        as_before(
            check,
            1,
            |source| source.starts_with("function"),
            "the functions' logs have no more errors than before",
        )
        .await
    })
}

/// What the database says of its own load.
#[derive(Deserialize)]
struct Load {
    connections: i64,
    most_connections: i64,
    blocks: i64,
    hit_percent: f64,
    /// Tables of which more rows are dead than alive.
    bloated: Vec<String>,
}

const LOAD: &str = "select
    (select count(*) from pg_catalog.pg_stat_activity where backend_type = 'client backend') as connections,
    current_setting('max_connections')::int8 as most_connections,
    blks_hit + blks_read as blocks,
    (100.0 * blks_hit / greatest(blks_hit + blks_read, 1))::float8 as hit_percent,
    (select coalesce(json_agg(format('%s.%s: %s dead rows, %s alive', schemaname, relname, n_dead_tup, n_live_tup)), '[]')
     from pg_catalog.pg_stat_user_tables where n_dead_tup > 10000 and n_dead_tup > n_live_tup) as bloated
  from pg_catalog.pg_stat_database where datname = current_database()";

/// "Check database performance metrics".
#[test]
fn the_database_bears_its_load() -> Verdict {
    check_if_promised(&[Section::Release], "post.2.2", async |check| {
        /// A cache says nothing before this many blocks were asked for, of 8 kB each.
        const FEW_BLOCKS: i64 = 1_000_000;
        let (management, claim) = (check.deployment().management()?, "the database bears its load");
        let failed = |error| Deployment::vendor_failed(claim, &error);
        let load: Vec<Load> = management.query(LOAD).await.map_err(failed)?;
        let Some(load) = load.into_iter().next() else {
            return Err(Failure::undecided(claim).expected("figures of the database").seen("none"));
        };
        let mut wrong = Vec::new();
        if load.connections * 10 > load.most_connections * 8 {
            wrong.push(format!("{} of {} connections", load.connections, load.most_connections));
        }
        if load.blocks > FEW_BLOCKS && load.hit_percent < 95.0 {
            wrong.push(format!("{:.1} % of blocks out of the cache", load.hit_percent));
        }
        wrong.extend(load.bloated);
        if wrong.is_empty() {
            check.measured(format!(
                "{} of {} connections, {:.1} % of blocks out of the cache",
                load.connections, load.most_connections, load.hit_percent
            ));
            return Ok(());
        }
        Err(Failure::failed(claim)
            .caused_by(Cause::Slow)
            .expected("up to 80 % of the connections, 95 % of blocks out of the cache, fewer dead rows than live ones")
            .seen(wrong.join("\n"))
            .at(management.url("database/query/read-only"))
            .advice("Supabase Dashboard, Reports, Database: add the connection pool or the memory that is missing, vacuum the table"))
    })
}

/// What came by the API, by the database's own statistics; against the last run before the release, where there is one.
#[test]
fn no_query_is_slower_than_before_the_release() -> Verdict {
    check_if_promised(&[Section::Release], "post.2.2", async |check| {
        /// Statements that a report shows; the evidence has all.
        const SHOWN: usize = 5;
        let claim = "no query of the API is slow, or slower than before the release";
        let Workloads { now, before } = Workloads::of(check.deployment(), released(check).await).await?;
        check.keep_figures(Workload::KEPT, now.to_json());
        let at = check.deployment().management()?.url("database/query/read-only");
        if now.known() == 0 {
            return Err(Failure::undecided(claim)
                .expected("statements of the API that ran ten times or more")
                .seen("none")
                .at(at)
                .advice("wait until somebody has used the portal: the statistics were begun anew"));
        }
        let compared = match &before {
            Some((run, _)) => format!("compared with {run}"),
            None => "compared with nothing: no run of before the release is kept here".to_owned(),
        };
        let slow = now.slow(before.as_ref().map(|(_, workload)| workload));
        if slow.is_empty() {
            check.measured(format!("{} statements of the API, {compared}", now.known()));
            return Ok(());
        }
        let mut shown: Vec<_> = slow.iter().take(SHOWN).cloned().collect();
        if slow.len() > SHOWN {
            shown.push(format!("and {} more", slow.len() - SHOWN));
        }
        Err(Failure::failed(claim)
            .caused_by(Cause::Slow)
            .expected("means below a second, below twice what they were before the release, and of new queries below half a second")
            .seen(shown.join("\n"))
            .fact("beside", compared)
            .at(at)
            .advice("Supabase Dashboard, Query Performance: run explain (analyze) on the statement, and look whether this release took an index from it or has it read more rows"))
    })
}
