//! The vendors' APIs, on the shapes of their references and on what goes wrong with them.

use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{header, method, path, query_param},
};

use super::*;
use crate::{deployment::Deployment, outcome::Outcome};

const TOKEN: &str = "sbp_0123456789abcdef0123456789abcdef01234567";

fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

fn management(server: &MockServer) -> ManagementClient {
    ManagementClient::new(http(), server.uri().parse().unwrap(), TOKEN.into(), "ref".to_owned())
}

fn pages(server: &MockServer) -> PagesClient {
    PagesClient::new(http(), server.uri().parse().unwrap(), TOKEN.into(), "account".to_owned(), "portal".to_owned())
}

fn github(server: &MockServer) -> GithubClient {
    GithubClient::new(http(), server.uri().parse().unwrap(), TOKEN.into(), "owner/name".to_owned())
}

async fn answers(at: &str, answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(path(at))
        .and(header("authorization", format!("Bearer {TOKEN}")))
        .respond_with(answer)
        .mount(&server)
        .await;
    server
}

fn json(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

#[tokio::test]
async fn functions_are_read_with_what_is_new_in_them() {
    let function = json!({
        "id": "1", "slug": "sms-ingest", "name": "sms-ingest", "status": "PAUSED", "version": 4, "created_at": 1, "updated_at": 1_767_783_600_000_i64,
        "verify_jwt": false, "import_map": true, "entrypoint_path": "file:///src/index.ts", "ezbr_sha256": "ab", "of_next_year": {},
    });
    let server = answers("/v1/projects/ref/functions", json(json!([function]))).await;
    let functions = management(&server).functions().await.unwrap();
    assert_eq!(
        (functions[0].slug.as_str(), functions[0].status.as_str(), functions[0].version),
        ("sms-ingest", "PAUSED", 4)
    );
    assert_eq!(functions[0].updated().unwrap().to_string(), "2026-01-07T11:00:00Z");
}

#[tokio::test]
async fn digests_of_secrets_are_not_shown() {
    let server = answers(
        "/v1/projects/ref/secrets",
        json(json!([{"name": "OPENAI_API_KEY", "value": "d1g3st", "updated_at": "2026-01-07T11:00:00Z"}])),
    )
    .await;
    let secrets = management(&server).secrets().await.unwrap();
    assert_eq!(secrets["OPENAI_API_KEY"].expose_secret(), "d1g3st");
    assert!(!format!("{secrets:?}").contains("d1g3st"));
}

#[tokio::test]
async fn the_logs_counts_are_read_as_numbers_and_as_texts() {
    let rows = json!([
        {"source": "edge_logs", "status": "200", "answers": "12000"},
        {"source": "function_edge_logs", "status": 546, "answers": 1},
        {"source": "edge_logs", "status": "", "answers": 3},
    ]);
    let at = "/v1/projects/ref/analytics/endpoints/logs";
    let server = answers(at, json(json!({"result": rows, "error": null}))).await;
    let logged = |source: &str, status, answers| LoggedAnswers { source: source.to_owned(), status, answers };
    assert_eq!(
        management(&server).answers(SignedDuration::from_hours(1)).await.unwrap(),
        [logged("edge_logs", 200, 12_000), logged("function_edge_logs", 546, 1)]
    );
    let asked = &server.received_requests().await.unwrap()[0].url;
    let times: Vec<Timestamp> = asked.query_pairs().filter_map(|(_, value)| value.parse().ok()).collect();
    assert_eq!(times[0].duration_until(times[1]), SignedDuration::from_mins(61), "{asked}");

    let server = answers(at, json(json!({"result": [], "error": {"message": "unknown column"}}))).await;
    let refused = management(&server).answers(SignedDuration::from_hours(1)).await.unwrap_err();
    assert!(refused.to_string().contains("unknown column"), "{refused}");
}

#[tokio::test]
async fn the_age_of_a_backup_is_told_by_the_vendors_clock() {
    let body = json!({
        "region": "eu-central-1", "walg_enabled": true, "pitr_enabled": true,
        "backups": [{"status": "COMPLETED", "is_physical_backup": true, "inserted_at": "2026-01-07T03:00:00.000Z"}, {"status": "COMPLETED", "inserted_at": "2026-01-06 03:00:00"}],
        "physical_backup_data": {"earliest_physical_backup_date_unix": 1_767_000_000},
    });
    let answer = json(body).insert_header("date", "Wed, 07 Jan 2026 12:00:00 GMT");
    let server = answers("/v1/projects/ref/database/backups", answer).await;
    let shown = management(&server).backups().await.unwrap();
    assert_eq!(shown.at, "2026-01-07T12:00:00Z".parse::<Timestamp>().unwrap());
    let times: Vec<_> = shown.value.backups.iter().map(|backup| backup.inserted_at.unwrap().to_string()).collect();
    assert_eq!(times, ["2026-01-07T03:00:00Z", "2026-01-06T03:00:00Z"]);
}

#[tokio::test]
async fn a_query_is_sent_to_where_nothing_can_be_written() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v1/projects/ref/database/query/read-only"))
        .respond_with(ResponseTemplate::new(201).set_body_json(json!([{"version": "1"}])))
        .mount(&server)
        .await;
    let rows: Vec<Value> = management(&server).query("select version from x").await.unwrap();
    assert_eq!(rows, [json!({"version": "1"})]);
}

