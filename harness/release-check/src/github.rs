//! What GitHub Actions shows of a command: a summary of the job, and annotations; nothing elsewhere.

use std::{env, fs::OpenOptions, io::Write};

use crate::{Error, terminal::print};

/// Appends Markdown to the summary of the job.
///
/// # Errors
/// When the file that GitHub names cannot be written to.
pub fn summary(markdown: &str) -> Result<(), Error> {
    let Some(path) = env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else { return Ok(()) };
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(&path)
        .map_err(|error| format!("GITHUB_STEP_SUMMARY, {}: {error}", path.display()))?;
    Ok(writeln!(file, "{}\n", markdown.trim_end())?)
}

/// Says on the page of the run that a check is red.
pub fn annotate(level: Level, title: &str, text: &str) {
    if env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
        print(&annotation(level, title, text));
    }
}

/// How loud an annotation is.
#[derive(Clone, Copy)]
pub enum Level {
    /// Something is broken.
    Error,
    /// Something is undecided.
    Warning,
}

/// A workflow command: one line, with the escapes that it asks for.
fn annotation(level: Level, title: &str, text: &str) -> String {
    let level = match level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let title = data(title).replace(':', "%3A").replace(',', "%2C");
    format!("::{level} title={title}::{}", data(text))
}

/// A row of a Markdown table.
pub fn row<const N: usize>(cells: [&str; N]) -> String {
    format!("| {} |\n", cells.map(|text| cell(text.to_owned())).join(" | "))
}

/// A text as a cell of a Markdown table.
pub fn cell(text: String) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_is_one_line_whatever_is_in_it() {
        let shown = annotation(Level::Error, "4.1.6 /reconciliation: tabs, 100%", "FAILED\n  seen\r\n  ::error::no");
        assert_eq!(shown, "::error title=4.1.6 /reconciliation%3A tabs%2C 100%25::FAILED%0A  seen%0D%0A  ::error::no");
    }

    #[test]
    fn a_cell_stays_one() {
        assert_eq!(cell("a | <b>\n& c".to_owned()), "a \\| &lt;b> &amp; c");
    }
}
