//! What the API describes and refuses.

use acceptance_tests::simulator::{ClusterSpec, Fault, FaultSpec, GlobalMembership, Options, Simulator};
use aws_sdk_rds::error::ProvideErrorMetadata;
use aws_sdk_rds::types::{ApplyMethod, DbCluster, Filter, Parameter, Tag};

use crate::{sdk, simulator};

#[tokio::test]
async fn a_cluster_is_described_with_what_aws_shows() {
    let simulator = simulator();
    let client = sdk(&simulator);
    let cluster =
        simulator.create_cluster(ClusterSpec::new("orders").engine_version("16.6").members(3).without_postgres()).await.unwrap();
    cluster.leave_pending("EngineVersion", "16.8");
    let described = client.describe_db_clusters().db_cluster_identifier("orders").send().await.unwrap();
    let described = &described.db_clusters()[0];
    assert_eq!(described.db_cluster_arn(), Some(cluster.arn.as_str()));
    assert_eq!(described.db_cluster_resource_id(), Some(cluster.resource_id.as_str()));
    assert_eq!((described.endpoint(), described.port()), (Some(cluster.host.as_str()), Some(5432)));
    assert_eq!(
        (described.engine(), described.engine_version(), described.engine_mode()),
        (Some("aurora-postgresql"), Some("16.6"), Some("provisioned"))
    );
    assert_eq!(described.iam_database_authentication_enabled(), Some(false));
    assert_eq!(described.db_cluster_parameter_group(), Some("default.aurora-postgresql16"));
    let members: Vec<_> = described
        .db_cluster_members()
        .iter()
        .map(|member| (member.db_instance_identifier().unwrap(), member.is_cluster_writer().unwrap()))
        .collect();
    assert_eq!(members, [("orders-1", true), ("orders-2", false), ("orders-3", false)]);
    assert_eq!(described.pending_modified_values().unwrap().engine_version(), Some("16.8"));

    let instances = client.describe_db_instances().db_instance_identifier("orders-2").send().await.unwrap();
    assert_eq!(instances.db_instances()[0].db_cluster_identifier(), Some("orders"));
    assert_eq!(instances.db_instances()[0].db_instance_status(), Some("available"));

    let versions = client.describe_db_engine_versions().engine("aurora-postgresql").engine_version("16.6").send().await.unwrap();
    assert_eq!(versions.db_engine_versions()[0].db_parameter_group_family(), Some("aurora-postgresql16"));

    let missing = client.describe_db_clusters().db_cluster_identifier("nothing").send().await.unwrap_err();
    assert!(missing.into_service_error().is_db_cluster_not_found_fault());
}

#[tokio::test]
async fn parameters_come_in_pages_with_their_sources() {
    let simulator = simulator();
    let client = sdk(&simulator);
    simulator.create_parameter_group("own", "aurora-postgresql15", &[("rds.logical_replication", "1")]).unwrap();
    let all: Result<Vec<_>, _> = client
        .describe_db_cluster_parameters()
        .db_cluster_parameter_group_name("own")
        .into_paginator()
        .items()
        .send()
        .collect()
        .await;
    let all = all.unwrap();
    assert!(all.len() > 20, "{}", all.len());
    let find = |name: &str| all.iter().find(|parameter| parameter.parameter_name() == Some(name)).unwrap();
    let logical = find("rds.logical_replication");
    assert_eq!(
        (logical.source(), logical.apply_type(), logical.parameter_value(), logical.is_modifiable()),
        (Some("user"), Some("static"), Some("1"), Some(true))
    );
    assert_eq!(find("wal_level").is_modifiable(), Some(false));
    assert_eq!(find("wal_sender_timeout").source(), Some("engine-default"));
    assert_eq!(find("wal_sender_timeout").parameter_value(), None);

    let user =
        client.describe_db_cluster_parameters().db_cluster_parameter_group_name("own").source("user").send().await.unwrap();
    assert_eq!(user.parameters().len(), 1);
    let defaults = client
        .describe_db_cluster_parameters()
        .db_cluster_parameter_group_name("default.aurora-postgresql15")
        .send()
        .await
        .unwrap();
    assert!(defaults.marker().is_some() && !defaults.parameters().is_empty());
    let engine = client
        .describe_engine_default_cluster_parameters()
        .db_parameter_group_family("aurora-postgresql16")
        .send()
        .await
        .unwrap();
    assert!(!engine.engine_defaults().unwrap().parameters().is_empty());
}

