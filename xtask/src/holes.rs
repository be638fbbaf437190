//! Schemas with one hole each, and whether the prober finds it: what `cargo xtask bench rls` prints and a test holds.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use futures_util::future::try_join;
use portal::Portal;
use rls_probe::{Cell, Effect, Finding, Object, Report, Tenancy, Verb, Wish, probe, probe_as};
use serde::Deserialize;

use crate::{Error, setup::root};

/// Those who have an account and a role in no tenant that works: a hole for that role, or for whoever has an account, is
/// theirs as well where it does not ask for their state, and its head need not say so.
const OUTSIDE: [&str; 6] = ["removed", "invited", "deactivated", "suspended", "suspended tenant", "unverified"];

/// A schema without a hole, with the holes that can be made in it.
pub struct Schema {
    pub name: &'static str,
    /// Migrations and seed; none for the portal's own.
    folder: Option<PathBuf>,
    pub tenancy: Tenancy,
    pub holes: Vec<Hole>,
}

/// A way across the wall, made by a migration.
#[derive(Debug, Clone)]
pub struct Hole {
    pub name: String,
    /// What is wrong, in a sentence.
    pub about: String,
    pub sql: String,
    /// Where it is to be found.
    object: String,
    verb: String,
    /// Everybody who can, and nobody else.
    actors: BTreeSet<String>,
    /// What is to be said of it: each of somebody, and of everybody one.
    effects: Vec<String>,
    /// Seen in the catalog only.
    lint: Option<String>,
    /// Why the prober misses it.
    pub missed: Option<String>,
}

/// What the prober made of a hole.
pub struct Judged {
    pub hole: String,
    pub is_found: bool,
    pub findings: usize,
    /// Findings that printed nothing but advice.
    pub advised: Vec<String>,
    /// What is wrong with the fixes that were printed, seen by a probing of its own: what they leave open, open or take away.
    pub unmended: Vec<String>,
    /// Scripts that show an effect.
    pub scripts: usize,
    /// Of these, what they were to show that did not run to their end, or showed nothing.
    pub unshown: Vec<String>,
    pub took_ms: u64,
    /// What was found, for people.
    pub shown: Vec<String>,
}

#[derive(Deserialize)]
struct Document {
    tenancy: Tenancy,
}

impl Schema {
    /// All of them.
    ///
    /// # Errors
    /// When a file is missing, or says nothing.
    pub fn all() -> Result<Vec<Self>, Error> {
        let fixtures = root().join("fixtures");
        let portal = Self {
            name: "portal",
            folder: None,
            tenancy: tenancy(&fixtures.join("sacco-plus.toml"))?,
            holes: holes(&fixtures.join("portal/holes"))?,
        };
        let others = ["orgs", "owner", "claims", "clinic", "market"].map(|name| {
            let folder = fixtures.join("rls").join(name);
            Ok(Self {
                name,
                tenancy: tenancy(&folder.join("tenancy.toml"))?,
                holes: holes(&folder.join("holes"))?,
                folder: Some(folder),
            })
        });
        [Ok(portal)].into_iter().chain(others).collect()
    }
}

impl Hole {
    fn read(path: &Path) -> Result<Self, Error> {
        let sql = read(path)?;
        let heads = |name: &str| {
            let lines = sql.lines().filter_map(|line| line.strip_prefix("-- ")?.strip_prefix(name));
            lines.map(|line| line.trim().to_owned()).collect::<Vec<_>>()
        };
        let head = |name: &str| heads(name).into_iter().next();
        let object = head("object:").ok_or_else(|| format!("{} names no object", path.display()))?;
        let actors = head("actor:").unwrap_or_default();
        let (lint, effects) = (head("lint:"), heads("effect:"));
        if lint.is_none() && (effects.is_empty() || actors.is_empty()) {
            return Err(format!("{} says neither who can do what, nor which lint reports it", path.display()).into());
        }
        Ok(Self {
            name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            about: head("").unwrap_or_default(),
            object: object.rsplit(' ').next().unwrap_or_default().to_owned(),
            verb: head("verb:").unwrap_or_default(),
            actors: actors.split(',').map(|actor| actor.trim().to_owned()).filter(|actor| !actor.is_empty()).collect(),
            effects,
            lint,
            missed: head("missed:"),
            sql,
        })
    }

