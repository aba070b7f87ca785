//! What a test injects around calls: hooks before them, and answers that no well-behaved API sends.

use acceptance_tests::simulator::{ClusterSpec, Fault};

use crate::{sdk, simulator};

#[tokio::test]
async fn a_hook_runs_before_the_next_call_has_its_effect() {
    let simulator = simulator();
    let cluster = simulator.create_cluster(ClusterSpec::new("orders").without_postgres()).await.unwrap();
    simulator.before_call("DescribeDBClusters", move || cluster.leave_pending("EngineVersion", "15.12"));
    for _ in 0..2 {
        let answer = sdk(&simulator).describe_db_clusters().db_cluster_identifier("orders").send().await.unwrap();
        let pending = answer.db_clusters()[0].pending_modified_values().and_then(|pending| pending.engine_version());
        assert_eq!(pending, Some("15.12"));
    }
}

#[tokio::test]
async fn an_answer_is_about_another_object_or_its_list_does_not_end() {
    let simulator = simulator();
    simulator.create_cluster(ClusterSpec::new("orders").without_postgres()).await.unwrap();
    let client = sdk(&simulator);
    simulator.inject_fault("DescribeDBClusters", Fault::AnotherIdentifier, 1);
    for expected in ["another", "orders"] {
        let answer = client.describe_db_clusters().db_cluster_identifier("orders").send().await.unwrap();
        assert_eq!(answer.db_clusters()[0].db_cluster_identifier(), Some(expected));
    }
    for (fault, is_endless) in [(Fault::MarkerRepeats, false), (Fault::MarkerNeverEnds, true)] {
        simulator.inject_fault("DescribeGlobalClusters", fault, 2);
        let mut markers = Vec::new();
        for _ in 0..3 {
            let answer = client.describe_global_clusters().set_marker(markers.last().cloned().flatten()).send().await;
            // The real list does not know the marker.
            markers.push(answer.ok().and_then(|answer| answer.marker));
        }
        assert!(markers[0].is_some() && markers[2].is_none(), "{markers:?}");
        assert_eq!(markers[0] != markers[1], is_endless, "{markers:?}");
    }
}
