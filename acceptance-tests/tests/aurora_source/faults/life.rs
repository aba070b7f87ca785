//! One life of a source with one fault in it, and what has to be true afterwards.

use std::collections::BTreeMap;

use acceptance_tests::core_client::{Applied, Failure, Object, Value, Version, Walk};
use acceptance_tests::simulator::{Call, ClusterHandle};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value as Json;

use super::wanted::{Mode, Values, Wanted, custom, groups};
use super::world::{TYPE, World};
use super::{Case, Fault, Step};

const IAM: &str = "rds.iam_auth_for_replication";

/// How often each member was rebooted.
type Reboots = BTreeMap<String, usize>;

/// A step without a fault.
#[derive(Debug)]
pub(super) struct Reference {
    /// The calls that changed something: the action, and how many of it came before.
    pub(super) calls: Vec<(String, u32)>,
    /// How often a member was rebooted: all of them as often.
    reboots: usize,
}

/// A cluster at the end of the step that had the fault.
struct Half {
    is_done: bool,
    is_killed: bool,
    /// What core keeps of the source.
    object: Option<Object>,
    /// What something else has set in the cluster's own group.
    of_others: Values,
    reboots: Reboots,
    /// Whether something was changed that members apply only at a reboot.
    statics_changed: bool,
}

impl World {
    /// A life with this fault, or without one.
    pub(super) async fn lives(&mut self, step: Step, id: &str, case: Option<(&Reference, Case)>) -> Result<Reference> {
        let cluster = self.cluster(step, id).await?;
        let mut prior = None;
        if let Some(arguments) = step.before.arguments(id) {
            prior = self.set_up(&arguments).await.context("before the step")?;
        }
        if step.after == Wanted::ExternalAgain {
            self.others_set(&cluster, &Values::from([("max_wal_senders".to_owned(), "30".to_owned())])).await?;
        }
        let of_others = match step.before.mode() {
            Some(Mode::InPlace) => super::wanted::OWN.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            _ => self.values(&custom(id)),
        };
        self.core.begin_walk().await?;
        let config = self.config(step.after.arguments(id).as_ref())?;
        if let Some(object) = prior {
            prior = self.core.refresh(TYPE, &object).await?;
        }
        let planned = self.core.plan(TYPE, prior.as_ref(), &config, Walk::Plan(Version::V1_11)).await?;
        self.core.begin_walk().await?;
        self.simulator.clear_calls();
        let applied = match case {
            Some((reference, Case { call, fault, .. })) => {
                let (action, skip) = &reference.calls[call];
                let (applied, met) = self.apply_with((fault, action, *skip), prior.as_ref(), &planned, &config).await?;
                ensure!(met, "the fault did not occur");
                ends_as(fault, &applied)?;
                applied
            }
            None => self.core.apply(TYPE, prior.as_ref(), &planned, &config).await?,
        };
        cluster.wait_until_available().await?;
        if case.is_none() {
            ensure!(applied.failure.is_none(), "{:?}", applied.failure);
        }
        let effects = self.effects();
        let attached_before = step.before.attached(id);
        let half = Half {
            is_done: applied.failure.is_none(),
            is_killed: case.is_some_and(|(_, case)| case.fault.kills()),
            object: self.told_truly(&cluster, applied, step).await?,
            of_others,
            reboots: reboots(&cluster, &effects),
            statics_changed: effects.iter().any(|call| needs_reboot(call, &attached_before)),
        };
        let reference = Reference { calls: calls(&effects), reboots: half.reboots.values().copied().max().unwrap_or_default() };
        let Some((known, Case { fault, then, .. })) = case else {
            self.ends(&cluster, step, half, step.after, &reference).await?;
            return Ok(reference);
        };
        if fault.kills() && self.is_told_by_tags_only(step, then, id).await? {
            self.is_named_and_restored(&cluster, step, half, then, known).await?;
        } else {
            self.ends(&cluster, step, half, then, known).await?;
        }
        Ok(reference)
    }

