//! What the database refuses, the person learns; what it does, they learn too.

pub mod writes {
    use harness::{Cause, Failure, Form, Page, Section, Verdict, Wanted, check, check_if_promised};
    use rstest::rstest;
    use serde_json::json;
    use support::{Desk, unread};

    use crate::views::Looked;

    /// Somebody else was faster: the dialog says so, and announces no success.
    #[test]
    fn a_refused_allocation_is_no_success_on_screen() -> Verdict {
        check_if_promised(&[Section::Controls], "4.3.3", async |check| {
            let desk = Desk::open(check, "refusals").await?;
            let (contract, words) = (check.contract(), check.contract().allocation()?);
            let (teller, other) = (desk.person(&words.writer).await?, desk.person(&words.second_writer).await?);
            let reference = desk.payment[&contract.ledger()?.reference].as_str().unwrap_or_default();
            let page = check.page().await?;
            page.hold(&teller.session).await?;
            page.open_unallocated(reference).await?;
            let member = desk.member["id"].as_str().unwrap_or_default();
            page.ask_for_member(&contract.ledger()?.rows, reference, member, "too late").await?;
            desk.allocate(&desk.rest(&other)?, &desk.payment, &desk.member, "faster")
                .await
                .map_err(|error| error.failure("somebody who may allocate can").caused_by(Cause::Database))?;
            page.browser().click(&words.submit).await?;
            refused(&page, &words.dialog, "a refused allocation").await
        })
    }

    /// What was made is said and listed, the same code again is refused in words, and a cancelled dialog makes nothing.
    #[rstest]
    #[case::a_group("a group", "4.1.4")]
    #[case::a_member("a member", "4.1.5")]
    fn a_form_says_what_became_of_it(#[case] form: &str, #[case] step: &str) -> Verdict {
        check_if_promised(&[Section::Forms, Section::Views, Section::Controls, Section::Make], step, async |check| {
            let contract = check.contract();
            let (form, writes) = (contract.form(form)?, check.deployment().writes().await?);
            let tenant = writes.institution("forms").await?;
            let person = writes.person(&tenant, &contract.allocation()?.writer).await?;
            let seen = Looked::by_person(check, &form.view, "a teller", &tenant)?;
            let table = &contract.kind_of(seen.list()?)?.table;
            let page = check.page().await?;
            page.hold(&person.session).await?;
            seen.open(&page).await?;

            let code = format!("RC-{}-{}", writes.run(), form.view.to_uppercase());
            fill(&page, form, &code).await?;
            page.browser().click(&form.submit).await?;
            let made = Wanted::anything(contract).text(name(&code));
            let visit = page.browser().wait_for(&made).await?;
            visit.expect_ready(format!("{} is made by the dialog", form.name))?;
            if !page.browser().texts(&page.toast()?).await?.iter().any(|text| text.contains(&name(&code))) {
                return Err(Failure::failed(format!("{} was made, and the view says so", form.name))
                    .expected(format!("its name in {}", page.toast()?))
                    .seen("no message names it")
                    .at(visit.url())
                    .caused_by(Cause::FrontEnd));
            }
            let service = check.deployment().service()?;
            let count = async || {
                let own =
                    [("institution_id", format!("eq.{}", tenant.id)), (form.unique.as_str(), format!("eq.{code}"))];
                let own: Vec<_> = own.iter().map(|(column, value)| (*column, value.as_str())).collect();
                service.count(table, &own).await.map_err(unread(table))
            };
            there_are(count().await?, 1, &format!("{} that was made", form.name))?;
            seen.compare_list(&page, seen.list()?, "what was made is listed at once").await?;

            fill(&page, form, &code).await?;
            page.browser().click(&form.submit).await?;
            refused(&page, &contract.controls()?.dialog, &format!("{} whose code is taken", form.name)).await?;
            there_are(count().await?, 1, &format!("{} with a code that may be there once", form.name))
        })
    }

    fn name(code: &str) -> String {
        format!("Made by a check {code}")
    }

    async fn fill(page: &Page<'_>, form: &Form, code: &str) -> Verdict {
        if !page.browser().click_text("main button", &form.button).await? {
            return Err(Failure::failed("the view offers its buttons")
                .expected(format!("{:?}", form.button))
                .seen("none"));
        }
        for field in &form.fields {
            let value = field.value.replace("{name}", &name(code)).replace("{code}", code);
            page.browser().type_into(&field.selector, &value).await?;
        }
        Ok(())
    }

    fn there_are(seen: u64, expected: u64, what: &str) -> Verdict {
        if seen == expected {
            return Ok(());
        }
        Err(Failure::failed(format!("there is {expected} row of {what}"))
            .expected(expected.to_string())
            .seen(seen.to_string()))
    }

    /// The dialog stays and says why; nothing is announced.
    async fn refused(page: &Page<'_>, dialog: &str, what: &str) -> Verdict {
        let visit = page.browser().wait_for(&page.alert(dialog)?).await?;
        if visit.is_ready() {
            return Ok(());
        }
        let said = page.browser().texts(&page.toast()?).await?;
        Err(Failure::failed(format!("{what} is a refusal on screen, too"))
            .expected("the dialog stays and says why")
            .seen(match said.iter().find(|text| !text.is_empty()) {
                Some(_) => "the dialog is closed, and a message announces success".to_owned(),
                None => "no message".to_owned(),
            })
            .at(visit.url())
            .caused_by(Cause::FrontEnd))
    }

    /// Each refusal is one of the ledger's own, so the control is the same request by who may: see `allocation`.
    #[test]
    fn a_member_who_has_left_gets_nothing() -> Verdict {
        check("4.3.3", async |check| {
            let desk = Desk::open(check, "refusals").await?;
            let teller = desk.rest(&desk.person(&check.contract().allocation()?.writer).await?)?;
            let query = support::equals(&desk.member["id"]);
            let members = &check.contract().make()?["member"].table;
            for gone in &check.contract().allocation()?.left {
                desk.service
                    .update(&desk.writes, members, &[("id", &query)], &json!(gone))
                    .await
                    .map_err(|error| Failure::undecided("a member can leave").seen(error.to_string()))?;
                let answer = desk.allocate(&teller, &desk.payment, &desk.member, "must not be").await;
                let now = desk.now(&desk.payment).await?;
                if now == desk.payment && answer.is_err() {
                    continue;
                }
                let seen = match answer {
                    Ok(_) => "success".to_owned(),
                    Err(error) => format!("{error}, and the payment is another"),
                };
                return Err(Failure::failed("a member who has left gets no payment")
                    .expected(format!("a refusal for a member with {}, and the payment as it was", json!(gone)))
                    .seen(seen)
                    .caused_by(Cause::Database));
            }
            Ok(())
        })
    }
}
