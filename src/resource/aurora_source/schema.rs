//! The attributes of `clickpipes_aurora_source`.

use std::collections::BTreeMap;

use crate::resource::change::{ImpactModel, OnDestroy, managed_model};
use crate::resource::timeouts::Timeouts;
use crate::terraform::{
    Attr, AttributeValue, Diagnostic, Diagnostics, Kind, Trail, Type, Value, computed, model, optional, required,
};

model! {
    /// Prepares an existing Amazon Aurora PostgreSQL cluster for a ClickPipe: cluster parameters for logical replication, the
    /// parameter group that holds them, its attachment, and the reboot they need.
    ///
    /// By default, nothing is created if every wanted value is already in effect through the cluster's parameter group. Otherwise
    /// a new parameter group is created and attached; it carries over the settings of the current group. Destroying attaches the
    /// previous group again. `parameter_group.mode` selects another way.
    pub struct AuroraSource {
        /// Identifier of the DB cluster, in lower case. A change replaces the resource.
        cluster_identifier: String => required().requires_replace(),
        /// Let a destroy or a change of `parameters` turn off logical replication even if logical replication slots exist, or if
        /// no database connection can check this. Default: `false`. A change makes no AWS call.
        force_destroy: bool => optional().defaults_to(false),
        /// Whether IAM database authentication is on: the cluster's own setting, and the parameter `rds.iam_auth_for_replication`.
        /// Default: both are left as they are. A change is made in place. A destroy turns off only what this resource turned on.
        /// In mode `external` both are only verified. Set `iam_database_authentication_enabled` to the same value where
        /// `aws_rds_cluster` manages the cluster.
        iam_authentication: bool => optional(),
        /// The DB cluster parameter group that holds the parameters, and who manages it. Default: a group is created for the
        /// cluster. For changes, see its attributes.
        parameter_group: ParameterGroupSettings => optional(),
        /// Cluster parameters by name, in addition to `rds.logical_replication` = `1` and `wal_sender_timeout` = `0`, which can
        /// be overridden here. A `null` value leaves a parameter as it is. Default: only those two. Each parameter uses its own
        /// unit. A change modifies the group in place; a static parameter then waits for a reboot, which follows `reboot`. A
        /// parameter removed from the map returns to the value in the previous group, or with mode `in_place` to the value that
        /// it had before. In mode `external` the values are verified, not set.
        parameters: ParameterValues => optional(),
        /// Which members may be rebooted when parameters wait for a reboot: `never`, `writer`, or `all` (the writer first, then
        /// each reader that still waits, one at a time). A reboot is an outage: existing connections break. Default: `never`. A
        /// change reboots the waiting members that the new value allows.
        reboot: String => optional().defaults_to("never"),
        /// Values of other resources, for example of the `aws_rds_cluster_parameter_group` that is attached. Default: none. A
        /// change makes this resource look at the cluster again, in the same apply in which those resources changed it, and
        /// reboots the members that wait and that `reboot` allows.
        reboot_triggers: BTreeMap<String, String> => optional(),
        /// Tags of the parameter group that mode `dedicated` creates for the cluster, in addition to the provider's own. Default:
        /// none. A change is made in place.
        tags: BTreeMap<String, String> => optional(),
        /// How long each operation may take. Default: `1h` for create, update and delete, `5m` for read. A change makes no AWS
        /// call.
        timeouts: Timeouts => optional(),
        /// ARN of the cluster.
        arn: String => computed().keep_prior(),
        /// Resource id of the cluster (`cluster-...`), for IAM policies that allow database logins.
        cluster_resource_id: String => computed().keep_prior().requires_replace(),
        /// The operations that restore what was changed outside Terraform, as found at refresh; `[]` if there is no drift.
        drift: Vec<String> => computed().keep_prior(),
        /// Engine version of the cluster.
        engine_version: String => computed().keep_prior(),
        /// Writer endpoint.
        host: String => computed().keep_prior(),
        /// The cluster identifier.
        id: String => computed().keep_prior(),
        /// What `operations` mean to the users of the database; null if there are no operations.
        impact: ImpactModel => computed(),
        /// The members of the cluster, sorted by identifier.
        members: Vec<MemberState> => computed(),
        /// Name of the parameter group for the next major version: `clickpipes-<cluster>-<next_family>`, or the attached group once
        /// the cluster has that family; null without `parameter_group.next_family`.
        next_parameter_group_name: String => computed(),
        /// What a destroy would do, as of the last refresh.
        on_destroy: OnDestroy => computed(),
        /// The AWS calls that change something, in the order of the last plan.
        operations: Vec<String> => computed().keep_prior(),
        /// Family of the parameter group, for example `aurora-postgresql16`.
        parameter_group_family: String => computed().keep_prior(),
        /// Name of the parameter group attached to the cluster.
        parameter_group_name: String => computed(),
        /// Port of the cluster.
        port: i64 => computed().keep_prior(),
        /// Name of the parameter group that was attached before, and that a destroy attaches again; null if no group was created
        /// for the cluster.
        previous_parameter_group_name: String => computed(),
        /// Whether every wanted value is in effect on the writer.
        ready: bool => computed(),
        /// Whether a member runs without the values of its parameter group until it is rebooted.
        reboot_required: bool => computed(),
        /// Region of the cluster.
        region: String => computed().keep_prior(),
        /// Source type of a ClickPipe for this cluster: always `aurorapostgres`.
        source_type: String => computed().keep_prior(),
        /// Name that the server's certificate must have: the writer endpoint.
        tls_host: String => computed().keep_prior(),
        /// Identifier of the member that is the writer.
        writer_instance_id: String => computed(),
    }
}