    /// Whether findings name it: the right object and verb, each of its effects, by everybody who really can and by no
    /// other member, newcomer or visitor.
    fn is_named_by(&self, findings: &[Finding]) -> bool {
        let effects: Vec<_> =
            findings.iter().filter(|finding| self.is_of(finding)).flat_map(|finding| &finding.effects).collect();
        let of = |text: &String| {
            let is_it = |effect: &&&Effect| effect.verb.name() == self.verb && effect.text.contains(text);
            effects.iter().filter(is_it).flat_map(|effect| effect.actors.iter().cloned()).collect::<BTreeSet<_>>()
        };
        let actors: Vec<_> = self.effects.iter().map(of).collect();
        let is_each_said = !actors.is_empty() && actors.iter().all(|actors| !actors.is_empty());
        let actors: BTreeSet<_> = actors.into_iter().flatten().collect();
        let is_expected = |actor: &String| OUTSIDE.contains(&actor.as_str()) || self.actors.contains(actor);
        is_each_said && actors.is_superset(&self.actors) && actors.iter().all(is_expected)
    }

    fn is_of(&self, finding: &Finding) -> bool {
        self.is_at(&finding.object.name)
    }

    fn is_at(&self, name: &str) -> bool {
        name == self.object || name.ends_with(&format!(".{}", self.object))
    }

    /// Whether a name with its schema is that of the object where it is, or of the table of that column.
    pub fn is_about(&self, name: &str) -> bool {
        let is_column = self.object.matches('.').count() == 2;
        self.is_at(name) || is_column && self.object.starts_with(&format!("{name}.")) && name.contains('.')
    }

    fn is_linted_by(&self, report: &Report) -> bool {
        let of_hole =
            |lint: &String| report.lints.iter().any(|found| found.name == *lint && found.object.contains(&self.object));
        self.effects.is_empty() && self.lint.as_ref().is_some_and(of_hole)
    }
}

impl Schema {
    /// A portal whose database is this one.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start(&self) -> Result<Portal, Error> {
        let builder = Portal::builder();
        let builder = match &self.folder {
            Some(folder) => builder.migrations(folder.join("migrations")).seed(folder.join("seed.sql")),
            None => builder,
        };
        Ok(builder.start().await?)
    }

    /// Probes it as it is.
    ///
    /// # Errors
    /// When it cannot be probed.
    pub async fn tight(&self, portal: &Portal) -> Result<Report, Error> {
        Ok(probe(portal.database_url(), &self.tenancy, None).await?)
    }

    /// Probes it with each of its holes.
    ///
    /// # Errors
    /// When a hole cannot be made, or the schema not be probed.
    pub async fn judge_all(&self, portal: &Portal, tight: &Report) -> Result<Vec<Judged>, Error> {
        // Two at a time, each with a database of its own: locks are held as long as a probing takes.
        let second = self.start().await?;
        let lane = async |portal: &Portal, first: usize| {
            let mut judged = Vec::new();
            for hole in self.holes.iter().skip(first).step_by(2) {
                judged.push(self.judge(portal, tight, hole).await.map_err(|error| format!("{}: {error}", hole.name))?);
            }
            Ok::<_, Error>(judged)
        };
        let (even, odd) = try_join(lane(portal, 0), lane(&second, 1)).await?;
        let (mut even, mut odd) = (even.into_iter(), odd.into_iter());
        let judged =
            (0..self.holes.len()).filter_map(|at| if at % 2 == 0 { even.next() } else { odd.next() }).collect();
        Ok(judged)
    }

    async fn judge(&self, portal: &Portal, tight: &Report, hole: &Hole) -> Result<Judged, Error> {
        let wish = Wish { migration: Some(&hole.sql), shown: true, ..Wish::default() };
        let report = probe_as(portal.database_url(), &self.tenancy, wish).await?;
        let advised = report.findings.iter().filter(|finding| !finding.fix.is_tried);
        let effects =
            report.findings.iter().flat_map(|finding| finding.effects.iter().map(move |effect| (finding, effect)));
        let unshown = effects.zip(&report.shown).filter(|(_, is_shown)| !**is_shown);
        Ok(Judged {
            hole: hole.name.clone(),
            is_found: hole.is_linted_by(&report) || hole.is_named_by(&report.findings),
            findings: report.findings.len(),
            advised: advised.map(|finding| format!("{} ({})", finding.object, finding.cause)).collect(),
            unmended: self.unmended(portal, tight, (hole, &report)).await?,
            scripts: report.shown.len(),
            unshown: unshown.map(|((finding, effect), _)| said(finding, effect)).collect(),
            took_ms: report.took_ms,
            shown: all_said(&report.findings),
        })
    }

    /// What the printed fixes leave open, open, or take from those who had it before there was a hole: the database is probed
    /// again that the hole and they make, from its beginning.
    async fn unmended(
        &self,
        portal: &Portal,
        tight: &Report,
        (hole, report): (&Hole, &Report),
    ) -> Result<Vec<String>, Error> {
        let tried: Vec<_> = report.findings.iter().filter(|finding| finding.fix.is_tried).collect();
        if tried.is_empty() {
            return Ok(Vec::new());
        }
        let fixes: Vec<_> = tried.iter().map(|finding| finding.fix.sql.as_str()).collect();
        let migration = format!("{}\n;\n{}", hole.sql, fixes.join("\n"));
        let wish = Wish { migration: Some(&migration), ..Wish::default() };
        let mended = match probe_as(portal.database_url(), &self.tenancy, wish).await {
            Ok(mended) => mended,
            Err(error) => return Ok(vec![format!("cannot be probed: {error}")]),
        };
        let known = all_said(&report.findings);
        let of_tried: Vec<_> =
            tried.into_iter().flat_map(|finding| finding.effects.iter().map(|effect| said(finding, effect))).collect();
        let open =
            all_said(&mended.findings).into_iter().filter(|said| of_tried.contains(said) || !known.contains(said));
        let may = (own(tight), own(report), own(&mended));
        let taken = may.0.iter().filter(|cell| may.1.contains(cell) && !may.2.contains(cell));
        let taken = taken.map(|(object, actor, verb)| format!("taken: {} {object}: {actor}", verb.name()));
        let mut wrong: Vec<_> = open.map(|said| format!("open: {said}")).chain(taken).collect();
        if !wrong.is_empty() {
            wrong.push(format!("by: {}", fixes.join(" ")));
        }
        Ok(wrong)
    }
}

