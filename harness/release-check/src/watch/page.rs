//! The report: a plot of each metric with its limit, in one file that asks for no other.

use harness::{Outcome, Runbook};
use jiff::SignedDuration;
use minijinja::{Environment, Value, context};
use plotters::prelude::*;

use super::course::{Course, Sample};
use crate::Error;

/// Size of a plot.
const PLOT: (u32, u32) = (900, 260);

/// The page.
pub fn html(course: &Course) -> Result<String, Error> {
    let mut metrics = Vec::new();
    for (step, samples) in &course.samples {
        let title = Runbook::get().step(step).map_or("", |step| step.title.as_str());
        let bad = samples.iter().filter(|sample| sample.outcome == Outcome::Failed).count();
        let unanswered = samples.iter().filter(|sample| sample.outcome == Outcome::NotRun).count();
        let seen = samples.last().map_or("", |sample| sample.seen.as_str());
        let counts =
            format!("{} samples, {bad} over the limit, {unanswered} without an answer; last: {seen}", samples.len());
        metrics.push(context! { step, title, counts, plot => Value::from_safe_string(plot(samples)?) });
    }
    let mut environment = Environment::new();
    environment.add_template("index.html", include_str!("index.html"))?;
    let context = context! { metrics, verdict => course.last_word(), good => !course.was_in_breach() };
    Ok(environment.get_template("index.html")?.render(context)?)
}

/// A metric over time, as SVG; empty where nothing was measured.
fn plot(samples: &[Sample]) -> Result<String, Error> {
    let Some(begin) = samples.first().map(|sample| sample.at) else { return Ok(String::new()) };
    let minutes = |sample: &Sample| sample.at.duration_since(begin).as_secs_f64() / 60.0;
    let figures = || samples.iter().filter_map(|sample| sample.figure.as_ref());
    let Some(first) = figures().next() else { return Ok(String::new()) };
    let last = samples.last().map_or(0.0, minutes).max(0.1);
    let highest = figures().fold(first.limit, |highest, figure| highest.max(figure.value));
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, PLOT).into_drawing_area();
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..last, 0.0..highest * 1.1)?;
    let clock = |minutes: &f64| {
        let at = begin + SignedDuration::from_secs_f64(minutes * 60.0);
        at.strftime(if last > 2.0 * 24.0 * 60.0 { "%d %H:%M" } else { "%H:%M" }).to_string()
    };
    chart
        .configure_mesh()
        .x_desc("UTC")
        .x_label_formatter(&clock)
        .y_desc(&first.unit)
        .light_line_style(TRANSPARENT)
        .draw()?;
    let (line, limit) = (RGBColor(0x0b, 0x6e, 0x69), RGBColor(0xb3, 0x26, 0x1e));
    // Where nothing was measured, the line has a gap.
    for span in samples.split(|sample| sample.figure.is_none()) {
        let points = span.iter().filter_map(|sample| Some((minutes(sample), sample.figure.as_ref()?.value)));
        chart.draw_series(LineSeries::new(points, line.stroke_width(2)).point_size(2))?;
    }
    chart.draw_series(LineSeries::new([(0.0, first.limit), (last, first.limit)], limit.stroke_width(1)))?;
    area.present()?;
    drop((chart, area));
    Ok(svg)
}
