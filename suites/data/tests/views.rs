//! What people see is what the rows say: each view of the contract, its lists and figures, its controls, on a desk and on
//! a phone. Each belongs to the step of the runbook that its view is of.

use harness::{
    Cause, Check, Failure, List, Page, RestClient, Section, Verdict, View, Visit, Wanted, check_if_promised,
    views::{Difference, Expected},
};
use rstest_reuse::apply;

use crate::views as cases;

/// How often a list is compared whose rows other people change meanwhile.
const TRIES: usize = 4;

/// Where the contract has no view, the one case is about none.
fn step_of(step: &'static str) -> &'static str {
    if step.is_empty() { "4.3.2" } else { step }
}

pub mod signed_in {
    use super::*;

    /// By its address and by the navigation, for everybody who reads it: what is listed, in which order, how many, how
    /// each column is written, and what the cards say.
    #[apply(cases)]
    fn the_view_is_its_rows(#[case] view: &'static str, #[case] step: &'static str) -> Verdict {
        check_if_promised(&[Section::Views, Section::Data], step_of(step), async |check| {
            let seen = Looked::at(check, view)?;
            let page = check.page().await?;
            for (at, reader) in seen.view.readers.iter().enumerate() {
                let session = check.deployment().session(reader).await?;
                if at == 0 {
                    page.hold(&session).await?;
                } else {
                    page.hold_now(&session).await?;
                }
                let visit = seen.open(&page).await?;
                visit.expect_quiet()?;
                seen.compare(&page, &visit, reader).await?;
                if at == 0 {
                    let visit = seen.by_navigation(&page).await?;
                    seen.compare(&page, &visit, reader).await?;
                    seen.search(&page, &visit, reader).await?;
                }
            }
            Ok(())
        })
    }

    /// Each button has an effect of its own, what opens can be cancelled, and on a phone nothing is cut off.
    #[apply(cases)]
    fn the_controls_of_the_view_work(#[case] view: &'static str, #[case] step: &'static str) -> Verdict {
        check_if_promised(&[Section::Views, Section::Controls], step_of(step), async |check| {
            let seen = Looked::at(check, view)?;
            let page = check.signed_in(&seen.view.readers[0]).await?;
            let visit = seen.open(&page).await?;
            let failed = |failure: Failure| failure.at(visit.url()).caused_by(Cause::FrontEnd);
            let offered = page.controls().await?;
            let lacking: Vec<_> = seen.view.buttons.iter().filter(|button| !offered.contains(button)).collect();
            if !lacking.is_empty() {
                return Err(failed(Failure::failed("the view offers its buttons"))
                    .expected(format!("{lacking:?}"))
                    .seen(format!("{offered:?}")));
            }
            for button in &offered {
                page.try_control(button).await?.map_or(Ok(()), |what| {
                    Err(failed(Failure::failed(format!("{button:?} does what it says")))
                        .expected(what.expected)
                        .seen(what.seen))
                })?;
                if page.browser().path().await? != check.contract().page_of(seen.view).path {
                    seen.open(&page).await?;
                }
            }
            let phone = check.contract().controls()?.phone;
            page.browser().show_as(phone, "light").await?;
            let cut = page.cut_off().await?;
            if cut.is_empty() {
                return Ok(());
            }
            Err(failed(Failure::failed("on a phone nothing is cut off"))
                .expected(format!("all of the view within {phone} px, and its buttons where a finger reaches them"))
                .seen(cut.join("\n")))
        })
    }
}

/// A view and what it takes to look at it.
struct Looked<'c> {
    check: &'c Check,
    view: &'c View,
    service: Option<RestClient>,
}

impl<'c> Looked<'c> {
    fn at(check: &'c Check, name: &str) -> Verdict<Self> {
        Ok(Self { check, view: check.contract().view(name)?, service: None })
    }

    fn service(&self) -> Verdict<RestClient> {
        self.service.clone().map_or_else(|| self.check.deployment().service(), Ok)
    }

    async fn open(&self, page: &Page<'_>) -> Verdict<Visit> {
        let route = self.check.contract().page_of(self.view);
        let visit = page.open(route).await?;
        visit.expect_ready(format!("{} shows its view", route.path))?;
        Ok(visit)
    }

