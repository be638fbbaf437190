//! Why no deployment could be opened: what, where it was looked for, what to do.

use std::{io, path::PathBuf};

use url::Url;

use super::settings::targets;
use crate::{contract, failure::Failure, obstacle::Obstacle};

/// Why no deployment could be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `HARNESS_TARGET` names none.
    #[error(
        "there is no target {name:?} (the environment variable HARNESS_TARGET)\nset it to one of {}, or unset it for the embedded portal",
        targets()
    )]
    UnknownTarget {
        /// What it was set to.
        name: String,
    },
    /// The embedded portal takes no URL.
    #[error(
        "HARNESS_TARGET=embedded and E2E_BASE_URL={url} contradict each other\nunset one of them: the embedded portal chooses its own address"
    )]
    ContradictoryTarget {
        /// What `E2E_BASE_URL` says.
        url: String,
    },
    /// The file of settings is there, or is named, and cannot be read.
    #[error(
        "the settings {} cannot be read: {source}\nset HARNESS_SETTINGS to a file that can be read, or unset it for harness.toml",
        path.display()
    )]
    UnreadableSettings {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `harness.toml` says something that no setting is.
    #[error("the settings {} are wrong at line {line}: {what}", path.display())]
    BadSettings {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A file of variables that is none.
    #[error("{} is no file of NAME=value lines: {source}", path.display())]
    BadVariables {
        /// The file.
        path: PathBuf,
        /// Why.
        source: dotenvy::Error,
    },
    /// A host that is served elsewhere, without what it takes to find it.
    #[error(
        "{name} does not say where a host is served: {why}\nboth HARNESS_HOST and HARNESS_CERTIFICATE are written by `portal --env-file`; start it again, or unset them"
    )]
    BadHost {
        /// The setting.
        name: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The Supabase CLI's stack does not say where it is.
    #[error(transparent)]
    Local(#[from] super::LocalProblem),
    /// Something else than the Supabase CLI's stack is named as the target `local`.
    #[error(
        "accounts are made in the Supabase CLI's own stack only, and {name} is not what supabase status reports of one\nunset VITE_SUPABASE_URL and VITE_SUPABASE_ANON_KEY in the environment, in local.env and in [local] of harness.toml"
    )]
    NotTheStack {
        /// What is not known of the stack.
        name: &'static str,
    },
    /// A value that has to be a URL.
    #[error(
        "{value:?} is not an http or https URL ({place})\nwrite it with its scheme, for example https://your-domain.com"
    )]
    NotAUrl {
        /// What it is.
        value: String,
        /// Where it stands.
        place: String,
    },
    /// A value that has to be there.
    #[error("{name} is not set ({looked_in})\nset it, for example {name}=https://staging.your-domain.com")]
    Missing {
        /// The name.
        name: &'static str,
        /// Where it was looked for.
        looked_in: String,
    },
    /// The contract cannot be used.
    #[error(transparent)]
    Contract(#[from] contract::Problem),
    /// The portal's host does not answer.
    #[error("{site} cannot be reached: {why}\ncheck E2E_BASE_URL, the network and the host's status page")]
    Unreachable {
        /// Where it should be.
        site: Url,
        /// The connection's error, with its causes.
        why: String,
    },
    /// The portal's host takes the connection, and that is all.
    #[error("{site} does not answer: {why}\ncheck the host's status page, and E2E_BASE_URL")]
    NoAnswer {
        /// Where it should be.
        site: Url,
        /// What was waited for, or broke.
        why: String,
    },
    /// The portal's host answers and cannot prove who it is.
    #[error(
        "{site} cannot prove who it is: {why}\nno check was run over a connection that may be somebody else's; renew the certificate or check E2E_BASE_URL"
    )]
    Tls {
        /// Where it should be.
        site: Url,
        /// The handshake's error, with its causes.
        why: String,
    },
    /// Something stands in front of the portal.
    #[error("{0}")]
    Obstacle(Obstacle),
    /// The portal's host answers with what nobody can read.
    #[error(
        "{site} answers, and not as a portal does: {why}\ncheck E2E_BASE_URL: it names something other than a portal"
    )]
    Unreadable {
        /// Where it should be.
        site: Url,
        /// What is wrong with the body.
        why: String,
    },
    /// The two institutions that are held against each other are one.
    #[error(
        "E2E_INSTITUTION_A_ID and E2E_INSTITUTION_B_ID are both {id}\nname two institutions: with one, nobody can see what is hidden from the other"
    )]
    SameInstitutions {
        /// The id.
        id: String,
    },
    /// A key that is not what its name says, or of another project.
    #[error(
        "SUPABASE_SERVICE_ROLE_KEY is the key of {given}; this deployment needs the one of {expected}\nit was not used; take the service_role key from the project's API settings"
    )]
    ForeignServiceKey {
        /// What the key is.
        given: String,
        /// What it should be.
        expected: String,
    },
    /// The clocks are too far apart for times and expiries to mean anything.
    #[error(
        "the clock here is {seconds} s {direction} the one of {site}\nset the clock (timedatectl set-ntp true): tokens, \"today\" and times of events cannot be judged by a wrong one"
    )]
    ClockSkew {
        /// The server.
        site: Url,
        /// How far.
        seconds: i64,
        /// `ahead of` or `behind`.
        direction: &'static str,
    },
    /// No HTTP client could be made.
    #[error("the HTTP client could not be set up: {0}\ncheck that the system's CA certificates are installed")]
    Http(#[source] reqwest::Error),
    /// The embedded portal did not start.
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    Embedded(#[from] portal::Error),
    /// This build has no embedded portal.
    #[cfg(not(feature = "embedded"))]
    #[error("this build has no embedded portal\nset HARNESS_TARGET, or build with the feature \"embedded\"")]
    NoEmbeddedPortal,
}

impl Error {
    pub(super) fn unreachable(site: Url, source: reqwest::Error) -> Self {
        let source = source.without_url();
        let why = crate::bounded::reason(&source);
        if is_tls(&source) { Self::Tls { site, why } } else { Self::Unreachable { site, why } }
    }
}

/// What every check says when there is no deployment: not run, or the obstacle that was met.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if let Error::Obstacle(obstacle) = error {
            return obstacle.failure();
        }
        let text = error.to_string();
        let (what, advice) = text.split_once('\n').unwrap_or((&text, ""));
        Failure::not_run(what).fact("do", advice).shared()
    }
}

/// Whether a TLS handshake is among the causes. Connectors wrap it in an `io::Error`, which hides it from `source`.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let hidden = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    error.is::<rustls::Error>() || hidden.is_some_and(|inner| is_tls(inner)) || error.source().is_some_and(is_tls)
}
