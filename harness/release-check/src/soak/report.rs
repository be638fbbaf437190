//! What a soak leaves: a table for the terminal, a summary for programs and a page for people, all of one account.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use harness::{Deployment, Soaked, Target};
use jiff::Timestamp;
use minijinja::{Environment, Value, context};
use plotters::prelude::*;
use serde::Serialize;

use super::{
    Options,
    account::Account,
    chaos::Troubles,
    course::Sent,
    meter::{Latency, Second},
    plan::Plan,
};
use crate::{Error, table::table};

/// The page for people.
const PAGE: &str = "report.html";

/// The summary for programs.
pub const SUMMARY: &str = "summary.json";

/// Size of the plot.
const PLOT: (u32, u32) = (960, 360);

/// Which deployment was soaked, and of which version.
#[derive(Debug)]
pub struct Whom {
    target: Target,
    site: Option<String>,
    project: Option<String>,
    commit: Option<String>,
}

impl Whom {
    /// As far as it is known. The embedded portal has another address in each process.
    pub async fn of(deployment: &Deployment) -> Self {
        let target = deployment.target();
        let is_remote = target != Target::Embedded;
        let mut site = deployment.site().url("/");
        let _ = site.set_username("");
        let _ = site.set_password(None);
        Self {
            target,
            site: is_remote.then(|| site.to_string()),
            project: deployment.api().ok().filter(|_| is_remote).map(harness::Api::project),
            commit: deployment.released().await.ok().map(|released| released.commit),
        }
    }
}

/// How a soak went.
#[derive(Debug, Serialize)]
pub struct Summary {
    verdict: &'static str,
    target: Target,
    /// URL of its front end, without credentials.
    site: Option<String>,
    /// Its Supabase project.
    project: Option<String>,
    /// The commit that was to be live, where somebody said it.
    commit: Option<String>,
    /// What its institution, devices and messages are named after.
    run: String,
    begin: Timestamp,
    /// When the last message was answered.
    end: Timestamp,
    /// Sends that were ordered.
    messages: u32,
    /// The share of duplicates among them.
    duplicates: String,
    concurrency: u16,
    /// Sends that may begin in a second; 0 as fast as it goes.
    rate: u32,
    /// The exit code of the interrupt that ended it early.
    pub(super) interrupted: Option<u8>,
    seconds: f64,
    messages_per_second: f64,
    latency_ms: Latency,
    pub(super) troubles: Option<Troubles>,
    pub(super) account: Account,
    /// What is wrong besides the account.
    problems: Vec<String>,
    /// Whether nobody answered any more, so that the rest was not sent.
    has_given_up: bool,
    over_time: Vec<Second>,
}

impl Summary {
    /// Of what was sent, and what the rows say of it.
    pub fn of(
        soaked: Whom,
        options: &Options,
        plan: &Plan,
        sent: Sent<'_>,
        troubles: Option<Troubles>,
        interrupted: Option<u8>,
    ) -> Self {
        let Sent { book, latency, seconds: over_time, took, has_given_up } = sent;
        let account = book.close();
        let seconds = took.as_secs_f64();
        let mut problems = Vec::new();
        if has_given_up {
            problems.push(format!(
                "given up: {} messages had no definite answer, so the others were not sent",
                account.totals.unanswered
            ));
        }
        if troubles.is_some_and(Troubles::is_none) && interrupted.is_none() {
            problems.push("it was over before there was any trouble: send more --messages".to_owned());
        }
        let is_good = problems.is_empty() && account.differences.is_empty();
        Self {
            verdict: if is_good { "passed" } else { "FAILED" },
            target: soaked.target,
            site: soaked.site,
            project: soaked.project,
            commit: soaked.commit,
            run: plan.run.clone(),
            begin: plan.begin,
            end: Timestamp::now(),
            messages: options.messages,
            duplicates: options.duplicates.to_string(),
            concurrency: options.concurrency,
            rate: options.rate,
            interrupted,
            seconds: (seconds * 100.0).round() / 100.0,
            messages_per_second: (f64::from(account.totals.sent) / seconds.max(f64::EPSILON) * 10.0).round() / 10.0,
            latency_ms: latency,
            troubles,
            account,
            problems,
            has_given_up,
            over_time,
        }
    }

    /// Without the deployment's secrets, which an answer may have repeated.
    pub async fn cleaned(mut self, deployment: &Deployment) -> Self {
        for line in &mut self.account.differences.named {
            *line = deployment.cleaned(line).await;
        }
        self
    }

