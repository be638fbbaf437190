//! Every body that reference documents say the platform sends, and broken ones, in one line each.

use insta::assert_snapshot;
use rstest::rstest;
use serde_json::json;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, header, method, path, query_param},
};

use super::{AuthClient, ClientError, RestClient, Session};
use crate::outcome::Outcome;

struct Project {
    server: MockServer,
    auth: AuthClient,
    rest: RestClient,
}

async fn project() -> Project {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = MockServer::start().await;
    let http = reqwest::Client::builder().timeout(std::time::Duration::from_millis(500)).build().unwrap();
    let api: url::Url = server.uri().parse().unwrap();
    let auth = AuthClient::new(http.clone(), api.clone(), "anon-key".to_owned());
    let rest = RestClient::new(http, api, "anon-key".to_owned());
    Project { server, auth, rest }
}

impl Project {
    async fn answers(&self, template: ResponseTemplate) {
        Mock::given(any()).respond_with(template).mount(&self.server).await;
    }

    fn shown(&self, error: ClientError) -> String {
        error.to_string().replace(&self.server.uri(), "https://project.supabase.co")
    }
}

fn session_body() -> serde_json::Value {
    json!({"access_token": "a.b.c", "refresh_token": "r", "token_type": "bearer", "expires_in": 3600,
           "expires_at": 1_800_000_000, "user": {"id": "u"}})
}

fn session() -> Session {
    serde_json::from_value(session_body()).unwrap()
}

#[tokio::test]
async fn signing_in_sends_what_gotrue_reads_and_keeps_what_supabase_js_keeps() {
    let project = project().await;
    Mock::given(method("POST"))
        .and(path("/auth/v1/token"))
        .and(query_param("grant_type", "password"))
        .and(header("apikey", "anon-key"))
        .respond_with(ResponseTemplate::new(200).set_body_json(session_body()))
        .expect(1)
        .mount(&project.server)
        .await;
    let session = project.auth.sign_in("admin@sacco.test", &"secret".into()).await.unwrap();
    assert_eq!(session.stored(), session_body());
    assert!(!format!("{session:?}").contains("a.b.c"), "tokens are secrets");
}

#[rstest]
#[case::project_host("https://abcdefgh.supabase.co", "sb-abcdefgh-auth-token")]
#[case::loopback("http://127.0.0.1:54321", "sb-127-auth-token")]
fn the_session_is_stored_under_supabase_js_key(#[case] api: &str, #[case] key: &str) {
    assert_eq!(Session::storage_key(&api.parse().unwrap()), key);
}

#[rstest]
#[case::gotrue("gotrue", 400, r#"{"code":400,"error_code":"invalid_credentials","msg":"Invalid login credentials"}"#)]
#[case::gotrue_2024("gotrue_2024", 400, r#"{"code":"invalid_credentials","message":"Invalid login credentials"}"#)]
#[case::oauth("oauth", 400, r#"{"error":"invalid_grant","error_description":"Invalid Refresh Token"}"#)]
#[case::rate_limit(
    "rate_limit",
    429,
    r#"{"code":429,"error_code":"over_request_rate_limit","msg":"Request rate limit reached"}"#
)]
#[case::gateway("gateway", 401, r#"{"message":"Invalid API key","hint":"Double check your API key."}"#)]
#[case::html("html", 502, "<html><h1>502 Bad Gateway</h1></html>")]
#[case::empty("empty", 500, "")]
#[case::truncated("truncated", 200, r#"{"access_token":"#)]
#[case::wrong_types("wrong_types", 200, r#"{"access_token":7}"#)]
#[tokio::test]
async fn what_the_auth_server_says_instead_of_a_session_is_reported(
    #[case] name: &str,
    #[case] status: u16,
    #[case] body: &str,
) {
    let project = project().await;
    project.answers(ResponseTemplate::new(status).insert_header("sb-request-id", "req-1").set_body_string(body)).await;
    let error = project.auth.sign_in("admin@sacco.test", &"secret".into()).await.unwrap_err();
    insta::with_settings!({ snapshot_path => "../../../snapshots/harness", prepend_module_to_snapshot => false }, {
        assert_snapshot!(format!("auth_{name}"), project.shown(error));
    });
}

#[tokio::test]
async fn a_slow_answer_is_reported() {
    let project = project().await;
    project.answers(ResponseTemplate::new(200).set_delay(std::time::Duration::from_secs(2))).await;
    let error = project.shown(project.auth.settings().await.unwrap_err());
    assert_snapshot!(error, @"GET https://project.supabase.co/auth/v1/settings got no answer: no answer within 0.5 s");
}

