//! Pre-Release, 2. Staging Verification: "Performance benchmarks meet targets", of the pages at the contract's volume.

/// As in [`crate::benchmarks`]: the schema is read where nobody may change it meanwhile.
mod writes {
    use std::time::Duration;

    use harness::{Api, Cause, Failure, Page, Section, Verdict, Visit, Wanted, check_if_promised};

    use crate::benchmarks::{at_volume, of_scratch};

    /// What a browser shows, and how soon: a page that was built with a dozen rows may fetch, sort and draw all of them.
    #[test]
    fn the_views_are_on_screen_in_time() -> Verdict {
        check_if_promised(&[Section::Volume, Section::Make, Section::Views, Section::Data], "pre.2.4", async |check| {
            let (contract, volume) = (check.contract(), check.contract().volume()?);
            let at_volume = at_volume(check).await?;
            let claim = "the views are on screen in time at the contract's volume";
            let data = check.deployment().api()?.data();
            let (mut slow, mut times) = (Vec::new(), Vec::new());
            let mut open: Option<(&str, Page<'_>)> = None;
            for (view, reader) in at_volume.views(contract)? {
                let route = contract.page_of(view);
                let rows = view.lists.iter().filter(|list| list.tab.is_none()).map(|list| &list.rows);
                let wanted = rows.fold(Wanted::view(contract, route), Wanted::selector);
                let visit = match (&open, &route.navigation) {
                    (Some((whose, page)), Some(button)) if *whose == reader => page.navigate(button, &wanted).await?,
                    _ => {
                        let page = check.signed_in_at(at_volume, reader).await?;
                        let visit = page.visit(&route.path, &wanted).await?;
                        open = Some((reader, page));
                        visit
                    }
                };
                let (took, limit) = (visit.took(), Duration::from_millis(route.within_ms));
                if took.wall > limit {
                    let still = if visit.is_ready() { "on screen after" } else { "not on screen after" };
                    let (seconds, asked) = (took.wall.as_secs_f64(), visit.asked(&data));
                    let seen = format!("{:?}: {still} {seconds:.1} s, with {asked} requests for data", view.name);
                    slow.push((took, limit, seen));
                } else if !visit.is_ready() {
                    return Err(
                        not_shown(&visit, &route.path, check.deployment().api()?).fact("with", of_scratch(volume))
                    );
                }
                times.push((took.wall.as_millis(), &view.name));
            }
            let Some((slowest, name)) = times.iter().max() else {
                return Err(Failure::undecided(claim).expected("views of large tables in [[views]]").seen("none"));
            };
            check.keep("load-times.md", "text/markdown", table(&times));
            check.measured(format!("{} views, the slowest {name:?} in {slowest} ms", times.len()));
            let seen = slow.iter().map(|(.., text)| text.as_str()).collect::<Vec<_>>().join("\n");
            let Some((took, limit, _)) = slow.iter().max_by_key(|(took, limit, _)| took.wall.saturating_sub(*limit))
            else {
                return Ok(());
            };
            Err(Failure::failed(claim)
                .caused_by(Cause::Slow)
                .expected(format!("at most {:.1} s each, as with a few rows", limit.as_secs_f64()))
                .seen(seen)
                .at(of_scratch(volume))
                .advice("ask once for what the page shows (limit, range, embedded rows), and leave counting and sums to the database")
                .unless_kept_waiting(*took, *limit))
        })
    }

    /// A view that gave up. A scratch database has neither functions nor files, which the view may have asked for.
    fn not_shown(visit: &Visit, path: &str, api: &Api) -> Failure {
        let base = api.url.as_str().trim_end_matches('/');
        let there = ["rest", "auth"].map(|service| format!("{base}/{service}/v1/"));
        let is_there = |url: &str| there.iter().any(|service| url.starts_with(service));
        let claim = format!("{path} shows its rows at the contract's volume");
        match visit.requests(api.url.as_str()).find(|request| !is_there(request.url())) {
            Some(request) => Failure::undecided(claim)
                .expected("a view that asks for rows alone: a scratch database has neither functions nor files")
                .seen(request.to_string()),
            None => visit.expect_ready(claim).err().unwrap_or_else(|| Failure::undecided("the view gave up")),
        }
    }

    fn table(times: &[(u128, &String)]) -> String {
        let line = |(milliseconds, view): &(u128, &String)| format!("| {view} | {milliseconds} |\n");
        format!("| view | ms |\n|---|---|\n{}", times.iter().map(line).collect::<String>())
    }
}
