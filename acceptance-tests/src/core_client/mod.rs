//! Plays Terraform core: starts the provider's binary as go-plugin does, reads the handshake line and speaks the protocol over
//! mutual TLS ([`CoreClient`]); and judges the answers by core's own rules ([`TerraformCore`]).
//!
//! Values, codec and rules are written for this client and share no code with the provider, so that a mistake in the provider is
//! not repeated here. [`TerraformCore::live`] takes a resource through its whole life.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use acceptance_tests::core_client::CoreClient;
//!
//! let mut core = CoreClient::start().await?;
//! let request = terraform_provider_clickpipes::proto::tfplugin6::get_provider_schema::Request {};
//! core.provider.get_provider_schema(request).await?;
//! let exit = core.close().await?;
//! assert!(exit.status.success());
//! # Ok(())
//! # }
//! ```

mod cty_notation;
mod decimal;
mod failure;
mod function;
mod identity;
mod life;
pub mod msgpack;
mod object;
mod path;
mod process;
mod proposed_new;
pub mod rules;
pub mod schema;
mod schemas;
pub mod state_json;
mod terraform_core;
mod transport;
mod value;
mod value_type;

use std::{ffi::OsStr, path::Path as FilePath, time::Duration};

use anyhow::Context as _;
use terraform_provider_clickpipes::proto::{
    plugin::{Empty, grpc_controller_client::GrpcControllerClient},
    tfplugin6::provider_client::ProviderClient,
};
use tokio::process::Command;
use tonic::transport::Channel;

pub use decimal::Decimal;
pub use failure::{Failure, errors};
pub use function::{Function, Parameter};
pub use identity::Identity;
pub use life::{Lived, Subject};
pub use object::{Applied, Object, Planned};
pub use path::{Path, Step};
pub use process::{Exit, HandshakeLine, ProviderProcess, host_command, host_command_of};
pub use schemas::{Kind, Schemas};
pub use terraform_core::{Found, FunctionFault, Opened, TerraformCore, Version, Walk, message};
pub use transport::{Credentials, connect, connect_over, connect_plaintext};
pub use value::{Refinement, Value};
pub use value_type::Type;

/// How long anything that should happen soon may take: far beyond what it takes on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// A provider process and the one connection to it.
pub struct CoreClient {
    /// The provider's RPCs. Clones share the connection.
    pub provider: ProviderClient<Channel>,
    /// The process.
    pub process: ProviderProcess,
    channel: Channel,
}

impl CoreClient {
    /// Starts the provider and connects as Terraform does.
    ///
    /// # Errors
    /// If the binary does not build, start or let us in.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with_env(std::iter::empty::<(&str, &str)>()).await
    }

    /// Like [`CoreClient::start`], with more environment variables.
    ///
    /// # Errors
    /// As [`CoreClient::start`].
    pub async fn start_with_env<K, V>(variables: impl IntoIterator<Item = (K, V)>) -> anyhow::Result<Self>
    where
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        let identity = Identity::new()?;
        let mut command = host_command(&identity)?;
        command.envs(variables);
        Self::over(command, &identity).await
    }

    /// Runs `command`, which was built for `identity`, and connects as Terraform does.
    ///
    /// # Errors
    /// As [`CoreClient::start`].
    pub async fn over(command: Command, identity: &Identity) -> anyhow::Result<Self> {
        Self::connect(ProviderProcess::start(command).await?, identity).await
    }

    /// The same if `command` makes `root` the root directory of the provider, which announces its socket as it sees it.
    ///
    /// # Errors
    /// As [`CoreClient::start`].
    pub async fn over_in_root(command: Command, identity: &Identity, root: &FilePath) -> anyhow::Result<Self> {
        let mut process = ProviderProcess::start(command).await?;
        let socket = process.line.socket.strip_prefix("/").context("the socket's path is not absolute")?;
        process.line.socket = root.join(socket);
        Self::connect(process, identity).await
    }

    async fn connect(process: ProviderProcess, identity: &Identity) -> anyhow::Result<Self> {
        let channel = connect(&process.line, Credentials::Pinned(identity)).await?;
        // As in Terraform: practically no limit.
        let provider = ProviderClient::new(channel.clone()).max_decoding_message_size(i32::MAX as usize);
        Ok(Self { provider, process, channel })
    }

    /// The connection, for go-plugin's own services.
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Asks the process to end, as Terraform does when it no longer needs the provider, and waits until it has ended.
    ///
    /// # Errors
    /// If Shutdown is not answered or the process stays.
    pub async fn close(self) -> anyhow::Result<Exit> {
        let mut controller = GrpcControllerClient::new(self.channel);
        controller.shutdown(Empty {}).await.context("Shutdown was not answered")?;
        self.process.exit(DEADLINE).await
    }

    /// Drops the connection silently, as if Terraform was killed, and waits for the process to end. Make a call first: until then
    /// the provider may not have finished its side of the TLS handshake, and it ignores a peer that leaves before that.
    ///
    /// # Errors
    /// If the process stays.
    pub async fn vanish(self) -> anyhow::Result<Exit> {
        drop(self.provider);
        drop(self.channel);
        self.process.exit(DEADLINE).await
    }
}
