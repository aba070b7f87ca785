//! Arguments and results of `clickpipes_readiness`. Pure.

use crate::names;
use crate::postgres::QualifiedTable;
use crate::printable::{printable, printable_line};
use crate::provider::PipeLogin;
use crate::readiness::{Authentication, Block, Check, Pipe, Rule};
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics, computed, model, optional};

model! {
    /// Whether a pipe will work, before there is one: a catalogue of checks of the cluster, the server, the pipe's role, the tables
    /// and the publication. They repeat what ClickPipes validates when a pipe is created, and bring forward what it would only meet
    /// later. Nothing is changed.
    ///
    /// A check that fails does not fail the plan. Use `ready` or `checks` in a `check` block, in a `precondition` of the pipe, or in
    /// an output. The answers are those of the moment: a data source that depends on resources which are still to be changed is read
    /// after they are.
    ///
    /// What AWS refuses to tell is `unknown`, and so is what the provider's role may not see.
    pub struct ReadinessModel {
        /// How the pipe logs in: `password` or `iam`. Default: `password`.
        authentication: String => optional(),
        /// All checks, in the same order every time.
        checks: Vec<CheckModel> => computed(),
        /// Cluster of the source. Default: the server that the provider block connects to, and the cluster that it names. Without a
        /// cluster, nothing is asked of AWS.
        cluster_identifier: String => optional(),
        /// Database of the source. Default: `postgres.database` of the provider block.
        database: String => optional(),
        /// The addresses that the pipe connects from, such as `ips` of `clickpipes_static_ips`. Default: `net.sg_allows` is skipped.
        egress_ips: Vec<String> => optional(),
        /// Name of the environment variable that has the password of the pipe's role where Terraform runs. With it, or with
        /// `password_secret_arn`, or with `authentication` `iam`, the data source also logs in as that role and opens a
        /// replication connection, as the pipe would. Default: it does not log in.
        password_env: String => optional(),
        /// ARN of the secret that has the password of the pipe's role: a JSON object with `password`, or the password itself.
        /// Default: it does not log in.
        password_secret_arn: String => optional(),
        /// The publication that the pipe reads. Default: none, and its checks are skipped.
        publication_name: String => optional(),
        /// Whether no check of severity `error` has failed or is unknown.
        ready: bool => computed(),
        /// Name that the pipe is to give its replication slot. Default: `slot.name_free` is skipped.
        replication_slot_name: String => optional(),
        /// What the security groups of the cluster let in: `ingress` of `aws_security_group` fits. Default: `net.sg_allows` is
        /// skipped.
        security_group_ingress: Vec<IngressModel> => optional(),
        /// The tables to replicate, each as `schema.table`. Default: those of the publication.
        tables: Vec<String> => optional(),
        /// The role that the pipe logs in as. Default: none, and its checks are skipped.
        username: String => optional(),
    }
}

model! {
    /// A check.
    pub struct CheckModel {
        /// Its name, such as `param.wal_level`.
        id: String => computed(),
        /// What was found.
        message: String => computed(),
        /// What makes the check pass: something to paste (SQL, HCL or a command of the AWS CLI), or advice where nothing can be pasted. Null
        /// unless it failed.
        remedy: String => computed(),
        /// `error`: a pipe cannot be created, or the application's writes fail. `warning`: a pipe works, but not for ever or not for
        /// everything. `info`: it never fails.
        severity: String => computed(),
        /// `pass`, `fail`, `skipped` (it does not apply, or was not asked for) or `unknown` (it could not be found out).
        status: String => computed(),
    }
}

model! {
    /// A rule of a security group.
    pub struct IngressModel {
        /// The addresses that are let in.
        cidr_blocks: Vec<String> => optional(),
        /// First port.
        from_port: i64 => optional(),
        /// `tcp`, or `-1` for everything.
        protocol: String => optional(),
        /// Last port.
        to_port: i64 => optional(),
    }
}

/// What the pipe is to be.
///
/// # Errors
/// Invalid arguments, each with its path.
pub(super) fn pipe(config: &ReadinessModel) -> Result<Pipe, Diagnostics> {
    let mut faults = names::place_faults(&config.cluster_identifier, &config.database);
    let role = faults.absorb(names::name(&config.username, "username")).flatten();
    let publication = faults.absorb(names::name(&config.publication_name, "publication_name")).flatten();
    let tables = faults.absorb(names::names(&config.tables, "tables", "table name", str::parse::<QualifiedTable>)).flatten();
    let addresses = faults.absorb(names::names(&config.egress_ips, "egress_ips", "address", str::parse::<Block>)).flatten();
    let login = login(config);
    let authentication = if login.uses_tokens() { Authentication::Iam } else { Authentication::Password };
    faults.extend(login.faults());
    let rules = config.security_group_ingress.known().map(|rules| {
        let rules = rules.iter().enumerate();
        rules.filter_map(|(index, rule)| faults.absorb(decoded(rule, index))).collect()
    });
    faults.into_result()?;
    Ok(Pipe {
        role,
        authentication,
        publication,
        slot: config.replication_slot_name.known().cloned(),
        tables: tables.unwrap_or_default(),
        addresses: addresses.unwrap_or_default(),
        rules,
    })
}

