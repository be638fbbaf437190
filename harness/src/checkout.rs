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

    /// Makes a clone of its own, at `commit`, in the folder `to`, which is not there yet.
    ///
    /// # Errors
    /// As [`Checkout::branch`], also where the commit is not in it.
    pub(crate) fn clone_at(&self, commit: &str, to: &Path) -> Verdict {
        let (from, to) = (self.folder.display().to_string(), to.display().to_string());
        self.git(&["clone", "--quiet", "--no-checkout", "--", &from, &to])?;
        // As whoever has just cloned it meets it.
        self.git(&["-C", &to, "checkout", "--quiet", "--detach", commit]).map(drop)
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

    /// The commit that is checked out, which may be a merge.
    ///
    /// # Errors
    /// As [`Checkout::branch`].
    pub fn head(&self) -> Verdict<Commit> {
        self.log(&["--max-count=1", "HEAD"])?.into_iter().next().ok_or_else(|| {
            Failure::not_run("the repository of the release has no commit").at(self.folder.display().to_string())
        })
    }

    /// Commits of a range, newest first, without merges.
    ///
    /// # Errors
    /// As [`Checkout::branch`].
    pub fn commits(&self, range: &str) -> Verdict<Vec<Commit>> {
        self.log(&["--no-merges", range])
    }

    /// When one of `paths` was last changed in the history that a branch was merged into: that of the merge, where a branch
    /// brought the change. None where they have no history.
    ///
    /// # Errors
    /// As [`Checkout::branch`].
    pub fn changed(&self, paths: &[String]) -> Verdict<Option<Timestamp>> {
        let mut arguments = vec!["--first-parent", "--max-count=1", "HEAD", "--"];
        arguments.extend(paths.iter().map(String::as_str));
        Ok(self.log(&arguments)?.first().map(|commit| commit.time))
    }

    /// `owner/name` of the repository that it was cloned from; none where nobody can tell.
    pub fn origin(&self) -> Option<String> {
        let url = self.git(&["remote", "get-url", "origin"]).ok()?;
        let path = url.trim_end_matches('/').trim_end_matches(".git");
        let mut parts = path.rsplit(['/', ':']);
        let (name, owner) = (parts.next()?, parts.next()?);
        (!name.is_empty() && !owner.is_empty() && url.contains(['@', ':'])).then(|| format!("{owner}/{name}"))
    }

    fn log(&self, arguments: &[&str]) -> Verdict<Vec<Commit>> {
        let lines = self.lines(&[&["log", "--format=%H%x09%cI%x09%s"], arguments].concat())?;
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

    #[test]
    fn the_repository_of_a_clone_is_read_off_its_origin() {
        let folder = tempfile::tempdir().unwrap();
        let checkout = Checkout { folder: folder.path().to_owned() };
        checkout.git(&["init", "--quiet"]).unwrap();
        assert_eq!(checkout.origin(), None);
        checkout.git(&["remote", "add", "origin", "https://github.com/sacco/portal.git"]).unwrap();
        for url in [
            "https://github.com/sacco/portal.git",
            "https://github.com/sacco/portal/",
            "git@github.example:sacco/portal.git",
            "ssh://git@github.example:22/sacco/portal",
        ] {
            checkout.git(&["remote", "set-url", "origin", url]).unwrap();
            assert_eq!(checkout.origin().as_deref(), Some("sacco/portal"), "{url}");
        }
        checkout.git(&["remote", "set-url", "origin", "/srv/mirrors/portal"]).unwrap();
        assert_eq!(checkout.origin(), None, "a folder is nobody's repository");
    }

    #[test]
    fn the_commit_of_a_merge_is_the_merge_and_its_branch_changed_files_when_it_was_merged() {
        let folder = tempfile::tempdir().unwrap();
        let checkout = Checkout { folder: folder.path().to_owned() };
        let commit = |at: &str, arguments: &[&str]| {
            let mut git = Command::new("git");
            git.arg("-C").arg(folder.path()).args(["-c", "user.name=ada", "-c", "user.email=ada@example.org"]);
            git.args(arguments).env("GIT_COMMITTER_DATE", at).env("GIT_AUTHOR_DATE", at);
            assert!(git.output().unwrap().status.success(), "{arguments:?}");
        };
        checkout.git(&["init", "--quiet", "--initial-branch", "main"]).unwrap();
        commit("2026-01-01T00:00:00Z", &["commit", "--allow-empty", "--message", "first"]);
        checkout.git(&["checkout", "--quiet", "-b", "topic"]).unwrap();
        fs::write(folder.path().join("a"), "1").unwrap();
        checkout.git(&["add", "a"]).unwrap();
        commit("2026-01-02T00:00:00Z", &["commit", "--message", "second"]);
        checkout.git(&["checkout", "--quiet", "main"]).unwrap();
        commit("2026-01-03T00:00:00Z", &["merge", "--no-ff", "--message", "third", "topic"]);
        assert_eq!(checkout.head().unwrap().subject, "third");
        let changed = checkout.changed(&["a".to_owned()]).unwrap().unwrap();
        assert_eq!(changed.to_string(), "2026-01-03T00:00:00Z");
        assert_eq!(checkout.changed(&["b".to_owned()]).unwrap(), None);
    }
}
