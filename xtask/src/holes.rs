//! Schemas with one hole each, and whether the prober finds it: what `cargo xtask bench rls` prints and a test holds.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use futures_util::future::try_join;
use portal::Portal;
use rls_probe::{Effect, Finding, Report, Tenancy, Wish, probe, probe_as};
use serde::Deserialize;

use crate::{Error, setup::root};

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
    actors: BTreeSet<String>,
    /// What is to be said of it; where nothing is written down, whatever is.
    effect: String,
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
    /// How many of them have a fix that was tried, and not advice.
    pub fixed: usize,
    /// Scripts that show an effect, and how many of them were run to their end and showed it.
    pub scripts: usize,
    pub ran: usize,
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
        let head = |name: &str| {
            let line = sql.lines().find_map(|line| line.strip_prefix("-- ")?.strip_prefix(name));
            line.map(|line| line.trim().to_owned())
        };
        let object = head("object:").ok_or_else(|| format!("{} names no object", path.display()))?;
        let actors = head("actor:").unwrap_or_default();
        Ok(Self {
            name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            about: head("").unwrap_or_default(),
            object: object.rsplit(' ').next().unwrap_or_default().to_owned(),
            verb: head("verb:").unwrap_or_default(),
            actors: actors.split(',').map(|actor| actor.trim().to_owned()).filter(|actor| !actor.is_empty()).collect(),
            effect: head("effect:").unwrap_or_default(),
            lint: head("lint:"),
            missed: head("missed:"),
            sql,
        })
    }

    /// Whether a finding names it: the right object, and an effect with the right verb, by those who really can. Where a hole
    /// says what its effect is, that is it, and everybody is named.
    fn is_named_by(&self, finding: &Finding) -> bool {
        let name = &finding.object.name;
        let is_object = *name == self.object || name.ends_with(&format!(".{}", self.object));
        is_object && finding.effects.iter().any(|effect| self.has_effect(effect))
    }

    fn has_effect(&self, effect: &Effect) -> bool {
        let is_by_all = self.actors.iter().all(|actor| effect.actors.contains(actor));
        let is_by_one = self.actors.is_empty() || effect.actors.iter().any(|actor| self.has(actor));
        let is_by_them = if self.effect.is_empty() { is_by_one } else { is_by_all };
        effect.verb.name() == self.verb && effect.text.contains(&self.effect) && is_by_them
    }

    /// Whether an actor is among those who can.
    fn has(&self, actor: &str) -> bool {
        let is_dead = matches!(actor, "removed" | "invited" | "suspended tenant");
        self.actors.contains(actor) || (is_dead && self.actors.contains("deactivated"))
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
    pub async fn judge_all(&self, portal: &Portal) -> Result<Vec<Judged>, Error> {
        // Two at a time, each with a database of its own: locks are held as long as a probing takes.
        let second = self.start().await?;
        let lane = async |portal: &Portal, first: usize| {
            let mut judged = Vec::new();
            for hole in self.holes.iter().skip(first).step_by(2) {
                judged.push(self.judge(portal, hole).await.map_err(|error| format!("{}: {error}", hole.name))?);
            }
            Ok::<_, Error>(judged)
        };
        let (even, odd) = try_join(lane(portal, 0), lane(&second, 1)).await?;
        let (mut even, mut odd) = (even.into_iter(), odd.into_iter());
        let judged =
            (0..self.holes.len()).filter_map(|at| if at % 2 == 0 { even.next() } else { odd.next() }).collect();
        Ok(judged)
    }

    async fn judge(&self, portal: &Portal, hole: &Hole) -> Result<Judged, Error> {
        let wish = Wish { migration: Some(&hole.sql), shown: true, ..Wish::default() };
        let report = probe_as(portal.database_url(), &self.tenancy, wish).await?;
        let shown = report.findings.iter().flat_map(|finding| {
            finding.effects.iter().map(|effect| {
                let (verb, text) = (effect.verb.name(), &effect.text);
                format!("{verb} {}: {} {text}", finding.object, effect.actors.join(", "))
            })
        });
        let is_linted = hole.lint.as_ref().is_some_and(|lint| {
            report.lints.iter().any(|found| found.name == *lint && found.object.contains(&hole.object))
        });
        Ok(Judged {
            hole: hole.name.clone(),
            is_found: is_linted || report.findings.iter().any(|finding| hole.is_named_by(finding)),
            findings: report.findings.len(),
            fixed: report.findings.iter().filter(|finding| finding.fix.is_tried).count(),
            scripts: report.shown.len(),
            ran: report.shown.iter().filter(|shown| **shown).count(),
            took_ms: report.took_ms,
            shown: shown.collect(),
        })
    }
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
        for (judged, hole) in schema.judge_all(&portal).await.unwrap().iter().zip(&schema.holes) {
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