#[tokio::test]
async fn wrong_changes_of_parameters_are_refused() {
    let simulator = simulator();
    let client = sdk(&simulator);
    simulator.create_parameter_group("own", "aurora-postgresql15", &[]).unwrap();
    let set = |group: &'static str, parameters: Vec<(&'static str, &'static str)>| {
        let parameters = parameters.into_iter().map(|(name, value)| {
            Parameter::builder().parameter_name(name).parameter_value(value).apply_method(ApplyMethod::PendingReboot).build()
        });
        let request = client
            .modify_db_cluster_parameter_group()
            .db_cluster_parameter_group_name(group)
            .set_parameters(Some(parameters.collect()));
        async move { request.send().await.map(drop).map_err(|error| error.code().unwrap_or("no code").to_owned()) }
    };
    let invalid = || Err("InvalidParameterValue".to_owned());
    assert_eq!(set("own", vec![("no.such.parameter", "1")]).await, invalid());
    assert_eq!(set("own", vec![("rds.logical_replication", "on")]).await, invalid());
    assert_eq!(set("own", vec![("wal_level", "logical")]).await, invalid());
    assert_eq!(set("own", vec![("wal_sender_timeout", "0"); 21]).await, invalid());
    assert_eq!(set("default.aurora-postgresql15", vec![("wal_sender_timeout", "0")]).await, invalid());
    assert_eq!(set("missing", vec![("wal_sender_timeout", "0")]).await, Err("DBParameterGroupNotFound".to_owned()));
    assert_eq!(simulator.parameter_group("own").unwrap().len(), 0);
    assert_eq!(set("own", vec![("wal_sender_timeout", "0"); 20]).await, Ok(()));
}

#[tokio::test]
async fn groups_and_their_tags_come_and_go() {
    let simulator = simulator();
    let client = sdk(&simulator);
    simulator.create_cluster(ClusterSpec::new("orders").without_postgres()).await.unwrap();
    let create = |name: &'static str| {
        let tag = Tag::builder().key("previous").value("default.aurora-postgresql15").build();
        client
            .create_db_cluster_parameter_group()
            .db_cluster_parameter_group_name(name)
            .db_parameter_group_family("aurora-postgresql16")
            .description("d")
            .tags(tag)
            .send()
    };
    let arn =
        create("own").await.unwrap().db_cluster_parameter_group().unwrap().db_cluster_parameter_group_arn().unwrap().to_owned();
    assert_eq!(create("own").await.unwrap_err().code(), Some("DBParameterGroupAlreadyExists"));
    assert_eq!(create("bad--name").await.unwrap_err().code(), Some("InvalidParameterValue"));
    client.add_tags_to_resource().resource_name(&arn).tags(Tag::builder().key("b").value("2").build()).send().await.unwrap();
    client.remove_tags_from_resource().resource_name(&arn).tag_keys("previous").send().await.unwrap();
    let tags = client.list_tags_for_resource().resource_name(&arn).send().await.unwrap();
    assert_eq!(tags.tag_list().iter().map(|tag| (tag.key().unwrap(), tag.value().unwrap())).collect::<Vec<_>>(), [("b", "2")]);

    let wrong_family =
        client.modify_db_cluster().db_cluster_identifier("orders").db_cluster_parameter_group_name("own").send().await;
    assert_eq!(wrong_family.unwrap_err().code(), Some("InvalidParameterCombination"));
    client.delete_db_cluster_parameter_group().db_cluster_parameter_group_name("own").send().await.unwrap();
    let gone = client.describe_db_cluster_parameter_groups().db_cluster_parameter_group_name("own").send().await.unwrap_err();
    assert_eq!(gone.code(), Some("DBParameterGroupNotFound"));
}

#[tokio::test]
async fn faults_come_after_the_calls_that_they_let_pass() {
    let simulator = simulator();
    let client = sdk(&simulator);
    simulator.create_cluster(ClusterSpec::new("orders").without_postgres()).await.unwrap();
    simulator.inject(FaultSpec { action: "*".to_owned(), fault: Fault::InternalFailure, count: 3, skip: 1 });
    client.describe_db_clusters().send().await.unwrap();
    // The SDK gives up after three attempts.
    assert_eq!(client.describe_db_clusters().send().await.unwrap_err().code(), Some("InternalFailure"));
    client.describe_db_clusters().send().await.unwrap();
    simulator.inject_fault("DescribeDBClusters", Fault::AccessDenied, 1);
    assert_eq!(client.describe_db_clusters().send().await.unwrap_err().code(), Some("AccessDenied"));
    assert_eq!(simulator.calls().len(), 6);
}

