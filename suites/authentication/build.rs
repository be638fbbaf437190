//! Makes test cases of the contract's personas, refused accounts, routes and forbidden views.

fn main() {
    contract_cases::Contract::read()
        .template("personas", "personas", &[""])
        .template("refused", "login.refused", &["persona"])
        .template("routes", "routes", &["name"])
        .template("forbidden", "forbidden", &["name"])
        .write();
}
