//! The process's driver: started once, on a free port, and gone when the process is; or the one of `WEBDRIVER_URL`.

use std::{env, path::Path, time::Duration};

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
        let started = tokio::task::spawn_blocking(move || start(&driver)).await;
        let (process, port) = started.map_err(|error| Error::driver(&error))??;
        let url = Url::parse(&format!("http://127.0.0.1:{port}/")).map_err(|error| Error::driver(&error))?;
        Ok(Self { url, browser: Some(browser.display().to_string()), process: Some(process) })
    }
}

/// How often another port is asked for. The driver takes one that is free on `::1` and then needs the same one on
/// `127.0.0.1`, where some connection may already have it.
const PORTS: usize = 5;

fn start(program: &Path) -> Result<(OwnedProcess, u16), Error> {
    let mut tried = 1;
    loop {
        match start_once(program) {
            Err(owned_process::Error::Ended { tail, .. }) if tail.contains(PORT_TAKEN) && tried < PORTS => tried += 1,
            started => return started.map_err(|error| Error::driver(&error)),
        }
    }
}

/// What the driver says when it lost the race for its port.
const PORT_TAKEN: &str = "port not available";

fn start_once(program: &Path) -> Result<(OwnedProcess, u16), owned_process::Error> {
    let spawn = |source| owned_process::Error::Spawn { program: program.to_owned(), source };
    let scratch = ScratchDir::new("browser-").map_err(spawn)?;
    // Profiles and crash dumps go where they are removed with the driver.
    let env = vec![("TMPDIR".into(), scratch.path().into())];
    let launch =
        Launch { program: program.to_owned(), args: vec!["--port=0".into()], env, user: None, stop: Stop::Kill };
    let process = OwnedProcess::spawn(launch, scratch)?;
    let port = process.wait_for_line(Duration::from_secs(20), |line| {
        line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok()
    })?;
    Ok((process, port))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

    use super::*;
    use crate::Failure;

    /// A driver that finds its port taken `times` times, and the folder that holds it.
    fn unlucky(times: usize) -> (ScratchDir, PathBuf) {
        let folder = ScratchDir::new("driver-").unwrap();
        let program = folder.path().join("chromedriver");
        let starts = folder.path().join("starts");
        let script = format!(
            "#!/bin/sh\necho start >> {0}\nif [ $(wc -l < {0}) -le {times} ]; then echo 'IPv4 port not available. Exiting...'; exit 1; fi\n\
             echo 'ChromeDriver was started successfully on port 4444.'; exec sleep 60\n",
            starts.display()
        );
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        (folder, program)
    }

    #[test]
    fn a_port_that_was_taken_is_followed_by_another() {
        let (_folder, program) = unlucky(PORTS - 1);
        assert_eq!(start(&program).map(|(_, port)| port).map_err(|error| error.to_string()), Ok(4444));
    }

    #[test]
    fn a_driver_that_never_gets_a_port_says_what_it_said() {
        let (_folder, program) = unlucky(PORTS);
        let failure = Failure::from(start(&program).unwrap_err()).to_string();
        insta::assert_snapshot!(failure.replace(&program.display().to_string(), "<driver>"), @"
        not run  the browser's driver could not be started: <driver> ended before it was ready
          output    IPv4 port not available. Exiting...
          do        start it by hand with --port=0; `cargo xtask doctor` says which one it is
        ");
    }
}
