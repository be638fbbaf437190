//! Makes test cases of the contract's counted tables, edge functions and paths that no site publishes.

fn main() {
    contract_cases::Contract::read()
        .template("counted", "security.counted", &["table", "step"])
        .template("functions", "security.functions", &[""])
        .template("unpublished", "security.unpublished", &[""])
        .write();
}
