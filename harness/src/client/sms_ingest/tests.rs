//! Every answer of the function's table, and broken ones: what is read of each, and how often it was asked for.

use insta::assert_snapshot;
use rstest::rstest;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, body_json, header, method},
};

use super::*;

async fn ingest(server: &MockServer) -> SmsIngest {
    let url = format!("{}/functions/v1/sms-ingest", server.uri()).parse().unwrap();
    let mut ingest = SmsIngest::new(url, "x-api-key", Some("the-key".to_owned().into())).unwrap();
    // No backoff fits in, unless the server asks for none.
    ingest.deadline = Duration::from_millis(50);
    ingest.http =
        reqwest::Client::builder().redirect(Policy::none()).timeout(Duration::from_millis(200)).build().unwrap();
    ingest
}

fn message() -> Message {
    Message {
        device: "device-1".to_owned(),
        sender: "MoMo".to_owned(),
        text: "You have received 5,000 RWF".to_owned(),
        received_at: "2026-01-07T14:00:00+02:00[Africa/Kigali]".parse().unwrap(),
        sim_slot: None,
        message_id: Some("m-1".to_owned()),
    }
}

/// `outcome | who | display`, from a server that always answers so.
async fn shown(answer: ResponseTemplate) -> String {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let receipt = ingest(&server).await.deliver(message().body()).await;
    let shown = format!("{:?} | {:?} | {receipt}", receipt.outcome, receipt.by());
    shown.replace(&server.uri(), "https://project.supabase.co")
}

fn from_function(status: u16, body: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).insert_header("x-deno-execution-id", "e").set_body_raw(body, "application/json")
}

fn from_platform(status: u16, body: &str) -> ResponseTemplate {
    ResponseTemplate::new(status)
        .insert_header("sb-error-code", "CODE")
        .insert_header("sb-request-id", "r-1")
        .set_body_raw(body, "application/json")
}

