//! The two places that write to the terminal, without secrets. A closed pipe (`… | head`) ends the writing, not the
//! command; what cannot be written for another reason is an error in the end. Colours go where there is a terminal, or
//! as `--color` says.

use std::{
    io::{self, ErrorKind, Write},
    sync::{Mutex, PoisonError},
};

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use harness::without_secrets;

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
    let _ = writeln!(anstream::stderr().lock(), "{}", without_secrets(text));
}

/// What was asked for, on the standard output.
pub fn print(text: &str) {
    print_bytes(format!("{}\n", without_secrets(text)).as_bytes());
}

/// The same as it is: nothing but what is compiled in.
pub fn print_bytes(bytes: &[u8]) {
    let mut output = anstream::stdout().lock();
    if let Err(error) = output.write_all(bytes).and_then(|()| output.flush())
        && error.kind() != ErrorKind::BrokenPipe
    {
        UNWRITTEN.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

/// Why something of what was asked for could not be written: what is there is not all.
pub fn unwritten() -> Option<io::Error> {
    UNWRITTEN.lock().unwrap_or_else(PoisonError::into_inner).take()
}

static UNWRITTEN: Mutex<Option<io::Error>> = Mutex::new(None);
