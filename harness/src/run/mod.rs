//! A run as a thing: what it verifies, of which it writes down beforehand which checks it is going to make; what became
//! of each; and whether it ended. Only a whole run can be green.
//!
//! A run has a folder of its own, `target/runs/<id>`: `manifest.json` is written before the first check and never
//! changed, each check adds `<uuid>-check.json` with its attachments (and the same for Allure's tools,
//! `<uuid>-result.json`), `ended.json` closes it with the hash of every file. `target/runs/latest` points to the run
//! that began last.

mod begin;
mod current;
mod earlier;
mod exclusion;
mod folder;
mod judge;
mod manifest;
mod read;
mod result;
mod stays;

pub use begin::{Begun, Plan, working_copy};
pub use current::read_list;
pub(crate) use current::{Current, asked_to_list, close, current, keeps_asked, list};
pub(crate) use earlier::earlier;
pub(crate) use exclusion::not_promised;
pub use exclusion::{LeftOutBecause, kept_out};
pub use folder::runs_folder;
pub(crate) use folder::write;
pub use judge::{JudgedCheck, JudgedStep, Judgement, LeftOut, Proof, judge};
pub use manifest::{Chosen, Ended, Harness, Machine, Manifest, Planned, Runner, Source, SuiteEnd, SuiteEnded};
pub use read::{ReadError, Run, seal};
pub use result::{AttachedFile, CheckResult, Explanation, Figure, read_results};
pub(crate) use stays::keep as keep_what_stays;
pub use stays::read as read_what_stays;
