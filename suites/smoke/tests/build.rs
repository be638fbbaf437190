//! §3.1 Pre-Deployment Build Test, "should see: index.html, assets/, _redirects": by what is served of them.

use std::collections::BTreeSet;

use harness::{Cause, Failure, Verdict, check};

#[test]
fn index_html_is_the_portal() -> Verdict {
    check("3.1.1", async |check| {
        let (portal, assets) = (&check.contract().portal, &check.contract().assets);
        let document = check.deployment().site().document("/").await?;
        check.released(|seen| seen.build = Some(document.fetched.sha256()));
        let failed = |claim: &str| Failure::failed(claim).at(document.fetched.url.as_str());
        let missing: Vec<_> = assets.required.iter().filter(|selector| !document.has(selector)).cloned().collect();
        if !missing.is_empty() {
            return Err(failed("the document names all that the portal needs")
                .expected(assets.required.join(", "))
                .seen(format!("no {}; titled {:?}", missing.join(", "), document.title)));
        }
        if document.title == portal.title && document.language == portal.language {
            return Ok(());
        }
        Err(failed("the document has its title and its language")
            .expected(format!("title {:?}, lang {:?}", portal.title, portal.language))
            .seen(format!("title {:?}, lang {:?}", document.title, document.language))
            .caused_by(Cause::Wording))
    })
}

#[test]
fn every_asset_of_the_document_answers_with_its_type() -> Verdict {
    check("3.1.2", async |check| {
        let site = check.deployment().site();
        let document = site.document("/").await?;
        let (mut wrong, mut unreached) = (Vec::new(), BTreeSet::new());
        for asset in &document.assets {
            let is_own = asset.url.origin() == document.fetched.url.origin();
            let answer = match site.get(asset.url.clone()).await {
                // Another's fonts may be out of this machine's reach, and in that of visitors.
                Err(_) if !is_own => {
                    unreached.extend(asset.url.host_str().map(str::to_owned));
                    continue;
                }
                answer => answer?,
            };
            if answer.status != 200 || !asset.may_be(&answer.content_type()) {
                wrong.push(format!(
                    "{}: {} (expected 200, {})",
                    asset.url.path(),
                    answer.summary(),
                    asset.types.join(" or ")
                ));
            }
        }
        let failed = |seen: String| {
            Failure::failed("every asset of the document answers with its type")
                .expected("at least one asset, each 200 with the content type of its kind")
                .seen(seen)
                .at(document.fetched.url.as_str())
        };
        if !unreached.is_empty() {
            let hosts = unreached.into_iter().collect::<Vec<_>>().join(", ");
            check.measured(format!("without what this machine does not reach: {hosts}"));
        }
        match (document.assets.is_empty(), wrong.is_empty()) {
            (true, _) => Err(failed("the document names no asset".to_owned())),
            (_, false) => Err(failed(wrong.join("\n"))),
            _ => Ok(()),
        }
    })
}

#[test]
fn every_script_that_the_app_can_load_answers() -> Verdict {
    check("3.1.2", async |check| {
        let bundle = check.deployment().site().bundle().await?;
        let scripts = bundle.scripts()?.len();
        if bundle.broken().is_empty() {
            return Ok(());
        }
        let broken: Vec<_> =
            bundle.broken().iter().map(|script| format!("{}: {}", script.url.path(), script.summary())).collect();
        Err(Failure::failed("every script that the app can load answers")
            .expected("200 with a JavaScript content type, lazily loaded chunks too")
            .seen(broken.join("\n"))
            .fact("control", format!("{scripts} other scripts answer")))
    })
}

