//! Terraform provider.
