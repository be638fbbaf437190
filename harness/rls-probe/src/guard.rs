//! What may close a function that runs as its owner: that it runs as its caller, or that it asks first what the policies
//! ask of the rows that its arguments name.

use serde::Deserialize;

use crate::{
    catalog::{Argument, Function, Relation},
    desk::Desk,
    error::Error,
    names,
    sql::ident,
    world::World,
};

/// The commands whose policies are asked, those that let most people through first.
const COMMANDS: [&str; 4] = ["select", "update", "insert", "delete"];

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
    if named.is_empty() {
        return Ok(guards);
    }
    let oids: Vec<_> = named.iter().map(|(_, (relation, _))| relation.oid.to_string()).collect();
    let policies = policies(desk, &oids.join(",")).await?;
    let definition = definition(desk, function).await?;
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
            let of_row = format!("{table}.{column} = ${index} and {}", asked.join(" and "));
            (!any.is_empty()).then(|| format!("exists (select from {table} where {of_row})"))
        });
        let conditions: Vec<_> = conditions.collect();
        let guarded = definition.as_ref().and_then(|text| guarded(function, text, &conditions));
        guards.extend(guarded.filter(|guarded| !conditions.is_empty() && !guards.contains(guarded)));
    }
    Ok(guards)
}

/// The table and its column that an argument names a row by: as the code says, or as both are called.
fn named<'c>(world: &World<'c>, argument: &Argument) -> Option<(&'c Relation, String)> {
    if argument.category == "A" || !argument.labels.is_empty() || argument.kind.starts_with("json") {
        return None;
    }
    if let Some((oid, column)) = &argument.asked {
        let relation = world.catalog.relation(*oid).filter(|relation| relation.rls)?;
        // What is written into a row, or looked for in it, does not name it.
        let names_a_row =
            relation.keys.iter().any(|key| key.columns.contains(column)) || relation.reference_of(column).is_some();
        return names_a_row.then(|| (relation, column.clone()));
    }
    let name = names::bare(&argument.name);
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

/// The function with conditions asked before its own code, which stays as it is.
fn guarded(function: &Function, definition: &str, conditions: &[String]) -> Option<String> {
    const BEGIN: &str = "AS $function$";
    let at = definition.find(BEGIN)?;
    let (head, body) = definition.split_at(at);
    let body = body.strip_prefix(BEGIN)?.trim_end().strip_suffix("$function$")?.trim();
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
        _ => format!("return ({code})"),
    };
    if code.starts_with('#') {
        return None;
    }
    let head = head.replacen("LANGUAGE sql", "LANGUAGE plpgsql", 1);
    Some(format!(
        "{head}AS $function$
#variable_conflict use_column
begin
  if not ({}) then
    raise exception 'not allowed' using errcode = '42501';
  end if;
{returns};
end $function$;",
        conditions.join(" and ")
    ))
}
