//! Makes test cases of the contract's functions, their variables and their secrets.

fn main() {
    contract_cases::Contract::read()
        .template("functions", "release.functions", &["name", "step"])
        .template("variables", "release.variables", &["name", "step"])
        .template("secrets", "release.secrets", &["name", "step"])
        .write();
}
