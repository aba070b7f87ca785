//! Names that would end a quoted name, a string, a comment or a template: each is a name and nothing else, wherever it stands.

use acceptance_tests::rig::{DATABASE, Rig};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value, json};

use crate::rig::rig;

/// What names are made of. Not combining characters: Terraform itself makes one character of a letter and its accent.
const PARTS: [&str; 28] = [
    "\"", "\"\"", "'", "\\", ";", "--", "/*", "*/", "$$", "$1", "${x}", "%{y}", "%I", "{}", ",", "(", ")", " ", "::", "DROP",
    "ONLY", "e'", "U&\"", "é", "𝒳", "表", "ﷺ", "Z",
];
const CASES: usize = 24;
/// Names of one case: of the publication before and after its rename, of schema, table, column and owner.
const NAMES: usize = 6;

/// Names that differ from each other, always the same ones.
fn names() -> Vec<[String; NAMES]> {
    let mut seed: u64 = 0x5eed;
    let mut next = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap_or_default() % below
    };
    let mut name = |case: usize, place: usize| {
        let parts: String = (0..=next(5)).map(|_| PARTS[next(PARTS.len())]).collect();
        format!("{parts}{case}{}", ["p", "q", "s", "t", "c", "r"][place])
    };
    (0..CASES).map(|case| std::array::from_fn(|place| name(case, place))).collect()
}

/// A text that Terraform takes as it is, in a configuration in JSON.
fn literal(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

fn configuration(cases: &[[String; NAMES]], is_renamed: bool) -> String {
    let resource = |(index, [name, new_name, schema, table, column, owner]): (usize, &[String; NAMES])| {
        let table = literal(&format!("{schema}.{table}"));
        let options = json!({ table.as_str(): { "columns": [literal(column)] } });
        let name = literal(if is_renamed { new_name } else { name });
        let attributes = json!({
            "database": DATABASE, "name": name, "tables": [table], "owner": literal(owner), "table_options": options,
        });
        (format!("p{index}"), attributes)
    };
    let resources: Map<String, Value> = cases.iter().enumerate().map(resource).collect();
    json!({ "resource": { "clickpipes_publication": resources } }).to_string()
}

/// Everything that there is besides publications.
async fn objects(rig: &Rig) -> Result<String> {
    rig.ask(
        "SELECT concat_ws(' ', (SELECT string_agg(rolname || rolsuper::text, ',' ORDER BY rolname) FROM pg_roles),
                (SELECT string_agg(nspname, ',' ORDER BY nspname) FROM pg_namespace WHERE nspname !~ '^pg_'),
                (SELECT string_agg(relname || relreplident::text, ',' ORDER BY oid) FROM pg_class WHERE oid >= 16384))",
    )
    .await
}

/// The publications, as lists of names.
async fn found(rig: &Rig) -> Result<Vec<Vec<String>>> {
    const FOUND: &str = "
        SELECT ARRAY[p.pubname::text, n.nspname::text, c.relname::text, a.attname::text, pg_get_userbyid(p.pubowner)::text]
        FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid JOIN pg_class c ON c.oid = r.prrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (r.prattrs)";
    let rows = rig.cluster.superuser(DATABASE).await?.query(FOUND, &[]).await?;
    let mut found: Vec<Vec<String>> = rows.iter().map(|row| row.get(0)).collect();
    found.sort();
    Ok(found)
}

fn expected(cases: &[[String; NAMES]], is_renamed: bool) -> Vec<Vec<String>> {
    let of = |[name, new_name, schema, table, column, owner]: &[String; NAMES]| {
        [if is_renamed { new_name } else { name }, schema, table, column, owner].map(Clone::clone).to_vec()
    };
    let mut expected: Vec<Vec<String>> = cases.iter().map(of).collect();
    expected.sort();
    expected
}

fn addresses() -> impl Iterator<Item = String> {
    (0..CASES).map(|index| format!("clickpipes_publication.p{index}"))
}

/// Applies; exactly what was planned ran, for all of them together.
async fn apply(rig: &Rig) -> Result<()> {
    let before = rig.changes()?.len();
    let plan = rig.tf.plan().await?;
    let mut planned = Vec::new();
    for address in addresses() {
        planned.extend(plan.operations(&address).into_iter().map(str::to_owned));
    }
    rig.tf.apply_plan(&plan).await?;
    let mut ran = rig.changes()?.split_off(before);
    planned.sort();
    ran.sort();
    ensure!(!ran.is_empty() && ran == planned, "planned: {planned:#?}\nran: {ran:#?}");
    rig.tf.assert_empty_plan().await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_does_anything_but_what_it_says() -> Result<()> {
    let rig = rig("15.10").await?;
    let cases = names();
    let superuser = rig.cluster.superuser(DATABASE).await?;
    for [_, _, schema, table, column, owner] in &cases {
        let sql = "SELECT format('CREATE SCHEMA %1$I AUTHORIZATION app_owner; CREATE TABLE %1$I.%2$I (%3$I int PRIMARY KEY, other text);
            ALTER TABLE %1$I.%2$I OWNER TO app_owner; CREATE ROLE %4$I; GRANT %4$I TO clusteradmin; GRANT CREATE ON DATABASE app TO %4$I',
            $1::text, $2::text, $3::text, $4::text)";
        let sql: String = superuser.query_one(sql, &[schema, table, column, owner]).await?.get(0);
        superuser.batch_execute(&sql).await.with_context(|| sql.clone())?;
    }
    let before = objects(&rig).await?;
    rig.tf.write("main.tf.json", &configuration(&cases, false))?;
    apply(&rig).await?;
    assert_eq!(found(&rig).await?, expected(&cases, false));

    // By the ids that the data source gives, each finds its own.
    rig.tf.run(["state".to_owned(), "rm".to_owned()].into_iter().chain(addresses())).await?.succeeded()?;
    let imports = cases.iter().zip(addresses()).map(|([name, ..], address)| {
        let name = serde_json::to_string(&literal(name)).unwrap_or_default();
        format!("import {{\n  to = {address}\n  id = local.ids[{name}]\n}}\n")
    });
    let look_up = "data \"clickpipes_publications\" \"app\" {\n  database = \"app\"\n}\nlocals {\n  ids = { for p in \
                   data.clickpipes_publications.app.publications : p.name => p.id }\n}\n";
    rig.tf.write("imports.tf", &format!("{look_up}{}", imports.collect::<String>()))?;
    let plan = rig.tf.plan().await?;
    let summary = format!("Plan: {CASES} to import, 0 to add, 0 to change, 0 to destroy.");
    ensure!(plan.outcome.stdout.contains(&summary), "{}", plan.outcome.stdout);
    rig.tf.apply_plan(&plan).await?;
    rig.tf.remove("imports.tf")?;

    rig.tf.write("main.tf.json", &configuration(&cases, true))?;
    apply(&rig).await?;
    assert_eq!(found(&rig).await?, expected(&cases, true));
    rig.tf.destroy().await?;
    assert_eq!(found(&rig).await?, Vec::<Vec<String>>::new());
    assert_eq!(objects(&rig).await?, before);
    Ok(())
}