fn deployment(id: &str, created: &str, status: &str) -> Value {
    json!({
        "id": id, "short_id": id, "environment": "production", "url": format!("https://{id}.portal.pages.dev"), "created_on": created,
        "deployment_trigger": {"type": "ad_hoc", "metadata": {"branch": "main", "commit_hash": "abc"}}, "latest_stage": {"name": "deploy", "status": status},
    })
}

#[tokio::test]
async fn deployments_are_read_to_the_last_page_and_sorted() {
    let server = MockServer::start().await;
    for (page, found) in [
        ("1", deployment("a", "2026-01-06T10:00:00.5Z", "success")),
        ("2", deployment("b", "2026-01-07T10:00:00Z", "failure")),
    ] {
        let body = json!({"success": true, "errors": [], "messages": [], "result": [found], "result_info": {"page": 1, "total_pages": 2}});
        Mock::given(path("/client/v4/accounts/account/pages/projects/portal/deployments"))
            .and(query_param("page", page))
            .respond_with(json(body))
            .mount(&server)
            .await;
    }
    let all = pages(&server).deployments().await.unwrap();
    assert_eq!(
        all.iter().map(|it| (it.short_id.as_str(), it.progress())).collect::<Vec<_>>(),
        [("b", Progress::Failed), ("a", Progress::Published)]
    );
}

#[tokio::test]
async fn an_envelope_without_success_is_no_list() {
    let body = json!({"success": false, "errors": [{"code": 1, "message": "later"}], "messages": [], "result": null});
    let server = answers("/client/v4/accounts/account/pages/projects/portal/deployments", json(body)).await;
    let error = pages(&server).deployments().await.unwrap_err();
    assert!(matches!(error, ClientError::Unexpected { .. }), "{error}");
}

#[tokio::test]
async fn variables_of_a_build_may_be_secret_or_gone() {
    let variables = json!({"VITE_SUPABASE_URL": {"type": "plain_text", "value": "https://x"}, "TOKEN": {"type": "secret_text"}, "EMPTIED": {"type": "secret_text", "value": ""}, "OLD": null});
    let body = json!({"success": true, "result": {"name": "portal", "production_branch": "main", "deployment_configs": {"production": {"env_vars": variables}}}});
    let server = answers("/client/v4/accounts/account/pages/projects/portal", json(body)).await;
    let project = pages(&server).project().await.unwrap();
    assert_eq!(
        project.variables().into_iter().collect::<Vec<_>>(),
        [
            ("EMPTIED", BuildVariable::Secret),
            ("TOKEN", BuildVariable::Secret),
            ("VITE_SUPABASE_URL", BuildVariable::Plain("https://x".to_owned()))
        ],
        "what was removed is not set"
    );
}

#[tokio::test]
async fn lists_of_github_are_followed_on_its_own_host_only() {
    let server = MockServer::start().await;
    let issue = |number: u64| json!({"number": number, "title": "t", "labels": []});
    let next = format!("<{}/repos/owner/name/issues?page=2>; rel=\"next\"", server.uri());
    let first =
        json(json!([issue(1), {"number": 2, "title": "p", "pull_request": {"url": "u"}}])).insert_header("link", next);
    Mock::given(query_param("labels", "release blocker")).respond_with(first).mount(&server).await;
    let elsewhere = "<https://elsewhere.example/issues?page=3>; rel=\"next\"";
    Mock::given(query_param("page", "2"))
        .respond_with(json(json!([issue(3)])).insert_header("link", elsewhere))
        .mount(&server)
        .await;
    let issues = github(&server).open_issues("release blocker").await.unwrap();
    assert_eq!(issues.iter().map(|issue| issue.number).collect::<Vec<_>>(), [1, 3]);
}

