//! Publications of random shape, made by hand, imported by the configuration that Terraform generates: nothing is to be changed.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, ensure};

use crate::cell::{Cell, Flavour};

/// How many publications a cell has.
const PUBLICATIONS: u64 = 20;
/// Another first number makes others.
const SEED: &str = "CLICKPIPES_TEST_SEED";

/// What else there is to publish, with names that need quotes.
const MORE: &str = "\
CREATE SCHEMA \"Odd \"\" schéma\" AUTHORIZATION app_owner;
SET ROLE app_owner;
CREATE TABLE \"Odd \"\" schéma\".\"T'ä;--\" (id int PRIMARY KEY, \"c d\" text, amount int);
CREATE TABLE shop.computed (id int PRIMARY KEY, amount int, twice int GENERATED ALWAYS AS (2 * amount) STORED);
CREATE TABLE shop.whole (amount int, note text);
ALTER TABLE shop.whole REPLICA IDENTITY FULL";

/// A table, with its columns and filters that may be set for it.
struct Table {
    name: &'static str,
    columns: &'static str,
    filter: &'static str,
    is_partitioned: bool,
}

const fn table(name: &'static str, columns: &'static str, filter: &'static str) -> Table {
    Table { name, columns, filter, is_partitioned: false }
}

const TABLES: [Table; 7] = [
    table("shop.orders", "id", "id > 3 AND note <> 'it''s'"),
    table("shop.customers", "id", "id BETWEEN 1 AND 7 OR id IS NULL"),
    table("shop.computed", "amount, id", "(amount + 1) % 2 = 0"),
    table("shop.whole", "note", "amount IS DISTINCT FROM 4"),
    table("billing.accounts", "id", "(id & 1) = 1 OR -id < 0"),
    table("\"Odd \"\" schéma\".\"T'ä;--\"", "id, \"c d\"", "\"c d\" = 'ä' AND NOT amount IN (1, 2)"),
    Table { name: "shop.events", columns: "", filter: "", is_partitioned: true },
];
const SCHEMAS: [&str; 3] = ["shop", "billing", "\"Odd \"\" schéma\""];
const OPERATIONS: [&str; 4] = ["insert", "update", "delete", "truncate"];

/// A sequence of numbers that looks random (Knuth, MMIX).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn often(&mut self, times: u64, of: u64) -> bool {
        self.below(of) < times
    }

    /// Some of them, at least one.
    fn some<T: Copy>(&mut self, all: &[T]) -> Vec<T> {
        let one = usize::try_from(self.below(all.len() as u64)).unwrap_or_default();
        let chosen = all.iter().enumerate().filter(|(index, _)| *index == one || self.often(1, 3));
        chosen.map(|(_, item)| *item).collect()
    }
}

/// What follows the name in CREATE PUBLICATION.
fn shape(cell: &Cell, numbers: &mut Numbers) -> String {
    let via_root = cell.since(13) && numbers.often(1, 2);
    // Column lists and schemas exclude each other.
    let has_schemas = cell.since(15) && numbers.often(1, 3);
    let mut objects = Vec::new();
    let all: Vec<&Table> = TABLES.iter().filter(|table| cell.since(13) || !table.is_partitioned).collect();
    if !has_schemas || numbers.often(1, 2) {
        for table in numbers.some(&all) {
            let mut object = format!("TABLE {}", table.name);
            let may_restrict = cell.since(15) && !table.is_partitioned;
            if may_restrict && !has_schemas && numbers.often(1, 3) {
                let _ = write!(object, " ({})", table.columns);
            }
            if may_restrict && numbers.often(1, 3) {
                let _ = write!(object, " WHERE ({})", table.filter);
            }
            objects.push(object);
        }
    }
    if has_schemas {
        objects.extend(numbers.some(&SCHEMAS).iter().map(|schema| format!("TABLES IN SCHEMA {schema}")));
    }
    let scope = if numbers.often(1, 8) {
        "FOR ALL TABLES".to_owned()
    } else if cell.since(15) {
        format!("FOR {}", objects.join(", "))
    } else {
        format!("FOR {}", objects.join(", ").replacen("TABLE ", "\u{1}", 1).replace("TABLE ", "").replace('\u{1}', "TABLE "))
    };
    let mut options = vec![format!("publish = '{}'", numbers.some(&OPERATIONS).join(", "))];
    options.extend(cell.since(13).then(|| format!("publish_via_partition_root = {via_root}")));
    options.extend((cell.since(18) && numbers.often(1, 2)).then(|| "publish_generated_columns = stored".to_owned()));
    format!("{scope} WITH ({})", options.join(", "))
}

/// Makes them, imports them, and changes nothing.
pub async fn publications(cell: &mut Cell) -> Result<()> {
    cell.sql(MORE).await?;
    let seed = std::env::var(SEED).ok().map_or(Ok(1), |seed| seed.parse::<u64>()).context(SEED)?;
    let mut numbers = Numbers(seed * 1000 + u64::from(cell.major) * 2 + u64::from(cell.flavour == Flavour::Plain));
    let (mut made, mut imports) = (Vec::new(), String::new());
    for number in 0..PUBLICATIONS {
        let sql = format!("CREATE PUBLICATION \"Random {number}\" {}", shape(cell, &mut numbers));
        cell.sql(&sql).await?;
        made.push(sql);
        let _ = writeln!(imports, "import {{\n  to = clickpipes_publication.r{number}\n  id = \"app/Random {number}\"\n}}");
    }
    let before = cell.changes()?.len();
    cell.main(&imports)?;
    cell.tf.plan_with(&["-generate-config-out=generated.tf"]).await.with_context(|| made.join("\n"))?;
    let plan = cell.tf.plan().await?;
    for number in 0..PUBLICATIONS {
        let address = format!("clickpipes_publication.r{number}");
        ensure!(plan.actions(&address) == ["no-op"], "{}\n{address}: {}", made.join("\n"), plan.outcome.stdout);
    }
    cell.tf.apply_plan(&plan).await?;
    cell.tf.assert_empty_plan().await.with_context(|| made.join("\n"))?;
    assert_eq!(cell.changes()?.len(), before, "an import alters nothing");
    Ok(())
}
