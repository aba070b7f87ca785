# A token that the role logs in with instead of a password.
ephemeral "clickpipes_rds_auth_token" "deployer" {
  cluster_identifier = "orders"
  username           = "deployer"
}
