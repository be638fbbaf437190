//! What a target has to be given, and for which steps: all of it at once, before anything is asked.

use super::{Error, promised, settings::Settings};
use crate::{
    contract::RowsOf,
    runbook::{Runbook, Step},
    section::Section,
    target::Target,
};

/// Variables that are missing, and the steps that are "not run" without them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Names of which each is needed.
    pub variables: Vec<String>,
    /// The steps by their ids; empty where nothing can be verified at all.
    pub steps: Vec<&'static str>,
}

/// Variables for steps that a section of the contract may leave out.
struct Need {
    variables: &'static [&'static str],
    section: Option<Section>,
    steps: &'static str,
}

/// Of all portals. A test of `release-check` holds it against what checks say that were given nothing.
const NEEDS: [Need; 12] = [
    Need { variables: &["E2E_BASE_URL"], section: None, steps: "" },
    Need {
        variables: &["VITE_SUPABASE_URL", "VITE_SUPABASE_ANON_KEY"],
        section: None,
        steps: "pre.2.4 pre.2.5 pre.4.1 pre.4.2 2.1.1 2.1.2 2.1.3 2.1.4 2.1.5 3.3.2 4.1.2 4.1.3 4.1.4 4.1.5 4.1.6 4.1.7 4.1.8 4.2.1 \
                4.2.2 4.2.3 4.2.4 4.3.1 4.3.2 4.3.3 4.3.4 4.4.1 4.4.2 post.1.3 post.2.4 post.3.5 sec.1.1 sec.1.2 sec.1.3 sec.2.1",
    },
    Need {
        variables: &["SUPABASE_SERVICE_ROLE_KEY"],
        section: None,
        steps: "3.3.2 4.1.4 4.1.5 4.1.6 4.1.7 4.1.8 4.2.1 4.3.1 4.3.2 4.3.3 4.3.4 4.4.1 4.4.2 post.2.4 post.3.5 sec.1.1 \
                sec.1.2 sec.1.3 sec.2.1",
    },
    Need {
        variables: &["INGEST_API_KEY"],
        section: Some(Section::Sms),
        steps: "2.3 4.4.1 4.4.2 4.4.3 4.4.4 4.4.5 4.4.6 post.3.4 sec.2.1",
    },
    Need {
        variables: &["E2E_INSTITUTION_A_ID"],
        section: Some(Section::Data),
        steps: "3.3.2 4.1.2 4.1.3 4.1.4 4.1.5 4.1.6 4.1.7 4.1.8 4.3.1 4.3.2 4.3.3 4.3.4 sec.1.1 sec.1.2 sec.1.3",
    },
    Need { variables: &["E2E_INSTITUTION_B_ID"], section: Some(Section::Data), steps: "4.3.1 4.3.2" },
    Need { variables: &["SUPABASE_DB_URL"], section: None, steps: "pre.2.4 sec.1.4 rollback.3.B rollback.3.C" },
    Need {
        variables: &["SUPABASE_ACCESS_TOKEN"],
        section: Some(Section::Release),
        steps: "pre.3.1 pre.3.3 pre.3.4 pre.4.4 pre.4.5 pre.4.6 pre.4.7 1.1 1.2 1.3 2.1.1 2.1.2 2.1.3 2.1.4 2.1.5 2.2.1 \
                2.2.2 2.2.3 post.1.2 post.2.2 post.2.3 post.3.4 rollback.2 rollback.3.A sec.2.1 app.1",
    },
    Need {
        variables: &["CLOUDFLARE_API_TOKEN", "CLOUDFLARE_ACCOUNT_ID"],
        section: Some(Section::Release),
        steps: "pre.4.8 3.2 rollback.1",
    },
    Need { variables: &["SENTRY_AUTH_TOKEN"], section: Some(Section::Sentry), steps: "post.1.1 post.2.1" },
    Need { variables: &["GITHUB_TOKEN"], section: Some(Section::Release), steps: "pre.1.2" },
    Need {
        variables: &["RELEASE_SOURCE"],
        section: Some(Section::Release),
        steps: "pre.1.1 pre.1.3 pre.1.4 pre.3.2 3.1.0",
    },
];

