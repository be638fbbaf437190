//! Where files lie: in which bucket, and in which folders, as the policies of files take names apart.

use std::{collections::BTreeMap, sync::LazyLock};

use regex::Regex;
use serde_json::Value;
use uuid::Uuid;

use crate::sql::literal;

use super::{OWN, Row, Tenant, World};

/// Layouts of one bucket that are tried.
const LAYOUTS: usize = 4;

/// A place for files: a bucket, and how a policy says that the names of files in it are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelf {
    pub bucket: String,
    /// What stands at which place of a name; places that are not named are anything.
    layout: BTreeMap<usize, Part>,
}

/// A part of a file's name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Always the same.
    Word(String),
    /// The caller's id.
    User,
    /// Something that is looked at.
    Id,
}

impl<'c> World<'c> {
    /// Every place for files that is tried.
    pub fn shelves(&self) -> &[Shelf] {
        self.shelves.get_or_init(|| self.find_shelves())
    }

    fn find_shelves(&self) -> Vec<Shelf> {
        let buckets = self.catalog.relations.iter().find(|relation| relation.title() == "storage.buckets");
        let rows = buckets.and_then(|buckets| self.rows.get(&(buckets.oid, None))).into_iter().flatten();
        let mut shelves = Vec::new();
        for bucket in rows.filter_map(|row| row.text("id")) {
            let mut layouts = Vec::new();
            for text in self.texts_of_bucket(&bucket) {
                let layout = layout(text);
                // What says no more than whose a file is says it of all names.
                let says_more =
                    |(place, part): (&usize, &Part)| matches!(part, Part::Word(_)) || *place > 1 && *part == Part::User;
                if layout.iter().any(says_more) && !layouts.contains(&layout) {
                    layouts.push(layout);
                }
            }
            layouts.truncate(LAYOUTS);
            if layouts.is_empty() {
                layouts.push(BTreeMap::new());
            }
            shelves.extend(layouts.into_iter().map(|layout| Shelf { bucket: bucket.clone(), layout }));
        }
        shelves
    }

    /// One of them.
    pub fn shelf(&self, variant: usize) -> Option<Shelf> {
        let shelves = self.shelves();
        shelves.get(variant % shelves.len().max(1)).cloned()
    }

    /// Buckets whose files everybody gets by their addresses.
    pub fn public_buckets(&self) -> Vec<String> {
        let buckets = self.catalog.named("storage.buckets").into_iter().flat_map(|buckets| self.rows(buckets, OWN));
        let public = buckets.filter(|bucket| bucket.values.get("public") == Some(&Value::Bool(true)));
        public.filter_map(|bucket| bucket.text("id")).collect()
    }

    /// Whether everybody gets a file by its address.
    pub fn is_in_public_bucket(&self, row: &Row) -> bool {
        row.text("bucket_id").is_some_and(|bucket| self.public_buckets().contains(&bucket))
    }

    /// A file's name that is a tenant's.
    pub fn file_name(&self, shelf: &Shelf, tenant: usize, mark: &str) -> String {
        self.file_name_with(shelf, tenant, &self.file_owner(&shelf.bucket, tenant), mark)
    }

    /// The same with another id at the places behind that of whose it is.
    pub fn file_name_with(&self, shelf: &Shelf, tenant: usize, behind: &str, mark: &str) -> String {
        let owner = self.file_owner(&shelf.bucket, tenant);
        if !shelf.layout.is_empty() {
            return self.name_on(shelf, (&owner, behind), tenant, mark);
        }
        let texts = self.texts_of_bucket(&shelf.bucket);
        let has = |word: &str| texts.iter().any(|text| text.contains(word));
        let by_folder = self.has_folders(shelf) || !has("filename");
        match (by_folder, has("foldername(name))[2]"), has("filename") && has("uuid")) {
            (false, ..) => format!("{owner}.{mark}"),
            (_, true, _) => format!("files/{owner}/{mark}.txt"),
            (_, _, true) => format!("{owner}/{}.txt", Uuid::new_v4()),
            _ => format!("{owner}/{mark}.txt"),
        }
    }

    /// Whether policies look at the folders of a file.
    pub fn has_folders(&self, shelf: &Shelf) -> bool {
        let is_about = |text: &&str| ["foldername", "path_tokens", "split_part"].iter().any(|word| text.contains(word));
        !shelf.layout.is_empty() || self.texts_of_bucket(&shelf.bucket).iter().any(is_about)
    }

    /// A name as a policy says that it is made: whose it is stands at the first place that no word has.
    fn name_on(&self, shelf: &Shelf, (owner, behind): (&str, &str), tenant: usize, mark: &str) -> String {
        let Tenant { users, .. } = &self.tenants[tenant];
        let user = users.first().map_or(owner, String::as_str);
        let last = shelf.layout.keys().last().copied().unwrap_or_default();
        let mut is_owned = false;
        let mut parts = Vec::new();
        for place in 1..=last {
            parts.push(match shelf.layout.get(&place) {
                Some(Part::Word(word)) => word.as_str(),
                Some(Part::User) => {
                    is_owned |= user == owner;
                    user
                }
                Some(Part::Id) | None if !is_owned => {
                    is_owned = true;
                    owner
                }
                Some(Part::Id) | None => behind,
            });
        }
        format!("{}/{mark}.txt", parts.join("/"))
    }

