//! Whether a view can be read and used by everybody: nothing on it is a script's own value, text stands out from its
//! ground, controls have names, and the keyboard reaches them and shows where it is.

use serde_json::Value;

use crate::{
    browser::Page,
    failure::{Failure, Verdict},
};

/// How long a menu may take to open and to close.
const MENU_MS: u64 = 1_000;

const TAB: &str = "\u{E004}";
const ARROW_RIGHT: &str = "\u{E014}";
const ARROW_LEFT: &str = "\u{E012}";
const ESCAPE: &str = "\u{E00C}";

/// What a script of ours found; another answer is no empty list.
pub(super) fn list(answer: Value) -> Verdict<Vec<String>> {
    serde_json::from_value(answer)
        .map_err(|error| Failure::undecided("the page can be asked what is odd in it").seen(error.to_string()))
}

impl Page<'_> {
    /// Texts that a script has and no person can read, such as `undefined`, and headings without a word.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn oddities(&self) -> Verdict<Vec<String>> {
        list(self.browser().ask(include_str!("oddities.js"), vec![]).await?)
    }

    /// What cannot be read or named, by axe-core's rule: contrast, names of controls and pictures.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn barriers(&self) -> Verdict<Vec<String>> {
        list(self.browser().ask(include_str!("access.js"), vec![]).await?)
    }

    /// What the keyboard does not reach, or reaches without a sign of it; tabs that arrow keys do not change.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn beyond_the_keyboard(&self) -> Verdict<Vec<String>> {
        self.browser().press(TAB).await?;
        let mut found = list(self.browser().ask(include_str!("focus.js"), vec![]).await?)?;
        let first = "const tab = document.querySelector('main [role=tablist] [role=tab][aria-selected=true]');
            tab?.focus();
            const tabs = [...tab?.closest('[role=tablist]').querySelectorAll('[role=tab]') ?? []];
            const name = (it) => it.innerText.trim();
            arguments[0](tab ? [name(tab), name(tabs[(tabs.indexOf(tab) + 1) % tabs.length])] : null);";
        let tabs = self.browser().ask(first, vec![]).await?;
        let (Some(first), Some(second)) = (tabs[0].as_str(), tabs[1].as_str()) else { return Ok(found) };
        self.browser().press(ARROW_RIGHT).await?;
        let next = "const [next, answer] = arguments;
            const it = document.activeElement;
            answer(Boolean(it?.matches('[role=tab][aria-selected=true]')) && it.innerText.trim() === next);";
        if self.browser().ask(next, vec![second.into()]).await? != true {
            found.push(format!("the right arrow key does not lead from the tab {first:?} to {second:?}"));
        }
        self.browser().press(ARROW_LEFT).await?;
        let back = "const [first, answer] = arguments; answer(document.activeElement?.innerText.trim() === first);";
        if self.browser().ask(back, vec![first.into()]).await? != true {
            found.push(format!("the left arrow key does not lead back to the tab {first:?}"));
        }
        Ok(found)
    }

    /// What does not close the navigation that the menu's button has opened, of Escape and a click on what covers the view;
    /// nothing where there is no such button.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn leaves_the_menu_open(&self) -> Verdict<Option<&'static str>> {
        let menu = &self.contract().controls()?.menu;
        if self.shows_navigation(true, 0).await? {
            return Ok(None);
        }
        self.browser().click(menu).await?;
        if !self.shows_navigation(true, MENU_MS).await? {
            return Ok(Some("the menu's button: it does not open either"));
        }
        self.browser().press(ESCAPE).await?;
        if self.shows_navigation(false, MENU_MS).await? {
            return Ok(Some("Escape"));
        }
        self.browser().click(menu).await?;
        if !self.shows_navigation(true, MENU_MS).await? {
            return Ok(Some("the menu's button: it does not open again"));
        }
        // A navigation that pushes the view aside, or leaves it in sight, covers nothing.
        let cover = "const [navigation, answer] = arguments;
            const [x, y] = [document.documentElement.clientWidth - 8, innerHeight / 2];
            const hit = document.elementFromPoint(x, y);
            const own = [...document.querySelectorAll(navigation)].some((it) => hit?.contains(it) && hit !== document.body);
            answer(hit && !own && !hit.closest('main, header, nav, aside, [role=dialog]') && hit !== document.body ? [x, y] : null);";
        let place = self.browser().ask(cover, vec![self.contract().shell.navigation.as_str().into()]).await?;
        let (Some(x), Some(y)) = (place[0].as_f64(), place[1].as_f64()) else { return Ok(None) };
        self.browser().click_at(x, y).await?;
        Ok(self.shows_navigation(false, MENU_MS).await?.then_some("a click on what covers the view"))
    }

    /// Whether the navigation is on screen, once nothing moves and it is as expected, or some time has passed.
    async fn shows_navigation(&self, expected: bool, limit: u64) -> Verdict<bool> {
        let script = "const [navigation, expected, limit, answer] = arguments;
            const visible = (it) => it.checkVisibility({ visibilityProperty: true });
            const until = performance.now() + limit;
            const look = async () => {
              await Promise.allSettled(document.getAnimations().map((animation) => animation.finished));
              const shown = [...document.querySelectorAll(navigation)].some(visible);
              if (shown === expected || performance.now() > until) return answer(shown);
              requestAnimationFrame(look);
            };
            look();";
        let navigation = self.contract().shell.navigation.as_str();
        let arguments = vec![navigation.into(), expected.into(), limit.into()];
        Ok(self.browser().ask(script, arguments).await? == true)
    }
}