/// The build, which is held against what is served.
const BUILD: Need = Need { variables: &["RELEASE_DIST"], section: None, steps: "3.1.1 3.1.2 3.1.3" };

/// The steps of the persona whose views are opened.
const OF_FIRST_PERSONA: &str = "pre.2.4 pre.2.5 3.3.2 3.3.3 3.3.4 4.1.1 4.1.2 4.1.3 4.1.4 4.1.5 4.1.6 4.1.7 4.1.8 4.2.1 4.2.2 \
                                4.2.3 4.2.4 4.3.1 4.3.2 4.3.3 4.3.4 post.1.1 post.3.1 post.3.2 post.3.3";

/// The steps of the others: who they are, and what they see.
const OF_PERSONAS: &str = "3.3.2 4.1.3 4.2.1 4.2.4 4.3.1 4.3.2";

/// What is missing of a target's settings, in the order in which a team would look for it.
///
/// # Errors
/// When the settings or the contract cannot be read.
pub fn missing_variables(target: Target) -> Result<Vec<Missing>, Error> {
    if target == Target::Embedded {
        return Ok(Vec::new());
    }
    let settings = Settings::read_as(target)?;
    let contract = promised(&settings)?;
    let left_out = contract.not_promised();
    let has_institutions = contract.data().is_ok_and(|data| data.rows_of == RowsOf::Institutions);
    let is_dispensable = |name: &str| match name {
        "E2E_BASE_URL" => target.default_site().is_some(),
        "VITE_SUPABASE_URL" => target.default_api().is_some(),
        "E2E_INSTITUTION_A_ID" | "E2E_INSTITUTION_B_ID" => !has_institutions,
        _ => false,
    };
    let of = |variables: Vec<String>, steps: &'static str| {
        let is_missing = |name: &String| settings.find(name).is_none() && !is_dispensable(name);
        let variables: Vec<_> = variables.into_iter().filter(is_missing).collect();
        let of_runbook = steps_of_runbook(steps, &left_out);
        let is_needed = steps.is_empty() || !of_runbook.is_empty();
        (is_needed && !variables.is_empty()).then_some(Missing { variables, steps: of_runbook })
    };
    let needs =
        NEEDS.iter().chain([&BUILD]).filter(|need| need.section.is_none_or(|section| !left_out.contains(&section)));
    let mut missing: Vec<_> = needs
        .filter_map(|need| of(need.variables.iter().map(|name| (*name).to_owned()).collect(), need.steps))
        .collect();
    let first = contract.smoke.persona.get_ref();
    for name in contract.personas.keys().chain(contract.names_of_refused()) {
        let steps = if name == first { OF_FIRST_PERSONA } else { OF_PERSONAS };
        missing.extend(of(vec![format!("E2E_{name}_EMAIL"), format!("E2E_{name}_PASSWORD")], steps));
    }
    Ok(missing)
}

/// The steps of the runbook in use that the checks of these ids verify, as far as the contract promises them.
fn steps_of_runbook(ids: &str, left_out: &[Section]) -> Vec<&'static str> {
    let is_promised = |needs: &[Section]| !needs.iter().any(|section| left_out.contains(section));
    let is_verified = |step: &Step, id: &str| {
        let is_meant = Runbook::get().checked_as(id).is_some_and(|meant| meant.id == step.id);
        is_meant && is_promised(&Runbook::needs_of_check(id, Some(step)))
    };
    let steps = Runbook::get().steps().iter().filter(|step| is_promised(&step.needs));
    steps.filter(|step| ids.split_whitespace().any(|id| is_verified(step, id))).map(|step| step.id.as_str()).collect()
}
