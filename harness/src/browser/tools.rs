//! Where the browser and its driver are on this machine.

use std::{
    env, fmt,
    path::{Path, PathBuf},
};

/// Preferred first: the headless shell starts a session in a third of the time that the full browser needs. Debian's
/// command for it is a shell script around this binary.
const BROWSERS: [&str; 9] = [
    "/usr/lib/chromium/chromium-headless-shell",
    "chromium-headless-shell",
    "chrome-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/// A program that was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tool {
    /// Chromium, Chrome or their headless shell.
    Browser,
    /// chromedriver.
    Driver,
}

impl Tool {
    /// The variable that names it.
    pub fn variable(&self) -> &'static str {
        match self {
            Tool::Browser => "CHROME_BIN",
            Tool::Driver => "CHROMEDRIVER_BIN",
        }
    }

    fn candidates(&self) -> &'static [&'static str] {
        match self {
            Tool::Browser => &BROWSERS,
            Tool::Driver => &["chromedriver"],
        }
    }

    /// Finds it: the variable, then what set-up downloaded, then the usual names.
    ///
    /// # Errors
    /// [`Missing`], which says where was looked.
    pub fn locate(&self) -> Result<PathBuf, Missing> {
        if let Some(named) = env::var_os(self.variable()).filter(|value| !value.is_empty()) {
            return which::which(&named).map_err(|_| Missing { tool: self.clone(), named: Some(named.into()) });
        }
        let downloaded = downloads().join(self.to_string());
        let found = downloaded.is_file().then_some(downloaded);
        let mut usual = self.candidates().iter().filter_map(|name| which::which(name).ok());
        found.or_else(|| usual.next()).ok_or_else(|| Missing { tool: self.clone(), named: None })
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Tool::Browser => "browser",
            Tool::Driver => "chromedriver",
        })
    }
}

/// Where set-up leaves (links to) what it downloads when the system's packages are no way.
pub fn downloads() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools")
}

/// A program that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Missing {
    /// Which.
    pub tool: Tool,
    /// What the variable names, when it is set.
    pub named: Option<PathBuf>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, variable) = match self.tool {
            Tool::Browser => ("browser of the Chromium family", self.tool.variable()),
            Tool::Driver => ("chromedriver", self.tool.variable()),
        };
        match &self.named {
            Some(path) => write!(
                f,
                "no {what} at {} (the environment variable {variable})\ncorrect or unset {variable}",
                path.display()
            ),
            None => write!(
                f,
                "no {what} found (looked for {} in PATH)\nrun `cargo xtask setup`, or set {variable} to its path, or WEBDRIVER_URL to a running driver",
                self.tool.candidates().join(", ")
            ),
        }
    }
}
