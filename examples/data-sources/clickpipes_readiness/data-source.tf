# Everything that a pipe of the schema "sales" will meet.
data "clickpipes_readiness" "orders" {
  database         = "mydb"
  username         = "clickpipes"
  publication_name = "clickpipes"
}

# What fails, why, and what helps.
output "not_ready" {
  value = {
    for check in data.clickpipes_readiness.orders.checks : check.id => {
      message = check.message
      remedy  = check.remedy
    } if contains(["fail", "unknown"], check.status)
  }
}

# A warning at every plan and apply until the source is ready. Nothing is held up by it.
check "source_is_ready" {
  assert {
    condition     = data.clickpipes_readiness.orders.ready
    error_message = "The source is not ready for a pipe: see the output not_ready."
  }
}
