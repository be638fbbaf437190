//! `CONTRACT.md`: what each part of a contract means, with its keys and an example. It is made of the doc comments of
//! `harness/src/contract` and of the contracts in `fixtures`; `INSTA_UPDATE=always` writes it anew.

#![expect(clippy::unwrap_used, reason = "a test panics where it cannot go on")]

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::Path,
};

/// Where types of a contract are.
const SOURCES: [&str; 2] = ["harness/src/contract", "harness/rls-probe/src/tenancy.rs"];

/// Contracts that examples are taken from, the first that has one.
const CONTRACTS: [&str; 3] =
    ["fixtures/sacco-plus.toml", "fixtures/bricotheque/contract.toml", "fixtures/kassenbuch/contract.toml"];

/// Lines of an example.
const EXAMPLE: usize = 32;

const HEAD: &str = "# The parts of a contract

What a portal promises, part by part. Made of the doc comments of `harness/src/contract` by `cargo test -p xtask --test contract_page`; \
`release-check contract explain PART` prints one part. A part that may be left out is then *not promised*: its checks are left out, and \
said to be.
";

/// A type of a contract: its meaning, its keys or its words.
#[derive(Debug, Default)]
struct Type {
    about: String,
    is_enum: bool,
    has_defaults: bool,
    keys: Vec<Key>,
}

#[derive(Debug)]
struct Key {
    name: String,
    of: String,
    about: String,
    has_default: bool,
}

/// Reads types off sources that rustfmt has written.
fn types(source: &str, types: &mut BTreeMap<String, Type>) {
    let (mut about, mut has_default, mut renamed) = (String::new(), false, None);
    let mut inside: Option<String> = None;
    for line in source.lines().take_while(|line| *line != "#[cfg(test)]") {
        let text = line.trim();
        if let Some(doc) = text.strip_prefix("///") {
            about = format!("{about} {}", doc.trim());
        } else if text == "#[serde(skip)]" {
            renamed = Some(String::new());
        } else if text.starts_with("#[serde(") && text.contains("default") {
            has_default = true;
        } else if let Some(name) = text.strip_prefix("#[serde(rename = \"") {
            renamed = name.split('"').next().map(str::to_owned);
        } else if text.starts_with("#[") {
        } else if let Some(name) = text.strip_suffix(" {").and_then(declared) {
            let about_it = about.trim().to_owned();
            let of =
                Type { about: about_it, is_enum: text.contains("enum "), has_defaults: has_default, keys: Vec::new() };
            types.insert(name.to_owned(), of);
            inside = Some(name.to_owned());
            (about, has_default, renamed) = (String::new(), false, None);
        } else if line == "}" {
            inside = None;
        } else {
            if let (Some(name), Some(key)) = (&inside, text.strip_suffix(',')) {
                let key =
                    key.trim_start_matches("pub(super) ").trim_start_matches("pub(crate) ").trim_start_matches("pub ");
                let (name_of_key, of) = key.split_once(": ").unwrap_or((key, ""));
                let name_of_key = renamed.clone().unwrap_or_else(|| name_of_key.to_owned());
                if !name_of_key.is_empty() && !about.is_empty() {
                    let key = Key { name: name_of_key, of: of.to_owned(), about: about.trim().to_owned(), has_default };
                    types.get_mut(name).unwrap().keys.push(key);
                }
            }
            (about, has_default, renamed) = (String::new(), false, None);
        }
    }
}

fn declared(line: &str) -> Option<&str> {
    let line = line.strip_prefix("pub ").or_else(|| line.strip_prefix("pub(crate) ")).unwrap_or(line);
    line.strip_prefix("struct ").or_else(|| line.strip_prefix("enum ")).filter(|name| !name.contains(['<', ' ']))
}

/// A type without what surrounds it.
fn inner<'t>(of: &'t str, wrapper: &str) -> Option<&'t str> {
    of.strip_prefix(wrapper)?.strip_prefix('<')?.strip_suffix('>')
}

/// A type in words, and the type of ours that it is made of.
fn words(of: &str, types: &BTreeMap<String, Type>) -> (String, Option<String>) {
    for wrapper in ["Option", "Box", "Spanned"] {
        if let Some(of) = inner(of, wrapper) {
            return words(of, types);
        }
    }
    if let Some(of) = inner(of, "Vec") {
        let (text, own) = words(of, types);
        return (format!("list of {text}"), own);
    }
    if let Some(of) = inner(of, "BTreeMap") {
        let (text, own) = words(of.split_once(", ").unwrap().1, types);
        return (format!("{text} by name"), own);
    }
    let name = of.rsplit("::").next().unwrap();
    match (name, types.get(name)) {
        ("String" | "Uuid", _) => ("text".to_owned(), None),
        ("Pattern", _) => ("pattern".to_owned(), None),
        ("bool", _) => ("true or false".to_owned(), None),
        ("Value" | "Map<String, Value>", _) => ("value".to_owned(), None),
        ("Time", _) => ("time of day".to_owned(), None),
        (_, Some(own)) if own.is_enum => {
            let each: Vec<_> = own.keys.iter().map(|key| format!("`{}`", kebab(&key.name))).collect();
            (each.join(" or "), None)
        }
        (_, Some(_)) => ("table".to_owned(), Some(name.to_owned())),
        ("u8" | "u16" | "u32" | "u64" | "usize" | "i64" | "f64", _) => ("number".to_owned(), None),
        (other, None) => panic!("{other} has no words"),
    }
}

