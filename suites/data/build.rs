//! Makes test cases of the contract's readers and views.

fn main() {
    contract_cases::Contract::read()
        .template("readers", "data.readers", &[""])
        .template("actions", "actions", &["name", "step"])
        .template("views", "views", &["name", "step"])
        .write();
}
