//! Browsers that run, lent to one check at a time. A check that passed gives its browser back, and the next one gets a
//! fresh profile in it; after a failure the browser ends with the check. A remote driver's browser cannot be reached
//! but through the driver, so there each check has a session of its own.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use fantoccini::{Client, ClientBuilder, wd::Capabilities, wd::WindowHandle};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};
use url::Url;

use super::{
    Error,
    devtools::{DevTools, Load, Profile},
    driver::Driver,
    grid::{self, Patience},
    log::Written,
};
use crate::{
    bounded, limits,
    network::{self, Led},
    seen,
};

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
static IDLE: Mutex<Vec<(Session, DevTools)>> = Mutex::new(Vec::new());

/// Share of the time that the processes of a page take that does nothing but run a script, on a machine that has as much
/// to do besides as it can: of the whole wait, and of its last second.
const BUSY: (f64, f64) = (0.1, 0.05);

/// A browser with a fresh profile and one empty window.
#[derive(Debug)]
pub(super) struct Running {
    session: Session,
    /// When the last command began to be late, and the processor time of the pages by then.
    late: Mutex<Option<(Instant, f64)>>,
    /// None where the session itself is the profile.
    profile: Option<(tokio::sync::Mutex<DevTools>, Profile)>,
    /// Number of the browser's process, where it runs on this machine.
    pub process: Option<i32>,
    /// Whether it finds a host elsewhere.
    is_led: bool,
}

/// A session of the driver, by its client and by its id.
#[derive(Debug)]
struct Session {
    client: Client,
    id: String,
}

impl Session {
    /// Number of the browser's process on the driver's machine.
    fn process(&self) -> Option<i32> {
        let number = self.client.capabilities()?.get("goog:processID")?.as_i64()?;
        i32::try_from(number).ok()
    }
}

impl Running {
    /// What the page of a window wrote to the console, as far as a browser on this machine says it.
    pub async fn written(&self, window: &WindowHandle) -> Vec<Written> {
        let Some((devtools, _)) = &self.profile else { return Vec::new() };
        let asked = async { devtools.lock().await.written(window).await };
        timeout(limits::BROWSER_END, asked).await.ok().and_then(Result::ok).unwrap_or_default()
    }

    /// One that is idle, or a new one.
    pub async fn lent() -> Result<Self, Error> {
        let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        // One that ended while nobody used it is no reason to look at nothing.
        if let Some((session, devtools)) = idle
            && let Ok(running) = Self::with_profile(session, devtools).await
        {
            return Ok(running);
        }
        Self::started(None).await
    }

    /// A new one that finds a host elsewhere than others do, and is not lent again.
    pub async fn led(led: &Led) -> Result<Self, Error> {
        Ok(Self { is_led: true, ..Self::started(Some(led)).await? })
    }

    async fn started(led: Option<&Led>) -> Result<Self, Error> {
        match Self::start(led).await? {
            (session, Some(devtools)) => Self::with_profile(session, devtools).await,
            (session, None) => {
                Ok(Self { session, late: Mutex::default(), profile: None, process: None, is_led: false })
            }
        }
    }

    /// Whether browsers run elsewhere.
    pub async fn is_remote() -> bool {
        Driver::shared().await.is_ok_and(|driver| !driver.is_local())
    }

    async fn with_profile(session: Session, mut devtools: DevTools) -> Result<Self, Error> {
        let what = "open a fresh profile";
        let opened = async {
            let profile = devtools.profile().await?;
            let window = devtools.window(&profile).await?;
            let profile = Some((tokio::sync::Mutex::new(devtools), profile));
            let process = session.process();
            let running = Self { session, late: Mutex::default(), profile, process, is_led: false };
            running.show(window).await?;
            Ok(running)
        };
        timeout(limits::COMMAND, opened).await.unwrap_or(Err(Error::Silent { what, limit: limits::COMMAND }))
    }

    async fn start(led: Option<&Led>) -> Result<(Session, Option<DevTools>), Error> {
        let driver = Driver::shared().await?;
        let client = match session(driver, led).await {
            // A crash on the start, or a node that was lost: the next one may well run.
            Err(Error::NoSession { .. }) => session(driver, led).await?,
            started => started?,
        };
        if !driver.is_local() {
            grid::remember(&driver.url, &client).await;
        }
        note_versions(&client);
        let devtools = if driver.is_local() { Some(DevTools::of(&client, &driver.http).await?) } else { None };
        let id = client.session_id().await.map_err(Error::command("ask for the session"))?.unwrap_or_default();
        Ok((Session { client, id }, devtools))
    }

    pub fn client(&self) -> &Client {
        &self.session.client
    }

