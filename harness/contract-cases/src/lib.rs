//! For the build scripts of suites: one named `rstest` case for each entry of a part of the contract, so that a filter
//! and a report can say it, and another portal's contract needs no code.
//!
//! ```no_run
//! // build.rs
//! contract_cases::Contract::read().template("routes", "routes", &["name", "step"]).write();
//! // tests/main.rs: include!(concat!(env!("OUT_DIR"), "/cases.rs"));
//! ```

use std::{env, fmt::Write, fs, path::PathBuf};

use toml::{Table, Value};

/// What the tests are compiled for, and the templates made of it.
pub struct Contract {
    table: Table,
    templates: String,
}

impl Contract {
    /// Reads `fixtures/sacco-plus.toml`, or the file that `HARNESS_CONTRACT` names. The harness reports
    /// what is wrong with it when the tests run.
    #[expect(clippy::print_stdout, reason = "a build script speaks to cargo there")]
    pub fn read() -> Self {
        let named = env::var_os("HARNESS_CONTRACT").filter(|path| !path.is_empty());
        let path = named.map_or_else(|| PathBuf::from("fixtures/sacco-plus.toml"), PathBuf::from);
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
        println!("cargo::rerun-if-env-changed=HARNESS_CONTRACT");
        println!("cargo::rerun-if-changed={}", path.display());
        let table = fs::read_to_string(path).unwrap_or_default().parse().unwrap_or_default();
        Self { table, templates: String::new() }
    }

    /// Reads a folder of files whose lists count as one: the corpus in `fixtures/sms`.
    #[expect(clippy::print_stdout, reason = "a build script speaks to cargo there")]
    pub fn read_folder(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name);
        println!("cargo::rerun-if-changed={}", folder.display());
        let mut table = Table::new();
        let mut paths: Vec<_> =
            fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let file: Table = fs::read_to_string(path).unwrap_or_default().parse().unwrap_or_default();
            for (key, value) in file {
                let all = table.entry(key).or_insert_with(|| Value::Array(Vec::new()));
                if let (Value::Array(all), Value::Array(more)) = (all, value) {
                    all.extend(more);
                }
            }
        }
        Self { table, templates: String::new() }
    }

    /// Adds the template `name`, for `rstest_reuse::apply`: a case for each entry at `path` (`login.refused`). An entry
    /// is a table, of which the values of `keys` become the arguments; `""` is its own key or, where the entry is no
    /// table, the entry itself. The first argument names the case.
    #[must_use]
    pub fn template(mut self, name: &str, path: &str, keys: &[&str]) -> Self {
        let parameters: Vec<_> = (0..keys.len()).map(|at| format!("#[case] case_{at}: &str")).collect();
        let mut cases = String::new();
        for arguments in self.entries(path, keys) {
            let words: Vec<_> =
                arguments[0].split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
            let identifier = words.join("_");
            let arguments: Vec<_> = arguments.iter().map(|argument| format!("{argument:?}")).collect();
            let _ = writeln!(cases, "#[case::{}({})]", identifier.to_lowercase(), arguments.join(", "));
        }
        if cases.is_empty() {
            // rstest needs one. Where the contract lacks the part, the check is left out; where the list is empty, the
            // contract has no such name, and the check says so.
            let _ = writeln!(cases, "#[case::none({})]", vec!["\"\""; keys.len()].join(", "));
        }
        let _ = writeln!(
            self.templates,
            "#[template]\n#[rstest::rstest]\n{cases}fn {name}({}) {{}}",
            parameters.join(", ")
        );
        self
    }

    fn entries(&self, path: &str, keys: &[&str]) -> Vec<Vec<String>> {
        let mut steps = path.split('.');
        let mut part = steps.next().and_then(|step| self.table.get(step));
        for step in steps {
            part = part.and_then(|part| part.get(step));
        }
        let entries: Vec<(String, &Value)> = match part {
            Some(Value::Array(list)) => list.iter().map(|entry| (text(entry), entry)).collect(),
            Some(Value::Table(table)) => table.iter().map(|(key, entry)| (key.clone(), entry)).collect(),
            _ => Vec::new(),
        };
        let argument = |own: &str, entry: &Value, key: &str| match key {
            "" => own.to_owned(),
            key => entry.get(key).map(text).unwrap_or_default(),
        };
        entries.iter().map(|(own, entry)| keys.iter().map(|key| argument(own, entry, key)).collect()).collect()
    }

    /// Writes the templates to `cases.rs` in `OUT_DIR`.
    ///
    /// # Panics
    /// When that cannot be written: without it nothing compiles.
    pub fn write(self) {
        let path = env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default().join("cases.rs");
        fs::write(&path, self.templates).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

fn text(value: &Value) -> String {
    value.as_str().map(str::to_owned).unwrap_or_default()
}
