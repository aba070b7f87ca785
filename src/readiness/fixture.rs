//! A source that is fit, as the unit tests know it.

use std::collections::BTreeMap;

use super::facts::{Answer, Authentication, Facts, LoginFacts, Pipe, PublicationFacts, ServerFacts, TableFacts};
use crate::catalogue::activity::Activity;
use crate::catalogue::inventory::Listed;
use crate::catalogue::pipe_role::PipeRole;
use crate::catalogue::relation::{Kind, Persistence};
use crate::catalogue::slot::AnySlot;
use crate::catalogue::source_table::SourceTable;
use crate::catalogue::validity::Expiry;
use crate::cluster::Observed;
use crate::cluster::fixture::settled;
use crate::postgres::{Flavour, Identifier, QualifiedTable, ServerVersion};

fn identifier(name: &str) -> Identifier {
    Identifier::new(name).unwrap()
}

/// The table of that name in the schema `s`.
pub(super) fn name(table: &str) -> QualifiedTable {
    QualifiedTable { schema: identifier("s"), table: identifier(table) }
}

/// The cluster.
pub(super) fn source() -> Observed {
    settled()
}

/// The server.
pub(super) fn server() -> ServerFacts {
    let settings = [
        ("logical_decoding_work_mem", "65536"),
        ("max_replication_slots", "20"),
        ("max_slot_wal_keep_size", "-1"),
        ("max_wal_senders", "10"),
        ("rds.force_ssl", "on"),
        ("rds.logical_replication", "on"),
        ("wal_level", "logical"),
        ("wal_sender_timeout", "0"),
    ];
    ServerFacts {
        version: ServerVersion::from_number(160_004),
        database: identifier("app"),
        activity: Activity { is_aurora: true, senders: 0, hidden: 0, long: Vec::new(), prepared: Vec::new() },
        settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        slots: Vec::new(),
    }
}

/// A slot in the database `other` that nothing reads from.
pub(super) fn slot(name: &str) -> AnySlot {
    AnySlot {
        name: name.to_owned(),
        database: Some("other".to_owned()),
        plugin: Some("pgoutput".to_owned()),
        active: false,
        lag_bytes: Some(0),
        wal_status: Some("reserved".to_owned()),
        invalidation_reason: None,
    }
}

/// The role.
pub(super) fn role() -> PipeRole {
    PipeRole {
        login: true,
        superuser: false,
        replication: false,
        connection_limit: -1,
        expiry: Expiry::Far,
        in_replication: true,
        in_iam: false,
        connect: true,
    }
}

/// A table with a primary key that the role may read.
pub(super) fn table(named: &str) -> SourceTable {
    let listed = Listed {
        name: name(named),
        kind: Kind::Table,
        persistence: Persistence::Permanent,
        owner: "app".to_owned(),
        bytes: None,
        primary_key: vec!["id".to_owned()],
        replica_identity: "d".to_owned(),
        partition_root: None,
        is_identified: true,
        unready_leaf: None,
    };
    SourceTable {
        name: name(named),
        listed: Some(listed),
        usage: Some(true),
        selectable: Some(true),
        secured: false,
        generated: Vec::new(),
        toasted: false,
        children: Vec::new(),
    }
}

/// The publication of that table.
pub(super) fn publication() -> PublicationFacts {
    PublicationFacts {
        all_tables: false,
        owner: identifier("tf"),
        admin: identifier("tf"),
        owned: true,
        insert: true,
        update: true,
        delete: true,
        via_root: Some(true),
        published: vec![name("orders")],
        exposed: BTreeMap::new(),
    }
}

/// All of it.
pub(super) fn fit() -> Facts {
    Facts {
        pipe: Pipe {
            role: Some(identifier("pipe")),
            authentication: Authentication::Password,
            publication: Some(identifier("p")),
            slot: None,
            tables: Vec::new(),
            addresses: Vec::new(),
            rules: None,
        },
        flavour: Some(Flavour::Rds),
        port: 5432,
        cluster: Answer::Known(source()),
        barrier: None,
        server: Answer::Known(server()),
        role: Answer::Known(Some(role())),
        tables: Answer::Known(TableFacts { tables: vec![table("orders")], without_defaults: Vec::new() }),
        publication: Answer::Known(Some(publication())),
        login: Answer::Known(LoginFacts { plain: Ok(()), replication: Ok(()) }),
    }
}

/// A source that cannot be reached.
pub(super) fn nothing_known() -> Facts {
    let why = || "it cannot be reached".to_owned();
    Facts {
        cluster: Answer::Unknown(why()),
        server: Answer::Unknown(why()),
        role: Answer::Unknown(why()),
        tables: Answer::Unknown(why()),
        publication: Answer::Unknown(why()),
        login: Answer::Unknown(why()),
        ..fit()
    }
}
