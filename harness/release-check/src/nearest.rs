//! What somebody may have meant.

/// The known name that is most like an unknown one, as the end of a sentence; nothing where none is like it.
pub fn nearest<'k>(unknown: &str, known: impl Iterator<Item = &'k str>) -> String {
    let likeness = |name: &str| strsim::jaro_winkler(unknown, name);
    let best = known.max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    best.filter(|best| likeness(best) > 0.7).map_or_else(String::new, |best| format!("; did you mean {best}?"))
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_finger_is_guessed_and_nonsense_is_not() {
        let known = ["smoke", "security", "data"];
        assert_eq!(nearest("smok", known.into_iter()), "; did you mean smoke?");
        assert_eq!(nearest("xyz", known.into_iter()), "");
    }
}