#[tokio::test]
async fn clusters_that_are_to_be_refused_can_be_described() {
    let simulator = simulator();
    let client = sdk(&simulator);
    let primary = simulator
        .create_cluster(ClusterSpec {
            global: Some(GlobalMembership { identifier: "world".to_owned(), primary_arn: None }),
            ..ClusterSpec::new("primary").without_postgres()
        })
        .await
        .unwrap();
    let place = GlobalMembership { identifier: "world".to_owned(), primary_arn: Some(primary.arn.clone()) };
    let secondary = simulator
        .create_cluster(ClusterSpec { global: Some(place), ..ClusterSpec::new("secondary").without_postgres() })
        .await
        .unwrap();
    for spec in [
        ClusterSpec {
            engine: "aurora-mysql".to_owned(),
            engine_version: "8.0.mysql_aurora.3.05.2".to_owned(),
            ..ClusterSpec::new("mysql")
        },
        ClusterSpec::new("old").engine_version("11.9"),
        ClusterSpec { engine_mode: "serverless".to_owned(), ..ClusterSpec::new("serverless").without_postgres() },
        ClusterSpec {
            replication_source: Some("arn:aws:rds:us-east-1:1:db:x".to_owned()),
            ..ClusterSpec::new("replica").without_postgres()
        },
    ] {
        let identifier = spec.identifier.clone();
        simulator.create_cluster(spec).await.unwrap();
        let described = client.describe_db_clusters().db_cluster_identifier(&identifier).send().await.unwrap();
        assert_eq!(described.db_clusters().len(), 1, "{identifier}");
    }
    let globals = client.describe_global_clusters().send().await.unwrap();
    let members = globals.global_clusters()[0].global_cluster_members();
    assert_eq!(
        members.iter().map(|member| (member.db_cluster_arn().unwrap(), member.is_writer().unwrap())).collect::<Vec<_>>(),
        [(primary.arn.as_str(), true), (secondary.arn.as_str(), false)]
    );
}

#[tokio::test]
async fn a_filter_names_several_clusters_and_their_instances_in_pages() {
    let simulator = Simulator::start(Options { page_size: 2, ..Options::default() }).unwrap();
    let client = sdk(&simulator);
    let mut arn = String::new();
    for identifier in ["a", "b", "c", "d"] {
        arn = simulator.create_cluster(ClusterSpec::new(identifier).without_postgres()).await.unwrap().arn;
    }
    let filter = |values: &[&str]| {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Filter::builder().name("db-cluster-id").set_values(Some(values)).build()
    };
    let asked = filter(&["b", "nothing", "a", arn.as_str()]);
    let first = client.describe_db_clusters().filters(asked.clone()).send().await.unwrap();
    let names = |clusters: &[DbCluster]| -> Vec<String> {
        clusters.iter().filter_map(|cluster| cluster.db_cluster_identifier().map(str::to_owned)).collect()
    };
    assert_eq!(names(first.db_clusters()), ["a", "b"]);
    let rest = client.describe_db_clusters().filters(asked).set_marker(first.marker).send().await.unwrap();
    assert_eq!((names(rest.db_clusters()), rest.marker), (vec!["d".to_owned()], None));
    let none = client.describe_db_clusters().filters(filter(&["nothing"])).send().await.unwrap();
    assert!(none.db_clusters().is_empty());
    let instances = client.describe_db_instances().filters(filter(&["c"])).send().await.unwrap();
    let instances: Vec<_> = instances.db_instances().iter().filter_map(|instance| instance.db_instance_identifier()).collect();
    assert_eq!(instances, ["c-1", "c-2"]);
    let unknown = client.describe_db_clusters().filters(Filter::builder().name("color").values("red").build()).send().await;
    assert_eq!(unknown.unwrap_err().code(), Some("InvalidAction"));
}

#[tokio::test]
async fn a_policy_denies_one_cluster_or_every_call_that_names_none() {
    let simulator = simulator();
    let client = sdk(&simulator);
    for identifier in ["a", "b"] {
        simulator.create_cluster(ClusterSpec::new(identifier).without_postgres()).await.unwrap();
    }
    let named = |identifier: &'static str| {
        let call = client.describe_db_clusters().db_cluster_identifier(identifier).send();
        async move { call.await.map(drop).map_err(|error| error.code().unwrap_or("no code").to_owned()) }
    };
    let denied = Err("AccessDenied".to_owned());
    simulator.deny("DescribeDBClusters", "b");
    assert_eq!((named("a").await, named("b").await), (Ok(()), denied.clone()));
    client.describe_db_clusters().send().await.unwrap();
    simulator.deny_unnamed("DescribeDBClusters");
    let filter = Filter::builder().name("db-cluster-id").values("a").build();
    assert_eq!(client.describe_db_clusters().filters(filter).send().await.unwrap_err().code(), Some("AccessDenied"));
    assert_eq!(client.describe_db_clusters().send().await.unwrap_err().code(), Some("AccessDenied"));
    assert_eq!(named("a").await, Ok(()));
    client.describe_db_instances().send().await.unwrap();
    simulator.allow_everything();
    client.describe_db_clusters().send().await.unwrap();
    assert_eq!(named("b").await, Ok(()));
}
