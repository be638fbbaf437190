//! `cargo xtask vendors`: what our clients ask, and what the embedded platform answers, held against what the vendors publish
//! of their APIs: Supabase's Management API, Cloudflare's API for Pages, GitHub's API; the embedded site against wrangler; and
//! what is read of Supabase's CLI against the CLI.

mod calls;
mod extremes;
mod proxy;
mod wrangler;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use jsonschema::Validator;
use serde::Deserialize;
use serde_json::Value;
use tokio::runtime::Builder;

use crate::{Error, Verdict, cargo::cargo, peer, print, say, setup::root, table::table};
use calls::{Call, Clients};
use proxy::{Exchange, Proxy};

/// What a vendor says of an endpoint.
#[derive(Debug, Deserialize)]
struct Described {
    deprecated: bool,
    query: Vec<String>,
    answer: Value,
}

#[derive(Deserialize)]
struct Line {
    wanted: String,
    described: Option<Described>,
}

/// Compares all endpoints that are used.
///
/// # Errors
/// When npm, node or the portal fails.
pub fn run() -> Verdict {
    let folder = peer::install(&root().join("xtask/vendors"))?;
    let described = described(&folder)?;
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let described = runtime.block_on(compare(&described))?;
    let differing = runtime.block_on(wrangler::compare(&folder))?;
    let cli = ["test", "--package", "harness", "--lib", "--", "--ignored", "the_vendors_cli"];
    Ok(cargo(&cli).status()?.success() && described && differing.is_empty())
}

/// What the vendors say of each endpoint that is used; none of one that they do not have.
fn described(folder: &Path) -> Result<BTreeMap<String, Option<Described>>, Error> {
    let endpoints: BTreeSet<_> = Call::ALL.into_iter().map(Call::endpoint).collect();
    let output = Command::new("node").arg("describe.mjs").args(endpoints).current_dir(folder).output()?;
    if !output.status.success() {
        return Err(format!("describe.mjs: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let lines = String::from_utf8(output.stdout)?;
    let read = |line: &str| Ok(serde_json::from_str(line).map(|Line { wanted, described }| (wanted, described))?);
    lines.lines().map(read).collect()
}

async fn compare(described: &BTreeMap<String, Option<Described>>) -> Verdict {
    let portal = portal::Portal::builder().start().await?;
    let proxy = Proxy::before(portal.platform_url()).await?;
    let clients = Clients::new(&portal, proxy.url()).await?;
    proxy.take();
    let mut failures = Vec::new();
    let mut rows = table(&["endpoint", "query", "fields given", "fields read", "extremes", "verdict"]);
    for call in Call::ALL {
        let mut wrong = Vec::new();
        let description = described.get(call.endpoint()).and_then(Option::as_ref);
        let outcome = clients.call(call).await;
        let exchanges = proxy.take();
        wrong.extend(outcome.as_ref().err().map(|error| format!("{call:?} fails: {error}")));
        let [mut query, mut given, mut read, mut tried] = [String::new(), String::new(), String::new(), 0.to_string()];
        match description {
            None => wrong.push("the vendor does not have it any more".to_owned()),
            Some(Described { deprecated: true, .. }) => wrong.push("the vendor calls it deprecated".to_owned()),
            Some(description) => {
                wrong.extend(exchanges.iter().flat_map(|exchange| requested(exchange, call, description)));
                let validator = jsonschema::validator_for(&description.answer)
                    .map_err(|error| format!("the schema of {}: {error}", call.endpoint()))?;
                wrong.extend(exchanges.iter().flat_map(|exchange| answered(exchange, &validator)));
                let names: BTreeSet<_> = exchanges.iter().flat_map(|exchange| exchange.query.keys()).cloned().collect();
                query = Vec::from_iter(names).join(", ");
                if let Some(exchange) = exchanges.iter().find(|exchange| exchange.is_of(call)) {
                    let fields = extremes::fields(&exchange.answer);
                    given = fields.len().to_string();
                    let ours = outcome.as_deref().unwrap_or_default();
                    read = read_fields(&clients, &proxy, call, exchange, ours).await.join(", ");
                    let all = extremes::of(&description.answer, &exchange.answer);
                    tried = all.len().to_string();
                    for (what, answer) in all {
                        wrong.extend(refused(&clients, &proxy, call, &what, answer).await);
                    }
                }
            }
        }
        let verdict = if wrong.is_empty() { "passed" } else { "FAILED" };
        rows.add_row([call.endpoint(), &query, &given, &read, &tried, verdict]);
        failures.extend(wrong.into_iter().map(|why| format!("{}: {why}", call.endpoint())));
    }
    print(&rows.to_string());
    failures.iter().for_each(|failure| say(failure));
    Ok(failures.is_empty())
}

/// What is wrong with a request.
fn requested(exchange: &Exchange, call: Call, description: &Described) -> Vec<String> {
    let unknown = exchange.query.keys().filter(|name| !description.query.contains(name));
    let mut wrong: Vec<_> = unknown.map(|name| format!("{} has no parameter {name:?}", call.endpoint())).collect();
    if !exchange.is_of(call) {
        wrong.push(format!("{} {} is asked instead", exchange.method, exchange.path));
    }
    wrong
}

/// What is wrong with an answer of the embedded platform.
fn answered(exchange: &Exchange, validator: &Validator) -> Vec<String> {
    let shown = |error: jsonschema::ValidationError<'_>| {
        let text = error.to_string();
        let short: String = text.chars().take(160).collect();
        format!("the embedded platform's {}: {short} at {}", exchange.path, error.instance_path())
    };
    validator.iter_errors(&exchange.answer).take(3).map(shown).collect()
}

/// The fields without which the client says something else.
async fn read_fields(clients: &Clients, proxy: &Proxy, call: Call, exchange: &Exchange, ours: &str) -> Vec<String> {
    let mut read = Vec::new();
    for field in extremes::fields(&exchange.answer) {
        proxy.answer_with(extremes::without(&exchange.answer, &field));
        let said = clients.call(call).await;
        proxy.take();
        proxy.answer_with(exchange.answer.clone());
        let whole = clients.call(call).await;
        proxy.take();
        if said.as_deref().ok() != whole.as_deref().ok().or(Some(ours)) {
            read.push(field);
        }
    }
    read
}

/// Why a client does not take an answer that the vendor may give.
async fn refused(clients: &Clients, proxy: &Proxy, call: Call, what: &str, answer: Value) -> Option<String> {
    proxy.answer_with(answer);
    let said = clients.call(call).await;
    proxy.take();
    let error = said.err()?;
    // An answer of the log that has neither rows nor an error decides nothing.
    let decides_nothing = call == Call::Answers && what.starts_with("without result");
    (!decides_nothing).then(|| format!("{call:?}, {what}: {error}"))
}
