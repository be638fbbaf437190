//! "Secret Rotation": on the embedded portal the ingest key is rotated for real; elsewhere the key before the last
//! rotation is held against the present one.

pub mod writes {
    use harness::{AnsweredBy, Check, Failure, Receipt, SmsIngest, Target, Unstorable, Verdict, check};
    use reqwest::{Method, StatusCode};
    use tokio::sync::{Mutex, MutexGuard};

    /// There is one key: who rotates it waits for whoever looks at what came of their rotation.
    static KEY: Mutex<()> = Mutex::const_new(());

    /// The endpoint by the key before the rotation and by the one after it.
    struct Rotated {
        before: SmsIngest,
        after: SmsIngest,
        _only: MutexGuard<'static, ()>,
    }

    async fn rotated(check: &Check) -> Verdict<Rotated> {
        let (deployment, _only) = (check.deployment(), KEY.lock().await);
        if deployment.target() != Target::Embedded {
            let (before, after) = (deployment.sms_ingest_with_previous_key()?, deployment.sms_ingest()?);
            return Ok(Rotated { before, after, _only });
        }
        let before = deployment.sms_ingest()?;
        let receipt = ask(&before).await?;
        if !is_let_in(&receipt) {
            return Err(Failure::undecided("the old key was good before the rotation").seen(receipt.to_string()));
        }
        deployment.rotate_ingest_key(&deployment.writes().await?)?;
        Ok(Rotated { before, after: deployment.sms_ingest()?, _only })
    }

    /// A body that no endpoint can store: whoever is let in learns what it lacks.
    async fn ask(ingest: &SmsIngest) -> Verdict<Receipt> {
        let receipt = ingest.probe_with_key(Method::POST, &[], &Unstorable::without("sms_text")).await;
        receipt.by_the_endpoint(ingest.url())
    }

    fn is_let_in(receipt: &Receipt) -> bool {
        receipt.status == Some(StatusCode::BAD_REQUEST) && receipt.by() == AnsweredBy::Function
    }

    #[test]
    fn the_new_key_is_good_and_the_old_one_is_not() -> Verdict {
        check("sec.2.2", async |check| {
            let Rotated { before, after, .. } = rotated(check).await?;
            let (old, new) = (ask(&before).await?, ask(&after).await?);
            let failed = |claim: &str, expected: &str, seen: &Receipt| {
                Err(Failure::failed(claim).expected(expected).seen(seen.to_string()).at(after.url().as_str()))
            };
            if !is_let_in(&new) {
                return failed("the new key opens the endpoint", "400, because a required field is missing", &new);
            }
            if old.status != Some(StatusCode::UNAUTHORIZED) {
                return failed("the old key opens nothing any more", "401", &old);
            }
            Ok(())
        })
    }

    pub mod signed_in {
        use super::*;

        #[test]
        fn services_still_work() -> Verdict {
            check("sec.2.4", async |check| {
                let (deployment, contract) = (check.deployment(), check.contract());
                let persona = contract.smoke.persona.get_ref();
                let session = deployment.session(persona).await?;
                let Rotated { after, .. } = rotated(check).await?;
                let mut broken = Vec::new();
                let ingest = ask(&after).await?;
                if !is_let_in(&ingest) {
                    broken.push(format!("{}: {ingest}", contract.sms()?.function));
                }
                if let Err(error) = deployment.auth()?.user(&session).await {
                    broken.push(format!("auth: {error}"));
                }
                let table = &contract.ledger()?.table;
                if let Err(error) = deployment.rest()?.signed_in(&session).count(table, &[]).await {
                    broken.push(format!("rest, {table}: {error}"));
                }
                for name in contract.security()?.functions() {
                    let function = deployment.function(name)?;
                    let receipt = function.probe_as(&session, &Unstorable::empty()).await;
                    let receipt = receipt.by_the_endpoint(function.url())?;
                    let is_well = receipt.by() == AnsweredBy::Function
                        && receipt.status.is_some_and(|status| !status.is_server_error());
                    if !is_well {
                        broken.push(format!("{name}: {receipt}"));
                    }
                }
                if broken.is_empty() {
                    return Ok(());
                }
                Err(Failure::failed("every service works with the keys as they are after a rotation")
                    .expected("auth, the database and every edge function answer")
                    .seen(broken.join("\n")))
            })
        }
    }
}
