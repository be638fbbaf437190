//! What people see is what the rows say: each view of the contract, its lists and figures, its controls, on a desk and on
//! a phone. Each belongs to the step of the runbook that its view is of.

mod rows;

use std::{collections::BTreeSet, time::Duration};

use harness::{
    Cause, Check, Contract, Failure, List, Page, Section, Session, Tenant, Verdict, View, Visit, Wanted,
    check_if_promised, now_in,
    views::{Difference, Expected, outline_difference},
};
use jiff::Zoned;
use rstest_reuse::apply;

use crate::views;

/// Pixels of a window in which the navigation is beside the view.
const DESKTOP: u32 = 1280;

/// How long a view may try again by itself what was refused: React Query does so for seven seconds.
const GIVES_UP: Duration = Duration::from_secs(15);

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
    #[apply(views)]
    fn the_view_is_its_rows(#[case] view: &'static str, #[case] step: &'static str) -> Verdict {
        check_if_promised(&[Section::Views, Section::Data], step_of(step), async |check| {
            let page = check.page().await?;
            for (at, reader) in check.contract().view(view)?.readers.iter().enumerate() {
                let seen = Looked::by_persona(check, view, reader).await?;
                let session = check.deployment().session(reader).await?;
                if at == 0 {
                    page.hold(&session).await?;
                } else {
                    page.hold_now(&session).await?;
                }
                let visit = seen.open(&page).await?;
                visit.expect_quiet()?;
                seen.compare(&page).await?;
                if at == 0 {
                    seen.by_navigation(&page).await?;
                    seen.compare(&page).await?;
                    seen.handle(&page).await?;
                    seen.search(&page, Choose::Last).await?;
                    seen.go_back(&page).await?;
                }
            }
            Ok(())
        })
    }

    /// Each button has an effect of its own, what opens can be cancelled, and on a phone nothing is cut off.
    #[apply(views)]
    fn the_controls_of_the_view_work(#[case] view: &'static str, #[case] step: &'static str) -> Verdict {
        check_if_promised(&[Section::Views, Section::Controls, Section::Data], step_of(step), async |check| {
            let unread = || Failure::undecided(format!("the contract says who reads {view:?}")).seen("nobody");
            let reader = check.contract().view(view)?.readers.first().ok_or_else(unread)?;
            let seen = Looked::by_persona(check, view, reader).await?;
            let page = check.signed_in(reader).await?;
            let visit = seen.open(&page).await?;
            let failed = |failure: Failure| failure.at(visit.url()).caused_by(Cause::FrontEnd);
            if let Some(difference) = outline_difference(&seen.view.outline, &page.outline(seen.view).await?) {
                return Err(seen
                    .differs(&page, difference, "the view has the headings, fields and buttons that it promises")
                    .await);
            }
            let offered = page.controls().await?;
            let lacking: Vec<_> = seen.view.buttons.iter().filter(|button| !offered.contains(button)).collect();
            if !lacking.is_empty() {
                return Err(failed(Failure::failed("the view offers its buttons"))
                    .expected(format!("{lacking:?}"))
                    .seen(format!("{offered:?}")));
            }
            for button in &offered {
                seen.try_control(&page, button, DESKTOP).await?;
                if let Some(path) = seen.view.leads.get(button) {
                    let there = page.browser().path().await?;
                    if there != *path {
                        return Err(failed(
                            Failure::failed(format!("{button:?} leads where it says")).expected(path).seen(there),
                        ));
                    }
                }
                if page.browser().path().await? != check.contract().page_of(seen.view).path {
                    seen.open(&page).await?;
                }
            }
            let use_of_it = usable(&page, check.contract(), seen.view).await?;
            use_of_it.map_or(Ok(()), |failure| Err(failed(failure)))?;
            // On a phone the navigation is behind its own button.
            page.browser().show_as(DESKTOP, "light").await?;
            page.browser().refuse_data().await?;
            seen.turn_away_and_back(&page).await?;
            seen.expect_said(&page, "a view").await?;
            for list in seen.view.lists.iter().filter(|list| list.tab.is_some()) {
                seen.turn_to(&page, list).await?;
                seen.expect_said(&page, &format!("the tab {:?}", list.tab.as_deref().unwrap_or_default())).await?;
            }
            page.browser().accept_data().await?;
            seen.try_again(&page).await
        })
    }

    /// For every role: what it may open, and nothing else.
    #[test]
    fn the_navigation_offers_what_the_role_may_open() -> Verdict {
        check_if_promised(&[Section::Navigation], "3.3.2", async |check| {
            let (contract, page) = (check.contract(), check.page().await?);
            let selector = &contract.shell.navigation;
            let promised =
                contract.personas.iter().filter_map(|(name, persona)| Some((name, persona.navigation.as_ref()?)));
            for (at, (name, promised)) in promised.enumerate() {
                let session = check.deployment().session(name).await?;
                if at == 0 {
                    page.hold(&session).await?
                } else {
                    page.hold_now(&session).await?
                }
                let visit = page.visit(&contract.shell.landing, &Wanted::shell(contract)).await?;
                visit.expect_ready("the portal is on screen")?;
                let offered = page.browser().texts(selector).await?;
                if offered != *promised {
                    return Err(Failure::failed("the navigation offers what a role may open, in its order")
                        .expected(promised.join(", "))
                        .seen(offered.join(", "))
                        .at(format!("{}, as {name} sees it", visit.url()))
                        .caused_by(Cause::FrontEnd));
                }
                says_who(check, &page, name).await?;
            }
            Ok(())
        })
    }
}

