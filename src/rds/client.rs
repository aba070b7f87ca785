//! Makes the client out of the settings and the standard AWS chain.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_rds::config::{Credentials, SharedCredentialsProvider};

use super::error::Error;
use super::settings::Settings;

/// Tries of one call in all when the settings do not say.
const DEFAULT_MAX_ATTEMPTS: u32 = 8;
/// How long one try may take: a call of the control plane answers within seconds, so more is a dead connection.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const SESSION_NAME: &str = "terraform-provider-clickpipes";

/// The RDS API of one region, called as one principal. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) rds: aws_sdk_rds::Client,
    region: String,
    endpoint: String,
}

impl Client {
    /// Reads the standard chain where the settings are silent. Does not call RDS; with a role to assume and with SSO,
    /// credentials are fetched at the first call.
    ///
    /// # Errors
    /// [`Error::NoRegion`].
    pub async fn connect(settings: &Settings) -> Result<Self, Error> {
        let base = sdk_config(settings).await;
        let region = base.region().cloned().ok_or(Error::NoRegion)?;
        let endpoint = settings.endpoints.rds.clone().unwrap_or_else(|| format!("the RDS API of {region}"));
        let config = match &settings.assume_role {
            None => base,
            Some(role) => {
                let mut sts = base.to_builder();
                sts.set_endpoint_url(settings.endpoints.sts.clone());
                let mut provider = AssumeRoleProvider::builder(&role.role_arn)
                    .session_name(role.session_name.as_deref().unwrap_or(SESSION_NAME))
                    .configure(&sts.build());
                if let Some(external_id) = &role.external_id {
                    provider = provider.external_id(external_id);
                }
                base.to_builder().credentials_provider(SharedCredentialsProvider::new(provider.build().await)).build()
            }
        };
        let mut rds = aws_sdk_rds::config::Builder::from(&config);
        if let Some(url) = &settings.endpoints.rds {
            rds = rds.endpoint_url(url);
        }
        Ok(Self { rds: aws_sdk_rds::Client::from_conf(rds.build()), region: region.to_string(), endpoint })
    }

    /// The region that is called.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Turns an SDK result into ours, naming the action.
    pub(super) fn answer<T, E>(
        &self,
        action: &'static str,
        result: Result<T, aws_sdk_rds::error::SdkError<E, aws_sdk_rds::config::http::HttpResponse>>,
    ) -> Result<T, Error>
    where
        E: aws_sdk_rds::error::ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        result.map_err(|error| Error::from_sdk(action, &self.endpoint, error))
    }
}

async fn sdk_config(settings: &Settings) -> SdkConfig {
    let attempts = settings.max_attempts.unwrap_or(DEFAULT_MAX_ATTEMPTS).max(1);
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::standard().with_max_attempts(attempts))
        .timeout_config(
            TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT).build(),
        );
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    if !settings.shared_config_files.is_empty() {
        loader = loader.profile_files(profile_files(&settings.shared_config_files));
    }
    if let (Some(access_key), Some(secret_key)) = (&settings.access_key, &settings.secret_key) {
        loader = loader.credentials_provider(Credentials::new(
            access_key.expose(),
            secret_key.expose(),
            settings.token.as_ref().map(|token| token.expose().to_owned()),
            None,
            "provider configuration",
        ));
    }
    loader.load().await
}

// The replacement lives in a crate of the SDK's runtime that is no dependency of ours.
#[expect(deprecated, reason = "aws-config offers no other name for these")]
fn profile_files(paths: &[String]) -> aws_config::profile::profile_file::ProfileFiles {
    use aws_config::profile::profile_file::{Builder, ProfileFileKind};
    paths
        .iter()
        .fold(Builder::new(), |files, path| files.with_file(ProfileFileKind::Config, path))
        .include_default_credentials_file(true)
        .build()
}
