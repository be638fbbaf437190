//! What one click writes: it is said when it is done and not before, the view follows, and what was filled in stays.

pub mod writes {
    use std::collections::BTreeMap;

    use harness::{
        Action, Cause, Contract, Failure, List, MADE_BY_CHECKS, Page, RestClient, Section, Tenant, Verdict, Wanted,
        Writes, check_if_promised,
    };
    use rstest_reuse::apply;
    use serde_json::{Value, json};
    use support::{equals, unread};

    use crate::{actions, views::Looked};

    /// Requests for data.
    const DATA: &str = "*/rest/v1/*";

    /// Once while nothing reaches the database and once when somebody else was faster, which must not be announced as done,
    /// and then for good.
    #[apply(actions)]
    fn a_click_says_what_became_of_it(#[case] action: &'static str, #[case] step: &'static str) -> Verdict {
        let step = if step.is_empty() { "4.1.6" } else { step };
        let needs = [Section::Actions, Section::Views, Section::Controls, Section::Data, Section::Make];
        check_if_promised(&needs, step, async |check| {
            let (contract, writes) = (check.contract(), check.deployment().writes().await?);
            let action = contract.action(action)?;
            let tenant = writes.institution(&action.name).await?;
            let person = writes.person(&tenant, &action.role).await?;
            let made = make(&writes, &tenant, action, &person.id, 3100).await?;
            let taken = match action.meanwhile.is_empty() {
                true => None,
                false => Some(make(&writes, &tenant, action, &person.id, 3200).await?),
            };
            let page = check.page().await?;
            page.hold(&person.session).await?;
            let seen = Looked::by_person(check, &action.view, "somebody with the right", &tenant)?;
            seen.open(&page).await?;
            seen.compare(&page).await?;
            let list = seen.list_of(action.list.as_deref())?;
            seen.turn_to(&page, list).await?;
            let before = values(&page, action).await?;
            let filled: Vec<_> = action.fields.iter().map(|field| field.value.clone()).collect();
            fill(&page, action, &filled).await?;

            page.browser().cut_off(DATA).await?;
            click(&page, action, list, &made.text).await?;
            let said = expect_no_success(&page, contract, action, "where nothing reaches the database", &[]).await?;
            page.browser().let_through().await?;
            if let Some(taken) = taken {
                taken.change(action, &check.deployment().service()?, &writes).await?;
                click(&page, action, list, &taken.text).await?;
                expect_no_success(&page, contract, action, "where somebody else was faster", &said).await?;
            }
            click(&page, action, list, &made.text).await?;
            let done = Wanted::anything(contract).text(&action.says);
            page.browser().wait_for(&done).await?.expect_ready(format!("{:?} says that it is done", action.button))?;
            seen.compare(&page).await?;
            made.expect_set(action, &check.deployment().service()?, &writes).await?;

            seen.open(&page).await?;
            seen.compare(&page).await?;
            kept(&page, action, &filled).await?;
            if before == filled {
                return Ok(());
            }
            // And back, since what can be turned on can be turned off.
            fill(&page, action, &before).await?;
            click(&page, action, list, &made.text).await?;
            page.browser().wait_for(&done).await?.expect_ready(format!("{:?} says that it is done", action.button))?;
            seen.open(&page).await?;
            kept(&page, action, &before).await
        })
    }

    /// The row that an action is about.
    struct Made {
        /// What tells it from others.
        text: String,
        id: Value,
        /// What the action sets.
        sets: BTreeMap<String, Value>,
    }

    /// The rows that it takes, in their order.
    async fn make(
        writes: &Writes<'_>,
        tenant: &Tenant,
        action: &'static Action,
        actor: &str,
        amount: u32,
    ) -> Verdict<Made> {
        let device = format!("{MADE_BY_CHECKS}-{}-{}-{amount}", writes.run(), action.name);
        let mut values = vec![("device", json!(device)), ("active", json!(true)), ("amount", json!(amount))];
        let mut last = Value::Null;
        for (at, kind) in action.makes.iter().enumerate() {
            last = writes.make(tenant, kind, &values).await?;
            if at + 1 < action.makes.len() {
                values.retain(|(name, _)| name != kind);
                values.push((kind, last["id"].clone()));
            }
        }
        values.push(("actor", json!(actor)));
        let fill = |value: &Value| {
            let name = value.as_str().and_then(|text| text.strip_prefix('{')?.strip_suffix('}'));
            values.iter().find(|(it, _)| Some(*it) == name).map_or_else(|| value.clone(), |(_, value)| value.clone())
        };
        let sets = action.sets.iter().map(|(column, value)| (column.clone(), fill(value))).collect();
        let text = action.row.as_ref().and_then(|column| last[column].as_str());
        Ok(Made { text: text.unwrap_or_default().to_owned(), id: last["id"].clone(), sets })
    }

