//! What the provider costs: configurations of a given size, and runs of terraform that are counted and timed.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::cpu;
use crate::rig::{ADMIN, APPLICATION, DATABASE, Rig};
use crate::slow_network::{SlowNetwork, Traffic};

/// The ephemeral variable that gives every user its password.
const PASSWORD: &str = "variable \"password\" {\n  type = string\n  ephemeral = true\n}\n";

/// A rig whose provider connects through a network that counts.
pub struct CountingRig {
    /// The cluster and the workspace.
    pub rig: Rig,
    /// The network between them.
    pub network: SlowNetwork,
}

/// Number of tables created in one transaction.
const AT_ONCE: usize = 500;

/// What one run of terraform cost.
#[derive(Debug, Clone, Copy)]
pub struct RunCost {
    /// Statements in the server's log, if it counts. A simple query with several statements, such as the set-up of a session, counts
    /// once.
    pub statements: usize,
    /// What went over the network that counts.
    pub traffic: Traffic,
    /// Of the whole run.
    pub wall: Duration,
    /// Processor time of the sessions of the server.
    pub server: Duration,
    /// Processor time of terraform and of the provider's processes.
    pub client: Duration,
}

impl CountingRig {
    /// A cluster with logical replication, room for locks on very many tables, and nothing in its database.
    ///
    /// # Errors
    /// If the machine lacks something; the message names it.
    pub async fn start() -> Result<Self> {
        let parameters = [("rds.logical_replication", "1"), ("max_locks_per_transaction", "1024")];
        let mut rig = Rig::start_with_parameters(&parameters).await?;
        rig.tf.set_env("TF_VAR_password", "a-password-of-some-length");
        // The trace would take most of the time of a plan.
        rig.tf.set_env("TF_LOG", "");
        let network = SlowNetwork::to(format!("{}:{}", rig.cluster.host, rig.cluster.port).parse()?).await?;
        rig.dial(network.address())?;
        Ok(Self { rig, network })
    }

    /// Counts statements and round trips, or not: the network in between and the server's log cost time and work themselves.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn count(&self, counts: bool) -> Result<()> {
        let cluster = &self.rig.cluster;
        let (address, logged) = match counts {
            true => (self.network.address(), "all"),
            false => (format!("{}:{}", cluster.host, cluster.port).parse()?, "none"),
        };
        self.rig.dial(address)?;
        let superuser = cluster.superuser(DATABASE).await?;
        Ok(superuser.batch_execute(&format!("ALTER ROLE {ADMIN} SET log_statement = '{logged}'")).await?)
    }

    /// Creates `schemas` schemas `s0`, `s1`, ... with `tables` tables `t0`, `t1`, ... each.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn make_tables(&self, schemas: usize, tables: usize) -> Result<()> {
        self.make_tables_in(DATABASE, schemas, tables).await
    }

    /// The same in any database.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn make_tables_in(&self, database: &str, schemas: usize, tables: usize) -> Result<()> {
        let admin = self.rig.cluster.admin(database).await?;
        for schema in 0..schemas {
            admin.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS s{schema}")).await?;
            let tables: Vec<usize> = (0..tables).collect();
            for some in tables.chunks(AT_ONCE) {
                let mut sql = String::new();
                for table in some {
                    let _ = write!(sql, "CREATE TABLE IF NOT EXISTS s{schema}.t{table} (id int PRIMARY KEY);");
                }
                admin.batch_execute(&sql).await?;
            }
        }
        Ok(())
    }

    /// Plans, and expects nothing to do.
    ///
    /// # Errors
    /// If the plan fails or is not empty.
    pub async fn plan(&self) -> Result<RunCost> {
        self.plan_with(&[]).await
    }

    /// The same with more arguments, such as `-refresh=false`.
    ///
    /// # Errors
    /// If the plan fails or is not empty.
    pub async fn plan_with(&self, arguments: &[&str]) -> Result<RunCost> {
        self.run(&[&["plan", "-detailed-exitcode"], arguments].concat()).await
    }

    /// Runs terraform.
    ///
    /// # Errors
    /// If it fails.
    pub async fn run(&self, arguments: &[&str]) -> Result<RunCost> {
        let data = self.rig.cluster.server()?.data();
        let statements = self.statements()?;
        let (server, client) = (cpu::of_ended_sessions(&data, ADMIN).await?, cpu::of_commands()?);
        self.network.take_traffic();
        let started = Instant::now();
        let outcome = self.rig.tf.run(arguments.iter().chain(&["-no-color", "-input=false"])).await?;
        let wall = started.elapsed();
        let traffic = self.network.take_traffic();
        outcome.succeeded()?;
        Ok(RunCost {
            statements: self.statements()? - statements,
            traffic,
            wall,
            server: cpu::of_ended_sessions(&data, ADMIN).await? - server,
            client: cpu::of_commands()? - client,
        })
    }

    fn statements(&self) -> Result<usize> {
        let statements = self.rig.cluster.statements()?;
        Ok(statements.iter().filter(|statement| statement.application == APPLICATION).count())
    }
}

/// One user that reads `schemas` schemas, and a publication of `tables` tables of each.
pub fn one_source(schemas: usize, tables: usize) -> String {
    let names: Vec<String> = (0..schemas).map(|schema| format!("\"s{schema}\"")).collect();
    let published: Vec<String> =
        (0..schemas).flat_map(|schema| (0..tables).map(move |table| format!("\"s{schema}.t{table}\""))).collect();
    [PASSWORD.to_owned(), user("pipe", DATABASE, &names.join(", ")), publication("pipe", &published.join(", "))].concat()
}

/// A publication of `tables` tables of the schema `s0`.
pub fn one_publication(tables: usize) -> String {
    let published: Vec<String> = (0..tables).map(|table| format!("\"s0.t{table}\"")).collect();
    publication("pipe", &published.join(", "))
}

/// Users that read `schemas` schemas, distributed over these databases.
pub fn users_of_databases(users: usize, schemas: usize, databases: &[&str]) -> String {
    let names: Vec<String> = (0..schemas).map(|schema| format!("\"s{schema}\"")).collect();
    let databases = databases.iter().cycle();
    let all = (0..users).zip(databases).map(|(number, database)| user(&format!("pipe{number}"), database, &names.join(", ")));
    PASSWORD.to_owned() + &all.collect::<String>()
}

/// As many users as publications, of the schema `s0` and its table `t0`.
pub fn many(users: usize) -> String {
    let pairs = (0..users).map(|number| {
        let name = format!("pipe{number}");
        user(&name, DATABASE, "\"s0\"") + &publication(&name, "\"s0.t0\"")
    });
    PASSWORD.to_owned() + &pairs.collect::<String>()
}

/// The same number of resources that are built into Terraform: the cost of Terraform alone.
pub fn floor(resources: usize) -> String {
    (0..resources).map(|number| format!("resource \"terraform_data\" \"d{number}\" {{\n  input = \"{number}\"\n}}\n")).collect()
}

fn user(name: &str, database: &str, schemas: &str) -> String {
    format!(
        "resource \"clickpipes_replication_user\" \"{name}\" {{\n  name = \"{name}\"\n  database = \"{database}\"\n  \
         password_wo = var.password\n  password_wo_version = 1\n  schemas = [{schemas}]\n}}\n"
    )
}

fn publication(name: &str, tables: &str) -> String {
    format!(
        "resource \"clickpipes_publication\" \"{name}\" {{\n  name = \"{name}\"\n  database = \"{DATABASE}\"\n  \
         tables = [{tables}]\n}}\n"
    )
}
