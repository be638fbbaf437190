//! The detached signature beside `signoff.json`, in minisign's format: `minisign -V -m signoff.json` verifies it too.

use std::{env, fs, io::Cursor, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use minisign::{PublicKey, PublicKeyBox, SecretKey, SecretKeyBox, SignatureBox};

use crate::{Error, Usage};

/// The password of a key that has one.
pub const PASSWORD: &str = "RELEASE_CHECK_KEY_PASSWORD";

/// What somebody signs with.
pub struct Key {
    secret: SecretKey,
    public: PublicKey,
}

impl Key {
    /// Reads a file of `minisign -G`.
    ///
    /// # Errors
    /// When it is none, or its password is missing or wrong.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let password = env::var(PASSWORD).ok().filter(|password| !password.is_empty());
        let text = fs::read_to_string(path)
            .map_err(|error| Usage::error(format!("the key {} cannot be read: {error}", path.display())))?;
        Self::parse(&text, password).map_err(|why| Usage::error(format!("the key {} {why}", path.display())))
    }

    /// The same of its text.
    pub fn parse(text: &str, password: Option<String>) -> Result<Self, String> {
        let encoded = text.lines().nth(1).and_then(|line| BASE64_STANDARD.decode(line.trim()).ok());
        let key = encoded.and_then(|bytes| SecretKey::from_bytes(&bytes).ok());
        let key = key.ok_or("is no secret key of minisign")?;
        let secret = match (key.is_encrypted(), password) {
            // minisign leaves out the checksum of a key without a password; `sign` notices a broken one.
            (false, _) => key,
            (true, Some(password)) => SecretKeyBox::from_string(text)
                .and_then(|boxed| boxed.into_secret_key(Some(password)))
                .map_err(|error| format!("cannot be used: {error}"))?,
            (true, None) => return Err(format!("has a password: set {PASSWORD}")),
        };
        let public = PublicKey::from_secret_key(&secret).map_err(|error| format!("cannot be used: {error}"))?;
        Ok(Self { secret, public })
    }

    /// The public key, as one gives it to others.
    pub fn public(&self) -> String {
        self.public.to_base64()
    }

    /// Signs these bytes; the comment is signed with them. Each signature of the same is another one: chance in it
    /// protects the key.
    ///
    /// # Errors
    /// When the system has no chance to give.
    pub fn sign(&self, bytes: &[u8], comment: &str) -> Result<String, Error> {
        // A comment is one line.
        let comment = comment.replace(['\r', '\n'], " ");
        let untrusted = "signature of signoff.json";
        let signature = minisign::sign(Some(&self.public), &self.secret, bytes, Some(&comment), Some(untrusted))?;
        Ok(signature.into_string())
    }
}

/// The public key in a file, or given as it is.
///
/// # Errors
/// When it is neither.
pub fn public_key(given: &str) -> Result<PublicKey, Error> {
    let key = match fs::read_to_string(given) {
        Ok(text) => PublicKeyBox::from_string(&text).and_then(PublicKeyBox::into_public_key),
        Err(_) => PublicKey::from_base64(given),
    };
    key.map_err(|error| {
        Usage::error(format!("--key {given} is neither a public key of minisign nor a file with one: {error}"))
    })
}

/// Whether the signature is of these bytes by this key; why not, if not.
pub fn verify(bytes: &[u8], signature: &str, key: &PublicKey) -> Result<(), String> {
    let signature = SignatureBox::from_string(signature).map_err(|error| format!("cannot be read: {error}"))?;
    if signature.keynum() != key.keynum() {
        return Err("is by another key".to_owned());
    }
    minisign::verify(key, &signature, Cursor::new(bytes), true, false, false)
        .map_err(|_| "is not of this signoff.json".to_owned())
}