/// The shell says who is signed in: the role, the institution and the address.
async fn says_who(check: &Check, page: &Page<'_>, name: &str) -> Verdict {
    let (contract, deployment) = (check.contract(), check.deployment());
    let (Some(who), Some(persona)) = (&contract.shell.who, contract.personas.get(name)) else { return Ok(()) };
    let mut said = vec![
        ("the role", &who.role, persona.label.clone()),
        ("the address", &who.email, deployment.credentials(name)?.0),
    ];
    if let (Some(letter), Some(selector)) = (&persona.institution, &who.institution) {
        let id = format!("eq.{}", deployment.institution(letter)?);
        let recipe = contract.make().ok().and_then(|make| make.get("institution"));
        let table = recipe.map_or("institutions", |recipe| recipe.table.as_str());
        let rows = deployment.service()?.select(table, &[("id", &id)]).await;
        let rows = rows.map_err(|error| Failure::undecided("an institution can be read").seen(error.to_string()))?;
        let own = rows.first().and_then(|row| row["name"].as_str()).unwrap_or_default();
        said.push(("the institution", selector, own.to_owned()));
    }
    for (what, selector, expected) in said {
        if !page.browser().texts(selector).await?.contains(&expected) {
            return Err(Failure::failed(format!("the portal says who is signed in: {what}"))
                .expected(format!("{what} of {name} in {selector}"))
                .seen("something else, or nothing")
                .at(page.browser().path().await?)
                .caused_by(Cause::FrontEnd));
        }
    }
    Ok(())
}

/// What keeps people from using the view that is open, if anything does: at each width, by keyboard, by its text.
async fn usable(page: &Page<'_>, contract: &Contract, view: &View) -> Verdict<Option<Failure>> {
    let found = |claim: String, expected: &str, seen: &[String]| {
        (!seen.is_empty()).then(|| Failure::failed(claim).expected(expected).seen(seen.join("\n")))
    };
    let barriers = page.barriers().await?;
    let contrast = "text that stands out from its ground, and a name for each control and picture";
    if let Some(failure) = found("the view can be read by everybody".to_owned(), contrast, &barriers) {
        return Ok(Some(failure));
    }
    let beyond = page.beyond_the_keyboard().await?;
    let keyboard = "each control takes the focus and shows it";
    if let Some(failure) = found("the view can be used by keyboard".to_owned(), keyboard, &beyond) {
        return Ok(Some(failure));
    }
    let controls = contract.controls()?;
    for width in &controls.widths {
        page.browser().show_as(*width, "light").await?;
        let fits = "all of the view within the window, and its buttons where a finger reaches them";
        let claim = format!("nothing is cut off in a window {width} px wide");
        if let Some(failure) = found(claim, fits, &page.overflow().await?) {
            return Ok(Some(failure));
        }
        let lands_there = contract.page_of(view).path == contract.shell.landing;
        if *width == controls.phone && lands_there {
            let wide = page.browser().laid_out_on_a_phone(*width).await?;
            if wide > u64::from(*width) {
                let claim = "a phone lays the page out for its own width";
                let seen = format!("{wide} px: people see a desktop's page, made small");
                return Ok(Some(Failure::failed(claim).expected(format!("{width} px")).seen(seen)));
            }
            let failure = Failure::failed("the menu opens the navigation on a phone, and it closes again");
            let failure = failure.expected("a navigation that comes and goes");
            if let Some(what) = page.leaves_the_menu_open().await? {
                return Ok(Some(failure.seen(format!("one that stays as it is after {what}"))));
            }
        }
    }
    Ok(None)
}

