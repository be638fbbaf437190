//! Makes test cases of the contract's readers.

fn main() {
    contract_cases::Contract::read().template("readers", "data.readers", &[""]).write();
}
