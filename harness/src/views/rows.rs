//! What people do with the rows of a list: turn its pages, choose which are listed, open one, press the buttons in it.

use serde::Deserialize;
use serde_json::json;

use crate::{
    browser::{PRESS, Page},
    failure::{Failure, Verdict},
};

/// How long what was pressed may take to show an effect, in milliseconds.
const EFFECT_MS: u64 = 1500;

/// What became of something that was pressed while writes were held.
#[derive(Debug, Clone, Deserialize)]
pub struct Pressed {
    /// Whether it was there.
    pub found: bool,
    /// Whether the page is another one since.
    pub changed: bool,
    /// Writes that the page has asked for since.
    pub asked: u32,
    /// What the view has announced since.
    pub said: Vec<String>,
}

impl Page<'_> {
    /// Whether a button of the view with this text or name can be pressed.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn offers(&self, button: &str) -> Verdict<bool> {
        Ok(self.turn(button, false).await? == true)
    }

    /// Clicks a button of the view by its text or name; false where there is none that can be pressed.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn press_named(&self, button: &str) -> Verdict<bool> {
        Ok(self.turn(button, true).await? == true)
    }

    async fn turn(&self, button: &str, presses: bool) -> Verdict<serde_json::Value> {
        let script = "const [name, presses, answer] = arguments;
            const visible = (it) => it.checkVisibility?.({ visibilityProperty: true, opacityProperty: true }) ?? true;
            const names = (it) => [it.innerText, it.getAttribute('aria-label'), it.title].map((text) => text?.trim());
            const can = (it) => visible(it) && !it.disabled && it.getAttribute('aria-disabled') !== 'true';
            const found = [...document.querySelectorAll('button, a, [role=button]')].find((it) => can(it) && names(it).includes(name));
            if (presses && found) press(found);
            answer(Boolean(found));";
        self.browser().ask(&[PRESS, script].concat(), vec![button.into(), presses.into()]).await
    }

    /// The buttons in the rows of a list that somebody has, each once with the number of the first row that has it; and whether rows as a whole can be clicked, as their pointer says.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn pressable(&self, rows: &str) -> Verdict<(Vec<(usize, String)>, bool)> {
        let mut buttons: Vec<(usize, String)> = Vec::new();
        for (at, own) in self.row_buttons(rows).await?.into_iter().enumerate() {
            for button in own {
                if !button.is_empty() && !buttons.iter().any(|(_, known)| *known == button) {
                    buttons.push((at, button));
                }
            }
        }
        let script = "const [rows, answer] = arguments;
            const row = document.querySelector(rows);
            answer(Boolean(row) && getComputedStyle(row).cursor === 'pointer');";
        let opens = self.browser().ask(script, vec![rows.into()]).await? == true;
        Ok((buttons, opens))
    }

    /// Presses a button in the row of this number, or the row itself.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn press_in_row(&self, rows: &str, at: usize, button: Option<&str>) -> Verdict<Pressed> {
        self.press(json!({ "rows": rows, "at": at, "text": button })).await
    }

    /// Presses a control of the view, and waits for what it announces.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn press_control(&self, text: &str) -> Verdict<Pressed> {
        self.press(json!({ "selector": self.contract().controls()?.selector, "text": text })).await
    }

    async fn press(&self, mut wanted: serde_json::Value) -> Verdict<Pressed> {
        wanted["limit_ms"] = json!(EFFECT_MS);
        wanted["toast"] = json!(self.contract().controls().map_or(":not(*)", |it| it.toast.as_str()));
        let answer = self.browser().ask(&[PRESS, include_str!("pressed.js")].concat(), vec![wanted]).await?;
        serde_json::from_value(answer)
            .map_err(|error| Failure::undecided("a button can be tried").seen(error.to_string()))
    }
}
