//! Evidence inside the document, so that one file is all that is kept: pictures and texts, up to a size.

use std::fs;

use base64::{Engine, prelude::BASE64_STANDARD};
use harness::run::{AttachedFile, CheckResult};
use serde::Serialize;

/// The largest attachment that is shown, in bytes: a full-page screenshot fits.
const LARGEST: u64 = 512 * 1024;

/// An attachment as the document shows it.
#[derive(Clone, Serialize)]
pub struct Exhibit {
    /// The check that kept it.
    check: String,
    name: String,
    /// Where it is: the run's folder and the file in it.
    place: String,
    #[serde(flatten)]
    content: Content,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "snake_case")]
enum Content {
    /// A data: URL.
    Picture(String),
    Text(String),
    /// Why it is not shown.
    LeftOut(String),
}

impl Exhibit {
    /// What a check kept.
    pub fn all_of(check: &CheckResult) -> impl Iterator<Item = Self> {
        check.attachments.iter().map(|file| Self {
            check: check.name.clone(),
            name: file.name.clone(),
            place: place(file),
            content: Content::of(file),
        })
    }
}

/// The last two names of its path: where on this machine runs are kept is nobody else's concern.
fn place(file: &AttachedFile) -> String {
    let name = file.path.file_name().unwrap_or_default().to_string_lossy();
    match file.path.parent().and_then(|folder| folder.file_name()) {
        Some(run) => format!("{}/{name}", run.to_string_lossy()),
        None => name.into_owned(),
    }
}

impl Content {
    fn of(file: &AttachedFile) -> Self {
        let kind = file.content_type.as_str();
        if !["image/png", "image/svg+xml", "text/plain", "text/markdown"].contains(&kind) {
            return Self::LeftOut(format!("{kind} is not shown here"));
        }
        match fs::metadata(&file.path).map(|metadata| metadata.len()) {
            Ok(size) if size > LARGEST => {
                return Self::LeftOut(format!("its {} KiB are more than {}", size.div_ceil(1024), LARGEST / 1024));
            }
            Ok(_) => {}
            Err(error) => return Self::LeftOut(format!("it cannot be read ({error})")),
        }
        match fs::read(&file.path) {
            Ok(bytes) if kind.starts_with("text/") => Self::Text(String::from_utf8_lossy(&bytes).into_owned()),
            // As a picture an SVG runs no script and reaches nothing outside.
            Ok(bytes) => Self::Picture(format!("data:{kind};base64,{}", BASE64_STANDARD.encode(bytes))),
            Err(error) => Self::LeftOut(format!("it cannot be read ({error})")),
        }
    }
}
