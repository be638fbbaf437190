//! What the database's statements take, as `pg_stat_statements` counts them: now, and in the last run before the release.
//! Of a statement the hash of its text is kept, in which constants are numbered: it says nothing of anybody.

use std::{collections::BTreeMap, sync::LazyLock, time::Duration};

use jiff::Timestamp;
use regex::Regex;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::{
    client::ManagementClient,
    deployment::Deployment,
    failure::{Failure, Verdict},
    run::{earlier, runs_folder},
    target::Target,
};

/// The step whose checks keep them.
const STEP: &str = "post.2.2";

/// A mean of fewer calls says nothing.
const FEW: u64 = 10;

/// Nobody waits for a second, whatever it was before.
const SLOW_MS: f64 = 1000.0;

/// What is new has no time of before that it could be compared with.
const NEW_MS: f64 = 500.0;

/// What takes less is slower without anybody noticing.
const NOTICED_MS: f64 = 100.0;

/// So many times as long as before is slower.
const SLOWER: f64 = 2.0;

/// What the embedded portal's visitors may take: a portal that hangs is what other checks look at.
const VISITS: Duration = Duration::from_secs(10);

/// Letters of a statement that names nothing.
const SHOWN: usize = 80;

const CLAIM: &str = "no query of the API is slow, or slower than before the release";

/// Statements that came by the API, by the hash of their text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// When the counting began: somebody may begin it anew.
    since: Option<String>,
    statements: BTreeMap<String, Ran>,
}

/// How a statement ran.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ran {
    calls: u64,
    total_ms: f64,
    /// What a person knows it by.
    #[serde(skip)]
    what: String,
}

impl Ran {
    fn mean_ms(&self) -> f64 {
        self.total_ms / self.calls.max(1) as f64
    }
}

/// The workload of a deployment, beside what it was.
#[derive(Debug)]
pub struct Workloads {
    /// Now.
    pub now: Workload,
    /// In the last run before the release, with a name for that run.
    pub before: Option<(String, Workload)>,
}

/// A row of the statistics.
#[derive(Deserialize)]
struct Counted {
    id: String,
    calls: u64,
    total_ms: f64,
    text: String,
    since: Option<String>,
}

#[derive(Deserialize)]
struct Schema {
    schema: String,
}

const SCHEMA: &str = "select n.nspname as schema
  from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
  where e.extname = 'pg_stat_statements'";

/// Of those who come by the API; maintenance may take as long as it likes.
fn counted(schema: &str) -> String {
    let schema = format!("\"{}\"", schema.replace('"', "\"\""));
    format!(
        "select md5(s.query) as id, sum(s.calls)::int8 as calls, sum(s.total_exec_time)::float8 as total_ms,
                left(min(s.query), 600) as text, (select stats_reset::text from {schema}.pg_stat_statements_info) as since
           from {schema}.pg_stat_statements s join pg_catalog.pg_roles r on r.oid = s.userid
          where s.dbid = (select oid from pg_catalog.pg_database where datname = current_database())
            and r.rolname in ('anon', 'authenticated', 'service_role', 'authenticator')
          group by md5(s.query)"
    )
}

impl Workload {
    /// The name under which a run keeps it.
    pub const KEPT: &str = "statements.json";

    /// As the database counts it.
    ///
    /// # Errors
    /// As [`Deployment::management`]; undecided where the database does not count, or shows nobody what.
    async fn of(management: &ManagementClient) -> Verdict<Self> {
        let failed = |error| Deployment::vendor_failed(CLAIM, &error);
        let installed: Vec<Schema> = management.query(SCHEMA).await.map_err(failed)?;
        let Some(Schema { schema }) = installed.into_iter().next() else {
            return Err(Failure::undecided(CLAIM)
                .expected("the extension pg_stat_statements")
                .seen("not installed")
                .at(management.url("database/query/read-only"))
                .advice("create extension pg_stat_statements with schema extensions; hosted projects have it from the start"));
        };
        let rows: Vec<Counted> = management.query(&counted(&schema)).await.map_err(failed)?;
        if rows.iter().any(|row| row.text == "<insufficient privilege>") {
            return Err(Failure::undecided(CLAIM)
                .expected(format!("the texts of {schema}.pg_stat_statements"))
                .seen("<insufficient privilege>")
                .at(management.url("database/query/read-only"))
                .advice("grant pg_monitor to supabase_read_only_user, as newer projects have it"));
        }
        let since = rows.first().and_then(|row| row.since.clone());
        let ran = |row: Counted| (row.id, Ran { calls: row.calls, total_ms: row.total_ms, what: named(&row.text) });
        Ok(Self { since, statements: rows.into_iter().map(ran).collect() })
    }

