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
    let times: Vec<_> = shown.value.backups.iter().map(|backup| backup.inserted_at.to_string()).collect();
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
        all.iter().map(|it| (it.short_id.as_str(), it.is_live())).collect::<Vec<_>>(),
        [("b", false), ("a", true)]
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
    let variables = json!({"VITE_SUPABASE_URL": {"type": "plain_text", "value": "https://x"}, "TOKEN": {"type": "secret_text"}, "OLD": null});
    let body = json!({"success": true, "result": {"name": "portal", "production_branch": "main", "deployment_configs": {"production": {"env_vars": variables}}}});
    let server = answers("/client/v4/accounts/account/pages/projects/portal", json(body)).await;
    let project = pages(&server).project().await.unwrap();
    assert_eq!(
        project.variables().into_iter().collect::<Vec<_>>(),
        [("OLD", None), ("TOKEN", None), ("VITE_SUPABASE_URL", Some("https://x"))]
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

async fn objection(reviews: Value) -> Option<String> {
    let server = answers("/repos/owner/name/pulls/7/reviews", json(reviews)).await;
    let pull = serde_json::from_value(
        json!({"number": 7, "title": "t", "user": {"login": "ada"}, "merged_at": "2026-01-07T10:00:00Z"}),
    );
    github(&server).objection(&pull.unwrap()).await.unwrap()
}

#[tokio::test]
async fn the_last_verdict_of_each_reviewer_counts_and_the_authors_does_not() {
    let by = |login: &str, state: &str| json!({"user": {"login": login}, "state": state});
    assert_eq!(objection(json!([by("grace", "APPROVED"), by("grace", "COMMENTED")])).await, None);
    assert_eq!(objection(json!([by("grace", "CHANGES_REQUESTED"), by("grace", "APPROVED")])).await, None);
    assert_eq!(objection(json!([by("ada", "APPROVED")])).await.unwrap(), "nobody but ada approved it");
    assert_eq!(
        objection(json!([by("grace", "APPROVED"), by("grace", "DISMISSED")])).await.unwrap(),
        "nobody but ada approved it"
    );
    assert_eq!(
        objection(json!([by("grace", "APPROVED"), by("alan", "CHANGES_REQUESTED")])).await.unwrap(),
        "alan asked for changes"
    );
    assert_eq!(objection(json!([{"user": null, "state": "APPROVED"}])).await.unwrap(), "nobody but ada approved it");
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
    for status in [404, 429, 500, 503] {
        assert_eq!(outcome(refusal(status)).await.0, Outcome::Undecided, "{status}");
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
