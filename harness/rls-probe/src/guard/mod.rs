//! What may close a function that runs as its owner: that it runs as its caller, or that it asks first what the policies
//! ask of the rows that its arguments name.

mod helpers;

use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde::Deserialize;

use crate::{
    catalog::{Argument, Catalog, Function, Relation},
    desk::Desk,
    error::Error,
    fix::usual,
    names,
    sql::ident,
    world::World,
};

pub use self::helpers::{helpers, trusting};

/// The commands whose policies are asked, those that let most people through first.
const COMMANDS: [&str; 4] = ["select", "update", "insert", "delete"];

/// What stands before a function's code where PostgreSQL writes it.
const BODY: &str = "AS $function$";

/// Expressions in which calls have their schemas: a function may look for names nowhere.
fn qualified(catalog: &Catalog, texts: Vec<String>) -> Vec<String> {
    static CALL: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[\w.]+\(").expect("a pattern"));
    let with_schema = |call: &Captures<'_>| {
        let name = call[0].trim_end_matches('(');
        let function = catalog.functions.iter().find(|function| function.name == name);
        function.map_or_else(|| call[0].to_owned(), |function| format!("{}.{}(", ident(&function.schema), ident(name)))
    };
    texts.into_iter().map(|text| CALL.replace_all(&text, with_schema).into_owned()).collect()
}

/// A policy as its table's owner reads it: every name in it has its schema.
#[derive(Deserialize)]
struct Asked {
    oid: i64,
    command: String,
    permissive: bool,
    text: String,
}

/// SQL that may close the functions of a name, the least strict first.
///
/// # Errors
/// When the connection is lost.
pub async fn guards(desk: &mut Desk, world: &World<'_>, title: &str) -> Result<Vec<String>, Error> {
    let functions = world.catalog.functions.iter().filter(|function| function.title() == title && function.definer);
    let functions: Vec<_> = functions.collect();
    // Of several of one name, each would have to be closed by what fits it.
    let [function] = functions.as_slice() else { return Ok(Vec::new()) };
    let mut guards = vec![format!("alter function {} security invoker;", function.signature)];
    let named: Vec<_> = function
        .arguments
        .iter()
        .enumerate()
        .filter_map(|(index, argument)| Some((index + 1, named(world, argument)?)))
        .collect();
    let definition = definition(desk, function).await?;
    guards.extend(definition.as_ref().and_then(|text| kept_whose(world, text)));
    let mut later = Vec::new();
    if named.is_empty() {
        return Ok(guards);
    }
    let oids: Vec<_> = named.iter().map(|(_, (relation, _))| relation.oid.to_string()).collect();
    let policies = policies(desk, &oids.join(",")).await?;
    // What other policies ask of such rows, where their own are for nobody who calls it.
    let usual: Vec<_> = named
        .iter()
        .map(|(index, (relation, column))| {
            (*index, *relation, column, qualified(world.catalog, usual(world.catalog, relation)))
        })
        .collect();
    for at in 0..usual.iter().map(|(.., asked)| asked.len()).max().unwrap_or_default() {
        let conditions = usual.iter().filter_map(|(index, relation, column, asked)| {
            let (table, column) = (relation.sql(), ident(column));
            let asked = asked.get(at).or(asked.last())?;
            let is_list = function.arguments[index - 1].category == "A";
            (!is_list).then(|| format!("exists (select from {table} where {table}.{column} = ${index} and {asked})"))
        });
        let conditions: Vec<_> = conditions.collect();
        let guarded = definition.as_ref().and_then(|text| guarded(function, text, &conditions));
        later.extend(guarded.filter(|_| !conditions.is_empty()));
    }
    for command in COMMANDS {
        let conditions = named.iter().filter_map(|(index, (relation, column))| {
            let texts = |permissive: bool| {
                let asked = policies.iter().filter(move |asked| {
                    asked.oid == relation.oid && asked.command == command && asked.permissive == permissive
                });
                asked.map(|asked| format!("({})", asked.text)).collect::<Vec<_>>()
            };
            let (any, each) = (texts(true), texts(false));
            let (table, column) = (relation.sql(), ident(column));
            let asked: Vec<_> = [format!("({})", any.join(" or "))].into_iter().chain(each).collect();
            let asked = asked.join(" and ");
            let of = |value: &str| format!("exists (select from {table} where {table}.{column} = {value} and {asked})");
            (!any.is_empty()).then(|| match function.arguments[index - 1].category.as_str() {
                "A" => format!("not exists (select from unnest(${index}) rls_item where not {})", of("rls_item")),
                _ => of(&format!("${index}")),
            })
        });
        let conditions: Vec<_> = conditions.collect();
        let guarded = definition.as_ref().and_then(|text| guarded(function, text, &conditions));
        guards.extend(guarded.filter(|guarded| !conditions.is_empty() && !guards.contains(guarded)));
    }
    guards.extend(later);
    Ok(guards)
}

