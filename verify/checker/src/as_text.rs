//! Values in files by their text: a value is written as it is displayed, and read as it is parsed.
//!
//! `#[serde(with = "as_text")]` does so for a field, [`option`] and [`list`] for a field that may have none or
//! several, and [`ordering`] for an ordering, whose text is its name.

use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer, Serializer};
use std::fmt::Display;
use std::str::FromStr;

/// Writes a value's text.
///
/// # Errors
/// Those of the form that is written.
pub fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Reads a value from its text.
///
/// # Errors
/// There is no text, or the value cannot be parsed from it; the error then has the parser's message.
pub fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

/// A value that may be missing.
pub mod option {
    use super::*;
    use serde::Serialize as _;

    /// Writes a value's text, if there is a value.
    ///
    /// # Errors
    /// Those of the form that is written.
    pub fn serialize<T: Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(T::to_string).serialize(serializer)
    }

    /// Reads a value from its text, if there is a text.
    ///
    /// # Errors
    /// The value cannot be parsed from the text.
    pub fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.as_deref().map(str::parse).transpose().map_err(D::Error::custom)
    }
}

/// Several values.
pub mod list {
    use super::*;

    /// Reads each value from its text.
    ///
    /// # Errors
    /// One of the values cannot be parsed from its text.
    pub fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<T>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| text.parse()).collect::<Result<_, _>>().map_err(D::Error::custom)
    }
}

/// A memory ordering, by its name in the language.
pub mod ordering {
    use super::*;
    use heaplab::sync::Ordering;

    const ALL: [Ordering; 5] =
        [Ordering::Relaxed, Ordering::Acquire, Ordering::Release, Ordering::AcqRel, Ordering::SeqCst];

    /// Writes an ordering's name.
    ///
    /// # Errors
    /// Those of the form that is written.
    pub fn serialize<S: Serializer>(value: &Ordering, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{value:?}"))
    }

    /// Reads an ordering from its name.
    ///
    /// # Errors
    /// There is no ordering of that name.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Ordering, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = ALL.into_iter().find(|ordering| format!("{ordering:?}") == text);
        known.ok_or_else(|| D::Error::custom(format!("`{text}` is no ordering")))
    }
}

#[cfg(test)]
mod tests {
    use heaplab::sync::Ordering;
    use heaplab::sync::terms::{Change, Fault, Pass};
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Row {
        #[serde(with = "super")]
        pass: Pass,
        #[serde(with = "super::option")]
        fault: Option<Fault>,
        #[serde(with = "super::ordering")]
        written: Ordering,
    }

    #[derive(Debug, Deserialize)]
    struct Entry {
        #[serde(deserialize_with = "super::list::deserialize")]
        changes: Vec<Change>,
    }

    #[test]
    fn a_value_is_its_text() {
        for fault in [None, Some(Fault::Wakeup)] {
            let row = Row { pass: Pass::ReadAsRmw, fault, written: Ordering::AcqRel };
            let text = serde_json::to_string(&row).unwrap();
            assert!(text.contains(r#""pass":"read-as-rmw""#) && text.contains(r#""written":"AcqRel""#), "{text}");
            assert_eq!(text.contains("null"), fault.is_none(), "{text}");
            assert_eq!(serde_json::from_str::<Row>(&text).unwrap(), row);
        }
        let entry: Entry = serde_json::from_str(r#"{"changes": ["drop", "acqrel"]}"#).unwrap();
        assert_eq!(entry.changes, [Change::Drop, Change::Weaken(Ordering::AcqRel)]);
    }

    #[test]
    fn an_unknown_text_is_refused_with_the_known_ones() {
        let refused = |text: &str| serde_json::from_str::<Row>(text).unwrap_err().to_string();
        let error = refused(r#"{"pass": "odd", "fault": null, "written": "AcqRel"}"#);
        assert!(error.contains("`odd` is no pass; there are graphs, normal, read-as-rmw"), "{error}");
        assert!(refused(r#"{"pass": "normal", "fault": "x", "written": "AcqRel"}"#).contains("`x` is no fault"));
        assert!(refused(r#"{"pass": "normal", "fault": null, "written": "x"}"#).contains("`x` is no ordering"));
        let error = serde_json::from_str::<Entry>(r#"{"changes": ["dropp"]}"#).unwrap_err().to_string();
        assert!(error.contains("`dropp` is no change; there are relaxed"), "{error}");
    }
}
