//! What a deployment with members' money is spared by design, told by the module that a check is in.

use crate::target::Target;

/// Modules of checks that a deployment with members' money is spared, and why. The nextest profile `production` says
/// the same; a test compares.
const MODULES: [(&str, &str); 2] =
    [("writes", "it writes to the deployment"), ("wall", "it plays users inside the database")];

/// Why a check is no read-only one, if it is not: by the modules in its name.
pub fn kept_out(test: &str) -> Option<&'static str> {
    MODULES.iter().find(|(module, _)| test.split("::").any(|part| part == *module)).map(|(_, why)| *why)
}

/// Why the target leaves a check out by design. Whoever names what may be written to has lifted the first reason; the
/// second nobody lifts.
pub(super) fn left_out(test: &str, target: Option<Target>, writes_allowed: bool) -> Option<String> {
    let spared = matches!(target, Some(Target::Production | Target::Unnamed));
    let lifted = writes_allowed && kept_out(test) == Some(MODULES[0].1);
    kept_out(test).filter(|_| spared && !lifted).map(str::to_owned)
}
