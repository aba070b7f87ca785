//! From the provider block to AWS settings. Pure.

use super::AwsModel;
use crate::aws::settings::{AssumeRole, Endpoints, Settings};
use crate::terraform::{AttributePath, Diagnostic, Diagnostics};

/// Checks the block; unknown values pass.
pub(crate) fn validate(model: &AwsModel) -> Diagnostics {
    let mut faults = Diagnostics::new();
    let path = |name: &str| AttributePath::of("aws").attribute(name);
    if let Some(attempts) = model.max_attempts.known()
        && !(1..=100).contains(attempts)
    {
        let detail = format!("aws.max_attempts is {attempts}; it must be between 1 and 100.");
        faults.push(Diagnostic::error("Number out of range", detail).at(path("max_attempts")));
    }
    for (name, given, other, missing) in [
        ("access_key", model.access_key.known().is_some(), "secret_key", model.secret_key.is_null()),
        ("secret_key", model.secret_key.known().is_some(), "access_key", model.access_key.is_null()),
        ("token", model.token.known().is_some(), "access_key", model.access_key.is_null()),
    ] {
        if given && missing {
            let detail = format!("aws.{name} is set without aws.{other}: set both, or neither to use the standard AWS chain.");
            faults.push(Diagnostic::error("Provider configuration is incomplete", detail).at(path(name)));
        }
    }
    if model.assume_role.known().is_some_and(|role| role.role_arn.is_null()) {
        let detail = "aws.assume_role.role_arn is needed to assume a role.";
        let path = path("assume_role").attribute("role_arn");
        faults.push(Diagnostic::error("Provider configuration is incomplete", detail).at(path));
    }
    faults
}

/// AWS settings.
pub(crate) fn resolve(model: &AwsModel) -> Settings {
    let assume_role = model.assume_role.known().and_then(|role| {
        Some(AssumeRole {
            role_arn: role.role_arn.known()?.clone(),
            session_name: role.session_name.known().cloned(),
            external_id: role.external_id.known().cloned(),
        })
    });
    let endpoints = model.endpoints.known().map(|endpoints| Endpoints {
        rds: endpoints.rds.known().cloned(),
        secrets_manager: endpoints.secretsmanager.known().cloned(),
        sts: endpoints.sts.known().cloned(),
    });
    Settings {
        region: model.region.known().cloned(),
        profile: model.profile.known().cloned(),
        shared_config_files: model.shared_config_files.known().cloned().unwrap_or_default(),
        assume_role,
        endpoints: endpoints.unwrap_or_default(),
        max_attempts: model.max_attempts.known().and_then(|attempts| u32::try_from(*attempts).ok()),
        access_key: model.access_key.known().cloned(),
        secret_key: model.secret_key.known().cloned(),
        token: model.token.known().cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn half_a_pair_of_keys_is_refused() {
        let model = AwsModel { secret_key: Secret::new("s").into(), ..AwsModel::default() };
        let faults = validate(&model);
        assert_eq!(
            faults.iter().next().and_then(|fault| fault.path.clone()),
            Some(AttributePath::of("aws").attribute("secret_key"))
        );
        assert!(validate(&AwsModel::default()).is_empty());
    }
}
