//! Names in configurations, states and import ids: decoded, with each fault at its attribute path. Pure.

use std::error::Error;

use crate::cluster::{LONGEST_CLUSTER, invalid_identifier};
use crate::postgres::identifier::{InvalidImportId, InvalidQualifiedTable};
use crate::postgres::{self, Identifier, QualifiedTable, parse_import_id, parse_table_import_id};
use crate::printable::printable_line;
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics};

/// One name; `None` while unknown, and for null.
///
/// # Errors
/// It is not a valid name.
pub(crate) fn name(value: &Attr<String>, attribute: &str) -> Result<Option<Identifier>, Diagnostics> {
    let invalid = |error| invalid("name", AttributePath::of(attribute), &error).into();
    value.known().map(|text| Identifier::new(text).map_err(invalid)).transpose()
}

/// One table, as `schema.table`; `None` while unknown, and for null.
///
/// # Errors
/// It does not name a table.
pub(crate) fn table(value: &Attr<String>, attribute: &str) -> Result<Option<QualifiedTable>, Diagnostics> {
    let invalid = |error: InvalidQualifiedTable| invalid("table name", AttributePath::of(attribute), &error).into();
    value.known().map(|text| text.parse().map_err(invalid)).transpose()
}

/// A list of names; `None` while unknown, empty for null. `what` is what they name, such as `table name`.
///
/// # Errors
/// All invalid names, each with its position.
pub(crate) fn names<'a, T, E: Error>(
    list: &'a Attr<Vec<String>>,
    attribute: &str,
    what: &str,
    decode: impl Fn(&'a str) -> Result<T, E>,
) -> Result<Option<Vec<T>>, Diagnostics> {
    let texts = match list {
        Attr::Null => return Ok(Some(Vec::new())),
        Attr::Unknown => return Ok(None),
        Attr::Known(texts) => texts,
    };
    let mut faults = Diagnostics::new();
    let mut decoded = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        match decode(text) {
            Ok(name) => decoded.push(name),
            Err(error) => faults.push(invalid(what, AttributePath::of(attribute).index(index), &error)),
        }
        if faults.has_enough_errors() {
            break;
        }
    }
    faults.into_result().map(|_| Some(decoded))
}

/// The cluster that an object in a database is in: `Some(None)` is the one in the provider block; `None` while unknown.
///
/// # Errors
/// RDS would not accept it.
pub(crate) fn cluster(value: &Attr<String>) -> Result<Option<Option<String>>, Diagnostics> {
    let fault = value.known().and_then(|cluster| invalid_identifier(cluster, LONGEST_CLUSTER));
    match fault {
        Some(fault) => Err(Diagnostic::invalid("cluster_identifier", fault).into()),
        None => Ok((!value.is_unknown()).then(|| value.known().cloned())),
    }
}

/// What is wrong with the cluster and the database that a list or a data source looks into.
pub(crate) fn place_faults(cluster_identifier: &Attr<String>, database: &Attr<String>) -> Diagnostics {
    let fault = database.known().and_then(|database| Identifier::new(database).err());
    let mut faults: Diagnostics = fault.map(|fault| Diagnostic::invalid("database", fault)).into_iter().collect();
    faults.absorb(cluster(cluster_identifier));
    faults
}

/// The cluster, the database and the name in an import id `database/name` or `cluster:database/name`.
///
/// # Errors
/// It has another form.
pub(crate) fn import_parts(id: &str) -> Result<(Option<String>, Identifier, Identifier), Diagnostics> {
    let (cluster, object) = split_cluster(id)?;
    let (database, name) = parse_import_id(object).map_err(invalid_id)?;
    Ok((cluster, database, name))
}

/// The cluster, the database and the table in an import id.
///
/// # Errors
/// It has another form.
pub(crate) fn import_table(id: &str) -> Result<(Option<String>, Identifier, QualifiedTable), Diagnostics> {
    let (cluster, object) = split_cluster(id)?;
    let (database, table) = parse_table_import_id(object).map_err(invalid_id)?;
    Ok((cluster, database, table))
}

/// The import id of an object; `None` while a part of it is unknown.
pub(crate) fn object_id(cluster: &Attr<String>, database: &Attr<String>, name: &Attr<String>) -> Option<String> {
    let cluster = if cluster.is_unknown() { None } else { Some(cluster.known()) };
    Some(import_id(cluster?, database.known()?, name.known()?))
}

/// The same of decoded names.
pub(crate) fn import_id(cluster: Option<&String>, database: &str, name: &str) -> String {
    let of_database = postgres::import_id(database, name);
    cluster.map(|cluster| format!("{cluster}:{of_database}")).unwrap_or(of_database)
}

