//! "Security scan completed (no critical issues)": what is sent and served, and what the public key opens.

use harness::{AnsweredBy, Failure, Fetched, Section, Unstorable, Verdict, check, check_if_promised};
use reqwest::StatusCode;
use rstest_reuse::apply;

use crate::unpublished;

/// Every document has the headers, not only the first one that somebody looks at.
#[test]
fn every_document_carries_the_required_headers() -> Verdict {
    check("pre.2.5", async |check| {
        let (site, contract) = (check.deployment().site(), check.contract());
        let mut lacking = Vec::new();
        for path in ["/"].into_iter().chain(contract.routes().map(|route| route.path.as_str())) {
            let document = site.document(path).await?;
            let names = contract.headers.iter().filter(|(name, pattern)| !pattern.is_in(document.fetched.header(name)));
            let names: Vec<_> = names.map(|(name, _)| name.as_str()).collect();
            if !names.is_empty() {
                lacking.push(format!("{path}: {}", names.join(", ")));
            }
        }
        let required: Vec<_> =
            contract.headers.iter().map(|(name, pattern)| format!("{name}: {}", pattern.as_str())).collect();
        if lacking.is_empty() && !required.is_empty() {
            return Ok(());
        }
        Err(Failure::failed("every document carries the required headers")
            .expected(required.join("\n"))
            .seen(format!("missing or otherwise at\n{}", lacking.join("\n")))
            .advice("correct the pattern of the rule in _headers (it is /*), build and deploy"))
    })
}

/// Documents, assets, service worker and source maps; the scripts that the app can load are those of pre.4.3.
#[test]
fn nothing_that_is_served_holds_a_secret() -> Verdict {
    check("pre.2.5", async |check| {
        let (site, contract) = (check.deployment().site(), check.contract());
        let document = site.document("/").await?;
        // What other hosts serve is theirs.
        let own = document.assets.iter().filter(|asset| asset.url.origin() == document.fetched.url.origin());
        let mut urls: Vec<_> = own.map(|asset| asset.url.clone()).collect();
        urls.extend(contract.portal.service_worker.iter().map(|path| site.url(path)));
        urls.extend(site.bundle().await?.scripts()?.iter().map(|script| script.url.clone()));
        urls.sort();
        urls.dedup();
        let maps: Vec<_> = urls.iter().filter(|url| url.path().ends_with("js")).cloned().collect();
        let mut served = vec![document.fetched.clone()];
        for url in urls {
            served.push(site.get(url).await?);
        }
        for mut map in maps {
            map.set_path(&format!("{}.map", map.path()));
            served.push(site.get(map).await?);
        }
        let mut found = Vec::new();
        for answer in &served {
            let kinds = contract.secrets.iter().filter(|(_, pattern)| pattern.is_in(&answer.body));
            found.extend(kinds.map(|(kind, _)| format!("a {kind} in {}", answer.url.path())));
        }
        if found.is_empty() {
            check.measured(format!("{} files", served.len()));
            return Ok(());
        }
        Err(Failure::failed("nothing that is served holds a secret: everybody can read it")
            .expected("none of the contract's secrets")
            .seen(found.join("\n")))
    })
}

/// Staff is invited: whoever asks for an account is refused before their password is looked at.
#[test]
fn nobody_makes_an_account_for_themselves() -> Verdict {
    check_if_promised(&[Section::Invited], "pre.2.5", async |check| {
        let auth = check.deployment().auth()?;
        let claim = "nobody makes an account for themselves";
        let code = auth
            .ask_to_sign_up("release-check-nobody@example.com")
            .await
            .map_err(|error| Failure::undecided(claim).expected("a refusal").seen(error.to_string()))?;
        let settings = auth.settings().await;
        let says_open = settings.is_ok_and(|settings| settings["disable_signup"] == false);
        if code.as_deref() == Some("signup_disabled") && !says_open {
            return Ok(());
        }
        Err(Failure::failed(claim)
            .expected("signup_disabled, and disable_signup in the project's settings")
            .seen(match code {
                Some(code) if says_open => format!("{code}, and sign-ups are open in the settings"),
                Some(code) => format!("{code}: sign-ups are open"),
                None => "a refusal without a code".to_owned(),
            })
            .at("/auth/v1/signup")
            .advice("Supabase → Authentication → Sign In / Providers → Allow new users to sign up: off"))
    })
}