    impl Made {
        /// What somebody else makes of the row.
        async fn change(&self, action: &Action, service: &RestClient, writes: &Writes<'_>) -> Verdict {
            let Some(kind) = action.makes.last() else { return Ok(()) };
            let (table, id) = (&writes.recipe(kind)?.table, equals(&self.id));
            let changed = service.update(writes, table, &[("id", &id)], &json!(action.meanwhile)).await;
            let cannot = |error: harness::ClientError| {
                Failure::undecided("somebody else can be faster").seen(error.to_string()).at(table.as_str())
            };
            changed.map(drop).map_err(cannot)
        }

        /// The row has what the action sets.
        async fn expect_set(&self, action: &Action, service: &RestClient, writes: &Writes<'_>) -> Verdict {
            let Some(kind) = action.makes.last().filter(|_| !self.sets.is_empty()) else { return Ok(()) };
            let table = &writes.recipe(kind)?.table;
            let rows = service.select(table, &[("id", &equals(&self.id))]).await.map_err(unread(table))?;
            let row = rows.first().unwrap_or(&Value::Null);
            let wrong: Vec<_> = self.sets.iter().filter(|(column, value)| row[column.as_str()] != **value).collect();
            if wrong.is_empty() {
                return Ok(());
            }
            let line = |column: &str, value: &Value| format!("{column}: {value}");
            let (expected, seen): (Vec<_>, Vec<_>) = wrong
                .into_iter()
                .map(|(column, value)| (line(column, value), line(column, &row[column.as_str()])))
                .unzip();
            Err(Failure::failed(format!("after {:?} the row says what was done, and who did it", action.button))
                .expected(expected.join("\n"))
                .seen(seen.join("\n"))
                .at(table.as_str())
                .caused_by(Cause::Database))
        }
    }

    async fn fill(page: &Page<'_>, action: &Action, values: &[String]) -> Verdict {
        for (field, value) in action.fields.iter().zip(values) {
            if field.tick {
                let script = "const [selector, value, answer] = arguments;
                    const field = document.querySelector(selector);
                    if (field && (field.checked ? 'on' : 'off') !== value) field.click();
                    answer(null);";
                page.browser().ask(script, vec![field.selector.as_str().into(), value.as_str().into()]).await?;
            } else {
                page.search(&field.selector, value).await?;
            }
        }
        Ok(())
    }

    /// What the fields have now.
    async fn values(page: &Page<'_>, action: &Action) -> Verdict<Vec<String>> {
        let mut values = Vec::new();
        for field in &action.fields {
            let script = "const [selector, tick, answer] = arguments;
                const field = document.querySelector(selector);
                answer(tick ? (field?.checked ? 'on' : 'off') : String(field?.value));";
            let value = page.browser().ask(script, vec![field.selector.as_str().into(), field.tick.into()]).await?;
            values.push(value.as_str().unwrap_or_default().to_owned());
        }
        Ok(values)
    }

    async fn click(page: &Page<'_>, action: &Action, list: &List, row: &str) -> Verdict {
        let clicked = if action.makes.is_empty() {
            page.browser().click_text("main button:enabled", &action.button).await?
        } else {
            page.click_in_row(&list.rows, row, action.menu.as_deref(), &action.button).await?
        };
        if clicked {
            return Ok(());
        }
        Err(Failure::failed("what can be done is offered")
            .expected(format!("{:?}", action.button))
            .seen("no such button, or none that can be used")
            .caused_by(Cause::FrontEnd))
    }

    /// Answers with what the view says, in the place of what it has said before.
    async fn expect_no_success(
        page: &Page<'_>,
        contract: &Contract,
        action: &Action,
        when: &str,
        before: &[String],
    ) -> Verdict<Vec<String>> {
        let (toast, alert) = (page.toast()?, &contract.controls()?.alert);
        let said = format!("{toast}:not(:empty), main {alert}");
        let wanted = before.iter().fold(Wanted::anything(contract), |wanted, text| wanted.gone(text));
        let visit = page.browser().wait_for(&wanted.selector(&said)).await?;
        let texts = page.browser().texts(&said).await?;
        let claim = format!("{:?} says that it is not done {when}", action.button);
        let seen = match texts.iter().any(|text| text.contains(&action.says)) {
            true => format!("{:?}", action.says),
            false if texts.iter().any(|text| !text.is_empty()) => return Ok(texts),
            false => "no message".to_owned(),
        };
        Err(Failure::failed(claim)
            .expected("a message that it was not done")
            .seen(seen)
            .at(visit.url())
            .caused_by(Cause::FrontEnd))
    }

    /// What was filled in is there on the next visit.
    async fn kept(page: &Page<'_>, action: &Action, filled: &[String]) -> Verdict {
        let kept = values(page, action).await?;
        for ((field, expected), seen) in action.fields.iter().zip(filled).zip(&kept) {
            if expected != seen {
                return Err(Failure::failed(format!("{:?} keeps what was filled in", action.button))
                    .expected(format!("{expected:?} in {}", field.selector))
                    .seen(format!("{seen:?}"))
                    .caused_by(Cause::FrontEnd));
            }
        }
        Ok(())
    }
}