/// How the pipe's role logs in.
pub(super) fn login(config: &ReadinessModel) -> PipeLogin<'_> {
    PipeLogin {
        authentication: &config.authentication,
        password_env: &config.password_env,
        password_secret_arn: &config.password_secret_arn,
        username: &config.username,
    }
}

fn decoded(rule: &IngressModel, index: usize) -> Result<Rule, Diagnostics> {
    let path = || AttributePath::of("security_group_ingress").index(index).attribute("cidr_blocks");
    let blocks = rule.cidr_blocks.known().into_iter().flatten().enumerate();
    let block = |(at, text): (usize, &String)| {
        text.parse::<Block>().map_err(|fault| {
            let detail = format!("{}.", printable_line(&fault.to_string()));
            Diagnostic::error("Invalid block of addresses", detail).at(path().index(at)).into()
        })
    };
    let blocks = blocks.map(block).collect::<Result<_, Diagnostics>>()?;
    let protocol = rule.protocol.known().map_or("-1", String::as_str);
    let everything = matches!(protocol, "-1" | "all");
    let port = |port: &Attr<i64>, otherwise| port.known().copied().unwrap_or(otherwise);
    // A rule about everything has the ports 0 to 0.
    let ports = if everything { 0..=65535 } else { port(&rule.from_port, 0)..=port(&rule.to_port, 65535) };
    Ok(Rule { blocks, ports, is_tcp: everything || matches!(protocol, "tcp" | "6") })
}

/// The configuration with the checks added.
pub(super) fn answered(config: &ReadinessModel, checks: Vec<Check>) -> ReadinessModel {
    let ready = !checks.iter().any(Check::blocks);
    let shown = |check: Check| CheckModel {
        id: check.id.into(),
        message: Attr::Known(printable_line(&check.message)),
        remedy: check.remedy.map(|remedy| printable(&remedy)).into(),
        severity: check.severity.word().into(),
        status: check.status.word().into(),
    };
    let checks: Vec<CheckModel> = checks.into_iter().map(shown).collect();
    ReadinessModel { ready: ready.into(), checks: checks.into(), ..config.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(config: ReadinessModel) -> Vec<String> {
        let faults = pipe(&config).err().unwrap_or_default();
        faults.iter().map(|fault| fault.path.as_ref().map(ToString::to_string).unwrap_or_default()).collect()
    }

    #[test]
    fn each_fault_is_at_its_argument() {
        let text = |text: &str| Attr::Known(text.to_owned());
        let config = ReadinessModel::default;
        assert_eq!(faults(config()), [""; 0]);
        assert_eq!(faults(ReadinessModel { authentication: text("oauth"), ..config() }), ["authentication"]);
        assert_eq!(faults(ReadinessModel { username: text(""), ..config() }), ["username"]);
        assert_eq!(faults(ReadinessModel { tables: vec!["a.b".to_owned(), "c".to_owned()].into(), ..config() }), ["tables[1]"]);
        assert_eq!(faults(ReadinessModel { egress_ips: vec!["10.0.0.0/40".to_owned()].into(), ..config() }), ["egress_ips[0]"]);
        assert_eq!(faults(ReadinessModel { password_env: text("X"), ..config() }), ["password_env"]);
        let with_user = || ReadinessModel { username: text("pipe"), password_env: text("X"), ..config() };
        assert_eq!(faults(with_user()), [""; 0]);
        assert_eq!(faults(ReadinessModel { authentication: text("iam"), ..with_user() }), ["password_env"]);
        assert_eq!(faults(ReadinessModel { password_secret_arn: text("arn"), ..with_user() }), ["password_secret_arn"]);
        let rule = IngressModel { cidr_blocks: vec!["x".to_owned()].into(), ..IngressModel::default() };
        let rules = ReadinessModel { security_group_ingress: vec![rule].into(), ..config() };
        assert_eq!(faults(rules), ["security_group_ingress[0].cidr_blocks[0]"]);
    }

    #[test]
    fn a_rule_about_everything_has_all_ports() {
        let everything =
            IngressModel { protocol: "-1".into(), from_port: 0.into(), to_port: 0.into(), ..IngressModel::default() };
        let rule = decoded(&everything, 0).unwrap();
        assert!(rule.is_tcp && rule.ports.contains(&5432));
        let udp = IngressModel { protocol: "udp".into(), ..IngressModel::default() };
        assert!(!decoded(&udp, 0).unwrap().is_tcp);
    }
}