#[test]
fn hashed_assets_are_immutable() -> Verdict {
    check("3.1.2", async |check| {
        let site = check.deployment().site();
        let (document, hashed) = (site.document("/").await?, &check.contract().assets.hashed);
        let assets: Vec<_> =
            document.assets.iter().filter(|asset| asset.url.path().starts_with(hashed.as_str())).collect();
        let claim = "hashed assets are cached immutably";
        if assets.is_empty() {
            return Err(Failure::undecided(claim)
                .expected(format!("assets below {hashed}"))
                .seen("the document names none"));
        }
        for asset in assets {
            let answer = site.get(asset.url.clone()).await?;
            if !answer.header("cache-control").contains("immutable") {
                return Err(Failure::failed(claim)
                    .expected("cache-control: public, max-age=31536000, immutable")
                    .seen(format!("cache-control: {}", answer.header("cache-control")))
                    .at(answer.url.as_str())
                    .advice("name the header for assets in public/_headers, build again and deploy"));
            }
        }
        Ok(())
    })
}

#[test]
fn an_unknown_path_answers_as_promised() -> Verdict {
    check("3.1.3", async |check| {
        let site = check.deployment().site();
        let app = site.document("/").await?;
        let path = "/no-route-has-this-path";
        let answer = site.get(site.url(path)).await?;
        let (kept, expected) = match check.contract().portal.unknown_path {
            harness::UnknownPath::App => (
                answer.status == 200 && answer.document().starts_the_same_app_as(&app),
                "200 and the app's own document, by _redirects",
            ),
            harness::UnknownPath::NotFound => (answer.status == 404, "404"),
        };
        if kept {
            return Ok(());
        }
        Err(Failure::failed("a path that no route has answers as promised")
            .expected(expected)
            .seen(answer.summary())
            .at(answer.url.as_str()))
    })
}

/// Addresses of a developer's machine, in whatever is loaded.
#[test]
fn nothing_names_a_developers_machine() -> Verdict {
    check("3.1.2", async |check| {
        let site = check.deployment().site();
        let document = site.document("/").await?;
        let own: Vec<_> = [Some(site.url("/")), check.deployment().api().ok().map(|api| api.url.clone())]
            .into_iter()
            .flatten()
            .map(|url| url.origin().ascii_serialization())
            .collect();
        let bundle = site.bundle().await?;
        let mut found = Vec::new();
        for answer in bundle.scripts()?.iter().chain([&document.fetched]) {
            let addresses = local_addresses(&answer.body).into_iter();
            let addresses = addresses.filter(|address| !own.contains(address) && !is_of_library(address, &answer.body));
            found.extend(addresses.map(|address| format!("{address} in {}", answer.url.path())));
        }
        if found.is_empty() {
            return Ok(());
        }
        Err(Failure::failed("nothing that is loaded names a developer's machine")
            .expected("no address of localhost or of a private network")
            .seen(found.join("\n"))
            .caused_by(Cause::FrontEnd))
    })
}

/// Whether a library has it in every build: a base without a port, to read relative addresses by (React Router, axios), and
/// what auth-js would ask if nobody named a project, beside the key that it keeps sessions under.
fn is_of_library(address: &str, script: &str) -> bool {
    let of_auth_js = || script.contains("supabase.auth.token");
    address == "http://localhost" || address == "http://localhost:9999" && of_auth_js()
}

/// Origins of this machine or of a private network that a text names.
fn local_addresses(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, scheme) in text.match_indices("http") {
        let rest = &text[at + scheme.len()..];
        let Some(rest) = rest.strip_prefix("://").or_else(|| rest.strip_prefix("s://")) else { continue };
        let host: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(*c)).collect();
        let name = host.split(':').next().unwrap_or_default();
        let numbers: Vec<u8> = name.split('.').filter_map(|part| part.parse().ok()).collect();
        let is_private =
            matches!(numbers.as_slice(), [10 | 127, _, _, _] | [192, 168, _, _] | [172, 16..32, _, _] | [0, 0, 0, 0]);
        if name == "localhost" || name.ends_with(".local") || host.starts_with("[::1]") || is_private {
            let origin = text[at..].len() - rest.len();
            found.push(format!("{}{host}", &text[at..at + origin]));
        }
    }
    found.sort();
    found.dedup();
    found
}
