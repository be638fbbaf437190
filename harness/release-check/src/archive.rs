//! Test binaries that were compiled elsewhere: a folder of them, or what `cargo nextest archive` made.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
};

use ruzstd::decoding::StreamingDecoder;
use serde::Deserialize;
use tempfile::TempDir;

use crate::Error;

/// What nextest writes of the binaries in its archive.
const METADATA: &str = "target/nextest/binaries-metadata.json";

/// The executables of a folder by their names; cargo's hash at the end of a name is left out.
///
/// # Errors
/// When the folder cannot be read.
pub fn binaries_in(folder: &Path) -> Result<BTreeMap<String, PathBuf>, Error> {
    let folder = folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let executables =
        entries.filter_map(Result::ok).filter(|entry| entry.path().is_file() && is_executable(&entry.path()));
    Ok(executables
        .map(|entry| {
            let file = entry.file_name().to_string_lossy().into_owned();
            let is_hash = |end: &str| end.len() == 16 && end.chars().all(|letter| letter.is_ascii_hexdigit());
            let name = file.rsplit_once('-').filter(|(_, end)| is_hash(end)).map_or(file.as_str(), |(name, _)| name);
            (name.replace('_', "-"), entry.path())
        })
        .collect())
}

fn is_executable(path: &Path) -> bool {
    #[cfg(unix)]
    return fs::metadata(path)
        .is_ok_and(|metadata| std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0);
    #[cfg(not(unix))]
    path.extension().is_some_and(|extension| extension == "exe")
}

/// Unpacks an archive into a folder of its own, which is gone with what holds it.
///
/// # Errors
/// When it is no archive, or cannot be unpacked.
pub fn unpack(path: &Path) -> Result<TempDir, Error> {
    let error = |why: String| format!("{} cannot be unpacked: {why}", path.display());
    let file = File::open(path).map_err(|why| error(why.to_string()))?;
    let folder = tempfile::Builder::new().prefix("release-check-suites-").tempdir()?;
    let stream = StreamingDecoder::new(file).map_err(|why| error(why.to_string()))?;
    tar::Archive::new(stream).unpack(folder.path()).map_err(|why| error(why.to_string()))?;
    Ok(folder)
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Metadata {
    rust_binaries: BTreeMap<String, Binary>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Binary {
    binary_name: String,
    binary_path: PathBuf,
    kind: String,
}

/// The integration tests of an unpacked archive.
///
/// # Errors
/// When nextest did not make it.
pub fn binaries_of_nextest(folder: &Path) -> Result<BTreeMap<String, PathBuf>, Error> {
    let text =
        fs::read(folder.join(METADATA)).map_err(|error| format!("it is no archive of nextest: {METADATA}: {error}"))?;
    let metadata: Metadata = serde_json::from_slice(&text).map_err(|error| format!("{METADATA}: {error}"))?;
    let tests = metadata.rust_binaries.into_values().filter(|binary| binary.kind == "test");
    // The path is that of the machine that compiled it, from its target folder on.
    let placed = tests.filter_map(|binary| {
        let parts: Vec<_> = binary.binary_path.components().collect();
        let from = parts.iter().rposition(|part| part.as_os_str() == "target")?;
        let path: PathBuf = parts[from..].iter().collect();
        Some((binary.binary_name.replace('_', "-"), folder.join(path)))
    });
    Ok(placed.collect())
}

#[cfg(test)]
mod tests {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    /// What nextest packs: metadata that name the binaries by the paths of the machine that compiled them.
    fn archive(folder: &Path, metadata: &str) -> PathBuf {
        let mut packed = tar::Builder::new(Vec::new());
        for (path, text) in [(METADATA, metadata), ("target/debug/deps/sms_pipeline-0123456789abcdef", "#!/bin/sh\n")] {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o755);
            packed.append_data(&mut header, path, text.as_bytes()).unwrap();
        }
        let path = folder.join("tests.tar.zst");
        let bytes = packed.into_inner().unwrap();
        fs::write(&path, compress_to_vec(bytes.as_slice(), CompressionLevel::Uncompressed)).unwrap();
        path
    }

    #[test]
    fn binaries_are_found_where_they_were_unpacked() {
        let folder = tempfile::tempdir().unwrap();
        let metadata = r#"{"rust-build-meta":{},"rust-binaries":{
            "sms-pipeline":{"binary-id":"sms-pipeline","binary-name":"sms-pipeline","package-id":"x","kind":"test",
                "binary-path":"/build/target/debug/deps/sms_pipeline-0123456789abcdef"},
            "harness":{"binary-id":"harness","binary-name":"harness","package-id":"y","kind":"lib",
                "binary-path":"/build/target/debug/deps/harness-0123456789abcdef"}}}"#;
        let unpacked = unpack(&archive(folder.path(), metadata)).unwrap();
        let binaries = binaries_of_nextest(unpacked.path()).unwrap();
        assert_eq!(binaries.keys().collect::<Vec<_>>(), ["sms-pipeline"]);
        assert!(binaries["sms-pipeline"].starts_with(unpacked.path()) && is_executable(&binaries["sms-pipeline"]));
        // The same binaries as a folder of them.
        let in_folder = binaries_in(&unpacked.path().join("target/debug/deps")).unwrap();
        assert_eq!(in_folder.keys().collect::<Vec<_>>(), ["sms-pipeline"]);
    }

    #[test]
    fn what_is_no_archive_is_one_clear_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tests.tar.zst");
        fs::write(&path, "no archive").unwrap();
        let error = unpack(&path).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{} cannot be unpacked: ", path.display())), "{error}");
        let foreign = unpack(&archive(folder.path(), "{}")).unwrap();
        let error = binaries_of_nextest(foreign.path()).unwrap_err().to_string();
        assert!(error.contains("missing field"), "{error}");
    }
}
