# The addresses that the pipes of a ClickHouse service connect from.
data "clickpipes_static_ips" "service" {
  cloud_provider     = "aws"
  region             = "eu-west-1"
  service_created_at = "2026-02-01"
}

output "allow" {
  value = data.clickpipes_static_ips.service.cidr_blocks
}
