//! What tokens are good for, and how long. Who is shut out stays out, and an address is one however it is typed.

use harness::{Check, Failure, Session, Verdict};

use crate::auth_server::api;

pub mod signed_in {
    use harness::{Claims, Section, check, check_if_promised};
    use secrecy::ExposeSecret;
    use serde_json::{Value, json};

    use super::*;
    use crate::auth_server::now;

    /// Clocks, and the time that the answer took, in seconds.
    const SKEW: i64 = 60;

    #[test]
    fn an_access_token_lives_as_long_as_promised() -> Verdict {
        check_if_promised(&[Section::Tokens], "4.2.1", async |check| {
            let limit = check.contract().tokens()?.access_at_most_s;
            let session = check.deployment().session(check.contract().smoke.persona.get_ref()).await?;
            let claims = Claims::of(session.access_token.expose_secret());
            let by_token = claims.and_then(|claims| claims.exp).map(|end| end - now());
            let seconds = by_token.unwrap_or(i64::MAX).max(session.expires_in);
            if by_token.is_some() && seconds <= limit + SKEW {
                check.measured(format!("{} min", session.expires_in / 60));
                return Ok(());
            }
            Err(Failure::failed("an access token lives no longer than promised")
                .expected(format!("at most {limit} s"))
                .seen(by_token.map_or_else(|| "a token that does not run out".to_owned(), |_| format!("{seconds} s")))
                .at(format!("{}/auth/v1/token", api(check)?))
                .advice("set the access token's expiry in Supabase → Authentication → Sessions"))
        })
    }

    /// Altered, unsigned, signed by nobody; and run out, where the project's key is at hand to make one.
    #[test]
    fn a_token_that_is_not_good_reads_nothing() -> Verdict {
        check_if_promised(&[Section::Tokens], "4.2.4", async |check| {
            let session = check.deployment().session(check.contract().smoke.persona.get_ref()).await?;
            let token = session.access_token.expose_secret();
            let (head, rest) = token.split_once('.').unwrap_or_default();
            let (claims, signature) = rest.split_once('.').unwrap_or_default();
            let swapped: String = signature.chars().rev().collect();
            let mut spoilt = vec![
                ("with another signature", format!("{head}.{claims}.{swapped}")),
                ("without a signature", format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.")),
                ("with the claims of somebody else", format!("{head}.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.{signature}")),
            ];
            let run_out = now() - 3 * 3600;
            if let Some(token) = check.deployment().signed(&claimed(&session, run_out)) {
                spoilt.push(("that ran out three hours ago", token));
            }
            reads(check, &session).await?.then_some(()).ok_or_else(|| {
                Failure::undecided("a good token reads something").expected("rows, as a control").seen("none")
            })?;
            for (how, token) in spoilt {
                let other = session.with_access_token(token);
                if reads(check, &other).await? {
                    return Err(Failure::failed(format!("a token {how} reads nothing"))
                        .expected("401")
                        .seen("200")
                        .at(format!("{}/rest/v1/", api(check)?)));
                }
            }
            Ok(())
        })
    }

    fn claimed(session: &Session, exp: i64) -> Value {
        json!({ "sub": session.user["id"], "role": "authenticated", "aud": "authenticated", "iat": exp - 3600, "exp": exp })
    }

    /// Whether the data API answers this session at all; anything but yes and no decides nothing.
    async fn reads(check: &Check, session: &Session) -> Verdict<bool> {
        let relation = &check.contract().tokens()?.relation;
        match check.deployment().rest()?.signed_in(session).count(relation, &[]).await {
            Ok(_) => Ok(true),
            Err(harness::ClientError::Refused(refusal)) if [401, 403].contains(&refusal.status.as_u16()) => Ok(false),
            Err(error) => Err(Failure::undecided("the data API says yes or no").seen(error.to_string())),
        }
    }

    /// Phones begin an address with a capital, and people type it as they like.
    #[test]
    fn an_address_in_capitals_is_the_same_address() -> Verdict {
        check("4.2.1", async |check| {
            let (email, password) = check.deployment().credentials(check.contract().smoke.persona.get_ref())?;
            match check.deployment().auth()?.sign_in(&email.to_uppercase(), &password).await {
                Ok(_) => Ok(()),
                Err(harness::ClientError::Refused(refusal))
                    if refusal.code.as_deref() == Some("invalid_credentials") =>
                {
                    Err(Failure::failed("an address in capitals is the same address")
                        .expected("200 with a session")
                        .seen(refusal.to_string())
                        .at(format!("{}/auth/v1/token", api(check)?)))
                }
                Err(error) => Err(Failure::undecided("somebody can sign in").seen(error.to_string())),
            }
        })
    }
}

pub mod writes {
    use std::net::{IpAddr, Ipv4Addr};

    use harness::{Section, Target, check_if_promised};
    use serde_json::json;

    use super::*;
    use crate::auth_server::expect_refused;

    /// Where somebody guesses from, so that nobody else on this machine is kept out with them.
    const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9));

    /// An address that nobody has, so that no account is shut. Not where members sign in: they may come from here, too.
    #[test]
    fn whoever_guesses_passwords_is_stopped() -> Verdict {
        check_if_promised(&[Section::Tokens], "4.2.1", async |check| {
            let (claim, most) = ("whoever guesses passwords is stopped", check.contract().tokens()?.guesses_at_most);
            check.deployment().writes().await?;
            if check.deployment().target() == Target::Production {
                return Err(Failure::not_run(claim)
                    .expected("a deployment that members do not sign in to")
                    .seen("production")
                    .advice("run this check on staging"));
            }
            let undecided = |error: reqwest::Error| Failure::undecided(claim).seen(error.without_url().to_string());
            let api = check.deployment().api()?;
            let client = harness::http().local_address(harness::is_here(&api.url).then_some(ELSEWHERE)).build();
            let client = client.map_err(undecided)?;
            let url = format!("{}/auth/v1/token?grant_type=password", self::api(check)?);
            for guess in 1..=most {
                let body = json!({ "email": "release-check-nobody@example.com", "password": format!("guess-{guess}") });
                let answer =
                    client.post(&url).header("apikey", &api.anon_key).json(&body).send().await.map_err(undecided)?;
                match answer.status().as_u16() {
                    429 => {
                        check.measured(format!("after {} guesses", guess - 1));
                        return Ok(());
                    }
                    400 | 401 | 403 => {}
                    other => return Err(Failure::undecided(claim).expected("400 or 429").seen(other.to_string())),
                }
            }
            Err(Failure::failed(claim)
                .expected(format!("429 after less than {most} wrong passwords"))
                .seen(format!("{most} guesses, each of them looked at"))
                .at("/auth/v1/token")
                .advice("Supabase → Authentication → Rate Limits, and Attack Protection"))
        })
    }

    /// Whoever is banned while they are in: their next token is the last.
    #[test]
    fn somebody_who_is_banned_gets_no_further_token() -> Verdict {
        check_if_promised(&[Section::Make], "4.2.1", async |check| {
            let writes = check.deployment().writes().await?;
            let tenant = writes.institution("banned").await?;
            let person = writes.person(&tenant, check.contract().a_role()).await?;
            let auth = check.deployment().auth()?;
            let next = auth.refresh(&person.session.refresh_token).await.map_err(|error| {
                Failure::undecided("somebody who is not banned gets a further token").seen(error.to_string())
            })?;
            writes.ban(&person).await?;
            let refreshed = auth.refresh(&next.refresh_token).await;
            expect_refused(
                refreshed,
                &format!("{}/auth/v1/token", api(check)?),
                "somebody who was banned gets no further token",
            )
        })
    }
}
