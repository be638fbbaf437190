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

    /// Whether Escape closes the navigation that the menu's button has opened; true where there is no such button.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn escape_closes_the_menu(&self) -> Verdict<bool> {
        let (menu, navigation) = (&self.contract().controls()?.menu, &self.contract().shell.navigation);
        let is_shown = "const [navigation, shown, limit, answer] = arguments;
            const still = () => Promise.allSettled(document.getAnimations().map((animation) => animation.finished));
            const visible = (it) => it.checkVisibility({ visibilityProperty: true });
            const until = performance.now() + limit;
            // A menu that fades away is still there, and nothing tells when an app takes it off the page.
            const look = () => still().then(() => {
              const is = [...document.querySelectorAll(navigation)].some(visible);
              if (is === shown || performance.now() > until) answer(is); else setTimeout(look, 20);
            });
            look();";
        let shown = async |wanted: bool, limit: u64| {
            let arguments = vec![navigation.as_str().into(), wanted.into(), limit.into()];
            Ok::<_, Failure>(self.browser().ask(is_shown, arguments).await? == true)
        };
        if shown(true, 0).await? {
            return Ok(true);
        }
        self.browser().click(menu).await?;
        if !shown(true, MENU_MS).await? {
            return Ok(false);
        }
        self.browser().press(ESCAPE).await?;
        Ok(!shown(false, MENU_MS).await?)
    }
}
