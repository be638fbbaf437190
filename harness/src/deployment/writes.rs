//! Permission to change a deployment, and who gives it. Production gives none, unless the operator names its project
//! and a tenant that the contract marks as canary; then changes stay inside that tenant.

use uuid::Uuid;

use std::ops::Deref;

use super::{Api, Deployment};
use crate::{
    failure::{Failure, Verdict},
    permission::Permission,
    target::Target,
};

/// What the hosts of hosted projects end with.
const HOSTED: &str = ".supabase.co";

/// Permission to change a deployment: what changes anything takes one, and only [`Deployment::writes`] makes it.
#[derive(Debug, Clone, Copy)]
pub struct Writes<'d> {
    pub(super) deployment: &'d Deployment,
    /// The tenant that changes are confined to; none where checks make tenants of their own.
    pub(super) canary: Option<Uuid>,
    permission: Permission,
}

/// What changes a deployment asks for a [`Permission`].
impl Deref for Writes<'_> {
    type Target = Permission;

    fn deref(&self) -> &Permission {
        &self.permission
    }
}

impl Deployment {
    /// Permission to change this deployment.
    ///
    /// Embedded and local deployments give it; staging gives it for institutions that the check makes. Production, and
    /// a deployment without a name, give it only if `HARNESS_ALLOW_WRITES` is the ref of the target's project and
    /// `HARNESS_CANARY_INSTITUTION` a tenant that is there and that the contract marks as canary.
    ///
    /// # Errors
    /// Not run, saying what is missing.
    pub async fn writes(&self) -> Verdict<Writes<'_>> {
        match self.target() {
            Target::Embedded | Target::Local | Target::Staging => Ok(self.permit(None)),
            Target::Production | Target::Unnamed => Ok(self.permit(Some(self.canary().await?))),
        }
    }

    fn permit(&self, canary: Option<Uuid>) -> Writes<'_> {
        Writes { deployment: self, canary, permission: Permission::given() }
    }

    async fn canary(&self) -> Verdict<Uuid> {
        let project = self.api()?.project();
        let refused = |seen: String| {
            Failure::not_run("this deployment holds members' money, and writing to it has not been allowed")
                .expected(format!(
                    "HARNESS_ALLOW_WRITES={project} and HARNESS_CANARY_INSTITUTION=<id of a tenant in [canary] of the contract>"
                ))
                .seen(seen)
                .at(self.site().url("/").as_str())
                .advice("leave these checks out: -- --skip writes, or cargo nextest run --profile production")
                .shared()
        };
        let Some(allowed) = self.settings.find("HARNESS_ALLOW_WRITES") else {
            return Err(refused("HARNESS_ALLOW_WRITES is not set".to_owned()));
        };
        if allowed.value != project {
            return Err(refused(format!("HARNESS_ALLOW_WRITES={}, which is another project", allowed.value)));
        }
        let Some(named) = self.settings.find("HARNESS_CANARY_INSTITUTION") else {
            return Err(refused("HARNESS_CANARY_INSTITUTION is not set".to_owned()));
        };
        let marked = self.contract().canary().map(|canary| canary.institutions.as_slice()).unwrap_or_default();
        let Some(canary) = named.value.parse().ok().filter(|id| marked.contains(id)) else {
            return Err(refused(format!(
                "HARNESS_CANARY_INSTITUTION={}, which the contract does not mark as canary (it marks {})",
                named.value,
                if marked.is_empty() {
                    "none".to_owned()
                } else {
                    marked.iter().map(Uuid::to_string).collect::<Vec<_>>().join(", ")
                }
            )));
        };
        let table = &self.recipe("institution")?.table;
        let found =
            self.service()?.count(table, &[("id", &format!("eq.{canary}"))]).await.map_err(|error| {
                Failure::undecided("the canary institution can be looked up").seen(error.to_string())
            })?;
        if found == 1 { Ok(canary) } else { Err(refused(format!("no institution has the id {canary}"))) }
    }
}

impl Api {
    /// The project's ref: the first label of the host of a hosted project, else the host with its port.
    pub fn project(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        match host.strip_suffix(HOSTED) {
            Some(label) => label.to_owned(),
            None => self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
        }
    }

    /// Whether it is one of Supabase's own hosts, whose name is the project's ref.
    pub(super) fn is_hosted(&self) -> bool {
        self.url.host_str().is_some_and(|host| host.ends_with(HOSTED))
    }
}
