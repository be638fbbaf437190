//! Institutions that checks make to write in, the people and rows in them, and their end.
//!
//! Everything carries the run's id. At the end it is deleted, or closed where it cannot be deleted (a ledger keeps its
//! rows); what stays is listed. A later run closes what a killed one left.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Map, Value};
use tokio::sync::{OnceCell, RwLock};
use uuid::Uuid;

use super::{Deployment, Writes};
use crate::{
    client::{ClientError, Session},
    contract::Recipe,
    ending,
    failure::{Failure, Verdict},
    target::Target,
};

/// What the names of all that checks make begin with.
pub const MADE_BY_CHECKS: &str = "release-check";

/// Leftovers are somebody else's run until they are as old as this.
const LEFT_BEHIND_AFTER: Duration = Duration::from_secs(3600);

/// This run, in names: short, and unique enough for one deployment.
pub(crate) static RUN: LazyLock<String> = LazyLock::new(|| Uuid::new_v4().simple().to_string()[..8].to_owned());

/// What was made in a deployment and has to be removed, in the order of making.
#[derive(Debug, Default)]
pub(super) struct AllMade {
    list: Mutex<Vec<Made>>,
    /// Read by who makes something, from the request to its place in the list; written by who removes all of it.
    under_way: RwLock<()>,
}

#[derive(Debug, Clone)]
pub(super) enum Made {
    User { id: String },
    Row { kind: String, id: String },
}

/// Institutions of this process by their label; several checks may share one.
pub(super) type Tenants = tokio::sync::Mutex<HashMap<String, Arc<OnceCell<Verdict<Arc<Tenant>>>>>>;

/// An institution that checks may write in.
#[derive(Debug)]
pub struct Tenant {
    /// The id.
    pub id: String,
    people: tokio::sync::Mutex<HashMap<String, Arc<OnceCell<Verdict<Person>>>>>,
}

/// Somebody who works in a [`Tenant`].
#[derive(Debug, Clone)]
pub struct Person {
    /// The user's id.
    pub id: String,
    /// The address that they sign in with.
    pub email: String,
    /// The password.
    pub password: SecretString,
    /// Signed in once, and shared.
    pub session: Session,
}