/// Which row's text is searched for.
#[derive(Clone, Copy)]
pub enum Choose {
    /// That of the last row that has one.
    Last,
    /// That with the most signs that a search might take for its own.
    Oddest,
    /// One that the most rows have, of other statuses as well.
    Commonest,
}

/// A view, and who looks at it.
pub struct Looked<'c> {
    check: &'c Check,
    view: &'c View,
    who: &'c str,
    /// Whose rows they see; those of all for the platform's own people.
    institution: Option<String>,
    /// The role, where what it may do is looked at.
    role: Option<&'c str>,
}

impl<'c> Looked<'c> {
    /// A view as a persona sees it.
    async fn by_persona(check: &'c Check, view: &str, who: &'c str) -> Verdict<Self> {
        let institution = check.deployment().owner_of(who).await?;
        let role = check.contract().role_of(who);
        Ok(Self { check, view: check.contract().view(view)?, who, institution, role })
    }

    /// A view as somebody of an institution that a check has made sees it.
    pub fn by_person(check: &'c Check, view: &str, who: &'c str, tenant: &Tenant) -> Verdict<Self> {
        Ok(Self { check, view: check.contract().view(view)?, who, institution: Some(tenant.id.clone()), role: None })
    }

    /// In this role, whose buttons are looked at, too.
    pub fn in_role(self, role: &'c str) -> Self {
        Self { role: Some(role), ..self }
    }

    /// A view as somebody of a tenant sees it, or, where it is for the platform's own people, as they do.
    pub async fn in_tenant(check: &'c Check, view: &str, role: &'c str, tenant: &Tenant) -> Verdict<(Self, Session)> {
        let readers = &check.contract().view(view)?.readers;
        let is_placed =
            |name: &&String| check.contract().personas.get(*name).is_some_and(|persona| persona.institution.is_some());
        if let (None, Some(reader)) = (readers.iter().find(is_placed), readers.first()) {
            return Ok((Self::by_persona(check, view, reader).await?, check.deployment().session(reader).await?));
        }
        let person = check.deployment().writes().await?.person(tenant, role).await?;
        Ok((Self::by_person(check, view, role, tenant)?.in_role(role), person.session))
    }

    /// Clicks a control of the view; a dialog that it opens is tried at the narrowest width, too.
    async fn try_control(&self, page: &Page<'_>, button: &str, width: u32) -> Verdict {
        let promised = self.view.dialogs.get(button);
        let narrowest = self.check.contract().controls()?.widths.iter().min().copied();
        for width in [Some(width), narrowest.filter(|_| promised.is_some())].into_iter().flatten() {
            page.browser().show_as(width, "light").await?;
            if let Some(difference) = page.try_control(button, promised).await? {
                let claim = format!("{button:?} does what it says in a window {width} px wide");
                return Err(self.differs(page, difference, &claim).await.caused_by(Cause::FrontEnd));
            }
        }
        Ok(())
    }

    /// What failed is there once somebody tries it again.
    async fn try_again(&self, page: &Page<'_>) -> Verdict {
        let Some(retry) = &self.check.contract().controls()?.retry else { return Ok(()) };
        let contract = self.check.contract();
        let script = "const [text, answer] = arguments;
            const found = [...document.querySelectorAll('main button')].filter((it) => it.innerText.trim() === text);
            found.forEach((it) => it.click());
            answer(found.length);";
        let mut clicked = 0;
        for list in self.view.lists.iter().map(Some).chain([None]) {
            if let Some(list) = list {
                self.turn_to(page, list).await?;
            }
            clicked += page.browser().ask(script, vec![retry.as_str().into()]).await?.as_u64().unwrap_or_default();
        }
        if clicked > 0 {
            let route = contract.page_of(self.view);
            let visit = page.browser().wait_for(&Wanted::view(contract, route)).await?;
            visit.expect_ready("a view that is tried again is on screen")?;
            return self.compare(page).await;
        }
        let difference = Difference { expected: format!("{retry:?}"), seen: "no such button".to_owned() };
        Err(self.differs(page, difference, "a view whose data failed can be tried again").await)
    }

