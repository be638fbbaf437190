//! Fields of a vendor's answer that may be absent, null or of a kind that nobody knows yet: one of them is no reason to lose
//! the rest.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// A field as `T`; the default of `T` where it is null or something else. To be used with `#[serde(default)]`.
pub(super) fn lenient<'de, T: DeserializeOwned + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

/// A list of which each entry is read by itself: the default of `T` stands for one that cannot be.
pub(super) fn entries<'de, T: DeserializeOwned + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let entries = Vec::<Value>::deserialize(deserializer)?;
    Ok(entries.into_iter().map(|entry| serde_json::from_value(entry).unwrap_or_default()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, Debug, PartialEq, Default)]
    struct Entry {
        #[serde(default, deserialize_with = "lenient")]
        name: String,
        #[serde(default, deserialize_with = "lenient")]
        count: Option<u32>,
    }

    #[test]
    fn what_cannot_be_read_is_the_default() {
        let read = |text: &str| serde_json::from_str::<Entry>(text).unwrap();
        assert_eq!(read(r#"{"name": "a", "count": 3}"#), Entry { name: "a".to_owned(), count: Some(3) });
        for text in ["{}", r#"{"name": null, "count": null}"#, r#"{"name": {}, "count": "3"}"#, r#"{"count": -1}"#] {
            assert_eq!(read(text), Entry::default(), "{text}");
        }
    }
}