    /// As a run keeps it.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Statements of which there are enough calls to say something.
    pub fn known(&self) -> usize {
        self.statements.values().filter(|ran| ran.calls >= FEW).count()
    }

    /// What ran since `before`, where both were counted from the same moment on; else all.
    fn after(&self, before: Option<&Self>) -> BTreeMap<&str, Ran> {
        let same = before.filter(|before| before.since.is_some() && before.since == self.since);
        let of = |(id, ran): (&'_ String, &Ran)| {
            let was = same.and_then(|before| before.statements.get(id)).filter(|was| was.calls <= ran.calls);
            let (calls, total_ms) = was.map_or((0, 0.0), |was| (was.calls, was.total_ms));
            Ran { calls: ran.calls - calls, total_ms: (ran.total_ms - total_ms).max(0.0), what: ran.what.clone() }
        };
        self.statements.iter().map(|(id, ran)| (id.as_str(), of((id, ran)))).collect()
    }

    /// Statements that are slow, or slower than in `before`, the slowest first: each with its times.
    pub fn slow(&self, before: Option<&Self>) -> Vec<String> {
        let mut slow = Vec::new();
        for (id, ran) in self.after(before).iter().filter(|(_, ran)| ran.calls >= FEW) {
            let mean = ran.mean_ms();
            let was = before.map(|before| before.statements.get(*id).filter(|was| was.calls >= FEW).map(Ran::mean_ms));
            let (is_slow, than) = match was {
                None => (false, String::new()),
                Some(None) => (mean >= NEW_MS, ", new since the release".to_owned()),
                Some(Some(was)) => {
                    (mean >= NOTICED_MS && mean > SLOWER * was, format!(", {was:.0} ms before the release"))
                }
            };
            if is_slow || mean >= SLOW_MS {
                slow.push((mean, format!("{}: {mean:.0} ms in {} calls{than}", ran.what, ran.calls)));
            }
        }
        slow.sort_by(|one, other| other.0.total_cmp(&one.0));
        slow.into_iter().map(|(_, text)| text).collect()
    }
}

impl Workloads {
    /// Of a deployment whose release was at this moment. Nobody visits the embedded portal before it is looked at: visitors
    /// are made, and the time before is a sound portal's.
    ///
    /// # Errors
    /// As [`Deployment::management`]; undecided where statements are not counted.
    pub async fn of(deployment: &Deployment, release: Option<Timestamp>) -> Verdict<Self> {
        let management = deployment.management()?;
        let now = Workload::of(&management).await?;
        if deployment.target() == Target::Embedded {
            let sound = deployment.counterpart().await?;
            let visits = async { tokio::join!(visit(deployment), visit(sound)) };
            let _ = timeout(VISITS, visits).await;
            let before = Workload::of(&sound.management()?).await?;
            let now = Workload::of(&management).await?;
            return Ok(Self { now, before: Some(("a sound portal".to_owned(), before)) });
        }
        let before = match release {
            Some(release) => Self::before(deployment, release)?,
            None => None,
        };
        Ok(Self { now, before })
    }

    fn before(deployment: &Deployment, release: Timestamp) -> Verdict<Option<(String, Workload)>> {
        let project = deployment.api()?.project();
        let Some(found) = earlier(&runs_folder(), (deployment.target(), &project), release, (STEP, Workload::KEPT))
        else {
            return Ok(None);
        };
        let workload = serde_json::from_str(&found.text).map_err(|error| {
            Failure::undecided(CLAIM)
                .expected(format!("{} of the run {}", Workload::KEPT, found.run))
                .seen(error.to_string())
                .advice("an older version of the harness wrote it: remove the run, or compare by hand")
        })?;
        Ok(Some((format!("run {} of {:.0}", found.run, found.at), workload)))
    }
}

/// What a person knows a statement by: the tables and functions of the API that it names, or how it begins.
fn named(text: &str) -> String {
    static NAME: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#""?\bpublic"?\."?(\w+)"?"#).expect("a constant that is a pattern"));
    let mut names = Vec::new();
    for name in NAME.captures_iter(text).map(|found| format!("public.{}", &found[1])) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if !names.is_empty() {
        return names.join(", ");
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SHOWN).collect()
}

