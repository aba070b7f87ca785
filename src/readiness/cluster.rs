//! Verdicts on what RDS says of the cluster. Pure.

use super::check::{Verdict, Verdicts, fail, judge, pass, skip};
use super::facts::{Authentication, Facts};
use super::parameter;
use crate::cluster::{IAM_FOR_REPLICATION, Observed, Unfit, unfit};
use crate::rds::ClusterStatus;

/// The verdicts.
pub(super) fn verdicts(cluster: &Observed, facts: &Facts) -> Verdicts {
    let unfit = unfit(cluster);
    let id = cluster.id();
    let is_fit = |of: fn(&Unfit) -> bool, good: String, bad: &dyn Fn(&Unfit) -> String| match unfit.iter().find(|one| of(one)) {
        None => pass(good),
        Some(one) => fail(bad(one), "Choose another cluster as the source: this one cannot become one."),
    };
    let status = &cluster.cluster.status;
    let available = judge(*status == ClusterStatus::Available, format!("Cluster {id} is available."), || {
        fail(format!("Cluster {id} is {status}."), "Wait until the cluster is available.")
    });
    let serverless = is_fit(
        |unfit| matches!(unfit, Unfit::ServerlessV1 | Unfit::Engine { .. }),
        "The cluster is Aurora PostgreSQL, provisioned or Serverless v2.".to_owned(),
        &|unfit| match unfit {
            Unfit::Engine { engine } => format!("The engine of cluster {id} is {engine}, not Aurora PostgreSQL."),
            _ => format!("Cluster {id} is Aurora Serverless v1, which has no logical replication."),
        },
    );
    let limitless = is_fit(|unfit| matches!(unfit, Unfit::Limitless), "The cluster is not Aurora Limitless.".to_owned(), &|_| {
        format!("Cluster {id} is Aurora Limitless, which ClickPipes cannot read from.")
    });
    let secondary = is_fit(
        |unfit| matches!(unfit, Unfit::Secondary { .. } | Unfit::Replica { .. }),
        "The cluster has a writer of its own.".to_owned(),
        &|unfit| match unfit {
            Unfit::Secondary { global_cluster, primary_arn } => {
                let primary = primary_arn.as_deref().map(|arn| format!(": {arn}")).unwrap_or_default();
                format!(
                    "Cluster {id} is a secondary of the global database {global_cluster}. Only the primary can be a source{primary}."
                )
            }
            Unfit::Replica { source_arn } => format!("Cluster {id} replicates {source_arn} and is read-only."),
            _ => format!("Cluster {id} is read-only."),
        },
    );
    let babelfish = match unfit.iter().find(|one| matches!(one, Unfit::Babelfish { .. })) {
        Some(Unfit::Babelfish { version }) => fail(
            format!("Babelfish is on, and version {version} has no logical replication beside it."),
            "Upgrade to 15.7, 16.3 or a later version.",
        ),
        _ => pass("Babelfish does not stand in the way."),
    };
    let attached = &cluster.attached;
    let family = judge(
        attached.family == cluster.family,
        format!("Parameter group {} is of the family {}.", attached.name, cluster.family),
        || {
            let (name, of, version) = (&attached.name, &attached.family, &cluster.cluster.engine_version);
            fail(
                format!("Parameter group {name} is of the family {of}, and version {version} needs {}.", cluster.family),
                "Attach a parameter group of the family of the cluster's version.",
            )
        },
    );
    let mut verdicts = Verdicts::from([
        ("cluster.available", available),
        ("cluster.not_serverless_v1", serverless),
        ("cluster.not_limitless", limitless),
        ("cluster.not_global_secondary", secondary),
        ("cluster.babelfish_version", babelfish),
        ("param.group.family_matches", family),
        ("param.group.in_sync", in_sync(cluster)),
    ]);
    let iam = facts.pipe.authentication == Authentication::Iam;
    let only = || skip("It matters only with authentication \"iam\".");
    verdicts.insert("cluster.iam_authentication", if iam { iam_authentication(cluster) } else { only() });
    verdicts.insert("param.rds.iam_auth_for_replication", if iam { iam_for_replication(cluster) } else { only() });
    verdicts
}

fn in_sync(cluster: &Observed) -> Verdict {
    let Some(writer) = cluster.cluster.writer() else {
        return fail(
            format!("Cluster {} has no writer.", cluster.id()),
            "Add an instance to the cluster, or wait until one becomes the writer.",
        );
    };
    let waits = cluster.waiting().any(|member| member.writer);
    let name = &writer.identifier;
    judge(!waits, format!("The writer {name} runs with its parameter group."), || {
        fail(
            format!("The writer {name} waits for a reboot, until which it runs without the values of its parameter group."),
            format!("# This is an outage of the writer.\naws rds reboot-db-instance --db-instance-identifier {name}"),
        )
    })
}

fn iam_authentication(cluster: &Observed) -> Verdict {
    let id = cluster.id();
    judge(cluster.cluster.iam_authentication, format!("IAM database authentication of cluster {id} is on."), || {
        fail(
            format!("IAM database authentication of cluster {id} is off."),
            format!(
                "aws rds modify-db-cluster --db-cluster-identifier {id} --enable-iam-database-authentication --apply-immediately"
            ),
        )
    })
}

fn iam_for_replication(cluster: &Observed) -> Verdict {
    judge(cluster.attached.holds(IAM_FOR_REPLICATION, "1"), "A role that logs in with a token may replicate.", || {
        fail(
            format!("{IAM_FOR_REPLICATION} is not 1, so a role that logs in with a token cannot replicate."),
            parameter::remedy(IAM_FOR_REPLICATION, "1"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::check::Status;
    use super::super::fixture::{fit, source};
    use super::*;
    use crate::cluster::fixture::waiting;

    #[test]
    fn a_cluster_that_cannot_be_a_source_fails_at_the_reason() {
        let failing = |change: &dyn Fn(&mut Observed)| {
            let mut cluster = source();
            change(&mut cluster);
            let all = verdicts(&cluster, &fit());
            all.into_iter().filter(|(_, verdict)| verdict.status == Status::Fail).map(|(id, _)| id).collect::<Vec<_>>()
        };
        assert_eq!(failing(&|_| ()), [""; 0]);
        assert_eq!(failing(&|cluster| cluster.cluster.engine_mode = "serverless".to_owned()), ["cluster.not_serverless_v1"]);
        assert_eq!(failing(&|cluster| cluster.cluster.scalability_type = "limitless".to_owned()), ["cluster.not_limitless"]);
        assert_eq!(failing(&|cluster| cluster.cluster.status = "modifying".to_owned().into()), ["cluster.available"]);
        assert_eq!(
            failing(&|cluster| cluster.attached.family = "aurora-postgresql12".to_owned()),
            ["param.group.family_matches"]
        );
        assert_eq!(failing(&|cluster| *cluster = waiting(source(), &["shop-b"])), ["param.group.in_sync"]);
        assert_eq!(failing(&|cluster| cluster.cluster.members.clear()), ["param.group.in_sync"]);
        let replica = |cluster: &mut Observed| cluster.cluster.replication_source = Some("arn:other".to_owned());
        assert_eq!(failing(&replica), ["cluster.not_global_secondary"]);
    }

    #[test]
    fn iam_is_judged_only_where_the_pipe_uses_it() {
        let mut facts = fit();
        let status = |facts: &Facts| verdicts(&source(), facts)["cluster.iam_authentication"].status;
        assert_eq!(status(&facts), Status::Skipped);
        facts.pipe.authentication = Authentication::Iam;
        assert_eq!(status(&facts), Status::Fail);
    }
}
