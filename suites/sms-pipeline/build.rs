//! Makes test cases of the messages in `fixtures/sms`.

fn main() {
    contract_cases::Contract::read_folder("sms").template("samples", "message", &["name"]).write();
}
