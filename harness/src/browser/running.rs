//! Browsers that run, lent to one check at a time. A check that passed gives its browser back, and the next one gets a
//! fresh profile in it; after a failure the browser ends with the check. A remote driver's browser cannot be reached
//! but through the driver, so there each check has a session of its own.

use std::sync::{Mutex, PoisonError};

use fantoccini::{Client, ClientBuilder, wd::Capabilities, wd::WindowHandle};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use url::Url;

use super::{
    Error,
    devtools::{DevTools, Profile},
    driver::Driver,
};
use crate::seen;

/// No background traffic, no first-run pages: what the log shows is the portal's. Two processes fewer per browser make
/// a visit a tenth cheaper.
const FLAGS: [&str; 12] = [
    "--headless",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--enable-features=NetworkServiceInProcess2",
    "--in-process-gpu",
    "--no-first-run",
    "--window-size=1280,900",
];

/// Browsers that nobody uses; they end with the driver.
static IDLE: Mutex<Vec<(Client, DevTools)>> = Mutex::new(Vec::new());

/// A browser with a fresh profile and one empty window.
#[derive(Debug)]
pub(super) struct Running {
    pub client: Client,
    /// None where the session itself is the profile.
    profile: Option<(tokio::sync::Mutex<DevTools>, Profile)>,
}

impl Running {
    /// One that is idle, or a new one.
    pub async fn lent() -> Result<Self, Error> {
        let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let (client, mut devtools) = match idle {
            Some(idle) => idle,
            None => match Self::start().await? {
                (client, Some(devtools)) => (client, devtools),
                (client, None) => return Ok(Self { client, profile: None }),
            },
        };
        let profile = devtools.profile().await?;
        let window = devtools.window(&profile).await?;
        let running = Self { client, profile: Some((tokio::sync::Mutex::new(devtools), profile)) };
        running.show(window).await?;
        Ok(running)
    }

    async fn start() -> Result<(Client, Option<DevTools>), Error> {
        let driver = Driver::shared().await?;
        let client = match session(driver).await {
            // A crash on the start, or a node that was lost: the next one may well run.
            Err(Error::NoSession { .. }) => session(driver).await?,
            started => started?,
        };
        note_versions(&client);
        let devtools = if driver.is_local() { Some(DevTools::of(&client).await?) } else { None };
        Ok((client, devtools))
    }

    /// A further window of the same profile, which stays in the background.
    pub async fn window(&self) -> Result<WindowHandle, Error> {
        match &self.profile {
            Some((devtools, profile)) => devtools.lock().await.window(profile).await,
            None => {
                let opened = self.client.new_window(false).await;
                Ok(opened.map_err(Error::command("open a window"))?.handle)
            }
        }
    }

    /// Turns to a window: commands go to it from now on.
    pub async fn show(&self, window: WindowHandle) -> Result<(), Error> {
        self.client.switch_to_window(window).await.map_err(Error::command("turn to a window"))
    }

    /// Ends the profile. The browser is lent again if what used it went well, and ends otherwise.
    pub async fn give_back(self, went_well: bool) -> Result<(), Error> {
        match self.profile {
            Some((devtools, profile)) if went_well => {
                let mut devtools = devtools.into_inner();
                devtools.end(profile).await?;
                IDLE.lock().unwrap_or_else(PoisonError::into_inner).push((self.client, devtools));
                Ok(())
            }
            _ => self.client.close().await.map_err(Error::command("close the session")),
        }
    }
}

async fn session(driver: &Driver) -> Result<Client, Error> {
    let browser = driver.browser.as_deref();
    let connected = builder(&driver.url)?.capabilities(capabilities(browser)).connect(driver.url.as_str()).await;
    connected.map_err(|error| Error::session(browser.unwrap_or("the remote browser"), driver.url.as_str(), &error))
}

/// What the session says of the browser and its driver, for the manifest's reader.
fn note_versions(client: &Client) {
    let Some(capabilities) = client.capabilities() else { return };
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let version = text(capabilities.get("browserVersion"));
    let name = text(capabilities.get("browserName")).unwrap_or_default();
    // The driver adds the revision that it was built from.
    let driver = text(capabilities.get("chrome").and_then(|chrome| chrome.get("chromedriverVersion")));
    let driver = driver.map(|driver| driver.split(' ').next().unwrap_or_default().to_owned());
    seen::note(|seen| {
        seen.browser = version.map(|version| format!("{name} {version}"));
        seen.driver = driver.map(|driver| format!("chromedriver {driver}"));
    });
}

fn builder(driver: &Url) -> Result<ClientBuilder<hyper_rustls::HttpsConnector<HttpConnector>>, Error> {
    let roots = HttpsConnectorBuilder::new().with_native_roots();
    let tls = roots.map_err(|error| Error::NoDriver { driver: driver.to_string(), why: error.to_string() })?;
    Ok(ClientBuilder::new(tls.https_or_http().enable_http1().build()))
}

fn capabilities(browser: Option<&str>) -> Capabilities {
    let mut flags: Vec<&str> = FLAGS.to_vec();
    if is_root() {
        flags.push("--no-sandbox");
    }
    // With it the browser writes a log beside its own binary.
    let mut options = json!({ "excludeSwitches": ["enable-logging"], "args": flags, "perfLoggingPrefs": { "enableNetwork": true, "enablePage": false } });
    if let Some(browser) = browser {
        options["binary"] = browser.into();
    }
    let capabilities = json!({
        "browserName": "chrome",
        // A page is ready when its view is on screen, which the waits see; the driver need not wait for its images.
        "pageLoadStrategy": "eager",
        "timeouts": { "script": 60_000, "pageLoad": 30_000 },
        "goog:chromeOptions": options,
        "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
    });
    match capabilities {
        Value::Object(map) => map,
        _ => Capabilities::new(),
    }
}

/// Chromium's sandbox refuses to run as root.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}
