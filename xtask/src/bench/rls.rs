//! `cargo xtask bench rls`: each hole of each schema, made and looked for. What was missed, what its fixes leave open or break,
//! which script shows nothing, by name; the four figures that there are goals for; and how long it took.

use std::{fmt, str::FromStr};

use tokio::runtime::Builder;

use super::median;
use crate::{
    Error, Verdict,
    holes::{Hole, Judged, Schema},
    print, say, setup,
    table::table,
};

/// The share of holes that are to be found by object, verb, actors and effect, in percent.
const FOUND: usize = 98;
/// The share of findings that a printed fix is to close.
const CLOSED: usize = 90;

/// What to look for.
#[derive(clap::Args)]
pub struct Options {
    /// Only holes that have this in their names
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Only this schema
    #[arg(long, value_name = "NAME")]
    schema: Option<String>,
    /// Only the first, second, … of so many parts of each schema's holes
    #[arg(long, value_name = "1/2", default_value = "1/1")]
    part: Part,
    /// What probing costs as a schema grows, instead
    #[arg(long)]
    sizes: bool,
    /// How many of the holes other tools name by object, instead
    #[arg(long, conflicts_with = "sizes")]
    peers: bool,
}

/// Every so manyth hole, from one of the first.
#[derive(Debug, Clone, Copy)]
struct Part {
    number: usize,
    of: usize,
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, of) = text.split_once('/').ok_or("a part is written as 1/2, the first of two")?;
        let number: usize = number.parse().map_err(|_| format!("{number} is no number"))?;
        let of: usize = of.parse().map_err(|_| format!("{of} is no number"))?;
        match (1..=of).contains(&number) {
            true => Ok(Self { number, of }),
            false => Err(format!("there is no part {number} of {of}")),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// What came of holes together.
#[derive(Debug, Clone, Default)]
struct Figures {
    /// Findings in the schema without a hole, and what could not be decided there.
    tight: (usize, usize),
    holes: usize,
    found: usize,
    /// Holes that no look distinguishes from intent, each with its reason.
    excused: usize,
    findings: usize,
    /// Findings whose printed fix closes them.
    closed: usize,
    /// Holes with a fix that leaves open what it was tried for, opens something or takes what was somebody's right.
    broken: usize,
    scripts: usize,
    ran: usize,
    times: Vec<f64>,
}

impl Figures {
    fn of(judged: &[Judged], holes: &[Hole], tight: (usize, usize)) -> Self {
        let sum = |of: fn(&Judged) -> usize| judged.iter().map(of).sum::<usize>();
        let is_excused = |(judged, hole): &(&Judged, &Hole)| !judged.is_found && hole.missed.is_some();
        Self {
            tight,
            holes: judged.len(),
            found: judged.iter().filter(|judged| judged.is_found).count(),
            excused: judged.iter().zip(holes).filter(is_excused).count(),
            findings: sum(|judged| judged.findings),
            closed: judged
                .iter()
                .filter(|judged| judged.unmended.is_empty())
                .map(|judged| judged.findings - judged.advised.len())
                .sum(),
            broken: judged.iter().filter(|judged| !judged.unmended.is_empty()).count(),
            scripts: sum(|judged| judged.scripts),
            ran: sum(|judged| judged.scripts - judged.unshown.len()),
            times: judged.iter().map(|judged| judged.took_ms as f64).collect(),
        }
    }

    fn add(&mut self, other: Self) {
        self.tight = (self.tight.0 + other.tight.0, self.tight.1 + other.tight.1);
        self.holes += other.holes;
        self.found += other.found;
        self.excused += other.excused;
        self.findings += other.findings;
        self.closed += other.closed;
        self.broken += other.broken;
        self.scripts += other.scripts;
        self.ran += other.ran;
        self.times.extend(other.times);
    }

    /// Whether each figure is what it is to be.
    fn are_good(&self) -> bool {
        self.tight == (0, 0)
            && self.found * 100 >= self.holes * FOUND
            && self.closed * 100 >= self.findings * CLOSED
            && self.broken == 0
            && self.ran == self.scripts
    }

    fn row(&self, name: &str) -> Result<[String; 7], Error> {
        Ok([
            name.to_owned(),
            format!("{}, undecided {}", self.tight.0, self.tight.1),
            format!("{} of {}", self.found, self.holes),
            format!("{} of {}", self.closed, self.findings),
            self.broken.to_string(),
            format!("{} of {}", self.ran, self.scripts),
            if self.times.is_empty() { String::new() } else { format!("{:.0} ms", median(&self.times)?) },
        ])
    }
}

impl Options {
    /// The schemas, with those of their holes that are to be looked for.
    fn schemas(&self) -> Result<Vec<Schema>, Error> {
        let is_meant = |schema: &Schema| self.schema.as_ref().is_none_or(|name| name == schema.name);
        let mut schemas: Vec<_> = Schema::all()?.into_iter().filter(is_meant).collect();
        for schema in &mut schemas {
            schema.holes.retain(|hole| hole.name.contains(&self.only));
            let holes = std::mem::take(&mut schema.holes).into_iter();
            schema.holes = holes.skip(self.part.number - 1).step_by(self.part.of).collect();
        }
        Ok(schemas)
    }
}

pub fn run(options: &Options) -> Verdict {
    if options.sizes {
        return super::rls_sizes::run();
    }
    setup::ensure()?;
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let mut rows = table(&["schema", "findings, tight", "holes found", "closed by fixes", "broken", "scripts run", "median"]);
        let mut all = Figures::default();
        let schemas = options.schemas()?;
        if options.peers {
            print(&super::rls_peers::compare(&schemas).await?);
            return Ok(true);
        }
        for schema in schemas {
            let portal = schema.start().await?;
            let tight = schema.tight(&portal).await?;
            let judged = schema.judge_all(&portal, &tight).await?;
            judged.iter().zip(&schema.holes).for_each(|(judged, hole)| tell(schema.name, judged, hole));
            if !tight.is_good() {
                say(&format!("{} as it is: {tight}", schema.name));
            }
            let figures = Figures::of(&judged, &schema.holes, (tight.findings.len(), tight.undecided.len()));
            rows.add_row(figures.row(schema.name)?);
            all.add(figures);
        }
        rows.add_row(all.row("all")?);
        print(&rows.to_string());
        print(&format!(
            "Of the holes that were not found, {} are named with the reason why no look can distinguish them from intent.",
            all.excused
        ));
        Ok(all.are_good())
    })
}

/// What is not as it should be with one hole.
fn tell(schema: &str, judged: &Judged, hole: &Hole) {
    let name = &judged.hole;
    if !judged.is_found {
        let why = hole.missed.as_deref().unwrap_or("unexpectedly");
        say(&format!("missed   {schema} {name} ({why}): {}", hole.about));
        judged.shown.iter().for_each(|shown| say(&format!("         instead: {shown}")));
    }
    judged.unmended.iter().for_each(|what| say(&format!("broken   {schema} {name}: {what}")));
    judged.unshown.iter().for_each(|what| say(&format!("unshown  {schema} {name}: {what}")));
    judged.advised.iter().for_each(|what| say(&format!("advice   {schema} {name}: {what}")));
}
