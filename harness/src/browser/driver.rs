//! The process's driver: started once, on a free port, and gone when the process is; or the one of `WEBDRIVER_URL`.

use std::{env, time::Duration};

use owned_process::{Launch, OwnedProcess, ScratchDir, Stop};
use tokio::sync::OnceCell;
use url::Url;

use super::{Error, tools::Tool};

static DRIVER: OnceCell<Result<Driver, Error>> = OnceCell::const_new();

/// A driver that answers at `url`.
#[derive(Debug)]
pub(super) struct Driver {
    pub url: Url,
    /// The browser that it is to start; a remote driver knows its own.
    pub browser: Option<String>,
    /// Held for its drop.
    process: Option<OwnedProcess>,
}

impl Driver {
    /// The driver that all checks of this process share.
    pub async fn shared() -> Result<&'static Driver, Error> {
        DRIVER.get_or_init(async || Driver::find().await).await.as_ref().map_err(Error::clone)
    }

    /// Whether its browsers run on this machine.
    pub fn is_local(&self) -> bool {
        self.process.is_some()
    }

    async fn find() -> Result<Self, Error> {
        if let Some(url) = env::var("WEBDRIVER_URL").ok().filter(|url| !url.is_empty()) {
            // A missing slash would lose the last part of a grid's path when commands are joined to it.
            return match Url::parse(&format!("{}/", url.trim_end_matches('/'))) {
                Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Self { url, browser: None, process: None }),
                _ => Err(Error::BadUrl { url }),
            };
        }
        let (browser, driver) = (Tool::Browser.locate()?, Tool::Driver.locate()?);
        let started = tokio::task::spawn_blocking(move || start(driver)).await;
        let (process, port) = started.map_err(|error| Error::Driver(error.to_string()))??;
        let url = Url::parse(&format!("http://127.0.0.1:{port}/")).map_err(|error| Error::Driver(error.to_string()))?;
        Ok(Self { url, browser: Some(browser.display().to_string()), process: Some(process) })
    }
}

fn start(program: std::path::PathBuf) -> Result<(OwnedProcess, u16), Error> {
    let failed = |error: &dyn std::fmt::Display| Error::Driver(error.to_string());
    let scratch = ScratchDir::new("browser-").map_err(|error| failed(&error))?;
    // Profiles and crash dumps go where they are removed with the driver.
    let env = vec![("TMPDIR".into(), scratch.path().into())];
    let launch = Launch { program, args: vec!["--port=0".into()], env, user: None, stop: Stop::Kill };
    let process = OwnedProcess::spawn(launch, scratch).map_err(|error| failed(&error))?;
    let port = process
        .wait_for_line(Duration::from_secs(20), |line| {
            line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok()
        })
        .map_err(|error| failed(&error))?;
    Ok((process, port))
}
