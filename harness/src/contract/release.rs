//! The part of a contract that a release is about: its repository, migrations, functions, secrets, build.

use serde::Deserialize;

use super::Pattern;

/// The figures of the runbook's monitoring table that loading the portal shows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Monitoring {
    /// How often a view is loaded for one figure.
    pub loads: usize,
    /// Answers of 500 and more, and none at all, as a share of all answers: below this, in percent.
    pub errors_below_percent: f64,
    /// A share of fewer answers says nothing.
    pub errors_of_at_least: usize,
}

/// Where the errors that visitors met are collected.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sentry {
    /// The organization's slug.
    pub organization: String,
    /// The project's number (Sentry, Settings, Projects: the last part of the DSN).
    pub project: u64,
}

/// What has to be true around a release.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The branch that releases are made of.
    pub branch: String,
    /// What the names of release branches have in them; an unmerged one holds a feature that is not in the release.
    pub release_branches: String,
    /// The file that has the version.
    pub version_file: String,
    /// The version in it, as the first group.
    pub version: Pattern,
    /// An open issue with one of these labels keeps a release back.
    pub blocking_labels: Vec<String>,
    /// Name of the Cloudflare Pages project.
    pub pages_project: String,
    /// The flag of mock data, which no production build may have.
    pub mock_flag: String,
    /// The folder of migrations in the repository.
    pub migrations_folder: String,
    /// The folder of what undoes them, under their names.
    pub rollbacks_folder: String,
    /// Rows for rehearsing on.
    pub seed_file: String,
    /// All migrations, in order.
    pub migrations: Vec<Migration>,
    /// The edge functions.
    pub functions: Vec<Function>,
    /// What the functions need, by the pre-release table.
    pub variables: Vec<Variable>,
    /// What is set with `supabase secrets set`, by the deployment steps.
    pub secrets: Vec<Secret>,
    /// Values that the runbook shows as examples, and that no secret may have.
    pub placeholders: Vec<String>,
    /// The folder of the edge functions' sources in the repository.
    #[serde(default = "functions_folder")]
    pub functions_folder: String,
    /// What the database can be restored from.
    #[serde(default)]
    pub recovery: Recovery,
    /// Whether the legacy keys may be taken beside the newer ones that the build has.
    #[serde(default)]
    pub legacy_keys: bool,
    /// A backup has to be this new, in hours.
    pub backup_within_hours: i64,
    /// How long a function may take to answer, in milliseconds: at first, and after that.
    pub cold_within_ms: u64,
    /// See `cold_within_ms`.
    pub warm_within_ms: u64,
    /// The build.
    pub build: Build,
    /// The template of a forward fix, run and taken back.
    pub forward_fix: String,
}

/// What a database can be restored from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recovery {
    /// Any point in time: what the runbook asks for.
    #[default]
    PointInTime,
    /// One backup a day.
    Daily,
}

fn functions_folder() -> String {
    "supabase/functions".to_owned()
}

/// A migration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Migration {
    /// The digits of its file's name.
    pub version: String,
    /// The rest of its file's name.
    pub name: String,
    /// Whether it may be missing ("if exists").
    #[serde(default)]
    pub optional: bool,
    /// Tables and functions that are there once it was run.
    #[serde(default)]
    pub makes: Vec<String>,
}

/// An edge function.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    /// The name.
    pub name: String,
    /// The runbook's step.
    pub step: String,
    /// Whether the gateway asks for a token before its code runs.
    pub verify_jwt: bool,
}

/// A variable of the functions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// The name.
    pub name: String,
    /// The runbook's step.
    pub step: String,
    /// Whether it may be missing.
    #[serde(default)]
    pub optional: bool,
}

/// A secret that is set by hand.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// The name.
    pub name: String,
    /// The runbook's step.
    pub step: String,
}

/// What a build owes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// The size of all files, at most, in kilobytes.
    pub total_kb: u64,
    /// The size of one script, at most, in kilobytes.
    pub script_kb: u64,
}

/// The build, made again from a clean clone of the release commit.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rebuild {
    /// The folder of the front end in the repository, where it is not the root.
    pub folder: Option<String>,
    /// How it is built there; left out where its lockfile says it: `npm ci && npm run build` and the like.
    pub command: Option<String>,
    /// The folder that the build leaves there.
    pub output: String,
    /// Paths of files that are others each time, as patterns: such as one with the time of the build.
    #[serde(default)]
    pub may_differ: Vec<Pattern>,
}

impl Release {
    /// The function with this name.
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == name)
    }

    /// The variable with this name.
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|variable| variable.name == name)
    }
}

impl std::fmt::Display for Migration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}_{}", self.version, self.name)
    }
}
