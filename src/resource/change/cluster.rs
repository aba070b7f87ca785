//! The cluster of an object: its server, whether an argument names another one, and whether it is gone or was looked for in the
//! wrong place.

use super::message;
use crate::aws::Place;
use crate::failure::Failure;
use crate::postgres::{Server, Site};
use crate::provider::{Context, stop};
use crate::terraform::{Attr, Diagnostic};

/// The server of a cluster; `None` is the one in the provider block. `before` is where the object was last seen.
///
/// # Errors
/// [`Failure::Missing`] if the cluster was deleted.
pub(super) async fn server(context: &Context, named: Option<&str>, before: Option<&Site>) -> Result<Server, Failure> {
    let other = named.filter(|_| context.own_cluster().is_ok_and(|own| own != named));
    match (context.postgres(named).await, other) {
        (Err(Failure::NoCluster(missing)), Some(other)) => Err(absent(context, other, before, missing).await?),
        (server, _) => server,
    }
}

/// What it means that a cluster was not found: it is gone, if it was looked for where it was, and has no other identifier now.
async fn absent(context: &Context, named: &str, before: Option<&Site>, missing: Diagnostic) -> Result<Failure, Failure> {
    let arn = before.and_then(|site| site.arn.as_ref());
    let Some((arn, was)) = arn.and_then(|arn| Some((arn, Place::of_arn(arn)?))) else { return Ok(Failure::NoCluster(missing)) };
    let place = context.place().await?;
    if place != was {
        return Ok(message::cluster_looked_elsewhere(named, arn, &place).into());
    }
    let Some(resource_id) = before.and_then(|site| site.cluster.as_ref()) else { return Ok(Failure::Missing(missing)) };
    let rds = context.rds().await?;
    let now = stop::ends(context.cancel(), "AWS to describe clusters", Box::pin(rds.find_identifier(resource_id))).await?;
    Ok(now.map_or(Failure::Missing(missing), |now| message::cluster_renamed(named, resource_id, &now).into()))
}

/// Whether `cluster_identifier` names another cluster than the one that the object is on, or is not known. `own` is the one in the
/// provider block, `seen` where the object was last seen.
pub(super) fn is_another(own: Option<&str>, seen: Option<&Site>, before: &Attr<String>, proposed: &Attr<String>) -> bool {
    let seen_on = seen.and_then(|site| site.arn.as_deref()).and_then(identifier);
    let is_on = seen_on.or(before.known().map(String::as_str)).or(own.filter(|_| before.is_null()));
    match proposed {
        _ if proposed == before => false,
        Attr::Unknown => true,
        Attr::Known(named) => is_on.is_some_and(|is_on| is_on != named),
        Attr::Null => is_on.zip(own).is_some_and(|(is_on, own)| is_on != own),
    }
}

/// The identifier of a cluster in its ARN.
fn identifier(arn: &str) -> Option<&str> {
    arn.rsplit_once(":cluster:").map(|(_, identifier)| identifier)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(cluster: &str) -> Site {
        let arn = Some(format!("arn:aws:rds:eu-west-1:123456789012:cluster:{cluster}"));
        Site { system: Some(1), cluster: None, arn, iam_authentication: None, database: 5 }
    }

    #[test]
    fn only_another_cluster_or_an_unknown_one_replaces() {
        let (null, unknown) = (Attr::Null, Attr::Unknown);
        let [a, b] = ["a", "b"].map(Attr::<String>::from);
        let seen = on("a");
        let is = |own, before, proposed| is_another(own, Some(&seen), before, proposed);
        assert!(!is(Some("a"), &null, &a) && !is(Some("a"), &a, &null), "the provider's own");
        assert!(is(Some("a"), &null, &b) && is(Some("b"), &a, &null), "another");
        assert!(is(Some("a"), &null, &unknown) && is(Some("a"), &a, &unknown), "not known");
        assert!(!is(None, &a, &null) && !is(None, &null, &a), "a host in the provider block may be that cluster");
        // What is not changed replaces nothing: the refresh says that the provider block leads elsewhere now.
        assert!(!is(Some("b"), &null, &null) && !is(Some("b"), &unknown, &unknown));
        let unseen = |own, before, proposed| is_another(own, None, before, proposed);
        assert!(unseen(None, &a, &b) && unseen(Some("a"), &null, &b) && !unseen(None, &null, &b));
    }
}
