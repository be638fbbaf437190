//! What a run leaves out by design, and why. A deployment with members' money is spared by the module that a check is in,
//! a portal by what its contract promises.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::manifest::Planned;
use crate::{runbook::Runbook, section::Section, target::Target};

/// Why a run leaves a check out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LeftOutBecause {
    /// Writes, where the target has members' money in it.
    Writes,
    /// Plays users inside the database, where the target has members' money in it.
    PlaysUsers,
    /// The contract leaves out what the check is about.
    NotPromised {
        /// The part that it lacks.
        section: Section,
    },
    /// No key was rotated: the runbook asks for a rotation only "if needed".
    NotRotated,
    /// The runbook has no step that the check verifies.
    NotInRunbook,
}

impl LeftOutBecause {
    /// Whether the target is the reason: the check has something to look at, and passes elsewhere.
    pub fn is_of_the_target(self) -> bool {
        matches!(self, Self::Writes | Self::PlaysUsers)
    }
}

impl fmt::Display for LeftOutBecause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Writes => f.pad("it writes to the deployment"),
            Self::PlaysUsers => f.pad("it plays users inside the database"),
            Self::NotPromised { section } => f.pad(&section.not_promised()),
            Self::NotRotated => f.pad("no key was rotated (INGEST_API_KEY_PREVIOUS is not set)"),
            Self::NotInRunbook => f.pad("the runbook has no such step"),
        }
    }
}

/// Modules of checks that a deployment with members' money is spared, why, and what such a check needs of a contract.
/// The nextest profile `production` names the same modules; a test compares.
const MODULES: [(&str, LeftOutBecause, Section); 2] =
    [("writes", LeftOutBecause::Writes, Section::Make), ("wall", LeftOutBecause::PlaysUsers, Section::Tenancy)];

/// The module of checks that look at what came of a rotation.
const ROTATION: &str = "rotation";

fn module_of(test: &str) -> Option<(LeftOutBecause, Section)> {
    let module = MODULES.iter().find(|(module, ..)| test.split("::").any(|part| part == *module));
    module.map(|(_, because, section)| (*because, *section))
}

/// Why a check is no read-only one, if it is not: by the modules in its name.
pub fn kept_out(test: &str) -> Option<LeftOutBecause> {
    module_of(test).map(|(because, _)| because)
}

/// The first part that a contract lacks of those that a check needs: its step's, its `own`, and its module's.
pub(crate) fn not_promised(test: &str, own: &[Section], step: &str, absent: &[Section]) -> Option<Section> {
    let of_step = Runbook::get().step(step).map(|step| step.needs.as_slice()).unwrap_or_default();
    let of_module = module_of(test).map(|(_, section)| section);
    of_step.iter().chain(own).copied().chain(of_module).find(|section| absent.contains(section))
}

/// Why the target leaves a check out by design. Whoever names what may be written to has lifted the first reason; the
/// second nobody lifts.
pub(super) fn left_out(
    check: &Planned,
    target: Option<Target>,
    writes_allowed: bool,
    is_rotated: bool,
    absent: &[Section],
) -> Option<LeftOutBecause> {
    // What no line of the runbook asks for is nobody's promise.
    if Runbook::get().step(&check.step).is_none() {
        return Some(LeftOutBecause::NotInRunbook);
    }
    if let Some(section) = not_promised(&check.name, &check.needs, &check.step, absent) {
        return Some(LeftOutBecause::NotPromised { section });
    }
    if !is_rotated && check.name.split("::").any(|part| part == ROTATION) {
        return Some(LeftOutBecause::NotRotated);
    }
    let spared = matches!(target, Some(Target::Production | Target::Unnamed));
    kept_out(&check.name).filter(|because| spared && !(writes_allowed && *because == LeftOutBecause::Writes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn because(name: &str, step: &str, needs: &[Section], absent: &[Section]) -> Option<LeftOutBecause> {
        let check = Planned { name: name.to_owned(), step: step.to_owned(), needs: needs.to_vec(), left_out: None };
        left_out(&check, Some(Target::Production), true, step == "sec.2.2", absent)
    }

    #[test]
    fn a_check_is_left_out_where_its_step_its_module_or_itself_needs_what_the_contract_lacks() {
        let lacks = |section| Some(LeftOutBecause::NotPromised { section });
        assert_eq!(because("sms_pipeline::key::opens", "4.4.1", &[], &[Section::Sms]), lacks(Section::Sms));
        assert_eq!(because("data::dashboard::writes::new", "4.3.1", &[], &[Section::Make]), lacks(Section::Make));
        let needs = [Section::Refused];
        assert_eq!(because("authentication::login::out", "4.2.1", &needs, &needs), lacks(Section::Refused));
        assert_eq!(because("authentication::login::out", "4.2.1", &[], &needs), None);
    }

    #[test]
    fn what_is_not_promised_is_no_matter_of_the_target() {
        let wall = |absent: &[Section]| because("security::wall::no_way", "sec.1.4", &[], absent);
        assert_eq!(wall(&[]), Some(LeftOutBecause::PlaysUsers));
        assert_eq!(wall(&[Section::Tenancy]), Some(LeftOutBecause::NotPromised { section: Section::Tenancy }));
        let none = Some(LeftOutBecause::NotInRunbook);
        assert_eq!(because("smoke::build::x", "9.9", &[], &[]), none);
        assert_eq!(because("smoke::build::x", "9.9", &[Section::Sms], &[Section::Sms]), none, "whatever it needs");
    }

    #[test]
    fn a_rotation_is_looked_at_where_there_was_one() {
        let rotation = |step: &str| because("security::rotation::writes::services_still_work", step, &[], &[]);
        assert_eq!(rotation("sec.2.4"), Some(LeftOutBecause::NotRotated));
        assert_eq!(rotation("sec.2.2"), None);
    }

    #[test]
    fn the_manifest_names_reason_and_section() {
        let because = LeftOutBecause::NotPromised { section: Section::Refused };
        let json = serde_json::to_string(&because).unwrap();
        assert_eq!(json, r#"{"because":"not-promised","section":"login.refused"}"#);
        assert_eq!(serde_json::from_str::<LeftOutBecause>(&json).unwrap(), because);
    }
}
