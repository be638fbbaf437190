//! 4.3.2 "Transactions show institution-scoped data".

use harness::{Check, Failure, Section, Verdict, Wanted, check, check_if_promised};
use rstest_reuse::apply;
use serde_json::Value;
use support::unread;

use crate::{institutions::Reader, readers};

pub mod signed_in {
    use super::*;

    /// On screen and in every answer that the browser gets, there is only the reader's institution.
    #[apply(readers)]
    fn the_browser_gets_rows_of_the_own_institution_only(#[case] reader: &str) -> Verdict {
        check_if_promised(&[Section::Ledger], "4.3.2", async |check| {
            let reader = Reader::of(check, reader).await?;
            others_exist(check, &reader).await?;
            let (contract, page) = (check.contract(), check.signed_in(reader.persona).await?);
            let visit = page.open(contract.route_of(&contract.ledger()?.route)).await?;
            visit.expect_on_the_way("the ledger is on screen")?;

            let (mut own, mut strays) = (0, Vec::new());
            let data = format!("{}/rest/v1/", check.deployment().api()?.url.as_str().trim_end_matches('/'));
            for request in visit.answers(&data) {
                let body = page.browser().body(request).await?;
                if body.contains(reader.other_canary) {
                    strays.push(format!("{:?} in the answer to {request}", reader.other_canary));
                }
                let (ours, theirs) = tenants(&body, &contract.data()?.tenant, &reader.institution);
                own += ours;
                strays.extend(
                    theirs.into_iter().map(|id| format!("a row of institution {id} in the answer to {request}")),
                );
            }
            let text = page.browser().texts("body").await?.concat();
            if text.contains(reader.other_canary) {
                strays.push(format!("{:?} on screen", reader.other_canary));
            }
            let failure = |failure: Failure| failure.at(visit.url());
            if !strays.is_empty() {
                strays.dedup();
                return Err(failure(Failure::failed("the browser gets rows of the reader's institution only"))
                    .expected(format!("{} is {} everywhere", contract.data()?.tenant, reader.institution))
                    .seen(strays.join("\n")));
            }
            if own == 0 || !text.contains(reader.canary) {
                return Err(failure(Failure::undecided("the reader sees rows of their own institution"))
                    .expected(format!("rows with {}, and {:?} on screen", contract.data()?.tenant, reader.canary))
                    .seen(format!("{own} such rows; the screen begins {:?}", visit.text())));
            }
            Ok(())
        })
    }

    /// The same for all that the reader could ask the database for, whether a view shows it or not.
    #[apply(readers)]
    fn the_database_gives_rows_of_the_own_institution_only(#[case] reader: &str) -> Verdict {
        check("4.3.2", async |check| {
            let reader = Reader::of(check, reader).await?;
            let (ours, theirs) = (reader.rest(check).await?, reader.others_rest(check).await?);
            let tenant = check.contract().data()?.tenant.as_str();
            let (own, other) = (format!("eq.{}", reader.institution), format!("eq.{}", reader.other_institution));
            let (mut strays, mut empty) = (Vec::new(), Vec::new());
            for relation in &check.contract().data()?.relations {
                let seen = ours.count(relation, &[]).await.map_err(unread(relation))?;
                let seen_own = ours.count(relation, &[(tenant, &own)]).await.map_err(unread(relation))?;
                let exist = theirs.count(relation, &[(tenant, &other)]).await.map_err(unread(relation))?;
                if seen != seen_own {
                    strays.push(format!("{relation}: {seen} rows, {seen_own} of the own institution"));
                }
                if seen_own == 0 || exist == 0 {
                    empty.push(format!("{relation}: {seen_own} rows of the own institution, {exist} of the other"));
                }
            }
            let failure = |failure: Failure| failure.at(format!("/rest/v1 as {}", reader.persona));
            if !strays.is_empty() {
                return Err(failure(Failure::failed("a user reads rows of their own institution only"))
                    .expected(format!("no row whose {tenant} is not {}", reader.institution))
                    .seen(strays.join("\n")));
            }
            if !empty.is_empty() {
                return Err(failure(Failure::undecided("there are rows of both institutions to tell apart"))
                    .expected("at least one row of each institution in each relation of the contract")
                    .seen(empty.join("\n"))
                    .advice("add such rows to the test institutions, or take the relation out of [data] relations"));
            }
            Ok(())
        })
    }

