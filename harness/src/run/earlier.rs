//! What a check left in an earlier run of the same deployment, to compare with.

use std::{fs, path::Path};

use jiff::Timestamp;
use serde::Deserialize;

use super::{folder::MANIFEST, read::Run};
use crate::target::Target;

/// A text of evidence that a check left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// The run.
    pub run: String,
    /// When the check ended.
    pub at: Timestamp,
    /// The text.
    pub text: String,
}

/// What tells whose run it is; a manifest has much more.
#[derive(Deserialize)]
struct Head {
    began: Timestamp,
    target: Option<Target>,
    project: Option<String>,
}

/// The attachment that a check of `step` left under this name in the last run below `runs` of this target and project that
/// made the check before a moment; none where no run did, or it was altered since.
pub(crate) fn earlier(
    runs: &Path,
    (target, project): (Target, &str),
    before: Timestamp,
    (step, name): (&str, &str),
) -> Option<Earlier> {
    let folders = fs::read_dir(runs).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    let mut found: Vec<_> = folders
        .filter(|folder| !folder.is_symlink())
        .filter_map(|folder| {
            let head: Head = serde_json::from_slice(&fs::read(folder.join(MANIFEST)).ok()?).ok()?;
            let is_ours = head.target == Some(target) && head.project.as_deref() == Some(project);
            (is_ours && head.began < before).then_some((head.began, folder))
        })
        .collect();
    found.sort();
    found.iter().rev().find_map(|(_, folder)| {
        let run = Run::read(folder).ok()?;
        let result = run.results().find(|result| {
            result.step == step && result.finished < before && result.attachments.iter().any(|kept| kept.name == name)
        })?;
        let path = &result.attachments.iter().find(|kept| kept.name == name)?.path;
        let file = path.file_name()?.to_string_lossy().into_owned();
        if run.problems.iter().any(|problem| problem.starts_with(&file)) {
            return None;
        }
        let text = fs::read_to_string(path).ok()?;
        Some(Earlier { run: run.manifest.id.clone(), at: result.finished, text })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::run::{Begun, Chosen, Plan, Planned, Runner, SuiteEnd, SuiteEnded};

    const STEP: &str = "post.2.2";

    /// A run with one check, which kept a text.
    fn run(runs: &Path, text: &str) -> Begun {
        let plan = Plan {
            runner: Runner::CargoTest,
            chosen: Chosen::default(),
            checks: vec![Planned {
                name: "release::after::bears".to_owned(),
                step: STEP.to_owned(),
                needs: Vec::new(),
                left_out: None,
            }],
            target: Some(Target::Local),
            harness: Some(super::super::Harness::default()),
            evidence: None,
        };
        let begun = plan.begin(runs).unwrap();
        let (now, folder) = (Timestamp::now(), begun.folder());
        let result = json!({
            "run": begun.manifest().id, "name": "release::after::bears", "step": STEP, "target": "local",
            "outcome": "passed", "started": now, "finished": now, "attempt": 1,
            "attachments": [{ "name": "statements.json", "content_type": "application/json", "file": "a-statements.json" }],
        });
        fs::write(folder.join("a-statements.json"), text).unwrap();
        fs::write(folder.join("a-check.json"), result.to_string()).unwrap();
        begun.close(vec![SuiteEnded { suite: "release".to_owned(), how: SuiteEnd::Green }]).unwrap();
        begun
    }

    fn found(runs: &Path, begun: &Begun, before: Timestamp) -> Option<String> {
        let project = begun.manifest().project.clone().unwrap();
        earlier(runs, (Target::Local, &project), before, (STEP, "statements.json")).map(|earlier| earlier.text)
    }

    #[test]
    fn the_last_run_before_a_moment_is_found() {
        let runs = tempfile::tempdir().unwrap();
        let first = run(runs.path(), "first");
        let release = Timestamp::now();
        let second = run(runs.path(), "second");
        assert_eq!(found(runs.path(), &first, release).as_deref(), Some("first"));
        assert_eq!(found(runs.path(), &second, Timestamp::now()).as_deref(), Some("second"));
        assert_eq!(found(runs.path(), &first, first.manifest().began), None);
        let now = Timestamp::now();
        assert_eq!(earlier(runs.path(), (Target::Staging, "x"), now, (STEP, "statements.json")), None);
        assert_eq!(found(&runs.path().join("none"), &first, now), None);
    }

    #[test]
    fn what_was_altered_is_compared_with_nothing() {
        let runs = tempfile::tempdir().unwrap();
        let begun = run(runs.path(), "as it was");
        fs::write(begun.folder().join("a-statements.json"), "made to fit").unwrap();
        assert_eq!(found(runs.path(), &begun, Timestamp::now()), None);
    }
}
