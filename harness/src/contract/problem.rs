//! What is wrong with a contract file, and where in it.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a contract cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The file cannot be read.
    #[error("the contract {} cannot be read: {source}\nset HARNESS_CONTRACT to a contract file, or unset it for fixtures/sacco-plus.toml", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Not TOML, or something that no contract says.
    #[error("the contract {} cannot be understood at line {line}, column {column}, `{excerpt}`: {what}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// What is wrong.
        what: String,
        /// The line itself.
        excerpt: String,
    },
    /// Two things in it cannot both be true.
    #[error("the contract {} contradicts itself at line {line}, column {column}: {what}", path.display())]
    Contradiction {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// What is wrong.
        what: String,
    },
}

impl Problem {
    pub(super) fn unreadable(path: &Path, source: io::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), source }
    }

    pub(super) fn syntax(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let (line, column) = position(text, error.span().map_or(0, |span| span.start));
        let excerpt = text.lines().nth(line - 1).unwrap_or_default();
        Self::Syntax {
            path: path.to_owned(),
            line,
            column,
            what: error.message().to_owned(),
            excerpt: excerpt.trim().to_owned(),
        }
    }

    pub(super) fn contradiction(path: &Path, text: &str, offset: usize, what: String) -> Self {
        let (line, column) = position(text, offset);
        Self::Contradiction { path: path.to_owned(), line, column, what }
    }
}

fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
