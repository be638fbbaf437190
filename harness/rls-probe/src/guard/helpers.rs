//! Helpers of policies and triggers' functions, made to ask for what they leave out: a membership in office, the tenant or the
//! role that they are asked with, what the server says in the place of what users say of themselves.

use regex::Regex;

use crate::{
    catalog::{Argument, Function, Relation},
    desk::Desk,
    error::Error,
    sql::{code_of, ident, names_word},
    world::{World, dead_states},
};

use super::{BODY, definition};

/// Where a token has what users say of themselves, and where what only the server does.
const SAID_BY_USERS: &str = "user_metadata";
const SAID_BY_SERVER: &str = "app_metadata";

/// Helpers among those that these texts call, made to ask whether the caller is a member in office of what the arguments say,
/// in the role that they say: first those that do not ask for all that they are asked with.
///
/// # Errors
/// When the connection is lost.
pub async fn helpers(desk: &mut Desk, world: &World<'_>, texts: &[&str]) -> Result<Vec<String>, Error> {
    let (Some(members), Some(table)) = (&world.tenancy.members, world.members()) else { return Ok(Vec::new()) };
    let mut helpers = Vec::new();
    for function in &world.catalog.functions {
        let is_called = texts.iter().any(|text| text.contains(&format!("{}(", function.name)));
        if is_called && function.source.contains(SAID_BY_USERS) {
            let definition = definition(desk, function).await?;
            let trusted = definition.map(|text| format!("{};", text.trim_end().replace(SAID_BY_USERS, SAID_BY_SERVER)));
            helpers.extend(trusted.map(|sql| (false, sql)));
        }
        if is_called && is_of_tenants(table, &members.tenant, function) {
            let definition = definition(desk, function).await?;
            helpers.extend(definition.and_then(|text| in_office(world, &text)).map(|sql| (false, sql)));
        }
        let code = code_of(&function.source);
        let is_left_out = |argument: &Argument| !argument.name.is_empty() && !names_word(&code, &argument.name);
        let forgets = function.arguments.iter().any(is_left_out) && !code.contains('$');
        let is_about_members = forgets || names_word(&code, &table.name);
        if !is_called || !is_about_members || function.language != "sql" || function.returns != "boolean" {
            continue;
        }
        let asked = function.arguments.iter().enumerate().filter_map(|(index, argument)| {
            let of =
                |name: &String| table.column(name).filter(|column| column.base == argument.kind.trim_end_matches("[]"));
            let column = of(&members.tenant).or_else(|| of(members.role.as_ref()?))?;
            let value = format!("${}", index + 1);
            let value = if argument.category == "A" { format!("any ({value})") } else { value };
            Some(format!("{} = {value}", ident(&column.name)))
        });
        let asked: Vec<_> = asked.collect();
        let Some(definition) = definition(desk, function).await?.filter(|_| asked.len() == function.arguments.len())
        else {
            continue;
        };
        let (state, ended) = state_in_office(world, table);
        let of_caller = format!("{} = (select auth.uid())", ident(&members.user));
        let in_use = world.tenant_in_use(&format!("{}.{}", table.sql(), ident(&members.tenant)));
        let conditions: Vec<_> = [of_caller].into_iter().chain(asked).chain(state).chain(ended).chain(in_use).collect();
        let is_member = format!("exists (select from {} where {})", table.sql(), conditions.join(" and "));
        helpers.extend(asking(&definition, &is_member).map(|sql| (!forgets, sql)));
    }
    helpers.sort();
    Ok(helpers.into_iter().map(|(_, sql)| sql).collect())
}

/// What says of a membership that it is in use.
fn state_in_office(world: &World<'_>, table: &Relation) -> (Vec<String>, Vec<String>) {
    let state = world.state_of_members().into_iter().map(|(column, value)| format!("{} = {value}", ident(&column)));
    let ended = dead_states(table).into_iter().flatten();
    let ended = ended.filter(|(column, value)| value == "now()" && world.catalog.is_asked_for(table, column));
    (state.collect(), ended.map(|(column, _)| format!("{} is null", ident(&column))).collect())
}

/// Whether a function answers with the caller's tenants.
fn is_of_tenants(table: &Relation, tenant: &str, function: &Function) -> bool {
    let of_tenant = table.column(tenant).is_some_and(|column| column.base == function.returns);
    let reads = names_word(&code_of(&function.source), &table.name);
    of_tenant && reads && function.language == "sql" && function.arguments.is_empty()
}

/// A function that answers with the caller's tenants, made to leave out those in which they are in office no more.
fn in_office(world: &World<'_>, definition: &str) -> Option<String> {
    let (members, table) = (world.tenancy.members.as_ref()?, world.members()?);
    let (head, body) = definition.split_once(BODY)?;
    let query = body.trim_end().strip_suffix("$function$")?.trim().trim_end_matches(';');
    let of = |column: &str| format!("rls_of.{} = ", ident(column));
    let (state, ended) = state_in_office(world, table);
    let in_use = world.tenant_in_use("rls_tenant");
    let conditions: Vec<_> = state.into_iter().chain(ended).chain(in_use).collect();
    (!query.contains(';') && !conditions.is_empty()).then(|| {
        format!(
            "{head}{BODY}\n  select rls_tenant from ({query}) as rls_asked (rls_tenant)\n  where exists (select from {} as rls_of where {}(select auth.uid()) and {}rls_tenant and {})\n$function$;",
            table.sql(),
            of(&members.user),
            of(&members.tenant),
            conditions.join(" and ")
        )
    })
}

/// A function of one query that asks for a condition as well.
fn asking(definition: &str, condition: &str) -> Option<String> {
    let (head, body) = definition.split_once(BODY)?;
    let query = body.trim_end().strip_suffix("$function$")?.trim().trim_end_matches(';');
    (!query.contains(';')).then(|| format!("{head}{BODY}\n  select ({query}) and {condition}\n$function$;"))
}

/// A trigger's function that takes from what only the server says of users what it took from what they say of themselves.
///
/// # Errors
/// When the connection is lost.
pub async fn trusting(desk: &mut Desk, world: &World<'_>, title: &str) -> Result<Option<String>, Error> {
    let mut functions = world.catalog.functions.iter().filter(|function| function.title() == title);
    let Some(function) = functions.next() else { return Ok(None) };
    let Some(definition) = definition(desk, function).await? else { return Ok(None) };
    let claims = world.every_claim();
    let names: Vec<_> = claims.as_object().into_iter().flatten().map(|(name, _)| regex::escape(name)).collect();
    let said = Regex::new(&format!(r"raw_user_meta_data(\s*(?:->>?|\?)\s*'(?:{})')", names.join("|"))).ok();
    let trusted = said.map(|said| said.replace_all(&definition, "raw_app_meta_data$1").into_owned());
    Ok(trusted.filter(|trusted| *trusted != definition).map(|trusted| format!("{};", trusted.trim_end())))
}
