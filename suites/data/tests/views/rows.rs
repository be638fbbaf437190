//! What people do with the rows of a list, and what it shows then: pages, choices, what opens from a row, the buttons in
//! rows.

use harness::{
    Cause, Contract, Details, Failure, List, Page, Verdict, Wanted,
    views::{Difference, Expected, Pressed},
};

use super::Looked;

/// Pages that are turned at most.
const MOST_PAGES: usize = 3;

const ESCAPE: &str = "\u{E00C}";

impl Looked<'_> {
    /// Pages, choices and what opens from rows, of all lists of the view that is open.
    pub async fn handle(&self, page: &Page<'_>) -> Verdict {
        for list in &self.view.lists {
            self.turn_to(page, list).await?;
            let expected = self.expected(list).await?;
            self.compare_pages(page, &expected).await?;
            self.compare_choices(page, list).await?;
            self.compare_details(page, &expected).await?;
        }
        Ok(())
    }

    /// Each page shows the rows that come next, the last one leads nowhere, and the way back is there.
    async fn compare_pages(&self, page: &Page<'_>, first: &Expected<'_>) -> Verdict {
        let Some(pages) = &first.list.pages else { return Ok(()) };
        let mut turned = vec![first.clone()];
        while let Some(next) = turned.last().and_then(Expected::next_page) {
            if turned.len() > MOST_PAGES {
                break;
            }
            self.turn_page(page, &pages.next, &next, "shows the rows that come next").await?;
            turned.push(next);
        }
        let is_last = turned.last().is_some_and(|last| last.next_page().is_none());
        if is_last && page.offers(&pages.next).await? {
            let difference = Difference {
                expected: format!("{:?} to lead nowhere, since there are no more rows", pages.next),
                seen: "it can be pressed".to_owned(),
            };
            return Err(self.differs(page, difference, "the last page of a list is its last").await);
        }
        turned.pop();
        while let Some(before) = turned.pop() {
            self.turn_page(page, &pages.previous, &before, "shows the rows before").await?;
        }
        Ok(())
    }

    async fn turn_page(&self, page: &Page<'_>, button: &str, expected: &Expected<'_>, does: &str) -> Verdict {
        let claim = format!("{button:?} {does}");
        let difference = match page.press_named(button).await? {
            true => page.compare(expected).await?,
            false => Some(Difference {
                expected: format!("{button:?}, since there are more rows"),
                seen: "no such button, or none that can be pressed".to_owned(),
            }),
        };
        match difference {
            Some(difference) => Err(self.differs(page, difference, &claim).await),
            None => Ok(()),
        }
    }

    /// Each option lists its rows, and no others.
    async fn compare_choices(&self, page: &Page<'_>, list: &List) -> Verdict {
        for choice in &list.choices {
            let all = choice.options.iter().filter(|(_, filters)| filters.is_empty());
            for (option, filters) in choice.options.iter().filter(|(_, filters)| !filters.is_empty()).chain(all) {
                let claim = format!("the choice {option:?} lists its rows, and no others");
                if let Some(others) = page.browser().choose_text(&choice.field, option).await? {
                    let difference = Difference { expected: format!("an option {option:?}"), seen: others.join(", ") };
                    return Err(self.differs(page, difference, &claim).await.caused_by(Cause::FrontEnd));
                }
                let mut list = list.clone();
                list.filters.extend(filters.clone());
                if !filters.is_empty() {
                    // What stands where nothing was found is another text than where nothing is.
                    list.empty = None;
                }
                self.compare_list(page, &list, &claim).await?;
            }
        }
        Ok(())
    }

    /// What opens from the first row and from the last is about them.
    async fn compare_details(&self, page: &Page<'_>, expected: &Expected<'_>) -> Verdict {
        let Some(details) = &expected.list.details else { return Ok(()) };
        let last = expected.lines.len().saturating_sub(1);
        for (at, line) in expected.lines.iter().enumerate().filter(|(at, _)| [0, last].contains(at)) {
            let id = line.row["id"].as_str().unwrap_or_default();
            let pressed = page.press_in_row(&expected.list.rows, at, details.button.as_deref()).await?;
            let what = details.button.as_ref().map_or("a click on it".to_owned(), |button| format!("{button:?}"));
            self.did_something(page, &pressed, &what, expected.list).await?;
            let claim = format!("what opens from a row of the list of {}s is about that row", expected.list.kind);
            self.compare_list(page, &details.of_row(id), &claim).await?;
            self.close(page, details, expected.list).await?;
        }
        Ok(())
    }

    /// Closes what opened from a row of a list.
    async fn close(&self, page: &Page<'_>, details: &Details, list: &List) -> Verdict {
        page.browser().press(ESCAPE).await?;
        if !page.browser().texts(&details.within).await?.is_empty() || page.browser().path().await? != self.path() {
            self.open(page).await?;
            self.turn_to(page, list).await?;
        }
        Ok(())
    }

    fn path(&self) -> &str {
        &self.check.contract().page_of(self.view).path
    }

    /// Each button in a row has an effect, and so has a row that can be clicked; nothing that a click needs is refused; and
    /// nothing is announced as done that the database was never asked for. For the view as somebody sees it whose rows
    /// nobody else needs: it is opened anew for each.
    pub async fn press_everything(&self, page: &Page<'_>) -> Verdict {
        for list in &self.view.lists {
            self.turn_to(page, list).await?;
            let (buttons, opens) = page.pressable(&list.rows).await?;
            let offered = list
                .offers
                .iter()
                .filter(|offer| self.role.is_some_and(|own| offer.roles.iter().any(|role| role == own)));
            for offer in offered {
                if !buttons.iter().any(|(_, button)| *button == offer.button) {
                    return Err(Failure::undecided(format!("{:?} in a row does what it says", offer.button))
                        .expected("a row that offers it, made by [[states]] or [make]")
                        .seen("none"));
                }
            }
            for (at, button) in buttons {
                page.browser().hold_writes(true).await?;
                let pressed = page.press_in_row(&list.rows, at, Some(&button)).await?;
                self.did_something(page, &pressed, &format!("{button:?}"), list).await?;
                self.was_given(page, &format!("{button:?}"), list).await?;
                self.open(page).await?;
                self.turn_to(page, list).await?;
            }
            if opens {
                let pressed = page.press_in_row(&list.rows, 0, None).await?;
                self.did_something(page, &pressed, "a click on it", list).await?;
                self.was_given(page, "a click on it", list).await?;
                self.open(page).await?;
            }
        }
        let Ok(controls) = self.check.contract().controls() else { return Ok(()) };
        for button in &controls.writing {
            page.browser().hold_writes(true).await?;
            let Pressed { found, asked, said, .. } = page.press_control(button).await?;
            if asked == 0 && !said.is_empty() {
                let difference =
                    Difference { expected: "a request that writes it".to_owned(), seen: format!("none, and {said:?}") };
                let claim = format!("{button:?} says that it is done once it is");
                return Err(self.differs(page, difference, &claim).await.caused_by(Cause::FrontEnd));
            }
            if found {
                self.open(page).await?;
            }
        }
        Ok(())
    }

    async fn did_something(&self, page: &Page<'_>, pressed: &Pressed, what: &str, list: &List) -> Verdict {
        if pressed.changed || pressed.asked > 0 {
            return Ok(());
        }
        let seen = if pressed.found { "none" } else { "no such button or row" };
        let difference = Difference { expected: format!("an effect of {what}"), seen: seen.to_owned() };
        let claim = format!("each row of the list of {}s does what it offers", list.kind);
        Err(self.differs(page, difference, &claim).await.caused_by(Cause::FrontEnd))
    }

    /// What a click asked for was given.
    async fn was_given(&self, page: &Page<'_>, what: &str, list: &List) -> Verdict {
        let contract: &Contract = self.check.contract();
        let visit = page.browser().wait_for(&Wanted::anything(contract)).await?;
        let claim = format!("what {what} in a row of the list of {}s asks for is there", list.kind);
        visit.expect_ready(&claim)?;
        visit.expect_quiet().map_err(|failure: Failure| failure.caused_by(Cause::FrontEnd))
    }
}
