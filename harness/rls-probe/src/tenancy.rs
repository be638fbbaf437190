//! What somebody has to say of a database before it can be probed: who its tenants are and how users belong to them.
//! The rest is found out from the catalog; what was found out wrongly is overruled here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::names;

/// The `[tenancy]` table of a contract. Tenants are rows of a table, or, with `owner`, the users themselves.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tenancy {
    /// Schemas that the API exposes; `public` when none is named.
    pub schemas: Vec<String>,
    /// The table of tenants.
    pub tenant: Option<TenantTable>,
    /// The table that places users in tenants.
    pub members: Option<Members>,
    /// The table that gives users roles, where it is not the one that places them.
    pub granted: Option<Granted>,
    /// Where a user's tenant and role stand in their token, when they do.
    pub claim: Option<ClaimPaths>,
    /// Rows belong to users.
    pub owner: Option<Owner>,
    /// What the roles are, where their names do not say it.
    #[serde(skip_serializing_if = "Roles::is_empty")]
    pub roles: Roles,
    /// Whose the rows of a table are, where it was found out wrongly: a column's name, `through <column>` for the tenant
    /// of the row that it refers to, or `nobody` for rows that every tenant shares.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tables: BTreeMap<String, String>,
    /// What need not be decided, by name, with the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<Accepted>,
}

/// A table whose rows are tenants.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TenantTable {
    /// With its schema.
    pub table: String,
    /// Its key.
    #[serde(default = "id")]
    pub key: String,
    /// What other tables call the tenant.
    pub column: String,
    /// Columns of a tenant that is closed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub closed: BTreeMap<String, toml::Value>,
}

/// A table whose rows place a user in a tenant.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// With its schema.
    pub table: String,
    /// The column with the user's id.
    pub user: String,
    /// The column with the tenant's key.
    pub tenant: String,
    /// The column with the role.
    pub role: Option<String>,
    /// Columns of a member who is one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub state: BTreeMap<String, toml::Value>,
    /// Columns of members who are none any more, one table for each way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dead: Vec<BTreeMap<String, toml::Value>>,
}

/// A table whose rows give a user a role.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Granted {
    /// With its schema.
    pub table: String,
    /// The column with the user's id.
    pub user: String,
    /// The column with the role.
    pub role: String,
}

/// Where a token says what its user may do.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimPaths {
    /// To the tenant, such as `["app_metadata", "company_id"]`.
    pub path: Vec<String>,
    /// To the role.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub role: Vec<String>,
    /// The roles that there are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

/// How a row names the user that it belongs to.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// Columns with users' ids; the first that a table has says whose a row is first of all.
    pub columns: Vec<String>,
}

/// Roles that are more or less than the others.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Roles {
    /// Those who may see and change everything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub platform: Vec<String>,
    /// Those who may change nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub readers: Vec<String>,
    /// From the highest to the lowest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rank: Vec<String>,
}

/// Something that stays undecided and is known to.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// An object, with its schema.
    pub object: String,
    /// Why that is all right.
    pub reason: String,
}

fn id() -> String {
    "id".to_owned()
}

impl Tenancy {
    /// Whether it says whose rows are whose; otherwise that is inferred.
    pub fn is_given(&self) -> bool {
        let by_tenant = self.tenant.is_some() && (self.members.is_some() || self.claim.is_some());
        by_tenant || self.owner.is_some()
    }

    /// The schemas that are probed.
    pub fn exposed(&self) -> Vec<String> {
        if self.schemas.is_empty() { vec!["public".to_owned()] } else { self.schemas.clone() }
    }
}

impl Roles {
    fn is_empty(&self) -> bool {
        self.platform.is_empty() && self.readers.is_empty() && self.rank.is_empty()
    }

    /// Whether a role may do everything: said so, or named so.
    pub fn is_platform(&self, role: &str) -> bool {
        named(&self.platform, role, &names::PLATFORM_ROLES)
    }

    /// Whether a role may only read.
    pub fn is_reader(&self, role: &str) -> bool {
        named(&self.readers, role, &names::READER_ROLES)
    }

    /// How much a role may do; the highest is 0.
    pub fn rank(&self, role: &str) -> usize {
        match self.rank.iter().position(|named| named == role) {
            Some(rank) => rank,
            None if self.is_reader(role) => names::LOWEST_RANK,
            None => names::rank(role),
        }
    }
}

/// Said so, or, where nothing was said, named so.
fn named(said: &[String], role: &str, words: &[&str]) -> bool {
    if !said.is_empty() {
        return said.iter().any(|said| said == role);
    }
    names::is_role_of(role, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_ranked_by_their_names_where_nothing_is_said() {
        let roles = Roles::default();
        let order = ["PLATFORM_ADMIN", "owner", "INSTITUTION_ADMIN", "INSTITUTION_TREASURER", "member", "viewer"];
        assert!(order.is_sorted_by_key(|role| roles.rank(role)));
        assert!(roles.is_platform("PLATFORM_ADMIN") && !roles.is_platform("INSTITUTION_ADMIN"));
        assert!(roles.is_reader("INSTITUTION_AUDITOR") && !roles.is_reader("INSTITUTION_STAFF"));
        let said = Roles { platform: vec!["boss".to_owned()], rank: vec!["boss".to_owned()], ..roles };
        assert!(said.is_platform("boss") && !said.is_platform("PLATFORM_ADMIN"));
        assert_eq!(said.rank("boss"), 0);
    }
}
