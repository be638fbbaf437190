//! Security Post-Deployment, Secret Rotation, 1. Generate new API keys: the keys that are there, by what the project accepts.

use harness::{Deployment, Failure, Section, SigningKey, Verdict, check, check_if_promised};

pub mod signed_in {
    use harness::{Failure, SignedBy, Verdict, check};
    use secrecy::ExposeSecret;

    /// Whoever checks tokens by the published keys refuses one that none of them signed.
    #[test]
    fn tokens_are_signed_by_a_key_that_the_project_publishes() -> Verdict {
        check("sec.2.1", async |check| {
            let (deployment, claim) =
                (check.deployment(), "users' tokens are signed by a key that the project publishes");
            let persona = check.contract().smoke.persona.get_ref();
            let (auth, session) = (deployment.auth()?, deployment.session(persona).await?);
            let published = auth.published_keys().await.map_err(|error| error.failure(claim))?;
            let ids = match published.ids() {
                ids if ids.is_empty() => "no key".to_owned(),
                ids => format!("the keys {}", ids.join(", ")),
            };
            let (signer, at) = (published.signer_of(session.access_token.expose_secret()), auth.published_keys_url());
            let seen = match signer {
                SignedBy::Secret => {
                    check.measured("signed with the project's secret (HS256)");
                    return Ok(());
                }
                SignedBy::Published(id) => {
                    check.measured(format!("signed by the published key {id}"));
                    return Ok(());
                }
                SignedBy::Unknown => {
                    return Err(Failure::undecided(claim)
                        .expected("a token whose algorithm and key are known")
                        .seen("one that is signed in another way")
                        .at(at));
                }
                SignedBy::Unpublished(id) => format!("a token of the key {id:?}, and {ids} published"),
                SignedBy::Forged(id) => format!("a token that names the key {id:?}, and that it has not signed"),
            };
            Err(Failure::failed(claim).expected("a token of a published key").seen(seen).at(at).advice(
                "Supabase Dashboard, Settings, JWT Keys: rotate to a standby key that is published, and wait until its cache of 10 minutes is over",
            ))
        })
    }
}

/// A key that was revoked is gone from what services check tokens by.
#[test]
fn a_revoked_key_is_not_published() -> Verdict {
    check_if_promised(&[Section::Release], "sec.2.1", async |check| {
        let (deployment, claim) = (check.deployment(), "a key that was revoked is not accepted any more");
        let management = deployment.management()?;
        let keys = management.signing_keys().await.map_err(|error| Deployment::vendor_failed(claim, &error))?;
        let published = deployment.auth()?.published_keys().await.map_err(|error| error.failure(claim))?;
        let at = management.url("config/auth/signing-keys");
        let with = |status: &'static str| keys.iter().filter(move |key| key.status == status);
        let Some(in_use) = with("in_use").next() else {
            let seen: Vec<_> = keys.iter().map(shown).collect();
            return Err(Failure::undecided(claim).expected("a key that is in use").seen(seen.join("\n")).at(at));
        };
        let revoked: Vec<_> = with("revoked").filter(|key| published.ids().contains(&key.id.as_str())).collect();
        if revoked.is_empty() {
            check.measured(format!("{} in use", in_use.algorithm));
            return Ok(());
        }
        Err(Failure::failed(claim)
            .expected("published keys without those that were revoked")
            .seen(revoked.into_iter().map(|key| format!("{}, and published", shown(key))).collect::<Vec<_>>().join("\n"))
            .at(at)
            .advice("Supabase Dashboard, Settings, JWT Keys: revoke it again, and wait until caches of 10 minutes are over; who has it can sign in as anybody"))
    })
}

fn shown(SigningKey { id, algorithm, status }: &SigningKey) -> String {
    format!("{id} ({algorithm}): {status}")
}

/// Legacy keys never run out and are disabled together: once the build has newer ones, they are a way in that nobody uses.
#[test]
fn the_legacy_keys_are_off_once_they_are_replaced() -> Verdict {
    check_if_promised(&[Section::Release], "sec.2.1", async |check| {
        let (deployment, claim) = (check.deployment(), "the legacy keys are off, since the build has newer ones");
        if !deployment.api()?.anon_key.starts_with("sb_") {
            check.measured("the build has the legacy key, which Supabase withdraws at the end of 2026");
            return Ok(());
        }
        if check.contract().release()?.legacy_keys {
            check.measured("legacy keys may be on, as the contract says");
            return Ok(());
        }
        let management = deployment.management()?;
        let enabled = management.legacy_keys_enabled().await;
        match enabled.map_err(|error| Deployment::vendor_failed(claim, &error))? {
            Some(false) => Ok(()),
            Some(true) => Err(Failure::failed(claim)
                .expected("enabled: false")
                .seen("enabled: true")
                .at(management.url("api-keys/legacy"))
                .advice("Supabase Dashboard, Settings, API Keys: disable the legacy keys; if something still has one, say legacy_keys = true in [release] of the contract until it is replaced")),
            None => Err(Failure::undecided(claim)
                .expected("whether the legacy keys are enabled")
                .seen("404: the API does not say any more")
                .at(management.url("api-keys/legacy"))),
        }
    })
}

/// What reads all rows for the checks is this project's: another project's key is of no use, and should not be here.
#[test]
fn the_secret_key_is_of_this_project() -> Verdict {
    check("sec.2.1", async |check| {
        let (deployment, claim) = (check.deployment(), "the project accepts the secret key that its operators have");
        let Err(error) = deployment.service_key_is_accepted().await? else { return Ok(()) };
        Err(error.failure(claim).expected("an answer that only the service's key gets").advice(
            "correct SUPABASE_SERVICE_ROLE_KEY: it is another project's, or was deleted (Supabase Dashboard, Settings, API Keys)",
        ))
    })
}

/// "The new key is random and 32 characters or more".
#[test]
fn the_ingest_key_cannot_be_guessed() -> Verdict {
    check_if_promised(&[Section::Sms], "sec.2.1", async |check| {
        const SHORTEST: usize = 32;
        const FEWEST: usize = 10;
        let [length, different] = check.deployment().of_ingest_key(|key| {
            let mut letters: Vec<_> = key.chars().collect();
            let length = letters.len();
            letters.sort_unstable();
            letters.dedup();
            [length, letters.len()]
        })?;
        if length >= SHORTEST && different >= FEWEST {
            check.measured(format!("{length} characters"));
            return Ok(());
        }
        Err(Failure::failed("the ingest key is random and long")
            .expected(format!("{SHORTEST} characters or more, {FEWEST} of them different"))
            .seen(format!("{length} characters, {different} of them different"))
            .advice("openssl rand -hex 32 makes one: supabase secrets set INGEST_API_KEY=…, and the gateway's configuration"))
    })
}
