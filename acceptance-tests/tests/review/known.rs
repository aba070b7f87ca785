//! Only what an operation can alter is "known after apply".

use anyhow::Result;

use crate::world::{EACH, World, address, texts};

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_tags_leaves_known_what_others_count_on() -> Result<()> {
    let world = World::new().await?;
    let counting = |tags: &str| {
        world.three(
            &format!("  reboot = \"writer\"\n{tags}"),
            "  name = \"user_${each.key}\"\n  schemas = [each.key]",
            "  name = \"pub_${each.key}\"\n  tables = [\"${each.key}.t1\"]",
        )
    };
    counting("")?;
    world.tf.apply().await?;
    let count = "resource \"terraform_data\" \"ready\" {\n  count = clickpipes_aurora_source.s[\"a\"].ready ? 1 : 0\n}\n";
    world.tf.write("count.tf", count)?;
    world.tf.apply().await?;
    counting("  tags = { team = \"data\" }")?;
    let plan = world.tf.plan().await?;
    for key in EACH {
        let address = address("clickpipes_aurora_source.s", key);
        assert_eq!(texts(&plan.change(&address)["after"]["operations"]).len(), 1);
        let unknown = plan.change(&address)["after_unknown"].as_object().cloned().unwrap_or_default();
        let unknown: Vec<String> = unknown.into_iter().filter(|(_, unknown)| *unknown == true).map(|(name, _)| name).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        assert_eq!(plan.change(&address)["after"]["ready"], true);
    }
    world.tf.apply_plan(&plan).await?;
    world.tf.assert_empty_plan().await
}