    /// Opens the view by its address.
    pub async fn open(&self, page: &Page<'_>) -> Verdict<Visit> {
        let route = self.check.contract().page_of(self.view);
        let visit = page.open(route).await?;
        visit.expect_ready(format!("{} shows its view", route.path))?;
        Ok(visit)
    }

    /// Leaves the view by the navigation and comes back; where there is none, nothing is done.
    async fn turn_away_and_back(&self, page: &Page<'_>) -> Verdict<bool> {
        let contract = self.check.contract();
        let route = contract.page_of(self.view);
        let mut elsewhere = contract.routes().filter(|other| other.heading != route.heading);
        let leave = elsewhere.find_map(|it| it.navigation.as_ref());
        let (Some(button), Some(leave)) = (&route.navigation, leave) else { return Ok(false) };
        // What is left at once need not be right: it is another check's.
        page.browser().click_text(&contract.shell.navigation, leave).await?;
        if page.browser().click_text(&contract.shell.navigation, button).await? {
            return Ok(true);
        }
        Err(Failure::failed("the navigation has the view").expected(format!("a button {button:?}")).seen("none"))
    }

    /// By the button of the navigation, from another view.
    async fn by_navigation(&self, page: &Page<'_>) -> Verdict {
        if !self.turn_away_and_back(page).await? {
            return Ok(());
        }
        let contract = self.check.contract();
        let route = contract.page_of(self.view);
        let button = route.navigation.as_deref().unwrap_or_default();
        let visit = page.browser().wait_for(&Wanted::view(contract, route)).await?;
        visit.expect_ready(format!("the navigation's {button:?} shows its view"))?;
        if let Some(current) = &contract.shell.current {
            let marked = page.browser().texts(current).await?;
            if marked != [button] {
                return Err(Failure::failed("the navigation marks the view that is on screen")
                    .expected(format!("{button:?} in {current}"))
                    .seen(if marked.is_empty() { "none".to_owned() } else { marked.join(", ") })
                    .at(visit.url())
                    .caused_by(Cause::FrontEnd));
            }
        }
        if let Some(focus) = &contract.shell.focus {
            let has_it = "const [focus, answer] = arguments; answer(document.activeElement.matches(focus));";
            if page.browser().ask(has_it, vec![focus.as_str().into()]).await? != true {
                let (text, _) = page.browser().focus().await?;
                return Err(Failure::failed("whoever opens a view has the focus at its beginning")
                    .expected(format!("the focus in {focus}"))
                    .seen(if text.is_empty() { "nowhere".to_owned() } else { format!("in {text:?}") })
                    .at(visit.url())
                    .caused_by(Cause::FrontEnd));
            }
        }
        if page.browser().path().await? == route.path {
            return Ok(());
        }
        Err(Failure::failed(format!("the navigation's {button:?} leads to its address"))
            .expected(&route.path)
            .seen(page.browser().path().await?)
            .caused_by(Cause::FrontEnd))
    }

    /// Once two other views were opened from the landing, the browser's own button leads back to the first of them.
    async fn go_back(&self, page: &Page<'_>) -> Verdict {
        let contract = self.check.contract();
        let route = contract.page_of(self.view);
        let elsewhere = contract.routes().filter(|other| other.heading != route.heading && other.navigation.is_some());
        let mut elsewhere = elsewhere.filter(|_| route.path == contract.shell.landing);
        let (Some(first), Some(second)) = (elsewhere.next(), elsewhere.next()) else { return Ok(()) };
        for button in [first, second].into_iter().filter_map(|it| it.navigation.as_ref()) {
            page.browser().click_text(&contract.shell.navigation, button).await?;
        }
        let claim = "the browser's back button leads to the view before";
        let visit = page.browser().back(&Wanted::view(contract, first)).await?;
        visit.expect_ready(claim).map_err(|failure: Failure| failure.caused_by(Cause::FrontEnd))?;
        let there = page.browser().path().await?;
        if there == first.path {
            return Ok(());
        }
        Err(Failure::failed(claim).expected(&first.path).seen(there).caused_by(Cause::FrontEnd))
    }

