//! The folder of a sign-off, and its files.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use super::{
    document::{Materials, SignOff},
    record::Record,
    render,
    signature::Key,
};
use crate::Error;

pub const MARKDOWN: &str = "SIGNOFF.md";
pub const PAGE: &str = "index.html";
pub const RECORD: &str = "signoff.json";
pub const SIGNATURE: &str = "signoff.json.minisig";

/// Makes the document and writes all of it.
///
/// # Errors
/// When somebody signed for what cannot be signed for, or the folder cannot be written to.
pub fn write(materials: &Materials<'_>, key: Option<&Key>, out: &Path) -> Result<(SignOff, Record), Error> {
    let document = SignOff::of(materials)?;
    let (markdown, page) = (render::markdown(&document)?, render::html(&document)?);
    let record = Record::of(&document, materials, &[(MARKDOWN, &markdown), (PAGE, &page)])?;
    let json = record.json()?;
    let comment = format!("{}: {}, {}", record.title, record.status, record.at);
    let signature = key.map(|key| key.sign(json.as_bytes(), &comment)).transpose()?;
    let written = || {
        fs::create_dir_all(out)?;
        // An older signature is of another document.
        match fs::remove_file(out.join(SIGNATURE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        for (name, text) in [(MARKDOWN, &markdown), (PAGE, &page), (RECORD, &json)] {
            private(out, name, text)?;
        }
        signature.iter().try_for_each(|signature| private(out, SIGNATURE, signature))
    };
    written().map_err(|error| format!("{} cannot be written: {error}", out.display()))?;
    Ok((document, record))
}

/// What checks kept may show members' data: a file is there as a whole or not at all, and only its owner reads it.
fn private(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let mut file = tempfile::Builder::new().prefix(".writing-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(folder.join(name))?;
    Ok(())
}
