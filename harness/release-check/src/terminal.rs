//! The two places that write to the terminal. A closed pipe (`… | head`) ends the writing, not the command; colours go
//! where there is a terminal, or as `--color` says.

use std::io::Write;

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;

/// When colours are used.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    /// Decides for the whole process.
    pub fn apply(self) {
        match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

/// How a text is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something passed.
    Good,
    /// Something is open.
    Open,
    /// Something failed.
    Bad,
}

/// The text in its colour.
pub fn toned(tone: Tone, text: &str) -> String {
    let color = match tone {
        Tone::Good => AnsiColor::Green,
        Tone::Open => AnsiColor::Yellow,
        Tone::Bad => AnsiColor::Red,
    };
    let style = Style::new().bold().fg_color(Some(color.into()));
    format!("{style}{text}{style:#}")
}

/// Progress and remarks, on the standard error.
pub fn say(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// What was asked for, on the standard output.
pub fn print(text: &str) {
    let _ = writeln!(anstream::stdout().lock(), "{text}");
}