#[rstest]
#[case::not_found(
    "not_found",
    403,
    r#"{"code":403,"error_code":"session_not_found","msg":"Session from session_id claim in JWT does not exist"}"#
)]
#[case::two_hundred("two_hundred", 200, "{}")]
#[tokio::test]
async fn a_sign_out_that_is_none_is_reported(#[case] name: &str, #[case] status: u16, #[case] body: &str) {
    let project = project().await;
    project.answers(ResponseTemplate::new(status).set_body_string(body)).await;
    let error = project.auth.sign_out(&session()).await.unwrap_err();
    insta::with_settings!({ snapshot_path => "../../../snapshots/harness", prepend_module_to_snapshot => false }, {
        assert_snapshot!(format!("sign_out_{name}"), project.shown(error));
    });
}

#[tokio::test]
async fn counting_fetches_no_row() {
    let project = project().await;
    Mock::given(method("HEAD"))
        .and(path("/rest/v1/transactions"))
        .and(header("prefer", "count=exact"))
        .and(header("authorization", "Bearer a.b.c"))
        .respond_with(ResponseTemplate::new(206).insert_header("content-range", "0-24/3573"))
        .expect(1)
        .mount(&project.server)
        .await;
    assert_eq!(project.rest.signed_in(&session()).count("transactions", &[]).await.unwrap(), 3573);
}

#[rstest]
#[case::estimated("*/*")]
#[case::absent("")]
#[tokio::test]
async fn a_count_that_is_not_exact_is_no_count(#[case] range: &str) {
    let project = project().await;
    project.answers(ResponseTemplate::new(200).insert_header("content-range", range)).await;
    assert!(matches!(project.rest.count("transactions", &[]).await, Err(ClientError::Unexpected { .. })));
}

#[rstest]
#[case::policy(
    "policy",
    403,
    r#"{"code":"42501","message":"permission denied for table transactions","details":null,"hint":null}"#
)]
#[case::expired("expired", 401, r#"{"code":"PGRST303","message":"JWT expired","details":null,"hint":null}"#)]
#[case::not_rows("not_rows", 200, r#"{"rows":[]}"#)]
#[tokio::test]
async fn what_postgrest_says_instead_of_rows_is_reported(#[case] name: &str, #[case] status: u16, #[case] body: &str) {
    let project = project().await;
    project.answers(ResponseTemplate::new(status).set_body_string(body)).await;
    let error = project.rest.select("transactions", &[("select", "id")]).await.unwrap_err();
    insta::with_settings!({ snapshot_path => "../../../snapshots/harness", prepend_module_to_snapshot => false }, {
        assert_snapshot!(format!("rest_{name}"), project.shown(error));
    });
}

#[tokio::test]
async fn a_read_only_call_is_a_get() {
    let project = project().await;
    Mock::given(method("GET"))
        .and(path("/rest/v1/rpc/get_dashboard_summary"))
        .and(query_param("p_days", "7"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"today": 1})))
        .expect(1)
        .mount(&project.server)
        .await;
    let answer = project.rest.call_read_only("get_dashboard_summary", &[("p_days", "7")]).await.unwrap();
    assert_eq!(answer, json!({"today": 1}));
}

#[rstest]
#[case::limit(429, &[("retry-after", "7")], r#"{"code":429,"error_code":"over_request_rate_limit","msg":"Request rate limit reached"}"#)]
#[case::challenge(403, &[("cf-mitigated", "challenge")], "<title>Just a moment...</title>")]
#[case::gateway(502, &[], "<html><h1>502 Bad Gateway</h1></html>")]
#[case::paused(522, &[], r#"{"message":"connection timed out"}"#)]
#[tokio::test]
async fn what_answers_in_the_services_place_blames_nobody(
    #[case] status: u16,
    #[case] headers: &[(&'static str, &str)],
    #[case] body: &str,
) {
    let project = project().await;
    let answer = ResponseTemplate::new(status).set_body_string(body);
    project.answers(headers.iter().fold(answer, |answer, (name, value)| answer.insert_header(*name, *value))).await;
    let error = project.auth.settings().await.unwrap_err();
    let failure = error.failure("the auth server answers");
    assert_eq!(failure.outcome(), Outcome::Undecided, "{failure}");
    assert!(failure.is_shared() && failure.get("do").is_some(), "{failure}");
}

#[rstest]
#[case::itself(503, r#"{"code":"PGRST002","message":"Could not query the database for the schema cache."}"#)]
#[case::broken(500, "")]
#[case::refused(403, r#"{"code":"42501","message":"permission denied"}"#)]
#[tokio::test]
async fn what_the_service_says_itself_is_its_own_fault(#[case] status: u16, #[case] body: &str) {
    let project = project().await;
    project.answers(ResponseTemplate::new(status).set_body_string(body)).await;
    let error = project.rest.select("transactions", &[]).await.unwrap_err();
    assert_eq!(error.failure("rows can be read").outcome(), Outcome::Failed);
}
