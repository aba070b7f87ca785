//! Reads the statements of clients from a server's log.

use super::SUPERUSER;

/// What each log line begins with; [`statements`] reads it back.
pub(crate) const LINE_PREFIX: &str = "%m [%p] user=%u,db=%d,app=%a,";

/// A statement as a client sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedStatement {
    /// The role that logged in.
    pub user: String,
    /// The database of the session.
    pub database: String,
    /// `application_name` of the session.
    pub application: String,
    /// The text, with its line breaks.
    pub text: String,
}

/// All statements in order, except those of the rig's own superuser.
pub(crate) fn statements(log: &str) -> Vec<LoggedStatement> {
    let mut found: Vec<LoggedStatement> = Vec::new();
    let mut continues = false;
    for line in log.lines() {
        // The server indents the further lines of a message with a tab.
        if let Some(rest) = line.strip_prefix('\t') {
            if continues && let Some(last) = found.last_mut() {
                last.text.push('\n');
                last.text.push_str(rest);
            }
            continue;
        }
        let statement = statement(line);
        continues = statement.is_some();
        found.extend(statement);
    }
    found.retain(|statement| statement.user != SUPERUSER);
    found
}

fn statement(line: &str) -> Option<LoggedStatement> {
    let (_, rest) = line.split_once("user=")?;
    let (user, rest) = rest.split_once(",db=")?;
    let (database, rest) = rest.split_once(",app=")?;
    let (application, rest) = rest.split_once(",LOG:  ")?;
    let text = match rest.strip_prefix("statement: ") {
        Some(text) => text,
        None => rest.strip_prefix("execute ")?.split_once(": ")?.1,
    };
    Some(LoggedStatement {
        user: user.to_owned(),
        database: database.to_owned(),
        application: application.to_owned(),
        text: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_simple_and_prepared_statements_with_their_line_breaks() {
        let log = "2026-11-22 10:00:00 UTC [7] user=a,db=d,app=x,LOG:  statement: SELECT 1,\n\t2\n\
                   2026-11-22 10:00:00 UTC [7] user=a,db=d,app=x,LOG:  execute s0: GRANT r TO \"u:v\"\n\
                   2026-11-22 10:00:00 UTC [7] user=a,db=d,app=x,DETAIL:  parameters: $1 = '1'\n\
                   2026-11-22 10:00:00 UTC [7] user=rdsadmin,db=d,app=x,LOG:  statement: SELECT 3\n\
                   2026-11-22 10:00:00 UTC [7] user=,db=,app=,LOG:  checkpoint starting: time\n";
        let texts: Vec<String> = statements(log).into_iter().map(|statement| statement.text).collect();
        assert_eq!(texts, ["SELECT 1,\n2", "GRANT r TO \"u:v\""]);
    }
}
