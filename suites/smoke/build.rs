//! Makes one test case of each route of the contract, so that a filter and a report can name it.

use std::{env, fmt::Write, fs, path::PathBuf};

fn main() {
    let default = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/sacco-plus.toml");
    let contract = env::var_os("HARNESS_CONTRACT").map_or(default, PathBuf::from);
    println!("cargo::rerun-if-env-changed=HARNESS_CONTRACT");
    println!("cargo::rerun-if-changed={}", contract.display());

    // What is wrong with a contract is told by the harness when the tests run, in words for people.
    let text = fs::read_to_string(&contract).unwrap_or_default();
    let table: toml::Table = text.parse().unwrap_or_default();
    let routes = table.get("routes").and_then(toml::Value::as_array).cloned().unwrap_or_default();
    let mut cases = String::new();
    for route in &routes {
        let text = |key: &str| route.get(key).and_then(toml::Value::as_str).unwrap_or_default();
        let (name, step) = (text("name"), text("step"));
        let identifier: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let _ = writeln!(cases, "#[case::{identifier}({name:?}, {step:?})]");
    }
    if cases.is_empty() {
        cases.push_str("#[case::contract(\"\", \"4.1.1\")]\n");
    }
    let template =
        format!("#[template]\n#[rstest::rstest]\n{cases}fn routes(#[case] route: &str, #[case] step: &str) {{}}\n");
    let folder = env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    fs::write(folder.join("routes.rs"), template).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
}
