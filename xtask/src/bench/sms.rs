//! `cargo xtask bench sms`: soaks one after the other, the ingest client beside a load generator, and the memory of a
//! sender. A soak is measured as a process of its own, as somebody runs it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use comfy_table::Table;
use serde::Deserialize;
use serde_json::Value;

use super::{measure, median};
use crate::{Error, Verdict, cargo::cargo, peer::Host, print, say, setup, setup::root, soak, table::table};

/// The load generator, whose throughput is the measure of ours.
const OHA: (&str, &str) = ("oha", "1.16.0");

/// Messages that wait for an answer at a time, in whatever is measured.
const CONCURRENCY: &str = "32";

/// The messages of the short soak that the memory of a long one is compared with.
const FEW: u32 = 1_000;

/// How to measure the SMS pipeline.
#[derive(clap::Args)]
pub struct Options {
    /// Soaks in a row, and pairs of runs beside the load generator
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Messages of each of these soaks
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    messages: u32,
    /// Requests of each client beside the other
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    requests: u32,
    /// Messages of the soak whose memory is compared with that of 1,000; the default takes minutes
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    many: u32,
    /// Only this part
    #[arg(long)]
    only: Option<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Soaks of the embedded portal in a row, accounted for exactly
    Soaks,
    /// The ingest client beside a load generator: one stored message, again and again
    Client,
    /// The sender's memory for few messages and for many
    Memory,
}

pub fn run(options: &Options) -> Verdict {
    setup::ensure()?;
    let wanted = |part| options.only.is_none_or(|only| only == part);
    let mut rows = table(&["cargo xtask soak", "median", "min to max", ""]);
    let mut good = true;
    if wanted(Part::Soaks) {
        good &= soaks(options, &mut rows)?;
    }
    if wanted(Part::Client) {
        good &= client(options, &mut rows)?;
    }
    if wanted(Part::Memory) {
        good &= memory(options, &mut rows)?;
    }
    print(&rows.to_string());
    Ok(good)
}

/// What is read of a soak's summary.
#[derive(Deserialize)]
struct Soaked {
    verdict: String,
    messages_per_second: f64,
}

impl Soaked {
    fn is_good(&self) -> bool {
        self.verdict == "passed"
    }
}

/// A soak as a process, and where it leaves its report.
struct Soak {
    command: Command,
    report: tempfile::TempDir,
}

impl Soak {
    fn new(messages: u32, duplicates: &str) -> Result<Self, Error> {
        Self::by(&env::current_exe()?, messages, duplicates)
    }

    fn by(program: &Path, messages: u32, duplicates: &str) -> Result<Self, Error> {
        let (mut command, report) = (Command::new(program), tempfile::tempdir()?);
        command.args(["soak", "--messages", &messages.to_string(), "--concurrency", CONCURRENCY]);
        command.args(["--duplicates", duplicates, "--report"]).arg(report.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { command, report })
    }

    fn of_embedded(mut self) -> Self {
        self.command.args(["--target", "embedded"]).env_remove("E2E_BASE_URL");
        self
    }

    fn of(mut self, host: &Host) -> Self {
        self.command.args(["--target", "staging"]).envs(host.gateway_variables());
        self
    }

    fn run(mut self) -> Result<Soaked, Error> {
        self.command.status()?;
        self.read()
    }

    fn read(&self) -> Result<Soaked, Error> {
        let summary = fs::read_to_string(self.report.path().join(soak::SUMMARY));
        let summary = summary.map_err(|_| format!("it left no report and no figures: {:?}", self.command))?;
        let soaked: Soaked = serde_json::from_str(&summary)?;
        if !soaked.is_good() {
            say(&summary);
        }
        Ok(soaked)
    }
}

fn soaks(options: &Options, rows: &mut Table) -> Verdict {
    let mut rates = Vec::new();
    let mut exact = 0;
    for _ in 0..options.runs {
        let soaked = Soak::new(options.messages, "10%")?.of_embedded().run()?;
        say(&format!("{} messages: {}, {:.0}/s", options.messages, soaked.verdict, soaked.messages_per_second));
        exact += usize::from(soaked.is_good());
        rates.push(soaked.messages_per_second);
    }
    let name = format!("{} messages, 10 % duplicates, {CONCURRENCY} at a time", options.messages);
    add(rows, &name, &rates, &format!("{exact} of {} accounted for exactly", options.runs), per_second)?;
    Ok(exact == options.runs)
}

