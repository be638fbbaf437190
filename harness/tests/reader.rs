//! The reader of runs, given whatever a disk, a person or chance makes of a run's folder: nothing makes it green that the
//! manifest and the results do not hold, and nothing makes it panic.

#![expect(clippy::unwrap_used, reason = "a test panics where it cannot go on")]

use std::{collections::BTreeSet, fs, path::Path, sync::LazyLock};

use harness::{
    Outcome, Runbook, Target,
    run::{CheckResult, Chosen, Explanation, Plan, Planned, Run, Runner, SuiteEnd, SuiteEnded, judge},
};
use jiff::Timestamp;
use proptest::prelude::*;

/// A run of six checks of three steps, of which one failed, and the same with all of them passed.
struct Base {
    folder: tempfile::TempDir,
    files: Vec<String>,
}

static GREEN: LazyLock<Base> = LazyLock::new(|| Base::of(&[]));
static RED: LazyLock<Base> = LazyLock::new(|| Base::of(&[3]));

impl Base {
    fn of(red: &[usize]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let steps: Vec<_> = Runbook::get().steps().iter().filter(|step| step.is_tested()).take(3).collect();
        let checks: Vec<_> = (0..6)
            .map(|at| Planned {
                name: format!("suite::check_{at}"),
                step: steps[at / 2].id.clone(),
                needs: Vec::new(),
                left_out: None,
            })
            .collect();
        let plan = Plan {
            runner: Runner::ReleaseCheck,
            target: Some(Target::Embedded),
            chosen: Chosen::default(),
            checks: checks.clone(),
            evidence: None,
            harness: None,
        };
        let begun = plan.begin(folder.path()).unwrap();
        for (at, check) in checks.iter().enumerate() {
            let is_red = red.contains(&at);
            let result = CheckResult {
                run: begun.manifest().id.clone(),
                name: check.name.clone(),
                step: check.step.clone(),
                target: Some(Target::Embedded),
                outcome: if is_red { Outcome::Failed } else { Outcome::Passed },
                started: Timestamp::now(),
                finished: Timestamp::now(),
                attempt: 1,
                measured: None,
                figure: None,
                failure: is_red.then(|| Explanation {
                    claim: "it holds".to_owned(),
                    facts: Vec::new(),
                    severity: Some("P1".to_owned()),
                    remedy: None,
                    text: "FAILED".to_owned(),
                }),
                attachments: Vec::new(),
            };
            fs::write(begun.folder().join(format!("{at}-check.json")), serde_json::to_vec(&result).unwrap()).unwrap();
        }
        let how = if red.is_empty() { SuiteEnd::Green } else { SuiteEnd::Red };
        begun.close(vec![SuiteEnded { suite: "suite".to_owned(), how }]).unwrap();
        let files = fs::read_dir(begun.folder()).unwrap();
        let mut files: Vec<_> = files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned()).collect();
        files.sort();
        let path = begun.folder().to_owned();
        let base = tempfile::tempdir().unwrap();
        copy(&path, base.path());
        Self { folder: base, files }
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// What may happen to a folder.
#[derive(Debug, Clone)]
enum Harm {
    Remove(prop::sample::Index),
    Truncate(prop::sample::Index, prop::sample::Index),
    Flip(prop::sample::Index, prop::sample::Index, u8),
    Replace(prop::sample::Index, Vec<u8>),
    /// One file's content under another's name.
    Overwrite(prop::sample::Index, prop::sample::Index),
    /// One file's content under a new name.
    Duplicate(prop::sample::Index, u8),
    /// A word of JSON instead of another.
    Reword(prop::sample::Index, prop::sample::Index, prop::sample::Index),
}

/// Words that stand in the files, and some that do not.
const WORDS: [&str; 14] = [
    "passed",
    "failed",
    "not-run",
    "undecided",
    "green",
    "red",
    "by-itself",
    "embedded",
    "production",
    "suite::check_0",
    "suite::check_3",
    "null",
    "2018-01-01T00:00:00Z",
    "2099-01-01T00:00:00Z",
];

fn harm() -> impl Strategy<Value = Harm> {
    use prop::sample::Index;
    prop_oneof![
        any::<Index>().prop_map(Harm::Remove),
        any::<(Index, Index)>().prop_map(|(file, at)| Harm::Truncate(file, at)),
        any::<(Index, Index, u8)>().prop_map(|(file, at, byte)| Harm::Flip(file, at, byte)),
        (any::<Index>(), prop::collection::vec(any::<u8>(), 0..64))
            .prop_map(|(file, bytes)| Harm::Replace(file, bytes)),
        any::<(Index, Index)>().prop_map(|(from, to)| Harm::Overwrite(from, to)),
        any::<(Index, u8)>().prop_map(|(file, name)| Harm::Duplicate(file, name)),
        any::<(Index, Index, Index)>().prop_map(|(file, from, to)| Harm::Reword(file, from, to)),
    ]
}

fn apply(harm: &Harm, base: &Base, folder: &Path) {
    let path = |index: &prop::sample::Index| folder.join(index.get(&base.files));
    let change = |file: &prop::sample::Index, change: &dyn Fn(&mut Vec<u8>)| {
        if let Ok(mut bytes) = fs::read(path(file)) {
            change(&mut bytes);
            fs::write(path(file), bytes).unwrap();
        }
    };
    match harm {
        Harm::Remove(file) => drop(fs::remove_file(path(file))),
        Harm::Truncate(file, at) => change(file, &|bytes| bytes.truncate(at.index(bytes.len().max(1)))),
        Harm::Flip(file, at, byte) => change(file, &|bytes| {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
        }),
        Harm::Replace(file, with) => change(file, &|bytes| *bytes = with.clone()),
        Harm::Overwrite(from, to) => drop(fs::copy(path(from), path(to))),
        Harm::Duplicate(file, name) => drop(fs::copy(path(file), folder.join(format!("{name}-copy-check.json")))),
        Harm::Reword(file, from, to) => change(file, &|bytes| {
            let word = |index: &prop::sample::Index| WORDS[index.index(WORDS.len())];
            let text = String::from_utf8_lossy(bytes).replacen(word(from), word(to), 1);
            *bytes = text.into_bytes();
        }),
    }
}

/// Whether a run is green: whole, and every step passed.
fn is_green(folder: &Path) -> bool {
    let Ok(run) = Run::read(folder) else { return false };
    let runs = [run];
    let judgement = judge(&runs, &[], |_| true);
    let looked = judgement.steps.iter().filter(|step| !step.checks.is_empty());
    runs[0].is_whole()
        && judgement.problems.is_empty()
        && looked.count() > 0
        && judgement.steps.iter().filter(|step| !step.checks.is_empty()).all(|step| step.word() == Outcome::Passed)
}

/// What the results in a folder say, by a reader that knows nothing of runs.
fn passed_checks(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let results = entries.filter(|path| path.to_string_lossy().ends_with("-check.json"));
    let parsed = results.filter_map(|path| serde_json::from_slice::<CheckResult>(&fs::read(path).unwrap()).ok());
    parsed.filter(|result| result.outcome == Outcome::Passed).map(|result| result.name).collect()
}

#[test]
fn the_bases_are_what_they_are_meant_to_be() {
    assert!(is_green(GREEN.folder.path()) && !is_green(RED.folder.path()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_harm_makes_a_red_run_green(harms in prop::collection::vec(harm(), 1..4)) {
        let folder = tempfile::tempdir().unwrap();
        copy(RED.folder.path(), folder.path());
        harms.iter().for_each(|harm| apply(harm, &RED, folder.path()));
        prop_assert!(!is_green(folder.path()), "{harms:?}");
    }

    #[test]
    fn what_is_green_has_a_passed_result_for_each_check_of_its_manifest(harms in prop::collection::vec(harm(), 1..3)) {
        let folder = tempfile::tempdir().unwrap();
        copy(GREEN.folder.path(), folder.path());
        harms.iter().for_each(|harm| apply(harm, &GREEN, folder.path()));
        if is_green(folder.path()) {
            let run = Run::read(folder.path()).unwrap();
            let passed = passed_checks(folder.path());
            prop_assert!(run.planned().all(|check| check.left_out.is_some() || passed.contains(&check.name)), "{harms:?}");
        }
    }

    #[test]
    fn a_result_of_any_bytes_is_read_or_named(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let folder = tempfile::tempdir().unwrap();
        copy(GREEN.folder.path(), folder.path());
        fs::write(folder.path().join("0-check.json"), &bytes).unwrap();
        let run = Run::read(folder.path()).unwrap();
        prop_assert!(!run.is_whole() && !run.problems.is_empty());
    }
}
