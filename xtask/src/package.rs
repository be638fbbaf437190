//! `cargo xtask package`: one archive with which a deployment is verified where there is no Rust: the program, the
//! suites, and copies of contract and runbook to read and to change.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use flate2::{Compression, write::GzEncoder};
use harness::run::working_copy;
use release_check::package;

use crate::{
    Verdict,
    cargo::{built, cargo},
    print,
    setup::root,
    suites::SUITES,
};

/// Built with this variable, nothing looks for the working copy that it was built in.
const PACKAGED: (&str, &str) = ("HARNESS_PACKAGED", "1");

/// How it is built, by the name of a profile in `Cargo.toml`.
const PROFILE: &str = "packaged";

/// Where the archive goes.
#[derive(clap::Args)]
pub struct Options {
    /// The folder for the archive [default: target/package]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// Builds and packs.
///
/// # Errors
/// When something does not compile, or the archive cannot be written.
pub fn run(options: &Options) -> Verdict {
    let out = options.out.clone().unwrap_or_else(|| root().join("target/package"));
    fs::create_dir_all(&out)?;
    let name =
        format!("release-check-{}-{}-{}", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH, std::env::consts::OS);
    let path = out.join(format!("{name}.tar.gz"));
    let mut archive = tar::Builder::new(GzEncoder::new(File::create(&path)?, Compression::default()));
    let program = built(packaged(&["build", "--package", "release-check", "--bin", "release-check"]), "bin")?;
    for (file, binary) in program {
        archive.append_path_with_name(binary, Path::new(&name).join(file))?;
    }
    let suites = SUITES.iter().flat_map(|suite| ["--package", suite.as_str()]);
    let arguments: Vec<_> = ["test", "--no-run"].into_iter().chain(suites).collect();
    for (suite, binary) in built(packaged(&arguments), "test")? {
        archive.append_path_with_name(binary, Path::new(&name).join("suites").join(suite))?;
    }
    for (file, source) in [
        ("contract.toml", "fixtures/sacco-plus.toml"),
        ("runbook.toml", "fixtures/runbook.toml"),
        ("LICENSE-APACHE", "LICENSE-APACHE"),
        ("LICENSE-MIT", "LICENSE-MIT"),
    ] {
        archive.append_path_with_name(root().join(source), Path::new(&name).join(file))?;
    }
    let made_from = serde_json::to_vec_pretty(&working_copy())?;
    for (file, text) in [(package::FILE, made_from.as_slice()), ("README.md", include_bytes!("package.md"))] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, Path::new(&name).join(file), text)?;
    }
    archive.into_inner()?.finish()?;
    let size = fs::metadata(&path)?.len() as f64 / 1e6;
    print(&format!("{} ({size:.0} MB)", path.display()));
    Ok(true)
}

/// A command of cargo's that builds for the archive.
fn packaged(arguments: &[&str]) -> Command {
    let mut command = cargo(arguments);
    command.args(["--profile", PROFILE]).env(PACKAGED.0, PACKAGED.1);
    command
}