async fn objection_to(author: Value, reviews: Value) -> Option<String> {
    let server = answers("/repos/owner/name/pulls/7/reviews", json(reviews)).await;
    let pull = serde_json::from_value(
        json!({"number": 7, "title": "t", "user": author, "merged_at": "2026-01-07T10:00:00Z", "head": {"sha": "abc"}}),
    );
    github(&server).objection(&pull.unwrap()).await.unwrap()
}

async fn objection(reviews: Value) -> Option<String> {
    objection_to(json!({"login": "ada", "type": "User"}), reviews).await
}

fn by(login: &str, state: &str) -> Value {
    json!({"user": {"login": login, "type": "User"}, "state": state, "author_association": "MEMBER", "commit_id": "abc"})
}

#[tokio::test]
async fn the_last_verdict_of_each_reviewer_counts_and_the_authors_does_not() {
    assert_eq!(objection(json!([by("grace", "APPROVED"), by("grace", "COMMENTED")])).await, None);
    assert_eq!(objection(json!([by("grace", "CHANGES_REQUESTED"), by("grace", "APPROVED")])).await, None);
    assert_eq!(objection(json!([by("Ada", "APPROVED")])).await.unwrap(), "nobody but ada approved it");
    assert_eq!(
        objection(json!([by("grace", "APPROVED"), by("grace", "DISMISSED")])).await.unwrap(),
        "nobody but ada approved it"
    );
    assert_eq!(
        objection(json!([by("grace", "APPROVED"), by("alan", "CHANGES_REQUESTED")])).await.unwrap(),
        "alan asked for changes"
    );
    assert_eq!(objection(json!([{"user": null, "state": "APPROVED"}])).await.unwrap(), "nobody but ada approved it");
    assert_eq!(objection_to(Value::Null, json!([by("grace", "APPROVED")])).await, None, "the author's account is gone");
    assert_eq!(objection_to(Value::Null, json!([])).await.unwrap(), "nobody approved it");
}

#[tokio::test]
async fn bots_strangers_and_who_saw_an_earlier_commit_do_not_approve() {
    let with = |field: &str, value: Value| {
        let mut review = by("grace", "APPROVED");
        review[field] = value;
        json!([review])
    };
    for association in [
        json!("CONTRIBUTOR"),
        json!("FIRST_TIMER"),
        json!("NONE"),
        json!("MANNEQUIN"),
        json!("OF_NEXT_YEAR"),
        Value::Null,
    ] {
        let why = objection(with("author_association", association.clone())).await;
        assert!(why.is_some_and(|why| why.contains("grace is not of the team")), "{association}");
    }
    for association in ["OWNER", "MEMBER", "COLLABORATOR"] {
        assert_eq!(objection(with("author_association", json!(association))).await, None, "{association}");
    }
    for commit in [json!("abd"), json!("ab"), Value::Null] {
        let why = objection(with("commit_id", commit.clone())).await.unwrap();
        assert_eq!(why, "nobody of the team approved it: grace approved an earlier commit", "{commit}");
    }
    let bot = objection(with("user", json!({"login": "renovate", "type": "Bot"}))).await.unwrap();
    assert_eq!(bot, "nobody of the team approved it: renovate is not a person");
    let mut stranger = by("passer-by", "CHANGES_REQUESTED");
    stranger["author_association"] = json!("NONE");
    assert_eq!(objection(json!([by("grace", "APPROVED"), stranger])).await, None, "a stranger stops nobody");
}

