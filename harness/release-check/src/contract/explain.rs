//! The page about one part of a contract, out of `CONTRACT.md`.

use crate::{Error, Usage};

const PAGES: &str = include_str!("../../../../CONTRACT.md");

/// The page about a part, or one line for each of them.
///
/// # Errors
/// When no part has this name.
pub(super) fn page(part: Option<&str>) -> Result<String, Error> {
    let pages = || PAGES.split("\n## ").skip(1);
    let name = |page: &str| page.trim_start_matches(['`', '[']).split([']', '`']).next().unwrap_or_default().to_owned();
    let Some(part) = part.map(|part| part.trim_matches(['[', ']'])) else {
        let line = |page: &str| format!("{:<12} {}", name(page), page.lines().nth(2).unwrap_or_default());
        return Ok(pages().map(line).collect::<Vec<_>>().join("\n"));
    };
    // Of `audit.hours` the page is that of `audit`.
    let root = part.split('.').next().unwrap_or(part);
    let found = pages().find(|page| name(page) == root);
    found.map(|page| page.trim_end().to_owned()).ok_or_else(|| {
        let known: Vec<_> = pages().map(name).collect();
        Usage::error(format!("no contract has a part {part:?}; known parts: {}", known.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_has_a_page_by_its_name_and_by_that_of_what_is_in_it() {
        let pages = page(None).unwrap();
        assert!(pages.contains("allocation   Giving a transaction to a member. May be left out."), "{pages}");
        let allocation = page(Some("[allocation]")).unwrap();
        assert!(allocation.contains("| `member_entries` |") && allocation.contains("```toml"), "{allocation}");
        assert_eq!(page(Some("audit.hours")).unwrap(), page(Some("audit")).unwrap());
        for section in harness::Section::ALL {
            assert!(page(Some(&section.to_string())).is_ok(), "{section}");
        }
        assert!(page(Some("colour")).unwrap_err().to_string().starts_with("no contract has a part \"colour\""));
    }
}
