//! A copy of the workspace in which the servers have all of their mutants at once, each behind a switch, so that they are
//! compiled together: the working copy stays as it is, whatever ends a run.

use std::{
    collections::BTreeMap,
    fs,
    ops::Range,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde::Deserialize;

use super::{Class, Mutant, own::Own, server};
use crate::{
    Error, cargo, say,
    setup::root,
    suites::{Source, Suite},
};

/// Turns on the mutant of this number.
pub(super) const CHOSEN: &str = "PORTAL_MUTANT";

/// Names the file that a process appends the numbers of those mutants to whose code it runs.
pub(super) const RUN: &str = "PORTAL_MUTANTS_RUN";

/// The servers' crate, below the workspace.
const PORTAL: &str = "fixtures/portal";

/// Compilers say of one mistake at a time; so often they are asked again without what they did not take.
const ROUNDS: usize = 8;

/// What a switch asks.
const SWITCH: &str = r#"//! Which mutant is on, and whose code is run.

use std::{collections::BTreeSet, env, fs, io::Write, sync::{LazyLock, Mutex, PoisonError}};

static CHOSEN: LazyLock<Option<usize>> = LazyLock::new(|| env::var("PORTAL_MUTANT").ok()?.parse().ok());
static RUN: LazyLock<Option<String>> = LazyLock::new(|| env::var("PORTAL_MUTANTS_RUN").ok());
static SEEN: Mutex<BTreeSet<usize>> = Mutex::new(BTreeSet::new());

/// Whether it is this one.
pub(crate) fn is(number: usize) -> bool {
    if let Some(file) = &*RUN
        && SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert(number)
        && let Ok(mut file) = fs::OpenOptions::new().create(true).append(true).open(file)
    {
        let _ = writeln!(file, "{number}");
    }
    *CHOSEN == Some(number)
}
"#;

/// The version that our crates have in the copy: cargo takes what has the name, the version and the place of a crate for
/// that crate, and would run the suites of the working copy with mutants in them.
const VERSION: (&str, &str) = ("[workspace.package]\nversion = \"", "[workspace.package]\nversion = \"9");

/// The copy.
pub(super) struct Tree {
    folder: PathBuf,
    suites: Vec<String>,
}

/// Mutants of the servers by the numbers of their switches.
pub(super) struct Switches<'m>(Vec<&'m Mutant>);

impl Switches<'_> {
    /// The number of a mutant that compiles.
    pub fn number(&self, mutant: &Mutant) -> Option<usize> {
        self.0.iter().position(|own| own.file == mutant.file && own.text() == mutant.text())
    }
}

