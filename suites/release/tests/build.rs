//! Phase 3, 3.1 Pre-Deployment Build Test: the folder that a build left (RELEASE_DIST), and that it is what is served.

use harness::{BuildFiles, Failure, Outcome, Section, Site, UnknownPath, Verdict, check, check_if_promised};

fn listed(build: &BuildFiles) -> String {
    let mut top: Vec<_> = build.keys().map(|path| path.split_inclusive('/').next().unwrap_or(path)).collect();
    top.dedup();
    top.join(", ")
}

/// Files that differ, in a failure.
const NAMED: usize = 6;

/// "npm run build": the release commit builds where nothing else lies about, and what it gives is the build under test.
#[test]
fn the_release_commit_gives_this_build_in_a_clean_clone() -> Verdict {
    check_if_promised(&[Section::Rebuild], "3.1.0", async |check| {
        let (deployment, may_differ) = (check.deployment(), &check.contract().rebuild()?.may_differ);
        let (built, released) = deployment.rebuilt().await?;
        let under_test = match deployment.build() {
            // Without the build's own folder, what is served is what was built.
            Err(failure) if failure.outcome() == Outcome::NotRun => served(deployment.site(), &built).await?,
            build => build?,
        };
        let is_meant = |path: &&String| !may_differ.iter().any(|pattern| pattern.is_in(path));
        let mut other = Vec::new();
        for path in built.keys().chain(under_test.keys().filter(|path| !built.contains_key(*path))).filter(is_meant) {
            match (built.get(path), under_test.get(path)) {
                (Some(built), Some(there)) if text(built) == text(there) => {}
                (Some(_), Some(_)) => other.push(format!("{path}: another content")),
                (Some(_), None) => other.push(format!("{path}: not in the build under test")),
                (None, _) => other.push(format!("{path}: in the build under test alone")),
            }
        }
        if other.is_empty() && !built.is_empty() {
            check.measured(format!("{} files", built.len()));
            return Ok(());
        }
        let more = other.len().saturating_sub(NAMED);
        other.truncate(NAMED);
        other.extend((more > 0).then(|| format!("and {more} more")));
        Err(Failure::failed("the release commit gives the build under test")
            .expected(format!("the {} files of the build under test", under_test.len()))
            .seen(if built.is_empty() { "a build without a file".to_owned() } else { other.join("\n") })
            .at(format!("a clean clone of {}", released.commit.get(..12).unwrap_or(&released.commit)))
            .advice(
                "build from the release commit and deploy that; where a build differs by its variables, set the VITE_… of the deployed \
                 one, and name what has the time in it as may_differ of [rebuild]",
            ))
    })
}

fn text(content: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(content)
}

/// The address of a build's file: a document has it without its name. None of rules, which Pages reads and does not serve.
fn address(path: &str) -> Option<String> {
    match path {
        "_redirects" | "_headers" => None,
        "index.html" => Some("/".to_owned()),
        path => Some(format!("/{}", path.strip_suffix(".html").unwrap_or(path))),
    }
}

/// What a site serves of a build's files; rules as the build has them.
async fn served(site: &Site, build: &BuildFiles) -> Verdict<BuildFiles> {
    let mut files = BuildFiles::new();
    for (path, content) in build {
        let there = match address(path) {
            Some(address) => site.get(site.url(&address)).await?.body.into_bytes(),
            None => content.clone(),
        };
        files.insert(path.clone(), there);
    }
    Ok(files)
}

/// "Should see: index.html, assets/, _redirects".
#[test]
fn the_build_has_what_a_site_needs() -> Verdict {
    check("3.1.1", async |check| {
        let (build, contract) = (check.deployment().build()?, check.contract());
        let mut expected = vec!["index.html", contract.assets.hashed.trim_start_matches('/')];
        if contract.portal.unknown_path == UnknownPath::App && contract.assets.redirects {
            expected.push("_redirects");
        }
        let is_there =
            |name: &&str| build.keys().any(|path| path == name || name.ends_with('/') && path.starts_with(*name));
        if expected.iter().all(is_there) {
            check.measured(format!("{} files", build.len()));
            return Ok(());
        }
        let (last, others) = expected.split_last().unwrap_or((&"", &[]));
        Err(Failure::failed(format!("the build has {} and {last}", others.join(", ")))
            .expected(expected.join(", "))
            .seen(listed(&build))
            .advice(
                "npm run build, and look at what it printed; _redirects belongs into public/, or redirects = false into \
                 [assets] where the host shows the app for every path by itself",
            ))
    })
}

