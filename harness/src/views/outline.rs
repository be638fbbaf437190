//! The outline of a view or a dialog: headings, buttons, fields and tables in their order, as people who listen to a page
//! meet them. A change of it is seen by whoever reviews the contract.

use serde_json::json;

use super::{Difference, reading::list};
use crate::{
    browser::{Browser, Page},
    contract::View,
    failure::Verdict,
};

/// What may be missing ends in this.
const MAY_BE_MISSING: &str = " ?";

/// Defines `outline` for a script that follows.
pub(super) const SCRIPT: &str = include_str!("outline.js");

impl Page<'_> {
    /// The outline of the view that is open, without what is made of its rows.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn outline(&self, view: &View) -> Verdict<Vec<String>> {
        let rows: Vec<_> = view.lists.iter().map(|list| list.rows.as_str()).collect();
        self.outline_of("body header, main", (!rows.is_empty()).then(|| rows.join(", "))).await
    }

    /// The outline of whatever a CSS selector finds, without what `data` finds in it.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn outline_of(&self, roots: &str, data: Option<String>) -> Verdict<Vec<String>> {
        outline_of(self.browser(), roots, data).await
    }

    /// The buttons in each row of a list.
    ///
    /// # Errors
    /// Undecided when the browser itself fails.
    pub async fn row_buttons(&self, rows: &str) -> Verdict<Vec<Vec<String>>> {
        let script = "const [rows, answer] = arguments;
            const visible = (it) => it.checkVisibility?.({ visibilityProperty: true, opacityProperty: true }) ?? true;
            const buttons = (row) => [...row.querySelectorAll('button')].filter((it) => visible(it) && !it.disabled);
            answer([...document.querySelectorAll(rows)].filter(visible).map((row) => buttons(row).map((it) => it.innerText.trim())));";
        let answer = self.browser().ask(script, vec![rows.into()]).await?;
        serde_json::from_value(answer).map_err(|error| {
            crate::failure::Failure::undecided("the buttons of rows can be read").seen(error.to_string())
        })
    }
}

/// The outline of whatever a CSS selector finds on the page that is open, without what `data` finds in it.
///
/// # Errors
/// Undecided when the browser itself fails.
pub async fn outline_of(browser: &Browser, roots: &str, data: Option<String>) -> Verdict<Vec<String>> {
    let script = format!(
        "{SCRIPT}
        const [roots, data, answer] = arguments;
        answer(outline([...document.querySelectorAll(roots)], data));"
    );
    list(browser.ask(&script, vec![roots.into(), json!(data)]).await?)
}

/// Where an outline is another one than promised; nowhere where nothing is promised.
#[must_use]
pub fn outline_difference(promised: &[String], seen: &[String]) -> Option<Difference> {
    if promised.is_empty() {
        return None;
    }
    let (mut expected, mut other) = (Vec::new(), Vec::new());
    let mut rest = seen;
    for promised in promised {
        let (line, may_be_missing) =
            promised.strip_suffix(MAY_BE_MISSING).map_or((promised.as_str(), false), |line| (line, true));
        match rest.iter().position(|it| it == line) {
            Some(at) => {
                other.extend(rest[..at].iter().map(|it| format!("more: {it}")));
                rest = &rest[at + 1..];
            }
            None if may_be_missing => {}
            None => expected.push(line.to_owned()),
        }
    }
    other.extend(rest.iter().map(|it| format!("more: {it}")));
    if expected.is_empty() && other.is_empty() {
        return None;
    }
    let missing = expected.iter().map(|line| format!("missing: {line}"));
    let seen: Vec<_> = missing.chain(other).collect();
    let expected = match expected.as_slice() {
        [] => "nothing else than the contract says".to_owned(),
        lines => lines.join("\n"),
    };
    Some(Difference { expected, seen: seen.join("\n") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_and_what_is_more_is_named() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let promised = lines("heading 2 \"Groups\"\nbutton \"New\"\ntable \"Groups\": Name ?");
        assert_eq!(outline_difference(&promised, &lines("heading 2 \"Groups\"\nbutton \"New\"")), None);
        let seen = lines("heading 2 \"Groups\"\nbutton \"Neu\"\ntable \"Groups\": Name");
        let difference = outline_difference(&promised, &seen).unwrap();
        assert_eq!(difference.expected, "button \"New\"");
        assert_eq!(difference.seen, "missing: button \"New\"\nmore: button \"Neu\"");
    }
}
