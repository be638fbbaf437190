//! The crate's modules have no circles: each knows only those below it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// The modules that each module of the crate names, its folder included.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    let mut folders = vec![(source, None::<String>)];
    while let Some((folder, module)) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let module = module.clone().unwrap_or(name);
            if path.is_dir() {
                folders.push((path, Some(module)));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                *texts.entry(module).or_default() += &fs::read_to_string(path).unwrap();
            }
        }
    }
    texts.retain(|module, _| !matches!(module.as_str(), "lib" | "main"));
    let names: Vec<_> = texts.keys().cloned().collect();
    let named = |module: &str, text: &str| {
        // A `use crate::{…}` block, or a path.
        let mut blocks: Vec<&str> =
            text.split("use crate::{").skip(1).filter_map(|rest| rest.split("};").next()).collect();
        blocks.extend(text.split("crate::").skip(1).map(|rest| rest.split_whitespace().next().unwrap_or_default()));
        let words = blocks.into_iter().flat_map(|block| block.split(|c: char| !c.is_alphanumeric() && c != '_'));
        let words: BTreeSet<_> = words.collect();
        names.iter().filter(|name| *name != module && words.contains(name.as_str())).cloned().collect()
    };
    texts.iter().map(|(module, text)| (module.clone(), named(module, text))).collect()
}

#[test]
fn modules_have_no_circles() {
    let mut arrows = arrows();
    assert!(arrows["world"].contains("desk"), "arrows are read: {arrows:?}");
    loop {
        let ends: Vec<_> = arrows.iter().filter(|(_, to)| to.is_empty()).map(|(name, _)| name.clone()).collect();
        if ends.is_empty() {
            break;
        }
        arrows.retain(|name, _| !ends.contains(name));
        arrows.values_mut().for_each(|to| to.retain(|name| !ends.contains(name)));
    }
    assert!(arrows.is_empty(), "in a circle, or above one: {arrows:?}");
}
