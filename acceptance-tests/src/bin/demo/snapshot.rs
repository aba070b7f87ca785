//! What is visible of a cluster, before and after.

use std::fmt;

use acceptance_tests::simulator::{ClusterHandle, Simulator};
use anyhow::{Context as _, Result};

const PARAMETERS: [&str; 3] = ["rds.logical_replication", "wal_level", "wal_sender_timeout"];

const ROLES: &str = "SELECT rolname FROM pg_catalog.pg_roles WHERE oid >= 16384 ORDER BY rolname";
const PUBLICATIONS: &str = "SELECT pubname FROM pg_catalog.pg_publication ORDER BY pubname";
const SLOTS: &str = "SELECT slot_name FROM pg_catalog.pg_replication_slots ORDER BY slot_name";
/// Privileges of roles other than the owner, and default privileges: everything that a grant leaves behind. An owner's own
/// privileges are in the catalogue once anything was granted, and mean the same before.
const PRIVILEGES: &str = "
    WITH object (name, owner, acl) AS (
        SELECT 'database ' || datname, datdba, coalesce(datacl, acldefault('d', datdba))
        FROM pg_catalog.pg_database WHERE datname = current_database()
        UNION ALL
        SELECT 'schema ' || nspname, nspowner, coalesce(nspacl, acldefault('n', nspowner))
        FROM pg_catalog.pg_namespace WHERE nspname = 'shop'
        UNION ALL
        SELECT 'table ' || relname, relowner, coalesce(relacl, acldefault('r', relowner))
        FROM pg_catalog.pg_class WHERE relnamespace = 'shop'::regnamespace AND relkind = 'r'
        UNION ALL
        SELECT 'tables to come', defaclrole, defaclacl FROM pg_catalog.pg_default_acl
    )
    SELECT privilege_type || ' on ' || name || ' to ' || CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee)::text END
    FROM object, aclexplode(acl) WHERE grantee <> owner ORDER BY 1";

/// One snapshot.
#[derive(PartialEq)]
pub(crate) struct Snapshot {
    attached: String,
    parameters: Vec<(&'static str, String)>,
    groups: Vec<String>,
    roles: Vec<String>,
    publications: Vec<String>,
    slots: Vec<String>,
    privileges: Vec<String>,
}

impl Snapshot {
    /// Takes a snapshot of the cluster and of one of its databases.
    pub(crate) async fn take(simulator: &Simulator, cluster: &ClusterHandle, database: &str) -> Result<Self> {
        let mut parameters = Vec::new();
        for name in PARAMETERS {
            parameters.push((name, cluster.show(name).await?));
        }
        let client = cluster.superuser(database).await?;
        let column = async |query: &str| {
            let rows = client.query(query, &[]).await.context("looking at the catalogue")?;
            Ok::<Vec<String>, anyhow::Error>(rows.iter().map(|row| row.get(0)).collect())
        };
        let roles = column(&format!("SELECT name::text FROM ({ROLES}) AS role (name)")).await?;
        let publications = column(&format!("SELECT name::text FROM ({PUBLICATIONS}) AS publication (name)")).await?;
        let slots = column(&format!("SELECT name::text FROM ({SLOTS}) AS slot (name)")).await?;
        let privileges = column(PRIVILEGES).await?;
        let (attached, groups) = (cluster.parameter_group(), simulator.parameter_groups());
        Ok(Self { attached, parameters, groups, roles, publications, slots, privileges })
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |items: &[String]| if items.is_empty() { "none".to_owned() } else { items.join(", ") };
        writeln!(f, "    parameter group  {} (custom groups: {})", self.attached, list(&self.groups))?;
        for (name, value) in &self.parameters {
            writeln!(f, "    SHOW {name:<24} {value}")?;
        }
        writeln!(f, "    roles            {}", list(&self.roles))?;
        writeln!(f, "    publications     {}", list(&self.publications))?;
        writeln!(f, "    slots            {}", list(&self.slots))?;
        write!(f, "    privileges       {}", list(&self.privileges))
    }
}