    /// Screen, database as the reader and database as the service count the same.
    #[apply(readers)]
    fn the_screen_counts_what_the_database_counts(#[case] reader: &str) -> Verdict {
        check_if_promised(&[Section::Ledger], "4.3.2", async |check| {
            let reader = Reader::of(check, reader).await?;
            let (contract, ledger) = (check.contract(), check.contract().ledger()?);
            let service = check.deployment().service()?;
            let count = async || {
                let mut query = ledger.bounds(contract.data()?)?;
                query.push((contract.data()?.tenant.clone(), format!("eq.{}", reader.institution)));
                service.count(&ledger.table, &as_query(&query)).await.map_err(unread("the ledger"))
            };
            let rest = reader.rest(check).await?;
            let before = count().await?;
            let page = check.signed_in(reader.persona).await?;
            let route = contract.route_of(&ledger.route);
            page.open(route).await?.expect_on_the_way("the ledger is on screen")?;
            let rows = page.browser().texts(&ledger.rows).await?.len() as u64;
            let text = page.browser().texts("body").await?.concat();
            let shown_days = ledger.bounds(contract.data()?)?;
            let seen = rest.count(&ledger.table, &as_query(&shown_days)).await.map_err(unread("the ledger"))?;
            let after = count().await?;

            let fits = |rows_there: u64| {
                let shown = rows_there.min(ledger.page);
                rows == shown && text.contains(&ledger.count.replace("{n}", &shown.to_string()))
            };
            // Of a window that rolls, a row may have left meanwhile.
            let between = before.min(after)..=before.max(after);
            if (fits(before) || fits(after)) && between.contains(&seen) && after > 0 {
                return Ok(());
            }
            let claim = "screen, reader and service count the same transactions";
            let failure = if before == after && after > 0 { Failure::failed(claim) } else { Failure::undecided(claim) };
            let line =
                text.lines().find(|line| line.contains(ledger.count.trim_start_matches("{n}"))).unwrap_or("no count");
            Err(failure
                .expected(format!(
                    "{after} rows of institution {}, of which the screen shows at most {}",
                    reader.institution, ledger.page
                ))
                .seen(format!("{rows} rows on screen, which says {line:?}; {} reads {seen} rows", reader.persona))
                .at(check.deployment().site().url(&route.path).as_str()))
        })
    }

    /// Each status button shows the rows of its status, and no others.
    #[apply(readers)]
    fn each_status_button_shows_its_rows(#[case] reader: &str) -> Verdict {
        check_if_promised(&[Section::Ledger], "4.3.2", async |check| {
            let reader = Reader::of(check, reader).await?;
            let ledger = check.contract().ledger()?;
            let page = check.signed_in(reader.persona).await?;
            page.open(check.contract().route_of(&ledger.route)).await?.expect_on_the_way("the ledger is on screen")?;
            for status in &ledger.statuses {
                let expected = Narrowed::of(check, &reader, &ledger.status, &status.filter).await?;
                if !page.browser().click_text(&ledger.status_buttons, &status.button).await? {
                    return Err(Failure::failed("the ledger has its status buttons")
                        .expected(format!("a button {:?} ({})", status.button, ledger.status_buttons))
                        .seen("none"));
                }
                expected.shown(check, &page, &format!("{:?} shows its rows", status.button)).await?;
            }
            Ok(())
        })
    }

    /// Searching for a reference shows the rows that have it, and no others.
    #[apply(readers)]
    fn a_search_shows_what_was_searched_for(#[case] reader: &str) -> Verdict {
        check_if_promised(&[Section::Ledger], "4.3.2", async |check| {
            let reader = Reader::of(check, reader).await?;
            let ledger = check.contract().ledger()?;
            let canary = format!("like.*{}*", reader.canary);
            let expected = Narrowed::of(check, &reader, &ledger.reference, &canary).await?;
            let page = check.signed_in(reader.persona).await?;
            page.open(check.contract().route_of(&ledger.route)).await?.expect_on_the_way("the ledger is on screen")?;
            page.browser().type_into(&ledger.search, reader.canary).await?;
            expected.shown(check, &page, &format!("a search for {:?} shows its rows", reader.canary)).await
        })
    }
}

