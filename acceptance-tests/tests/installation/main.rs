//! From a build to `terraform init`, on a machine of which nothing is known.

#[cfg(target_os = "linux")]
mod empty_root;
mod init;
#[cfg(target_os = "linux")]
mod name_server;
mod package;