/// Both send a message that is stored already, so that the portal does the same work for both; ours reads each answer
/// and keeps its account meanwhile. Optimized builds, both of them.
fn client(options: &Options, rows: &mut Table) -> Verdict {
    let (program, sender, host) = (oha()?, optimized()?, Host::start()?);
    let body = host.message_of_a_device()?;
    let (mut ours, mut theirs, mut good) = (Vec::new(), Vec::new(), true);
    for run in 0..=options.runs {
        let soaked = Soak::by(&sender, options.requests, "100%")?.of(&host).run()?;
        let rate = load(&program, &host, &body, options.requests)?;
        good &= soaked.is_good();
        // The first pair is the warm-up.
        if run > 0 {
            say(&format!("{} requests: ours {:.0}/s, oha {rate:.0}/s", options.requests, soaked.messages_per_second));
            ours.push(soaked.messages_per_second);
            theirs.push(rate);
        }
    }
    let ratios: Vec<_> = ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect();
    add(rows, &format!("one message {} times", options.requests), &ours, "", per_second)?;
    add(rows, &format!("the same by {} {}", OHA.0, OHA.1), &theirs, "", per_second)?;
    add(rows, "ratio, pair by pair", &ratios, "0.95 or more is the goal", |ratio| format!("{ratio:.2}"))?;
    Ok(good)
}

/// One run of the load generator; its requests per second.
fn load(program: &PathBuf, host: &Host, body: &str, requests: u32) -> Result<f64, Error> {
    let mut command = Command::new(program);
    command.args(["-n", &requests.to_string(), "-c", CONCURRENCY, "-m", "POST", "-T", "application/json", "-d", body]);
    command.args(["-H", &format!("x-api-key: {}", host.ingest_key()), "--no-tui", "--output-format", "json"]);
    let output = command.arg(host.ingest_url()).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let good = &report["statusCodeDistribution"]["200"];
    if good.as_u64() != Some(requests.into()) {
        return Err(format!("of {requests} requests of {}, {good} were answered with 200", OHA.0).into());
    }
    report["summary"]["requestsPerSec"].as_f64().ok_or_else(|| format!("{} tells no rate", OHA.0).into())
}

/// This program as `cargo build --release` makes it.
fn optimized() -> Result<PathBuf, Error> {
    say("cargo build --release -p xtask; this takes minutes when it is done first");
    let mut command = cargo(&["build", "--release", "--quiet", "-p", "xtask", "--message-format", "json"]);
    let output = command.stderr(Stdio::inherit()).output()?;
    let messages = String::from_utf8_lossy(&output.stdout);
    let shown = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let program = shown.filter_map(|message| Some(PathBuf::from(message["executable"].as_str()?))).next_back();
    program.ok_or_else(|| format!("cargo build --release -p xtask made no program: {}", output.status).into())
}

/// The load generator: the one on the path, or one that is installed below `target/`.
fn oha() -> Result<PathBuf, Error> {
    let tools = root().join("target/tools");
    let installed = tools.join("bin").join(OHA.0);
    if let Ok(found) = which::which(OHA.0) {
        return Ok(found);
    }
    if !installed.exists() {
        let (name, version) = OHA;
        say(&format!("cargo install {name} --version {version}, below target/tools; this takes minutes"));
        let done = cargo(&["install", name, "--version", version, "--locked", "--root"]).arg(&tools).status()?;
        if !done.success() {
            return Err(format!("{name} cannot be installed: {done}").into());
        }
    }
    Ok(installed)
}

/// The portal is in this process, so that the sender's memory is the sender's.
fn memory(options: &Options, rows: &mut Table) -> Verdict {
    let host = Host::start()?;
    let mut good = true;
    for messages in [FEW, options.many] {
        let mut soak = Soak::new(messages, "10%")?.of(&host);
        let figures = measure(&mut soak.command)?;
        let soaked = soak.read()?;
        say(&format!("{messages} messages: {}, {:.0} MB", soaked.verdict, figures.memory));
        good &= soaked.is_good();
        let name = format!("peak memory of the sender, {messages} messages");
        add(rows, &name, &[figures.memory], "", |memory| format!("{memory:.0} MB"))?;
    }
    Ok(good)
}

fn per_second(rate: f64) -> String {
    format!("{rate:.0} /s")
}

fn add(rows: &mut Table, name: &str, values: &[f64], note: &str, shown: impl Fn(f64) -> String) -> Result<(), Error> {
    let (least, most) =
        values.iter().fold((f64::MAX, f64::MIN), |(least, most), value| (least.min(*value), most.max(*value)));
    let range = if values.len() > 1 { format!("{} to {}", shown(least), shown(most)) } else { String::new() };
    rows.add_row([name, &shown(median(values)?), &range, note]);
    Ok(())
}
