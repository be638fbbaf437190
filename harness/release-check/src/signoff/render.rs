//! Both forms of the document.

use minijinja::{Environment, syntax::SyntaxConfig, value::Serde};

use super::document::SignOff;
use crate::Error;

/// The document for people with an editor, and for whoever greps.
pub fn markdown(document: &SignOff) -> Result<String, Error> {
    render(document, "SIGNOFF.md", include_str!("SIGNOFF.md"))
}

/// The document for people with a browser: one file that asks for no other.
pub fn html(document: &SignOff) -> Result<String, Error> {
    render(document, "index.html", include_str!("index.html"))
}

fn render(document: &SignOff, name: &'static str, template: &'static str) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_filter("cell", crate::github::cell);
    environment.add_filter("fence", fence);
    environment.add_filter("class", |state: String| state.to_lowercase().replace(' ', "-"));
    environment.add_template(name, template)?;
    Ok(environment.get_template(name)?.render(Serde(document))?.trim_end().to_owned() + "\n")
}

/// A text as a block that nothing in it can end.
fn fence(text: String) -> String {
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    format!("{fence}text\n{text}\n{fence}")
}
