//! Schemas as people write them, one kind in each file of `cases`, with the right answer in its head:
//!
//! - `base: NAMES`: what it stands on, files of `schemas`
//! - `right: OBJECT: VERBS by ACTORS`: a finding that there must be; there must be no others
//! - `clean`: no finding at all; `low`: none above LOW
//! - `own: OBJECT: VERBS by ACTORS`: allowed, and no finding; `refused: …`: it is; `not refused: …`: whatever it is, no refusal
//! - `undecided: NAME`: what stays undecided; nothing else may
//! - `members: TABLE`, `owner: COLUMNS`: what is inferred
//! - `fixed: OBJECT`: a fix was tried, and mends it; `advised: OBJECT`: none does
//! - `says: TEXT`, `lint: NAME OBJECT`, `no lint: NAME`

use std::{collections::BTreeSet, fs, path::Path};

use rls_probe::{Cell, Harm, Report, Tenancy};
use rstest::rstest;
use serde::Deserialize;

use crate::schema::Schema;

#[derive(Default, Deserialize)]
struct Document {
    tenancy: Tenancy,
}

/// `table public.t: read update by one two`, or `… by one, two three`.
struct Line<'t> {
    object: &'t str,
    verbs: Vec<&'t str>,
    actors: Vec<&'t str>,
}

impl<'t> Line<'t> {
    fn of(text: &'t str) -> Self {
        let (object, rest) = text.split_once(": ").unwrap();
        let (verbs, actors) = rest.split_once(" by ").unwrap();
        let actors = match actors.contains(',') {
            true => actors.split(',').map(str::trim).filter(|actor| !actor.is_empty()).collect(),
            false => actors.split_whitespace().collect(),
        };
        Self { object, verbs: verbs.split_whitespace().collect(), actors }
    }

    /// Whether the report has a finding for each verb and actor.
    fn is_found(&self, report: &Report) -> bool {
        let effects = report.findings.iter().filter(|finding| finding.object.to_string() == self.object);
        let effects: Vec<_> = effects.flat_map(|finding| &finding.effects).collect();
        self.verbs.iter().all(|verb| {
            self.actors.iter().all(|actor| {
                effects.iter().any(|effect| effect.verb.name() == *verb && effect.actors.iter().any(|a| a == actor))
            })
        })
    }

    /// Whether each cell is as it should be.
    fn are_cells(&self, report: &Report, is_right: impl Fn(&Cell) -> bool) -> bool {
        let cells = report.cells.iter().find(|(object, _)| object.to_string() == self.object).unwrap().1;
        self.actors.iter().all(|actor| {
            let of = &cells[*actor];
            self.verbs.iter().all(|verb| of.iter().any(|(known, cell)| known.name() == *verb && is_right(cell)))
        })
    }
}