    /// What is wanted then is brought about, and the life ends.
    async fn ends(&mut self, cluster: &ClusterHandle, step: Step, half: Half, then: Wanted, reference: &Reference) -> Result<()> {
        let id = cluster.spec.identifier.as_str();
        let expected = expected_reboots(step, then, &half, reference);
        // A source that was brought about in another mode is let go as it is.
        let is_let_go = half.is_done && then.mode() == Some(Mode::External) && step.after.mode() != then.mode();
        self.goes_on(id, half.object, step, then).await.context("afterwards")?;
        cluster.wait_until_available().await?;
        self.is_as_wanted(cluster, if is_let_go { step.after } else { then }, &half.of_others, half.is_killed).await?;
        let rebooted = reboots(cluster, &self.effects());
        ensure!(rebooted == expected, "these reboots instead of {expected:?}: {rebooted:?}");
        self.forget(id).await
    }

    /// Whether only tags say what was done: of a killed provider there are no private data, and tags alone are not enough to change a
    /// parameter.
    async fn is_told_by_tags_only(&self, step: Step, then: Wanted, id: &str) -> Result<bool> {
        if step.after.mode() != Some(Mode::InPlace) || step.before == Wanted::Nothing || then == step.after {
            return Ok(false);
        }
        let known = step.before.values(&Values::new());
        let tags = self.tags(&custom(id)).await?;
        let named = tags.iter().filter_map(|tag| tag.strip_prefix("clickpipes:previous-value:")?.split('=').next());
        Ok(named.into_iter().any(|name| !known.contains_key(name) && name != IAM))
    }

    /// The plan names it, and what the warning says restores it.
    async fn is_named_and_restored(
        &mut self,
        cluster: &ClusterHandle,
        step: Step,
        half: Half,
        then: Wanted,
        reference: &Reference,
    ) -> Result<()> {
        let id = cluster.spec.identifier.as_str();
        let object = half.object.context("the state is lost")?;
        self.core.begin_walk().await?;
        let config = self.config(then.arguments(id).as_ref())?;
        let planned = self.core.plan(TYPE, Some(&object), &config, Walk::Plan(Version::V1_11)).await?;
        let is_named = planned.warnings.iter().any(|warning| warning.summary.starts_with("Tags name other parameters"));
        ensure!(is_named, "no warning names what was set: {:?}", planned.warnings);
        let arguments = step.after.arguments(id).context("nothing was to be set")?;
        let object = self.bring_about(Some(object), &arguments).await?;
        let end = if step.before.mode() == Some(Mode::InPlace) { then } else { Wanted::Nothing };
        self.goes_on(id, Some(object), step, end).await.context("as the warning says")?;
        cluster.wait_until_available().await?;
        self.is_as_wanted(cluster, end, &half.of_others, half.is_killed).await?;
        let expected = half.reboots.keys().map(|member| (member.clone(), reference.reboots + 1)).collect();
        let rebooted = reboots(cluster, &self.effects());
        ensure!(rebooted == expected, "these reboots instead of {expected:?}: {rebooted:?}");
        self.forget(id).await
    }

    async fn forget(&self, id: &str) -> Result<()> {
        self.simulator.remove_cluster(id);
        let group = custom(id);
        self.simulator.rds().delete_db_cluster_parameter_group().db_cluster_parameter_group_name(group).send().await?;
        Ok(())
    }

    /// What a refresh finds of it is what there is.
    async fn told_truly(&mut self, cluster: &ClusterHandle, applied: Applied, step: Step) -> Result<Option<Object>> {
        let may_be_gone = step.before == Wanted::Nothing || step.after == Wanted::Nothing;
        let Some(object) = applied.object else {
            ensure!(may_be_gone, "the state is lost");
            return Ok(None);
        };
        self.core.begin_walk().await?;
        let read = self.core.refresh(TYPE, &object).await?.context("it is gone")?;
        let state: Json = serde_json::from_slice(&read.json())?;
        ensure!(state["parameter_group_name"] == cluster.parameter_group(), "{state}");
        let waits = cluster.members().iter().any(|member| member.parameter_group_status == "pending-reboot");
        ensure!(state["reboot_required"] == waits, "{state}");
        Ok(Some(read))
    }

