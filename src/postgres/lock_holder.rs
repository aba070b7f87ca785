//! Who holds the lock that a statement waits for.

use std::fmt;

/// A session that holds a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockHolder {
    /// Its process id on the server.
    pub pid: i32,
    /// The role it runs as.
    pub user: Option<String>,
    /// Its `application_name`.
    pub application: Option<String>,
    /// When its current query began; unknown if the admin may not see other roles' activity.
    pub query_start: Option<String>,
}

/// The sessions that block the session with process id `$1`.
pub(super) const BLOCKING: &str = "\
SELECT a.pid, a.usename::text AS usename, a.application_name, a.query_start::text AS query_start
  FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids($1::int4)) AS b(pid)
  JOIN pg_catalog.pg_stat_activity AS a ON a.pid = b.pid
 ORDER BY a.pid";

impl fmt::Display for LockHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pid {}", self.pid)?;
        if let Some(user) = &self.user {
            write!(f, ", user \"{user}\"")?;
        }
        if let Some(application) = self.application.as_deref().filter(|name| !name.is_empty()) {
            write!(f, ", application \"{application}\"")?;
        }
        if let Some(start) = &self.query_start {
            write!(f, ", query since {start}")?;
        }
        Ok(())
    }
}

/// The holders, to be appended to a message.
pub(super) fn list(holders: &[LockHolder]) -> String {
    if holders.is_empty() {
        return String::new();
    }
    let holders: Vec<String> = holders.iter().map(LockHolder::to_string).collect();
    format!("; held by {}", holders.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_known_of_a_session() {
        let mut holder = LockHolder { pid: 7, user: None, application: Some(String::new()), query_start: None };
        assert_eq!(list(std::slice::from_ref(&holder)), "; held by pid 7");
        holder.user = Some("app".to_owned());
        holder.application = Some("psql".to_owned());
        assert_eq!(holder.to_string(), "pid 7, user \"app\", application \"psql\"");
        assert_eq!(list(&[]), "");
    }
}
