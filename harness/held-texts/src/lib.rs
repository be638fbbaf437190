//! Texts that people read, held against snapshots: what varies from run to run is masked in one place.

use std::{
    fs,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
};

use insta::{Settings, assert_snapshot};
use regex::Regex;

/// What differs from run to run, and what stands for it.
const VARYING: [(&str, &str); 35] = [
    (r"\bsacco-plus-[0-9a-f]{12}\b", "sacco-plus-<build>"),
    (r"the app of [0-9a-f]{8}\b", "the app of <id>"),
    (r"evidence  .*", "evidence  <folder>/screenshot.png"),
    (r"127\.0\.0\.1:\d{4,5}", "127.0.0.1:<port>"),
    (r"\b[ab]0000000-0000-4000-8000-00000000([0-9a-f]{4})\b", "<seed $1>"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<id>"),
    (r"\b[0-9a-f]{8} of [0-9a-f]{12}\b", "<id> of <commit>"),
    (r"\b(success of |seen      )[0-9a-f]{12}\b", "$1<commit>"),
    (r"\bof [0-9a-f]{12}\b", "of <commit>"),
    (r"(?i)\bRC-?[0-9A-F]{12}\b", "<reference>"),
    (r"\bRC-[0-9a-f]{8}\b", "RC-<run>"),
    (r"\b([A-Z]{2}\d\d-?)[0-9A-F]{8}\b", "$1<run>"),
    (r"\b([a-z]{2}\d\d)[0-9a-f]{8}\b", "$1<run>"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(\+00:00|Z)", "<time>"),
    (r"\b(own|oth|cls)[0-9a-f]{6}x[0-9a-f]{7}\b", "<$1>"),
    (r"/\S+/repository-\w+", "<repository>"),
    (r"seen      median \d+ ms, p95 \d+ ms of", "seen      median <time>, p95 <time> of"),
    (r"\d+\.\d % of \d+ (answers|in the last)", "<n> % of <n> $1"),
    (r"\d+ in \d+ answers", "<n> in <n> answers"),
    (r"(?m)\b\d+ ms warm$", "<time> warm"),
    (r"\b[0-9a-f]{32}@example", "<id>@example"),
    (r"after \d+ probes|what \d+ probes", "<n> probes"),
    (r"in round \d+ of", "in round <n> of"),
    (r"-[0-9a-f]{8}\.(js|css)", "-<hash>.$1"),
    (r":\d+:\d+ ", ":<line> "),
    (r"seen      \d+\.\d s", "seen      <time>"),
    (r"seen      \d+ ms", "seen      <time>"),
    (r"seen      \d+ new", "seen      <n> new"),
    (r"after \d+\.\d s", "after <time>"),
    (r"\d+ of \d+ within (\d+) h \([\d.]+ %\)", "<n> of <n> within $1 h (<n> %)"),
    (r"\d+ bytes", "<n> bytes"),
    (r"at line \d+", "at line <n>"),
    (r"here is \d+ s", "here is <n> s"),
    (r#""txn_fingerprint":"[0-9a-f]+""#, r#""txn_fingerprint":"<hash>""#),
    (r"did not answer for \d+ s", "did not answer for <n> s"),
];

/// Rows of the seed among others, dates of lists, and numbers with what separates their digits.
const FIGURES: [(&str, &str); 3] =
    [(r"<seed [0-9a-f]{4}>", "<id>"), (r"\d{1,2} [A-Z][a-z]{2}, \d\d:\d\d", "<time>"), (r"\d+(?:[.,:]\d+)*", "#")];

/// What stood in the body of a refusal, which the browser has not always kept.
const REASON: (&str, &str) = (r"(?m)\b([A-Z]+ http\S+ answered [45]\d\d) [^(\n]+$", "$1");

/// Columns before what a line of a failure says.
const LABEL: usize = 12;

/// Holds `text` against the snapshot `folder/name`; insta shows the difference. `INSTA_UPDATE=always` takes the new text.
pub fn hold(folder: &str, name: &str, text: &str, scratch: Option<&Path>) -> bool {
    hold_with(Settings::clone_current(), folder, name, text, scratch)
}

/// The same, of a text that the check `whose` said of a portal: how much it saw of what changes with the hour.
pub fn hold_of(folder: &str, name: &str, text: &str, whose: &str) -> bool {
    let mut settings = Settings::clone_current();
    settings.set_description(whose);
    hold_with(settings, folder, name, &without_figures(text), None)
}

/// Rows, figures and the messages of the day depend on the hour: numbers of what was expected, seen and sent are masked,
/// and lines that differ in nothing else are one.
fn without_figures(text: &str) -> String {
    let replaced = |text: String, (pattern, instead): &(&str, &str)| match Regex::new(pattern) {
        Ok(pattern) => pattern.replace_all(&text, *instead).into_owned(),
        Err(_) => text,
    };
    let text = text.replace(&root().display().to_string(), "<workspace>");
    let text = VARYING.iter().chain([&REASON]).fold(text, replaced);
    let (mut lines, mut is_figure) = (Vec::<String>::new(), false);
    for line in text.lines() {
        let label = line.get(..LABEL).unwrap_or(line).trim();
        let goes_on = label.is_empty() && is_figure;
        is_figure = goes_on || ["expected", "seen", "beside", "message"].contains(&label);
        let kept = if is_figure { FIGURES.iter().fold(line.to_owned(), replaced) } else { line.to_owned() };
        let is_again = goes_on && lines.last().is_some_and(|last| last.get(LABEL..) == kept.get(LABEL..));
        if !is_again {
            lines.push(kept);
        }
    }
    lines.join("\n")
}

/// The check whose text was held last.
pub fn whose(folder: &str, name: &str) -> Option<String> {
    let snapshot = root().join("snapshots").join(folder).join(format!("{name}.snap"));
    let text = fs::read_to_string(snapshot).ok()?;
    let description = text.lines().find_map(|line| line.strip_prefix("description: "))?;
    Some(description.trim_matches('"').to_owned())
}

fn hold_with(mut settings: Settings, folder: &str, name: &str, text: &str, scratch: Option<&Path>) -> bool {
    settings.set_snapshot_path(root().join("snapshots").join(folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    if let Some(folder) = scratch {
        settings.add_filter(&escaped(folder), "<folder>");
    }
    settings.add_filter(&escaped(&root()), "<workspace>");
    for (pattern, instead) in VARYING {
        settings.add_filter(pattern, instead);
    }
    // insta reports by a panic; the caller wants to go on to the next text.
    panic::catch_unwind(AssertUnwindSafe(|| settings.bind(|| assert_snapshot!(name, text)))).is_ok()
}

fn escaped(path: &Path) -> String {
    path.display().to_string().replace('.', r"\.")
}

/// The workspace.
fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::canonicalize(&root).unwrap_or(root)
}
