//! Makes one test case of each route of the contract.

fn main() {
    contract_cases::Contract::read().template("routes", "routes", &["name", "step"]).write();
}
