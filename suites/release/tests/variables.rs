//! Pre-Release, 4. Environment Variables, and Phase 2, 2.2 Set Function Secrets: those of the edge functions. Values are
//! never seen: a name, and whether the digest is that of something known.

use harness::{BuildVariable, Deployment, Failure, Section, Verdict, check_if_promised};
use rstest_reuse::apply;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::{secrets, variables};

fn digest(value: &str) -> String {
    hex::encode(Sha256::digest(value))
}

/// The pre-release table: each row is set, the optional one may be missing.
#[apply(variables)]
fn the_functions_have_their_variable(#[case] name: &str, #[case] step: &str) -> Verdict {
    check_if_promised(&[Section::Release], step, async |check| {
        let (management, claim) = (check.deployment().management()?, format!("the edge functions have {name}"));
        let variable = check.contract().release()?.variable(name);
        let variable =
            variable.ok_or_else(|| Failure::undecided(&claim).expected("a variable of the contract").seen(name))?;
        let secrets = management.secrets().await.map_err(|error| Deployment::vendor_failed(&claim, &error))?;
        match secrets.get(name) {
            Some(set) if set.expose_secret() != digest("") => Ok(()),
            None if variable.optional => {
                check.measured("not set, and optional");
                Ok(())
            }
            seen => Err(Failure::failed(claim)
                .expected(format!("{name}, with a value"))
                .seen(match seen {
                    Some(_) => "it is set to nothing".to_owned(),
                    None => format!("no {name} among: {}", secrets.keys().cloned().collect::<Vec<_>>().join(", ")),
                })
                .at(management.url("secrets"))
                .advice(format!("supabase secrets set {name}=…, then run cargo test -p release again"))),
        }
    })
}

/// What was set is not what the runbook shows as an example; of the ingest key, what the gateway has.
#[apply(secrets)]
fn the_secret_is_a_value_of_our_own(#[case] name: &str, #[case] step: &str) -> Verdict {
    check_if_promised(&[Section::Release], step, async |check| {
        let (management, claim) = (check.deployment().management()?, format!("{name} is set to a value of our own"));
        let all = management.secrets().await.map_err(|error| Deployment::vendor_failed(&claim, &error))?;
        let failure =
            |failure: Failure| failure.at(management.url("secrets")).advice(format!("supabase secrets set {name}=…"));
        let Some(set) = all.get(name) else {
            return Err(failure(
                Failure::failed(claim)
                    .expected(name)
                    .seen(format!("no {name} among: {}", all.keys().cloned().collect::<Vec<_>>().join(", "))),
            ));
        };
        let examples = check.contract().release()?.placeholders.iter().map(String::as_str).chain([""]);
        if let Some(example) = examples.into_iter().find(|example| set.expose_secret() == digest(example)) {
            return Err(failure(Failure::failed(claim).expected("a value that nobody else knows").seen(
                match example {
                    "" => "nothing at all".to_owned(),
                    example => format!("the example of the runbook, {example:?}"),
                },
            )));
        }
        if name == "INGEST_API_KEY" {
            let ours = check.deployment().of_ingest_key(digest)?;
            if set.expose_secret() != ours {
                return Err(failure(
                    Failure::failed("the functions and the gateway have the same ingest key")
                        .expected("the digest of the INGEST_API_KEY that this run was given")
                        .seen("the digest of another value"),
                ));
            }
        }
        Ok(())
    })
}

/// "Ensure VITE_USE_MOCK_DATA is NOT set or is false", where builds get it from; the bundle itself is pre.4.8 of smoke.
#[test]
fn the_builds_settings_ask_for_no_mock_data() -> Verdict {
    check_if_promised(&[Section::Release], "pre.4.8", async |check| {
        let (pages, flag) = (check.deployment().pages()?, check.contract().release()?.mock_flag.as_str());
        let claim = "the settings of production builds ask for no mock data";
        let project = pages.project().await.map_err(|error| Deployment::vendor_failed(claim, &error))?;
        let seen = match project.variables().remove(flag) {
            None => return Ok(()),
            Some(BuildVariable::Plain(value)) if value.eq_ignore_ascii_case("false") => return Ok(()),
            Some(BuildVariable::Plain(value)) => Failure::failed(claim).seen(format!("{flag}={value}")),
            Some(BuildVariable::Secret) => {
                Failure::undecided(claim).seen(format!("{flag} is a secret, whose value nobody can read"))
            }
        };
        Err(seen.expected(format!("no {flag}, or {flag}=false")).at(pages.url("")).advice(format!(
            "Cloudflare, Pages, Settings, Variables: remove {flag} from production, build again and deploy"
        )))
    })
}
