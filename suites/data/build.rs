//! Makes test cases of the contract's readers, actions, forms, mirrors, totals and views.

fn main() {
    contract_cases::Contract::read()
        .template("readers", "data.readers", &[""])
        .template("actions", "actions", &["name", "step"])
        .template("forms", "forms", &["name", "step"])
        .template("mirrors", "mirrors", &["name", "step"])
        .template("totals", "totals", &["name", "step"])
        .template("views", "views", &["name", "step"])
        .write();
}
