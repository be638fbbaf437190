//! Texts that people read, held against snapshots: what varies from run to run is masked in one place.

use std::{
    fs,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
};

use insta::{Settings, assert_snapshot};

/// Holds `text` against the snapshot `folder/name`; insta shows the difference. `INSTA_UPDATE=always` takes the new text.
pub fn hold(folder: &str, name: &str, text: &str, scratch: Option<&Path>) -> bool {
    hold_with(Settings::clone_current(), folder, name, text, scratch)
}

/// The same, of a text that the check `whose` said.
pub fn hold_of(folder: &str, name: &str, text: &str, whose: &str) -> bool {
    let mut settings = Settings::clone_current();
    settings.set_description(whose);
    hold_with(settings, folder, name, text, None)
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
    settings.add_filter(r"evidence  .*", "evidence  <folder>/screenshot.png");
    settings.add_filter(&escaped(&root()), "<workspace>");
    settings.add_filter(r"127\.0\.0\.1:\d{4,5}", "127.0.0.1:<port>");
    settings.add_filter(r"\b[ab]0000000-0000-4000-8000-00000000([0-9a-f]{4})\b", "<seed $1>");
    settings.add_filter(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<id>");
    settings.add_filter(r"(?i)\bRC-?[0-9A-F]{12}\b", "<reference>");
    settings.add_filter(r"\b([A-Z]{2}\d\d-?)[0-9A-F]{8}\b", "$1<run>");
    settings.add_filter(r"\b([a-z]{2}\d\d)[0-9a-f]{8}\b", "$1<run>");
    settings.add_filter(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(\+00:00|Z)", "<time>");
    settings.add_filter(r"\b(own|oth|cls)[0-9a-f]{6}x[0-9a-f]{7}\b", "<$1>");
    settings.add_filter(r"\b[0-9a-f]{8} of [0-9a-f]{12}\b", "<id> of <commit>");
    settings.add_filter(r"\b(success of |seen      )[0-9a-f]{12}\b", "$1<commit>");
    settings.add_filter(r"/\S+/repository-\w+", "<repository>");
    settings.add_filter(r"seen      median \d+ ms, p95 \d+ ms of", "seen      median <time>, p95 <time> of");
    settings.add_filter(r"\d+\.\d % of \d+ (answers|in the last)", "<n> % of <n> $1");
    settings.add_filter(r"\d+ in \d+ answers", "<n> in <n> answers");
    settings.add_filter(r"(?m)\b\d+ ms warm$", "<time> warm");
    settings.add_filter(r"\b[0-9a-f]{32}@example", "<id>@example");
    settings.add_filter(r"after \d+ probes|what \d+ probes", "<n> probes");
    settings.add_filter(r"in round \d+ of", "in round <n> of");
    settings.add_filter(r"-[0-9a-f]{8}\.(js|css)", "-<hash>.$1");
    settings.add_filter(r":\d+:\d+ ", ":<line> ");
    settings.add_filter(r"seen      \d+\.\d s", "seen      <time>");
    settings.add_filter(r"seen      \d+ ms", "seen      <time>");
    settings.add_filter(r"seen      \d+ new", "seen      <n> new");
    settings.add_filter(r"after \d+\.\d s", "after <time>");
    settings.add_filter(r"\d+ of \d+ within (\d+) h \([\d.]+ %\)", "<n> of <n> within $1 h (<n> %)");
    settings.add_filter(r"\d+ bytes", "<n> bytes");
    settings.add_filter(r"at line \d+", "at line <n>");
    settings.add_filter(r"here is \d+ s", "here is <n> s");
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
