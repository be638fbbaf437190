//! What the database refuses, the person learns; what it does, they learn too.

pub mod writes {
    use harness::{
        Allocation, Cause, Failure, Form, MemberChoice, Page, Section, Verdict, Wanted, check, check_if_promised,
        views::outline_difference,
    };
    use rstest_reuse::apply;
    use serde::Deserialize;
    use serde_json::{Map, Value, json};
    use support::{Desk, unread};

    use crate::{forms, views::Looked};

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
            page.ask_for_member(&contract.ledger()?.rows, reference, &desk.member, "too late").await?;
            desk.allocate(&desk.rest(&other)?, &desk.payment, &desk.member, "faster")
                .await
                .map_err(|error| error.failure("somebody who may allocate can").caused_by(Cause::Database))?;
            page.give(&desk.member).await?;
            refused(&page, &words.dialog, "a refused allocation", None).await
        })
    }

    /// The dialog proposes the member whose payment it seems to be, and finds one by each field that it promises.
    #[test]
    fn the_dialog_finds_the_member() -> Verdict {
        check_if_promised(&[Section::Allocation, Section::Ledger, Section::Views], "4.3.3", async |check| {
            let desk = Desk::open(check, "find").await?;
            let (contract, words) = (check.contract(), check.contract().allocation()?);
            let other = [("group", desk.group["id"].clone())];
            let columns = Map::from_iter(words.likely.iter().map(|column| (column.clone(), json!("0788557001"))));
            desk.writes.make_with(&desk.tenant, "member", &other, &columns).await?;
            let mut left = Vec::new();
            for gone in &words.left {
                let gone = desk.writes.make_with(&desk.tenant, "member", &other, gone).await?;
                left.push(words.called(&gone).to_owned());
            }
            let page = check.page().await?;
            page.hold(&desk.person(&words.writer).await?.session).await?;
            let reference = desk.payment[&contract.ledger()?.reference].as_str().unwrap_or_default();
            page.open_unallocated(reference).await?;
            page.open_allocation(&contract.ledger()?.rows, reference).await?;
            let failed = |claim: &str, expected: String, seen: String| {
                Err(Failure::failed(claim).expected(expected).seen(seen).caused_by(Cause::FrontEnd))
            };
            if let Some(other) = outline_difference(&words.outline, &page.outline_of(&words.dialog, None).await?) {
                let claim = "the dialog of an allocation has the fields and buttons that it promises";
                return failed(claim, other.expected, other.seen);
            }
            let member = words.called(&desk.member).to_owned();
            let Offered { members, chosen } = offered(&page, words).await?;
            if let Some(gone) = left.iter().find(|gone| members.iter().any(|member| member.contains(*gone))) {
                let claim = "the dialog offers members who can get the payment";
                return failed(claim, "nobody who has left".to_owned(), format!("{gone}, who has left"));
            }
            if let Some(column) = &words.likely
                && !chosen.contains(&member)
            {
                let claim = "the dialog proposes the member whose payment it seems to be";
                return failed(claim, format!("{member}, who has the payment's {column}"), format!("{chosen:?}"));
            }
            let Some(find) = &words.find else { return Ok(()) };
            for column in &find.columns {
                let text = desk.member[column].as_str().unwrap_or_default().to_lowercase();
                page.search(&find.field, &text).await?;
                let Offered { members, .. } = offered(&page, words).await?;
                if members.len() != 1 || !members[0].contains(&member) {
                    let claim = format!("the dialog finds a member by their {column}");
                    return failed(&claim, member.clone(), members.join(", "));
                }
            }
            Ok(())
        })
    }

    /// The members that a dialog offers, and the one that is chosen: by id, or by their entries.
    #[derive(Deserialize)]
    struct Offered {
        members: Vec<String>,
        chosen: String,
    }

    async fn offered(page: &Page<'_>, words: &Allocation) -> Verdict<Offered> {
        let of_field = "const [selector, answer] = arguments;
            const field = document.querySelector(selector);
            answer({ members: [...field.options].map(({ value }) => value).filter(Boolean), chosen: field.value });";
        let of_entries = "const [selector, answer] = arguments;
            const entries = [...document.querySelectorAll(selector)].filter((it) => it.checkVisibility());
            const chosen = entries.find((it) => it.matches('[aria-selected=true], [aria-pressed=true], [aria-checked=true], [aria-current]'));
            answer({ members: entries.map((it) => it.innerText), chosen: chosen?.innerText ?? '' });";
        let (script, selector) = match words.choice() {
            MemberChoice::Field(field) => (of_field, field),
            MemberChoice::Entries(entries) => (of_entries, entries.selector.as_str()),
        };
        let answer = page.browser().ask(script, vec![selector.into()]).await?;
        serde_json::from_value(answer)
            .map_err(|error| Failure::undecided("the members of a dialog can be read").seen(error.to_string()))
    }

    /// What was made is said and listed, the same code again is refused in words, and a cancelled dialog makes nothing.
    #[apply(forms)]
    fn a_form_says_what_became_of_it(#[case] form: &'static str, #[case] step: &'static str) -> Verdict {
        let step = if step.is_empty() { "4.1.4" } else { step };
        let needs = [Section::Forms, Section::Views, Section::Controls, Section::Data, Section::Make];
        check_if_promised(&needs, step, async |check| {
            let contract = check.contract();
            let (form, writes) = (contract.form(form)?, check.deployment().writes().await?);
            // Each form has its own: what one makes would be missing in the list of another.
            let tenant = writes.institution(&form.name).await?;
            let writer = contract.allocation().ok().map(|allocation| allocation.writer.as_str());
            let role = form.role.as_deref().or(writer).map_or_else(|| contract.highest_role(), Ok)?;
            let person = writes.person(&tenant, role).await?;
            let seen = Looked::by_person(check, &form.view, "somebody with the right", &tenant)?;
            let list = seen.list_of(form.list.as_deref())?;
            let table = &contract.kind_of(list)?.table;
            let mut made = Vec::new();
            for kind in &form.makes {
                let row = writes.make(&tenant, kind, &[]).await?;
                made.push((format!("{{{kind}}}"), row["id"].as_str().unwrap_or_default().to_owned()));
            }
            let page = check.page().await?;
            page.hold(&person.session).await?;
            seen.open(&page).await?;

            let code = format!("RC-{}-{}", writes.run(), form.view.to_uppercase());
            made.extend([("{name}".to_owned(), name(&code)), ("{code}".to_owned(), code.clone())]);
            let typed = |text: &str| made.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
            let title = typed(&form.says);
            fill(&page, form, &typed).await?;
            page.browser().click(&form.submit).await?;
            let made = Wanted::anything(contract).text(&title);
            let visit = page.browser().wait_for(&made).await?;
            visit.expect_ready(format!("{} is made by the dialog", form.name))?;
            let announced = form.announces.as_ref().unwrap_or(&title);
            if !page.browser().texts(&page.toast()?).await?.iter().any(|text| text.contains(announced)) {
                return Err(Failure::failed(format!("{} was made, and the view says so", form.name))
                    .expected(format!("{announced:?} in {}", page.toast()?))
                    .seen("no message with it")
                    .at(visit.url())
                    .caused_by(Cause::FrontEnd));
            }
            let service = check.deployment().service()?;
            let key = form.sets.get(&form.unique).and_then(Value::as_str).map(typed).unwrap_or_default();
            let own =
                [(contract.data()?.tenant.as_str(), format!("eq.{}", tenant.id)), (&form.unique, format!("eq.{key}"))];
            let own: Vec<_> = own.iter().map(|(column, value)| (*column, value.as_str())).collect();
            let rows = async || service.select(table, &own).await.map_err(unread(table));
            let there = rows().await?;
            there_are(there.len(), 1, &format!("{} that was made", form.name))?;
            let is_typed = |(column, value): &(&String, &Value)| {
                let value = value.as_str().map_or_else(|| (*value).clone(), |text| json!(typed(text)));
                there[0][column.as_str()] == value
            };
            if let Some((column, value)) = form.sets.iter().find(|set| !is_typed(set)) {
                return Err(Failure::failed(format!("{} that was made is what was filled in", form.name))
                    .expected(format!("{column}: {value}"))
                    .seen(format!("{column}: {}", there[0][column.as_str()]))
                    .at(visit.url())
                    .caused_by(Cause::FrontEnd));
            }
            seen.compare_list(&page, list, "what was made is listed at once").await?;

            if form.repeats {
                return Ok(());
            }
            // With another name, by which it would be announced.
            let typed = |text: &str| typed(&text.replace("{name}", "{name} again"));
            fill(&page, form, &typed).await?;
            page.browser().click(&form.submit).await?;
            let announced = form.announces.clone().or_else(|| Some(typed(&form.says)).filter(|text| *text != title));
            let what = format!("{} whose code is taken", form.name);
            let refused = refused(&page, &contract.controls()?.dialog, &what, announced.as_deref()).await;
            match rows().await?.len() {
                1 => refused,
                taken => Err(Failure::failed(format!("a {} is there once", form.unique))
                    .expected(format!("the second one of {table} is refused"))
                    .seen(format!("{taken} rows with the same"))
                    .advice(format!(
                        "give {table} the unique key that covers {}; if it may be there again, set repeats = true in [[forms]]",
                        form.unique
                    ))
                    .caused_by(Cause::Database)),
            }
        })
    }

    fn name(code: &str) -> String {
        format!("Made by a check {code}")
    }

    async fn fill(page: &Page<'_>, form: &Form, typed: &impl Fn(&str) -> String) -> Verdict {
        if !page.browser().click_text("main button", &form.button).await? {
            return Err(Failure::failed("the view offers its buttons")
                .expected(format!("{:?}", form.button))
                .seen("none"));
        }
        for field in &form.fields {
            let value = typed(&field.value);
            match field.choose {
                true => page.browser().choose(&field.selector, &value).await?,
                false => page.search(&field.selector, &value).await?,
            }
        }
        Ok(())
    }

    fn there_are(seen: usize, expected: usize, what: &str) -> Verdict {
        if seen == expected {
            return Ok(());
        }
        Err(Failure::failed(format!("there is {expected} row of {what}"))
            .expected(expected.to_string())
            .seen(seen.to_string()))
    }

    /// The dialog stays and says why; nothing is announced, whatever else is said.
    async fn refused(page: &Page<'_>, dialog: &str, what: &str, announced: Option<&str>) -> Verdict {
        let visit = page.browser().wait_for(&page.alert(dialog)?).await?;
        let said = page.browser().texts(&page.toast()?).await?;
        let is_announced = announced.is_some_and(|announced| said.iter().any(|text| text.contains(announced)));
        if visit.is_ready() && !is_announced {
            return Ok(());
        }
        Err(Failure::failed(format!("{what} is a refusal on screen, too"))
            .expected("the dialog stays and says why, and nothing is announced")
            .seen(match said.iter().find(|text| !text.is_empty()) {
                Some(_) if visit.is_ready() => "the dialog stays, and a message announces success".to_owned(),
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