/// Each entry by itself: the first page of a project in which somebody uploaded, skipped, and was interrupted.
#[tokio::test]
async fn whatever_a_deployment_lacks_the_others_are_read() {
    let at = "/client/v4/accounts/account/pages/projects/portal/deployments";
    let mut skipped = deployment("s", "2026-01-09T10:00:00Z", "success");
    skipped["is_skipped"] = json!(true);
    skipped["url"] = json!("");
    let mut stage = deployment("t", "2026-01-08T10:00:00Z", "skipped");
    stage["latest_stage"]["name"] = json!("build");
    let bare = json!({"id": "b", "short_id": "b", "created_on": "2026-01-07T10:00:00Z", "url": "", "deployment_trigger": null, "latest_stage": null});
    let mut unknown = deployment("u", "2026-01-06T10:00:00Z", "archived");
    unknown["deployment_trigger"]["metadata"]["commit_dirty"] = Value::Null;
    let body = json!({"success": true, "result": [skipped, stage, bare, unknown, deployment("d", "2026-01-05T10:00:00Z", "success")], "result_info": {"total_count": 5}});
    let server = answers(at, json(body)).await;
    let all = pages(&server).deployments().await.unwrap();
    let seen: Vec<_> = all.iter().map(|it| (it.short_id.as_str(), it.progress(), it.url.is_some())).collect();
    assert_eq!(
        seen,
        [
            ("s", Progress::Skipped, false),
            ("t", Progress::Skipped, true),
            ("b", Progress::Unknown, false),
            ("u", Progress::Unknown, true),
            ("d", Progress::Published, true),
        ]
    );
    assert_eq!(all[3].is_dirty(), None, "an upload that does not say");
}

/// `result_info` and each of its fields may be missing: the list ends where a page is empty.
#[tokio::test]
async fn a_list_without_totals_is_read_until_a_page_is_empty() {
    for info in [
        Value::Null,
        json!({}),
        json!({"page": 1, "per_page": 1, "count": 1}),
        json!({"total_pages": null, "total_count": null}),
    ] {
        let server = MockServer::start().await;
        let at = || path("/client/v4/accounts/account/pages/projects/portal/deployments");
        for (page, id) in [("1", "c"), ("2", "b"), ("3", "a")] {
            let body = json!({"success": true, "result": [deployment(id, "2026-01-06T10:00:00Z", "success")], "result_info": info});
            Mock::given(at()).and(query_param("page", page)).respond_with(json(body)).mount(&server).await;
        }
        let empty = json!({"success": true, "result": [], "result_info": info});
        Mock::given(at()).respond_with(json(empty)).with_priority(9).mount(&server).await;
        let ids: Vec<_> = pages(&server).deployments().await.unwrap().into_iter().map(|it| it.short_id).collect();
        assert_eq!(ids, ["c", "b", "a"], "{info}");
    }
}

#[tokio::test]
async fn a_server_that_knows_no_pages_is_asked_for_its_list_only_so_often() {
    let body = json!({"success": true, "result": [deployment("a", "2026-01-06T10:00:00Z", "success")]});
    let server = answers("/client/v4/accounts/account/pages/projects/portal/deployments", json(body)).await;
    let error = pages(&server).deployments().await.unwrap_err();
    assert!(error.to_string().contains("more than 50 pages"), "{error}");
}

#[tokio::test]
async fn backups_of_any_form_are_read() {
    let read = async |body: Value| {
        let server = answers("/v1/projects/ref/database/backups", json(body)).await;
        management(&server).backups().await
    };
    let recovery = read(
        json!({"region": "r", "walg_enabled": true, "pitr_enabled": true, "backups": [], "physical_backup_data": {}}),
    )
    .await
    .unwrap()
    .value;
    assert!(recovery.pitr_enabled && recovery.backups.is_empty());
    assert_eq!(recovery.physical_backup_data.earliest_physical_backup_date_unix, None);
    let of =
        |status: Value, at: Value| json!({"id": 1, "is_physical_backup": true, "status": status, "inserted_at": at});
    let all =
        [of(json!("COMPLETED"), json!("2026-01-06T03:00:00+02:00")), of(json!("VERIFYING"), Value::Null), Value::Null];
    let daily = read(json!({"pitr_enabled": false, "backups": all, "physical_backup_data": null})).await.unwrap().value;
    let seen: Vec<_> =
        daily.backups.iter().map(|it| (it.is_complete(), it.inserted_at.map(|at| at.to_string()))).collect();
    assert_eq!(seen, [(Some(true), Some("2026-01-06T01:00:00Z".to_owned())), (None, None), (None, None)]);
    assert!(read(json!({"pitr_enabled": false})).await.is_err(), "no list is not an empty one");
}

