//! The process's driver: started once, on a free port, and gone when the process is; or the one of `WEBDRIVER_URL`.

use std::{
    env, io,
    net::{Ipv4Addr, TcpListener},
    path::Path,
};

use owned_process::{Launch, OwnedProcess, ScratchDir, Stop};
use tokio::sync::OnceCell;
use url::Url;

use super::{Error, tools::Tool};
use crate::{limits, network::choose_tls};

static DRIVER: OnceCell<Result<Driver, Error>> = OnceCell::const_new();

/// A driver that answers at `url`.
#[derive(Debug)]
pub(super) struct Driver {
    pub url: Url,
    /// The browser that it is to start; a remote driver knows its own.
    pub browser: Option<String>,
    /// For commands whose answers a page decides the size of.
    pub http: reqwest::Client,
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
        choose_tls();
        // A driver is asked where it is said to be, whatever proxy there is.
        let http = reqwest::Client::builder().no_proxy().build().map_err(|error| Error::driver(&error))?;
        if let Some(url) = env::var("WEBDRIVER_URL").ok().filter(|url| !url.is_empty()) {
            // A missing slash would lose the last part of a grid's path when commands are joined to it.
            return match Url::parse(&format!("{}/", url.trim_end_matches('/'))) {
                Ok(url) if matches!(url.scheme(), "http" | "https") => {
                    Ok(Self { url, browser: None, http, process: None })
                }
                _ => Err(Error::BadUrl { url }),
            };
        }
        let (browser, driver) = (Tool::Browser.locate()?, Tool::Driver.locate()?);
        let started = tokio::task::spawn_blocking(move || start(&driver)).await;
        let (process, port) = started.map_err(|error| Error::driver(&error))??;
        let url = Url::parse(&format!("http://127.0.0.1:{port}/")).map_err(|error| Error::driver(&error))?;
        Ok(Self { url, browser: Some(browser.display().to_string()), http, process: Some(process) })
    }
}

/// How many ports are tried: one that was free may be somebody's by the time that the driver takes it.
const PORTS: usize = 5;

/// How often a driver is started that ends for another reason: what kept it may be over.
const STARTS: usize = 2;

fn start(program: &Path) -> Result<(OwnedProcess, u16), Error> {
    let mut tried = 1;
    loop {
        match start_once(program) {
            Err(owned_process::Error::Ended { tail, .. })
                if tried < if tail.contains(PORT_TAKEN) { PORTS } else { STARTS } =>
            {
                tried += 1;
            }
            started => return started.map_err(|error| Error::driver(&error)),
        }
    }
}

/// What the driver says when it lost the race for its port.
const PORT_TAKEN: &str = "port not available";

fn start_once(program: &Path) -> Result<(OwnedProcess, u16), owned_process::Error> {
    let spawn = |source| owned_process::Error::Spawn { program: program.to_owned(), source };
    let scratch = ScratchDir::new("browser-").map_err(spawn)?;
    let port = free_port().map_err(spawn)?;
    // Profiles and crash dumps go where they are removed with the driver.
    let env = vec![("TMPDIR".into(), scratch.path().into())];
    let launch = Launch {
        program: program.to_owned(),
        args: vec![format!("--port={port}").into()],
        env,
        user: None,
        stop: Stop::Kill,
        patience: std::time::Duration::from_secs(3),
    };
    let process = OwnedProcess::spawn(launch, scratch)?;
    process.wait_for_line(limits::DRIVER_START, |line| line.contains("started successfully").then_some(()))?;
    Ok((process, port))
}

/// One that is free on this machine. A driver that is left to choose one takes it on `::1`, and where there is no IPv6
/// it reports port 0.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

    use super::*;
    use crate::Failure;

    /// A driver that says `why` and ends `times` times, and the folder that holds it and what it was started with.
    fn unlucky(times: usize, why: &str) -> (ScratchDir, PathBuf) {
        let folder = ScratchDir::new("driver-").unwrap();
        let program = folder.path().join("chromedriver");
        let starts = folder.path().join("starts");
        let script = format!(
            "#!/bin/sh\necho \"$1\" >> {0}\nif [ $(wc -l < {0}) -le {times} ]; then echo '{why}'; exit 1; fi\n\
             echo 'ChromeDriver was started successfully on port 0.'; exec sleep 60\n",
            starts.display()
        );
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        (folder, program)
    }

    const TAKEN: &str = "IPv4 port not available. Exiting...";

    /// What it was started with, each time.
    fn starts(folder: &ScratchDir) -> Vec<String> {
        let starts = fs::read_to_string(folder.path().join("starts")).unwrap();
        starts.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_port_that_was_taken_is_followed_by_another() {
        let (folder, program) = unlucky(PORTS - 1, TAKEN);
        assert!(start(&program).is_ok());
        assert_eq!(starts(&folder).len(), PORTS);
    }

    #[test]
    fn a_driver_without_ipv6_is_asked_at_the_port_that_it_was_given() {
        let (folder, program) = unlucky(0, TAKEN);
        let (_process, port) = start(&program).unwrap();
        assert_eq!(starts(&folder), [format!("--port={port}")]);
        assert_ne!(port, 0);
    }

    #[test]
    fn a_driver_that_ends_is_started_again_once() {
        let (_folder, program) = unlucky(1, "Segmentation fault");
        assert!(start(&program).is_ok());
        let (folder, program) = unlucky(2, "Segmentation fault");
        assert!(start(&program).is_err());
        assert_eq!(starts(&folder).len(), 2);
    }

    #[test]
    fn a_driver_that_never_gets_a_port_says_what_it_said() {
        let (_folder, program) = unlucky(PORTS, TAKEN);
        let failure = Failure::from(start(&program).unwrap_err()).to_string();
        insta::assert_snapshot!(failure.replace(&program.display().to_string(), "<driver>"), @"
        not run  the browser's driver could not be started: <driver> ended before it was ready
          output    IPv4 port not available. Exiting...
          do        start it by hand with --port=0; `cargo xtask doctor` says which one it is
        ");
    }
}