/// A message of the compiler.
#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    message: Option<Said>,
    #[serde(default)]
    target: Option<Target>,
    #[serde(default)]
    profile: Option<Profile>,
    #[serde(default)]
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Said {
    level: String,
    rendered: Option<String>,
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    byte_start: usize,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    name: String,
    src_path: PathBuf,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// Test binaries by their names.
type Binaries = BTreeMap<String, PathBuf>;

/// What became of a compilation.
enum Built {
    /// The suites, and the servers' own tests.
    Whole(Binaries, Binaries),
    /// Errors, with where they are.
    Refused(Vec<Said>),
}

impl Tree {
    /// Copies what git knows of the workspace. What is the same is left alone, so that it need not be compiled again.
    ///
    /// # Errors
    /// When git or the file system refuses.
    pub fn of(suites: &[String]) -> Result<Self, Error> {
        let folder = root().join("target/mutants/tree");
        let listed = Command::new("git").arg("-C").arg(root()).args(["ls-files", "-z"]).output()?;
        let servers = format!("{}/", Class::Server.folder());
        for path in listed.stdout.split(|byte| *byte == 0).filter(|path| !path.is_empty()) {
            let path = String::from_utf8_lossy(path).into_owned();
            // Those are written with their switches.
            if path.starts_with(&servers) {
                continue;
            }
            let Ok(content) = fs::read(root().join(&path)) else { continue };
            if path == "Cargo.toml" {
                let (from, to) = VERSION;
                written(&folder.join(&path), String::from_utf8(content)?.replacen(from, to, 1).as_bytes())?;
            } else {
                written(&folder.join(&path), &content)?;
            }
        }
        Ok(Self { folder, suites: suites.to_vec() })
    }

    /// The suites and the servers' own tests with all of these mutants that compile, each behind its switch.
    ///
    /// # Errors
    /// When the sound sources do not compile.
    pub fn switched<'m>(&self, mut mutants: Vec<&'m Mutant>) -> Result<(Vec<Suite>, Vec<Own>, Switches<'m>), Error> {
        for _ in 0..ROUNDS {
            let places = self.write(&mutants)?;
            let errors = match self.built()? {
                Built::Whole(suites, own) => {
                    let folder = root().join("target/mutants/suites");
                    fs::create_dir_all(&folder)?;
                    for (name, binary) in suites {
                        fs::copy(binary, folder.join(name))?;
                    }
                    let suites = Source::at(Some(&folder))?.suites(&self.suites)?;
                    let own = own.into_iter().map(|(name, binary)| Own::of(name, binary, self.folder.join(PORTAL)));
                    return Ok((suites, own.collect(), Switches(mutants)));
                }
                Built::Refused(errors) => errors,
            };
            let is_at = |span: &Span, (file, range): &(PathBuf, Range<usize>)| {
                self.folder.join(&span.file_name) == *file && range.contains(&span.byte_start)
            };
            let spans = || errors.iter().flat_map(|error| &error.spans);
            let kept = mutants.iter().zip(&places).filter(|(_, place)| !spans().any(|span| is_at(span, place)));
            let kept: Vec<_> = kept.map(|(mutant, _)| *mutant).collect();
            if kept.len() == mutants.len() {
                let said = errors.iter().find_map(|error| error.rendered.clone()).unwrap_or_default();
                return Err(format!("the servers do not compile with switches\n{said}").into());
            }
            say(&format!("{} of {} mutants do not compile", mutants.len() - kept.len(), mutants.len()));
            mutants = kept;
        }
        Err(format!("after {ROUNDS} rounds the servers still do not compile").into())
    }

    /// Writes the servers with their switches, and answers where each mutant is.
    fn write(&self, mutants: &[&Mutant]) -> Result<Vec<(PathBuf, Range<usize>)>, Error> {
        let mut files: BTreeMap<&str, Vec<(usize, &Mutant)>> = BTreeMap::new();
        for (number, mutant) in mutants.iter().enumerate() {
            files.entry(&mutant.file).or_default().push((number, mutant));
        }
        let below = self.folder.join(Class::Server.folder());
        let mut places = vec![(PathBuf::new(), 0..0); mutants.len()];
        let (mut all, sources) = (Vec::new(), root().join(Class::Server.folder()));
        super::walk(&sources, "", &mut all)?;
        for file in all {
            let path = below.join(&file);
            match files.get(file.as_str()) {
                None if file == "lib.rs" => {
                    let lib = fs::read_to_string(sources.join(&file))?;
                    let lib = lib.replacen("\nmod ", "\n#[allow(warnings, clippy::all)]\nmod mutant;\nmod ", 1);
                    written(&path, lib.as_bytes())?;
                }
                None => written(&path, &fs::read(sources.join(&file))?)?,
                Some(mutants) => {
                    let (text, ranges) = switched(mutants)?;
                    written(&path, text.as_bytes())?;
                    for (number, range) in ranges {
                        places[number] = (path.clone(), range);
                    }
                }
            }
        }
        written(&below.join("mutant.rs"), SWITCH.as_bytes())?;
        Ok(places)
    }

    /// Compiles the suites, beside ours: what both need of others is compiled once.
    fn built(&self) -> Result<Built, Error> {
        let mut arguments = vec!["test", "--no-run", "--quiet", "--message-format=json", "--package", "portal"];
        arguments.extend(self.suites.iter().flat_map(|suite| ["--package", suite.as_str()]));
        let mut command = cargo::cargo(&arguments);
        command.current_dir(&self.folder).env("CARGO_TARGET_DIR", root().join("target"));
        let output = command.stdin(Stdio::null()).output()?;
        let messages: Vec<Message> =
            output.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
        if output.status.success() {
            let tests = messages.into_iter().filter(|it| it.profile.as_ref().is_some_and(|profile| profile.test));
            let tests = tests.filter_map(|it| Some((it.target?, it.executable?)));
            let tests = tests.filter(|(target, _)| target.kind != ["bin"]);
            let (own, suites): (Vec<_>, Vec<_>) =
                tests.partition(|(target, _)| target.src_path.starts_with(self.folder.join(PORTAL)));
            let named = |tests: Vec<(Target, PathBuf)>| {
                tests.into_iter().map(|(target, binary)| (target.name, binary)).collect::<Binaries>()
            };
            return Ok(Built::Whole(named(suites), named(own)));
        }
        let errors: Vec<_> =
            messages.into_iter().filter_map(|it| it.message).filter(|said| said.level == "error").collect();
        if errors.is_empty() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        Ok(Built::Refused(errors))
    }
}

/// A source with switches: each mutant's number and where it is now.
type Switched = (String, Vec<(usize, Range<usize>)>);

/// The source of these mutants, which are all of one file and apart from each other.
fn switched(mutants: &[(usize, &Mutant)]) -> Result<Switched, Error> {
    let mut mutants = mutants.to_vec();
    mutants.sort_by_key(|(_, mutant)| mutant.change.range.start);
    let source = mutants.first().map_or("", |(_, mutant)| mutant.source.as_str());
    let (mut text, mut ranges, mut done) = (String::new(), Vec::new(), 0);
    for (number, mutant) in mutants {
        let (whole, switch) = server::switch(&mutant.source, &mutant.change, number)?
            .filter(|(whole, _)| whole.start >= done)
            .ok_or_else(|| format!("{}: a mutant has no switch of its own", mutant.file))?;
        text += &source[done..whole.start];
        ranges.push((number, text.len()..text.len() + switch.len()));
        text += &switch;
        done = whole.end;
    }
    Ok((text + &source[done..], ranges))
}

fn written(path: &Path, content: &[u8]) -> Result<(), Error> {
    if fs::read(path).is_ok_and(|there| there == content) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    Ok(fs::write(path, content)?)
}
