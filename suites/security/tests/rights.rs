//! Who may do what within an institution, by the contract, on whatever deployment: judged by what became of a row.

pub mod writes {
    use harness::{Check, Failure, Person, Section, Verdict, check_if_promised};
    use support::Attempt;

    /// Each right for each role, with a row of its own.
    #[test]
    fn each_role_may_do_what_the_contract_says() -> Verdict {
        check_if_promised(&[Section::Rights, Section::Make], "pre.2.5", async |check| {
            let writes = check.deployment().writes().await?;
            let (tenant, service) = (writes.institution("rights").await?, check.deployment().service()?);
            let (mut expected, mut seen) = (Vec::new(), Vec::new());
            let roles = check.contract().roles();
            if roles.is_empty() {
                return Err(Failure::undecided("the contract says which roles there are")
                    .expected("a rank in [tenancy.roles]")
                    .seen("none"));
            }
            let mut people = platform(check).await?;
            for role in roles {
                people.push((role.as_str(), writes.person(&tenant, role).await?));
            }
            for (role, person) in people {
                let rest = check.deployment().rest()?.signed_in(&person.session);
                for (at, right) in check.contract().rights()?.iter().enumerate() {
                    let mark = format!("RC-{}-{at}-{}", writes.run(), role.to_lowercase());
                    let attempt = Attempt {
                        check,
                        writes,
                        tenant: &tenant,
                        person: &person,
                        rest: &rest,
                        service: &service,
                        mark,
                    };
                    let may = attempt.tried(right).await?.succeeded;
                    if may != right.roles.iter().any(|own| own == role) {
                        let word = |may: bool| if may { "may" } else { "may not" };
                        expected.push(format!("{role} {} {}", word(!may), right.name));
                        seen.push(format!("{role} {} {}", word(may), right.name));
                    }
                }
            }
            if expected.is_empty() {
                return Ok(());
            }
            Err(Failure::failed("each role may do what the contract says, and nothing else")
                .expected(expected.join("\n"))
                .seen(seen.join("\n"))
                .advice("take back the grant or the policy that allows it; if it is meant, change [[rights]] of the contract"))
        })
    }

    /// The platform's own people whose role a right names.
    async fn platform(check: &Check) -> Verdict<Vec<(&'static str, Person)>> {
        let (contract, mut people) = (check.contract(), Vec::new());
        for (name, persona) in &contract.personas {
            let Some(role) = contract.role_of(name).filter(|_| persona.institution.is_none()) else { continue };
            if contract.rights()?.iter().any(|right| right.roles.iter().any(|own| own == role)) {
                let (session, (email, password)) =
                    (check.deployment().session(name).await?, check.deployment().credentials(name)?);
                let id = session.user["id"].as_str().unwrap_or_default().to_owned();
                people.push((role, Person { id, email, password, session }));
            }
        }
        Ok(people)
    }
}