/// Paths that answer to nobody without a key of the project.
const KEYED: [&str; 3] = ["rest/v1/", "auth/v1/user", "auth/v1/admin/users"];

/// Who shows nothing is let in nowhere, and the key that every visitor has manages nobody.
#[test]
fn the_services_refuse_who_shows_nothing() -> Verdict {
    check("pre.2.5", async |check| {
        let key = check.deployment().api()?.anon_key.clone();
        let without = KEYED.map(|path| ("without a key", path, vec![]));
        let public = ["auth/v1/user", "auth/v1/admin/users"].map(|path| {
            ("with the public key", path, vec![("apikey", key.clone()), ("authorization", format!("Bearer {key}"))])
        });
        refused(check, without.into_iter().chain(public).collect()).await
    })
}

/// Who asks, the path, and the headers.
type Asked<'a> = (&'a str, &'a str, Vec<(&'a str, String)>);

/// Each request, by who makes it, is answered 401 or 403.
async fn refused(check: &harness::Check, requests: Vec<Asked<'_>>) -> Verdict {
    let base = check.deployment().api()?.url.as_str().trim_end_matches('/').to_owned();
    let undecided =
        |error: reqwest::Error| Failure::undecided("the services can be asked").seen(error.without_url().to_string());
    let http = harness::http().build().map_err(undecided)?;
    let mut open = Vec::new();
    for (who, path, headers) in requests {
        let request = headers
            .iter()
            .fold(http.get(format!("{base}/{path}")), |request, (name, value)| request.header(*name, value));
        let status = request.send().await.map_err(undecided)?.status().as_u16();
        if ![401, 403].contains(&status) {
            open.push(format!("GET /{path} {who}: {status}"));
        }
    }
    if open.is_empty() {
        return Ok(());
    }
    Err(Failure::failed("what is for the project's own service is refused to everybody else")
        .expected("401 or 403")
        .seen(open.join("\n"))
        .at(base)
        .advice("shut the path at the gateway, find what lets it through, and look in the log for who used it"))
}

/// What a browser keeps for the API is not sent from somebody else's page.
#[test]
fn a_strangers_page_sends_no_credentials() -> Verdict {
    check("pre.2.5", async |check| {
        const STRANGER: &str = "https://stranger.example";
        let api = check.deployment().api()?;
        let base = api.url.as_str().trim_end_matches('/');
        let http = harness::http()
            .build()
            .map_err(|error| Failure::undecided("the API can be asked").seen(error.to_string()))?;
        let mut open = Vec::new();
        for service in ["auth/v1/settings", "rest/v1/", "functions/v1/"] {
            for method in [reqwest::Method::OPTIONS, reqwest::Method::GET] {
                let request = http.request(method.clone(), format!("{base}/{service}"));
                let request = request.header("origin", STRANGER).header("apikey", &api.anon_key);
                let answer = request
                    .header("access-control-request-method", "GET")
                    .send()
                    .await
                    .map_err(|error| Failure::undecided("the API answers").seen(error.without_url().to_string()))?;
                let header = |name: &str| {
                    answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
                };
                if header("access-control-allow-credentials") == "true"
                    && ["*", STRANGER].contains(&header("access-control-allow-origin").as_str())
                {
                    open.push(format!("{method} /{service}"));
                }
            }
        }
        if open.is_empty() {
            return Ok(());
        }
        Err(Failure::failed("a stranger's page sends no credentials")
            .expected("no access-control-allow-credentials for an origin that is not the portal's")
            .seen(format!("true for {STRANGER} at\n{}", open.join("\n"))))
    })
}

/// A path that the build's folder has by mistake answers as any unknown path does.
#[apply(unpublished)]
fn a_file_that_is_not_for_the_public_is_not_served(#[case] path: &str) -> Verdict {
    check_if_promised(&[Section::Security], "pre.2.5", async |check| {
        if path.is_empty() {
            return Err(Failure::not_run("the contract names files that are not for the public")
                .expected("paths such as \"/.env\" in security.unpublished")
                .seen("none"));
        }
        let site = check.deployment().site();
        let (app, answer) = (site.document("/").await?, site.get(site.url(path)).await?);
        let is_fallback =
            |answer: &Fetched| answer.status == StatusCode::OK && answer.document().starts_the_same_app_as(&app);
        if is_fallback(&answer) || answer.status.is_client_error() || answer.status.is_redirection() {
            return Ok(());
        }
        Err(Failure::failed("a file that is not for the public is not served")
            .expected("404, or the app's own document")
            .seen(answer.summary())
            .at(answer.url.as_str())
            .advice("rotate every key in it now, then leave the file out of the build's folder and deploy"))
    })
}

