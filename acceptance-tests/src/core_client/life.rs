//! A resource's whole life as core drives it: created, read, imported, changed, replaced, destroyed, and gone.

use std::collections::BTreeSet;

use super::failure::{Failure, unbroken};
use super::object::{Object, Planned};
use super::rules::Violation;
use super::rules::action::Action;
use super::rules::compatible::assert_object_compatible;
use super::rules::identity::identity_changed;
use super::terraform_core::{TerraformCore, Version, Walk};
use super::value::Value;

/// Whose life it is.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The resource.
    pub type_name: String,
    /// The configuration that creates it.
    pub create: Value,
    /// One that changes it in place.
    pub update: Value,
    /// One that replaces it; `None` if no change does.
    pub replace: Option<Value>,
    /// Its import id, while its configuration is `create`.
    pub import_id: String,
    /// Attributes that an import cannot know.
    pub not_imported: BTreeSet<String>,
}

/// A life that was lived.
#[derive(Clone, Debug)]
pub struct Lived {
    /// What was done, in order.
    pub done: Vec<Action>,
    /// The object as it was before its destroy.
    pub last: Object,
}

impl TerraformCore {
    /// Lives a whole life, up to the destroy.
    ///
    /// # Errors
    /// The first thing that core, or a reader of its plans, would report.
    pub async fn live(&mut self, subject: &Subject) -> Result<Lived, Failure> {
        let type_name = subject.type_name.as_str();
        let mut done = Vec::new();
        let (action, object) = self.bring_about(type_name, None, &subject.create).await?;
        done.push(action);
        self.import_finds(subject, &object).await?;
        let (action, mut object) = self.bring_about(type_name, Some(object), &subject.update).await?;
        done.push(action);
        if let Some(replace) = &subject.replace {
            let (action, replaced) = self.bring_about(type_name, Some(object), replace).await?;
            done.push(action);
            object = replaced;
        }
        done.push(self.destroy(type_name, object.clone()).await?);
        Ok(Lived { done, last: object })
    }

    /// Replaces what `create` creates although the configuration does not ask for it: on request (-replace,
    /// replace_triggered_by), where the first call looks like a plan without changes, and after a taint, which looks like a
    /// create.
    ///
    /// # Errors
    /// The first thing that core, or a reader of its plans, would report.
    pub async fn replace_on_request(&mut self, subject: &Subject) -> Result<(), Failure> {
        let type_name = subject.type_name.as_str();
        let (_, object) = self.bring_about(type_name, None, &subject.create).await?;
        let forced = Object { forced: true, ..object };
        let (first, object) = self.bring_about(type_name, Some(forced), &subject.create).await?;
        let tainted = Object { tainted: true, forced: false, ..object };
        let (second, object) = self.bring_about(type_name, Some(tainted), &subject.create).await?;
        self.destroy(type_name, object).await?;
        match [first, second].into_iter().find(|action| *action != Action::Replace) {
            None => Ok(()),
            Some(action) => Err(Failure::Client(format!("{type_name}: {action} instead of a replacement"))),
        }
    }

    /// Refreshes an object that no longer exists: the answer must say so.
    ///
    /// # Errors
    /// If it is still found, or nothing is said.
    pub async fn find_gone(&mut self, type_name: &str, object: &Object) -> Result<(), Failure> {
        match self.read(type_name, object).await? {
            None => Ok(()),
            Some(_) => {
                Err(Violation::new("Provider finds what is gone", format!("{type_name} is read though it is gone")).into())
            }
        }
    }

    /// Validates, refreshes, plans and applies a configuration, and checks that the result is stable: the next run has nothing to
    /// do.
    ///
    /// # Errors
    /// The first thing that core, or a reader of its plans, would report.
    pub async fn bring_about(
        &mut self,
        type_name: &str,
        object: Option<Object>,
        config: &Value,
    ) -> Result<(Action, Object), Failure> {
        self.validate(type_name, config).await?;
        let prior = match object {
            Some(object) => self.refresh(type_name, &object).await?,
            None => None,
        };
        let (first, last) = self.plan_twice(type_name, prior.as_ref(), config).await?;
        if first.action == Action::Replace {
            // Only the destroy half depends on what this run has created so far.
            self.begin_walk().await?;
        }
        self.validate(type_name, config).await?;
        let made = match (first.action, prior) {
            (Action::Replace, Some(prior)) => {
                // One plan serves both halves, its private data too.
                let gone = Planned { action: Action::Delete, state: Value::Null, ..first.clone() };
                self.apply(type_name, Some(&prior), &gone, &Value::Null).await?.succeeded()?;
                let (early, late) = match self.version_of(type_name) {
                    Version::V1_11 => (Version::V1_16, Version::V1_11),
                    Version::V1_16 => (Version::V1_11, Version::V1_16),
                };
                self.plan(type_name, None, config, Walk::Apply(early, &first)).await?;
                let create = self.plan(type_name, None, config, Walk::Apply(late, &first)).await?;
                self.apply(type_name, None, &create, config).await?.succeeded()?
            }
            // An update may have turned out to be nothing.
            (_, prior) if last.action == Action::NoOp => prior,
            (_, prior) => self.apply(type_name, prior.as_ref(), &last, config).await?.succeeded()?,
        };
        let made = made.ok_or_else(|| Failure::Client(format!("{type_name} does not exist after it was applied")))?;
        let lasting = self.settle(type_name, &made, config).await?;
        Ok((first.action, lasting))
    }

