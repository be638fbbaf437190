//! What a view's controls do, and whether they can be reached.

use serde::Deserialize;
use serde_json::json;

use super::{
    Difference,
    outline::{SCRIPT, outline_difference},
    reading::list,
};
use crate::{
    browser::{PRESS, Page, Wanted},
    failure::{Failure, Verdict},
};

/// How long an effect may take to show, in milliseconds.
const EFFECT_MS: u64 = 1500;

/// What became of a control that was clicked.
#[derive(Debug, Deserialize)]
struct Tried {
    /// What keeps a pointer from it.
    covered: Option<String>,
    changed: bool,
    /// Whether a control that is on or off is on.
    on: Option<bool>,
    dialog: bool,
    cancelled: Option<bool>,
    /// The outline of the dialog.
    #[serde(default)]
    lines: Vec<String>,
    /// What of the dialog is out of the window.
    #[serde(default)]
    beyond: Vec<String>,
}

impl Page<'_> {
    /// The texts of the controls that the view offers, without those in rows and those that write at once.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn controls(&self) -> Verdict<Vec<String>> {
        let controls = self.contract().controls()?;
        let script = "const [selector, writing, answer] = arguments;
            const visible = (element) => element.checkVisibility?.({ visibilityProperty: true, opacityProperty: true }) ?? true;
            const offered = [...document.querySelectorAll(selector)].filter((it) => visible(it) && !it.disabled && !it.closest('tbody, dialog'));
            answer([...new Set(offered.map((it) => it.innerText.trim()))].filter((text) => text && !writing.includes(text)));";
        let answer =
            self.browser().ask(script, vec![controls.selector.as_str().into(), json!(controls.writing)]).await?;
        Ok(serde_json::from_value(answer).unwrap_or_default())
    }

    /// Clicks the control with this text; says what is wrong where nothing comes of it, where a dialog does not fit the
    /// window, cannot be cancelled, or is another one than `promised` outlines.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn try_control(&self, text: &str, promised: Option<&Vec<String>>) -> Verdict<Option<Difference>> {
        let controls = self.contract().controls()?;
        let wanted = json!({
            "selector": controls.selector, "text": text, "dialog": controls.dialog, "cancel": controls.cancel,
            "limit_ms": EFFECT_MS,
        });
        let script = [PRESS, SCRIPT, include_str!("control.js")].concat();
        let answer = self.browser().ask(&script, vec![wanted]).await?;
        let tried: Tried = serde_json::from_value(answer)
            .map_err(|error| Failure::undecided("a control can be tried").seen(error.to_string()))?;
        let difference = |expected: &str, seen: String| Some(Difference { expected: expected.to_owned(), seen });
        Ok(match tried {
            Tried { covered: Some(what), .. } => difference("a pointer reaches it", format!("it is covered by {what}")),
            Tried { changed: false, .. } => difference("an effect on the page", "none".to_owned()),
            Tried { on: Some(false), .. } => difference("it is on after a click", "it is off".to_owned()),
            Tried { dialog: true, cancelled: Some(false) | None, .. } => {
                difference(&format!("a dialog that {:?} closes", controls.cancel), "a dialog that stays".to_owned())
            }
            Tried { dialog: true, beyond, .. } if !beyond.is_empty() => {
                difference("a dialog that fits the window", beyond.join("\n"))
            }
            Tried { dialog: true, lines, .. } => promised.and_then(|promised| outline_difference(promised, &lines)),
            _ if promised.is_some() => difference("a dialog", "none".to_owned()),
            _ => None,
        })
    }

    /// What a dialog shows that was refused what it asked for.
    ///
    /// # Errors
    /// Not run where the contract leaves controls out.
    pub fn alert(&self, dialog: &str) -> Verdict<Wanted> {
        let alert = &self.contract().controls()?.alert;
        Ok(Wanted::anything(self.contract()).selector(format!("{dialog} {alert}")))
    }

    /// CSS selector of what announces that something was done.
    ///
    /// # Errors
    /// Not run where the contract leaves controls out.
    pub fn toast(&self) -> Verdict<String> {
        Ok(self.contract().controls()?.toast.clone())
    }

    /// What of the view does not fit the window: parts that stick out, controls that no finger reaches.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn overflow(&self) -> Verdict<Vec<String>> {
        let controls = self.contract().controls()?;
        let answer = self.browser().ask(include_str!("overflow.js"), vec![controls.selector.as_str().into()]).await?;
        list(answer)
    }

    /// Whether a pointer reaches what has this text, if any, by way of the menu where there is one; what is in its way if not.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn unreachable(&self, selector: &str, text: &str) -> Verdict<Option<String>> {
        let wanted = json!({ "selector": selector, "text": text, "menu": self.contract().controls()?.menu });
        let answer = self.browser().ask(include_str!("reach.js"), vec![wanted]).await?;
        Ok(answer.as_str().map(str::to_owned))
    }
}