    /// A list of the view as its rows have it now.
    pub async fn expected<'l>(&self, list: &'l List) -> Verdict<Expected<'l>>
    where
        'c: 'l,
    {
        let service = self.check.deployment().service()?;
        Expected::of_rows(self.check.contract(), &service, list, self.institution.as_deref()).await
    }

    /// The first list of the view.
    pub fn list(&self) -> Verdict<&'c List> {
        self.list_of(None)
    }

    /// The list of this kind, or the first one.
    pub fn list_of(&self, kind: Option<&str>) -> Verdict<&'c List> {
        let nothing = || Failure::undecided(format!("the contract says what {:?} lists", self.view.name));
        self.view.lists.iter().find(|list| kind.is_none_or(|kind| list.kind == kind)).ok_or_else(nothing)
    }

    /// What is open says, in words, that its data failed.
    async fn expect_said(&self, page: &Page<'_>, what: &str) -> Verdict {
        let contract = self.check.contract();
        let alert = format!("main {}", contract.controls()?.alert);
        let wanted = Wanted::anything(contract).selector(&alert).within(GIVES_UP);
        let visit = page.browser().wait_for(&wanted).await?;
        visit.expect_ready(format!("{what} whose data fails says so, and does not look empty"))?;
        if page.browser().texts(&alert).await?.iter().all(|said| !said.is_empty()) {
            return Ok(());
        }
        Err(Failure::failed(format!("{what} whose data fails says what failed"))
            .expected("words in each message")
            .seen("a message without a word")
            .at(visit.url())
            .caused_by(Cause::FrontEnd))
    }

    /// Turns to the tab that a list is behind.
    pub async fn turn_to(&self, page: &Page<'_>, list: &List) -> Verdict {
        let Some(tab) = &list.tab else { return Ok(()) };
        if page.browser().click_text("[role=tab], button", tab).await? {
            return Ok(());
        }
        Err(Failure::failed("the view has its tabs").expected(format!("a tab {tab:?}")).seen("none"))
    }

    /// All lists and figures of the view that is open.
    pub async fn compare(&self, page: &Page<'_>) -> Verdict {
        for list in &self.view.lists {
            self.turn_to(page, list).await?;
            let mut tries = 1;
            let mut expected = self.expected(list).await?;
            while let Some(difference) = page.compare(&expected).await? {
                // Rows that others change meanwhile are read again, and so is a view whose ages a minute has made others.
                if tries >= if self.institution.is_some() && !list.tells_ages() { 1 } else { TRIES } {
                    let claim = format!("the list of {}s shows what the rows say", list.kind);
                    return Err(self.differs(page, difference, &claim).await);
                }
                tries += 1;
                self.open(page).await?;
                self.turn_to(page, list).await?;
                expected = self.expected(list).await?;
            }
            self.compare_offers(page, &expected).await?;
        }
        self.compare_figures(page, self.view).await?;
        self.compare_period(page).await?;
        self.compare_buttons(page).await?;
        self.expect_words(page).await
    }

    /// Buttons that only some roles are offered are offered to them, and to nobody else.
    async fn compare_buttons(&self, page: &Page<'_>) -> Verdict {
        let Some(role) = self.role.filter(|_| !self.view.only.is_empty()) else { return Ok(()) };
        let offered = page.controls().await?;
        let wrong = self
            .view
            .only
            .iter()
            .find(|(button, roles)| roles.iter().any(|own| own == role) != offered.contains(button));
        let Some((button, roles)) = wrong else { return Ok(()) };
        let difference = Difference {
            expected: format!("{button:?} for {}", roles.join(", ")),
            seen: format!("{role} is offered {}", offered.join(", ")),
        };
        Err(self.differs(page, difference, "a view offers each role what it may do").await.caused_by(Cause::FrontEnd))
    }

    /// Each row has the buttons that somebody in this role may use on it, and no others.
    async fn compare_offers(&self, page: &Page<'_>, expected: &Expected<'_>) -> Verdict {
        let Some(offers) = self.role.and_then(|role| expected.offers(role)) else { return Ok(()) };
        let seen = page.row_buttons(&expected.list.rows).await?;
        let mut rows = expected.lines.iter().zip(offers).zip(&seen).enumerate();
        let Some((at, ((line, promised), seen))) = rows.find(|(_, ((_, promised), seen))| promised != *seen) else {
            return Ok(());
        };
        let shown = |buttons: &[String]| if buttons.is_empty() { "none".to_owned() } else { buttons.join(", ") };
        let name = format!("row {} ({})", at + 1, line.row["id"].as_str().unwrap_or_default());
        let promised: Vec<_> = promised.into_iter().map(str::to_owned).collect();
        let difference =
            Difference { expected: format!("{name}: {}", shown(&promised)), seen: format!("{name}: {}", shown(seen)) };
        let claim = format!("each {} has the buttons that this role may use on it", expected.list.kind);
        Err(self.differs(page, difference, &claim).await)
    }

    /// What each button of a status shows, where the view has such buttons.
    pub async fn compare_statuses(&self, page: &Page<'_>) -> Verdict {
        let contract = self.check.contract();
        let Some(ledger) = contract.ledger().ok().filter(|ledger| self.view.route.as_ref() == Some(&ledger.route))
        else {
            return Ok(());
        };
        for status in &ledger.statuses {
            page.browser().click_text(&ledger.status_buttons, &status.button).await?;
            let mut list = self.list()?.clone();
            list.filters.insert(ledger.status.clone(), status.filter.clone());
            let claim = format!("{:?} shows the rows of its status, and no others", status.button);
            self.compare_list(page, &list, &claim).await?;
            if ledger.statuses.last() == Some(status) {
                // What is searched for is among the rows of the status.
                self.search_list(page, &list, Choose::Commonest).await?;
                self.overtake(page, &list, &ledger.reference).await?;
            }
        }
        Ok(())
    }

    /// No script's own value stands where people read.
    async fn expect_words(&self, page: &Page<'_>) -> Verdict {
        let odd = page.oddities().await?;
        if odd.is_empty() {
            return Ok(());
        }
        let difference = Difference { expected: "words, names and figures".to_owned(), seen: odd.join("\n") };
        Err(self.differs(page, difference, "nothing on screen is a script's own value, or empty").await)
    }

    /// One list of the view that is open.
    pub async fn compare_list(&self, page: &Page<'_>, list: &List, claim: &str) -> Verdict {
        match page.compare(&self.expected(list).await?).await? {
            Some(difference) => Err(self.differs(page, difference, claim).await),
            None => Ok(()),
        }
    }

    /// Other days than those that the view begins with, and its lists and figures of them.
    pub async fn compare_days(&self, page: &Page<'_>, first: &Zoned, last: &Zoned) -> Verdict {
        let (Some(period), contract) = (&self.view.period, self.check.contract()) else { return Ok(()) };
        for (field, day) in [(&period.from, first), (&period.to, last)] {
            page.choose_day(field, &day.date().to_string()).await?;
        }
        let undecided = |error: jiff::Error| Failure::undecided("the end of a day is known").seen(error.to_string());
        let end = last.tomorrow().and_then(|next| next.start_of_day()).map_err(undecided)?;
        let view = self.view.of_days(contract, first, &end);
        for list in &view.lists {
            self.compare_list(page, list, "a view of chosen days shows what the rows of those days say").await?;
        }
        self.compare_figures(page, &view).await
    }

    /// A view that people choose days for says which days it begins with: this month's until today.
    async fn compare_period(&self, page: &Page<'_>) -> Verdict {
        let Some(period) = &self.view.period else { return Ok(()) };
        let today = now_in(&self.check.contract().data()?.time_zone)?;
        let expected = [today.date().first_of_month().to_string(), today.date().to_string()];
        let script = "const [from, to, answer] = arguments;
            answer([from, to].map((field) => document.querySelector(field)?.value ?? ''));";
        let seen = page.browser().ask(script, vec![period.from.as_str().into(), period.to.as_str().into()]).await?;
        if seen == serde_json::json!(expected) {
            return Ok(());
        }
        let difference = Difference { expected: expected.join(" to "), seen: seen.to_string() };
        Err(self.differs(page, difference, "a view says which days it shows").await)
    }

    async fn compare_figures(&self, page: &Page<'_>, view: &View) -> Verdict {
        let contract = self.check.contract();
        let (Some(figures), Some(institution)) = (view.cards(contract), &self.institution) else {
            return Ok(());
        };
        let written = figures.of_rows(contract, &self.check.deployment().service()?, institution).await?;
        let shown = page.cards(&figures).await?;
        let (mut expected, mut seen) = (Vec::new(), Vec::new());
        let decimal_comma = Some(contract.formats()?.decimal_comma);
        for (kpi, (figure, written)) in figures.kpis.iter().zip(written) {
            let card = shown.get(&kpi.label);
            let is_rounded = |text: &String| {
                kpi.rounded_to.is_some() && kpi.read(text, decimal_comma).is_some_and(|it| it.is(figure))
            };
            if card != Some(&written) && !card.is_some_and(is_rounded) {
                expected.push(format!("{}: {written}", kpi.label));
                seen.push(format!("{}: {}", kpi.label, card.map_or("no such card", String::as_str)));
            }
        }
        if expected.is_empty() {
            return Ok(());
        }
        let difference = Difference { expected: expected.join("\n"), seen: seen.join("\n") };
        Err(self.differs(page, difference, "each figure is written as its rows have it").await)
    }

    /// A search by each promised field finds the rows that have it, in whatever case, and no others.
    pub async fn search(&self, page: &Page<'_>, choose: Choose) -> Verdict {
        for list in &self.view.lists {
            self.search_list(page, list, choose).await?;
        }
        Ok(())
    }

    async fn search_list(&self, page: &Page<'_>, list: &List, choose: Choose) -> Verdict {
        let Some(search) = &list.search else { return Ok(()) };
        let all = self.expected(list).await?;
        for column in &search.columns {
            let mut texts = all.lines.iter().filter_map(|line| line.row[column].as_str());
            let text = match choose {
                Choose::Last => texts.next_back(),
                Choose::Oddest => texts.max_by_key(|text| text.chars().filter(char::is_ascii_punctuation).count()),
                Choose::Commonest => {
                    let texts: Vec<_> = texts.collect();
                    texts.iter().copied().max_by_key(|text| texts.iter().filter(|other| *other == text).count())
                }
            };
            let Some(text) = text.map(part) else { continue };
            page.search(&search.field, &text).await?;
            let difference = page.compare(&all.found(&search.columns, &text)).await?;
            // A view that draws its field anew takes it from whoever is typing.
            if !page.browser().is_focused(&search.field).await? {
                let difference = Difference {
                    expected: format!("the focus in {}", search.field),
                    seen: "the focus elsewhere, so that further letters go nowhere".to_owned(),
                };
                return Err(self.differs(page, difference, "a search field is typed into letter by letter").await);
            }
            if let Some(difference) = difference {
                let claim = format!("a search finds rows by their {column}");
                return Err(self.differs(page, difference, &claim).await);
            }
        }
        Ok(())
    }

    /// An answer that comes late is not shown in the place of what was asked for since. A view that asks nobody while
    /// somebody types has no such answer.
    async fn overtake(&self, page: &Page<'_>, list: &List, column: &str) -> Verdict {
        let Some(search) = &list.search else { return Ok(()) };
        let all = self.expected(list).await?;
        let plain = |text: &&str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let texts = all.lines.iter().filter_map(|line| line.row[column].as_str()).filter(plain);
        let texts: BTreeSet<_> = texts.collect();
        let (Some(first), Some(last)) = (texts.first(), texts.last().filter(|last| texts.first() != Some(last))) else {
            return Ok(());
        };
        page.browser().hold_back(first).await?;
        page.search(&search.field, first).await?;
        if !page.browser().is_held_back().await? {
            return Ok(());
        }
        page.search(&search.field, last).await?;
        let expected = all.found(&search.columns, last);
        let mut difference = page.compare(&expected).await?;
        if difference.is_none() {
            page.browser().let_go().await?;
            difference = page.compare(&expected).await?;
        }
        match difference {
            None => Ok(()),
            Some(_) => {
                // Which rows they are is no matter.
                let difference = Difference {
                    expected: "the rows of what was typed last".to_owned(),
                    seen: "other rows, once the answer to what was typed before came late".to_owned(),
                };
                let claim = "what was searched for last is shown, even if an earlier answer comes later";
                Err(self.differs(page, difference, claim).await.caused_by(Cause::FrontEnd))
            }
        }
    }

    async fn differs(&self, page: &Page<'_>, difference: Difference, claim: &str) -> Failure {
        let path = page.browser().path().await.unwrap_or_default();
        Failure::failed(claim).expected(difference.expected).seen(difference.seen).at(format!(
            "{}, as {} sees it",
            self.check.deployment().site().url(&path),
            self.who
        ))
    }
}

/// What somebody types who looks for a text: a part of it, in small letters.
fn part(text: &str) -> String {
    let letters: Vec<_> = text.chars().collect();
    let from = letters.len() / 3;
    letters[from..].iter().collect::<String>().trim().to_lowercase()
}