    /// A command of the driver whose answer a page decides the size of: it is read up to a limit.
    pub async fn ask(
        &self,
        what: &'static str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, Error> {
        let driver = Driver::shared().await?;
        let path = format!("session/{}/{path}", self.session.id);
        let url = driver.url.join(path.trim_end_matches('/'));
        let url = url.map_err(|error| Error::Command { what, why: error.to_string() })?;
        let mut request = driver.http.request(method, url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let request = request.build().map_err(|error| Error::Command { what, why: error.to_string() })?;
        let answer = bounded::answer(&driver.http, request, limits::BODY_BYTES).await.map_err(Error::unread(what))?;
        let mut json: Value = serde_json::from_str(&answer.body)
            .map_err(|error| Error::Command { what, why: format!("{}: {error}", answer.status) })?;
        let value = json["value"].take();
        if answer.status.is_success() {
            return Ok(value);
        }
        let text = |name: &str| value[name].as_str().unwrap_or_default();
        Err(Error::answered(what, text("error"), text("message")))
    }

    /// Resolves when the browser takes more memory than it may, or `limit` has passed: what it was asked for is not
    /// coming. What its processes take is no event; it is looked at while an answer is waited for.
    pub async fn over(&self, what: &'static str, limit: Duration) -> Error {
        let until = sleep(limit);
        tokio::pin!(until);
        let mut looks = interval_at(Instant::now() + limits::BROWSER_LOOK, limits::BROWSER_LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        *self.late.lock().unwrap_or_else(PoisonError::into_inner) = None;
        loop {
            tokio::select! {
                () = &mut until => break,
                _ = looks.tick() => {}
            }
            let Some(load) = self.load().await else { continue };
            if load.bytes > limits::BROWSER_BYTES {
                return Error::Greedy;
            }
            self.late.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert((Instant::now(), load.seconds));
        }
        self.why_busy(limit).await.unwrap_or(Error::Silent { what, limit })
    }

    /// What the pages do instead of answering: they take memory, or did nothing but run scripts since the last command
    /// began to be late, and still do.
    pub async fn why_busy(&self, limit: Duration) -> Option<Error> {
        let late = *self.late.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, first) = late?;
        let before = self.load().await?;
        sleep(Duration::from_secs(1)).await;
        let after = self.load().await?;
        if after.bytes > limits::BROWSER_BYTES {
            return Some(Error::Greedy);
        }
        let share = (after.seconds - first) / since.elapsed().as_secs_f64();
        (share > BUSY.0 && after.seconds - before.seconds > BUSY.1).then_some(Error::Looping(limit))
    }

    /// None where the browser cannot be reached but through the driver.
    async fn load(&self) -> Option<Load> {
        let (devtools, _) = self.profile.as_ref()?;
        let asked = async { devtools.lock().await.load().await };
        timeout(limits::BROWSER_END, asked).await.ok()?.ok()
    }

    /// Whether the driver has no such session: what is asked for is its own knowledge, not the page's.
    pub async fn is_gone(&self) -> bool {
        let asked = self.ask("find the session", Method::GET, "timeouts", None).await;
        matches!(asked, Err(Error::Crashed { .. } | Error::Command { .. }))
    }

    /// Ends a browser that does not answer.
    pub async fn end(&self) {
        grid::forget(&self.session.id);
        if let Some((devtools, _)) = &self.profile {
            let _ = timeout(limits::BROWSER_END, async { devtools.lock().await.end_browser().await }).await;
        }
        // Without its browser a session's end is but the driver's memory; on a grid it is what frees the slot.
        let _ = timeout(limits::BROWSER_END, self.ask("end the session", Method::DELETE, "", None)).await;
    }

    /// A further window of the same profile, which stays in the background.
    pub async fn window(&self) -> Result<WindowHandle, Error> {
        match &self.profile {
            Some((devtools, profile)) => devtools.lock().await.window(profile).await,
            None => {
                let opened = self.client().new_window(false).await;
                Ok(opened.map_err(Error::command("open a window"))?.handle)
            }
        }
    }

    /// Turns to a window: commands go to it from now on.
    pub async fn show(&self, window: WindowHandle) -> Result<(), Error> {
        self.client().switch_to_window(window).await.map_err(Error::command("turn to a window"))
    }

    /// Ends the profile. The browser is lent again if what used it went well, and ends otherwise.
    pub async fn give_back(self, went_well: bool) -> Result<(), Error> {
        match self.profile {
            Some((devtools, profile)) if went_well && !self.is_led => {
                let mut devtools = devtools.into_inner();
                devtools.end(profile).await?;
                IDLE.lock().unwrap_or_else(PoisonError::into_inner).push((self.session, devtools));
                Ok(())
            }
            _ => {
                grid::forget(&self.session.id);
                self.session.client.close().await.map_err(Error::command("close the session"))
            }
        }
    }
}

async fn session(driver: &'static Driver, led: Option<&Led>) -> Result<Client, Error> {
    let browser = driver.browser.as_deref();
    let wanted = capabilities(browser, led);
    let asked = async move {
        let connected = builder(&driver.url)?.capabilities(wanted).connect(driver.url.as_str()).await;
        connected.map_err(|error| Error::session(browser.unwrap_or("the remote browser"), driver.url.as_str(), &error))
    };
    if driver.is_local() { asked.await } else { grid::session(&driver.url, Patience::now(), asked).await }
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

pub(super) fn builder(driver: &Url) -> Result<ClientBuilder<hyper_rustls::HttpsConnector<HttpConnector>>, Error> {
    let roots = HttpsConnectorBuilder::new().with_native_roots();
    let tls = roots.map_err(|error| Error::NoDriver { driver: driver.to_string(), why: error.to_string() })?;
    Ok(ClientBuilder::new(tls.https_or_http().enable_http1().build()))
}

fn capabilities(browser: Option<&str>, led: Option<&Led>) -> Capabilities {
    let mut flags = network::browser_options(led);
    flags.extend(FLAGS.map(str::to_owned));
    if is_root() {
        flags.push("--no-sandbox".to_owned());
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
        "timeouts": { "script": 60_000, "pageLoad": limits::PAGE_LOAD.as_millis() as u64 },
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
