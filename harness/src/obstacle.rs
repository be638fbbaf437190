//! What stands between the checks and the portal: a password, bot protection, an access page, a limit, a gateway. It
//! says nothing about the release, so whoever meets it is undecided, and nobody is asked to roll back.

use std::fmt;

use reqwest::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE},
};
use url::Url;

use crate::failure::Failure;

/// What a page asks a person with before it lets them on.
pub(crate) const CAPTCHAS: [&str; 8] = [
    "g-recaptcha",
    "h-captcha",
    "cf-turnstile",
    "px-captcha",
    "challenges.cloudflare.com",
    "captcha-delivery.com",
    "awswaf.com",
    "_Incapsula_Resource",
];

/// Where those who may see a site before the public does are sent to sign in: a host, or a path.
const ACCESS_PAGES: [&str; 6] = [
    ".cloudflareaccess.com/",
    "/cdn-cgi/access/",
    "//vercel.com/sso",
    "//login.microsoftonline.com/",
    "//accounts.google.com/",
    ".okta.com/",
];

/// What answered in place of the portal or its API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    kind: Kind,
    host: String,
    seen: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Password,
    BotProtection,
    Captcha,
    AccessPage,
    Refused,
    Limit { retry_after: Option<u64> },
    Gateway,
}

impl Obstacle {
    /// What an answer shows of one by its status and headers.
    pub(crate) fn of(url: &Url, status: StatusCode, headers: &HeaderMap) -> Option<Self> {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let challenge = header(WWW_AUTHENTICATE.as_str());
        let (kind, what) = match status.as_u16() {
            401 if challenge.to_ascii_lowercase().starts_with("basic") => {
                (Kind::Password, format!(": {WWW_AUTHENTICATE}: {challenge}"))
            }
            _ if header("cf-mitigated") == "challenge" => (Kind::BotProtection, ": cf-mitigated: challenge".to_owned()),
            401 | 403 if is_html(headers) => (Kind::Refused, ", text/html".to_owned()),
            429 => (Kind::Limit { retry_after: header(RETRY_AFTER.as_str()).trim().parse().ok() }, String::new()),
            502..=504 | 520..=530 => (Kind::Gateway, String::new()),
            300..=399 if ACCESS_PAGES.iter().any(|page| header(LOCATION.as_str()).contains(page)) => {
                // The rest holds what the access page is to remember.
                let page = header(LOCATION.as_str()).split('?').next().unwrap_or_default();
                (Kind::AccessPage, format!(" to {page}"))
            }
            _ => return None,
        };
        Some(Self::new(kind, url, format!("{status}{what}")))
    }

    /// The same of a page, which should have been the one titled `wanted`.
    pub(crate) fn in_place_of(
        wanted: &str,
        url: &Url,
        status: StatusCode,
        headers: &HeaderMap,
        page: &str,
    ) -> Option<Self> {
        // A portal's own page may ask for a captcha, and refuse a view.
        let is_other = !page.contains(wanted);
        let captcha = || {
            let found = CAPTCHAS.iter().find(|captcha| is_html(headers) && is_other && page.contains(*captcha))?;
            Some(Self::new(Kind::Captcha, url, format!("{status}: a page with {found}, and without {wanted:?}")))
        };
        captcha().or_else(|| Self::of(url, status, headers).filter(|it| it.kind != Kind::Refused || is_other))
    }

    /// A captcha on screen in place of the page titled `wanted`.
    pub(crate) fn captcha(url: &Url, found: &str, wanted: &str) -> Self {
        Self::new(Kind::Captcha, url, format!("a page with {found}, and without {wanted:?}"))
    }

    /// An access page on screen, by its address.
    pub(crate) fn at(url: &Url) -> Option<Self> {
        let is_access_page = ACCESS_PAGES.iter().any(|page| url.as_str().contains(page));
        let shown = format!("the access page {}{}", url.origin().ascii_serialization(), url.path());
        is_access_page.then(|| Self::new(Kind::AccessPage, url, shown))
    }

    fn new(kind: Kind, url: &Url, seen: String) -> Self {
        Self { kind, host: url.origin().ascii_serialization(), seen }
    }

    /// What every check that meets it says.
    pub(crate) fn failure(&self) -> Failure {
        Failure::undecided(self.claim()).seen(&self.seen).fact("do", self.advice()).shared()
    }

    fn claim(&self) -> String {
        let what = match self.kind {
            Kind::Password => "is open without a password",
            Kind::BotProtection => "takes these checks for a visitor, not for a bot",
            Kind::Captcha => "shows the portal and not a captcha",
            Kind::AccessPage => "is open without signing in to an access page",
            Kind::Refused => "lets these checks in",
            Kind::Limit { .. } => "answers every request of these checks",
            Kind::Gateway => "can be reached behind its gateway",
        };
        format!("{} {what}", self.host)
    }

    fn advice(&self) -> String {
        match self.kind {
            Kind::Password => {
                "run the checks from a network that is not asked, or lift the password for this machine".to_owned()
            }
            Kind::BotProtection => {
                "exempt this machine's address from the challenge (in Cloudflare: Security, WAF, a rule that skips it)"
                    .to_owned()
            }
            Kind::Captcha => "exempt this machine's address from the bot protection in front of the portal".to_owned(),
            Kind::AccessPage => {
                "add a policy that lets this machine's address bypass the access page, or run the checks from a network that it trusts"
                    .to_owned()
            }
            Kind::Refused => {
                "open the address from another network: if it opens there, let this machine's address through the firewall or WAF; if it is refused there too, the host serves no document and the portal is down"
                    .to_owned()
            }
            Kind::Limit { retry_after: Some(seconds) } => {
                format!("wait {seconds} s, as the server asks, and run the checks again with -- --test-threads=1")
            }
            Kind::Limit { retry_after: None } => {
                "wait a few minutes, and run the checks again with -- --test-threads=1".to_owned()
            }
            Kind::Gateway => {
                "check the host's status page and its dashboard, and run the checks again once it answers".to_owned()
            }
        }
    }
}

fn is_html(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// In two lines, as errors have them: what, and what to do.
impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answers {}\n{}", self.host, self.seen, self.advice())
    }
}