    /// Which Terraform version drives the life of a resource: the one that knows identities, if it has one.
    fn version_of(&self, type_name: &str) -> Version {
        if self.schemas().identity(type_name).is_some() { Version::V1_16 } else { Version::V1_11 }
    }

    /// Plans for the reviewer and again for the apply, as each Terraform does. Gives both plans of 1.11, or of 1.16 for a
    /// resource with an identity. For a replacement, there is only the first while the old object exists: the other is made
    /// between its halves.
    ///
    /// # Errors
    /// What the provider refuses, and the rules that it breaks.
    pub async fn plan_twice(
        &mut self,
        type_name: &str,
        prior: Option<&Object>,
        config: &Value,
    ) -> Result<(Planned, Planned), Failure> {
        let later = self.plan(type_name, prior, config, Walk::Plan(Version::V1_16)).await?;
        let first = self.plan(type_name, prior, config, Walk::Plan(Version::V1_11)).await?;
        let with_identity = self.version_of(type_name) == Version::V1_16;
        if first.action == Action::Replace {
            let first = if with_identity { later } else { first };
            return Ok((first.clone(), first));
        }
        let later_last = self.plan(type_name, prior, config, Walk::Apply(Version::V1_16, &later)).await?;
        let last = self.plan(type_name, prior, config, Walk::Apply(Version::V1_11, &first)).await?;
        Ok(if with_identity { (later, later_last) } else { (first, last) })
    }

    /// Destroys what exists.
    ///
    /// # Errors
    /// What the provider refuses, and the rules that it breaks.
    pub async fn destroy(&mut self, type_name: &str, object: Object) -> Result<Action, Failure> {
        let Some(object) = self.refresh(type_name, &object).await? else { return Ok(Action::NoOp) };
        let (_, planned) = self.plan_twice(type_name, Some(&object), &Value::Null).await?;
        self.begin_walk().await?;
        self.apply(type_name, Some(&object), &planned, &Value::Null).await?.succeeded()?;
        Ok(planned.action)
    }

    /// What was applied survives the state file and a refresh, and the same configuration plans nothing. Gives the refreshed object.
    async fn settle(&mut self, type_name: &str, object: &Object, config: &Value) -> Result<Object, Failure> {
        let version = self.schemas().resource(type_name)?.version;
        let upgraded = self.upgrade(type_name, version, object.json()).await?;
        self.same(type_name, &object.value, &upgraded, "Provider reads another state than was stored")?;
        let read = self.read(type_name, object).await?;
        let gone = || Violation::new("Provider lost an object", format!("{type_name} is not found right after it was applied"));
        let read = read.ok_or_else(gone)?;
        self.same(type_name, &object.value, &read.value, "Provider reads another object than it applied")?;
        self.same_identity(type_name, "in a refresh", object, &read)?;
        if read.identity.is_some() {
            // An older Terraform has none to hand over, and its state gets one when a newer one refreshes it.
            let older = self.read(type_name, &object.without_identity()).await?.ok_or_else(gone)?;
            self.same_identity(type_name, "in a refresh of a state without one", object, &older)?;
        }
        let next = self.plan(type_name, Some(&read), config, Walk::Plan(self.version_of(type_name))).await?;
        if next.action != Action::NoOp {
            self.same(type_name, &read.value, &next.state, "After the apply, the plan is not empty")?;
            let detail = format!("{type_name}: {} is planned, without a difference", next.action);
            return Err(Violation::new("After the apply, the plan is not empty", detail).into());
        }
        Ok(read)
    }

    async fn import_finds(&mut self, subject: &Subject, object: &Object) -> Result<(), Failure> {
        let type_name = subject.type_name.as_str();
        let imported = self.import(type_name, &subject.import_id).await?;
        let schema = self.resource(type_name)?;
        if let Some(stranger) = subject.not_imported.iter().find(|name| schema.attributes.iter().all(|own| own.name != **name)) {
            return Err(Failure::Client(format!("{type_name} has no {stranger} that an import could leave out")));
        }
        let without =
            |value: &Value| subject.not_imported.iter().fold(value.clone(), |value, name| value.with(name, Value::Null));
        self.same(type_name, &without(&object.value), &without(&imported.value), "Import finds another object")?;
        self.same_identity(type_name, "in an import by its id", object, &imported)?;
        let Some(identity) = &object.identity else { return Ok(()) };
        // The whole identity, and one with only the attributes that an import needs.
        let optional = self.schemas().identity(type_name).into_iter().flat_map(|schema| &schema.attributes);
        let optional = optional.filter(|attribute| !attribute.required);
        let needed = optional.fold(identity.clone(), |identity, attribute| identity.with(&attribute.name, Value::Null));
        for identity in [identity, &needed] {
            let imported = self.import_by_identity(type_name, identity).await?;
            self.same(type_name, &without(&object.value), &without(&imported.value), "Import by identity finds another object")?;
            self.same_identity(type_name, "in an import by it", object, &imported)?;
        }
        Ok(())
    }

    fn same_identity(&self, type_name: &str, when: &str, one: &Object, other: &Object) -> Result<(), Failure> {
        let (Some(one), Some(other)) = (&one.identity, &other.identity) else { return Ok(()) };
        unbroken(identity_changed(type_name, when, one, other))
    }

    fn same(&self, type_name: &str, one: &Value, other: &Value, summary: &str) -> Result<(), Failure> {
        let differences = assert_object_compatible(self.schemas().resource(type_name)?, one, other);
        let violation = |problem: &super::rules::Problem| Violation::new(summary, format!("{type_name}{problem}"));
        unbroken(differences.iter().map(violation).collect())
    }
}
