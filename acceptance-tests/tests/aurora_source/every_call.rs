//! A create that fails at the first call, at the second, and so on to the last: each time it leaves no state, and the next apply
//! resumes it.

use acceptance_tests::core_client::CoreClient;
use acceptance_tests::simulator::{Call, ClusterSpec, Fault, FaultSpec, Options, Simulator};
use anyhow::{Context as _, ensure};
use serde_json::{Map, Value, json};
use terraform_provider_clickpipes::proto::tfplugin6::{
    DynamicValue, Schema, apply_resource_change, configure_provider, diagnostic::Severity, get_provider_schema,
    plan_resource_change, schema::Attribute,
};

const TYPE: &str = "clickpipes_aurora_source";
const NIL: [u8; 1] = [0xc0];
/// The calls that set a cluster up, each of which must succeed exactly once.
const CHANGES: [&str; 4] =
    ["CreateDBClusterParameterGroup", "ModifyDBClusterParameterGroup", "ModifyDBCluster", "RebootDBInstance"];

#[tokio::test]
async fn a_create_that_fails_at_any_call_is_taken_up_again() -> anyhow::Result<()> {
    let simulator = Simulator::start(Options { time_scale: 0.0005, ..Options::default() })?;
    let mut core = Core::configured(&simulator).await?;
    let mut failed = 0;
    for skip in 0.. {
        let identifier = format!("shop{skip}");
        let cluster = simulator.create_cluster(ClusterSpec::new(&identifier).without_postgres()).await?;
        let plan = core.plan(&identifier).await?;
        simulator.clear_calls();
        // Throttling and outages would be waited out.
        let fault = if skip % 2 == 0 { Fault::AccessDenied } else { Fault::DecryptionFailure };
        simulator.inject(FaultSpec { action: "*".to_owned(), fault, count: 1, skip });
        let outcome = core.apply(&identifier, &plan).await?;
        simulator.clear_faults();
        let injected = |code: &str| matches!(code, "AccessDenied" | "KMSKeyNotAccessibleFault");
        if !simulator.calls().iter().any(|call| call.error.as_deref().is_some_and(injected)) {
            ensure!(outcome.diagnostics.iter().all(|said| said.severity() != Severity::Error), "{:?}", outcome.diagnostics);
            break;
        }
        let is_list = |call: &Call| {
            ["DBClusterIdentifier", "DBClusterParameterGroupName", "ResourceName"]
                .iter()
                .all(|name| !call.parameters.contains_key(*name))
                && ["DescribeGlobalClusters", "DescribeDBClusters", "DescribeDBClusterParameterGroups"]
                    .contains(&call.action.as_str())
        };
        let is_optional = |call: &Call| is_list(call) && call.error.as_deref() == Some("AccessDenied");
        if simulator.calls().iter().any(is_optional) {
            // A permission that a source can do without.
            ensure!(outcome.diagnostics.iter().all(|said| said.severity() != Severity::Error), "{:?}", outcome.diagnostics);
            continue;
        }
        let calls: Vec<String> = simulator.calls().iter().map(|call| format!("{} {:?}", call.action, call.error)).collect();
        ensure!(
            outcome.diagnostics.iter().any(|said| said.severity() == Severity::Error),
            "call {skip} failed and the create did not: {calls:#?}"
        );
        ensure!(is_null(outcome.new_state.as_ref()), "call {skip} failed and left a state: {calls:#?}");
        failed += 1;

        let plan = core.plan(&identifier).await?;
        let outcome = core.apply(&identifier, &plan).await?;
        let errors: Vec<_> = outcome.diagnostics.iter().filter(|said| said.severity() == Severity::Error).collect();
        ensure!(errors.is_empty(), "after call {skip} failed: {errors:?}\n{calls:#?}");
        ensure!(!is_null(outcome.new_state.as_ref()));
        let calls = simulator.calls();
        let done: Vec<&str> =
            calls.iter().filter(|call| call.is_mutating() && call.error.is_none()).map(|call| call.action.as_str()).collect();
        ensure!(done == CHANGES, "after call {skip} failed, both tries together did {done:?}");
        let writer = cluster.members().into_iter().find(|member| member.writer).context("no writer")?;
        ensure!(writer.parameter_group_status == "in-sync", "after call {skip} failed: {writer:?}");
    }
    ensure!(failed > 20, "only {failed} calls were tried");
    core.client.close().await?;
    Ok(())
}

