//! A sign-in that has to wait, and what stands between the checks and a deployment.

use insta::assert_snapshot;
use serde_json::json;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use super::*;

/// An auth server that is busy `times` times; it says for how long only if something before it does.
async fn sign_in_after(times: u64, says: Option<&str>) -> Result<Session, ClientError> {
    let server = MockServer::start().await;
    let busy = json!({ "code": 429, "error_code": "over_request_rate_limit", "msg": "Request rate limit reached" });
    let busy = ResponseTemplate::new(429).set_body_json(busy);
    let busy = says.map_or(busy.clone(), |says| busy.insert_header("retry-after", says));
    let session = json!({ "access_token": "a", "refresh_token": "r", "expires_in": 3600, "expires_at": 9, "user": {} });
    Mock::given(any()).respond_with(busy).up_to_n_times(times).with_priority(1).mount(&server).await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(session)).mount(&server).await;
    let auth = AuthClient::new(http_client().unwrap(), server.uri().parse().unwrap(), "key".to_owned());
    Deployment::admit(&auth, "somebody@example.com", &"password".to_owned().into()).await
}

#[tokio::test]
async fn a_limit_is_waited_out() {
    assert!(sign_in_after(3, Some("0")).await.is_ok());
    assert!(sign_in_after(1, None).await.is_ok(), "Auth never says for how long");
}

/// Nobody is at fault: neither the release nor the account.
#[tokio::test]
async fn a_limit_that_stays_is_undecided() {
    let error = sign_in_after(1, Some("3600")).await.unwrap_err();
    assert!(error.is_limit(), "{error}");
    let failure = error.failure("the test account ADMIN_A can sign in");
    assert_eq!(failure.outcome(), crate::Outcome::Undecided);
    assert_eq!((failure.severity_key(), failure.remedy_key()), (None, None));
}

/// What everybody reads when this answers in the portal's place.
async fn kept_out_by(answer: ResponseTemplate) -> String {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let site = Site::new(server.uri().parse().unwrap(), "SACCO+ Admin Portal", http_client().unwrap());
    let failure = Failure::from(reach(&site).await.unwrap_err());
    assert!(failure.is_shared(), "{failure}");
    failure.to_string().replace(&server.uri(), "https://your-domain.com")
}

fn page(status: u16, body: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(body, "text/html; charset=UTF-8")
}

