//! Texts that people read, held against `snapshots/rls`: what varies from run to run is masked in one place.

use std::{
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
};

use insta::{Settings, assert_snapshot};

/// What varies, and what stands for it.
const FILTERS: [(&str, &str); 5] = [
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<id>"),
    (r"\b(own|oth|cls)[0-9a-f]{6}x[0-9a-f]{7}\b", "<$1>"),
    (r"\b[0-9a-f]{32}@example", "<id>@example"),
    // Whoever writes first says it: the server, or the system.
    (r"terminating connection due to administrator command|Broken pipe \(os error \d+\)", "<why>"),
    (r"after \d+ probes|what \d+ probes", "<n> probes"),
];

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Holds a text against its snapshot; insta shows the difference. `INSTA_UPDATE=always` takes the new text.
pub fn hold(name: &str, text: &str) -> bool {
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path(root().join("snapshots/rls"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (pattern, by) in FILTERS {
        settings.add_filter(pattern, by);
    }
    // insta reports by a panic; whoever called goes on to the next text.
    panic::catch_unwind(AssertUnwindSafe(|| settings.bind(|| assert_snapshot!(name, text)))).is_ok()
}
