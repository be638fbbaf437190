//! Lists of what checks made in a deployment and could not remove: nobody shall meet it by surprise.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use super::{current::closing, folder::write};
use crate::target::Target;

/// What their names begin with.
const PREFIX: &str = "stays-";

/// Keeps the list, and says so.
pub(crate) fn keep(run: &str, target: Target, stays: &[String]) {
    let Some(folder) = closing().filter(|_| !stays.is_empty()) else { return };
    let text = format!("made by run {run} on {target}:\n{}\n", stays.join("\n"));
    let said = match write(folder, &format!("{PREFIX}{run}.txt"), text.as_bytes()) {
        Ok(path) => {
            format!("run {run} made {} things that stay in the deployment: {}", stays.len(), path.display())
        }
        Err(_) => text,
    };
    // Nobody may be listening any more; the run is closed all the same.
    let _ = writeln!(io::stderr(), "{said}");
}

/// The lists in the folder of a run.
///
/// # Errors
/// When the folder cannot be read.
pub fn read(folder: &Path) -> io::Result<Vec<String>> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            texts.push(fs::read_to_string(entry.path())?);
        }
    }
    Ok(texts)
}