fn kebab(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

/// A table of the keys of a type, and of those of the types that it is made of.
fn keys(name: &str, place: &str, types: &BTreeMap<String, Type>, done: &mut BTreeSet<String>, page: &mut String) {
    if !done.insert(name.to_owned()) {
        return;
    }
    *page += "\n| key | is | |\n|---|---|---|\n";
    let mut below = Vec::new();
    for key in &types[name].keys {
        let (text, own) = words(&key.of, types);
        let may_be_left_out = types[name].has_defaults || key.has_default || key.of.starts_with("Option<");
        let may = if may_be_left_out { ", may be left out" } else { "" };
        *page += &format!("| `{}` | {text}{may} | {} |\n", key.name, linked(&key.about));
        below.extend(own.map(|own| (own, format!("{place}.{}", key.name))));
    }
    for (own, place) in below {
        if !done.contains(&own) {
            *page += &format!("\n`{place}`: {}\n", linked(&types[&own].about));
            keys(&own, &place, types, done, page);
        }
    }
}

/// A doc comment without links to code.
fn linked(about: &str) -> String {
    let mut text = String::new();
    let mut rest = about.replace('|', "\\|");
    while let Some((before, after)) = rest.clone().split_once("[`") {
        let (name, after) = after.split_once("`]").unwrap();
        let after = after.strip_prefix('(').and_then(|it| it.split_once(')')).map_or(after, |(_, after)| after);
        text += &format!("{before}`{name}`");
        rest = after.to_owned();
    }
    text + &rest
}

/// The part of a contract with this name: the first of several, and its beginning where it is long.
fn example(part: &str) -> Option<String> {
    CONTRACTS.iter().find_map(|contract| {
        let text = fs::read_to_string(root().join(contract)).unwrap();
        let lines: Vec<_> = text.lines().collect();
        let of_part = |line: &str| {
            let name = line.trim_start_matches('[').split(']').next().unwrap_or_default();
            line.starts_with('[') && (name == part || name.starts_with(&format!("{part}.")))
        };
        let start = lines.iter().position(|line| of_part(line))?;
        let is_other =
            |(at, line): (usize, &&str)| at > 0 && line.starts_with('[') && (!of_part(line) || **line == *lines[start]);
        let end = lines[start..].iter().enumerate().position(|(at, line)| is_other((at, line)));
        let mut block = lines[start..end.map_or(lines.len(), |end| start + end)].to_vec();
        // What stands before the next part is about that.
        while block.last().is_some_and(|line| line.is_empty() || line.starts_with('#')) {
            block.pop();
        }
        let cut = if block.len() > EXAMPLE { "\n# …" } else { "" };
        block.truncate(EXAMPLE);
        Some(format!("{}{cut}", block.join("\n")))
    })
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn page() -> String {
    let mut all = BTreeMap::new();
    for source in SOURCES.map(|source| root().join(source)) {
        let mut files = if source.is_dir() {
            fs::read_dir(source).unwrap().map(|entry| entry.unwrap().path()).collect()
        } else {
            vec![source]
        };
        files.sort();
        for file in files {
            types(&fs::read_to_string(file).unwrap(), &mut all);
        }
    }
    let mut text = HEAD.to_owned();
    for part in all["Contract"].keys.iter().filter(|key| !key.name.is_empty()) {
        let (kind, own) = words(&part.of, &all);
        let brackets = if part.of.contains("Vec<") { ("[[", "]]") } else { ("[", "]") };
        let may = if part.has_default || part.of.starts_with("Option<") { " May be left out." } else { "" };
        text += &format!("\n## `{}{}{}`\n\n{}{may}\n", brackets.0, part.name, brackets.1, linked(&part.about));
        match &own {
            Some(own) => keys(own, &part.name, &all, &mut BTreeSet::new(), &mut text),
            None => text += &format!("\nBy name: {kind}.\n"),
        }
        if let Some(example) = example(&part.name) {
            text += &format!("\n```toml\n{example}\n```\n");
        }
    }
    text
}

#[test]
fn the_page_says_what_the_code_says() {
    let (path, page) = (root().join("CONTRACT.md"), page());
    if env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    let other = page.lines().zip(written.lines()).find(|(one, other)| one != other);
    assert!(written == page, "INSTA_UPDATE=always cargo test -p xtask --test contract_page writes it anew: {other:?}");
}