/// A configured provider that is called without terraform, to save time.
struct Core {
    client: CoreClient,
    /// The attributes of the resource.
    attributes: Vec<String>,
}

impl Core {
    async fn configured(simulator: &Simulator) -> anyhow::Result<Self> {
        let mut client = CoreClient::start().await?;
        let schemas = client.provider.get_provider_schema(get_provider_schema::Request {}).await?.into_inner();
        let provider = schemas.provider.context("the provider has no schema")?;
        let top = &provider.block.as_ref().context("the provider has no block")?.attributes;
        let aws_attributes = nested(top, "aws")?;
        let endpoints =
            object(&all(nested(aws_attributes, "endpoints")?), json!({ "rds": simulator.url(), "sts": simulator.url() }));
        let aws = object(
            &all(aws_attributes),
            json!({
                "region": "us-east-1", "access_key": "an id", "secret_key": "a secret key", "max_attempts": 1, "endpoints": endpoints,
            }),
        );
        let config = object(&names(&provider), json!({ "aws": aws }));
        let answer = client
            .provider
            .configure_provider(configure_provider::Request { config: Some(encode(&config)), ..Default::default() })
            .await?;
        ensure!(answer.get_ref().diagnostics.is_empty(), "{:?}", answer.get_ref().diagnostics);
        let schema = schemas.resource_schemas.get(TYPE).context("there is no such resource")?;
        Ok(Self { client, attributes: names(schema) })
    }

    fn config(&self, cluster: &str) -> DynamicValue {
        encode(&object(&self.attributes, json!({ "cluster_identifier": cluster, "reboot": "writer" })))
    }

    async fn plan(&mut self, cluster: &str) -> anyhow::Result<plan_resource_change::Response> {
        let config = self.config(cluster);
        let request = plan_resource_change::Request {
            type_name: TYPE.to_owned(),
            prior_state: Some(nil()),
            proposed_new_state: Some(config.clone()),
            config: Some(config),
            ..Default::default()
        };
        let plan = self.client.provider.plan_resource_change(request).await?.into_inner();
        ensure!(plan.diagnostics.iter().all(|said| said.severity() != Severity::Error), "{:?}", plan.diagnostics);
        Ok(plan)
    }

    async fn apply(
        &mut self,
        cluster: &str,
        plan: &plan_resource_change::Response,
    ) -> anyhow::Result<apply_resource_change::Response> {
        let request = apply_resource_change::Request {
            type_name: TYPE.to_owned(),
            prior_state: Some(nil()),
            planned_state: plan.planned_state.clone(),
            config: Some(self.config(cluster)),
            planned_private: plan.planned_private.clone(),
            ..Default::default()
        };
        Ok(self.client.provider.apply_resource_change(request).await?.into_inner())
    }
}

fn names(schema: &Schema) -> Vec<String> {
    schema.block.as_ref().map(|block| all(&block.attributes)).unwrap_or_default()
}

fn all(attributes: &[Attribute]) -> Vec<String> {
    attributes.iter().map(|attribute| attribute.name.clone()).collect()
}

/// The attributes of the nested attribute with this name.
fn nested<'a>(attributes: &'a [Attribute], name: &str) -> anyhow::Result<&'a [Attribute]> {
    let attribute = attributes.iter().find(|attribute| attribute.name == name);
    let nested = attribute.and_then(|attribute| attribute.nested_type.as_ref());
    Ok(&nested.with_context(|| format!("the provider has no {name}"))?.attributes)
}

/// An object with all these attributes, null where no value is given.
fn object(attributes: &[String], given: Value) -> Value {
    let mut object: Map<String, Value> = attributes.iter().map(|name| (name.clone(), Value::Null)).collect();
    object.extend(given.as_object().cloned().unwrap_or_default());
    Value::Object(object)
}

fn encode(value: &Value) -> DynamicValue {
    DynamicValue { json: value.to_string().into_bytes(), msgpack: Vec::new() }
}

fn nil() -> DynamicValue {
    DynamicValue { msgpack: NIL.to_vec(), json: Vec::new() }
}

fn is_null(value: Option<&DynamicValue>) -> bool {
    value.is_none_or(|value| value.msgpack == NIL)
}