    async fn goes_on(&mut self, id: &str, left: Option<Object>, step: Step, then: Wanted) -> Result<()> {
        self.core.begin_walk().await?;
        match (then.arguments(id), left) {
            (Some(arguments), left) => drop(self.bring_about(left, &arguments).await?),
            (None, Some(left)) => drop(self.core.destroy(TYPE, left).await?),
            (None, None) => {
                // Half a create is found by the next one only.
                if let Some(arguments) = step.after.arguments(id) {
                    let created = self.bring_about(None, &arguments).await?;
                    self.core.begin_walk().await?;
                    self.core.destroy(TYPE, created).await?;
                }
            }
        }
        Ok(())
    }

    async fn is_as_wanted(&self, cluster: &ClusterHandle, wanted: Wanted, of_others: &Values, is_killed: bool) -> Result<()> {
        let id = cluster.spec.identifier.as_str();
        let attached = wanted.attached(id);
        ensure!(cluster.parameter_group() == attached, "{} is attached", cluster.parameter_group());
        let exist: Vec<String> = self.simulator.parameter_groups().into_iter().filter(|name| groups(id).contains(name)).collect();
        let is_left = |name: &&String| **name != attached && **name != custom(id);
        ensure!(!exist.iter().any(|name| is_left(&name)), "these groups are left: {exist:?}");
        let (mut found, expected) = (self.values(&attached), wanted.values(of_others));
        if found.get(IAM).is_some_and(|value| value == "0") {
            // The same as not set.
            found.remove(IAM);
        }
        ensure!(found == expected, "{attached} has {found:?} instead of {expected:?}");
        if wanted.mode() != Some(Mode::InPlace) {
            ensure!(self.values(&custom(id)) == *of_others, "the cluster's own group has {:?}", self.values(&custom(id)));
            let tags = self.tags(&custom(id)).await?;
            ensure!(tags.is_empty(), "the cluster's own group has {tags:?}");
        }
        if wanted.mode() == Some(Mode::Dedicated) {
            let tags = self.tags(&attached).await?;
            let tags: Vec<String> = tags.into_iter().filter(|tag| !tag.starts_with("clickpipes:")).collect();
            // Of a provider that was killed, nothing says which tags it has added, and those that others add are kept.
            let is_more = is_killed && wanted.tags().iter().all(|tag| tags.contains(tag));
            ensure!(is_more || tags == wanted.tags(), "{attached} has {tags:?}");
        }
        let described = self.simulator.rds().describe_db_clusters().db_cluster_identifier(id).send().await?;
        let iam = described.db_clusters().iter().any(|cluster| cluster.iam_database_authentication_enabled() == Some(true));
        ensure!(iam == wanted.has_iam(), "IAM database authentication: {iam}");
        let waiting: Vec<_> = cluster.members().into_iter().filter(|member| member.parameter_group_status != "in-sync").collect();
        ensure!(waiting.is_empty() || wanted == Wanted::Nothing, "{waiting:?}");
        Ok(())
    }

    /// Creates a source, and checks no more than that this ends well.
    async fn set_up(&mut self, arguments: &Json) -> Result<Option<Object>> {
        let config = self.config(Some(arguments))?;
        let planned = self.core.plan(TYPE, None, &config, Walk::Plan(Version::V1_11)).await?;
        Ok(self.core.apply(TYPE, None, &planned, &config).await?.succeeded()?)
    }

    async fn bring_about(&mut self, object: Option<Object>, arguments: &Json) -> Result<Object> {
        let config: Value = self.config(Some(arguments))?;
        let (_, object) = self.core.bring_about(TYPE, object, &config).await?;
        Ok(object)
    }