#[tokio::test]
async fn a_message_is_sent_as_the_function_reads_it() {
    let server = MockServer::start().await;
    let body = json!({
        "device_identifier": "device-1", "sender_phone": "MoMo", "sms_text": "You have received 5,000 RWF",
        "received_at": "2026-01-07T14:00:00+02:00", "message_id": "m-1",
    });
    Mock::given(method("POST"))
        .and(header("x-api-key", "the-key"))
        .and(header("content-type", "application/json"))
        .and(body_json(body))
        .respond_with(from_function(200, r#"{"success":true,"sms_id":"s","duplicate":false,"parse_status":"pending"}"#))
        .expect(1)
        .mount(&server)
        .await;
    let receipt = ingest(&server).await.deliver(message().body()).await;
    assert_eq!(receipt.outcome, Ingest::Ingested { sms_id: "s".to_owned(), transaction_id: None }, "{receipt}");
}

#[tokio::test]
async fn each_row_of_the_table_is_read() {
    assert_snapshot!(shown(from_function(200, r#"{"success":true,"sms_id":"s","transaction_id":"t","duplicate":false,"parse_status":"success"}"#)).await, @r#"Ingested { sms_id: "s", transaction_id: Some("t") } | Function | 200 {"success":true,"sms_id":"s","transaction_id":"t","duplicate":false,"parse_status":"success"} from the function"#);
    assert_snapshot!(shown(from_function(200, r#"{"success":true,"sms_id":"s","duplicate":false,"parse_status":"pending"}"#)).await, @r#"Ingested { sms_id: "s", transaction_id: None } | Function | 200 {"success":true,"sms_id":"s","duplicate":false,"parse_status":"pending"} from the function"#);
    assert_snapshot!(shown(from_function(200, r#"{"success":true,"sms_id":"s","duplicate":true,"message":"again"}"#)).await, @r#"Duplicate { sms_id: "s", transaction_id: None } | Function | 200 {"success":true,"sms_id":"s","duplicate":true,"message":"again"} from the function"#);
    assert_snapshot!(shown(from_function(401, r#"{"success":false,"error":"Unauthorized"}"#)).await, @r#"Refused(Key) | Function | 401 {"success":false,"error":"Unauthorized"} from the function"#);
    assert_snapshot!(shown(from_function(400, r#"{"success":false,"error":"Invalid JSON body"}"#)).await, @r#"Refused(Request("Invalid JSON body")) | Function | 400 {"success":false,"error":"Invalid JSON body"} from the function"#);
    assert_snapshot!(shown(from_function(400, r#"{"success":false,"error":"Missing required field: sms_text"}"#)).await, @r#"Refused(Request("Missing required field: sms_text")) | Function | 400 {"success":false,"error":"Missing required field: sms_text"} from the function"#);
    assert_snapshot!(shown(from_function(400, r#"{"success":false,"error":"Unknown device","device_identifier":"device-1"}"#)).await, @r#"Refused(Device("Unknown device")) | Function | 400 {"success":false,"error":"Unknown device","device_identifier":"device-1"} from the function"#);
    assert_snapshot!(shown(from_function(405, r#"{"success":false,"error":"Method not allowed"}"#)).await, @r#"Refused(Method) | Function | 405 {"success":false,"error":"Method not allowed"} from the function"#);
}

#[tokio::test]
async fn what_the_platform_says_is_told_apart() {
    assert_snapshot!(shown(from_platform(401, r#"{"code":"UNAUTHORIZED_NO_AUTH_HEADER","message":"Missing authorization header"}"#)).await, @r#"Refused(Key) | Platform | 401 {"code":"UNAUTHORIZED_NO_AUTH_HEADER","message":"Missing authorization header"} from the platform (request r-1)"#);
    assert_snapshot!(shown(from_platform(404, r#"{"code":"NOT_FOUND","message":"Requested function was not found"}"#)).await, @r#"Refused(Other("Requested function was not found")) | Platform | 404 {"code":"NOT_FOUND","message":"Requested function was not found"} from the platform (request r-1)"#);
    assert_snapshot!(shown(from_platform(503, r#"{"code":"BOOT_ERROR","message":"Worker failed to boot"}"#)).await, @r#"Unavailable { why: "Worker failed to boot" } | Platform | 503 Worker failed to boot from the platform (request r-1)"#);
    assert_snapshot!(shown(from_platform(546, r#"{"code":"WORKER_LIMIT","message":"Worker exceeded its limits"}"#)).await, @r#"Unavailable { why: "Worker exceeded its limits" } | Platform | 546 Worker exceeded its limits from the platform (request r-1)"#);
}

#[tokio::test]
async fn a_broken_answer_decides_nothing() {
    assert_snapshot!(shown(ResponseTemplate::new(200).set_body_raw("<!doctype html><title>Hello</title>", "text/html")).await, @r#"Unavailable { why: "a success that says nothing of the message: <!doctype html><title>Hello</title>" } | Unknown | 200 a success that says nothing of the message: <!doctype html><title>Hello</title>"#);
    assert_snapshot!(shown(from_function(200, r#"{"success":true,"sms_id":"s","dupl"#)).await, @r#"Unavailable { why: "a success that says nothing of the message: {\"success\":true,\"sms_id\":\"s\",\"dupl" } | Function | 200 a success that says nothing of the message: {"success":true,"sms_id":"s","dupl from the function"#);
    assert_snapshot!(shown(from_function(200, r#"{"success":"yes","sms_id":7,"duplicate":0}"#)).await, @r#"Unavailable { why: "a success that says nothing of the message: {\"success\":\"yes\",\"sms_id\":7,\"duplicate\":0}" } | Function | 200 a success that says nothing of the message: {"success":"yes","sms_id":7,"duplicate":0} from the function"#);
    assert_snapshot!(shown(from_function(200, "")).await, @r#"Unavailable { why: "a success that says nothing of the message: an empty body" } | Function | 200 a success that says nothing of the message: an empty body from the function"#);
    assert_snapshot!(shown(from_function(500, "")).await, @r#"Unavailable { why: "an empty body" } | Function | 500 an empty body from the function"#);
    assert_snapshot!(shown(ResponseTemplate::new(502).set_body_raw("<h1>Bad Gateway</h1>", "text/html")).await, @r#"Unavailable { why: "<h1>Bad Gateway</h1>" } | Unknown | 502 <h1>Bad Gateway</h1>"#);
    assert_snapshot!(shown(ResponseTemplate::new(308).insert_header("location", "https://elsewhere.example/")).await, @r#"Unavailable { why: "a redirect to https://elsewhere.example/" } | Unknown | 308 a redirect to https://elsewhere.example/"#);
    let slow =
        from_function(200, r#"{"success":true,"sms_id":"s","duplicate":false}"#).set_delay(Duration::from_secs(5));
    assert_snapshot!(shown(slow).await, @r#"Unavailable { why: "no answer within 0.2 s" } | Unknown | no answer: no answer within 0.2 s"#);
}

#[tokio::test]
async fn a_dead_endpoint_is_told_without_its_key() {
    let mut ingest = ingest(&MockServer::start().await).await;
    ingest.url = "http://127.0.0.1:9/functions/v1/sms-ingest".parse().unwrap();
    let receipt = ingest.deliver(message().body()).await;
    assert!(matches!(receipt.outcome, Ingest::Unavailable { .. }), "{receipt}");
    assert!(!format!("{ingest:?} {receipt:?}").contains("the-key"));
}

/// How often a message is sent when the first `times` answers are `status`, which ask for no pause.
#[rstest]
#[case::sound(200, 0, 1)]
#[case::too_many_requests(429, 2, 3)]
#[case::error_of_the_function(500, 2, 3)]
#[case::limit_of_the_platform(546, 1, 2)]
#[case::gateway(502, 1, 2)]
#[case::refused(400, 1, 1)]
#[case::no_key(401, 1, 1)]
#[case::redirect(308, 1, 1)]
#[tokio::test]
async fn what_is_safe_is_asked_again(#[case] status: u16, #[case] times: u64, #[case] tries: u32) {
    let server = MockServer::start().await;
    let busy = ResponseTemplate::new(status).insert_header("retry-after", "0").set_body_string("{}");
    let good = from_function(200, r#"{"success":true,"sms_id":"s","duplicate":false,"parse_status":"pending"}"#);
    if times > 0 {
        Mock::given(any()).respond_with(busy).up_to_n_times(times).with_priority(1).mount(&server).await;
    }
    Mock::given(any()).respond_with(good).mount(&server).await;
    let receipt = ingest(&server).await.deadline(Duration::from_secs(5)).deliver(message().body()).await;
    assert_eq!(receipt.tries, tries, "{receipt}");
    assert_eq!(matches!(receipt.outcome, Ingest::Ingested { .. }), tries > 1 || times == 0, "{receipt}");
}

/// A pause that ends after the deadline is not begun.
#[tokio::test]
async fn the_deadline_ends_it() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(429).insert_header("retry-after", "60")).mount(&server).await;
    let receipt = ingest(&server).await.deadline(Duration::from_secs(5)).deliver(message().body()).await;
    assert_eq!((receipt.tries, receipt.status), (1, Some(StatusCode::TOO_MANY_REQUESTS)));
}

#[tokio::test]
async fn what_stands_before_the_endpoint_blames_nobody() {
    let kept_out = async |answer: ResponseTemplate| {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(answer).mount(&server).await;
        let ingest = ingest(&server).await;
        let receipt = ingest.probe(Method::POST, &[], &Unstorable::empty()).await.by_the_endpoint(ingest.url());
        receipt
            .map(|receipt| receipt.status)
            .map_err(|failure| failure.to_string().replace(&server.uri(), "https://project.supabase.co"))
    };
    let limit = from_function(429, r#"{"error":"slow down"}"#).insert_header("retry-after", "7");
    assert_snapshot!(kept_out(limit).await.unwrap_err(), @"
    undecided  https://project.supabase.co answers every request of these checks
      seen      429 Too Many Requests
      do        wait 7 s, as the server asks, and run the checks again with -- --test-threads=1
    ");
    let gateway = kept_out(ResponseTemplate::new(502)).await.unwrap_err();
    assert!(gateway.starts_with("undecided") && gateway.contains("502"), "{gateway}");
    // What the platform says of a function is the function's own.
    assert_eq!(kept_out(from_platform(503, "{}")).await, Ok(Some(StatusCode::SERVICE_UNAVAILABLE)));
    assert_eq!(kept_out(from_function(403, "{}")).await, Ok(Some(StatusCode::FORBIDDEN)));
}
