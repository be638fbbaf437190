//! The checks that visit a hostile server, each as a suite would make it. They run in a process that the test starts.

use std::{env, fs, io::Write};

use harness::{Verdict, Wanted, check};

/// Names the file that takes the process's peak of memory after each check.
pub const MEMORY: &str = "HOSTILE_MEMORY";

/// A client without a browser: the document and the scripts behind it.
#[test]
#[ignore = "visits a server that the test of this crate starts"]
fn document() -> Verdict {
    measured(check("3.3.1", async |check| {
        let site = check.deployment().site();
        let document = site.document("/").await?;
        if document.title != check.contract().portal.title {
            return Err(harness::Failure::failed("the document is the portal's")
                .expected(&check.contract().portal.title)
                .seen(document.fetched.summary()));
        }
        site.bundle().await?.scripts().map(drop)
    }))
}

/// A browser, at the page that does its worst.
#[test]
#[ignore = "visits a server that the test of this crate starts"]
fn page() -> Verdict {
    measured(check("4.1.1", async |check| {
        let page = check.page().await?;
        let visit = page.visit("/", &Wanted::login(check.contract())).await?;
        visit.expect_ready("the login is on screen")?;
        visit.expect_quiet()
    }))
}

/// Another one, at a page that is well.
#[test]
#[ignore = "visits a server that the test of this crate starts"]
fn page_that_is_well() -> Verdict {
    measured(check("4.1.2", async |check| {
        let page = check.page().await?;
        page.visit("/well", &Wanted::login(check.contract())).await?.expect_ready("the login is on screen")
    }))
}

/// A browser, at a page that does its worst once somebody clicks.
mod click {
    use super::*;

    #[test]
    #[ignore = "visits a server that the test of this crate starts"]
    fn page() -> Verdict {
        measured(check("4.2.1", async |check| {
            let (page, wanted) = (check.page().await?, Wanted::login(check.contract()));
            page.visit("/", &wanted).await?.expect_ready("the login is on screen")?;
            page.browser().click_text("button", "Sign In").await?;
            page.browser().wait_for(&wanted).await?.expect_ready("the login stays on screen")
        }))
    }
}

/// Checks that have not enough time, in the order of their names.
mod late {
    use super::*;

    #[test]
    #[ignore = "visits a server that the test of this crate starts"]
    fn check_that_waits_for_ever() -> Verdict {
        check("4.1.1", async |_| std::future::pending().await)
    }

    #[test]
    #[ignore = "visits a server that the test of this crate starts"]
    fn later_check() -> Verdict {
        check("4.1.2", async |_| Ok(()))
    }
}

/// A check that nothing but the end of its process ends.
mod blocked {
    use super::*;

    #[test]
    #[ignore = "visits a server that the test of this crate starts"]
    fn check_that_blocks_its_thread() -> Verdict {
        check("4.1.1", async |_| {
            loop {
                std::thread::park();
            }
        })
    }
}

/// More browsers than a page may end, one after another.
mod in_a_row {
    use super::*;

    #[rstest::rstest]
    #[case(1)]
    #[case(2)]
    #[case(3)]
    #[case(4)]
    #[ignore = "visits a server that the test of this crate starts"]
    fn page(#[case] _visit: u32) -> Verdict {
        check("4.1.1", async |check| {
            let wanted = Wanted::login(check.contract());
            check.page().await?.visit("/", &wanted).await?.expect_ready("the login is on screen")
        })
    }
}

fn measured(verdict: Verdict) -> Verdict {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.map(|peak| peak.trim().trim_end_matches(" kB").to_owned()).unwrap_or_default();
    if let Some(file) = env::var_os(MEMORY) {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
        file.write_all(format!("{peak}\n").as_bytes()).unwrap();
    }
    verdict
}