/// Nothing secret goes out with it, in whatever file.
#[test]
fn the_build_holds_no_secret() -> Verdict {
    check("3.1.2", async |check| {
        let build = check.deployment().build()?;
        let found: Vec<_> = build
            .iter()
            .flat_map(|(path, content)| {
                let text = String::from_utf8_lossy(content).into_owned();
                let kinds = check.contract().secrets.iter().filter(move |(_, pattern)| pattern.is_in(&text));
                kinds.map(move |(kind, _)| format!("a {kind} in {path}"))
            })
            .chain(
                build
                    .keys()
                    .filter(|path| path.split('/').any(|part| part.starts_with(".env")))
                    .map(|path| format!("the file {path}")),
            )
            .collect();
        if found.is_empty() && !build.is_empty() {
            return Ok(());
        }
        Err(Failure::failed("the build holds no secret: everything in it is published")
            .expected("none of the contract's secrets, and no .env")
            .seen(if build.is_empty() { "an empty build".to_owned() } else { found.join("\n") })
            .advice("rotate the key, take it out of what is built, build again"))
    })
}

#[test]
fn the_build_is_within_its_budget() -> Verdict {
    check_if_promised(&[Section::Release], "3.1.2", async |check| {
        let (build, budget) = (check.deployment().build()?, &check.contract().release()?.build);
        let kilobytes = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX).div_ceil(1000);
        let total = kilobytes(build.values().map(Vec::len).sum());
        let scripts = build.iter().filter(|(path, _)| path.ends_with(".js"));
        let heavy: Vec<_> = scripts
            .map(|(path, content)| (path, kilobytes(content.len())))
            .filter(|(_, size)| *size > budget.script_kb)
            .map(|(path, size)| format!("{path}: {size} kB"))
            .collect();
        if total <= budget.total_kb && heavy.is_empty() && total > 0 {
            check.measured(format!("{total} kB"));
            return Ok(());
        }
        Err(Failure::failed("the build is within its budget")
            .expected(format!("{} kB in all, {} kB for a script", budget.total_kb, budget.script_kb))
            .seen(format!("{total} kB in all\n{}", heavy.join("\n")))
            .advice("look for what came in with the last dependency: npx vite-bundle-visualizer"))
    })
}

/// What is deployed is this build, byte for byte.
#[test]
fn what_is_served_is_this_build() -> Verdict {
    check("3.1.2", async |check| {
        let (build, site) = (check.deployment().build()?, check.deployment().site());
        let files = build.iter().filter_map(|(path, content)| Some((path, content, address(path)?)));
        let (mut other, mut same) = (Vec::new(), 0);
        for (path, content, address) in files {
            let served = site.get(site.url(&address)).await?;
            if served.body == text(content) {
                same += 1;
            } else {
                other.push(format!("{path}: {}", served.summary()));
            }
        }
        if other.is_empty() && same > 0 {
            check.measured(format!("{same} files"));
            return Ok(());
        }
        Err(Failure::failed("what is served is this build")
            .expected(format!("{} files as the build has them", same + other.len()))
            .seen(other.join("\n"))
            .at(site.url("/").as_str())
            .advice("deploy this build, or look at the one that was deployed: cargo test -p release deployment"))
    })
}

/// "_redirects": its rule really falls back, once it is served.
#[test]
fn the_redirects_of_the_build_fall_back() -> Verdict {
    check("3.1.3", async |check| {
        let (build, site) = (check.deployment().build()?, check.deployment().site());
        let claim = "the rules of the build let a deep link show the app";
        let rules =
            build.get("_redirects").map(|rules| String::from_utf8_lossy(rules).into_owned()).unwrap_or_default();
        let falls_back = rules.lines().any(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some("/*")
                && words.next().is_some_and(|to| to.starts_with('/'))
                && words.next() == Some("200")
        });
        let (app, deep) = (site.document("/").await?, site.get(site.url("/a-deep-link/of-nobody")).await?);
        if check.contract().portal.unknown_path == UnknownPath::NotFound {
            if deep.status == 404 {
                return Ok(());
            }
            return Err(Failure::failed("the rules of the build let an unknown path answer 404")
                .expected("404")
                .seen(deep.summary())
                .at(deep.url.as_str())
                .advice(
                    "put a 404.html into public/, and take a rule for /* out of _redirects; build again and deploy",
                ));
        }
        if deep.document().starts_the_same_app_as(&app) {
            return Ok(());
        }
        let failure = Failure::failed(claim).at(deep.url.as_str());
        // Pages falls back by itself where there is no 404.html, and drops a rule that leads to index.html as a loop.
        if build.contains_key("404.html") {
            return Err(failure
                .expected("no 404.html: Pages shows the app's document for every path then")
                .seen(format!(
                    "{}, and a 404.html",
                    if falls_back { "/* /index.html 200, which Pages drops as a loop" } else { "no rule" }
                ))
                .advice("remove 404.html from public/, build again and deploy"));
        }
        Err(failure.expected("the app's own document").seen(deep.summary()))
    })
}
