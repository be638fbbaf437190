//! The working copy of the repository that a release is made of, by git's own command.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use jiff::Timestamp;

use crate::failure::{Failure, Verdict};

/// A working copy.
#[derive(Debug, Clone)]
pub struct Checkout {
    folder: PathBuf,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The whole hash.
    pub hash: String,
    /// When it was committed.
    pub time: Timestamp,
    /// The first line of its message.
    pub subject: String,
}

impl Checkout {
    /// The working copy in a folder.
    ///
    /// # Errors
    /// Not run where there is none, or no git; undecided where its history was cut off.
    pub fn at(folder: &Path) -> Verdict<Self> {
        let checkout = Self { folder: folder.to_owned() };
        if checkout.git(&["rev-parse", "--is-shallow-repository"])? == "true" {
            return Err(Failure::undecided("the history of the release is known")
                .expected("a whole clone")
                .seen("a shallow one: tags and earlier commits are missing")
                .at(folder.display().to_string())
                .advice("git fetch --unshallow --tags; in a workflow fetch-depth: 0 of actions/checkout"));
        }
        Ok(checkout)
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn git(&self, arguments: &[&str]) -> Verdict<String> {
        let not_run = |seen: String| {
            Failure::not_run("the repository of the release cannot be read")
                .expected(format!("git {}", arguments.join(" ")))
                .seen(seen)
                .at(self.folder.display().to_string())
                .advice("install git, and let RELEASE_SOURCE name the working copy that the release is made of")
        };
        let output = Command::new("git").arg("-C").arg(&self.folder).args(arguments).output();
        let output = output.map_err(|error| not_run(error.to_string()))?;
        if !output.status.success() {
            return Err(not_run(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }

    fn lines(&self, arguments: &[&str]) -> Verdict<Vec<String>> {
        Ok(self.git(arguments)?.lines().map(str::to_owned).collect())
    }

    /// The branch that is checked out; empty where none is.
    ///
    /// # Errors
    /// Not run where git cannot tell.
    pub fn branch(&self) -> Verdict<String> {
        self.git(&["branch", "--show-current"])
    }

    /// Files that are not as they were committed.
    ///
    /// # Errors
    /// As [`Checkout::branch`].
    pub fn uncommitted(&self) -> Verdict<Vec<String>> {
        self.lines(&["status", "--porcelain"])
    }

    /// The commit that is checked out.
    ///
    /// # Errors
    /// As [`Checkout::branch`].
    pub fn head(&self) -> Verdict<Commit> {
        self.commits("HEAD~1..HEAD").or_else(|_| self.commits("HEAD"))?.into_iter().next().ok_or_else(|| {
            Failure::not_run("the repository of the release has no commit").at(self.folder.display().to_string())
        })
    }

    /// Commits of a range, newest first, without merges.
    ///
    /// # Errors
    /// As [`Checkout::branch`].
    pub fn commits(&self, range: &str) -> Verdict<Vec<Commit>> {
        let lines = self.lines(&["log", "--no-merges", "--format=%H%x09%cI%x09%s", range])?;
        let commit = |line: &String| {
            let mut parts = line.splitn(3, '\t').map(str::to_owned);
            Some(Commit { hash: parts.next()?, time: parts.next()?.parse().ok()?, subject: parts.next()? })
        };
        Ok(lines.iter().filter_map(commit).collect())
    }

    /// Tags of the commit that is checked out.
    ///
    /// # Errors
    /// As [`Checkout::branch`].
    pub fn tags(&self) -> Verdict<Vec<String>> {
        self.lines(&["tag", "--points-at", "HEAD"])
    }

    /// The last tag before the commit that is checked out.
    ///
    /// # Errors
    /// Undecided where there is none.
    pub fn previous_tag(&self) -> Verdict<String> {
        self.git(&["describe", "--tags", "--abbrev=0", "HEAD~1"]).map_err(|failure| {
            Failure::undecided("the release before this one is known")
                .expected("a tag on the commit of each release")
                .seen(failure.get("seen").unwrap_or("no tag"))
                .at(self.folder.display().to_string())
                .advice("git fetch --tags, or tag the commit of the release before")
        })
    }

    /// Branches, here and on remotes, whose name has `part` and that have commits which `branch` lacks.
    ///
    /// # Errors
    /// As [`Checkout::branch`].
    pub fn unmerged(&self, part: &str, branch: &str) -> Verdict<Vec<String>> {
        let all = self.lines(&["branch", "--all", "--format=%(refname:short)", "--no-merged", branch])?;
        Ok(all.into_iter().filter(|name| name.contains(part)).collect())
    }

    /// A file as it was committed at `revision`.
    ///
    /// # Errors
    /// As [`Checkout::branch`], also where it was not there.
    pub fn file_at(&self, revision: &str, path: &str) -> Verdict<String> {
        self.git(&["show", &format!("{revision}:{path}")])
    }

    /// A file as it is now; none where it is missing.
    pub fn file(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.folder.join(path)).ok()
    }

    /// The files of a folder by their names, as they are now; empty where the folder is missing.
    pub fn files(&self, folder: &str) -> Vec<(String, String)> {
        let entries = fs::read_dir(self.folder.join(folder)).into_iter().flatten().flatten();
        let mut files: Vec<_> = entries
            .filter_map(|entry| {
                let text = fs::read_to_string(entry.path()).ok()?;
                Some((entry.file_name().to_string_lossy().into_owned(), text))
            })
            .collect();
        files.sort();
        files
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_repository_is_told_and_not_run() {
        let folder = std::env::temp_dir().join(format!("no-repository-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&folder).unwrap();
        let failure = Checkout::at(&folder).unwrap_err();
        fs::remove_dir(&folder).unwrap();
        assert_eq!(failure.outcome(), crate::Outcome::NotRun);
        assert!(failure.to_string().contains("RELEASE_SOURCE"), "{failure}");
    }
}