impl<'d> Writes<'d> {
    /// This run, in names: eight hexadecimal digits.
    pub fn run(&self) -> &'static str {
        &RUN
    }

    /// The institution with this label: made when it is asked for first, and shared by the checks of this process. On
    /// production there is one, the canary.
    ///
    /// # Errors
    /// Not run without the service's key, or for a second institution on production.
    pub async fn institution(&self, label: &str) -> Verdict<Arc<Tenant>> {
        let cell = Arc::clone(self.deployment.tenants.lock().await.entry(label.to_owned()).or_default());
        cell.get_or_init(async || self.open(label).await).await.clone()
    }

    async fn open(&self, label: &str) -> Verdict<Arc<Tenant>> {
        self.deployment.service()?;
        let tenant = |id: String| Arc::new(Tenant { id, people: tokio::sync::Mutex::default() });
        if let Some(canary) = self.canary {
            return match label {
                "ours" => Ok(tenant(canary.to_string())),
                _ => Err(Failure::not_run("a second institution to write in is there")
                    .expected("institutions that a check may make")
                    .seen(format!("only the canary {canary}"))
                    .advice("run this check on staging")),
            };
        }
        self.sweep().await?;
        let mark = Uuid::new_v4().simple().to_string()[..12].to_uppercase();
        let values = [
            ("name", format!("{MADE_BY_CHECKS} {} {label}", *RUN).into()),
            ("code", format!("RC-{mark}").into()),
            ("now", Timestamp::now().to_string().into()),
        ];
        let made = self.row("institution", &values, &Map::new()).await?;
        Ok(tenant(text(&made, "id")))
    }

    /// A person with this role in a tenant, signed in.
    ///
    /// # Errors
    /// Undecided when the account cannot be made or does not get in.
    pub async fn person(&self, tenant: &Tenant, role: &str) -> Verdict<Person> {
        let cell = Arc::clone(tenant.people.lock().await.entry(role.to_owned()).or_default());
        cell.get_or_init(async || self.hire(tenant, role).await).await.clone()
    }

    async fn hire(&self, tenant: &Tenant, role: &str) -> Verdict<Person> {
        let (auth, key) = (self.deployment.auth()?, self.deployment.service_key()?);
        let (name, email, password) = credentials();
        let id = {
            let _under_way = self.deployment.made.under_way.read().await;
            go_on()?;
            let id =
                auth.create_user(self, &key, &email, &password, &Map::new()).await.map_err(unmade("an account"))?;
            self.deployment.remember(Made::User { id: id.clone() });
            id
        };
        let profile: [(&str, Value); 7] = [
            ("user", id.clone().into()),
            ("institution", tenant.id.clone().into()),
            ("role", role.into()),
            ("email", email.clone().into()),
            ("code", format!("RC-{}", &name[name.len() - 12..].to_uppercase()).into()),
            ("now", Timestamp::now().to_string().into()),
            ("name", name.into()),
        ];
        self.row("profile", &profile, &Map::new()).await?;
        // Some portals keep roles in a table of their own.
        if self.recipe("role").is_ok() {
            self.row("role", &profile, &Map::new()).await?;
        }
        let session = Deployment::admit(&auth, &email, &password).await.map_err(unmade("a session"))?;
        Ok(Person { id, email, password, session })
    }

    /// An account whose address nobody has confirmed: the address and the password.
    ///
    /// # Errors
    /// Undecided when it cannot be made.
    pub async fn unconfirmed(&self) -> Verdict<(String, SecretString)> {
        let (auth, key) = (self.deployment.auth()?, self.deployment.service_key()?);
        let (_, email, password) = credentials();
        let _under_way = self.deployment.made.under_way.read().await;
        go_on()?;
        let made = auth.create_unconfirmed(self, &key, &email, &password).await;
        let id = made.map_err(unmade("an account whose address nobody has confirmed"))?;
        self.deployment.remember(Made::User { id });
        Ok((email, password))
    }

    /// A further session of a person.
    ///
    /// # Errors
    /// Undecided when they do not get in.
    pub async fn sign_in(&self, person: &Person) -> Verdict<Session> {
        let auth = self.deployment.auth()?;
        Deployment::admit(&auth, &person.email, &person.password).await.map_err(unmade("a session"))
    }

    /// Shuts a person out, as an administrator does.
    ///
    /// # Errors
    /// Undecided when the auth server does not do it.
    pub async fn ban(&self, person: &Person) -> Verdict {
        let (auth, key) = (self.deployment.auth()?, self.deployment.service_key()?);
        auth.ban_user(self, &key, &person.id).await.map_err(unmade("somebody who is banned"))
    }

    /// Deletes a person's account, as an administrator does.
    ///
    /// # Errors
    /// Undecided when the auth server does not do it.
    pub async fn dismiss(&self, person: &Person) -> Verdict {
        let (auth, key) = (self.deployment.auth()?, self.deployment.service_key()?);
        auth.delete_user(self, &key, &person.id).await.map_err(unmade("somebody who has left"))
    }

    /// A row of the contract's `kind` in a tenant; `{institution}`, `{name}`, `{code}`, `{reference}` and `{now}` are
    /// given, unless `values` gives others. A further kind that the recipe names is made first: `{kind}` is its id.
    /// Answers with the row.
    ///
    /// # Errors
    /// Undecided when the row cannot be made.
    pub async fn make(&self, tenant: &Tenant, kind: &str, values: &[(&str, Value)]) -> Verdict<Value> {
        self.make_with(tenant, kind, values, &Map::new()).await
    }

    /// The same with these columns in the place of the recipe's.
    ///
    /// # Errors
    /// Undecided when the row cannot be made.
    pub async fn make_with(
        &self,
        tenant: &Tenant,
        kind: &str,
        values: &[(&str, Value)],
        columns: &Map<String, Value>,
    ) -> Verdict<Value> {
        let mark = Uuid::new_v4().simple().to_string()[..12].to_uppercase();
        let mut all: Vec<(&str, Value)> = vec![
            ("institution", tenant.id.clone().into()),
            ("name", format!("{MADE_BY_CHECKS} {} {mark}", *RUN).into()),
            ("code", format!("RC-{mark}").into()),
            ("reference", format!("RC{mark}").into()),
            ("now", Timestamp::now().to_string().into()),
        ];
        all.retain(|(name, _)| !values.iter().any(|(given, _)| given == name));
        all.extend_from_slice(values);
        let recipe = self.deployment.recipe(kind)?;
        for further in named(recipe, columns).filter(|further| self.deployment.recipe(further).is_ok()) {
            if all.iter().all(|(given, _)| *given != further) {
                // What a row of this kind needs has nothing where it needs such a row itself.
                let given: Vec<_> = values.iter().cloned().chain([(kind, Value::Null)]).collect();
                let row =
                    if further == kind { Value::Null } else { Box::pin(self.make(tenant, further, &given)).await? };
                all.push((further, row["id"].clone()));
            }
        }
        self.row(kind, &all, columns).await
    }

    /// How a kind of row is made.
    ///
    /// # Errors
    /// Undecided where the contract does not say it.
    pub fn recipe(&self, kind: &str) -> Verdict<&'d Recipe> {
        self.deployment.recipe(kind)
    }

    async fn row(&self, kind: &str, values: &[(&str, Value)], columns: &Map<String, Value>) -> Verdict<Value> {
        let _under_way = self.deployment.made.under_way.read().await;
        go_on()?;
        let recipe = self.deployment.recipe(kind)?;
        let mut row = filled(recipe, values);
        row.extend(columns.clone());
        let (service, row) = (self.deployment.service()?, Value::from(row));
        let made = match service.insert(self, &recipe.table, &row).await {
            Err(ClientError::Refused(refusal)) if refusal.code.as_deref() == Some(IS_THERE) => {
                self.change_what_is_there(recipe, &row).await.unwrap_or(Err(ClientError::Refused(refusal)))
            }
            made => made,
        };
        let made = made.map_err(unmade(kind))?;
        // A profile ends with its user.
        let id = text(&made, "id");
        if !id.is_empty() {
            self.deployment.remember(Made::Row { kind: kind.to_owned(), id });
        }
        Ok(made)
    }

    /// Changes the row that a trigger has made for a user, into the one that was to be made; none where there is no such row.
    async fn change_what_is_there(&self, recipe: &Recipe, row: &Value) -> Option<Result<Value, ClientError>> {
        let (user, _) = recipe.values.iter().find(|(_, template)| template.as_str() == Some("{user}"))?;
        let filter = format!("eq.{}", row[user].as_str()?);
        let query = [(user.as_str(), filter.as_str())];
        let service = self.deployment.service().ok()?;
        let changed = async {
            service.update(self, &recipe.table, &query, row).await?;
            let rows = service.select(&recipe.table, &query).await?;
            Ok(rows.into_iter().next())
        };
        changed.await.transpose()
    }

    /// Closes what runs that were killed left behind.
    async fn sweep(&self) -> Verdict {
        let (service, auth, key) =
            (self.deployment.service()?, self.deployment.auth()?, self.deployment.service_key()?);
        let before = Timestamp::now() - jiff::SignedDuration::try_from(LEFT_BEHIND_AFTER).unwrap_or_default();
        let at = |value: &Value| value.as_str().and_then(|at| at.parse::<Timestamp>().ok());
        // By when it was made, or, where no column has the usual name, by all times that it has.
        let is_old = |row: &Value| match at(&row["created_at"]) {
            Some(made) => made < before,
            None => {
                let mut times = row.as_object().into_iter().flat_map(Map::values).filter_map(at).peekable();
                times.peek().is_some() && times.all(|at| at < before)
            }
        };
        let recipe = self.deployment.recipe("institution")?;
        if let Some((column, _)) = recipe.values.iter().find(|(_, template)| template.as_str() == Some("{name}")) {
            let named = format!("like.{MADE_BY_CHECKS} *");
            let tenants = service.select(&recipe.table, &[(column.as_str(), &named), ("select", "*")]).await;
            for tenant in tenants.map_err(unmade("a look at what was left behind"))? {
                let is_open =
                    recipe.closed.is_empty() || recipe.closed.iter().any(|(column, value)| tenant[column] != *value);
                if is_old(&tenant) && is_open {
                    self.remove(&Made::Row { kind: "institution".to_owned(), id: text(&tenant, "id") }).await;
                }
            }
        }
        let users = auth.users(&key, 1).await.map_err(unmade("a look at what was left behind"))?;
        for user in users {
            let ours = user["email"].as_str().is_some_and(|email| email.starts_with(&format!("{MADE_BY_CHECKS}-")));
            if ours && at(&user["created_at"]).is_some_and(|at| at < before) {
                self.remove(&Made::User { id: text(&user, "id") }).await;
            }
        }
        Ok(())
    }

    /// Removes what was made; answers with what is left of it, in words.
    async fn remove(&self, made: &Made) -> Option<String> {
        match made {
            Made::User { id } => {
                let key = self.deployment.service_key().ok()?;
                match self.deployment.auth().ok()?.delete_user(self, &key, id).await {
                    Err(ClientError::Refused(refusal)) if refusal.code.as_deref() == Some("user_not_found") => None,
                    removed => removed.err().map(|error| format!("user {id}: {error}")),
                }
            }
            Made::Row { kind, id } => {
                let (recipe, service) = (self.deployment.recipe(kind).ok()?, self.deployment.service().ok()?);
                let (id, query) = (id.as_str(), format!("eq.{id}"));
                let query = [("id", query.as_str())];
                let Err(error) = service.delete(self, &recipe.table, &query).await else { return None };
                let closed: Map<String, Value> = recipe.closed.clone().into_iter().collect();
                let state = if closed.is_empty() {
                    "stays"
                } else if service.update(self, &recipe.table, &query, &closed.into()).await.is_ok() {
                    "is closed and stays"
                } else {
                    "stays open"
                };
                let why = match error {
                    ClientError::Refused(refusal) => refusal.message,
                    error => error.to_string(),
                };
                Some(format!("{} {id} {state}: {why}", recipe.table))
            }
        }
    }
}

