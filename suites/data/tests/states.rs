//! Rows in every state that they may be in, with what people type in them: each view shows them as they are, and nothing that
//! stands on their edge is left out.

pub mod writes {
    use std::{
        collections::{BTreeMap, BTreeSet},
        sync::Arc,
    };

    use harness::{
        Cause, Check, Contract, Failure, List, Offer, RestClient, Section, State, Tenant, Totals, Verdict, Writes,
        check_if_promised, now_in,
    };
    use jiff::{SignedDuration, Timestamp, Zoned, tz::TimeZone};
    use rstest_reuse::apply;
    use rust_decimal::Decimal;
    use serde_json::{Map, Value, json};
    use support::{equals, unread};
    use tokio::sync::OnceCell;

    use crate::{
        totals, views,
        views::{Choose, Looked},
    };

    /// Amounts of the rows begin here, and no two are the same.
    const AMOUNT: f64 = 1000.25;

    /// Rows of a total that a report shows.
    const SHOWN: usize = 4;

    /// Lists, figures, buttons of rows, the filter and the search, for somebody who sees all of them.
    #[apply(views)]
    fn rows_in_every_state_are_shown_as_they_are(#[case] view: &'static str, #[case] step: &'static str) -> Verdict {
        let step = if step.is_empty() { "4.3.2" } else { step };
        let needs = [Section::States, Section::Views, Section::Data, Section::Make];
        check_if_promised(&needs, step, async |check| {
            let tenant = in_every_state(check).await?;
            let manager = check.contract().highest_role()?;
            let (seen, session) = Looked::in_tenant(check, view, manager, &tenant).await?;
            let page = check.page().await?;
            page.hold(&session).await?;
            page.browser().watch_writes().await?;
            seen.open(&page).await?;
            seen.compare(&page).await?;
            seen.compare_statuses(&page).await?;
            seen.open(&page).await?;
            seen.handle(&page).await?;
            seen.search(&page, Choose::Oddest).await?;
            seen.open(&page).await?;
            seen.press_everything(&page).await
        })
    }

    /// Relations that add the ledger up, as somebody reads them who sees all of it.
    #[apply(totals)]
    fn a_total_is_what_its_rows_add_up_to(#[case] total: &'static str, #[case] step: &'static str) -> Verdict {
        let step = if step.is_empty() { "4.3.1" } else { step };
        let needs = [Section::Totals, Section::States, Section::Data, Section::Make];
        check_if_promised(&needs, step, async |check| {
            let (contract, tenant) = (check.contract(), in_every_state(check).await?);
            let total = contract.total(total)?;
            let own = (contract.data()?.tenant.as_str(), format!("eq.{}", tenant.id));
            let filters = total.filters.iter().map(|(column, filter)| (column.as_str(), filter.as_str()));
            let query: Vec<_> = [(own.0, own.1.as_str())].into_iter().chain(filters).collect();
            let rows =
                check.deployment().service()?.all(&total.table, "id", &query).await.map_err(unread(&total.table))?;
            let expected = added_up(total, &rows, now_in(&contract.data()?.time_zone)?.time_zone())?;
            let manager = check.deployment().writes().await?.person(&tenant, contract.highest_role()?).await?;
            let rest = check.deployment().rest()?.signed_in(&manager.session);
            let seen = match &total.rows {
                Some(field) => told(check, &rest, total, field, &tenant.id).await?,
                None => rest.select(&total.relation, &[(own.0, &own.1)]).await.map_err(unread(&total.relation))?,
            };
            let columns = || total.by.keys().chain([&total.count]).chain(total.sums.keys());
            let line = |row: &Value| {
                columns().map(|column| format!("{column} {}", plain(&row[column]))).collect::<Vec<_>>().join(", ")
            };
            let seen: BTreeSet<_> = seen.iter().map(line).collect();
            let expected: BTreeSet<_> = expected.iter().map(line).collect();
            if seen == expected && !expected.is_empty() {
                return Ok(());
            }
            let lines = |lines: Vec<&String>| match lines.as_slice() {
                [] => "none but those".to_owned(),
                lines => lines.iter().take(SHOWN).map(ToString::to_string).collect::<Vec<_>>().join("\n"),
            };
            Err(Failure::failed("a total is what its rows add up to")
                .expected(lines(expected.difference(&seen).collect()))
                .seen(lines(seen.difference(&expected).collect()))
                .at(&total.relation)
                .caused_by(Cause::Database))
        })
    }

