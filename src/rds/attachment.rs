//! Which cluster of the region has which parameter group.

use super::client::Client;
use super::cluster::DESCRIBE;
use super::pages::Pages;
use crate::aws::Error;

/// A cluster with the parameter group that is attached to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// `DBClusterIdentifier`.
    pub cluster: String,
    /// `DBClusterParameterGroup`.
    pub parameter_group: String,
}

/// Whether a group is attached to any of these clusters.
pub fn is_attached(attachments: &[Attachment], parameter_group: &str) -> bool {
    attachments.iter().any(|attachment| attachment.parameter_group == parameter_group)
}

/// The clusters, apart from this one, that a group is attached to.
pub fn attached_elsewhere<'a>(
    attachments: &'a [Attachment],
    parameter_group: &'a str,
    cluster: &'a str,
) -> impl Iterator<Item = &'a str> {
    let others = attachments.iter().filter(move |attachment| attachment.cluster != cluster);
    others.filter(move |attachment| attachment.parameter_group == parameter_group).map(|attachment| attachment.cluster.as_str())
}

impl Client {
    /// Lists the clusters of the region with their parameter groups.
    ///
    /// # Errors
    /// Any failed call.
    pub async fn list_attachments(&self) -> Result<Vec<Attachment>, Error> {
        let mut attachments = Vec::new();
        let mut pages = Pages::of(DESCRIBE);
        let mut marker = None;
        loop {
            let result = self.rds.describe_db_clusters().set_marker(marker).send().await;
            let output = self.answer(DESCRIBE, result)?;
            attachments.extend(output.db_clusters.unwrap_or_default().into_iter().filter_map(|cluster| {
                Some(Attachment { cluster: cluster.db_cluster_identifier?, parameter_group: cluster.db_cluster_parameter_group? })
            }));
            marker = pages.next(output.marker)?;
            if marker.is_none() {
                return Ok(attachments);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_itself_is_not_elsewhere() {
        let attachment =
            |cluster: &str, group: &str| Attachment { cluster: cluster.to_owned(), parameter_group: group.to_owned() };
        let all = [attachment("shop", "a"), attachment("orders", "a"), attachment("billing", "b")];
        assert_eq!(attached_elsewhere(&all, "a", "shop").collect::<Vec<_>>(), ["orders"]);
        assert_eq!(attached_elsewhere(&all, "c", "shop").count(), 0);
    }
}