/// One query in twenty fails for no reason, with 200.
#[tokio::test]
async fn a_query_of_the_log_is_asked_again_once() {
    let at = "/v1/projects/ref/analytics/endpoints/logs";
    for error in [json!("busy"), json!({"code": 500, "message": "busy"})] {
        let server = MockServer::start().await;
        Mock::given(path(at))
            .respond_with(json(json!({"result": null, "error": error})))
            .up_to_n_times(1)
            .mount(&server)
            .await;
        let rows = json!([{"source": "edge_logs", "status": "200", "answers": 9_007_199_254_740_993_u64}, {"source": null}, null]);
        Mock::given(path(at)).respond_with(json(json!({"result": rows}))).mount(&server).await;
        let answers = management(&server).answers(SignedDuration::from_hours(1)).await.unwrap();
        assert_eq!(answers.iter().map(|line| line.answers).collect::<Vec<_>>(), [9_007_199_254_740_993], "{error}");
    }
    let server = answers(at, json(json!({"result": null, "error": "busy"}))).await;
    assert!(management(&server).answers(SignedDuration::from_hours(1)).await.is_err());
    assert_eq!(server.received_requests().await.unwrap().len(), 2);
    let sql = server.received_requests().await.unwrap()[0].url.to_string();
    assert!(!sql.contains("count%28*%29") && sql.contains("count%28timestamp%29"), "{sql}");
}

#[tokio::test]
async fn a_repository_that_was_renamed_is_followed_on_its_host_only() {
    let server = MockServer::start().await;
    let moved = |to: &str| {
        ResponseTemplate::new(301).insert_header("location", to).set_body_json(json!({"message": "Moved Permanently"}))
    };
    let to = format!("{}/repositories/1/issues?state=open", server.uri());
    Mock::given(path("/repos/owner/name/issues")).respond_with(moved(&to)).mount(&server).await;
    Mock::given(path("/repositories/1/issues"))
        .and(header("authorization", format!("Bearer {TOKEN}")))
        .respond_with(json(json!([{"number": 1, "title": "t"}])))
        .mount(&server)
        .await;
    assert_eq!(github(&server).open_issues("blocker").await.unwrap().len(), 1);

    let elsewhere = answers("/repos/owner/name/issues", moved("https://elsewhere.example/issues")).await;
    let error = github(&elsewhere).open_issues("blocker").await.unwrap_err();
    assert_eq!(Deployment::vendor_failed("c", &error).outcome(), Outcome::Undecided);
}

/// In each vendor's own form.
#[tokio::test]
async fn limits_are_waited_out_or_reported_as_limits() {
    let at = "/v1/projects/ref/functions";
    for header in ["retry-after", "x-ratelimit-reset"] {
        let server = MockServer::start().await;
        let body = json!({"message": "ThrottlerException: Too Many Requests"});
        let limit = ResponseTemplate::new(429).insert_header(header, "0").set_body_json(body);
        Mock::given(path(at)).respond_with(limit).up_to_n_times(1).mount(&server).await;
        Mock::given(path(at)).respond_with(json(json!([]))).mount(&server).await;
        assert!(management(&server).functions().await.is_ok(), "{header}");
    }
    // GitHub's: 403, and the second of Unix time at which the hour is over.
    let reset = (Timestamp::now().as_second() + 1800).to_string();
    let primary = ResponseTemplate::new(403)
        .insert_header("x-ratelimit-remaining", "0")
        .insert_header("x-ratelimit-reset", reset.as_str())
        .set_body_json(json!({"message": "API rate limit exceeded"}));
    let server = answers("/repos/owner/name/issues", primary).await;
    let error = github(&server).open_issues("blocker").await.unwrap_err();
    let failure = Deployment::vendor_failed("c", &error);
    assert_eq!(failure.outcome(), Outcome::Undecided);
    assert!(failure.to_string().contains("used up what it may ask: run the check again in 1"), "{failure}");
    let refused = ResponseTemplate::new(403).insert_header("x-ratelimit-remaining", "4999");
    let server = answers("/repos/owner/name/issues", refused).await;
    let error = github(&server).open_issues("blocker").await.unwrap_err();
    assert_eq!(Deployment::vendor_failed("c", &error).outcome(), Outcome::NotRun, "the token may not");
}

#[tokio::test]
async fn issues_that_are_switched_off_are_looked_at_by_a_person() {
    let gone = ResponseTemplate::new(410).set_body_json(json!({"message": "Issues are disabled for this repo"}));
    let server = answers("/repos/owner/name/issues", gone).await;
    let error = github(&server).open_issues("blocker").await.unwrap_err();
    let failure = Deployment::vendor_failed("no open issue blocks the release", &error);
    assert_eq!(failure.outcome(), Outcome::NotRun);
    assert!(failure.to_string().contains("Issues are disabled") && failure.to_string().contains("sign"), "{failure}");
}

