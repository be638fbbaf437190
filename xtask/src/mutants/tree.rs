//! A copy of the workspace, in which a server's source is changed and the suites are compiled: the working copy stays as it
//! is, whatever ends a run.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::Mutant;
use crate::{
    Error, cargo,
    setup::root,
    suites::{Source, Suite},
};

/// The copy.
pub(super) struct Tree {
    folder: PathBuf,
    suites: Vec<String>,
}

impl Tree {
    /// Copies what git knows of the workspace. What is the same is left alone, so that it need not be compiled again.
    ///
    /// # Errors
    /// When git or the file system refuses.
    pub fn of(suites: &[Suite]) -> Result<Self, Error> {
        let folder = root().join("target/mutants/tree");
        let listed = Command::new("git").arg("-C").arg(root()).args(["ls-files", "-z"]).output()?;
        for path in listed.stdout.split(|byte| *byte == 0).filter(|path| !path.is_empty()) {
            let path = String::from_utf8_lossy(path).into_owned();
            if let Ok(content) = fs::read(root().join(&path)) {
                written(&folder.join(&path), &content)?;
            }
        }
        Ok(Self { folder, suites: suites.iter().map(|suite| suite.name.clone()).collect() })
    }

    /// The suites with a server's source changed, or as it is; nothing where it does not compile.
    ///
    /// # Errors
    /// When the sound sources do not compile.
    pub fn suites(&self, below: &str, mutant: Option<&Mutant>) -> Result<Option<Vec<Suite>>, Error> {
        let file = mutant.map(|mutant| (self.folder.join(below).join(&mutant.file), mutant));
        if let Some((path, mutant)) = &file {
            fs::write(path, mutant.text())?;
        }
        let built = self.built();
        if let Some((path, mutant)) = &file {
            fs::write(path, &mutant.source)?;
        }
        match built {
            Ok(()) => Source::at(Some(&self.binaries()))?.suites(&self.suites).map(Some),
            Err(_) if mutant.is_some() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn binaries(&self) -> PathBuf {
        root().join("target/mutants/suites")
    }

    fn built(&self) -> Result<(), Error> {
        let mut arguments = vec!["test", "--no-run"];
        arguments.extend(self.suites.iter().flat_map(|suite| ["--package", suite.as_str()]));
        let mut command = cargo::cargo(&arguments);
        command.current_dir(&self.folder).env("CARGO_TARGET_DIR", root().join("target/mutants/target"));
        fs::create_dir_all(self.binaries())?;
        for (name, binary) in cargo::built(command, "test")? {
            fs::copy(binary, self.binaries().join(name))?;
        }
        Ok(())
    }
}

fn written(path: &Path, content: &[u8]) -> Result<(), Error> {
    if fs::read(path).is_ok_and(|there| there == content) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    Ok(fs::write(path, content)?)
}