    /// By the button of the navigation, from another view.
    async fn by_navigation(&self, page: &Page<'_>) -> Verdict<Visit> {
        let contract = self.check.contract();
        let route = contract.page_of(self.view);
        let elsewhere = contract.routes().find(|other| other.heading != route.heading && other.navigation.is_some());
        let (Some(button), Some(elsewhere)) = (&route.navigation, elsewhere) else { return self.open(page).await };
        let leave = elsewhere.navigation.as_deref().unwrap_or_default();
        page.navigate(leave, &Wanted::view(contract, elsewhere))
            .await?
            .expect_on_the_way(format!("the navigation's {leave:?} shows its view"))?;
        let visit = page.navigate(button, &Wanted::view(contract, route)).await?;
        visit.expect_ready(format!("the navigation's {button:?} shows its view"))?;
        if page.browser().path().await? == route.path {
            return Ok(visit);
        }
        Err(Failure::failed(format!("the navigation's {button:?} leads to its address"))
            .expected(&route.path)
            .seen(page.browser().path().await?)
            .caused_by(Cause::FrontEnd))
    }

    fn institution(&self, reader: &str) -> Verdict<Option<String>> {
        let letter = self.check.contract().personas.get(reader).and_then(|persona| persona.institution.as_deref());
        letter.map(|letter| self.check.deployment().institution(letter)).transpose()
    }

    async fn expected(&self, list: &'c List, reader: &str) -> Verdict<Expected<'c>> {
        let institution = self.institution(reader)?;
        Expected::of_rows(self.check.contract(), &self.service()?, list, institution.as_deref()).await
    }

    async fn turn_to(&self, page: &Page<'_>, list: &List) -> Verdict {
        let Some(tab) = &list.tab else { return Ok(()) };
        if page.browser().click_text("[role=tab], button", tab).await? {
            return Ok(());
        }
        Err(Failure::failed("the view has its tabs").expected(format!("a tab {tab:?}")).seen("none"))
    }

    async fn compare(&self, page: &Page<'_>, visit: &Visit, reader: &str) -> Verdict {
        for list in &self.view.lists {
            self.turn_to(page, list).await?;
            let mut tries = 1;
            while let Some(difference) = page.compare(&self.expected(list, reader).await?).await? {
                // Rows that others change meanwhile are read again, and so is the view.
                if tries == TRIES || (self.institution(reader)?.is_some() && tries == 2) {
                    let claim = format!("the list of each {} is its rows", list.kind);
                    return Err(differs(difference, &claim, visit, reader));
                }
                tries += 1;
                self.open(page).await?;
                self.turn_to(page, list).await?;
            }
        }
        self.compare_figures(page, visit, reader).await
    }

    async fn compare_figures(&self, page: &Page<'_>, visit: &Visit, reader: &str) -> Verdict {
        let contract = self.check.contract();
        let (Some(figures), Some(institution)) = (self.view.cards(contract), self.institution(reader)?) else {
            return Ok(());
        };
        let written = figures.of_rows(contract, &self.service()?, &institution).await?;
        let shown = page.cards(&figures).await?;
        let (mut expected, mut seen) = (Vec::new(), Vec::new());
        for (kpi, written) in figures.kpis.iter().zip(written) {
            let card = shown.get(&kpi.label);
            if card != Some(&written) {
                expected.push(format!("{}: {written}", kpi.label));
                seen.push(format!("{}: {}", kpi.label, card.map_or("no such card", String::as_str)));
            }
        }
        if expected.is_empty() {
            return Ok(());
        }
        let difference = Difference { expected: expected.join("\n"), seen: seen.join("\n") };
        Err(differs(difference, "each figure is written as its rows have it", visit, reader))
    }

    /// A search by each promised field finds the rows that have it, in whatever case, and no others.
    async fn search(&self, page: &Page<'_>, visit: &Visit, reader: &str) -> Verdict {
        for list in &self.view.lists {
            let Some(search) = &list.search else { continue };
            let all = self.expected(list, reader).await?;
            for column in &search.columns {
                let text = all.lines.iter().rev().find_map(|line| line.row[column].as_str());
                let Some(text) = text else { continue };
                let text = part(text);
                page.search(&search.field, &text).await?;
                if let Some(difference) = page.compare(&all.found(&search.columns, &text)).await? {
                    let claim = format!("a search finds rows by their {column}");
                    return Err(differs(difference, &claim, visit, reader));
                }
            }
        }
        Ok(())
    }
}

/// What somebody types who looks for a text: a part of it, in small letters.
fn part(text: &str) -> String {
    let letters: Vec<_> = text.chars().collect();
    let from = letters.len() / 3;
    letters[from..].iter().collect::<String>().trim().to_lowercase()
}

fn differs(difference: Difference, claim: &str, visit: &Visit, reader: &str) -> Failure {
    Failure::failed(claim)
        .expected(difference.expected)
        .seen(difference.seen)
        .at(format!("{}, as {reader} sees it", visit.url()))
}
