//! Phase 3, 3.2 Deploy to Cloudflare: what is live is this release.

use harness::{Deployment, Failure, PagesDeployment, Verdict, check};

use crate::code_freeze::short;

#[test]
fn the_live_deployment_is_this_release() -> Verdict {
    check("3.2", async |check| {
        let (deployment, claim) = (check.deployment(), "the last deployment is live, and is this release");
        let (pages, released) = (deployment.pages()?, deployment.released().await?);
        let failed = |error| Deployment::vendor_failed(claim, &error);
        let (project, all) = (pages.project().await.map_err(failed)?, pages.deployments().await.map_err(failed)?);
        let failure = || Failure::failed(claim).at(pages.url("/deployments"));
        let expected = format!("deploy success of {} ({})", short(&released.commit), project.production_branch);
        let Some(last) = all.first() else { return Err(failure().expected(expected).seen("no deployment")) };
        let shown = |deployments: &[PagesDeployment]| {
            deployments.iter().take(3).map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        if !last.is_live() {
            let advice = match last.latest_stage.status.as_str() {
                "active" | "idle" => "it is still under way: wait for it, and run the check again",
                _ => "read its log in Cloudflare, Pages, Deployments; what is live is still the one before",
            };
            return Err(failure().expected(expected).seen(shown(&all)).advice(advice));
        }
        if !last.commit().starts_with(&released.commit) || last.branch() != project.production_branch {
            return Err(failure()
                .expected(expected)
                .seen(shown(&all))
                .advice("deploy the released commit: git push origin main, or wrangler pages deploy dist"));
        }
        check.released(|seen| {
            seen.deployment = Some(last.short_id.clone());
            seen.commit = Some(last.commit().to_owned());
        });
        check.measured(format!("{} of {}", last.short_id, short(last.commit())));
        Ok(())
    })
}
