//! Who calls AWS, and where: built from the settings and the standard chain, shared by the clients of all services.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_rds::config::{Credentials, SharedCredentialsProvider};

use super::error::Error;
use super::roots;
use super::settings::{Endpoints, Settings};

/// Attempts per call, unless the settings say otherwise.
const DEFAULT_MAX_ATTEMPTS: u32 = 8;
/// How long one attempt may take. The control plane answers within seconds, so a longer call means a dead connection.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
/// Time limit for opening a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const SESSION_NAME: &str = "terraform-provider-clickpipes";

/// Credentials, region and addresses. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Session {
    config: SdkConfig,
    region: String,
    endpoints: Endpoints,
}

impl Session {
    /// Uses the standard chain for everything that the settings leave out. Makes no call: with a role to assume and with SSO,
    /// credentials are fetched at the first call.
    ///
    /// # Errors
    /// [`Error::NoRegion`].
    pub async fn connect(settings: &Settings) -> Result<Self, Error> {
        let base = sdk_config(settings).await;
        let region = base.region().map(ToString::to_string).ok_or(Error::NoRegion)?;
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
        Ok(Self { config, region, endpoints: settings.endpoints.clone() })
    }

    /// The region in use.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The same principal in another region; the addresses do not change.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        let config = self.config.to_builder().region(Region::new(region.to_owned())).build();
        Self { config, region: region.to_owned(), endpoints: self.endpoints.clone() }
    }

    /// Addresses that replace AWS's own.
    pub(crate) fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The configuration that the SDK's clients are built from.
    pub(crate) fn config(&self) -> &SdkConfig {
        &self.config
    }
}

async fn sdk_config(settings: &Settings) -> SdkConfig {
    let attempts = settings.max_attempts.unwrap_or(DEFAULT_MAX_ATTEMPTS).max(1);
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::standard().with_max_attempts(attempts))
        .timeout_config(
            TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT).build(),
        );
    if let Some(client) = roots::http_client() {
        loader = loader.http_client(client);
    }
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

// The replacement is in a crate of the SDK's runtime that is not our dependency.
#[expect(deprecated, reason = "aws-config offers no other name for these")]
fn profile_files(paths: &[String]) -> aws_config::profile::profile_file::ProfileFiles {
    use aws_config::profile::profile_file::{Builder, ProfileFileKind};
    paths
        .iter()
        .fold(Builder::new(), |files, path| files.with_file(ProfileFileKind::Config, path))
        .include_default_credentials_file(true)
        .build()
}
