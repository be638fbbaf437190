//! What the views ask for, at the volume that the contract promises: a scratch database gets the schema of the deployment
//! and that many rows, and answers each request as the data API would. How it found the rows decides, and how long it took;
//! and how long the deployment's own pages take when it answers them in the place of the deployment's.

#[cfg(feature = "embedded")]
mod asked;
#[cfg(feature = "embedded")]
mod filled;
#[cfg(feature = "embedded")]
mod plans;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    client::Session,
    contract::{Contract, View},
    deployment::Deployment,
    failure::{Failure, Verdict},
    network::Led,
};

#[cfg(feature = "embedded")]
use {
    crate::restore::Drill,
    asked::{all, role},
    filled::{People, analyze, fill, large},
    plans::{judged, milliseconds},
    secrecy::SecretString,
};

#[cfg(feature = "embedded")]
const CLAIM: &str = "what the views ask for is answered in time at the contract's volume";

/// How a request was answered.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The view and what of it, with the role of who looks.
    pub what: String,
    /// The request.
    pub request: String,
    /// By the database's own clock, the fastest of its tries.
    pub milliseconds: f64,
    /// Why it was not answered as promised.
    pub wrong: Vec<String>,
    /// What may be done.
    pub mend: Option<String>,
    /// `EXPLAIN (ANALYZE, FORMAT JSON)`.
    pub plan: Value,
}

/// A request that took too long is asked so many times: this machine may be busy.
#[cfg(feature = "embedded")]
const TIMES: usize = 3;

/// A scratch database with a deployment's schema and the contract's volume.
#[derive(Debug)]
pub struct AtVolume {
    #[cfg(feature = "embedded")]
    stand_in: portal::StandIn,
    #[cfg(feature = "embedded")]
    people: People,
    #[cfg(not(feature = "embedded"))]
    never: std::convert::Infallible,
}

#[cfg(feature = "embedded")]
impl AtVolume {
    /// Makes one, which ends when it is dropped, and with the process.
    ///
    /// # Errors
    /// Not run where there is no PostgreSQL or no URL of the deployment's database; undecided where it cannot be filled.
    pub async fn of(deployment: &Deployment) -> Verdict<Self> {
        let (contract, api) = (deployment.contract(), deployment.api()?);
        let volume = contract.volume()?;
        let claim = "nothing was asked at the contract's volume";
        let source = deployment.database(claim)?;
        let not_run = |error: portal::Error| Failure::not_run(claim).seen(error.to_string());
        let scratch = portal::postgres::ScratchDatabase::start().await.map_err(not_run)?;
        let url = SecretString::from(scratch.url().to_owned());
        let programs = portal::postgres::locate().map_err(not_run)?.bin;
        let drill = Drill { programs, pending: Vec::new() };
        let people = drill.schema(&source, &url, async || fill(contract, volume, &url).await).await?;
        analyze(volume, contract.make()?, &url).await?;
        let stand_in = portal::StandIn::of(&api.url, &api.anon_key, scratch).await.map_err(not_run)?;
        Ok(Self { stand_in, people })
    }

    /// Asks everything that the contract's views ask for.
    ///
    /// # Errors
    /// Undecided where a request is refused.
    pub async fn answers(&self, contract: &Contract) -> Verdict<Vec<Answered>> {
        let volume = contract.volume()?;
        let (plans, large) = (portal::Plans::on(self.stand_in.database()), large(volume, contract.make()?));
        let mut answered = Vec::new();
        for asked in all(contract, volume, &self.people.institution)? {
            let claims = self.people.claims(&asked.role);
            let refused = |why: String| {
                Failure::undecided(CLAIM).expected(format!("an answer to GET {}?{}", asked.path, asked.query)).seen(why)
            };
            let mut plan = plans.plan(&claims, &asked.path, &asked.query).await.map_err(refused)?;
            for _ in 1..TIMES {
                if milliseconds(&plan.tree) <= volume.answers_within_ms as f64 {
                    break;
                }
                let again = plans.plan(&claims, &asked.path, &asked.query).await.map_err(refused)?;
                plan = if milliseconds(&again.tree) < milliseconds(&plan.tree) { again } else { plan };
            }
            answered.push(judged(asked, volume, &large, &plan.tree, &plan.scanned));
        }
        Ok(answered)
    }

    /// The views that show rows of which there are many, each with who looks.
    ///
    /// # Errors
    /// Undecided where the contract has none.
    pub fn views<'c>(&self, contract: &'c Contract) -> Verdict<Vec<(&'c View, &'c str)>> {
        let large = large(contract.volume()?, contract.make()?);
        let mut views = Vec::new();
        for view in contract.views()? {
            let Some(reader) = view.readers.first() else { continue };
            let mut tables = BTreeSet::new();
            for list in &view.lists {
                tables.insert(crate::views::asked(contract, list, None)?.0);
            }
            if view.figures.is_some() || tables.iter().any(|table| large.contains(*table)) {
                views.push((view, reader.as_str()));
            }
        }
        Ok(views)
    }

    /// A session of somebody in a persona's role.
    pub(crate) async fn session(&self, contract: &Contract, persona: &str) -> Verdict<Session> {
        let undecided =
            |why: String| Failure::undecided(format!("{persona} is signed in at the contract's volume")).seen(why);
        let (role, _) = role(contract, persona, &self.people.institution)?;
        let user = self.people.user(&role).ok_or_else(|| undecided(format!("nobody is {role}")))?;
        let session = self.stand_in.session(user).await.map_err(|error| undecided(error.to_string()))?;
        serde_json::from_value(session).map_err(|error| undecided(error.to_string()))
    }

    /// How a browser comes here in the place of the deployment's API.
    pub(crate) fn led(&self, deployment: &Deployment) -> Verdict<Led> {
        let (url, stand_in) = (&deployment.api()?.url, &self.stand_in);
        Ok(Led::of(url, stand_in.address, stand_in.fingerprint.clone()))
    }
}

/// Without the embedded portal there is no scratch database.
#[cfg(not(feature = "embedded"))]
impl AtVolume {
    /// Makes none.
    ///
    /// # Errors
    /// Not run, always.
    pub async fn of(_: &Deployment) -> Verdict<Self> {
        Err(Failure::not_run("nothing was asked at the contract's volume").seen("this build has no scratch database"))
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    pub async fn answers(&self, _: &Contract) -> Verdict<Vec<Answered>> {
        match self.never {}
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    pub fn views<'c>(&self, _: &'c Contract) -> Verdict<Vec<(&'c View, &'c str)>> {
        match self.never {}
    }

    pub(crate) async fn session(&self, _: &Contract, _: &str) -> Verdict<Session> {
        match self.never {}
    }

    pub(crate) fn led(&self, _: &Deployment) -> Verdict<Led> {
        match self.never {}
    }
}
