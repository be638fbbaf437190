//! Tables and functions are shared out between two sessions, each with a transaction and a world of its own. Whatever the
//! second finds is probed again in the first, and so is what either kept the other from: all that is reported was seen in
//! one world, while nobody was in the way.

use std::{
    mem,
    sync::atomic::{AtomicUsize, Ordering},
};

use crate::{
    catalog::{Catalog, Function, Relation},
    desk::Desk,
    error::Error,
    record::Record,
    world::World,
};

use super::{Prober, functions::Called};

/// Below this many objects times actors, a second world costs more than it saves.
const WORTH: usize = 150;

/// What is probed by itself: nothing that its probes look at was found by those of another.
#[derive(Clone, Copy)]
enum Unit<'c> {
    /// All that is about members, whichever table it is in: it takes longest, and is begun first.
    Members,
    Table(&'c Relation),
    Function(&'c Function),
}

/// Units that each session takes the next of.
struct Share<'c> {
    units: Vec<Unit<'c>>,
    next: AtomicUsize,
}

/// What a session has probed while nobody was in the way: what was seen of each unit, and what functions answered
/// otherwise without the other tenant.
#[derive(Default)]
struct Probed {
    units: Vec<(usize, Record)>,
    answers: Record,
}

impl<'c> Share<'c> {
    fn of(catalog: &'c Catalog) -> Self {
        let is_tried =
            |relation: &&Relation| relation.is_table() && (relation.exposed || relation.title() == "storage.objects");
        let tables = catalog.relations.iter().filter(is_tried).map(Unit::Table);
        let functions = catalog.functions.iter().filter(|function| function.exposed && function.is_callable());
        let units = [Unit::Members].into_iter().chain(tables).chain(functions.map(Unit::Function));
        Self { units: units.collect(), next: AtomicUsize::new(0) }
    }

    fn take(&self) -> Option<(usize, Unit<'c>)> {
        let at = self.next.fetch_add(1, Ordering::Relaxed);
        Some((at, *self.units.get(at)?))
    }
}

impl<'p, 'c> Prober<'p, 'c> {
    /// Probes everything; in a second session as well, where the URL of one is given.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn run(desk: &'p mut Desk, world: &'p World<'c>, second: Option<&str>) -> Result<Record, Error> {
        let mut prober = Self::new(desk, world);
        prober.signing_up().await?;
        let share = Share::of(world.catalog);
        let actors: Vec<_> = prober.actors.iter().map(|actor| actor.name.clone()).collect();
        let second = second.filter(|_| share.units.len() * actors.len() >= WORTH);
        let first = mem::take(&mut prober.record);
        prober.desk.share(second.is_some()).await?;
        let (probed, beside) = tokio::join!(prober.work(&share), beside(second, world, &actors, &share));
        let Probed { units, answers } = probed?;
        prober.desk.share(false).await?;
        let (others, attempts) = beside;
        prober.desk.attempts += attempts;
        let mut records: Vec<Option<Record>> = share.units.iter().map(|_| None).collect();
        units.into_iter().chain(others).for_each(|(at, record)| records[at] = Some(record));
        let mut called = Vec::new();
        for (at, unit) in share.units.iter().enumerate() {
            if records[at].is_some() {
                continue;
            }
            let mut again = Prober { actors: prober.actors.clone(), ..Prober::new(&mut *prober.desk, world) };
            called.extend(again.unit(*unit).await?);
            records[at] = Some(again.record);
        }
        let functions = share.units.iter().position(|unit| matches!(unit, Unit::Function(_)));
        let functions = records.split_off(functions.unwrap_or(records.len()));
        prober.record = first;
        // Members come after all tables.
        records.rotate_left(1);
        records.into_iter().flatten().for_each(|record| prober.record.extend(record));
        prober.views().await?;
        functions.into_iter().flatten().for_each(|record| prober.record.extend(record));
        prober.record.extend(answers);
        prober.answers_without_the_other(called).await?;
        prober.exposures().await?;
        Ok(prober.record)
    }

    /// Takes units until there are no more.
    async fn work(&mut self, share: &Share<'c>) -> Result<Probed, Error> {
        let (mut probed, mut all_called) = (Probed::default(), Vec::new());
        while let Some((at, unit)) = share.take() {
            let before = self.desk.kept_waiting;
            let called = self.unit(unit).await?;
            let record = mem::take(&mut self.record);
            if self.desk.kept_waiting == before {
                probed.units.push((at, record));
                all_called.extend(called);
            }
        }
        let before = self.desk.kept_waiting;
        self.answers_without_the_other(all_called).await?;
        probed.answers = mem::take(&mut self.record);
        if self.desk.kept_waiting > before {
            probed.answers = Record::default();
            probed.units.retain(|(at, _)| !matches!(share.units[*at], Unit::Function(_)));
        }
        Ok(probed)
    }

    async fn unit(&mut self, unit: Unit<'c>) -> Result<Vec<Called<'c>>, Error> {
        match unit {
            Unit::Members => self.members().await.map(|()| Vec::new()),
            Unit::Table(relation) => self.tables_of(vec![relation]).await.map(|()| Vec::new()),
            Unit::Function(function) => self.calls_of(function).await,
        }
    }
}

/// What a second session has seen of units that nothing was found of, and how many attempts it made. What keeps it from
/// working leaves its units to the first.
async fn beside<'c>(
    url: Option<&str>,
    first: &World<'c>,
    actors: &[String],
    share: &Share<'c>,
) -> (Vec<(usize, Record)>, u64) {
    let Some(url) = url else { return (Vec::new(), 0) };
    let Ok(mut desk) = Desk::connect(url).await else { return (Vec::new(), 0) };
    let quiet = quiet(&mut desk, first, actors, share).await.unwrap_or_default();
    let attempts = desk.attempts;
    // A session that is lost has left nothing either.
    let _ = desk.end().await;
    let _ = desk.close().await;
    (quiet, attempts)
}

async fn quiet<'c>(
    desk: &mut Desk,
    first: &World<'c>,
    actors: &[String],
    share: &Share<'c>,
) -> Result<Vec<(usize, Record)>, Error> {
    desk.begin(None).await?;
    desk.share(true).await?;
    // The rows of the first are there already.
    desk.gives_way = true;
    let world = World::make(desk, first.catalog, first.tenancy).await?;
    desk.gives_way = false;
    let is_alike = world.gaps.keys().all(|oid| first.gaps.contains_key(oid)) && world.gaps.len() == first.gaps.len();
    let mut prober = Prober::new(desk, &world);
    prober.actors.retain(|actor| actors.contains(&actor.name));
    if !is_alike || prober.actors.len() != actors.len() || prober.desk.kept_waiting > 0 {
        return Ok(Vec::new());
    }
    let Probed { mut units, answers } = prober.work(share).await?;
    let told = answers.crossings.iter().map(|crossing| &crossing.object.name).collect::<Vec<_>>();
    let is_told = |at: usize| match share.units[at] {
        Unit::Members | Unit::Table(_) => false,
        Unit::Function(function) => told.contains(&&function.title()),
    };
    units.retain(|(at, record)| record.is_quiet() && !is_told(*at));
    Ok(units)
}
