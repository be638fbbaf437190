//! "RLS Verification", the runbook's three counts: as somebody of an institution, of something, and of nothing else.

pub mod signed_in {
    use harness::{Check, ClientError, Failure, RestClient, Section, Verdict, check_if_promised};
    use rstest_reuse::apply;

    use crate::counted;

    /// A persona with their institution, and the database as they see it.
    struct Reader<'c> {
        persona: &'c str,
        institution: String,
        rest: RestClient,
    }

    async fn readers(check: &Check) -> Verdict<Vec<Reader<'_>>> {
        let (contract, deployment) = (check.contract(), check.deployment());
        let mut readers = Vec::new();
        for persona in &contract.data()?.readers {
            let unknown = || Failure::undecided(format!("the rows of {persona} are somebody's")).seen("nobody's");
            let institution = deployment.owner_of(persona).await?.ok_or_else(unknown)?;
            let rest = deployment.rest()?.signed_in(&deployment.session(persona).await?);
            readers.push(Reader { persona, institution, rest });
        }
        Ok(readers)
    }

    /// Only rows of the own institution, and more than none. The other institution's own reader sees theirs: there is
    /// something to be kept from.
    #[apply(counted)]
    fn a_count_is_of_the_own_institution(#[case] table: &str, #[case] step: &str) -> Verdict {
        check_if_promised(&[Section::Security], step, async |check| {
            let tenant = check.contract().data()?.tenant.as_str();
            for reader in &readers(check).await? {
                let all = reader.rest.count(table, &[]).await.map_err(unread(table))?;
                let own = reader.own(tenant, table).await?;
                if all == own && own > 0 {
                    continue;
                }
                let claim = match own {
                    0 => "somebody of an institution sees its rows: a count of nothing proves nothing",
                    _ => "somebody of an institution sees its rows and no others",
                };
                return Err(Failure::failed(claim)
                    .expected(format!("one row or more, all of institution {}", reader.institution))
                    .seen(format!("{} sees {all} rows, {own} of them of their institution", reader.persona))
                    .at(format!("/rest/v1/{table}")));
            }
            Ok(())
        })
    }

    /// Every row of the institution, as the service counts them, which no policy binds.
    #[apply(counted)]
    fn a_count_is_exact(#[case] table: &str, #[case] step: &str) -> Verdict {
        check_if_promised(&[Section::Security], step, async |check| {
            let (service, tenant) = (check.deployment().service()?, check.contract().data()?.tenant.as_str());
            for reader in &readers(check).await? {
                let filter = format!("eq.{}", reader.institution);
                let (seen, there) = (
                    reader.own(tenant, table).await?,
                    service.count(table, &[(tenant, &filter)]).await.map_err(unread(table))?,
                );
                if seen != there {
                    return Err(Failure::failed("somebody of an institution sees all of its rows")
                        .expected(format!("{there}, as the service counts them"))
                        .seen(format!("{seen}, as {} does", reader.persona))
                        .at(format!("/rest/v1/{table}?{tenant}={filter}")));
                }
            }
            Ok(())
        })
    }

    /// Nothing for whoever has the public key and no account.
    #[apply(counted)]
    fn a_visitor_counts_nothing(#[case] table: &str, #[case] step: &str) -> Verdict {
        check_if_promised(&[Section::Security], step, async |check| {
            // No permission at all is as good as no rows.
            let seen = match check.deployment().rest()?.count(table, &[]).await {
                Err(ClientError::Refused(_)) => 0,
                count => count.map_err(unread(table))?,
            };
            let control = match readers(check).await?.first() {
                Some(reader) => reader.rest.count(table, &[]).await.map_err(unread(table))?,
                None => 0,
            };
            match (seen, control) {
                (0, 0) => Err(Failure::undecided("visitors see no rows")
                    .expected("rows that somebody of an institution sees, as a control")
                    .seen("none")
                    .at(format!("/rest/v1/{table}"))),
                (0, _) => Ok(()),
                (seen, _) => Err(Failure::failed("visitors see no rows")
                    .expected("0, or no permission")
                    .seen(format!("{seen}, with the public key alone"))
                    .at(format!("/rest/v1/{table}"))),
            }
        })
    }

    impl Reader<'_> {
        async fn own(&self, tenant: &str, table: &str) -> Verdict<u64> {
            let filter = format!("eq.{}", self.institution);
            self.rest.count(table, &[(tenant, &filter)]).await.map_err(unread(table))
        }
    }

    fn unread(table: &str) -> impl Fn(ClientError) -> Failure {
        move |error| Failure::undecided(format!("{table} can be counted")).seen(error.to_string())
    }
}
