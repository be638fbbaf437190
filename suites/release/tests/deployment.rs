//! Phase 3, 3.2 Deploy to Cloudflare: what is live is this release.

use harness::{Deployment, Document, Failure, PagesDeployment, Progress, Verdict, check};

use crate::code_freeze::short;

/// A deployment of the released commit was published, and it is what the site serves: after a rollback the list is as it was.
#[test]
fn the_live_deployment_is_this_release() -> Verdict {
    check("3.2", async |check| {
        let (deployment, claim) = (check.deployment(), "what is live is this release");
        let (pages, released) = (deployment.pages()?, deployment.released().await?);
        let failed = |error| Deployment::vendor_failed(claim, &error);
        let (project, all) = (pages.project().await.map_err(failed)?, pages.deployments().await.map_err(failed)?);
        let failure = || Failure::failed(claim).at(pages.url("/deployments"));
        let expected = format!("deploy success of {} ({})", short(&released.commit), project.production_branch);
        let all: Vec<_> = all.into_iter().filter(|it| it.progress() != Progress::Skipped).collect();
        let Some(newest) = all.first() else {
            return Err(failure().expected(expected).seen("no deployment that built something"));
        };
        let is_ours = |it: &&PagesDeployment| {
            it.commit().starts_with(&released.commit) && it.branch() == project.production_branch
        };
        let Some(ours) = all.iter().filter(|it| it.progress() == Progress::Published).find(is_ours) else {
            let failure = match newest.progress() {
                Progress::Unknown => Failure::undecided(claim).at(pages.url("/deployments")),
                Progress::UnderWay => failure().advice("it is still under way: wait for it, and run the check again"),
                Progress::Failed => failure()
                    .advice("read its log in Cloudflare, Pages, Deployments; what is live is still the one before"),
                Progress::Published | Progress::Skipped => {
                    failure().advice("deploy the released commit: git push origin main, or wrangler pages deploy dist")
                }
            };
            return Err(failure.expected(expected).seen(shown(&all)));
        };
        match ours.is_dirty() {
            Some(false) => {}
            Some(true) => {
                return Err(failure().expected(format!("{expected}, and of nothing else")).seen(shown(&all)).advice(
                    "nobody can build this again: commit the changes, and deploy that commit (git push origin main)",
                ));
            }
            None => {
                return Err(Failure::undecided(claim)
                    .expected("an upload that says whether its working copy was clean")
                    .seen(shown(&all))
                    .at(pages.url("/deployments")));
            }
        }
        served(check, claim, ours, project.canonical()).await?;
        check.released(|seen| {
            seen.deployment = Some(ours.short_id.clone());
            seen.commit = Some(ours.commit().to_owned());
        });
        check.measured(format!("{} of {}", ours.short_id, short(ours.commit())));
        Ok(())
    })
}

fn shown(deployments: &[PagesDeployment]) -> String {
    deployments.iter().take(3).map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The site starts the app that the deployment has at its own address. Where that cannot be seen, Cloudflare's word counts.
async fn served(check: &harness::Check, claim: &str, ours: &PagesDeployment, canonical: Option<&str>) -> Verdict {
    let site = check.deployment().site();
    let live = site.document("/").await?;
    let own = match &ours.url {
        Some(url) => site.get(url.clone()).await.ok().filter(|own| own.status.is_success()).map(|own| own.document()),
        None => None,
    };
    let own = own.filter(|own| !starts(own).is_empty());
    let rolled_back = Failure::failed(claim)
        .at(live.fetched.url.as_str())
        .advice("somebody rolled back, or another host serves this address: Cloudflare, Pages, Deployments shows which one is live; deploy the release again if it is to be");
    match (own, canonical) {
        (Some(own), _) if starts(&own) == starts(&live) => Ok(()),
        (Some(own), _) => {
            let (own, live) = (starts(&own), starts(&live));
            let only = |these: &[String], those: &[String]| {
                these.iter().filter(|path| !those.contains(path)).cloned().collect::<Vec<_>>().join(", ")
            };
            Err(rolled_back
                .expected(format!("the app of {}, which starts {}", ours.short_id, only(&own, &live)))
                .seen(format!("one that starts {} instead", only(&live, &own))))
        }
        (None, Some(canonical)) if canonical == ours.id => Ok(()),
        (None, Some(canonical)) => {
            Err(rolled_back.expected(format!("the deployment {}", ours.id)).seen(format!("the deployment {canonical}")))
        }
        (None, None) => Err(Failure::undecided(claim)
            .expected(format!("the app of {} at its own address, to be compared with what is served", ours.short_id))
            .seen("nothing there that starts an app")
            .at(ours.url.as_ref().map_or("no address", reqwest::Url::as_str))),
    }
}

/// Paths of the scripts and styles that a document starts.
fn starts(document: &Document) -> Vec<String> {
    let own = document.assets.iter().filter(|asset| asset.url.origin() == document.fetched.url.origin());
    own.filter(|asset| asset.is_script() || asset.may_be("text/css")).map(|asset| asset.url.path().to_owned()).collect()
}