    /// The rows that a function tells, without those that add nothing up.
    async fn told(check: &Check, rest: &RestClient, total: &Totals, field: &str, tenant: &str) -> Verdict<Vec<Value>> {
        let fill =
            |value: &Value| value.as_str().map_or(value.clone(), |it| it.replace("{institution}", tenant).into());
        let arguments: Map<_, _> = total.arguments.iter().map(|(name, value)| (name.clone(), fill(value))).collect();
        let writes = check.deployment().writes().await?;
        let answer = rest.call(&writes, &total.relation, &arguments.into()).await.map_err(unread(&total.relation))?;
        let rows = answer[field].as_array().cloned().unwrap_or_default();
        Ok(rows.into_iter().filter(|row| row[&total.count] != 0).collect())
    }

    /// What a row of a total is of, and the rows that it adds up.
    type Added<'r> = (Map<String, Value>, Vec<&'r Value>);

    /// What the relation has to say of these rows.
    fn added_up(total: &Totals, rows: &[Value], zone: &TimeZone) -> Verdict<Vec<Value>> {
        let undecided = |what: &str| Failure::undecided("the rows of a total can be added up").seen(what);
        let mut sums: BTreeMap<Vec<String>, Added<'_>> = BTreeMap::new();
        for row in rows {
            let mut keys = Map::new();
            for (column, from) in &total.by {
                let value = match from.strip_suffix("|date") {
                    None => row[from].clone(),
                    Some(from) => {
                        let time = row[from].as_str().and_then(|time| time.parse::<Timestamp>().ok());
                        json!(time.ok_or_else(|| undecided(from))?.to_zoned(zone.clone()).date().to_string())
                    }
                };
                keys.insert(column.clone(), value);
            }
            let key = keys.values().map(plain).collect();
            sums.entry(key).or_insert_with(|| (keys, Vec::new())).1.push(row);
        }
        let line = |(mut line, rows): Added<'_>| {
            line.insert(total.count.clone(), json!(rows.len()));
            for (column, having) in &total.sums {
                let is = |row: &&&Value| having.iter().all(|(name, value)| row[name] == **value);
                let sum: Option<Decimal> =
                    rows.iter().filter(is).map(|row| plain(&row[&total.sum]).parse::<Decimal>().ok()).sum();
                line.insert(column.clone(), json!(sum.ok_or_else(|| undecided(column))?.to_string()));
            }
            Ok(Value::Object(line))
        };
        sums.into_values().map(line).collect()
    }

    /// A value as text; of numbers their value.
    fn plain(value: &Value) -> String {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.parse::<Decimal>().map_or(text, |number| number.normalize().to_string())
    }

    /// The tenant that has them, made once in a process.
    pub async fn in_every_state(check: &Check) -> Verdict<Arc<Tenant>> {
        static MADE: OnceCell<Verdict<Arc<Tenant>>> = OnceCell::const_new();
        MADE.get_or_init(async || {
            let writes = check.deployment().writes().await?;
            let tenant = writes.institution("states").await?;
            // Of one instant, so that what is listed by time has to be told apart by something else as well.
            let now = now_in(&check.contract().data()?.time_zone)?;
            let (mut names, mut rows) = (BTreeMap::new(), Vec::new());
            for (at, state) in check.contract().states()?.iter().enumerate() {
                let row = made(check, writes, &tenant, state, (at, &now), &names).await?;
                names.extend(state.name.iter().map(|name| (name.clone(), row["id"].clone())));
                rows.push(row);
            }
            for (at, (recipe, columns)) in (rows.len()..).zip(unoffered(check.contract(), &rows)) {
                let mut values = values(writes, at);
                values.extend(names.iter().map(|(name, id)| (name.as_str(), id.clone())));
                // What cannot be made is missed by whoever looks for its button.
                let _ = writes.make_with(&tenant, recipe, &values, &columns).await;
            }
            Ok(tenant)
        })
        .await
        .clone()
    }

    /// Rows with a button that none of these rows has, by the recipe of each and what the button takes.
    fn unoffered<'c>(contract: &'c Contract, rows: &[Value]) -> Vec<(&'c str, Map<String, Value>)> {
        let lists = contract.views().into_iter().flatten().flat_map(|view| &view.lists);
        let offers = lists.flat_map(|list| list.offers.iter().map(move |offer| (list, offer)));
        let lacks = |offer: &Offer| {
            let has = |row: &Value| {
                offer.when.iter().all(|(column, values)| values.iter().any(|value| row[column] == **value))
            };
            !offer.when.is_empty() && !rows.iter().any(has)
        };
        let recipe = |list: &List| {
            let table = &contract.kind_of(list).ok()?.table;
            contract.make().ok()?.iter().find(|(_, recipe)| recipe.table == *table).map(|(name, _)| name.as_str())
        };
        let columns = |offer: &Offer| {
            let first = |(column, values): (&String, &Vec<String>)| Some((column.clone(), json!(values.first()?)));
            offer.when.iter().filter_map(first).collect()
        };
        offers
            .filter(|(_, offer)| lacks(offer))
            .filter_map(|(list, offer)| Some((recipe(list)?, columns(offer))))
            .collect()
    }

    /// What recipes take for the row of this number.
    fn values(writes: Writes<'_>, at: usize) -> Vec<(&'static str, Value)> {
        let amount = AMOUNT + f64::from(u32::try_from(at).unwrap_or_default());
        let device = format!("{}-states-{at}", writes.run());
        vec![("group", Value::Null), ("active", json!(true)), ("amount", json!(amount)), ("device", json!(device))]
    }

    /// Makes one, as the state of this number, at this time.
    async fn made(
        check: &Check,
        writes: Writes<'_>,
        tenant: &Tenant,
        state: &State,
        (at, now): (usize, &Zoned),
        names: &BTreeMap<String, Value>,
    ) -> Verdict<Value> {
        let columns = |columns: &BTreeMap<String, Value>| {
            let columns = columns.iter().map(|(column, value)| Ok((column.clone(), filled(value, now, names)?)));
            columns.collect::<Verdict<Map<_, _>>>()
        };
        let (mut columns, then) = (columns(&state.with)?, columns(&state.then)?);
        if state.kind != "profile" {
            let row = writes.make_with(tenant, &state.kind, &values(writes, at), &columns).await?;
            if then.is_empty() {
                return Ok(row);
            }
            let (table, id) = (&writes.recipe(&state.kind)?.table, equals(&row["id"]));
            let changed = check.deployment().service()?.update(&writes, table, &[("id", &id)], &then.into()).await;
            let cannot = |error: harness::ClientError| {
                Failure::undecided(format!("a {} can be brought to a state", state.kind)).seen(error.to_string())
            };
            return changed.map(|_| row).map_err(cannot);
        }
        let role = columns.remove("role").unwrap_or_default();
        let person = writes.person(tenant, role.as_str().unwrap_or_default()).await?;
        let recipe = writes.recipe("profile")?;
        let (id, service) = (json!(person.id), check.deployment().service()?);
        service
            .update(&writes, &recipe.table, &[(recipe.key(), &equals(&id))], &columns.into())
            .await
            .map_err(|error| Failure::undecided("a colleague can be in each state").seen(error.to_string()))?;
        Ok(json!({ "id": id }))
    }

    fn filled(value: &Value, now: &Zoned, names: &BTreeMap<String, Value>) -> Verdict<Value> {
        let inside = value.as_str().and_then(|text| text.strip_prefix('{')?.strip_suffix('}'));
        let Some(name) = inside else { return Ok(value.clone()) };
        let unknown = || Failure::undecided(format!("the contract says what {{{name}}} is")).seen("no earlier state");
        let midnight =
            || now.start_of_day().map(|day| day.timestamp()).map_err(|error| unknown().seen(error.to_string()));
        let time = |time: Timestamp| Ok(json!(time.to_string()));
        match (name, name.strip_suffix(" hours ago").and_then(|hours| hours.parse::<i64>().ok())) {
            ("nothing", _) => Ok(Value::Null),
            ("now", _) => time(now.timestamp()),
            // Of today and of yesterday in the portal's own zone, and hardly in another.
            ("midnight", _) => time(midnight()?),
            ("before midnight", _) => time(midnight()? - SignedDuration::from_secs(1)),
            (_, Some(hours)) => time(now.timestamp() - SignedDuration::from_hours(hours)),
            _ => names.get(name).cloned().ok_or_else(unknown),
        }
    }
}
