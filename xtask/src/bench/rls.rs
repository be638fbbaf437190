//! `cargo xtask bench rls`: each hole of each schema, made and looked for; what was missed by name, and how long it took.

use tokio::runtime::Builder;

use super::median;
use crate::{
    Verdict,
    holes::{Judged, Schema},
    print, say, setup,
    table::table,
};

/// What to look for.
#[derive(clap::Args)]
pub struct Options {
    /// Only holes that have this in their names
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Only this schema
    #[arg(long, value_name = "NAME")]
    schema: Option<String>,
    /// What probing costs as a schema grows, instead
    #[arg(long)]
    sizes: bool,
}

pub fn run(options: &Options) -> Verdict {
    if options.sizes {
        return super::rls_sizes::run();
    }
    setup::ensure()?;
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let mut rows =
            table(&["schema", "findings, tight", "holes found", "findings for each", "fixed", "scripts run", "median"]);
        let mut good = true;
        for mut schema in Schema::all()? {
            if options.schema.as_ref().is_some_and(|name| name != schema.name) {
                continue;
            }
            let portal = schema.start().await?;
            schema.holes.retain(|hole| hole.name.contains(&options.only));
            let tight = schema.tight(&portal).await?;
            let judged = schema.judge_all(&portal).await?;
            let found = judged.iter().filter(|judged| judged.is_found).count();
            for (missed, hole) in judged.iter().zip(&schema.holes).filter(|(judged, _)| !judged.is_found) {
                let why = hole.missed.as_deref().unwrap_or("unexpectedly");
                say(&format!("missed {} {} ({why}): {}", schema.name, missed.hole, hole.about));
                missed.shown.iter().take(3).for_each(|shown| say(&format!("       instead: {shown}")));
                good &= hole.missed.is_some();
            }
            good &= tight.is_good();
            if !tight.is_good() {
                say(&format!("{} as it is: {tight}", schema.name));
            }
            let findings: usize = judged.iter().map(|judged| judged.findings).sum();
            let sum = |of: fn(&Judged) -> usize| judged.iter().map(of).sum::<usize>();
            let times: Vec<_> = judged.iter().map(|judged| judged.took_ms as f64).collect();
            rows.add_row([
                schema.name.to_owned(),
                format!("{}, undecided {}", tight.findings.len(), tight.undecided.len()),
                format!("{found} of {}", judged.len()),
                format!("{:.2}", findings as f64 / judged.len().max(1) as f64),
                format!("{} of {findings}", sum(|judged| judged.fixed)),
                format!("{} of {}", sum(|judged| judged.ran), sum(|judged| judged.scripts)),
                if times.is_empty() { String::new() } else { format!("{:.0} ms", median(&times)?) },
            ]);
        }
        print(&rows.to_string());
        Ok(good)
    })
}
