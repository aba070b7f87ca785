# Publications that make UPDATE or DELETE fail on some of their tables.
data "clickpipes_publications" "app" {
  database = "app"
}

output "exposed" {
  value = {
    for publication in data.clickpipes_publications.app.publications : publication.name => publication.tables_without_replica_identity
    if length(publication.tables_without_replica_identity) > 0
  }
}