/// The table and its column that an argument names a row by: as the code says, or as both are called.
fn named<'c>(world: &World<'c>, argument: &Argument) -> Option<(&'c Relation, String)> {
    if !argument.labels.is_empty() || argument.kind.starts_with("json") {
        return None;
    }
    if let Some((oid, column)) = &argument.asked {
        let relation = world.catalog.relation(*oid).filter(|relation| relation.rls)?;
        // What is written into a row, or looked for in it, does not name it.
        let names_a_row =
            relation.keys.iter().any(|key| key.columns.contains(column)) || relation.reference_of(column).is_some();
        return names_a_row.then(|| (relation, column.clone()));
    }
    let bare = names::bare(&argument.name);
    let name = if argument.category == "A" { names::singular(&bare) } else { bare };
    let of_tenant = world.tenancy.tenant.as_ref().filter(|tenant| tenant.column == name);
    if let (Some(tenant), Some(table)) = (of_tenant, world.tenant_table()) {
        return table.rls.then(|| (table, tenant.key.clone()));
    }
    let stem = name.strip_suffix("_id")?;
    let mut tables = world.catalog.relations.iter().filter(|relation| relation.is_table() && relation.rls);
    let table = tables.find(|relation| names::singular(&relation.name) == stem)?;
    let key = table.primary().filter(|key| key.columns.len() == 1)?;
    Some((table, key.columns[0].clone()))
}

/// What signed-in users are asked by the policies of these tables.
async fn policies(desk: &mut Desk, oids: &str) -> Result<Vec<Asked>, Error> {
    let path = desk.run("select current_setting('search_path')").await?.value().unwrap_or_default().to_owned();
    let sql = format!(
        "select set_config('search_path', '', true);
        select coalesce(json_agg(json_build_object('oid', p.oid, 'command', p.command, 'permissive', p.permissive, 'text', p.text) order by p.name), '[]')::text
        from (
          select polrelid::bigint oid, polname name, c.command, polpermissive permissive,
            pg_get_expr(case when c.command = 'insert' then coalesce(polwithcheck, polqual) else polqual end, polrelid) as text
          from pg_policy
          join (values ('r', 'select'), ('w', 'update'), ('a', 'insert'), ('d', 'delete')) c (letter, command)
            on polcmd = '*' or polcmd::text = c.letter
          where polrelid = any ('{{{oids}}}'::oid[])
            and polroles && array(select 0::oid union select oid from pg_roles where rolname = 'authenticated')
        ) p where p.text is not null"
    );
    let found = desk.keep(&sql).await?.unwrap_or_default();
    desk.run(&format!("select {}", crate::sql::setting("search_path", &path))).await?;
    Ok(found.value().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default())
}

/// A function as a statement that makes it.
async fn definition(desk: &mut Desk, function: &Function) -> Result<Option<String>, Error> {
    let sql = format!(
        "select pg_get_functiondef(p.oid) from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) = {}",
        crate::sql::literal(&function.signature)
    );
    Ok(desk.keep(&sql).await?.unwrap_or_default().value().map(str::to_owned))
}

/// A function that changes a row that is there already only where it is of whom the new one is.
fn kept_whose(world: &World<'_>, definition: &str) -> Option<String> {
    static INTO: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"\binto\s+(?:"?(\w+)"?\.)?"?(\w+)"?(?:\s+as\s+(\w+))?\s*\("#).expect("a pattern")
    });
    static END: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\s*(?:\breturning\b|;|\$function\$)").expect("a pattern"));
    const SET: &str = "do update set";
    let text = definition.to_ascii_lowercase();
    let at = text.find(SET)?;
    let end = at + END.find(&text[at..])?.start();
    let into = INTO.captures_iter(&text[..at]).last()?;
    let schema = into.get(1).map_or("public", |schema| schema.as_str());
    let relation = world.catalog.named(&format!("{schema}.{}", &into[2]))?;
    let column = ident(world.whose_columns(relation).first()?);
    let of = into.get(3).map_or(&into[2], |alias| alias.as_str());
    let is_asked = text[at..end].split_whitespace().any(|word| word == "where");
    (!is_asked).then(|| {
        let (before, after) = definition.split_at(end);
        format!("{before}\n  where {}.{column} = excluded.{column}{};", ident(of), after.trim_end())
    })
}

/// Whether code changes rows, and answers with what it says of them.
fn is_changing(code: &str) -> bool {
    let word = code.split_whitespace().next().unwrap_or_default().to_lowercase();
    matches!(word.as_str(), "insert" | "update" | "delete")
}

/// The function with conditions asked before its own code, which stays as it is.
fn guarded(function: &Function, definition: &str, conditions: &[String]) -> Option<String> {
    let (head, body) = definition.split_once(BODY)?;
    let body = body.trim_end().strip_suffix("$function$")?.trim();
    let code = body.trim_end_matches(';').trim();
    let returns = match function.returns.as_str() {
        _ if function.language == "plpgsql" => code.to_owned(),
        // Several statements, or one that answers with what it did.
        _ if function.language != "sql" || code.contains(';') => return None,
        "void" => match code.get(..6).is_some_and(|word| word.eq_ignore_ascii_case("select")) {
            true => format!("perform{}", &code[6..]),
            false => code.to_owned(),
        },
        _ if function.set => format!("return query {code}"),
        _ if is_changing(code) => format!("{code} into rls_answer;\nreturn rls_answer"),
        _ => format!("return ({code})"),
    };
    let declared = match returns.ends_with("return rls_answer") {
        true => format!("declare rls_answer {};\n", function.returns),
        false => String::new(),
    };
    if code.starts_with('#') {
        return None;
    }
    let head = head.replacen("LANGUAGE sql", "LANGUAGE plpgsql", 1);
    Some(format!(
        "{head}AS $function$
#variable_conflict use_column
{declared}begin
  if not ({}) then
    raise exception 'not allowed' using errcode = '42501';
  end if;
{returns};
end $function$;",
        conditions.join(" and ")
    ))
}