impl Deployment {
    pub(super) fn recipe(&self, kind: &str) -> Verdict<&Recipe> {
        self.contract().make()?.get(kind).ok_or_else(|| {
            Failure::undecided(format!("the contract says how a {kind} is made")).expected(format!("[make.{kind}]"))
        })
    }

    /// Removes all that was made here with a [`Writes`]; answers with what stays, in words. The embedded portal goes
    /// with its process, and with it what is in it; the deployment that checks share is tidied when the process ends.
    pub async fn tidy(&self) -> Vec<String> {
        // What is being made at this moment is waited for: it would stay.
        let under_way = self.made.under_way.write().await;
        let made = std::mem::take(&mut *self.made.list.lock().unwrap_or_else(PoisonError::into_inner));
        drop(under_way);
        let mut stays = Vec::new();
        if made.is_empty() || self.target() == Target::Embedded {
            return stays;
        }
        let Ok(writes) = self.writes().await else { return stays };
        let mut left: Vec<_> = made.iter().rev().collect();
        // Rows that the portal itself made hold up who made them, until what they belong to is gone.
        loop {
            let (before, tried) = (left.len(), std::mem::take(&mut left));
            stays.clear();
            for made in tried {
                if let Some(why) = writes.remove(made).await {
                    left.push(made);
                    stays.push(why);
                }
            }
            if left.is_empty() || left.len() == before {
                return stays;
            }
        }
    }

