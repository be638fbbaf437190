//! Post-Deployment Monitoring: the table's figures that loading the portal and the vendor's log show. Those of messages
//! are the SMS suite's.

use std::fmt;

use harness::{
    Cause, Deployment, Failure, ManagementClient, Monitoring, Section, Unstorable, Verdict, check_if_promised,
};
use jiff::SignedDuration;
use reqwest::Method;

pub mod signed_in {
    use std::{collections::BTreeSet, time::Duration};

    use harness::{Cause, Check, Failure, Outcome, Route, Took, Verdict, check};
    use tokio::sync::OnceCell;

    use super::{Share, log};

    /// "Dashboard load time".
    #[test]
    fn the_dashboard_loads_in_time() -> Verdict {
        check("post.3.1", async |check| loads_in_time(check, &check.contract().dashboard()?.route).await)
    }

    /// "Transaction list load".
    #[test]
    fn the_list_of_transactions_loads_in_time() -> Verdict {
        check("post.3.2", async |check| loads_in_time(check, &check.contract().ledger()?.route).await)
    }

    /// Each of several loads: one that is slow now and then is slow for somebody.
    async fn loads_in_time(check: &Check, name: &str) -> Verdict {
        let (contract, mut took) = (check.contract(), Vec::new());
        let route: &Route = contract.route_of(name);
        let page = check.signed_in(contract.visitor(route)).await?;
        for _ in 0..contract.monitoring()?.loads {
            let visit = page.open(route).await?;
            visit.expect_ready(format!("{} shows its view", route.path))?;
            took.push(visit.took());
        }
        took.sort_unstable_by_key(|took| took.wall);
        let (Some(median), Some(p95)) = (took.get(took.len() / 2), p95(&took)) else {
            return Err(Failure::undecided(format!("{} loads in time", route.path))
                .expected("loads = 1 or more in [monitoring] of the contract")
                .seen("0"));
        };
        let (median, limit) = (median.wall.as_millis(), Duration::from_millis(route.within_ms));
        let figures = format!("median {median} ms, p95 {} ms of {}", p95.wall.as_millis(), took.len());
        check.measured(&figures);
        check.figure(p95.wall.as_millis() as f64, route.within_ms as f64, "ms");
        if p95.wall < limit {
            return Ok(());
        }
        Err(Failure::failed(format!("{} loads in time", route.path))
            .caused_by(Cause::Slow)
            .expected(format!("p95 below {} ms", route.within_ms))
            .seen(figures)
            .at(check.deployment().site().url(&route.path).as_str())
            .unless_kept_waiting(p95, limit))
    }

    /// Of sorted figures; of fewer than twenty the last.
    fn p95(sorted: &[Took]) -> Option<Took> {
        let at = (sorted.len() * 95).div_ceil(100).saturating_sub(1);
        sorted.get(at).copied()
    }

    /// "Monitor error rates in browser console": of the views that this run loads.
    #[test]
    fn no_view_logs_an_error() -> Verdict {
        check("post.1.1", async |check| {
            let loads = loads(check).await?;
            let site = check.deployment().site().url("/");
            check.measured(format!("errors in {} of {} loaded views", loads.noise.len(), loads.views));
            if loads.noise.is_empty() {
                let Some(absent) = &loads.absent else { return loads.undecided.clone().map_or(Ok(()), Err) };
                return Err(Failure::undecided("no view logs an error")
                    .expected("every view on screen")
                    .seen(format!("{absent} did not show its view, and what follows it was not loaded"))
                    .at(site.as_str()));
            }
            // A view that is loaded again says the same again.
            let once: BTreeSet<&str> = loads.noise.iter().map(String::as_str).collect();
            Err(Failure::failed("no view logs an error")
                .caused_by(Cause::FrontEnd)
                .expected(format!(
                    "no console error, no uncaught exception, no failed request in {} views",
                    loads.views
                ))
                .seen(once.into_iter().collect::<Vec<_>>().join("\n"))
                .at(site.as_str()))
        })
    }

    /// "Error rate": of what loading the portal brings, and of the last hour's log where the vendor's API may be asked.
    #[test]
    fn few_answers_are_errors() -> Verdict {
        check("post.3.3", async |check| {
            let promise = check.contract().monitoring()?;
            let loads = loads(check).await?;
            let seen = loads.share;
            let logged = match check.deployment().management() {
                Ok(management) if !seen.is_too_much(promise) => Some(log(&management).await?.0),
                _ => None,
            };
            let mut shown = format!("{seen} answers that this run saw");
            shown.extend(logged.map(|logged| format!(", {logged} in the last hour's log")));
            check.measured(&shown);
            let rates = || [Some(seen), logged].into_iter().flatten();
            let decided = |rate: &Share| rate.all >= promise.errors_of_at_least;
            let worst = rates().filter(decided).map(Share::percent).fold(seen.percent(), f64::max);
            check.figure(worst, promise.errors_below_percent, "%");
            let site = check.deployment().site().url("/");
            if rates().any(|rate| rate.is_too_much(promise)) {
                if !loads.errors.is_empty() {
                    check.keep("errors.txt", "text/plain", loads.errors.join("\n"));
                    shown += "; those of this run are in the evidence, errors.txt";
                }
                return Err(Failure::failed("few answers are errors")
                    .expected(format!("below {} %", promise.errors_below_percent))
                    .seen(shown)
                    .at(site.as_str()));
            }
            if rates().any(|rate| decided(&rate)) {
                return Ok(());
            }
            let absent = loads.absent.as_ref().map(|absent| format!(", then {absent} did not show its view"));
            Err(Failure::undecided("few answers are errors")
                .expected(format!("{} answers or more", promise.errors_of_at_least))
                .seen(shown + &absent.unwrap_or_default())
                .at(site.as_str()))
        })
    }

