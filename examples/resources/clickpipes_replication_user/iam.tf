resource "clickpipes_replication_user" "iam" {
  name               = "clickpipes_iam"
  database           = "shop"
  cluster_identifier = "shop-cluster"
  authentication     = "iam"

  schemas = ["sales"]
}

# Who may log in as the role with a token: a policy for the IAM role of the ClickPipe.
output "login_policy" {
  value = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "rds-db:connect"
      Resource = clickpipes_replication_user.iam.iam_dbuser_arn
    }]
  })
}