fn all_said(findings: &[Finding]) -> Vec<String> {
    let effects = findings.iter().flat_map(|finding| finding.effects.iter().map(move |effect| said(finding, effect)));
    effects.collect()
}

fn said(finding: &Finding, effect: &Effect) -> String {
    format!("{} {}: {} {}", effect.verb.name(), finding.object, effect.actors.join(", "), effect.text)
}

/// Who may do what by intent, or does it as well.
fn own(report: &Report) -> BTreeSet<(&Object, &str, Verb)> {
    let cells = report
        .cells
        .iter()
        .flat_map(|(object, actors)| actors.iter().map(move |(actor, verbs)| (object, actor, verbs)));
    let cells = cells
        .flat_map(|(object, actor, verbs)| verbs.iter().map(move |(verb, cell)| (object, actor.as_str(), *verb, cell)));
    let may = cells.filter(|(.., cell)| matches!(cell, Cell::Own | Cell::Crossed));
    may.map(|(object, actor, verb, _)| (object, actor, verb)).collect()
}

fn tenancy(path: &Path) -> Result<Tenancy, Error> {
    let document: Document = toml::from_str(&read(path)?).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(document.tenancy)
}

fn holes(folder: &Path) -> Result<Vec<Hole>, Error> {
    files(folder)?.iter().map(|path| Hole::read(path)).collect()
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    Ok(files)
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()).into())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// One of so many holes is looked for, each of which costs a probing; `cargo xtask bench rls` looks for all.
    const EVERY: usize = 12;

    #[rstest]
    #[case::portal(0)]
    #[case::orgs(1)]
    #[case::owner(2)]
    #[case::claims(3)]
    #[case::clinic(4)]
    #[case::market(5)]
    #[tokio::test]
    async fn nothing_is_found_in_a_tight_schema_and_its_holes_are(#[case] number: usize) {
        let mut schema = Schema::all().unwrap().remove(number);
        let portal = schema.start().await.unwrap();
        let tight = schema.tight(&portal).await.unwrap();
        assert!(tight.is_good(), "{}: {tight}", schema.name);
        schema.holes = schema.holes.into_iter().step_by(EVERY).collect();
        for (judged, hole) in schema.judge_all(&portal, &tight).await.unwrap().iter().zip(&schema.holes) {
            assert_eq!(judged.is_found, hole.missed.is_none(), "{}: {:?}", judged.hole, judged.shown);
        }
    }

    #[tokio::test]
    async fn what_is_inferred_is_what_the_contracts_say() {
        for schema in Schema::all().unwrap() {
            let portal = schema.start().await.unwrap();
            let silent = Tenancy { schemas: schema.tenancy.schemas.clone(), ..Tenancy::default() };
            let inferred = probe(portal.database_url(), &silent, None).await.unwrap().tenancy;
            let of = |tenancy: &Tenancy| {
                let tenant = tenancy.tenant.as_ref().map(|tenant| (tenant.table.clone(), tenant.column.clone()));
                let members = tenancy.members.as_ref().map(|members| (members.table.clone(), members.user.clone()));
                (tenant, members, tenancy.owner.is_some())
            };
            assert_eq!(of(&inferred), of(&schema.tenancy), "{}", schema.name);
        }
    }
}