    /// What loading views brought.
    #[derive(Default)]
    struct Loads {
        /// The views that were loaded, each time anew.
        views: usize,
        /// Errors among the answers.
        share: Share,
        errors: Vec<String>,
        /// What views logged, and requests that failed, by the view's path.
        noise: Vec<String>,
        /// Why nobody can say whether a view is quiet.
        undecided: Option<Failure>,
        /// The view that was not shown.
        absent: Option<String>,
    }

    /// The loads of this process: each costs a visit, and two lines of the runbook look at them.
    async fn loads(check: &Check) -> Verdict<&'static Loads> {
        static LOADS: OnceCell<Verdict<Loads>> = OnceCell::const_new();
        LOADS.get_or_init(async || load(check).await).await.as_ref().map_err(Failure::clone)
    }

    /// Loads every view, and on until enough was answered, or one does not come.
    async fn load(check: &Check) -> Verdict<Loads> {
        let (contract, promise) = (check.contract(), check.contract().monitoring()?);
        let mut who = contract.smoke.persona.get_ref().as_str();
        let page = check.signed_in(who).await?;
        let mut loads = Loads::default();
        // Each load brings an answer or more.
        let most = promise.errors_of_at_least.max(contract.routes().count());
        for route in contract.routes().cycle().take(most) {
            if contract.visitor(route) != who {
                who = contract.visitor(route);
                page.hold_now(&check.deployment().session(who).await?).await?;
            }
            let (visit, before) = (page.open(route).await?, loads.errors.len());
            loads.views += 1;
            let answered = visit.requests("http").filter(|it| it.status().is_some() || it.is_server_error());
            for request in answered {
                loads.share.all += 1;
                loads.errors.extend(request.is_server_error().then(|| request.to_string()));
            }
            loads.share.errors = loads.errors.len();
            match visit.expect_quiet() {
                Err(undecided) if undecided.outcome() == Outcome::Undecided => {
                    loads.undecided.get_or_insert(undecided);
                }
                Err(noise) => {
                    loads.noise.push(format!("{}: {}", route.path, noise.get("seen").unwrap_or_default()));
                }
                Ok(()) => {}
            }
            if !visit.is_ready() && loads.share.errors == before {
                loads.absent = Some(route.path.clone());
            }
            let is_enough = loads.share.all >= promise.errors_of_at_least && loads.views >= contract.routes().count();
            if is_enough || loads.share.is_too_much(promise) || loads.absent.is_some() {
                break;
            }
        }
        Ok(loads)
    }
}

/// "Edge Function errors" that somebody met, whether or not one comes now: of the last hour's log.
#[test]
fn no_answer_of_a_function_was_an_error() -> Verdict {
    check_if_promised(&[Section::Release], "post.3.4", async |check| {
        let management = check.deployment().management()?;
        // So that the log has a line of each.
        for function in &check.contract().release()?.functions {
            check.deployment().function(&function.name)?.probe(Method::OPTIONS, &[], &Unstorable::empty()).await;
        }
        let of_functions = log(&management).await?.1;
        let shown = format!("{} in {} answers of the last hour's log", of_functions.errors, of_functions.all);
        check.measured(&shown);
        check.figure(of_functions.errors as f64, 1.0, "errors");
        match of_functions {
            Share { all: 0, .. } => Err(Failure::undecided("no answer of a function was an error")
                .expected("a log with answers of functions")
                .seen(shown)
                .at(management.url("analytics/endpoints/logs"))
                .advice("lines arrive some seconds late: look again in a minute")),
            Share { errors: 0, .. } => Ok(()),
            Share { .. } => Err(Failure::failed("no answer of a function was an error")
                .caused_by(Cause::Functions)
                .expected("0 answers of 500 or more")
                .seen(shown)
                .at(management.url("analytics/endpoints/logs"))),
        }
    })
}

/// Errors among answers.
#[derive(Debug, Clone, Copy, Default)]
struct Share {
    errors: usize,
    all: usize,
}

impl Share {
    fn percent(self) -> f64 {
        100.0 * self.errors as f64 / self.all.max(1) as f64
    }

    /// More than promised: among enough answers, or so many that enough answers cannot make up for them.
    fn is_too_much(self, promise: &Monitoring) -> bool {
        let all = self.all.max(promise.errors_of_at_least);
        100.0 * self.errors as f64 / all as f64 >= promise.errors_below_percent
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} % of {}", self.percent(), self.all)
    }
}

/// What the log has of the last hour: of everybody who answered, and of the functions.
async fn log(management: &ManagementClient) -> Verdict<(Share, Share)> {
    let logged = management.answers(SignedDuration::from_hours(1)).await;
    let logged = logged.map_err(|error| Deployment::vendor_failed("the last hour's log can be read", &error))?;
    let share = |whose: &str| {
        let mut share = Share::default();
        for line in logged.iter().filter(|line| line.source.ends_with(whose)) {
            let answers = usize::try_from(line.answers).unwrap_or(usize::MAX);
            share.all += answers;
            share.errors += if line.status >= 500 { answers } else { 0 };
        }
        share
    };
    Ok((share("edge_logs"), share("function_edge_logs")))
}