#[tokio::test]
async fn a_password_before_the_portal() {
    let answer = ResponseTemplate::new(401).insert_header("www-authenticate", "Basic realm=\"staging\"");
    assert_snapshot!(kept_out_by(answer).await, @r#"
    undecided  https://your-domain.com is open without a password
      seen      401 Unauthorized: www-authenticate: Basic realm="staging"
      do        run the checks from a network that is not asked, or lift the password for this machine
    "#);
}

#[tokio::test]
async fn a_challenge_before_the_portal() {
    let answer = page(403, "<title>Just a moment...</title>").insert_header("cf-mitigated", "challenge");
    assert_snapshot!(kept_out_by(answer).await, @"
    undecided  https://your-domain.com takes these checks for a visitor, not for a bot
      seen      403 Forbidden: cf-mitigated: challenge
      do        exempt this machine's address from the challenge (in Cloudflare: Security, WAF, a rule that skips it)
    ");
}

#[tokio::test]
async fn a_captcha_before_the_portal() {
    let answer = page(200, "<title>Are you human?</title><div class=h-captcha></div>");
    assert_snapshot!(kept_out_by(answer).await, @r#"
    undecided  https://your-domain.com shows the portal and not a captcha
      seen      200 OK: a page with h-captcha, and without "SACCO+ Admin Portal"
      do        exempt this machine's address from the bot protection in front of the portal
    "#);
}

#[tokio::test]
async fn a_host_that_lets_nobody_in() {
    assert_snapshot!(kept_out_by(page(403, "<h1>Forbidden</h1>")).await, @"
    undecided  https://your-domain.com lets these checks in
      seen      403 Forbidden, text/html
      do        open the address from another network: if it opens there, let this machine's address through the firewall or WAF; if it is refused there too, the host serves no document and the portal is down
    ");
    assert_snapshot!(kept_out_by(page(401, "<h1>Sign in</h1>")).await, @"
    undecided  https://your-domain.com lets these checks in
      seen      401 Unauthorized, text/html
      do        open the address from another network: if it opens there, let this machine's address through the firewall or WAF; if it is refused there too, the host serves no document and the portal is down
    ");
}

#[tokio::test]
async fn an_access_page_before_the_portal() {
    let sign_in = "https://sacco.cloudflareaccess.com/cdn-cgi/access/login/your-domain.com?kid=secret";
    assert_snapshot!(kept_out_by(ResponseTemplate::new(302).insert_header("location", sign_in)).await, @"
    undecided  https://your-domain.com is open without signing in to an access page
      seen      302 Found to https://sacco.cloudflareaccess.com/cdn-cgi/access/login/your-domain.com
      do        add a policy that lets this machine's address bypass the access page, or run the checks from a network that it trusts
    ");
}

#[tokio::test]
async fn a_limit_before_the_portal() {
    assert_snapshot!(kept_out_by(ResponseTemplate::new(429).insert_header("retry-after", "90")).await, @"
    undecided  https://your-domain.com answers every request of these checks
      seen      429 Too Many Requests
      do        wait 90 s, as the server asks, and run the checks again with -- --test-threads=1
    ");
    assert_snapshot!(kept_out_by(ResponseTemplate::new(429)).await, @"
    undecided  https://your-domain.com answers every request of these checks
      seen      429 Too Many Requests
      do        wait a few minutes, and run the checks again with -- --test-threads=1
    ");
}

#[tokio::test]
async fn a_gateway_that_does_not_reach_the_portal() {
    for status in [502, 503, 504, 520, 522, 530] {
        let text = kept_out_by(ResponseTemplate::new(status)).await;
        assert!(text.contains(&format!("seen      {status}")), "{text}");
    }
    assert_snapshot!(kept_out_by(ResponseTemplate::new(504)).await, @"
    undecided  https://your-domain.com can be reached behind its gateway
      seen      504 Gateway Timeout
      do        check the host's status page and its dashboard, and run the checks again once it answers
    ");
}

/// The portal's own trouble stays its own.
#[tokio::test]
async fn what_no_obstacle_is() {
    let with_captcha = "<title>SACCO+ Admin Portal</title><div class=cf-turnstile></div>";
    let portal = "<title>SACCO+ Admin Portal</title>";
    let elsewhere = ResponseTemplate::new(302).insert_header("location", "https://www.your-domain.com/");
    let bearer = ResponseTemplate::new(401).insert_header("www-authenticate", "Bearer");
    for answer in [page(200, with_captcha), page(403, portal), page(500, ""), elsewhere, bearer] {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(answer).mount(&server).await;
        let site = Site::new(server.uri().parse().unwrap(), "SACCO+ Admin Portal", http_client().unwrap());
        assert!(reach(&site).await.is_ok());
    }
}

#[test]
fn a_projects_ref_is_the_name_of_its_host() {
    let project = |url: &str| Api { url: url.parse().unwrap(), anon_key: String::new() }.project();
    assert_eq!(project("https://wadhydemushqqtcrrlwm.supabase.co"), "wadhydemushqqtcrrlwm");
    assert_eq!(project("http://127.0.0.1:54321"), "127.0.0.1:54321");
}

/// How tenants and people are made where tables and columns have names of their own, and a trigger makes the profiles.
#[cfg(feature = "embedded")]
const MAKE: &str = r#"
[make.institution]
table = "depots"
values = { nom = "{name}", ville = "Lyon" }
[make.profile]
table = "profils"
values = { id = "{user}", depot_id = "{institution}", role = "{role}", email = "{email}", nom = "{name}" }
[make.role]
table = "fonctions"
values = { profil_id = "{user}", fonction = "{role}" }
[make.tournee]
table = "tournees"
values = { depot_id = "{institution}", suite_de = "{tournee}" }
[make.etape]
table = "etapes"
values = { tournee_id = "{tournee}" }
"#;

/// Roles in a table of their own, of which a trigger gives somebody the lowest; rows that hang on others, and hold up
/// who made them.
#[cfg(feature = "embedded")]
const MORE: &str =
    "create table tournees (id uuid primary key default gen_random_uuid(), suite_de uuid references tournees, \
     depot_id uuid not null references depots on delete cascade, cree_par uuid references auth.users);
     create table etapes (id uuid primary key default gen_random_uuid(), tournee_id uuid not null references tournees);
     grant all on tournees, etapes to service_role;
     create table fonctions (profil_id uuid references profils on delete cascade, fonction text not null, \
     primary key (profil_id, fonction));
     create function signed_up() returns trigger language plpgsql security definer set search_path = '' as
     $$ begin insert into public.fonctions values (new.id, 'benevole'); return null; end $$;
     create trigger signed_up after insert on profils for each row execute function signed_up();
     grant all on fonctions to service_role; notify pgrst, 'reload schema'";

#[cfg(feature = "embedded")]
#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_a_trigger_made_becomes_the_one_that_is_needed_and_nothing_stays() {
    use sqlx::{Connection, PgConnection};

    let (fixture, folder) = (crate::workspace::root().join("fixtures/bricotheque"), tempfile::tempdir().unwrap());
    let portal = portal::Portal::builder().migrations(fixture.join("supabase/migrations")).start().await.unwrap();
    let path = folder.path().join("contract.toml");
    std::fs::write(&path, std::fs::read_to_string(fixture.join("contract.toml")).unwrap() + MAKE).unwrap();
    let contract = Contract::read(&path).unwrap();
    let key = ("SUPABASE_SERVICE_ROLE_KEY".to_owned(), portal.service_role_key().to_owned());
    let environment = [("HARNESS_TARGET".to_owned(), "staging".to_owned()), key];
    let http = http_client().unwrap();
    let deployment = Deployment {
        target: Target::Staging,
        site: front_end(portal.site_url().clone(), &contract, http.clone()),
        api: Some(Api { url: portal.api_url().clone(), anon_key: portal.anon_key().to_owned() }),
        contract,
        settings: Settings::of(environment.into(), &folder.path().join("harness.toml")).unwrap(),
        http,
        sessions: Mutex::default(),
        tenants: Mutex::default(),
        made: tenant::AllMade::default(),
        counterpart: OnceCell::new(),
        embedded: None,
    };
    sqlx::raw_sql(MORE).execute(&mut PgConnection::connect(portal.database_url()).await.unwrap()).await.unwrap();
    let writes = deployment.writes().await.unwrap();
    let service = deployment.service().unwrap();
    // What a run left that was killed, and what another one makes at this moment.
    for (name, since) in [("killed", "2026-01-01T00:00:00Z"), ("under way", "2126-01-01T00:00:00Z")] {
        let row = json!({ "nom": format!("{MADE_BY_CHECKS} {name}"), "ville": "Lyon", "cree_le": since });
        service.insert(&writes, "depots", &row).await.unwrap();
    }
    let ours = writes.institution("ours").await.unwrap();
    let person = writes.person(&ours, "gerant").await.unwrap();
    let profile = service.select("profils", &[("id", &format!("eq.{}", person.id))]).await.unwrap();
    let of = |column: &str| profile[0][column].as_str().unwrap().to_owned();
    assert_eq!(
        (profile.len(), of("role"), of("depot_id"), of("email")),
        (1, "gerant".to_owned(), ours.id.clone(), person.email)
    );
    assert!(of("nom").starts_with(MADE_BY_CHECKS), "{profile:?}");
    let own = [("profil_id", format!("eq.{}", person.id))];
    let own: Vec<_> = own.iter().map(|(name, value)| (*name, value.as_str())).chain([("order", "fonction")]).collect();
    let roles = service.select("fonctions", &own).await.unwrap();
    let roles: Vec<_> = roles.iter().map(|row| row["fonction"].as_str().unwrap()).collect();
    assert_eq!(roles, ["benevole", "gerant"]);
    writes.make(&ours, "etape", &[]).await.unwrap();
    // What the portal makes, of which nobody here knows.
    let theirs = json!({ "depot_id": ours.id, "cree_par": person.id });
    service.insert(&writes, "tournees", &theirs).await.unwrap();
    assert_eq!(service.count("etapes", &[]).await.unwrap(), 1);

    assert_eq!(deployment.tidy().await, Vec::<String>::new());
    let left = service.select("depots", &[("select", "nom"), ("nom", "like.release-check*")]).await.unwrap();
    assert_eq!(left, [json!({ "nom": format!("{MADE_BY_CHECKS} under way") })]);
    for table in ["profils", "tournees", "etapes"] {
        assert_eq!(service.count(table, &[]).await.unwrap(), 0, "{table}");
    }
}
