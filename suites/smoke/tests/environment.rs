//! Pre-Release, 4. Environment Variables: those that are baked into the build, read from the served scripts.

use harness::{Failure, Section, Verdict, check, check_if_promised};

#[test]
fn the_bundle_names_this_deployments_supabase_url() -> Verdict {
    check("pre.4.1", async |check| {
        let (bundle, api) = (check.deployment().site().bundle().await?, check.deployment().api()?);
        let url = api.url.as_str().trim_end_matches('/');
        let named = bundle.scripts()?.iter().any(|script| script.body.contains(url));
        let others: Vec<_> = bundle.hosted_projects()?.into_iter().filter(|project| project != url).collect();
        if named && others.is_empty() {
            return Ok(());
        }
        let seen = match (named, others.as_slice()) {
            (false, []) => "no Supabase URL".to_owned(),
            (_, others) => others.join(", "),
        };
        Err(Failure::failed("the bundle names this deployment's Supabase project and no other")
            .expected(url)
            .seen(seen))
    })
}

#[test]
fn the_project_accepts_the_bundles_anon_key() -> Verdict {
    check("pre.4.2", async |check| {
        let claim = "the Supabase project accepts the public key of the bundle";
        let (tokens, auth) = (check.deployment().site().bundle().await?.tokens()?, check.deployment().auth()?);
        let keys: Vec<_> = tokens.iter().filter(|token| token.role == "anon").collect();
        if keys.is_empty() {
            return Err(Failure::failed(claim).expected("an anon or publishable key in the bundle").seen("none"));
        }
        if auth.with_key("a-key-of-no-project").settings().await.is_ok() {
            return Err(Failure::undecided(claim)
                .expected("a made-up key to be refused")
                .seen("the project accepts any key"));
        }
        for key in keys {
            if let Err(error) = auth.with_key(key.text.as_str()).settings().await {
                let project = key.project.as_deref().unwrap_or("unknown");
                return Err(error
                    .failure(claim)
                    .expected("200 from /auth/v1/settings with the key of the bundle")
                    .fact("key", format!("of project {project:?}, in {}", key.script.path())));
            }
        }
        Ok(())
    })
}

#[test]
fn the_bundle_holds_no_secret_key() -> Verdict {
    check("pre.4.3", async |check| {
        let bundle = check.deployment().site().bundle().await?;
        let privileged = bundle.tokens()?.into_iter().filter(|token| token.role != "anon");
        let mut found: Vec<_> = privileged
            .map(|token| format!("a key with the role {:?} in {}", token.role, token.script.path()))
            .collect();
        for script in bundle.scripts()? {
            let kinds = check.contract().secrets.iter().filter(|(_, pattern)| pattern.is_in(&script.body));
            found.extend(kinds.map(|(kind, _)| format!("a {kind} in {}", script.url.path())));
        }
        if found.is_empty() {
            return Ok(());
        }
        Err(Failure::failed("the bundle holds public keys only: everybody can read it")
            .expected("no service-role key and none of the contract's secrets")
            .seen(found.join("\n")))
    })
}

#[test]
fn mock_data_is_off() -> Verdict {
    check_if_promised(&[Section::Mock], "pre.4.8", async |check| {
        let visit = check.page().await?.open_login("/").await?;
        visit.expect_no_mock()?;
        visit.expect_ready("a visitor sees the login and nobody is signed in")
    })
}
