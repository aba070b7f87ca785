//! A simulator, a provider that may be killed, and core, which keeps of it what Terraform keeps.

use std::time::{Duration, Instant};

use acceptance_tests::core_client::{Applied, CoreClient, DEADLINE, Failure, Object, Planned, TerraformCore, Value};
use acceptance_tests::processes;
use acceptance_tests::simulator::{self, Call, ClusterHandle, ClusterSpec, FaultSpec, Options, Simulator};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value as Json, json};

use super::wanted::{Mode, OWN, Values, custom, guide};
use super::{Fault, Step};

pub(super) const TYPE: &str = "clickpipes_aurora_source";
/// How many reads do not see a change, and how often a call is throttled or refused because of a state.
const SOME: u32 = 3;

pub(super) struct World {
    pub(super) simulator: Simulator,
    client: CoreClient,
    pub(super) core: TerraformCore,
    /// The arguments of the provider block.
    provider: Json,
}

impl World {
    pub(super) async fn start() -> Result<Self> {
        let simulator = Simulator::start(Options { time_scale: 0.0005, ..Options::default() })?;
        let client = CoreClient::start().await?;
        let core = TerraformCore::load(client.provider.clone()).await?;
        Ok(Self { simulator, client, core, provider: Json::Null })
    }

    pub(super) async fn close(self) -> Result<()> {
        self.client.close().await.map(drop)
    }

    /// The cluster with a group of its own, in which something else has set what a source of mode external verifies.
    pub(super) async fn cluster(&mut self, step: Step, id: &str) -> Result<ClusterHandle> {
        self.simulator.create_parameter_group(&custom(id), "aurora-postgresql15", &OWN)?;
        let is_external = |wanted: super::Wanted| wanted.mode() == Some(Mode::External) && wanted != super::Wanted::Unmanaged;
        let is_verified = is_external(step.before) || is_external(step.after);
        let spec = ClusterSpec::new(id).parameter_group(&custom(id));
        // Without SQL, mode external waits a minute for what members may report late.
        let cluster = self.simulator.create_cluster(if is_verified { spec } else { spec.without_postgres() }).await?;
        let mut provider = json!({ "aws": {
            "region": "us-east-1", "access_key": "an id", "secret_key": "a secret key", "max_attempts": 1,
            "endpoints": { "rds": self.simulator.url(), "sts": self.simulator.url() },
        } });
        if is_verified {
            provider["postgres"] = json!({
                "host": cluster.host, "port": cluster.port, "username": cluster.spec.admin_username,
                "password": cluster.spec.admin_password, "database": cluster.spec.database, "sslmode": "disable",
            });
            self.others_set(&cluster, &guide()).await?;
        }
        self.core.configure(&provider).await?;
        self.provider = provider;
        Ok(cluster)
    }

    /// Something else sets parameters in the cluster's own group.
    pub(super) async fn others_set(&self, cluster: &ClusterHandle, values: &Values) -> Result<()> {
        use aws_sdk_rds::types::Parameter;
        let group = custom(&cluster.spec.identifier);
        let parameter = |(name, value): (&String, &String)| {
            Parameter::builder().parameter_name(name).parameter_value(value).apply_method("pending-reboot".into()).build()
        };
        let call = self.simulator.rds().modify_db_cluster_parameter_group().db_cluster_parameter_group_name(group);
        call.set_parameters(Some(values.iter().map(parameter).collect())).send().await?;
        cluster.wait_until_available().await
    }

