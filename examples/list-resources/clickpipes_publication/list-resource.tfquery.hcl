# Every publication of a database, for import: terraform query -generate-config-out=publications.tf
list "clickpipes_publication" "shop" {
  provider = clickpipes

  config {
    database = "shop"
  }
}