    /// Whose id a file's name begins with: a user's, where policies of its bucket compare folders with the caller.
    pub fn file_owner(&self, bucket: &str, tenant: usize) -> String {
        static OF_CALLER: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"auth\.uid\(\)[^=]{0,20}= \(?\(?storage\.foldername|foldername\([^=]{0,30}= \(*(?: ?SELECT )?\(?auth\.uid\(\)")
                .expect("a pattern")
        });
        let Tenant { id, users, .. } = &self.tenants[tenant];
        let is_of_user =
            self.tenancy.tenant.is_none() || self.texts_of_bucket(bucket).iter().any(|text| OF_CALLER.is_match(text));
        users.first().filter(|_| is_of_user).unwrap_or(id).clone()
    }

    /// Whether policies ask for the owner of a bucket's files, and not for their names: in whatever folder they lie, they
    /// are their owner's.
    pub fn is_by_owner(&self, bucket: &str) -> bool {
        static NAME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b(?:name|path_tokens)\b").expect("a pattern"));
        let texts = self.texts_of_bucket(bucket);
        texts.iter().any(|text| text.contains("owner")) && !texts.iter().any(|text| NAME.is_match(text))
    }

    /// What policies say of a bucket's files.
    fn texts_of_bucket(&self, bucket: &str) -> Vec<&'c str> {
        let objects = self.catalog.named("storage.objects");
        let policies = objects.into_iter().flat_map(|objects| &objects.policies);
        let texts: Vec<_> =
            policies.flat_map(|policy| [policy.using.as_deref(), policy.check.as_deref()]).flatten().collect();
        let name = literal(bucket);
        let own: Vec<_> = texts.iter().copied().filter(|text| text.contains(&name)).collect();
        if own.is_empty() { texts } else { own }
    }
}

/// What a policy asks of the parts of a name.
fn layout(text: &str) -> BTreeMap<usize, Part> {
    static PLACE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"split_part\(\(?(?:\w+\.)?name\)?(?:::text)?, '/'::text, (\d)\)|\(storage\.foldername\((?:\w+\.)?name\)\)\[(\d)\]|path_tokens\[(\d)\]|\w+\((?:\w+\.)?name, (\d)\)")
            .expect("a pattern")
    });
    static WORD_BEHIND: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^\)*(?:::\w+)?\)* = (?:ANY \(+ARRAY\[)?\(*'([^']+)'").expect("a pattern"));
    static WORD_BEFORE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"'([^']+)'(?:::\w+)?\)* = \(*$").expect("a pattern"));
    static USER_BEHIND: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^\)*(?:::\w+)?\)* = \(*(?: ?SELECT )?\(*auth\.uid\(\)").expect("a pattern"));
    static USER_BEFORE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"auth\.uid\(\)(?: AS \w+)?\)*(?:::\w+)?\)* = \(*$").expect("a pattern"));
    let mut layout = BTreeMap::new();
    for found in PLACE.captures_iter(text) {
        let Some(whole) = found.get(0) else { continue };
        let place = (1..=4).find_map(|group| found.get(group)?.as_str().parse::<usize>().ok());
        let (before, behind) = (&text[..whole.start()], &text[whole.end()..]);
        let word = WORD_BEHIND.captures(behind).or_else(|| WORD_BEFORE.captures(before));
        let part = match word {
            Some(word) => Part::Word(word[1].to_owned()),
            None if USER_BEHIND.is_match(behind) || USER_BEFORE.is_match(before) => Part::User,
            None => Part::Id,
        };
        let Some(place @ 1..) = place else { continue };
        // What is asked for twice is what it is asked to be.
        if part != Part::Id || !layout.contains_key(&place) {
            layout.insert(place, part);
        }
    }
    layout
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_says_how_names_are_made() {
        let office = "((bucket_id = 'files'::text) AND (split_part(name, '/'::text, 2) = 'office'::text) AND private.has_role(private.path_uuid(name, 1)))";
        assert_eq!(layout(office), BTreeMap::from([(1, Part::Id), (2, Part::Word("office".to_owned()))]));
        let own = "((( SELECT auth.uid() AS uid))::text = (storage.foldername(name))[2]) AND ((storage.foldername(name))[1] = 'avatars'::text)";
        assert_eq!(layout(own), BTreeMap::from([(1, Part::Word("avatars".to_owned())), (2, Part::User)]));
        let first = "((storage.foldername(objects.name))[1] = (auth.uid())::text)";
        assert_eq!(layout(first), BTreeMap::from([(1, Part::User)]));
        assert_eq!(layout("(bucket_id = 'files'::text)"), BTreeMap::new());
    }
}