    /// An apply with a fault at the call of this action that comes after so many others of it. What core keeps afterwards is what
    /// Terraform keeps. Says whether the fault occurred.
    pub(super) async fn apply_with(
        &mut self,
        (fault, action, skip): (Fault, &str, u32),
        prior: Option<&Object>,
        planned: &Planned,
        config: &Value,
    ) -> Result<(Applied, bool)> {
        self.inject(fault, action, skip);
        let begun = Instant::now();
        let provider = self.core.provider();
        let mut met = false;
        let mut applying = Box::pin(self.core.apply(TYPE, prior, planned, config));
        let applied = loop {
            tokio::select! {
                applied = &mut applying => break applied,
                () = tokio::time::sleep(Duration::from_millis(5)), if !met => {}
            }
            ensure!(begun.elapsed() < DEADLINE, "the apply neither ends nor comes to the call");
            if self.simulator.hanging() == 0 {
                continue;
            }
            met = true;
            if fault.kills() {
                processes::kill(self.client.process.id())?;
            } else {
                let request = terraform_provider_clickpipes::proto::tfplugin6::stop_provider::Request {};
                provider.clone().stop_provider(request).await?;
            }
        };
        drop(applying);
        while self.simulator.hanging() > 0 {
            ensure!(begun.elapsed() < DEADLINE, "a call still hangs");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.simulator.clear_faults();
        self.simulator.clear_lags();
        let code = match fault {
            Fault::Refused => Some("AccessDenied"),
            Fault::AnswerLost => Some("AnswerLost"),
            Fault::Throttled => Some("Throttling"),
            Fault::WrongState => Some("Invalid"),
            _ => None,
        };
        let calls = self.simulator.calls();
        met |= fault == Fault::SeenLate;
        met |= code.is_some_and(|code| calls.iter().any(|call| call.error.as_ref().is_some_and(|error| error.starts_with(code))));
        if !(met && fault.kills()) {
            return Ok((applied?, met));
        }
        let failure = applied.err().context("an apply ended well although its provider was killed")?;
        ensure!(matches!(failure, Failure::Status(_)), "{failure:?}");
        self.restart().await?;
        // Of a provider that crashes in an update, Terraform keeps no private data; a destroy keeps the object.
        let object = prior.map(|prior| match config {
            Value::Null => prior.clone(),
            _ => Object { private: Vec::new(), ..prior.clone() },
        });
        Ok((Applied { object, failure: Some(failure), warnings: Vec::new() }, true))
    }

    fn inject(&self, fault: Fault, action: &str, skip: u32) {
        let (fault, count) = match fault {
            Fault::KilledBefore | Fault::Hangs => (simulator::Fault::Hang, 1),
            Fault::KilledAfter | Fault::AnswerHeld => (simulator::Fault::AnswerHeld, 1),
            Fault::Refused => (simulator::Fault::AccessDenied, 1),
            Fault::AnswerLost => (simulator::Fault::AnswerLost, 1),
            Fault::WrongState => (simulator::Fault::WrongState, SOME),
            Fault::Throttled => {
                let faults = self.simulator.faults();
                self.simulator.after_call(action, move || faults("*", simulator::Fault::Throttling, SOME));
                (simulator::Fault::Throttling, SOME)
            }
            Fault::SeenLate => {
                self.simulator.lag(action, SOME);
                self.simulator.lag("ParameterGroupStatus", SOME);
                return;
            }
        };
        self.simulator.inject(FaultSpec { action: action.to_owned(), fault, count, skip });
    }

    async fn restart(&mut self) -> Result<()> {
        let schemas = self.core.schemas().clone();
        self.client = CoreClient::start().await?;
        self.core = TerraformCore::with_schemas(self.client.provider.clone(), schemas);
        Ok(self.core.configure(&self.provider).await?)
    }

    /// The calls that were to change something and had their effect.
    pub(super) fn effects(&self) -> Vec<Call> {
        let is_effect = |call: &Call| call.is_mutating() && matches!(call.error.as_deref(), None | Some("AnswerLost"));
        self.simulator.calls().into_iter().filter(is_effect).collect()
    }

    /// The calls since the step that were to change something.
    pub(super) fn changes(&self) -> Vec<String> {
        let calls = self.simulator.calls().into_iter().filter(Call::is_mutating);
        let shown = |call: Call| {
            let values: Vec<&str> = call.parameters.values().map(String::as_str).collect();
            format!("  {} {} {}", call.action, values.join(" "), call.error.unwrap_or_default())
        };
        calls.map(shown).collect()
    }

    pub(super) fn config(&self, arguments: Option<&Json>) -> Result<Value> {
        match arguments {
            Some(arguments) => Ok(self.core.configuration(TYPE, arguments)?),
            None => Ok(Value::Null),
        }
    }
}