pub mod signed_in {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::functions;

    /// Accounts are the service's to manage: nobody who is signed in lists them.
    #[test]
    fn nobody_who_is_signed_in_manages_accounts() -> Verdict {
        check("pre.2.5", async |check| {
            let session = check.deployment().session(check.contract().smoke.persona.get_ref()).await?;
            let key = check.deployment().api()?.anon_key.clone();
            let bearer = format!("Bearer {}", session.access_token.expose_secret());
            let headers = vec![("apikey", key), ("authorization", bearer)];
            refused(check, vec![("as somebody who is signed in", "auth/v1/admin/users", headers)]).await
        })
    }

    /// An answer for one person is kept by nobody between them and the project, who would give it to the next one.
    #[test]
    fn an_answer_for_one_person_is_for_nobody_else() -> Verdict {
        check_if_promised(&[Section::Tokens], "pre.2.5", async |check| {
            let (deployment, claim) = (check.deployment(), "an answer for one person is for nobody else");
            let session = deployment.session(check.contract().smoke.persona.get_ref()).await?;
            let api = deployment.api()?;
            let undecided = |error: reqwest::Error| Failure::undecided(claim).seen(error.without_url().to_string());
            let http = harness::http().build().map_err(undecided)?;
            let rows = format!("rest/v1/{}?limit=1", check.contract().tokens()?.relation);
            let mut shared = Vec::new();
            for path in [rows.as_str(), "auth/v1/user"] {
                let request = http
                    .get(format!("{}/{path}", api.url.as_str().trim_end_matches('/')))
                    .header("apikey", &api.anon_key)
                    .bearer_auth(session.access_token.expose_secret());
                let answer = request.send().await.map_err(undecided)?;
                if !answer.status().is_success() {
                    return Err(Failure::undecided(claim)
                        .expected("200")
                        .seen(format!("{} at /{path}", answer.status())));
                }
                let header =
                    |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
                let (kept, came) = (header("cache-control").to_lowercase(), header("cf-cache-status"));
                if ["public", "s-maxage"].iter().any(|word| kept.contains(word)) || came == "HIT" {
                    shared.push(format!(
                        "GET /{path}: cache-control: {kept}{}",
                        if came == "HIT" { ", out of a cache" } else { "" }
                    ));
                }
            }
            if shared.is_empty() {
                return Ok(());
            }
            Err(Failure::failed(claim)
                .expected("no cache-control, or one with private or no-store, and no answer out of a cache")
                .seen(shared.join("\n"))
                .at(api.url.as_str())
                .advice("take the cache rule off the API's host, purge its cache, and rotate what it gave away"))
        })
    }

    /// The key that every visitor has opens no function. The control: somebody who is signed in gets to its own code.
    #[apply(functions)]
    fn the_public_key_opens_no_function(#[case] name: &str) -> Verdict {
        check_if_promised(&[Section::Security, Section::Functions], "pre.2.5", async |check| {
            let (deployment, claim) = (check.deployment(), format!("the public key does not open {name}"));
            let (function, key) = (deployment.function(name)?, &deployment.api()?.anon_key);
            let bearer = format!("Bearer {key}");
            let body = Unstorable::empty_object();
            let headers = [("apikey", key.as_str()), ("authorization", bearer.as_str())];
            let refused = function.probe(reqwest::Method::POST, &headers, &body).await;
            let session = deployment.session(check.contract().smoke.persona.get_ref()).await?;
            let control = function.probe_as(&session, &body).await;
            if control.by() != AnsweredBy::Function || control.status == Some(StatusCode::UNAUTHORIZED) {
                return Err(Failure::undecided(claim)
                    .expected("an answer of the function's own code to a signed-in user, as a control")
                    .seen(control.to_string())
                    .at(function.url().as_str()));
            }
            match refused.status {
                Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => Ok(()),
                _ => Err(Failure::failed(claim)
                    .expected("401 or 403: whoever is not signed in may call nothing")
                    .seen(refused.to_string())
                    .at(function.url().as_str())
                    .advice("the function must ask for the token's sub; disable it until it does")),
            }
        })
    }
}