    /// What is kept of it for the checks of a release.
    pub fn kept(&self) -> Soaked {
        let Account { totals, .. } = &self.account;
        Soaked {
            format: Soaked::FORMAT,
            id: self.run.clone(),
            target: self.target,
            site: self.site.clone(),
            project: self.project.clone(),
            commit: self.commit.clone(),
            started: self.begin,
            finished: self.end,
            ended_early: self.has_given_up || self.interrupted.is_some(),
            messages: totals.sent,
            per_second: self.messages_per_second,
            lost: totals.lost,
            doubled: totals.doubled,
            otherwise_wrong: self.account.otherwise_wrong(),
        }
    }

    /// Whether every message is accounted for.
    pub fn is_good(&self) -> bool {
        self.problems.is_empty() && self.account.differences.is_empty()
    }

    /// Writes the summary and the page, in place of the last ones; answers with the path of the page.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, Error> {
        let page = folder.join(PAGE);
        let (summary, html) = (serde_json::to_string_pretty(self)? + "\n", self.html()?);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(folder.join(SUMMARY), summary))
            .and_then(|()| fs::write(&page, html))
            .map_err(|error| format!("the report cannot be kept in {}: {error}", folder.display()))?;
        Ok(page)
    }

    /// What a reader wants to know besides the account, by name.
    fn figures(&self) -> Vec<(&'static str, String)> {
        let Self { target, run, begin, messages, duplicates, concurrency, rate, .. } = self;
        let Latency { p50, p95, p99, max } = self.latency_ms;
        let rate = if *rate == 0 { String::new() } else { format!(", at most {rate} a second") };
        let mut figures = vec![
            ("deployment", format!("{target}, run {run} of {begin}")),
            ("messages", format!("{messages}, {duplicates} duplicates, {concurrency} at a time{rate}")),
            ("throughput", format!("{} a second for {} s", self.messages_per_second, self.seconds)),
            ("latency", format!("p50 {p50} ms, p95 {p95} ms, p99 {p99} ms, max {max} ms")),
        ];
        figures.extend(self.troubles.map(|troubles| ("chaos", troubles.to_string())));
        figures.extend(self.interrupted.map(|_| ("ended", "early, by an interrupt".to_owned())));
        figures
    }

    /// The account, and what is wrong besides.
    fn shown(&self) -> String {
        let account = self.account.to_string();
        [account].iter().chain(&self.problems).map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    fn html(&self) -> Result<String, Error> {
        let figures: Vec<_> =
            self.figures().into_iter().map(|(name, text)| context! { name => name, text => text }).collect();
        let mut environment = Environment::new();
        environment.add_template(PAGE, include_str!("report.html"))?;
        Ok(environment.get_template(PAGE)?.render(context! {
            target => self.target.to_string(),
            verdict => self.verdict,
            is_good => self.is_good(),
            figures => figures,
            account => self.shown(),
            plot => Value::from_safe_string(self.plot()?),
        })?)
    }

    /// Latency over time, as SVG.
    fn plot(&self) -> Result<String, Error> {
        let points = &self.over_time;
        let last = points.last().map_or(1, |second| second.second.max(1)) as f64;
        let highest = points.iter().fold(1.0, |highest: f64, second| highest.max(second.p99));
        let mut svg = String::new();
        let area = SVGBackend::with_string(&mut svg, PLOT).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(64)
            .build_cartesian_2d(0.0..last, 0.0..highest * 1.05)?;
        chart.configure_mesh().x_desc("seconds").y_desc("milliseconds").light_line_style(TRANSPARENT).draw()?;
        for (name, colour, of) in [
            ("p99", RGBColor(0xb3, 0x26, 0x1e), (|second| second.p99) as fn(&Second) -> f64),
            ("p50", RGBColor(0x0b, 0x6e, 0x69), |second| second.p50),
        ] {
            let line = points.iter().map(|second| (second.second as f64, of(second)));
            chart
                .draw_series(LineSeries::new(line, colour.stroke_width(2)))?
                .label(name)
                .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], colour.stroke_width(2)));
        }
        chart.configure_series_labels().background_style(WHITE).border_style(BLACK.mix(0.3)).draw()?;
        area.present()?;
        drop((chart, area));
        Ok(svg)
    }
}

/// As the terminal shows it.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = table(&["soak", self.verdict]);
        for (name, text) in self.figures() {
            rows.add_row([name, &text]);
        }
        write!(f, "{rows}\n{}", self.shown())
    }
}
