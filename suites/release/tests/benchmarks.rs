//! Pre-Release, 2. Staging Verification: "Performance benchmarks meet targets", of the database at the contract's volume, and
//! of the last soak.

use harness::{AtVolume, Check, Failure, Filled, Section, Soaked, Verdict, Volume, check_if_promised};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::OnceCell;

use crate::code_freeze::short;

/// Of staging, which has the version that is released and may be filled with payments.
#[test]
fn the_last_soak_lost_and_doubled_nothing() -> Verdict {
    check_if_promised(&[Section::Soak, Section::Sms], "pre.2.4", async |check| {
        let (deployment, promised) = (check.deployment(), check.contract().soak()?);
        let claim = "the last soak shows that this version loses no message and doubles none";
        let again = format!("release-check soak --target staging --messages {}", promised.messages);
        let Some((soak, folder)) = Soaked::before(deployment).await? else {
            return Err(Failure::not_run("no soak is known")
                .expected(format!("one of staging in the last {} days, in target/runs/soak-…", promised.within_days))
                .seen("none")
                .advice(format!("{again}, or copy its folder from where it was made")));
        };
        let released = deployment.released().await.ok().map(|released| released.commit);
        let age = Timestamp::now().duration_since(soak.finished);
        let mut wrong = Vec::new();
        let mut add = |is_wrong: bool, what: String| wrong.extend(is_wrong.then_some(what));
        add(soak.lost > 0, format!("{} of {} messages lost", soak.lost, soak.messages));
        add(soak.doubled > 0, format!("{} of {} messages doubled", soak.doubled, soak.messages));
        add(
            soak.otherwise_wrong > 0,
            format!("{} of {} messages otherwise wrong", soak.otherwise_wrong, soak.messages),
        );
        add(soak.ended_early, format!("ended early, after {} messages", soak.messages));
        add(soak.messages < promised.messages, format!("{} messages", soak.messages));
        let is_old = age > SignedDuration::from_hours(24 * promised.within_days);
        add(is_old, format!("{} days old", age.as_hours() / 24));
        let known = soak.commit.as_deref().zip(released.as_deref());
        let is_other = known.is_some_and(|(soaked, released)| !is_same(soaked, released));
        add(is_other, format!("of {}, another version", known.map_or("", |(soaked, _)| short(soaked))));
        let of = released.as_deref().map_or_else(|| "this version".to_owned(), |commit| short(commit).to_owned());
        let expected = format!(
            "{} messages or more in the last {} days, of {of}: none lost, none doubled",
            promised.messages, promised.within_days
        );
        if !wrong.is_empty() {
            let advice = match soak.lost + soak.doubled + soak.otherwise_wrong {
                0 => again,
                _ => format!("read the soak's report, mend what takes messages, and soak again: {again}"),
            };
            return Err(Failure::failed(claim)
                .expected(expected)
                .seen(wrong.join("\n"))
                .at(folder.display().to_string())
                .advice(advice));
        }
        if known.is_none() {
            return Err(Failure::undecided(claim)
                .expected(expected)
                .seen(if released.is_some() {
                    "a soak of an unknown version"
                } else {
                    "a release of an unknown version"
                })
                .at(folder.display().to_string())
                .advice(format!("set RELEASE_COMMIT or RELEASE_SOURCE for both: {again}")));
        }
        check.measured(format!(
            "{} messages, {:.1} a second, none lost, none doubled, {} h ago",
            soak.messages,
            soak.per_second,
            age.as_hours()
        ));
        Ok(())
    })
}

/// Of two hashes, of which one may be cut off.
fn is_same(one: &str, other: &str) -> bool {
    !one.is_empty() && !other.is_empty() && (one.starts_with(other) || other.starts_with(one))
}

static AT_VOLUME: OnceCell<Verdict<AtVolume>> = OnceCell::const_new();

/// Made once: a hundred thousand rows take seconds.
pub async fn at_volume(check: &Check) -> Verdict<&'static AtVolume> {
    AT_VOLUME.get_or_init(async || AtVolume::of(check.deployment()).await).await.as_ref().map_err(Failure::clone)
}

/// Where it was looked.
pub fn of_scratch(volume: &Volume) -> String {
    let large = volume.rows.iter().filter(|it| it.rows >= volume.large_from);
    let named = |it: &Filled| it.kind.clone().or(it.table.clone()).unwrap_or_default();
    let rows: Vec<_> = large.map(|it| format!("{} × {}", it.rows, named(it))).collect();
    format!("a scratch database with the deployment's schema and {}", rows.join(", "))
}

/// What is tried here locks the deployment's tables against migrations, for as long as their schema is read.
mod writes {
    use std::collections::BTreeSet;

    use harness::{Answered, Cause, Failure, Section, Verdict, check_if_promised};

    use super::{at_volume, of_scratch};

    /// Requests that a report shows; the evidence has all.
    const SHOWN: usize = 5;

    /// By plan and by time: what is fast on a seed of a few rows may read a whole ledger of a year.
    #[test]
    fn what_the_views_ask_for_is_answered_in_time() -> Verdict {
        check_if_promised(&[Section::Volume, Section::Make, Section::Views, Section::Data], "pre.2.4", async |check| {
            let volume = check.contract().volume()?;
            let answered = at_volume(check).await?.answers(check.contract()).await?;
            let slowest = answered.iter().map(|it| it.milliseconds).fold(0.0, f64::max);
            check.keep("requests.md", "text/markdown", table(&answered));
            check.measured(format!("{} requests, the slowest in {slowest:.0} ms", answered.len()));
            check.figure(slowest, volume.answers_within_ms as f64, "ms");
            let wrong: Vec<_> = answered.iter().filter(|it| !it.wrong.is_empty()).collect();
            if wrong.is_empty() {
                return Ok(());
            }
            let plans: Vec<_> = wrong.iter().map(|it| (&it.request, &it.plan)).collect();
            check.keep("plans.json", "application/json", serde_json::to_string_pretty(&plans).unwrap_or_default());
            let mut shown: Vec<_> =
                wrong.iter().take(SHOWN).map(|it| format!("{}: {}", it.what, it.wrong.join(", "))).collect();
            if wrong.len() > SHOWN {
                shown.push(format!("and {} more", wrong.len() - SHOWN));
            }
            let mend: BTreeSet<_> = wrong.iter().filter_map(|it| it.mend.as_deref()).collect();
            let mend: Vec<_> = mend.into_iter().take(SHOWN).collect();
            Err(Failure::failed("what the views ask for is answered in time at the contract's volume")
                .caused_by(Cause::Slow)
                .expected(format!(
                    "each within {} ms, and no table of {} rows or more read from one end to the other",
                    volume.answers_within_ms, volume.large_from
                ))
                .seen(shown.join("\n"))
                .at(of_scratch(volume))
                .advice(format!("in a migration: {}; the plans are in the evidence, plans.json", mend.join("; "))))
        })
    }

    fn table(answered: &[Answered]) -> String {
        let line = |it: &Answered| format!("| {} | {:.1} | `{}` |\n", it.what, it.milliseconds, it.request);
        format!("| what | ms | request |\n|---|---|---|\n{}", answered.iter().map(line).collect::<String>())
    }
}
