//! The settings of every session. They travel in the startup message, and not as SET: through a pooler a SET would stay behind on a
//! connection of the application. They outrank the settings of the role and the database. Every version from 12 on knows them, and
//! every role may set them. Pure.

/// Name and value, as the server shows it.
///
/// Statements are read-only unless a transaction says otherwise, and no statement waits for a snapshot that a database's defaults
/// ask for. If the client of a transaction disappears and the server does not notice, the transaction holds its locks no longer
/// than the next attempt waits for them; our own transactions are never idle for long. The server sends nothing below WARNING: at
/// `log` it would send the text of each statement back. A prepared query keeps its plan: the planner's guess that an array has ten
/// members makes it plan anew each time, which takes longer than our queries. Nor is a plan compiled (`jit`), which
/// takes longer still.
const SETTINGS: [(&str, &str); 9] = [
    ("default_transaction_read_only", "on"),
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_deferrable", "off"),
    ("statement_timeout", "1min"),
    ("lock_timeout", "10s"),
    ("idle_in_transaction_session_timeout", "2min"),
    ("client_min_messages", "warning"),
    ("plan_cache_mode", "force_generic_plan"),
    ("jit", "off"),
];

/// The parameter `options` of the startup message.
pub(super) fn options() -> String {
    SETTINGS.map(|(name, value)| format!("-c {name}={}", value.replace(' ', "\\ "))).join(" ")
}

/// A condition in SQL: all of the settings have arrived. A pooler may pass on those that it knows, and the role, the database or the
/// server may have others by chance.
pub(super) fn arrived() -> String {
    let settings = SETTINGS.map(|(name, value)| format!("pg_catalog.current_setting('{name}') OPERATOR(pg_catalog.=) '{value}'"));
    settings.join("\n           AND ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_what_is_checked() {
        assert!(
            options().starts_with("-c default_transaction_read_only=on -c default_transaction_isolation=read\\ committed -c ")
        );
        assert!(arrived().contains("current_setting('default_transaction_isolation') OPERATOR(pg_catalog.=) 'read committed'"));
        assert_eq!((options().matches("-c ").count(), arrived().matches(" AND ").count()), (SETTINGS.len(), SETTINGS.len() - 1));
    }
}
