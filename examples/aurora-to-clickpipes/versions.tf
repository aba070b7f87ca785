terraform {
  required_version = ">= 1.11"

  required_providers {
    clickpipes = {
      source = "clickpipes/clickpipes"
    }
  }
}
