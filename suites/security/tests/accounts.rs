//! What an attacker tries with somebody's account: a password that is nearly theirs, a session that they have ended.

pub mod writes {
    use harness::{ClientError, Failure, Section, Verdict, check_if_promised};
    use secrecy::ExposeSecret;

    /// Of somebody's sessions each way to sign out ends those that it says, and no others.
    #[test]
    fn each_way_to_sign_out_ends_what_it_says() -> Verdict {
        check_if_promised(&[Section::Make], "4.2.3", async |check| {
            let writes = check.deployment().writes().await?;
            let tenant = writes.institution("sessions").await?;
            let person = writes.person(&tenant, check.contract().a_role()).await?;
            let auth = check.deployment().auth()?;
            let unready = |error: ClientError| Failure::undecided("somebody can sign in twice").seen(error.to_string());
            for (scope, ends_own, ends_other) in
                [("local", true, false), ("others", false, true), ("global", true, true)]
            {
                let own = writes.sign_in(&person).await?;
                let other = writes.sign_in(&person).await?;
                auth.sign_out_of(&own, scope).await.map_err(unready)?;
                for (which, session, ends) in
                    [("its own session", &own, ends_own), ("another session", &other, ends_other)]
                {
                    let goes_on = match auth.refresh(&session.refresh_token).await {
                        Ok(_) => true,
                        Err(ClientError::Refused(refusal)) if refusal.status == 400 => false,
                        Err(error) => return Err(unready(error)),
                    };
                    if goes_on == ends {
                        let word = |ends: bool| if ends { "ends" } else { "goes on" };
                        return Err(Failure::failed(format!("signing out with scope={scope} ends what it says"))
                            .expected(format!("{which} {}", word(ends)))
                            .seen(format!("it {}", word(!goes_on)))
                            .at("/auth/v1/logout"));
                    }
                }
            }
            Ok(())
        })
    }

    /// A password is what was chosen: no other letter case, no blank more, no beginning of it.
    #[test]
    fn only_the_password_itself_signs_in() -> Verdict {
        check_if_promised(&[Section::Make], "4.2.1", async |check| {
            let writes = check.deployment().writes().await?;
            let tenant = writes.institution("passwords").await?;
            let person = writes.person(&tenant, check.contract().a_role()).await?;
            let auth = check.deployment().auth()?;
            let password = person.password.expose_secret();
            for (how, text) in [
                ("in capitals", password.to_uppercase()),
                ("with a blank behind it", format!("{password} ")),
                ("with a blank before it", format!(" {password}")),
                ("without its last letter", password[..password.len() - 1].to_owned()),
            ] {
                let claim = format!("a password {how} is another password");
                match auth.sign_in(&person.email, &text.into()).await {
                    Err(ClientError::Refused(refusal)) if refusal.code.as_deref() == Some("invalid_credentials") => {}
                    Err(error) => return Err(Failure::undecided(claim).expected("a refusal").seen(error.to_string())),
                    Ok(_) => {
                        return Err(Failure::failed(claim)
                            .expected("400 invalid_credentials")
                            .seen("200 with a session")
                            .at("/auth/v1/token"));
                    }
                }
            }
            // The control: the password itself signs in.
            writes.sign_in(&person).await.map(drop)
        })
    }

    /// Whoever has not confirmed their address is not let in, by their password neither.
    #[test]
    fn an_address_that_nobody_confirmed_signs_nobody_in() -> Verdict {
        check_if_promised(&[Section::Make], "4.2.1", async |check| {
            let (email, password) = check.deployment().writes().await?.unconfirmed().await?;
            let claim = "an address that nobody confirmed signs nobody in";
            match check.deployment().auth()?.sign_in(&email, &password).await {
                Err(ClientError::Refused(refusal)) if refusal.code.as_deref() == Some("email_not_confirmed") => Ok(()),
                Err(error) => {
                    Err(Failure::undecided(claim).expected("400 email_not_confirmed").seen(error.to_string()))
                }
                Ok(_) => Err(Failure::failed(claim)
                    .expected("400 email_not_confirmed")
                    .seen("200 with a session")
                    .at("/auth/v1/token")),
            }
        })
    }
}
