//! The parts of a contract that may be left out, as checks ask for them. Whoever needs one that is not there was not run:
//! nothing is wrong with a portal that does not promise it.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use toml::Spanned;

use super::{
    Action, Allocation, Audit, AuditSequence, Budget, Canary, Contract, Controls, Dashboard, Data, Duplicates,
    Forbidden, Form, Formats, Kind, Ledger, List, Mirror, Monitoring, Readings, Rebuild, Recipe, Refused, Release,
    Right, Route, Security, Sentry, Sms, Soak, State, Tokens, Totals, Trail, View, Volume, WorkingHours,
};
use crate::{
    failure::{Failure, Verdict},
    rls::Tenancy,
    section::Section,
};

fn promised<T: ?Sized>(section: Section, part: Option<&T>) -> Verdict<&T> {
    part.ok_or_else(|| Failure::not_run(section.not_promised()))
}

impl Contract {
    /// Giving a transaction to a member.
    ///
    /// # Errors
    /// Not run where the contract leaves it out; so are all below.
    pub fn allocation(&self) -> Verdict<&Allocation> {
        promised(Section::Allocation, self.allocation.as_deref())
    }

    /// Events of the audit log.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn audit(&self) -> Verdict<&Audit> {
        promised(Section::Audit, self.audit.as_deref())
    }

    /// All events that the portal writes, those of an allocation included.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn audit_actions(&self) -> Verdict<impl Iterator<Item = &str>> {
        let audit = self.audit()?;
        let others = promised(Section::AuditActions, audit.actions.as_deref())?;
        Ok(audit.accepted.iter().chain(others).map(String::as_str))
    }

    /// When people work.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn audit_hours(&self) -> Verdict<&WorkingHours> {
        promised(Section::AuditHours, self.audit()?.hours.as_ref())
    }

    /// What shows that events are missing.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn audit_sequence(&self) -> Verdict<&AuditSequence> {
        promised(Section::AuditSequence, self.audit()?.sequence.as_ref())
    }

    /// Institutions that may be written to in production.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn canary(&self) -> Verdict<&Canary> {
        promised(Section::Canary, self.canary.as_ref())
    }

    /// The dashboard's figures.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn dashboard(&self) -> Verdict<&Dashboard> {
        promised(Section::Dashboard, self.dashboard.as_deref())
    }

    /// What the data checklist compares.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn data(&self) -> Verdict<&Data> {
        promised(Section::Data, self.data.as_deref())
    }

    /// Payments that may be there twice.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn duplicates(&self) -> Verdict<&Duplicates> {
        promised(Section::Duplicates, self.duplicates.as_deref())
    }

    /// Where days begin and end; where the portal does not say, as on this machine.
    pub(crate) fn time_zone(&self) -> TimeZone {
        let named = self.data.as_ref().and_then(|data| TimeZone::get(&data.time_zone).ok());
        named.unwrap_or_else(TimeZone::system)
    }

    /// The view that a role may not see, by its name.
    ///
    /// # Errors
    /// As [`Contract::allocation`]; undecided where no view has this name.
    pub fn forbidden(&self, name: &str) -> Verdict<&Forbidden> {
        let mut views = promised(Section::Forbidden, self.forbidden.as_deref())?.iter().map(Spanned::get_ref);
        views
            .find(|view| view.name == name)
            .ok_or_else(|| Failure::undecided(format!("the contract has a forbidden view {name:?}")).seen("none"))
    }

    /// The ledger on screen.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn ledger(&self) -> Verdict<&Ledger> {
        promised(Section::Ledger, self.ledger.as_deref())
    }

    /// The button by which a ledger that is longer than a page shows its rest.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn more(&self) -> Verdict<&str> {
        promised(Section::More, self.ledger.as_deref().and_then(|ledger| ledger.more.as_deref()))
    }

    /// What it takes to make a tenant, by kind of row.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn make(&self) -> Verdict<&BTreeMap<String, Recipe>> {
        promised(Section::Make, self.make.as_ref())
    }

    /// Where the errors that visitors met are collected.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn sentry(&self) -> Verdict<&Sentry> {
        promised(Section::Sentry, self.sentry.as_ref())
    }

    /// What is watched after a release.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn monitoring(&self) -> Verdict<&Monitoring> {
        promised(Section::Monitoring, self.monitoring.as_ref())
    }

    /// The names of the accounts that do not get in.
    pub(crate) fn names_of_refused(&self) -> impl Iterator<Item = &String> {
        self.login.refused.iter().flatten().map(|refused| &refused.persona)
    }

    /// The account that does not get in, by its persona.
    ///
    /// # Errors
    /// As [`Contract::allocation`]; undecided where no such account has this persona.
    pub fn refused(&self, persona: &str) -> Verdict<&Refused> {
        let mut accounts = promised(Section::Refused, self.login.refused.as_deref())?.iter();
        accounts
            .find(|refused| refused.persona == persona)
            .ok_or_else(|| Failure::undecided(format!("the contract has a refused account {persona:?}")).seen("none"))
    }

    /// The button by which a portal that could not start is tried again.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn retry(&self) -> Verdict<&str> {
        promised(Section::Retry, self.portal.retry.as_deref())
    }

    /// Who may do what within an institution.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn rights(&self) -> Verdict<&[Right]> {
        promised(Section::Rights, self.rights.as_deref())
    }

    /// The build, made again from a clean clone.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn rebuild(&self) -> Verdict<&Rebuild> {
        promised(Section::Rebuild, self.rebuild.as_ref())
    }

    /// What has to be true around a release.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn release(&self) -> Verdict<&Release> {
        promised(Section::Release, self.release.as_deref())
    }

    /// What the security checklist looks at.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn security(&self) -> Verdict<&Security> {
        promised(Section::Security, self.security.as_ref())
    }

    /// The way from a gateway's message to the ledger.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn sms(&self) -> Verdict<&Sms> {
        promised(Section::Sms, self.sms.as_deref())
    }

    /// What an AI proposes for messages that no rule reads.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn sms_readings(&self) -> Verdict<&Readings> {
        promised(Section::Readings, self.sms()?.readings.as_ref())
    }

    /// What the last soak has to show.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn soak(&self) -> Verdict<&Soak> {
        promised(Section::Soak, self.soak.as_ref())
    }

    /// Who belongs where, for the prober of row level security.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn tenancy(&self) -> Verdict<&Tenancy> {
        promised(Section::Tenancy, self.tenancy.as_ref())
    }

    /// What a page may cost.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn budget(&self) -> Verdict<&Budget> {
        promised(Section::Budget, self.budget.as_ref())
    }

    /// What distinguishes controls.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn controls(&self) -> Verdict<&Controls> {
        promised(Section::Controls, self.controls.as_deref())
    }

    /// What one click does, by its name.
    ///
    /// # Errors
    /// As [`Contract::allocation`]; undecided where no action has this name.
    pub fn action(&self, name: &str) -> Verdict<&Action> {
        let unknown = || Failure::undecided(format!("the contract has an action {name:?}")).seen("none");
        promised(Section::Actions, self.actions.as_deref())?
            .iter()
            .find(|action| action.name == name)
            .ok_or_else(unknown)
    }

    /// What people make in dialogs, by its name.
    ///
    /// # Errors
    /// As [`Contract::allocation`]; undecided where no form has this name.
    pub fn form(&self, name: &str) -> Verdict<&Form> {
        let unknown = || Failure::undecided(format!("the contract has a form {name:?}")).seen("none");
        promised(Section::Forms, self.forms.as_deref())?.iter().find(|form| form.name == name).ok_or_else(unknown)
    }

    /// What tokens are good for.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn tokens(&self) -> Verdict<&Tokens> {
        promised(Section::Tokens, self.tokens.as_ref())
    }

    /// Rows in the states that they may be in.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn states(&self) -> Verdict<&[State]> {
        promised(Section::States, self.states.as_deref())
    }

    /// The relation that adds rows up, by its name.
    ///
    /// # Errors
    /// As [`Contract::allocation`]; undecided where there is no such relation.
    pub fn total(&self, name: &str) -> Verdict<&Totals> {
        let unknown = || Failure::undecided(format!("the contract has totals {name:?}")).seen("none");
        promised(Section::Totals, self.totals.as_deref())?.iter().find(|total| total.name == name).ok_or_else(unknown)
    }

    /// The relation that repeats what other rows say, by its name.
    ///
    /// # Errors
    /// As [`Contract::allocation`]; undecided where there is no such relation.
    pub fn mirror(&self, name: &str) -> Verdict<&Mirror> {
        let unknown = || Failure::undecided(format!("the contract has a mirror {name:?}")).seen("none");
        promised(Section::Mirrors, self.mirrors.as_deref())?
            .iter()
            .find(|mirror| mirror.name == name)
            .ok_or_else(unknown)
    }

    /// What nobody may make disappear.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn trail(&self) -> Verdict<&Trail> {
        promised(Section::Trail, self.trail.as_ref())
    }

    /// How many rows the portal bears.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn volume(&self) -> Verdict<&Volume> {
        promised(Section::Volume, self.volume.as_ref())
    }

    /// A role that somebody can have: one that may only read, or that of who visits the routes.
    pub fn a_role(&self) -> &str {
        let reader = self.allocation.as_ref().map(|allocation| allocation.reader.as_str());
        let visitor = self.smoke.persona.get_ref();
        reader.or_else(|| self.role_of(visitor)).unwrap_or(visitor)
    }

    /// The role that may most within its tenant: the manager of allocations or, without any, the first of those that the
    /// tenancy ranks.
    ///
    /// # Errors
    /// Undecided when the contract names neither.
    pub fn highest_role(&self) -> Verdict<&str> {
        let manager = self.allocation.as_ref().map(|allocation| allocation.manager.as_str());
        manager.or_else(|| self.roles().first().map(String::as_str)).ok_or_else(|| {
            Failure::undecided("the contract says which role may most")
                .expected("a rank in [tenancy.roles]")
                .seen("none")
        })
    }

    /// The roles within a tenant, from the highest to the lowest: those that the trail is looked at for or, without any,
    /// those that the tenancy ranks.
    pub fn roles(&self) -> &[String] {
        let ranked = self.tenancy.as_ref().map_or(&[][..], |tenancy| &tenancy.roles.rank);
        self.trail.as_ref().map_or(ranked, |trail| &trail.roles)
    }

    /// The role of a persona, by the label that the contract gives both, or by the role's own name.
    pub fn role_of(&self, persona: &str) -> Option<&str> {
        let label = &self.personas.get(persona)?.label;
        let labels = self.formats.iter().flat_map(|formats| &formats.labels);
        let mut named = labels.filter(|(_, own)| *own == label).map(|(role, _)| role);
        named.next().or_else(|| self.roles().iter().find(|role| *role == label)).map(String::as_str)
    }

    /// How values are written on screen.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn formats(&self) -> Verdict<&Formats> {
        promised(Section::Views, self.formats.as_ref())
    }

    /// All views.
    ///
    /// # Errors
    /// As [`Contract::allocation`].
    pub fn views(&self) -> Verdict<impl Iterator<Item = &View>> {
        Ok(promised(Section::Views, self.views.as_deref())?.iter().map(Spanned::get_ref))
    }

    /// The view of this name.
    ///
    /// # Errors
    /// As [`Contract::allocation`]; undecided where no view has this name.
    pub fn view(&self, name: &str) -> Verdict<&View> {
        let unknown = || Failure::undecided(format!("the contract has a view {name:?}")).seen("none");
        self.views()?.find(|view| view.name == name).ok_or_else(unknown)
    }

    /// Where a view is.
    pub fn page_of<'c>(&'c self, view: &'c View) -> &'c Route {
        match (&view.page, &view.route) {
            (Some(page), _) => page,
            (None, name) => self.route_of(name.as_deref().unwrap_or_default()),
        }
    }

    /// What the rows of a list are; [`Contract::read`] made sure of it.
    ///
    /// # Errors
    /// Undecided where the contract has no such kind.
    pub fn kind_of(&self, list: &List) -> Verdict<&Kind> {
        let unknown = || Failure::undecided(format!("the contract has a kind {:?}", list.kind)).seen("none");
        self.kinds.get(&list.kind).ok_or_else(unknown)
    }
}