/// Asks for what the contract's views call, often enough to be counted. Whoever is not let in, or gets no answer, is what
/// other checks look at.
async fn visit(deployment: &Deployment) {
    let contract = deployment.contract();
    let Ok(volume) = contract.volume() else { return };
    for call in &volume.calls {
        let letter = contract.personas.get(&call.persona).and_then(|persona| persona.institution.as_deref());
        let institution = letter.and_then(|letter| deployment.institution(letter).ok()).unwrap_or_default();
        let arguments: Vec<_> = call
            .arguments
            .iter()
            .map(|(name, value)| (name.as_str(), value.replace("{institution}", &institution)))
            .collect();
        let arguments: Vec<_> = arguments.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (Ok(rest), Ok(session)) = (deployment.rest(), deployment.session(&call.persona).await) else { continue };
        let rest = rest.signed_in(&session);
        for _ in 0..FEW {
            if rest.call_read_only(&call.function, &arguments).await.is_err() {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload(since: &str, statements: &[(&str, u64, f64)]) -> Workload {
        let ran = |(id, calls, mean): &(&str, u64, f64)| {
            ((*id).to_owned(), Ran { calls: *calls, total_ms: mean * *calls as f64, what: (*id).to_owned() })
        };
        Workload { since: Some(since.to_owned()), statements: statements.iter().map(ran).collect() }
    }

    #[test]
    fn without_a_time_before_only_the_limit_counts() {
        let now = workload("a", &[("quick", 90, 900.0), ("slow", 10, 1000.0), ("seldom", 9, 5000.0)]);
        assert_eq!(now.slow(None), ["slow: 1000 ms in 10 calls"]);
        assert_eq!(now.known(), 2);
    }

    #[test]
    fn what_is_slower_or_new_is_named_with_its_times() {
        let before =
            workload("a", &[("list", 50, 20.0), ("report", 50, 200.0), ("slow", 50, 1500.0), ("seldom", 2, 1.0)]);
        let statements = [
            ("list", 20, 99.0),
            ("report", 20, 401.0),
            ("slow", 20, 1600.0),
            ("search", 20, 500.0),
            ("export", 20, 499.0),
            ("seldom", 20, 600.0),
        ];
        assert_eq!(
            workload("b", &statements).slow(Some(&before)),
            [
                "slow: 1600 ms in 20 calls, 1500 ms before the release",
                "seldom: 600 ms in 20 calls, new since the release",
                "search: 500 ms in 20 calls, new since the release",
                "report: 401 ms in 20 calls, 200 ms before the release",
            ]
        );
    }

    /// A mean of all times would hide what is slow since an hour behind what was quick for a month.
    #[test]
    fn of_statements_that_were_counted_on_only_the_calls_since_then_count() {
        let before = workload("a", &[("list", 100_000, 20.0)]);
        let mut now = workload("a", &[("list", 100_000, 20.0)]);
        now.statements.insert(
            "list".to_owned(),
            Ran { calls: 100_020, total_ms: 2_000_000.0 + 20.0 * 150.0, what: "list".to_owned() },
        );
        assert_eq!(now.slow(Some(&before)), ["list: 150 ms in 20 calls, 20 ms before the release"]);
        assert_eq!(Workload { since: Some("b".to_owned()), ..now.clone() }.slow(Some(&before)), [""; 0]);
        let counted_anew = workload("a", &[("list", 10, 150.0)]);
        assert_eq!(counted_anew.slow(Some(&before)), ["list: 150 ms in 10 calls, 20 ms before the release"]);
    }

    #[test]
    fn what_is_kept_has_no_text_and_is_read_back() {
        let kept = workload("a", &[("3fa9", 10, 20.0)]);
        let text = kept.to_json();
        assert!(!text.contains("what"), "{text}");
        let read: Workload = serde_json::from_str(&text).unwrap();
        assert_eq!(read.statements["3fa9"].total_ms, 200.0);
    }

    #[test]
    fn a_statement_is_known_by_what_it_names() {
        let text =
            r#"WITH pgrst_source AS (SELECT "public"."members".* FROM "public"."members" JOIN public.groups ON $1)"#;
        assert_eq!(named(text), "public.members, public.groups");
        assert_eq!(named("select  set_config($1,\n $2)"), "select set_config($1, $2)");
    }
}
