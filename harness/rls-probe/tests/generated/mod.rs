//! Sound schemas made at random, and single holes in them: the sound ones are reported as sound, and each hole as what it
//! is. `RLS_PROBE_SEED` chooses the first of them, `RLS_PROBE_SCHEMAS` how many.

mod dice;
mod holes;
mod tenancy;

use std::{env, fmt::Write, fs, path::Path};

use rls_probe::{Report, Tenancy};

use self::{dice::Dice, holes::make};
use crate::schema::Schema;

/// How many schemas a run makes, and how many holes in each.
const SCHEMAS: u64 = 3;
const HOLES: usize = 3;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

/// What a sound schema is said to have, in a few lines.
fn said_of(report: &Report) -> String {
    let mut said = String::new();
    for finding in &report.findings {
        let _ = write!(said, "\n      {finding}");
    }
    for undecided in &report.undecided {
        let _ = write!(said, "\n      undecided {undecided:?}");
    }
    said
}

#[tokio::test]
async fn sound_schemas_are_sound_and_each_hole_is_found() {
    let first = number("RLS_PROBE_SEED").unwrap_or(1);
    let schemas = number("RLS_PROBE_SCHEMAS").unwrap_or(SCHEMAS);
    let mut wrong: Vec<String> = Vec::new();
    for seed in first..first + schemas {
        let (made, before) = (make(seed), wrong.len());
        let schema = Schema::of(&made.sql).await;
        let sound = schema.probe(&Tenancy::default(), None).await;
        if !sound.findings.is_empty() || !sound.undecided.is_empty() {
            wrong.push(format!("seed {seed} ({}) is sound:{}", made.about, said_of(&sound)));
        }
        // Some of its holes; the seed says which.
        let mut dice = Dice::new(seed + 7_000);
        let mut holes: Vec<_> = made.holes.iter().collect();
        while holes.len() > HOLES {
            holes.remove(dice.below(holes.len()));
        }
        for hole in holes {
            let report = schema.probe(&Tenancy::default(), Some(&hole.sql)).await;
            if !hole.is_found(&report) {
                wrong.push(format!("seed {seed} ({}) has a hole: {hole}; instead:{}", made.about, said_of(&report)));
            }
        }
        if wrong.len() > before {
            let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("schema-{seed}.sql"));
            fs::write(&path, &made.sql).unwrap();
            wrong.push(format!("seed {seed} is {}\n", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