/// The rows that a filter leaves, as the database gives them to the reader.
struct Narrowed {
    references: Vec<String>,
    rows: usize,
    filter: String,
}

impl Narrowed {
    async fn of(check: &Check, reader: &Reader<'_>, column: &str, filter: &str) -> Verdict<Self> {
        let (ledger, rest) = (check.contract().ledger()?, reader.rest(check).await?);
        let shown_days = ledger.bounds(check.contract().data()?)?;
        let all = rest.count(&ledger.table, &as_query(&shown_days)).await.map_err(unread("the ledger"))?;
        let query = [&as_query(&shown_days)[..], &[(column, filter), ("select", ledger.reference.as_str())]].concat();
        let rows = rest.all(&ledger.table, "id", &query).await.map_err(unread("the ledger"))?;
        let filter = format!("{column}={filter}");
        if rows.is_empty() || rows.len() as u64 >= all.min(ledger.page) {
            return Err(Failure::undecided("the filter leaves some rows and takes some")
                .expected(format!("more than 0 and less than {} rows with {filter}", all.min(ledger.page)))
                .seen(format!("{} of {all}", rows.len()))
                .advice("give the test institutions payments of every status, and a reference with the canary"));
        }
        let references = rows.iter().filter_map(|row| row[&ledger.reference].as_str().map(str::to_owned)).collect();
        Ok(Self { references, rows: rows.len(), filter })
    }

    async fn shown(&self, check: &Check, page: &harness::Page<'_>, claim: &str) -> Verdict {
        let ledger = check.contract().ledger()?;
        let count = ledger.count.replace("{n}", &self.rows.to_string());
        let wanted = self.references.iter().fold(Wanted::anything(check.contract()).text(count), Wanted::text);
        page.browser().wait_for(&wanted).await?.expect_ready(claim)?;
        let rows = page.browser().texts(&ledger.rows).await?;
        if rows.len() == self.rows {
            return Ok(());
        }
        Err(Failure::failed(claim)
            .expected(format!("{} rows, those with {}", self.rows, self.filter))
            .seen(format!("{} rows", rows.len()))
            .at(check.deployment().site().url(&check.contract().route_of(&ledger.route).path).as_str()))
    }
}

/// A query as clients take it.
fn as_query(query: &[(String, String)]) -> Vec<(&str, &str)> {
    query.iter().map(|(column, filter)| (column.as_str(), filter.as_str())).collect()
}

/// The control of every "not to be seen": the other institution's canary rows are there, and their owner sees them.
async fn others_exist(check: &Check, reader: &Reader<'_>) -> Verdict {
    let ledger = check.contract().ledger()?;
    let canary = format!("like.*{}*", reader.other_canary);
    let theirs = reader.others_rest(check).await?.count(&ledger.table, &[(&ledger.reference, &canary)]).await;
    match theirs.map_err(unread("the ledger"))? {
        0 => Err(Failure::undecided("the other institution has canary rows")
            .expected(format!(
                "a row of institution {} with {:?} in {}",
                reader.other_institution, reader.other_canary, ledger.reference
            ))
            .seen(format!("{} sees none", reader.other))
            .advice(
                "insert one, or name another value that only that institution has in [data] canaries of the contract",
            )
            .at("/rest/v1")),
        _ => Ok(()),
    }
}

/// How many rows in an answer, at any depth, are of this institution, and the institutions of the others.
fn tenants(body: &str, column: &str, own: &str) -> (usize, Vec<String>) {
    fn look(value: &Value, column: &str, own: &str, found: &mut (usize, Vec<String>)) {
        match value {
            Value::Array(rows) => rows.iter().for_each(|row| look(row, column, own, found)),
            Value::Object(row) => {
                match row.get(column).and_then(Value::as_str) {
                    Some(tenant) if tenant == own => found.0 += 1,
                    Some(tenant) => found.1.push(tenant.to_owned()),
                    None => {}
                }
                row.values().for_each(|value| look(value, column, own, found));
            }
            _ => {}
        }
    }
    let mut found = (0, Vec::new());
    look(&serde_json::from_str(body).unwrap_or_default(), column, own, &mut found);
    found
}