    fn remember(&self, made: Made) {
        self.made.list.lock().unwrap_or_else(PoisonError::into_inner).push(made);
    }
}

/// A row with this key is there already.
const IS_THERE: &str = "23505";

/// A name, an address and a password that nobody has yet.
fn credentials() -> (String, String, SecretString) {
    let name = format!("{MADE_BY_CHECKS}-{}-{}", *RUN, Uuid::new_v4().simple());
    let email = format!("{name}@example.com");
    (name, email, SecretString::from(Uuid::new_v4().to_string()))
}

/// The names in braces that are a column's whole value, where nothing else takes its place.
fn named<'r>(recipe: &'r Recipe, instead: &Map<String, Value>) -> impl Iterator<Item = &'r str> {
    let values = recipe.values.iter().filter(|(column, _)| !instead.contains_key(*column));
    values.filter_map(|(_, value)| value.as_str()?.strip_prefix('{')?.strip_suffix('}'))
}

/// The recipe's values, with `{names}` replaced: as a whole by the value itself, inside a text by its text.
fn filled(recipe: &Recipe, values: &[(&str, Value)]) -> Map<String, Value> {
    let fill = |template: &Value| {
        let Some(text) = template.as_str() else { return template.clone() };
        if let Some((_, value)) = values.iter().find(|(name, _)| text == format!("{{{name}}}")) {
            return value.clone();
        }
        let filled = values.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value.as_str().unwrap_or_default())
        });
        filled.into()
    };
    recipe.values.iter().map(|(column, template)| (column.clone(), fill(template))).collect()
}

/// What a column holds; ids may be numbers.
fn text(row: &Value, column: &str) -> String {
    match &row[column] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

fn unmade(what: &str) -> impl Fn(ClientError) -> Failure {
    move |error| Failure::undecided(format!("the check can make {what} to work with")).seen(error.to_string())
}

fn go_on() -> Verdict {
    if ending::has_begun() { Err(Failure::not_run("the run was interrupted").shared()) } else { Ok(()) }
}
