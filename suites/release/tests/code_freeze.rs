//! Pre-Release, 1. Code Freeze Verification: what the repository and GitHub say of the release.

use harness::{Deployment, Failure, Verdict, check};

/// "All planned features merged to main": the release is what `main` is, and no release branch was forgotten.
#[test]
fn the_release_is_made_of_a_clean_main() -> Verdict {
    check("pre.1.1", async |check| {
        let (checkout, branch) = (check.deployment().checkout().await?, &check.contract().release()?.branch);
        let (seen, changed) = (checkout.branch()?, checkout.uncommitted()?);
        let claim = format!("the release is made of {branch}, and of nothing that is not committed");
        // A workflow checks out a commit, not a branch.
        if seen != *branch && !seen.is_empty() {
            return Err(Failure::failed(claim)
                .expected(format!("the branch {branch}"))
                .seen(format!("the branch {seen}"))
                .at(checkout.folder().display().to_string())
                .advice(format!("merge {seen} into {branch} by a pull request, and release {branch}")));
        }
        if !changed.is_empty() {
            return Err(Failure::failed(claim)
                .expected("git status --porcelain prints nothing")
                .seen(changed.join("\n"))
                .at(checkout.folder().display().to_string())
                .advice(
                    "commit it by a pull request or put it away (git stash): nobody can build this release again",
                ));
        }
        check.measured(format!("{} at {}", branch, short(&checkout.head()?.hash)));
        Ok(())
    })
}

#[test]
fn no_release_branch_is_left_unmerged() -> Verdict {
    check("pre.1.1", async |check| {
        let (checkout, release) = (check.deployment().checkout().await?, check.contract().release()?);
        let unmerged = checkout.unmerged(&release.release_branches, "HEAD")?;
        if unmerged.is_empty() {
            return Ok(());
        }
        Err(Failure::failed("all planned features are merged")
            .expected(format!("no branch named {}… with commits that the release lacks", release.release_branches))
            .seen(unmerged.join("\n"))
            .at(checkout.folder().display().to_string())
            .advice("merge the branch, or delete it if what it holds is not planned any more"))
    })
}

/// "No pending critical bug fixes".
#[test]
fn no_open_issue_blocks_the_release() -> Verdict {
    check("pre.1.2", async |check| {
        let (github, claim) = (check.deployment().github()?, "no open issue blocks the release");
        let mut blocking = Vec::new();
        for label in &check.contract().release()?.blocking_labels {
            let issues = github.open_issues(label).await.map_err(|error| Deployment::vendor_failed(claim, &error))?;
            blocking.extend(issues.iter().map(|issue| format!("#{} {} ({label})", issue.number, issue.title)));
        }
        if blocking.is_empty() {
            return Ok(());
        }
        Err(Failure::failed(claim)
            .expected(format!(
                "no open issue with the label {}",
                check.contract().release()?.blocking_labels.join(" or ")
            ))
            .seen(blocking.join("\n"))
            .at(github.url("issues"))
            .advice("fix it before the release, or take the label off and write down why"))
    })
}

/// "All PRs reviewed and approved": each commit since the last release came by a pull request that somebody else approved.
#[test]
fn every_change_was_approved_by_somebody_else() -> Verdict {
    check("pre.1.3", async |check| {
        let (checkout, github) = (check.deployment().checkout().await?, check.deployment().github()?);
        let (tag, claim) = (checkout.previous_tag()?, "every change since the last release was approved");
        let commits = checkout.commits(&format!("{tag}..HEAD"))?;
        if commits.is_empty() {
            return Err(Failure::undecided(claim).expected(format!("commits since {tag}")).seen("none"));
        }
        let (mut wrong, mut pulls) = (Vec::new(), 0);
        for commit in &commits {
            let brought = github.pulls_of(&commit.hash).await;
            let brought = brought.map_err(|error| Deployment::vendor_failed(claim, &error))?;
            if brought.is_empty() {
                wrong.push(format!("{} {}: no pull request brought it", short(&commit.hash), commit.subject));
                continue;
            }
            pulls += 1;
            // One that was approved is enough: a commit may have come by way of several.
            let mut objections = Vec::new();
            for pull in &brought {
                let objection = github.objection(pull).await;
                let objection = objection.map_err(|error| Deployment::vendor_failed(claim, &error))?;
                objections.push(objection.map(|why| format!("#{} {}: {why}", pull.number, pull.title)));
            }
            if objections.iter().all(Option::is_some) {
                wrong.extend(objections.into_iter().flatten());
            }
        }
        if wrong.is_empty() {
            check.measured(format!("{} commits since {tag}, {pulls} pull requests", commits.len()));
            return Ok(());
        }
        Err(Failure::failed(claim)
            .expected(format!(
                "each of {} commits since {tag} by a pull request whose last commit somebody else of the team approved",
                commits.len()
            ))
            .seen(wrong.join("\n"))
            .at(github.url("pulls"))
            .advice("let somebody else review it now, before the release"))
    })
}

/// "Version number updated (if applicable)": a tag on the commit, or another version in the file.
#[test]
fn the_version_is_a_new_one() -> Verdict {
    check("pre.1.4", async |check| {
        let (checkout, release) = (check.deployment().checkout().await?, check.contract().release()?);
        let (tags, before) = (checkout.tags()?, checkout.previous_tag()?);
        let version_at = |revision: &str| -> Verdict<String> {
            let text = checkout.file_at(revision, &release.version_file)?;
            Ok(release.version.first_group(&text).unwrap_or("no version").to_owned())
        };
        let (now, then) = (version_at("HEAD")?, version_at(&before)?);
        if now != then || !tags.is_empty() {
            check.released(|seen| seen.version = Some(tags.first().unwrap_or(&now).clone()));
            check.measured(if tags.is_empty() { now } else { tags.join(", ") });
            return Ok(());
        }
        Err(Failure::failed("the release has a version of its own")
            .expected(format!("a tag on HEAD, or another version than {then} of {before} in {}", release.version_file))
            .seen(format!("no tag, and version {now}"))
            .at(checkout.folder().display().to_string())
            .advice(format!("raise the version in {}, commit and tag it", release.version_file)))
    })
}

pub fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}
