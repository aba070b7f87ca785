# Every publication of a database, to be imported: terraform query -generate-config-out=publications.tf
list "clickpipes_publication" "shop" {
  provider = clickpipes

  config {
    database = "shop"
  }
}