#[rstest]
#[case::accounts_that_are_no_tenants("accounts_that_are_no_tenants")]
#[case::added_by("added_by")]
#[case::answer_to_a_review("answer_to_a_review")]
#[case::argument_that_names_a_column("argument_that_names_a_column")]
#[case::changed_where_it_is_there("changed_where_it_is_there")]
#[case::check_of_two_columns("check_of_two_columns")]
#[case::claims_in_a_list("claims_in_a_list")]
#[case::codes_shown("codes_shown")]
#[case::colleagues_changed_by_those_below("colleagues_changed_by_those_below")]
#[case::compared_with_itself("compared_with_itself")]
#[case::credit_given_and_taken("credit_given_and_taken")]
#[case::credit_of_ones_own("credit_of_ones_own")]
#[case::current_tenant_in_the_profile("current_tenant_in_the_profile")]
#[case::dealings_of_a_market("dealings_of_a_market")]
#[case::declared_columns("declared_columns")]
#[case::declared_public("declared_public")]
#[case::declared_to_accounts("declared_to_accounts")]
#[case::declared_with_addresses("declared_with_addresses")]
#[case::deferred_triggers_of_made_rows("deferred_triggers_of_made_rows")]
#[case::each_of_a_list("each_of_a_list")]
#[case::effects_behind_the_first("effects_behind_the_first")]
#[case::every_role_as_argument("every_role_as_argument")]
#[case::everybodys_tables_with_secrets("everybodys_tables_with_secrets")]
#[case::existence_by_a_random_key("existence_by_a_random_key")]
#[case::existence_by_two_refusals("existence_by_two_refusals")]
#[case::file_named_by_an_id("file_named_by_an_id")]
#[case::files_listed("files_listed")]
#[case::files_moved_to_another_folder("files_moved_to_another_folder")]
#[case::files_of_the_second_bucket("files_of_the_second_bucket")]
#[case::files_of_their_owner("files_of_their_owner")]
#[case::fix_that_is_none("fix_that_is_none")]
#[case::fix_that_leaves_the_names("fix_that_leaves_the_names")]
#[case::fix_that_takes_the_least("fix_that_takes_the_least")]
#[case::fixes_that_break_the_policy("fixes_that_break_the_policy")]
#[case::flag_about_a_secret("flag_about_a_secret")]
#[case::flag_beside_own_id("flag_beside_own_id")]
#[case::flag_fixed_by_columns("flag_fixed_by_columns")]
#[case::former_tenant("former_tenant")]
#[case::found_by_phone("found_by_phone")]
#[case::functions_of_the_backend("functions_of_the_backend")]
#[case::graded_by_anybody("graded_by_anybody")]
#[case::guests_by_themselves("guests_by_themselves")]
#[case::harmless_answer("harmless_answer")]
#[case::helper_of_former_staff("helper_of_former_staff")]
#[case::helper_that_forgets("helper_that_forgets")]
#[case::highest_role_first("highest_role_first")]
#[case::houses("houses")]
#[case::houses_with_holes("houses_with_holes")]
#[case::id_of_a_profile("id_of_a_profile")]
#[case::inserts_into_tenants_and_members("inserts_into_tenants_and_members")]
#[case::invitations_shown_to_everybody("invitations_shown_to_everybody")]
#[case::invited_below_the_platform("invited_below_the_platform")]
#[case::invited_by_a_policy_of_their_own("invited_by_a_policy_of_their_own")]
#[case::invited_by_address("invited_by_address")]
#[case::invited_by_pattern("invited_by_pattern")]
#[case::invited_to_what_no_row_has("invited_to_what_no_row_has")]
#[case::joined_by_code("joined_by_code")]
#[case::joining_a_conversation("joining_a_conversation")]
#[case::kennels("kennels")]
#[case::kennels_with_holes("kennels_with_holes")]
#[case::links_of_people_who_left("links_of_people_who_left")]
#[case::made_rows_that_break_a_deferred_constraint("made_rows_that_break_a_deferred_constraint")]
#[case::matrix_of_owners("matrix_of_owners")]
#[case::members_added_by_anybody("members_added_by_anybody")]
#[case::members_through_profiles("members_through_profiles")]
#[case::members_who_accepted("members_who_accepted")]
#[case::members_without_a_key("members_without_a_key")]
#[case::mirror_of_users("mirror_of_users")]
#[case::moved_with_its_parent("moved_with_its_parent")]
#[case::names_in_camel_case("names_in_camel_case")]
#[case::names_of_those_who_talk("names_of_those_who_talk")]
#[case::negated_class("negated_class")]
#[case::newcomers_who_move_in("newcomers_who_move_in")]
#[case::notes_of_authors("notes_of_authors")]
#[case::nothing_granted("nothing_granted")]
#[case::nothing_says_whose("nothing_says_whose")]
#[case::own_auth_table("own_auth_table")]
#[case::own_id_without_reference("own_id_without_reference")]
#[case::own_row_with_a_role("own_row_with_a_role")]
#[case::own_rows_beside_tenants("own_rows_beside_tenants")]
#[case::own_tenant_id("own_tenant_id")]
#[case::partition_by_its_own_name("partition_by_its_own_name")]
#[case::people_of_a_closed_tenant("people_of_a_closed_tenant")]
#[case::people_who_take_part("people_who_take_part")]
#[case::permissions_of_roles("permissions_of_roles")]
#[case::personal_tenant_at_sign_up("personal_tenant_at_sign_up")]
#[case::policies_for_adding("policies_for_adding")]
#[case::policies_that_recurse("policies_that_recurse")]
#[case::policy_of_the_backend("policy_of_the_backend")]
#[case::policy_that_asks_its_table("policy_that_asks_its_table")]
#[case::policy_that_fails("policy_that_fails")]
#[case::policy_that_recurses("policy_that_recurses")]
#[case::profile_with_a_tenant("profile_with_a_tenant")]
#[case::recipient_rewrites("recipient_rewrites")]
#[case::records_of_people("records_of_people")]
#[case::references_granted("references_granted")]
#[case::restricted_declaration("restricted_declaration")]
#[case::role_beside_the_one_of_a_sign_up("role_beside_the_one_of_a_sign_up")]
#[case::role_by_sign_up("role_by_sign_up")]
#[case::role_in_an_owner_tenancy("role_in_an_owner_tenancy")]
#[case::role_that_no_name_ranks("role_that_no_name_ranks")]
#[case::role_that_sees_everybody("role_that_sees_everybody")]
#[case::role_without_a_tenant("role_without_a_tenant")]
#[case::roles_beside_memberships("roles_beside_memberships")]
#[case::roles_given_by_a_function("roles_given_by_a_function")]
#[case::roles_in_a_table("roles_in_a_table")]
#[case::roles_in_the_token("roles_in_the_token")]
#[case::roles_of_the_whole_project("roles_of_the_whole_project")]
#[case::roles_that_policies_do_not_name("roles_that_policies_do_not_name")]
#[case::rows_in_states("rows_in_states")]
#[case::rows_of_a_member("rows_of_a_member")]
#[case::rows_that_give_privileges("rows_that_give_privileges")]
#[case::schema_that_users_create_in("schema_that_users_create_in")]
#[case::schemas_of_the_api("schemas_of_the_api")]
#[case::secret_answered("secret_answered")]
#[case::secret_of_ones_own("secret_of_ones_own")]
#[case::secret_of_those_who_manage_it("secret_of_those_who_manage_it")]
#[case::secret_that_a_function_returns("secret_that_a_function_returns")]
#[case::several_references_to_users("several_references_to_users")]
#[case::shown_while_it_is_active("shown_while_it_is_active")]
#[case::sides_of_a_market("sides_of_a_market")]
#[case::soft_refusal("soft_refusal")]
#[case::state_that_nothing_asks("state_that_nothing_asks")]
#[case::statement_that_is_ended("statement_that_is_ended")]
#[case::stores_with_customers("stores_with_customers")]
#[case::subject_of_the_token("subject_of_the_token")]
#[case::superiors_removed("superiors_removed")]
#[case::taken_code("taken_code")]
#[case::target_without_a_tenant("target_without_a_tenant")]
#[case::templates_that_anybody_writes("templates_that_anybody_writes")]
#[case::templates_without_a_tenant("templates_without_a_tenant")]
#[case::tenant_columns_of_different_names("tenant_columns_of_different_names")]
#[case::tenant_in_the_token("tenant_in_the_token")]
#[case::tenant_with_a_founder("tenant_with_a_founder")]
#[case::tenants_made_by_a_function("tenants_made_by_a_function")]
#[case::tenants_of_nobody("tenants_of_nobody")]
#[case::tenants_open("tenants_open")]
#[case::tight("tight")]
#[case::told_by_what_is_added("told_by_what_is_added")]
#[case::trigger_granted("trigger_granted")]
#[case::trigger_that_crashes("trigger_that_crashes")]
#[case::trigger_that_refuses_every_row("trigger_that_refuses_every_row")]
#[case::trigger_that_says_nothing("trigger_that_says_nothing")]
#[case::trigger_that_uses_the_caller("trigger_that_uses_the_caller")]
#[case::truncate_by_default("truncate_by_default")]
#[case::two_who_are_not_the_same("two_who_are_not_the_same")]
#[case::view_of_dated_rows("view_of_dated_rows")]
#[case::what_is_not_published("what_is_not_published")]
#[tokio::test]
async fn it_is_right_about(#[case] name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let read = |path: &str| fs::read_to_string(folder.join(path)).unwrap();
    let sql = read(&format!("cases/{name}.sql"));
    let head: Vec<_> = sql.lines().map_while(|line| line.strip_prefix("-- ")).collect();
    let all = |key: &str| -> Vec<&str> {
        head.iter().filter_map(|line| line.strip_prefix(key)?.strip_prefix(": ")).collect()
    };
    let one = |key: &str| all(key).first().copied();
    let has = |key: &str| head.contains(&key);
    let bases = one("base").into_iter().flat_map(str::split_whitespace);
    let base: String = bases.map(|base| read(&format!("schemas/{base}.sql"))).collect();
    let given = sql.split_once("/*tenancy").and_then(|(_, rest)| rest.split_once("*/")).map(|(given, _)| given);
    let mut tenancy = given.map(|given| toml::from_str::<Document>(given).unwrap()).unwrap_or_default().tenancy;
    if one("base") == Some("clubs") {
        tenancy.roles.readers = vec!["reader".to_owned()];
        tenancy.roles.platform = vec!["root".to_owned()];
    }
    let schema = Schema::of(&base).await;
    let report = schema.probe(&tenancy, Some(&sql)).await;

    let text = format!("{report}\n{}", report.matrix());
    let right: Vec<_> = all("right").into_iter().map(Line::of).collect();
    for line in &right {
        assert!(line.is_found(&report), "not found: {} {:?} by {:?}\n{text}", line.object, line.verbs, line.actors);
    }
    let is_right = |object: &str| right.iter().any(|line| line.object == object);
    for finding in &report.findings {
        let is_allowed = is_right(&finding.object.to_string()) || has("low") && finding.harm == Harm::Low;
        assert!(is_allowed, "not true: {finding}\n{text}");
    }
    let undecided: BTreeSet<_> = report.undecided.iter().map(|open| open.object.name.as_str()).collect();
    assert_eq!(undecided, all("undecided").into_iter().collect(), "{text}");
    for line in all("own").into_iter().map(Line::of) {
        assert!(line.are_cells(&report, |cell| *cell == Cell::Own), "{} is not their own\n{text}", line.object);
    }
    for line in all("refused").into_iter().map(Line::of) {
        assert!(line.are_cells(&report, |cell| *cell == Cell::Refused), "{} is not refused\n{text}", line.object);
    }
    for line in all("not refused").into_iter().map(Line::of) {
        assert!(line.are_cells(&report, |cell| *cell != Cell::Refused), "{} is refused\n{text}", line.object);
    }
    if let Some(table) = one("members") {
        assert_eq!(report.tenancy.members.as_ref().map(|members| members.table.as_str()), Some(table), "{text}");
    }
    if let Some(columns) = one("owner") {
        let inferred = report.tenancy.owner.as_ref().map(|owner| owner.columns.join(" "));
        assert_eq!(inferred.as_deref(), Some(columns), "{text}");
    }
    for object in all("fixed") {
        let mut of = report.findings.iter().filter(|finding| finding.object.to_string() == object);
        assert!(of.all(|finding| finding.fix.is_tried), "{object} is not mended\n{text}");
    }
    for object in all("advised") {
        let mut of = report.findings.iter().filter(|finding| finding.object.to_string() == object);
        assert!(of.all(|finding| !finding.fix.is_tried), "{object} is said to be mended\n{text}");
    }
    for says in all("says") {
        assert!(text.contains(says), "does not say: {says}\n{text}");
    }
    for lint in all("lint") {
        let (name, object) = lint.split_once(' ').unwrap();
        assert!(report.lints.iter().any(|known| known.name == name && known.object == object), "{:?}", report.lints);
    }
    for lint in all("no lint") {
        assert!(report.lints.iter().all(|known| known.name != lint), "{:?}", report.lints);
    }
}
