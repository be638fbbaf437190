//! Measuring. Figures are medians of whole processes; two things are compared in turn, so that a slower minute of the
//! machine is a slower minute of both.

mod checklists;
mod process;
mod rls;
mod rls_peers;
mod rls_sizes;
mod signoff;
mod smoke;
mod sms;

use comfy_table::Table;

use crate::{Error, Verdict, print, table::table};

pub use process::{Figures, measure};

/// What to measure.
#[derive(clap::Subcommand)]
pub enum Bench {
    /// The smoke suite on the embedded portal
    Smoke(smoke::Options),
    /// The authentication and data suites together
    Checklists(checklists::Options),
    /// The SMS pipeline: soaks, the ingest client beside a load generator, the sender's memory
    Sms(sms::Options),
    /// The prober of row level security: schemas with one hole each
    Rls(rls::Options),
    /// A sign-off of many results with their evidence
    Signoff(signoff::Options),
}

/// Measures and prints. True when nothing failed; figures are for people to judge.
///
/// # Errors
/// When a command cannot be run.
pub fn run(bench: &Bench) -> Verdict {
    match bench {
        Bench::Smoke(options) => smoke::run(options),
        Bench::Checklists(options) => checklists::run(options),
        Bench::Sms(options) => sms::run(options),
        Bench::Rls(options) => rls::run(options),
        Bench::Signoff(options) => signoff::run(options),
    }
}

/// The middle one of an odd number of values.
pub fn median<T: Copy + PartialOrd>(values: &[T]) -> Result<T, Error> {
    let mut sorted = values.to_vec();
    sorted.sort_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
    sorted.get(sorted.len() / 2).copied().ok_or_else(|| "nothing was measured".into())
}

fn times(runs: usize, mut run: impl FnMut() -> Result<Figures, Error>) -> Result<Vec<Figures>, Error> {
    (0..runs).map(|_| run()).collect()
}

/// The table of a command's figures.
struct Rows {
    table: Table,
    good: bool,
}

impl Rows {
    fn new(command: &str) -> Self {
        Self { table: table(&[command, "wall, median", "min to max", "peak memory of the test process"]), good: true }
    }

    fn add(&mut self, name: &str, figures: Vec<Figures>) -> Result<(), Error> {
        let walls: Vec<_> = figures.iter().map(|run| run.wall).collect();
        let memory = median(&figures.iter().map(|run| run.memory).collect::<Vec<_>>())?;
        let (least, most) =
            walls.iter().fold((f64::MAX, 0.0_f64), |(least, most), wall| (least.min(*wall), most.max(*wall)));
        self.good &= figures.iter().all(|run| run.good);
        let failed = figures.iter().filter(|run| !run.good).count();
        self.table.add_row([
            if failed == 0 { name.to_owned() } else { format!("{name} ({failed} FAILED)") },
            format!("{:.2} s", median(&walls)?),
            format!("{least:.2} to {most:.2} s"),
            format!("{memory:.0} MB"),
        ]);
        Ok(())
    }

    /// Prints the table; true when every run was good.
    fn print(self) -> bool {
        print(&self.table.to_string());
        self.good
    }
}
