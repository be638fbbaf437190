//! What people handle a list with: pages, fields in which rows are chosen, rows that open.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use serde::Deserialize;

use super::{Answer, List, Opened, is_time, uuid};
use crate::contract::draft::{quoted, quoted_key};

/// What people handle the lists of a view with.
#[derive(Debug, Clone, Default, Deserialize)]
pub(in crate::contract) struct Handles {
    pages: Option<Turners>,
    pub choosers: Vec<Chooser>,
    /// Those of the lists whose rows can be clicked.
    pub opens: Vec<String>,
}

/// The names of buttons that lead through pages.
#[derive(Debug, Clone, Deserialize)]
struct Turners {
    next: String,
    previous: String,
}

/// A field in which rows are chosen.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::contract) struct Chooser {
    /// CSS selector.
    pub field: String,
    /// The option that was chosen at first.
    pub first: String,
    pub options: Vec<Choosable>,
}

#[derive(Debug, Clone, Deserialize)]
pub(in crate::contract) struct Choosable {
    pub text: String,
    value: String,
    /// What the portal was given once it was chosen.
    #[serde(skip)]
    pub answers: Vec<Answer>,
}

impl Chooser {
    /// The filters of each option, as the portal asked for a list's rows by them or, where it asked for nothing, as the
    /// list's rows have the options' values in one of their columns.
    fn options(&self, list: &Answer) -> Option<Vec<(&str, BTreeMap<String, String>)>> {
        let asked = |option: &Choosable| {
            let answer = option.answers.iter().rev().find(|answer| answer.table == list.table)?;
            let new = answer.query.iter().filter(|pair| !list.query.contains(pair));
            let new: Vec<_> = new.filter(|(name, _)| !["select", "limit", "offset"].contains(&name.as_str())).collect();
            let is_general =
                |value: &str| !value.split(['.', ',', '(', ')', '"']).any(|part| is_time(part) || uuid(part));
            new.iter().all(|(_, value)| is_general(value)).then(|| new.into_iter().cloned().collect::<BTreeMap<_, _>>())
        };
        let others = || self.options.iter().filter(|option| option.text != self.first);
        let filters: Vec<_> = match others().all(|option| option.answers.is_empty()) {
            false => others().filter_map(|option| Some((option.text.as_str(), asked(option)?))).collect(),
            true => {
                let column = self.column(list)?;
                let filter = |option: &Choosable| BTreeMap::from([(column.clone(), format!("eq.{}", option.value))]);
                others().map(|option| (option.text.as_str(), filter(option))).collect()
            }
        };
        let filters: Vec<_> = filters.into_iter().filter(|(_, filters)| !filters.is_empty()).collect();
        (!filters.is_empty()).then(|| filters.into_iter().chain([(self.first.as_str(), BTreeMap::new())]).collect())
    }

    /// The column all of whose values are options.
    fn column(&self, list: &Answer) -> Option<String> {
        let values: BTreeSet<_> = self.options.iter().map(|option| option.value.as_str()).collect();
        let names = list.rows.first()?.as_object()?.keys();
        let fits = |name: &&String| {
            list.rows.iter().all(|row| row[name.as_str()].as_str().is_some_and(|value| values.contains(value)))
        };
        names.into_iter().find(fits).cloned()
    }

    /// The same as a list of a contract has it.
    fn written(&self, list: &Answer) -> Option<String> {
        let options = self.options(list)?;
        let pair = |(name, value): (&String, &String)| format!("{} = {}", quoted_key(name), quoted(value));
        let written = options.into_iter().map(|(text, filters)| match filters.iter().map(pair).collect::<Vec<_>>() {
            none if none.is_empty() => format!("{} = {{}}", quoted_key(text)),
            filters => format!("{} = {{ {} }}", quoted_key(text), filters.join(", ")),
        });
        let written: Vec<_> = written.collect();
        Some(format!(
            "[[views.lists.choices]]\nfield = {}\noptions = {{ {} }}\n",
            quoted(&self.field),
            written.join(", ")
        ))
    }
}

impl List<'_> {
    /// What leads through its pages and chooses its rows, as a view of a contract has it below the list: what opens from its
    /// rows, of this kind, is beside it.
    pub fn handles(&self, handles: &Handles, opened: Option<(&str, &Opened)>) -> String {
        let mut text = String::new();
        if let (Some(Turners { next, previous }), Some(_)) = (&handles.pages, self.limit) {
            let _ = writeln!(text, "pages = {{ next = {}, previous = {} }}", quoted(next), quoted(previous));
        }
        if let Some((kind, opened)) = opened {
            let _ = writeln!(text, "details = {{ kind = {}, within = {} }}", quoted(kind), quoted(&opened.within));
        }
        text.extend(handles.choosers.iter().filter_map(|chooser| chooser.written(self.answer)));
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::contract::lists::{
        learn,
        tests::{answer, formats, now, orders, shown},
    };

    #[test]
    fn pages_and_choices_are_those_that_the_portal_asked_for() {
        let list = shown(&["No", "Total"], &[&["9", "1,200.50 €"], &["8", "40 €"], &["7", "7 €"]]);
        let answers = [orders()];
        let (mut formats, now) = learn(formats(), &[&list], &answers, &now());
        let list = list.explained(&answers, &mut formats, &now, "shop_id").unwrap();
        let asked = |filter: &str| {
            let query = format!("select=*,customers(first,last)&shop_id=eq.1&order=made_at.desc&limit=20&{filter}");
            vec![answer("orders", &query, json!([]))]
        };
        let chooser = |options: &[(&str, &str, Vec<Answer>)]| Chooser {
            field: "main select".to_owned(),
            first: "All".to_owned(),
            options: options
                .iter()
                .map(|(text, value, answers)| Choosable {
                    text: (*text).to_owned(),
                    value: (*value).to_owned(),
                    answers: answers.clone(),
                })
                .collect(),
        };
        let by_query = [
            ("All", "all", vec![]),
            ("Done", "x", asked("state=eq.DONE")),
            ("Mine", "y", asked("by=eq.11111111-1111-4111-8111-111111111111")),
        ];
        let by_rows = [("All", "", vec![]), ("At work", "IN_WORK", vec![]), ("Done", "DONE", vec![])];
        let handles = Handles {
            pages: Some(Turners { next: "Older".to_owned(), previous: "Newer".to_owned() }),
            choosers: vec![
                chooser(&by_query),
                chooser(&by_rows),
                chooser(&[("All", "", vec![]), ("Odd", "odd", vec![])]),
            ],
            opens: Vec::new(),
        };
        insta::assert_snapshot!(list.handles(&handles, None).trim(), @r#"
        pages = { next = "Older", previous = "Newer" }
        [[views.lists.choices]]
        field = "main select"
        options = { Done = { state = "eq.DONE" }, All = {} }
        [[views.lists.choices]]
        field = "main select"
        options = { "At work" = { state = "eq.IN_WORK" }, Done = { state = "eq.DONE" }, All = {} }
        "#);
    }
}
