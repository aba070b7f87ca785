//! The environment variables of libpq that fill what the provider block leaves open.

use crate::secret::Secret;

/// Values of the `PG*` variables; empty ones count as unset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PostgresEnvironment {
    pub(crate) host: Option<String>,
    pub(crate) port: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
    pub(crate) database: Option<String>,
    pub(crate) sslmode: Option<String>,
    pub(crate) sslrootcert: Option<String>,
    pub(crate) connect_timeout: Option<String>,
}

impl PostgresEnvironment {
    /// Reads the variables of this process.
    pub(crate) fn read() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            host: variable("PGHOST"),
            port: variable("PGPORT"),
            user: variable("PGUSER"),
            password: variable("PGPASSWORD").map(Secret::new),
            database: variable("PGDATABASE"),
            sslmode: variable("PGSSLMODE"),
            sslrootcert: variable("PGSSLROOTCERT"),
            connect_timeout: variable("PGCONNECT_TIMEOUT"),
        }
    }

    /// What of it may be used for another cluster than the provider's: not the address, and no password. A token is signed for a
    /// user, which may have the same name on every cluster.
    pub(crate) fn of_another_cluster(&self) -> Self {
        Self { host: None, port: None, password: None, ..self.clone() }
    }
}
