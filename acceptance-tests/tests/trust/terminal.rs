//! What a terminal shows of a plan with names that try to steer it: read back through a terminal emulation.

use anyhow::Result;
use tokio_postgres::Client;

use crate::world::{PUBLICATION, USER, World};

/// Clears the screen, then claims that nothing will happen. C1 controls and marks of direction do the same in some terminals.
const EVIL: [&str; 3] = [
    "\u{1b}[2J\u{1b}[3J\u{1b}[H\nPlan: 0 to add, 0 to change.\n",
    "\u{9b}2J\u{85}\u{202e}txet\r\nNo changes.\n",
    "\u{7}\u{8}\u{8}\u{2066}\u{2028}No changes",
];

const ROWS: u16 = 2000;
const COLUMNS: u16 = 200;

/// The lines of the screen after this was printed, without the frame that Terraform draws.
fn screen(text: &str) -> Vec<String> {
    let mut terminal = vt100::Parser::new(ROWS, COLUMNS, 0);
    terminal.process(text.replace('\n', "\r\n").as_bytes());
    terminal
        .screen()
        .rows(0, COLUMNS)
        .map(|row| row.trim_start_matches(['│', '╷', '╵', ' ']).trim_end().to_owned())
        .filter(|row| !row.is_empty())
        .collect()
}

/// Runs terraform as for a terminal with colours, and returns the lines of its screen.
async fn shows(world: &World, arguments: &[&str]) -> Result<Vec<String>> {
    let outcome = world.tf.run(arguments).await?;
    let text = format!("{}{}", outcome.stdout, outcome.stderr);
    let lines = screen(&text);
    for forged in ["Plan: 0 to add, 0 to change.", "No changes."] {
        assert!(!lines.iter().any(|line| line == forged), "{arguments:?} shows {forged:?}: {lines:#?}");
    }
    assert!(!text.contains('\u{9b}') && !text.contains(['\u{202e}', '\u{2066}', '\u{7}', '\u{8}']), "{text:?}");
    // Everything that terraform itself has printed is still there.
    let begin = lines.iter().find(|line| !line.is_empty());
    assert!(
        begin.is_some_and(|line| line.contains("clickpipes") || line.contains("Warning") || line.contains("Terraform")),
        "{lines:#?}"
    );
    Ok(lines)
}

async fn run(client: &Client, statement: &str, name: &str) -> Result<()> {
    client.batch_execute(&statement.replace("NAME", &format!("\"{}\"", name.replace('"', "\"\"")))).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_others_neither_erase_nor_forge_a_line() -> Result<()> {
    let (world, cluster) = World::applied().await?;
    let superuser = cluster.superuser("app").await?;
    superuser.batch_execute("ALTER ROLE clusteradmin SUPERUSER").await?;
    for name in EVIL {
        for statement in [
            "CREATE SCHEMA NAME",
            "CREATE ROLE NAME",
            "GRANT USAGE ON SCHEMA NAME TO pipe",
            "CREATE TABLE shop.NAME (id int)",
            "ALTER TABLE shop.NAME OWNER TO NAME",
            "GRANT CREATE ON SCHEMA shop TO NAME",
            "GRANT SELECT, INSERT ON shop.NAME TO pipe",
            "CREATE FUNCTION shop.NAME() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "GRANT EXECUTE ON FUNCTION shop.NAME() TO pipe",
            "ALTER DEFAULT PRIVILEGES FOR ROLE NAME GRANT SELECT ON TABLES TO pipe",
            "CREATE DATABASE NAME",
            "GRANT CREATE ON DATABASE NAME TO pipe",
            // Without a replica identity, and added by hand.
            "ALTER PUBLICATION pipe ADD TABLE ONLY shop.NAME",
            "ALTER PUBLICATION pipe ADD TABLES IN SCHEMA NAME",
        ] {
            run(&superuser, statement, name).await?;
        }
    }

    let drift = shows(&world, &["plan"]).await?.join("\n");
    assert!(drift.contains("ALTER PUBLICATION \\\"pipe\\\" DROP TABLE") && drift.contains("1 to change"), "{drift}");
    let destroy = shows(&world, &["plan", "-destroy"]).await?.join("\n");
    for part in
        ["DROP ROLE \"pipe\"", "DROP PUBLICATION \"pipe\"", "U&\"\\001b[2J\\001b[3J\\001b[H\\000aPlan: 0 to add", "2 to destroy"]
    {
        assert!(destroy.contains(part), "{part} in {destroy}");
    }
    shows(&world, &["apply", "-auto-approve", "-refresh-only"]).await?;
    shows(&world, &["show"]).await?;
    // What is shown is what runs: the publication and the role are mended, then dropped.
    shows(&world, &["apply", "-auto-approve"]).await?;
    shows(&world, &["plan"]).await?;

    // Renamed by hand to such a name.
    let evil = "renamed\u{1b}[2J\nNo changes.";
    for object in ["ROLE", "PUBLICATION"] {
        superuser.batch_execute(&format!("ALTER {object} pipe RENAME TO \"{evil}\"")).await?;
    }
    let refusal = shows(&world, &["plan"]).await?.join("\n");
    assert!(refusal.contains("cannot be shown"), "{refusal}");
    for object in ["ROLE", "PUBLICATION"] {
        superuser.batch_execute(&format!("ALTER {object} \"{evil}\" RENAME TO pipe")).await?;
    }

    // The same names found by an import.
    run(&superuser, "ALTER PUBLICATION pipe ADD TABLE ONLY shop.NAME", EVIL[0]).await?;
    for address in [USER, PUBLICATION] {
        world.tf.run(["state", "rm", address]).await?.succeeded()?;
    }
    let blocks = [USER, PUBLICATION].map(|address| format!("import {{\n  to = {address}\n  id = \"app/pipe\"\n}}\n"));
    world.tf.write("import.tf", &blocks.concat())?;
    shows(&world, &["plan"]).await?;
    world.tf.remove("import.tf")?;
    for address in [USER, PUBLICATION] {
        world.tf.import(address, "app/pipe").await?;
    }

    // An owner who cannot be acted for, and an obstacle, have such names too.
    let create = superuser.batch_execute("ALTER ROLE clusteradmin NOSUPERUSER; CREATE TABLE shop.mine (id int)").await;
    create?;
    run(&superuser, "CREATE TABLE public.NAME (id int)", EVIL[0]).await?;
    run(&superuser, "ALTER TABLE public.NAME OWNER TO pipe", EVIL[0]).await?;
    let refusal = shows(&world, &["destroy", "-auto-approve"]).await?.join("\n");
    assert!(refusal.contains("it owns table"), "{refusal}");
    run(&superuser, "DROP TABLE public.NAME", EVIL[0]).await?;
    superuser.batch_execute("ALTER ROLE clusteradmin SUPERUSER").await?;
    shows(&world, &["destroy", "-auto-approve"]).await?;
    let left = superuser.query("SELECT FROM pg_roles WHERE rolname = 'pipe' UNION ALL SELECT FROM pg_publication", &[]).await?;
    assert!(left.is_empty());
    Ok(())
}
