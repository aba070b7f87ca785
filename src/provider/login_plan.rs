//! From the provider block, the environment and the cluster to what a connection logs in with. Pure.

use super::PostgresModel;
use super::environment::PostgresEnvironment;
use crate::postgres::Login;
use crate::terraform::{AttributePath, Diagnostic, Diagnostics};

/// The master user of a cluster, as RDS shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MasterUser {
    pub(crate) username: Option<String>,
    /// ARN of the secret that RDS manages for it.
    pub(crate) secret_arn: Option<String>,
}

/// What a connection logs in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LoginPlan {
    /// A password of the configuration or the environment, or none.
    Given(Login),
    /// The password in a secret of Secrets Manager.
    Secret {
        arn: String,
        /// `None`: the secret contains it.
        user: Option<String>,
        /// Used if the secret contains none.
        fallback_user: Option<String>,
    },
    /// A token signed for each connection.
    Token { user: String },
}

/// Checks settings that exclude each other; unknown values pass.
pub(crate) fn validate(model: &PostgresModel) -> Diagnostics {
    let given = [
        ("password", model.password.known().is_some()),
        ("password_secret_arn", model.password_secret_arn.known().is_some()),
        ("iam_auth", model.iam_auth.known() == Some(&true)),
    ];
    let given: Vec<&str> = given.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect();
    let mut faults = Diagnostics::new();
    if let [first, second, ..] = given[..] {
        let path = AttributePath::of("postgres").attribute(second);
        let detail = format!("{path} and postgres.{first} both define how to log in. Remove one of the two.");
        faults.push(Diagnostic::error("Two ways to log in", detail).at(path));
    }
    if model.iam_auth.known() == Some(&true) && model.sslmode.known().is_some_and(|mode| mode == "disable") {
        faults.push(token_without_tls());
    }
    faults
}

/// A token would cross the network in clear text, and RDS refuses it without TLS.
pub(crate) fn token_without_tls() -> Diagnostic {
    let path = AttributePath::of("postgres").attribute("iam_auth");
    let detail = format!("{path} needs TLS: RDS accepts a token only over TLS. Remove sslmode = \"disable\" (or PGSSLMODE).");
    Diagnostic::error("An IAM token needs TLS", detail).at(path)
}

/// Whether nothing could log in to another cluster than the provider's: no secret that RDS manages, and no token.
pub(crate) fn is_closed(model: &PostgresModel, master: &MasterUser) -> bool {
    master.secret_arn.is_none() && model.iam_auth.known() != Some(&true)
}

/// What to log in with; `None` if no user is configured anywhere.
///
/// The block comes first, then the secret that RDS manages for the cluster's master user, then the environment.
pub(crate) fn resolve(
    model: &PostgresModel,
    environment: &PostgresEnvironment,
    master: Option<&MasterUser>,
) -> Option<LoginPlan> {
    let configured = model.username.known().cloned();
    let named = configured.clone().or_else(|| environment.user.clone());
    if model.iam_auth.known() == Some(&true) {
        return named.map(|user| LoginPlan::Token { user });
    }
    if let Some(arn) = model.password_secret_arn.known() {
        return Some(LoginPlan::Secret { arn: arn.clone(), user: configured, fallback_user: environment.user.clone() });
    }
    if let Some(password) = model.password.known() {
        return named.map(|user| LoginPlan::Given(Login { user, password: Some(password.clone()) }));
    }
    let of_master = master.filter(|master| configured.is_none() || configured == master.username);
    if let Some(MasterUser { secret_arn: Some(arn), username }) = of_master {
        return Some(LoginPlan::Secret { arn: arn.clone(), user: configured, fallback_user: username.clone() });
    }
    named.map(|user| LoginPlan::Given(Login { user, password: environment.password.clone() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use crate::terraform::Attr;

    fn environment() -> PostgresEnvironment {
        PostgresEnvironment {
            user: Some("env-user".to_owned()),
            password: Some(Secret::new("env")),
            ..PostgresEnvironment::default()
        }
    }

    fn master(secret: Option<&str>) -> MasterUser {
        MasterUser { username: Some("root".to_owned()), secret_arn: secret.map(str::to_owned) }
    }

    #[test]
    fn what_the_block_says_comes_first() {
        let managed = master(Some("arn:managed"));
        let resolve = |model: PostgresModel| resolve(&model, &environment(), Some(&managed)).unwrap();
        let given = PostgresModel { username: "root".into(), password: Secret::new("p").into(), ..PostgresModel::default() };
        let login = Login { user: "root".to_owned(), password: Some(Secret::new("p")) };
        assert_eq!(resolve(given), LoginPlan::Given(login));
        let secret = PostgresModel { password_secret_arn: "arn:own".into(), ..PostgresModel::default() };
        let fallback_user = Some("env-user".to_owned());
        assert_eq!(resolve(secret), LoginPlan::Secret { arn: "arn:own".to_owned(), user: None, fallback_user });
        let token = PostgresModel { iam_auth: true.into(), ..PostgresModel::default() };
        assert_eq!(resolve(token), LoginPlan::Token { user: "env-user".to_owned() });
    }

    #[test]
    fn the_managed_secret_is_the_master_users_only() {
        let nobody = PostgresEnvironment::default();
        let secret = |user: Option<&str>| LoginPlan::Secret {
            arn: "arn:m".to_owned(),
            user: user.map(str::to_owned),
            fallback_user: Some("root".to_owned()),
        };
        let managed = master(Some("arn:m"));
        assert_eq!(resolve(&PostgresModel::default(), &nobody, Some(&managed)), Some(secret(None)));
        // PGUSER and PGPASSWORD of another server do not override it.
        assert_eq!(resolve(&PostgresModel::default(), &environment(), Some(&managed)), Some(secret(None)));
        let root = PostgresModel { username: "root".into(), ..PostgresModel::default() };
        assert_eq!(resolve(&root, &environment(), Some(&managed)), Some(secret(Some("root"))));
        let other = PostgresModel { username: "other".into(), ..PostgresModel::default() };
        let login = Login { user: "other".to_owned(), password: Some(Secret::new("env")) };
        assert_eq!(resolve(&other, &environment(), Some(&managed)), Some(LoginPlan::Given(login)));
        assert_eq!(resolve(&PostgresModel::default(), &nobody, Some(&master(None))), None);
    }

    #[test]
    fn two_ways_to_log_in_and_a_token_in_clear_are_refused() {
        let paths = |model: PostgresModel| -> Vec<String> {
            validate(&model).iter().filter_map(|fault| fault.path.as_ref().map(ToString::to_string)).collect()
        };
        let two = PostgresModel { password: Secret::new("p").into(), iam_auth: true.into(), ..PostgresModel::default() };
        assert_eq!(paths(two), ["postgres.iam_auth"]);
        let clear = PostgresModel { iam_auth: true.into(), sslmode: "disable".into(), ..PostgresModel::default() };
        assert_eq!(paths(clear), ["postgres.iam_auth"]);
        let open = PostgresModel { password: Attr::Unknown, password_secret_arn: Attr::Unknown, ..PostgresModel::default() };
        assert!(paths(open).is_empty());
        let off = PostgresModel { password: Secret::new("p").into(), iam_auth: false.into(), ..PostgresModel::default() };
        assert!(paths(off).is_empty());
    }
}
