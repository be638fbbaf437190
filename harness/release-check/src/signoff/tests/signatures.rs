//! The signature beside the document, and its check.

use std::{fs, path::PathBuf, sync::LazyLock};

use base64::{Engine, prelude::BASE64_STANDARD};
use minisign::KeyPair;

use super::*;
use crate::{
    Exit,
    signoff::{
        check::{Checked, check},
        signature::Key,
        write::write,
    },
};

struct Keys {
    public: String,
    secret: String,
}

impl Keys {
    fn of(KeyPair { pk, sk }: KeyPair) -> Self {
        Self { public: pk.to_base64(), secret: sk.to_box(None).unwrap().into_string() }
    }
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys::of(KeyPair::generate_unencrypted_keypair().unwrap()));

/// A sign-off, signed or not, beside its run.
struct Made {
    folder: TempDir,
}

impl Made {
    fn of(key: Option<&Key>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = super::Made::passed(Target::Production, MORNING);
        let run = Run::read(&made.write(&folder.path().join("runs")).unwrap()).unwrap();
        let basis = Basis { runs: vec![run], proofs: Vec::new(), passed_over: None };
        let (signed, signers) = (everything_signed(), signers());
        let public = key.map(Key::public);
        let materials = Materials { basis: &basis, signed: &signed, signers: &signers, history: &[], key: public };
        write(&materials, key, &folder.path().join("out")).unwrap();
        Self { folder }
    }

    fn signed() -> Self {
        Self::of(Some(&Key::parse(&KEYS.secret, None).unwrap()))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("out").join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }

    fn check(&self, key: Option<&str>) -> Checked {
        check(&self.folder.path().join("out"), key, &self.folder.path().join("runs")).unwrap()
    }

    fn exit_and_end(&self, key: Option<&str>) -> (Exit, String) {
        let Checked { exit, sentence } = self.check(key);
        let end = sentence.rsplit_once("; ").map(|(_, end)| end.to_owned());
        (exit, end.unwrap_or(sentence))
    }
}

#[test]
fn a_signed_document_is_verified_by_key_and_by_file_of_it() {
    let made = Made::signed();
    let public = &KEYS.public;
    assert!(made.text("SIGNOFF.md").contains(&format!("**Signature:** signoff.json.minisig, by the key {public}")));
    assert_eq!(made.exit_and_end(Some(public)), (Exit::Passed, format!("signed by the key {public}")));
    let file = made.file("key.pub");
    fs::write(&file, format!("untrusted comment: minisign public key\n{public}\n")).unwrap();
    assert_eq!(made.check(Some(file.to_str().unwrap())).exit, Exit::Passed);
    assert_eq!(made.exit_and_end(None), (Exit::Open, "its signature was not checked, which takes --key".to_owned()));
}

#[test]
fn a_document_without_a_key_says_so() {
    let made = Made::of(None);
    assert!(made.text("SIGNOFF.md").contains("**Signature:** unsigned"));
    assert!(made.text("index.html").contains("<dd>unsigned</dd>"));
    assert_eq!(
        made.exit_and_end(Some(&KEYS.public)),
        (Exit::Open, "unsigned, so whoever could write to the folder could have made it".to_owned())
    );
}

#[test]
fn another_key_did_not_sign_it() {
    let other = KeyPair::generate_unencrypted_keypair().unwrap().pk.to_base64();
    let checked = Made::signed().exit_and_end(Some(&other));
    assert_eq!(checked, (Exit::Failed, "not sound: signoff.json.minisig is by another key".to_owned()));
}

#[test]
fn tampering_is_noticed_wherever_it_is() {
    for (name, why) in [
        ("SIGNOFF.md", "not sound: SIGNOFF.md was altered"),
        ("index.html", "not sound: index.html was altered"),
        ("signoff.json", "not sound: signoff.json.minisig is not of this signoff.json"),
    ] {
        let made = Made::signed();
        fs::write(made.file(name), made.text(name).replace("Ada", "Eve")).unwrap();
        assert_eq!(made.exit_and_end(Some(&KEYS.public)), (Exit::Failed, why.to_owned()), "{name}");
    }
}

#[test]
fn a_signature_that_was_taken_away_is_missed() {
    let made = Made::signed();
    fs::remove_file(made.file("signoff.json.minisig")).unwrap();
    let why = "not sound: signoff.json names the key of a signature, and signoff.json.minisig is missing";
    assert_eq!(made.exit_and_end(Some(&KEYS.public)), (Exit::Failed, why.to_owned()));
}

#[test]
fn a_run_that_was_altered_afterwards_is_noticed_where_it_still_is() {
    let made = Made::signed();
    let run = fs::read_dir(made.folder.path().join("runs")).unwrap().next().unwrap().unwrap().path();
    fs::write(run.join("ended.json"), "{}").unwrap();
    let (exit, why) = made.exit_and_end(Some(&KEYS.public));
    assert_eq!(exit, Exit::Failed);
    assert!(why.starts_with("not sound: ended.json of run 2025-06-02T09-00-00Z-production is not the one"), "{why}");
    fs::remove_dir_all(run).unwrap();
    assert_eq!(made.check(Some(&KEYS.public)).exit, Exit::Passed, "runs may be kept elsewhere");
}

#[test]
fn an_unsigned_document_made_over_a_signed_one_has_no_signature() {
    let made = Made::signed();
    let again = super::Made::passed(Target::Production, MORNING);
    let run = Run::read(&again.write(&made.folder.path().join("runs")).unwrap()).unwrap();
    let basis = Basis { runs: vec![run], proofs: Vec::new(), passed_over: None };
    let (signed, signers) = (everything_signed(), signers());
    let materials = Materials { basis: &basis, signed: &signed, signers: &signers, history: &[], key: None };
    write(&materials, None, &made.folder.path().join("out")).unwrap();
    assert!(!made.file("signoff.json.minisig").exists());
}

/// As `minisign -G -W` writes one: without a checksum.
#[test]
fn a_key_of_minisign_without_a_password_is_taken() {
    let KeyPair { pk, sk } = KeyPair::generate_unencrypted_keypair().unwrap();
    let mut bytes = sk.to_bytes();
    let checksum = bytes.len() - 32;
    bytes[checksum..].fill(0);
    let text = format!("untrusted comment: minisign secret key\n{}\n", BASE64_STANDARD.encode(bytes));
    let made = Made::of(Some(&Key::parse(&text, None).unwrap()));
    assert_eq!(made.check(Some(&pk.to_base64())).exit, Exit::Passed);
}

#[test]
fn a_key_with_a_password_wants_it() {
    let pair = KeyPair::generate_encrypted_keypair(Some("secret".to_owned())).unwrap();
    let keys = Keys::of(pair);
    let refused = |password: Option<&str>| Key::parse(&keys.secret, password.map(str::to_owned)).err().unwrap();
    assert_eq!(refused(None), "has a password: set RELEASE_CHECK_KEY_PASSWORD");
    assert_eq!(refused(Some("wrong")), "cannot be used: Wrong password for that key");
    let key = Key::parse(&keys.secret, Some("secret".to_owned())).unwrap();
    assert_eq!(key.public(), keys.public);
    assert_eq!(Made::of(Some(&key)).check(Some(&keys.public)).exit, Exit::Passed);
    assert_eq!(Key::parse("no key", None).err().unwrap(), "is no secret key of minisign");
}