async fn outcome(answer: ResponseTemplate) -> (Outcome, String) {
    let server = answers("/v1/projects/ref/functions", answer).await;
    let error = management(&server).functions().await.unwrap_err();
    let failure = Deployment::vendor_failed("the functions are deployed", &error);
    assert!(!failure.to_string().contains(TOKEN), "{failure}");
    (failure.outcome(), failure.to_string())
}

/// Whatever a vendor's API does: never a pass, and never a failure of the portal.
#[tokio::test]
async fn trouble_with_a_vendor_is_not_run_or_undecided() {
    let refusal = |status: u16| ResponseTemplate::new(status).set_body_json(json!({"message": "no"}));
    for status in [401, 403] {
        assert_eq!(outcome(refusal(status)).await.0, Outcome::NotRun, "{status}");
    }
    for status in [404, 409, 422, 429, 500, 503] {
        // Longer than anybody waits.
        let answer = refusal(status).insert_header("retry-after", "3600");
        assert_eq!(outcome(answer).await.0, Outcome::Undecided, "{status}");
    }
    let html = ResponseTemplate::new(200).set_body_raw("<!doctype html><title>Just a moment...</title>", "text/html");
    let (shown, text) = outcome(html).await;
    assert_eq!(shown, Outcome::Undecided);
    insta::assert_snapshot!(
        regex::Regex::new(r"127\.0\.0\.1:\d+").unwrap().replace_all(&text, "api.supabase.com").into_owned(),
        @r#"
    undecided  the functions are deployed
      expected  an answer of the vendor's API
      seen      GET http://api.supabase.com/v1/projects/ref/functions answered 200 OK with something else: expected value at line 1 column 1; it begins "<!doctype html><title>Just a moment...</title>"
      do        look at the vendor's status page, and run the check again
    "#
    );
    assert_eq!(outcome(json(json!({"functions": []}))).await.0, Outcome::Undecided, "another shape");
}

#[tokio::test]
async fn a_limit_is_waited_out_once_as_the_vendor_says() {
    let server = MockServer::start().await;
    let limit = ResponseTemplate::new(429).insert_header("retry-after", "0");
    Mock::given(path("/v1/projects/ref/functions")).respond_with(limit).up_to_n_times(1).mount(&server).await;
    Mock::given(path("/v1/projects/ref/functions")).respond_with(json(json!([]))).mount(&server).await;
    assert_eq!(management(&server).functions().await.unwrap().len(), 0);
    assert_eq!(server.received_requests().await.unwrap().len(), 2);
}

fn sentry(server: &MockServer) -> SentryClient {
    SentryClient::new(http(), server.uri().parse().unwrap(), TOKEN.into(), "sacco".to_owned(), 7, None)
}

#[tokio::test]
async fn issues_are_read_to_the_page_that_would_be_empty() {
    let server = MockServer::start().await;
    let page = |issues: Value, more: bool| {
        let next = format!(
            "<{uri}/api/0/organizations/sacco/issues/?cursor=0:0:1>; rel=\"previous\"; results=\"false\"; cursor=\"0:0:1\", \
             <{uri}/api/0/organizations/sacco/issues/?cursor=0:100:0>; rel=\"next\"; results=\"{more}\"; cursor=\"0:100:0\"",
            uri = server.uri()
        );
        json(issues).insert_header("link", next)
    };
    let first = json!([{"shortId": "PORTAL-1", "level": "error", "count": "12", "userCount": 2, "substatus": null,
        "firstSeen": "2026-11-20T10:00:00.123456Z"}]);
    let at = || Mock::given(path("/api/0/organizations/sacco/issues/"));
    at().and(query_param("statsPeriod", "25h")).respond_with(page(first, true)).mount(&server).await;
    let second = json!([{"shortId": "PORTAL-2", "level": "apocalypse", "count": 3, "substatus": "regressed", "firstSeen": null}, 5]);
    at().and(query_param("cursor", "0:100:0")).respond_with(page(second, false)).mount(&server).await;
    let issues = sentry(&server).unresolved(SignedDuration::from_mins(24 * 60 + 1)).await;
    let shown: Vec<_> = issues.unwrap_or_default().iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "PORTAL-1 (error): 12 times, 2 people, first at 2026-11-20T10:00:00Z",
            "PORTAL-2 (apocalypse): 3 times, 0 people, resolved before",
            "an issue that cannot be read",
        ]
    );
}