model! {
    /// The DB cluster parameter group that holds the parameters, and who manages it.
    pub struct ParameterGroupSettings {
        /// Who manages the parameter group. `dedicated`: this resource creates one for the cluster, which carries over the
        /// settings of the current one. `in_place`: this resource sets only the wanted parameters in the cluster's own custom
        /// group. `external`: something else sets the parameters, usually `aws_rds_cluster_parameter_group`; this resource
        /// verifies them and reboots the members that `reboot` allows. Default: `dedicated`. A change to `external` changes
        /// nothing in AWS, and one from `external` is planned like a create. A change between `dedicated` and `in_place` is
        /// refused: go through `external`.
        mode: String => optional(),
        /// Name of the group that mode `dedicated` creates, in lower case. Default: `clickpipes-<cluster>-<family>`. A change
        /// creates a new group and deletes the old one.
        name: String => optional(),
        /// Family of the next major version, for example `aurora-postgresql17`: mode `dedicated` then keeps a second parameter group
        /// ready, `clickpipes-<cluster>-<next_family>`, with everything that the attached one sets and that family allows. Name it in
        /// the upgrade. Not together with `name`. Default: no second group. A change creates the new group and deletes the old one.
        /// The family that the cluster already has changes nothing.
        next_family: String => optional(),
    }
}

model! {
    /// A member of the cluster.
    pub struct MemberState {
        /// Identifier of the DB instance.
        identifier: String => computed(),
        /// Whether it runs with the parameter group: `in-sync`, `pending-reboot` or `applying`.
        parameter_group_status: String => computed(),
        /// Whether it is the writer.
        writer: bool => computed(),
    }
}

/// Parameter values by name; `None` leaves the parameter as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParameterValues(pub BTreeMap<String, Option<String>>);

impl AttributeValue for ParameterValues {
    fn kind() -> Kind {
        Kind::Plain(Type::Map(Box::new(Type::String)))
    }

    fn decode(value: &Value, trail: &Trail<'_>) -> Result<Self, Diagnostics> {
        let Value::Map(entries) = value else {
            return Err(Diagnostic::error("Wrong type", format!("Attribute {trail}: a map of strings is needed."))
                .at(trail.path())
                .into());
        };
        let mut diagnostics = Diagnostics::new();
        let mut values = BTreeMap::new();
        for (name, value) in entries {
            let decoded = if value.is_null() { Ok(None) } else { String::decode(value, &trail.key(name)).map(Some) };
            values.extend(diagnostics.absorb(decoded).map(|value| (name.clone(), value)));
        }
        diagnostics.into_result().map(|_| Self(values))
    }

    fn encode(&self) -> Value {
        let encode = |value: &Option<String>| value.as_ref().map_or(Value::Null, |value| Value::String(value.clone()));
        Value::Map(self.0.iter().map(|(name, value)| (name.clone(), encode(value))).collect())
    }
}

/// The resource.
#[derive(Clone, Debug)]
pub(crate) struct Source;

managed_model!(AuroraSource, drift);

impl AuroraSource {
    /// A cluster of which only the identifier is known.
    pub(super) fn named(id: &str) -> Self {
        Self { cluster_identifier: id.into(), id: id.into(), ..Self::default() }
    }

    /// The name configured for the parameter group.
    pub(super) fn group_name(&self) -> Attr<String> {
        self.group_setting(|settings| &settings.name)
    }

    /// The configured family of the next major version.
    pub(super) fn next_family(&self) -> Attr<String> {
        self.group_setting(|settings| &settings.next_family)
    }

    /// The configured mode.
    pub(super) fn mode(&self) -> Attr<String> {
        self.group_setting(|settings| &settings.mode)
    }

    fn group_setting(&self, setting: impl FnOnce(&ParameterGroupSettings) -> &Attr<String>) -> Attr<String> {
        match &self.parameter_group {
            Attr::Known(settings) => setting(settings).clone(),
            Attr::Unknown => Attr::Unknown,
            Attr::Null => Attr::Null,
        }
    }
}