    fn values(&self, group: &str) -> Values {
        self.simulator.parameter_group(group).unwrap_or_default().into_iter().collect()
    }

    async fn tags(&self, group: &str) -> Result<Vec<String>> {
        let arn = format!("arn:aws:rds:us-east-1:123456789012:cluster-pg:{group}");
        let answer = self.simulator.rds().list_tags_for_resource().resource_name(arn).send().await?;
        let shown =
            |tag: &aws_sdk_rds::types::Tag| format!("{}={}", tag.key().unwrap_or_default(), tag.value().unwrap_or_default());
        Ok(answer.tag_list().iter().map(shown).collect())
    }
}

/// What is waited out is no failure; whatever else happens is a refusal of the provider, and says why.
fn ends_as(fault: Fault, applied: &Applied) -> Result<()> {
    let failure = &applied.failure;
    if fault.is_waited_out() {
        ensure!(failure.is_none(), "not waited out: {failure:?}");
    }
    ensure!(fault.kills() || matches!(failure, None | Some(Failure::Refused(_))), "rules are broken: {failure:?}");
    let errors = failure.as_ref().map(Failure::errors).unwrap_or_default();
    let words = match fault {
        Fault::Refused => "AccessDenied",
        Fault::Hangs | Fault::AnswerHeld => "Cancelled",
        _ => "",
    };
    ensure!(words.is_empty() || errors.iter().any(|error| error.contains(words)), "nothing says {words}: {errors:?}");
    Ok(())
}

fn reboots(cluster: &ClusterHandle, effects: &[Call]) -> Reboots {
    let count = |member: &String| {
        let is_its = |call: &&Call| {
            call.action == "RebootDBInstance" && call.parameters.get("DBInstanceIdentifier").is_some_and(|name| name == member)
        };
        effects.iter().filter(is_its).count()
    };
    cluster.members().into_iter().map(|member| (member.identifier.clone(), count(&member.identifier))).collect()
}

/// Whether members wait for a reboot after the call, if they have run with this group before.
fn needs_reboot(call: &Call, attached: &str) -> bool {
    let group = call.parameters.get("DBClusterParameterGroupName");
    match call.action.as_str() {
        "ModifyDBCluster" => group.is_some(),
        "ModifyDBClusterParameterGroup" | "ResetDBClusterParameterGroup" => {
            let is_static = |(name, value): (&String, &String)| name.ends_with("ApplyMethod") && value == "pending-reboot";
            group.is_some_and(|group| group == attached) && call.parameters.iter().any(is_static)
        }
        _ => false,
    }
}

/// How often members are rebooted from the step on. What goes on to the end needs as many reboots as without a fault; what turns back
/// needs one more if members have to apply something at a reboot, or wait for one already.
fn expected_reboots(step: Step, then: Wanted, half: &Half, reference: &Reference) -> Reboots {
    let needed = |done: usize| {
        let back = usize::from(half.statics_changed);
        match (step.before, then) {
            (_, then) if then == step.after => reference.reboots,
            (Wanted::Unmanaged, Wanted::Unmanaged) if half.is_done => done,
            // Without a state, only the whole is undone.
            (Wanted::Nothing, _) if step.after.mode() == Some(Mode::External) => reference.reboots,
            (Wanted::Nothing, _) => reference.reboots + 1,
            (Wanted::External, Wanted::External) => reference.reboots,
            (Wanted::External, _) => done,
            (Wanted::Unmanaged, _) => done + back,
            (_, Wanted::Nothing) => done + 1,
            _ => done + back,
        }
    };
    half.reboots.iter().map(|(member, done)| (member.clone(), needed(*done))).collect()
}

/// The calls by their action and how many of it came before.
fn calls(effects: &[Call]) -> Vec<(String, u32)> {
    let mut before: BTreeMap<&str, u32> = BTreeMap::new();
    let numbered = effects.iter().map(|call| {
        let number = before.entry(&call.action).or_default();
        *number += 1;
        (call.action.clone(), *number - 1)
    });
    numbered.collect()
}
