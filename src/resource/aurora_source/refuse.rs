//! Clusters that cannot be a source, and values that RDS would not take: each with the reason and the way out. Pure.

use super::model::{Desired, ENGINE};
use super::observe::{Observed, Setting};
use crate::terraform::{AttributePath, Diagnostic, Diagnostics};

/// The oldest major version that ClickPipes reads from.
const OLDEST_MAJOR: u32 = 12;

/// What makes the cluster unfit, all at once.
pub(super) fn unfit(observed: &Observed) -> Diagnostics {
    let cluster = &observed.cluster;
    let id = &cluster.identifier;
    let mut refusals = Diagnostics::new();
    let mut refuse = |summary: &str, detail: String| {
        refusals.push(Diagnostic::error(summary, detail).at(AttributePath::of("cluster_identifier")));
    };
    if cluster.engine != ENGINE {
        refuse(
            "Not an Aurora PostgreSQL cluster",
            format!(
                "Cluster {id} runs the engine {}. This resource manages clusters of the engine {ENGINE} only; for other databases use \
                 the ClickPipe for that database.",
                cluster.engine
            ),
        );
        // What follows is about Aurora PostgreSQL.
        return refusals;
    }
    if cluster.engine_mode == "serverless" {
        refuse(
            "Aurora Serverless v1 has no logical replication",
            format!(
                "Cluster {id} is Aurora Serverless v1, which does not support logical replication. Move it to Serverless v2 or to provisioned instances."
            ),
        );
    }
    if cluster.scalability_type == "limitless" {
        refuse(
            "Aurora Limitless is not supported",
            format!(
                "Cluster {id} is an Aurora Limitless database, which ClickPipes cannot read from. Use a standard Aurora PostgreSQL cluster."
            ),
        );
    }
    let major = cluster.engine_version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| major < OLDEST_MAJOR) {
        refuse(
            "Engine version too old",
            format!(
                "Cluster {id} runs Aurora PostgreSQL {}. ClickPipes needs {OLDEST_MAJOR} or later: upgrade the cluster first.",
                cluster.engine_version
            ),
        );
    }
    if let Some(source) = &cluster.replication_source {
        refuse(
            "A replica cluster cannot be a source",
            format!(
                "Cluster {id} replicates {source} and is read-only: a replication slot needs a writer. Use the cluster that it replicates, \
                 or promote it first."
            ),
        );
    }
    if let Some(global) = observed.global.as_ref().filter(|global| !global.primary) {
        let primary = match &global.primary_arn {
            Some(arn) => format!("the primary cluster {arn} in region {}", region_of(arn)),
            None => "the primary cluster, which RDS does not name at the moment".to_owned(),
        };
        refuse(
            "A secondary cluster of a global database cannot be a source",
            format!(
                "Cluster {id} is a secondary of the global database {} and is read-only: a replication slot needs the writer. Use {primary}.",
                global.global_cluster_identifier
            ),
        );
    }
    refusals
}

/// Wanted parameters that the family does not have or whose value it does not allow.
pub(super) fn unfit_parameters(observed: &Observed, desired: &Desired) -> Diagnostics {
    let settings = &observed.attached.settings;
    if settings.is_empty() {
        return Diagnostics::new();
    }
    let refusals = desired.wanted.iter().filter_map(|(name, value)| {
        let path = AttributePath::of("parameters").key(name);
        match settings.get(name) {
            None => Some(
                Diagnostic::error(
                    "Not a modifiable cluster parameter",
                    format!(
                        "{name} is not a modifiable DB cluster parameter of the family {}. Check its name, or leave it out.",
                        observed.family
                    ),
                )
                .at(path),
            ),
            Some(Setting { allowed_values: Some(allowed), .. }) if !permits(allowed, value) => Some(
                Diagnostic::error(
                    "Value not allowed",
                    format!("Parameter {name} of the family {} allows {allowed}; {value:?} is none of these.", observed.family),
                )
                .at(path),
            ),
            Some(_) => None,
        }
    });
    refusals.collect()
}

/// Whether AWS's notation (`0-1`, `-1-2147483647`, `on,off`) allows the value. A formula (`{DBInstanceClassMemory/4}`) is left to AWS.
fn permits(allowed: &str, value: &str) -> bool {
    let number = value.parse::<i64>().ok();
    if allowed.trim().is_empty() || (number.is_none() && value.contains(['{', '('])) {
        return true;
    }
    allowed.split(',').map(str::trim).any(|item| {
        let within = number.zip(range(item)).is_some_and(|(number, (low, high))| (low..=high).contains(&number));
        // Text against a range of numbers may be a list, a fraction or a unit: AWS knows better.
        within || item.eq_ignore_ascii_case(value) || (number.is_none() && range(item).is_some())
    })
}

fn range(item: &str) -> Option<(i64, i64)> {
    // The first character may be the sign of the lower bound.
    let hyphen = item.char_indices().skip(1).find(|(_, c)| *c == '-')?.0;
    Some((item[..hyphen].parse().ok()?, item[hyphen + 1..].parse().ok()?))
}

fn region_of(arn: &str) -> &str {
    arn.split(':').nth(3).unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowed_values_are_read_in_the_notation_of_aws() {
        for (allowed, value) in
            [("0-1", "1"), ("0,1", "0"), ("-1-2147483647", "-1"), ("on,off", "ON"), ("", "x"), ("5-100", "{x/2}")]
        {
            assert!(permits(allowed, value), "{allowed} {value}");
        }
        for (allowed, value) in [("0-1", "2"), ("0,1", "2"), ("on,off", "maybe"), ("5-100,200", "150")] {
            assert!(!permits(allowed, value), "{allowed} {value}");
        }
    }
}
