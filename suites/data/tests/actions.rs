//! What one click writes: it is said when it is done and not before, the view follows, and what was filled in stays.

pub mod writes {
    use harness::{
        Action, Cause, Failure, List, MADE_BY_CHECKS, Page, Section, Tenant, Verdict, Wanted, Writes, check_if_promised,
    };
    use rstest_reuse::apply;
    use serde_json::{Value, json};

    use crate::{actions, views::Looked};

    /// Requests for data.
    const DATA: &str = "*/rest/v1/*";

    /// Once while nothing reaches the database, which must not be announced as done, and then for good.
    #[apply(actions)]
    fn a_click_says_what_became_of_it(#[case] action: &'static str, #[case] step: &'static str) -> Verdict {
        let step = if step.is_empty() { "4.1.6" } else { step };
        let needs = [Section::Actions, Section::Views, Section::Controls, Section::Make];
        check_if_promised(&needs, step, async |check| {
            let (contract, writes) = (check.contract(), check.deployment().writes().await?);
            let action = contract.action(action)?;
            let tenant = writes.institution(&action.name).await?;
            let person = writes.person(&tenant, &action.role).await?;
            let row = make(&writes, &tenant, action).await?;
            let page = check.page().await?;
            page.hold(&person.session).await?;
            let seen = Looked::by_person(check, &action.view, "somebody who may", &tenant)?;
            seen.open(&page).await?;
            seen.compare(&page).await?;
            let list = seen.list_of(action.list.as_deref())?;
            seen.turn_to(&page, list).await?;
            fill(&page, action).await?;

            page.browser().cut_off(DATA).await?;
            click(&page, action, list, &row).await?;
            expect_no_success(&page, action).await?;
            page.browser().let_through().await?;
            click(&page, action, list, &row).await?;
            let done = Wanted::anything(contract).text(&action.says);
            page.browser().wait_for(&done).await?.expect_ready(format!("{:?} says that it is done", action.button))?;
            seen.compare(&page).await?;

            seen.open(&page).await?;
            seen.compare(&page).await?;
            kept(&page, action).await
        })
    }

    /// The rows that it takes, in their order; the text that tells the last one from others.
    async fn make(writes: &Writes<'_>, tenant: &Tenant, action: &'static Action) -> Verdict<String> {
        let device = format!("{MADE_BY_CHECKS}-{}-{}", writes.run(), action.name);
        let mut values = vec![("device", json!(device)), ("active", json!(true)), ("amount", json!(3100))];
        let mut last = Value::Null;
        for kind in &action.makes {
            last = writes.make(tenant, kind, &values).await?;
            values.retain(|(name, _)| name != kind);
            values.push((kind, last["id"].clone()));
        }
        let text = action.row.as_ref().and_then(|column| last[column].as_str());
        Ok(text.unwrap_or_default().to_owned())
    }

    async fn fill(page: &Page<'_>, action: &Action) -> Verdict {
        for field in &action.fields {
            page.search(&field.selector, &field.value).await?;
        }
        Ok(())
    }

    async fn click(page: &Page<'_>, action: &Action, list: &List, row: &str) -> Verdict {
        let clicked = if action.makes.is_empty() {
            page.browser().click_text("main button:enabled", &action.button).await?
        } else {
            page.click_in_row(&list.rows, row, &action.button).await?
        };
        if clicked {
            return Ok(());
        }
        Err(Failure::failed("what can be done is offered")
            .expected(format!("{:?}", action.button))
            .seen("no such button")
            .caused_by(Cause::FrontEnd))
    }

    async fn expect_no_success(page: &Page<'_>, action: &Action) -> Verdict {
        let (toast, alert) = (page.toast()?, &page.contract().controls()?.alert);
        let said = format!("{toast}:not(:empty), main {alert}");
        let visit = page.browser().wait_for(&Wanted::anything(page.contract()).selector(&said)).await?;
        let texts = page.browser().texts(&said).await?;
        let claim = format!("{:?} says so where nothing reaches the database", action.button);
        let seen = match texts.iter().find(|text| !text.is_empty()) {
            Some(text) if text.contains(&action.says) => format!("{:?}", action.says),
            Some(_) => return Ok(()),
            None => "no message".to_owned(),
        };
        Err(Failure::failed(claim)
            .expected("a message that it was not done")
            .seen(seen)
            .at(visit.url())
            .caused_by(Cause::FrontEnd))
    }

    /// What was filled in is there on the next visit.
    async fn kept(page: &Page<'_>, action: &Action) -> Verdict {
        for field in &action.fields {
            let value =
                "const [selector, answer] = arguments; answer(document.querySelector(selector)?.value ?? null);";
            let value = page.browser().ask(value, vec![field.selector.as_str().into()]).await?;
            if value != field.value {
                return Err(Failure::failed(format!("{:?} keeps what was filled in", action.button))
                    .expected(format!("{:?} in {}", field.value, field.selector))
                    .seen(value.to_string())
                    .caused_by(Cause::FrontEnd));
            }
        }
        Ok(())
    }
}
