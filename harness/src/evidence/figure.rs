//! A number with its limit, as results keep it: `165 of 3000 ms`.

use std::{fmt, str::FromStr};

/// A figure of the runbook's monitoring table.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What was measured.
    pub value: f64,
    /// What it has to be below.
    pub limit: f64,
    /// Of both.
    pub unit: String,
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} {}", self.value, self.limit, self.unit)
    }
}

impl FromStr for Figure {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut words = text.splitn(4, ' ');
        let value = words.next().and_then(|word| word.parse().ok()).ok_or(())?;
        let limit = words.nth(1).and_then(|word| word.parse().ok()).ok_or(())?;
        Ok(Self { value, limit, unit: words.next().ok_or(())?.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_read_as_it_was_written() {
        let figure = Figure { value: 165.5, limit: 3000.0, unit: "ms".to_owned() };
        assert_eq!(figure.to_string(), "165.5 of 3000 ms");
        assert_eq!(figure.to_string().parse(), Ok(figure));
        assert_eq!("165 ms".parse::<Figure>(), Err(()));
    }
}
