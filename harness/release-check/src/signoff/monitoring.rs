//! The runbook's "Monitoring Checklist": each figure with its limit, and how it went over the last releases.

use harness::{
    Runbook, Step,
    run::{Figure, JudgedStep},
};
use serde::Serialize;

use super::{as_text, line::Line, moment, state::State};
use crate::history::{Entry, shown};

/// Of a plot, in pixels; its text is HTML's.
const WIDTH: f64 = 200.0;
const HEIGHT: f64 = 48.0;
/// Room around what is drawn, for the dots' own size.
const MARGIN: f64 = 5.0;

/// A row of the "Monitoring Checklist".
#[derive(Serialize)]
pub struct Metric {
    name: &'static str,
    expected: &'static str,
    actual: String,
    #[serde(serialize_with = "as_text")]
    state: State,
    plot: Option<Plot>,
}

/// A figure over the last releases, this one last, below the line of its limit.
#[derive(Serialize)]
struct Plot {
    /// For those who do not see it.
    text: String,
    /// The course as SVG's `points`.
    course: String,
    dots: Vec<Dot>,
    limit: f64,
}

#[derive(Serialize)]
struct Dot {
    x: f64,
    y: f64,
    /// This release's.
    is_last: bool,
    is_over: bool,
}

impl Metric {
    /// Of a step that is one; `before` are the releases to compare with.
    pub fn of(step: &'static Step, line: &Line, judged: Option<&JudgedStep<'_>>, before: &[&Entry]) -> Option<Self> {
        let expected = step.expected.as_deref()?;
        let name = step.title.strip_suffix(expected)?.trim_end_matches([':', ' ']);
        let figure = judged
            .and_then(|judged| judged.checks.iter().find_map(|check| check.result.as_ref().ok()?.figure.as_ref()));
        let past: Vec<f64> = before.iter().filter_map(|entry| entry.figures.get(&step.id).copied()).collect();
        let plot = figure.filter(|figure| figure.value.is_finite() && figure.limit > 0.0);
        Some(Self {
            name,
            expected,
            actual: line.actual.clone(),
            state: line.state,
            plot: plot.map(|figure| Plot::of(figure, &past)),
        })
    }
}

impl Plot {
    fn of(figure: &Figure, past: &[f64]) -> Self {
        let values: Vec<f64> = past.iter().copied().filter(|value| value.is_finite()).chain([figure.value]).collect();
        let highest = values.iter().copied().fold(figure.limit, f64::max) * 1.1;
        let y = |value: f64| rounded(HEIGHT - MARGIN - value / highest * (HEIGHT - 2.0 * MARGIN));
        // The last one stands at the right, however many there were before.
        let step = (WIDTH - 2.0 * MARGIN) / (values.len().max(2) - 1) as f64;
        let x = |index: usize| rounded(WIDTH - MARGIN - (values.len() - 1 - index) as f64 * step);
        let dot = |(index, value): (usize, &f64)| Dot {
            x: x(index),
            y: y(*value),
            is_last: index + 1 == values.len(),
            is_over: *value >= figure.limit,
        };
        let dots: Vec<_> = values.iter().enumerate().map(dot).collect();
        let course: Vec<_> = dots.iter().map(|dot| format!("{},{}", dot.x, dot.y)).collect();
        let mut text = format!("{} {}, limit {}", shown(figure.value), figure.unit, shown(figure.limit));
        if !past.is_empty() {
            let past: Vec<_> = past.iter().map(|value| shown(*value)).collect();
            text += &format!("; before: {}", past.join(", "));
        }
        Self { text, course: course.join(" "), dots, limit: y(figure.limit) }
    }
}

/// To a tenth of a pixel.
fn rounded(pixels: f64) -> f64 {
    (pixels * 10.0).round() / 10.0
}

/// An earlier release of the target.
#[derive(Serialize)]
pub struct Earlier {
    when: String,
    release: String,
    verdict: String,
    counts: String,
    figures: Vec<String>,
}

impl Earlier {
    /// Of the line that is kept of it.
    pub fn of(entry: &Entry) -> Self {
        let figure = |step: &Step| entry.figures.get(&step.id).map(|value| shown(*value)).unwrap_or_default();
        Self {
            when: moment(entry.at),
            release: entry.release.clone().unwrap_or_else(|| "not known".to_owned()),
            verdict: entry.verdict.to_string(),
            counts: entry.sum(),
            figures: monitored().map(figure).collect(),
        }
    }

    /// What the figures are of.
    pub fn figures() -> Vec<&'static str> {
        monitored().map(|step| step.title.as_str()).collect()
    }
}

fn monitored() -> impl Iterator<Item = &'static Step> {
    Runbook::get().steps().iter().filter(|step| step.is_monitored())
}
