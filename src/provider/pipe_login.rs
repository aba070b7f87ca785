//! What a pipe's role logs in with, for whoever logs in in its place: a password that is fetched where Terraform runs, or a token.

use super::Context;
use crate::aws::TokenRequest;
use crate::failure::Failure;
use crate::postgres::{Identifier, Login, LoginSource, Server};
use crate::secret::Secret;
use crate::terraform::{Attr, Diagnostic, Diagnostics};

/// How the role logs in: arguments that several kinds have.
#[derive(Clone, Copy)]
pub(crate) struct PipeLogin<'a> {
    pub(crate) authentication: &'a Attr<String>,
    /// Name of an environment variable.
    pub(crate) password_env: &'a Attr<String>,
    pub(crate) password_secret_arn: &'a Attr<String>,
    pub(crate) username: &'a Attr<String>,
}

impl PipeLogin<'_> {
    /// Whether it logs in with a token.
    pub(crate) fn uses_tokens(&self) -> bool {
        self.authentication.known().is_some_and(|word| word == "iam")
    }

    /// What is wrong with the arguments; unknown ones pass.
    pub(crate) fn faults(&self) -> Diagnostics {
        let mut faults = Diagnostics::new();
        if self.authentication.known().is_some_and(|word| !matches!(word.as_str(), "password" | "iam")) {
            faults.push(Diagnostic::invalid("authentication", "it must be \"password\" or \"iam\""));
        }
        let given = [("password_env", self.password_env), ("password_secret_arn", self.password_secret_arn)];
        // One that is not known yet may turn out to be null.
        let mut given = given.into_iter().filter(|(_, value)| value.known().is_some()).map(|(name, _)| name);
        if let Some(first) = given.next() {
            if self.uses_tokens() {
                let fault = "with authentication \"iam\" the role logs in with a token, and there is no password";
                faults.push(Diagnostic::invalid(first, fault));
            }
            if self.username.is_null() {
                faults.push(Diagnostic::invalid(first, "username says whose password it is, and is missing"));
            }
        }
        let both = "only one of password_env and password_secret_arn can be given";
        faults.extend(given.next().map(|second| Diagnostic::invalid(second, both)));
        faults
    }
}

impl Context {
    /// The login of a pipe's role at a server; `None`: nothing is given to log in with. A token is for the `endpoint` that RDS knows,
    /// which the local end of a tunnel is not.
    ///
    /// # Errors
    /// What is given cannot be had.
    pub(crate) async fn pipe_login(
        &self,
        login: PipeLogin<'_>,
        role: &Identifier,
        server: &Server,
        endpoint: Option<(String, u16)>,
    ) -> Result<Option<LoginSource>, Failure> {
        let proof = match (login.password_secret_arn.known(), login.password_env.known()) {
            (Some(arn), _) => self.secret_password(arn).await?,
            (None, Some(variable)) => in_environment(variable)?,
            (None, None) if login.uses_tokens() => {
                let settings = server.settings();
                let (host, port) = endpoint.unwrap_or_else(|| (settings.server_name().to_owned(), settings.port));
                self.sign(&TokenRequest { host, port, username: role.as_str().to_owned() }).await?
            }
            (None, None) => return Ok(None),
        };
        Ok(Some(LoginSource::Given(Login { user: role.as_str().to_owned(), password: Some(proof) })))
    }
}

/// An empty one is a variable that a job could not fill.
fn in_environment(variable: &str) -> Result<Secret, Diagnostic> {
    let password = std::env::var(variable).ok().filter(|password| !password.is_empty());
    password.map(Secret::new).ok_or_else(|| {
        let detail = format!(
            "The environment variable {variable} is not set where Terraform runs, so nobody logged in. Set it to the password of the role."
        );
        Diagnostic::error("No password", detail)
    })
}
