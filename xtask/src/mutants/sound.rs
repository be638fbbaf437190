//! What the sound portal's checks look at: a check that never asked for a script cannot notice what became of it, and a suite
//! that never ran a server's code neither.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use harness::{
    Outcome,
    run::{AttachedFile, CheckResult},
};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{own::Own, tree};
use crate::{Error, say, suites::Suite};

/// Makes suites keep what their pages asked for.
const KEEP: (&str, &str) = ("HARNESS_KEEP_ASKED", "1");

/// The evidence that has it.
const ASKED: &str = "asked.txt";

/// The checks of all suites that look at a class, as the sound portal has them green.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Sound {
    pub checks: Vec<Seen>,
    /// Numbers of the servers' mutants whose code a suite or a program of their own tests runs.
    #[serde(default)]
    run: BTreeMap<String, BTreeSet<usize>>,
}

/// A check.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Seen {
    pub suite: String,
    /// As the test runner calls it.
    pub test: String,
    pub step: String,
    pub milliseconds: u64,
    /// Sources and addresses of the API that its pages asked for; none where it has no page.
    pub asked: Option<BTreeSet<String>>,
}

impl Sound {
    /// Runs the suites, unless they have been run with the same sources and binaries. A check that is not run by this way
    /// notices nothing, and is left out.
    ///
    /// # Errors
    /// When a suite cannot be run, or a check that is run is not green.
    pub fn of(suites: &[Suite], own: &[Own], folder: &Path, environment: &[(&str, &str)]) -> Result<Self, Error> {
        let kept = folder.join("sound.json");
        if let Some(sound) = fs::read(&kept).ok().and_then(|json| serde_json::from_slice(&json).ok()) {
            return Ok(sound);
        }
        let (mut checks, mut run) = (Vec::new(), BTreeMap::new());
        for tests in own {
            let numbers = folder.join(format!("{}-runs", tests.name));
            if let Some(test) = tests.first_failed(&[(tree::RUN, numbers.display().to_string())])? {
                return Err(format!("the sound portal's own tests are not green by this way: {test}").into());
            }
            run.insert(tests.name.clone(), numbers_in(&numbers));
        }
        for suite in suites {
            let numbers = folder.join(format!("{}-runs", suite.name));
            let file = numbers.display().to_string();
            let environment: Vec<_> = environment.iter().copied().chain([KEEP, (tree::RUN, &file)]).collect();
            let ran = suite.run(None, &folder.join("sound").join(&suite.name), &environment)?;
            run.insert(suite.name.clone(), numbers_in(&numbers));
            for result in ran.results {
                match result.outcome {
                    Outcome::Passed => checks.push(Seen::of(suite, &result)?),
                    Outcome::NotRun => say(&format!("not run by this way, and left out: {}", result.name)),
                    Outcome::Failed | Outcome::Undecided => {
                        let why = result.text().unwrap_or_default();
                        return Err(format!("the sound portal is not green by this way: {}\n{why}", result.name).into());
                    }
                }
            }
        }
        let sound = Self { checks, run };
        fs::write(kept, serde_json::to_vec(&sound)?)?;
        Ok(sound)
    }

    /// What these checks saw, and no suite that ran any server's mutant.
    #[cfg(test)]
    pub fn of_checks(checks: Vec<Seen>) -> Self {
        Self { checks, run: BTreeMap::new() }
    }

    /// Whether a suite, or a program of the servers' own tests, runs the code of their mutant of this number.
    pub fn runs(&self, tests: &str, number: usize) -> bool {
        self.run.get(tests).is_some_and(|numbers| numbers.contains(&number))
    }
}

fn numbers_in(file: &Path) -> BTreeSet<usize> {
    let lines = fs::read_to_string(file).unwrap_or_default();
    lines.lines().filter_map(|line| line.parse().ok()).collect()
}

impl Seen {
    fn of(suite: &Suite, result: &CheckResult) -> Result<Self, Error> {
        let prefix = format!("{}::", suite.krate());
        let asked = result.attachments.iter().find(|file| file.name == ASKED).map(addresses).transpose()?;
        Ok(Self {
            suite: suite.name.clone(),
            test: result.name.strip_prefix(&prefix).unwrap_or(&result.name).to_owned(),
            step: result.step.clone(),
            milliseconds: result.milliseconds(),
            asked,
        })
    }

    /// Whether its pages asked for a source, or for what has this name in the API.
    pub fn asked_for(&self, name: &str) -> bool {
        let is = |asked: &String| asked.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
        self.asked.iter().flatten().any(is)
    }
}

fn addresses(file: &AttachedFile) -> Result<BTreeSet<String>, Error> {
    let text = fs::read_to_string(&file.path)?;
    Ok(text.lines().filter_map(|line| Some(source_of(Url::parse(line).ok()?.path()))).collect())
}

/// The source that is published under this path: `assets/main.js` of `/assets/main-0a1b2c3d.js`.
fn source_of(path: &str) -> String {
    let path = path.trim_start_matches('/');
    let hashed = path.rsplit_once('-').and_then(|(name, rest)| Some((name, rest.split_once('.')?)));
    match hashed {
        Some((name, (hash, ending))) if hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            format!("{name}.{ending}")
        }
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_name_is_its_sources() {
        for (path, source) in [
            ("/assets/views/momo-sms-0a1b2c3d.js", "assets/views/momo-sms.js"),
            ("/assets/views/momo-sms.js", "assets/views/momo-sms.js"),
            ("/sw.js", "sw.js"),
            ("/rest/v1/rpc/get_report_summary", "rest/v1/rpc/get_report_summary"),
        ] {
            assert_eq!(source_of(path), source);
        }
    }
}
