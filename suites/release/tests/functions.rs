//! Phase 2: the edge functions are deployed, new, guarded, and answer.

use std::time::Duration;

use harness::{
    AnsweredBy, Cause, Deployment, Failure, Section, Stopwatch, Unstorable, Verdict, check, check_if_promised,
};
use reqwest::{Method, StatusCode};
use rstest_reuse::apply;

use crate::functions;

/// "Deploy all edge functions": ACTIVE, deployed after the release was committed, guarded as promised.
#[apply(functions)]
fn each_function_is_deployed(#[case] name: &str, #[case] step: &str) -> Verdict {
    check_if_promised(&[Section::Release], step, async |check| {
        let (management, claim) = (check.deployment().management()?, format!("{name} is deployed, of this release"));
        let all = management.functions().await.map_err(|error| Deployment::vendor_failed(&claim, &error))?;
        let failure = || Failure::failed(&claim).at(management.url("functions"));
        let deploy = format!("supabase functions deploy {name}");
        let Some(function) = all.iter().find(|function| function.slug == name) else {
            let others: Vec<_> = all.iter().map(|function| function.slug.as_str()).collect();
            return Err(failure().expected(name).seen(format!("only {}", others.join(", "))).advice(deploy));
        };
        match function.status.as_str() {
            "ACTIVE" => {}
            "REMOVED" | "THROTTLED" => return Err(failure().expected("ACTIVE").seen(&function.status).advice(deploy)),
            unknown => {
                return Err(Failure::undecided(&claim)
                    .expected("ACTIVE")
                    .seen(format!("the status {unknown}, which this release of the harness does not know"))
                    .at(management.url("functions")));
            }
        }
        let promised = check.contract().release()?.function(name).is_some_and(|promised| promised.verify_jwt);
        if function.verify_jwt.unwrap_or(true) != promised {
            return Err(failure()
                .expected(format!("verify_jwt: {promised}"))
                .seen(format!("verify_jwt: {}", !promised))
                .advice(format!("correct [functions.{name}] in supabase/config.toml, then {deploy}")));
        }
        let released = check.deployment().released().await?;
        let (Some(released), Some(updated)) = (released.at, function.updated()) else {
            return Err(Failure::not_run(
                "when the release was committed is not known, so nothing can be newer than it",
            )
            .expected("RELEASE_SOURCE, checked out at the released commit"));
        };
        if updated < released {
            return Err(failure()
                .expected(format!("deployed after the release was committed, {released}"))
                .seen(format!("version {} of {updated}", function.version))
                .advice(deploy));
        }
        check.measured(format!("version {}", function.version));
        Ok(())
    })
}

/// Before any of its code: a browser's preflight is answered, and somebody without key and token is not let in.
#[apply(functions)]
fn the_function_answers_and_refuses_the_uninvited(#[case] name: &str, #[case] step: &str) -> Verdict {
    check_if_promised(&[Section::Release], step, async |check| {
        let (function, claim) = (check.deployment().function(name)?, format!("{name} answers, and not to everybody"));
        let preflight = [("origin", "https://example.org"), ("access-control-request-method", "POST")];
        let asked = function.probe(Method::OPTIONS, &preflight, &Unstorable::empty()).await;
        let failure = || Failure::failed(&claim).at(function.url().as_str());
        if !asked.status.is_some_and(|status| status.is_success()) {
            return Err(failure().expected("OPTIONS: 200").seen(format!("OPTIONS: {asked}")));
        }
        let refused = function.probe(Method::POST, &[], &Unstorable::empty_object()).await;
        match refused.status {
            Some(StatusCode::UNAUTHORIZED) => Ok(()),
            _ => Err(failure().expected("POST without key and token: 401").seen(format!("POST: {refused}"))),
        }
    })
}

/// "Verify Functions": the endpoint answers with its own code, the first time and when it is warm.
#[test]
fn the_ingest_endpoint_answers_in_time() -> Verdict {
    check("2.3", async |check| {
        let (endpoint, release) = (check.deployment().sms_ingest()?, check.contract().release()?);
        let mut took = Vec::new();
        for _ in 0..4 {
            let watch = Stopwatch::start();
            let answer = endpoint.probe_with_key(Method::POST, &[], &Unstorable::empty_object()).await;
            took.push(watch.took());
            if answer.by() != AnsweredBy::Function || answer.status != Some(StatusCode::BAD_REQUEST) {
                return Err(Failure::failed("the ingest endpoint runs, and reads what comes with its key")
                    .expected("400 of the function's own code: a field is missing")
                    .seen(answer.to_string())
                    .at(endpoint.url().as_str()));
            }
        }
        let (cold, warm) = (took[0], took[1..].iter().min_by_key(|took| took.wall).copied().unwrap_or(took[0]));
        let limits = [release.cold_within_ms, release.warm_within_ms].map(Duration::from_millis);
        let figures = format!("{} ms at first, {} ms warm", cold.wall.as_millis(), warm.wall.as_millis());
        if cold.wall <= limits[0] && warm.wall <= limits[1] {
            check.measured(figures);
            return Ok(());
        }
        let spans = [(cold, limits[0]), (warm, limits[1])];
        let late = spans.into_iter().filter(|(took, limit)| took.wall > *limit);
        let (took, limit) = late.max_by_key(|(took, limit)| took.is_beyond(*limit)).unwrap_or(spans[0]);
        Err(Failure::failed("the ingest endpoint answers in time")
            .caused_by(Cause::Slow)
            .expected(format!("within {} ms at first, {} ms warm", limits[0].as_millis(), limits[1].as_millis()))
            .seen(figures)
            .at(endpoint.url().as_str())
            .unless_kept_waiting(took, limit))
    })
}
