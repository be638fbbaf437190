//! Tables as every command prints them.

use comfy_table::{ContentArrangement, Table, presets::UTF8_BORDERS_ONLY};

/// A table with a header.
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header.to_vec());
    if table.width().is_none() {
        table.set_width(120);
    }
    table
}

/// A duration as people read it.
pub fn seconds(milliseconds: u64) -> String {
    format!("{:.1} s", milliseconds as f64 / 1000.0)
}
