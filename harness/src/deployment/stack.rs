//! The people of a contract in the Supabase CLI's stack, where nobody has made accounts yet.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::{Api, Error, http_client, settings::Settings};
use crate::{
    client::AuthClient,
    failure::{Failure, Verdict},
    permission::Permission,
    target::Target,
};

/// The stack of the CLI on this machine, with what it takes to let people in.
#[derive(Debug)]
pub struct Stack {
    api: Api,
    http: reqwest::Client,
    service_key: SecretString,
    database: SecretString,
}

impl Stack {
    /// The one that runs.
    ///
    /// # Errors
    /// When none runs, or when settings name another project in its place: accounts are made nowhere else.
    pub fn running() -> Result<Self, Error> {
        let settings = Settings::read_as(Target::Local)?;
        let reported = |name| settings.reported(name).ok_or(Error::NotTheStack { name });
        let url = reported("VITE_SUPABASE_URL")?;
        let place = "API_URL of supabase status".to_owned();
        let url = url.parse().map_err(|_| Error::NotAUrl { value: url.to_owned(), place })?;
        Ok(Self {
            api: Api { url, anon_key: reported("VITE_SUPABASE_ANON_KEY")?.to_owned() },
            http: http_client()?,
            service_key: reported("SUPABASE_SERVICE_ROLE_KEY")?.into(),
            database: reported("SUPABASE_DB_URL")?.into(),
        })
    }

    /// Where it is.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Makes somebody an account, or gives the one of that address this password, and runs SQL for it; `:user_id` in it is
    /// the user's id.
    ///
    /// # Errors
    /// Not run, with what the auth server or the database says.
    pub async fn let_in(
        &self,
        email: &str,
        password: &SecretString,
        metadata: &Map<String, Value>,
        sql: Option<&str>,
    ) -> Verdict {
        let not_run = |seen: String| {
            Failure::not_run(format!("{email} can be let into the stack")).seen(seen).at(self.api.url.as_str())
        };
        let permission = Permission::given();
        let auth = AuthClient::new(self.http.clone(), self.api.url.clone(), self.api.anon_key.clone());
        let known = self.user(&auth, email).await.map_err(|error| not_run(error.to_string()))?;
        let id = match known {
            Some(id) => id,
            None => auth
                .create_user(&permission, &self.service_key, email, password, metadata)
                .await
                .map_err(|error| not_run(error.to_string()))?,
        };
        let user = auth.set_user(&permission, &self.service_key, &id, password, metadata).await;
        user.map_err(|error| not_run(error.to_string()))?;
        let Some(sql) = sql else { return Ok(()) };
        let sql = sql.replace(":user_id", &format!("'{id}'"));
        let run = async {
            let mut connection = PgConnection::connect(self.database.expose_secret()).await?;
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
            connection.close().await
        };
        run.await.map_err(|error: sqlx::Error| not_run(error.to_string()))
    }

    /// The id of whoever has this address.
    async fn user(&self, auth: &AuthClient, email: &str) -> Result<Option<String>, crate::client::ClientError> {
        for page in 1.. {
            let users = auth.users(&self.service_key, page).await?;
            let is_theirs = |user: &&Value| user["email"].as_str().is_some_and(|it| it.eq_ignore_ascii_case(email));
            match users.iter().find(is_theirs) {
                Some(user) => return Ok(user["id"].as_str().map(str::to_owned)),
                None if users.is_empty() => break,
                None => {}
            }
        }
        Ok(None)
    }
}
