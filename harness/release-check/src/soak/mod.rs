//! `release-check soak`: sends messages to a deployment, many at a time, and accounts for each of them row by row. With
//! `--chaos` the embedded portal is troubled meanwhile, and the account has to be the same.

mod account;
mod chaos;
mod course;
mod meter;
mod plan;
mod report;
mod rows;

use std::{path::PathBuf, time::Duration};

use harness::{Deployment, Target, run::runs_folder};
use serde_json::json;
use tokio::{
    runtime::Builder,
    signal::{
        ctrl_c,
        unix::{SignalKind, signal},
    },
    sync::watch,
};

use self::{chaos::Chaos, course::Course};
use crate::{
    Error, Exit,
    setup::{self, root},
    terminal::{print, say},
};

pub use self::{
    plan::{Plan, Share},
    report::{SUMMARY, Summary},
};
use report::Whom;

/// Where the report of the last soak is, below the workspace.
const REPORT: &str = "target/soak";

/// For how long a message is sent again while nobody says what became of it: longer than a portal takes to come back.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two troubles.
const PAUSE: Duration = Duration::from_millis(1_200);

/// What to send, and to whom.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Messages to send, duplicates included
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    messages: u32,
    /// Begin at most so many a second; 0: as fast as it goes
    #[arg(long, value_name = "R", default_value_t = 0)]
    rate: u32,
    /// How many may wait for their answers
    #[arg(long, value_name = "C", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,
    /// How many of the messages repeat one that was sent before
    #[arg(long, value_name = "SHARE", default_value = "10%")]
    duplicates: Share,
    /// The deployment: embedded, local or staging [default: embedded, or what HARNESS_TARGET names]
    #[arg(long, value_name = "T")]
    target: Option<Target>,
    /// Cut connections, take the portal down and crash its database meanwhile; embedded only
    #[arg(long)]
    chaos: bool,
    /// Where summary.json and report.html go [default: target/soak]
    #[arg(long, value_name = "FOLDER")]
    report: Option<PathBuf>,
    /// Print summary.json
    #[arg(long)]
    json: bool,
}

/// Soaks. The exit code says whether every message is accounted for; if so, 130 that Ctrl-C ended it early.
///
/// # Errors
/// When the deployment may not be soaked, or nothing can be sent or accounted for.
pub fn run(options: &Options) -> Result<Exit, Error> {
    let target = options.permitted(Deployment::configured_target)?;
    if target == Target::Embedded {
        setup::ensure()?;
    }
    let runtime = match target {
        // The portal is in this process, too.
        Target::Embedded => Builder::new_multi_thread().worker_threads(2).enable_all().build()?,
        _ => Builder::new_current_thread().enable_all().build()?,
    };
    let summary = runtime.block_on(soak(options, target, PAUSE))?;
    let folder = options.report.clone().unwrap_or_else(|| root().join(REPORT));
    let page = summary.write(&folder)?;
    let runs = runs_folder();
    let kept = summary.kept().keep(&runs);
    let kept = kept.map_err(|error| format!("the soak cannot be kept in {}: {error}", runs.display()))?;
    print(&if options.json { serde_json::to_string_pretty(&summary)? } else { summary.to_string() });
    say(&format!("report: {}", page.display()));
    say(&format!("kept for the checks of a release: {}", kept.display()));
    Ok(match summary.interrupted {
        _ if !summary.is_good() => Exit::Failed,
        None => Exit::Passed,
        Some(code) => Exit::Interrupted(code),
    })
}

impl Options {
    /// The deployment, if it is one that may be filled with payments that nobody made.
    fn permitted<E: Into<Error>>(&self, configured: impl FnOnce() -> Result<Target, E>) -> Result<Target, Error> {
        let target = self.target.map_or_else(|| configured().map_err(Into::into), Ok)?;
        match target {
            Target::Production => Err("a soak sends payments that nobody made, and the ledger of production keeps them\n\
                 soak another deployment: --target embedded, --target local or --target staging"
                .into()),
            Target::Unnamed => Err("E2E_BASE_URL alone may be production, whose ledger keeps the payments of a soak\n\
                 say which deployment it is, --target local or --target staging, or unset E2E_BASE_URL for the embedded portal"
                .into()),
            Target::Local | Target::Staging if self.chaos => Err(format!(
                "--chaos cuts connections and crashes the database, and {target} is not ours to break\n\
                 leave --chaos out, or soak the embedded portal: --target embedded"
            )
            .into()),
            Target::Embedded | Target::Local | Target::Staging => Ok(target),
        }
    }
}

async fn soak(options: &Options, target: Target, pause: Duration) -> Result<Summary, Error> {
    let interrupt = interrupt()?;
    let deployment = Deployment::open_as(target).await?;
    let soaked = within(&deployment, options, pause, interrupt).await;
    for stays in deployment.tidy().await {
        say(&stays);
    }
    soaked
}

/// The exit code of the interrupt that ends the soak, once there is one. A second interrupt ends the process.
fn interrupt() -> Result<watch::Receiver<Option<u8>>, Error> {
    let (sender, receiver) = watch::channel(None);
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        loop {
            let code = tokio::select! {
                _ = ctrl_c() => 130,
                _ = terminated.recv() => 143,
            };
            if sender.send_replace(Some(code)).is_some() {
                // The exit ends what needs the runtime: not on one of its workers.
                let _ = tokio::task::spawn_blocking(move || std::process::exit(code.into())).await;
            }
        }
    });
    Ok(receiver)
}

async fn within(
    deployment: &Deployment,
    options: &Options,
    pause: Duration,
    interrupt: watch::Receiver<Option<u8>>,
) -> Result<Summary, Error> {
    let (writes, mut ingest) = (deployment.writes().await?, deployment.sms_ingest()?.deadline(PATIENCE));
    let plan = Plan::of(writes.run(), options.messages, options.duplicates);
    let tenant = writes.institution("soak").await?;
    let mut devices = Vec::new();
    for device in &plan.devices {
        devices.push(writes.make(&tenant, "device", &[("device", json!(device)), ("active", json!(true))]).await?);
    }
    let chaos = match options.chaos {
        true => Some(Chaos::before(deployment, &ingest).await?),
        false => None,
    };
    if let Some(chaos) = &chaos {
        chaos.calm().await?;
        ingest = chaos.on_the_way_of(ingest)?;
    }

    let course = Course::new(&plan, writes, ingest)?;
    let troubles = chaos.as_ref().map(|chaos| (chaos, pause));
    let mut sent = course.run(options.concurrency, options.rate, troubles, interrupt.clone()).await?;
    if let Some(chaos) = &chaos {
        chaos.calm().await?;
    }
    rows::read(deployment, &tenant, &devices, &mut sent.book).await?;
    let interrupted = *interrupt.borrow();
    let whom = Whom::of(deployment).await;
    let summary = Summary::of(whom, options, &plan, sent, chaos.map(|chaos| chaos.made()), interrupted);
    Ok(summary.cleaned(deployment).await)
}

#[cfg(test)]
mod tests;