/// What follows the name of an object of a cluster that is named.
pub(crate) fn on_cluster(cluster: Option<&String>) -> String {
    cluster.map(|cluster| format!(" of cluster {cluster}")).unwrap_or_default()
}

/// The cluster that an import id names before the first colon of its first part, unless that is quoted, and the rest.
fn split_cluster(id: &str) -> Result<(Option<String>, &str), Diagnostics> {
    let first = &id[..id.find(['/', '"']).unwrap_or(id.len())];
    let Some(at) = first.find(':') else { return Ok((None, id)) };
    let cluster = &id[..at];
    match invalid_identifier(cluster, LONGEST_CLUSTER) {
        None => Ok((Some(cluster.to_owned()), &id[at + 1..])),
        Some(fault) => {
            let detail = format!(
                "In {}, the part before the colon is a cluster: {fault}. Quote a database whose name has a colon, as an SQL identifier.",
                printable_line(&format!("{id:?}"))
            );
            Err(Diagnostic::error("Invalid import id", detail).into())
        }
    }
}

fn invalid_id(error: InvalidImportId) -> Diagnostics {
    let diagnostic = Diagnostic::from_error("Invalid import id", &error);
    Diagnostic { detail: format!("{}.", printable_line(&diagnostic.detail)), ..diagnostic }.into()
}

fn invalid(what: &str, path: AttributePath, error: &dyn Error) -> Diagnostic {
    let diagnostic = Diagnostic::from_error(format!("Invalid {what}"), error);
    Diagnostic { detail: format!("Attribute {path}: {}.", printable_line(&diagnostic.detail)), ..diagnostic }.at(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_named_with_its_place() {
        let list: Attr<Vec<String>> = ["a", "", "b", "c\0"].map(str::to_owned).to_vec().into();
        let faults = names(&list, "schemas", "schema name", Identifier::new).unwrap_err();
        let said: Vec<String> = faults.iter().map(|fault| format!("{}: {}", fault.summary, fault.detail)).collect();
        assert_eq!(said.len(), 2);
        assert_eq!(said[0], "Invalid schema name: Attribute schemas[1]: the name is empty.");
        assert!(said[1].contains("schemas[3]"), "{said:?}");
    }

    #[test]
    fn unknown_is_told_from_null() {
        assert_eq!(names(&Attr::Unknown, "schemas", "schema name", Identifier::new), Ok(None));
        assert_eq!(names(&Attr::Null, "schemas", "schema name", Identifier::new), Ok(Some(Vec::new())));
        assert_eq!(name(&Attr::Unknown, "name"), Ok(None));
    }

    #[test]
    fn a_malformed_id_says_the_form() {
        assert!(import_parts("app").unwrap_err().iter().any(|fault| fault.detail.contains("database/name")));
        assert_eq!(import_parts("app/p").unwrap().2.as_str(), "p");
        assert_eq!(import_table("shop:app/\"a/b.c\"").unwrap().2.name(), "a/b.c");
        for id in ["app/orders", "app/a.b.c", "app/.b"] {
            let fault = import_table(id).unwrap_err();
            assert!(fault.iter().any(|fault| fault.detail.contains("database/schema.table")), "{fault:?}");
        }
    }

    #[test]
    fn an_id_may_name_a_cluster_before_the_database() {
        let parts = |id: &str| {
            let (cluster, database, name) = import_parts(id).unwrap();
            (cluster, database.as_str().to_owned(), name.as_str().to_owned())
        };
        let texts = |cluster: Option<&str>, database: &str, name: &str| {
            (cluster.map(str::to_owned), database.to_owned(), name.to_owned())
        };
        assert_eq!(parts("shop:app/p"), texts(Some("shop"), "app", "p"));
        assert_eq!(parts("app/p:q"), texts(None, "app", "p:q"));
        assert_eq!(parts("\"a:b\"/p"), texts(None, "a:b", "p"));
        assert_eq!(parts("shop:\"a:b\"/\"c/d\""), texts(Some("shop"), "a:b", "c/d"));
        for invalid in ["Shop:app/p", ":app/p", "a_b:app/p", "shop:p"] {
            assert!(import_parts(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn the_id_of_an_object_names_it_in_an_import() {
        for (cluster, database, name) in
            [(None, "app", "p"), (None, "a:b", "c:d"), (Some("shop"), "a\"b/c", "x/y"), (Some("shop"), "ü", ":")]
        {
            let attribute = cluster.map(str::to_owned).into();
            let id = object_id(&attribute, &database.into(), &name.into()).unwrap();
            let (found, of, named) = import_parts(&id).unwrap();
            assert_eq!((found.as_deref(), of.as_str(), named.as_str()), (cluster, database, name), "{id}");
        }
        assert_eq!(object_id(&Attr::Unknown, &"app".into(), &"p".into()), None);
    }
}
