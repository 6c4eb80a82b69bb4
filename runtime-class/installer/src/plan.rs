//! Prints what an installation would change, and changes nothing.

use std::path::Path;

use anyhow::Result;
use similar::TextDiff;

use crate::install;
use crate::judge::judge_added;
use crate::node::Node;
use crate::shim::Shim;

/// The change of the configuration as a unified diff, and a line for each
/// other step.
///
/// # Errors
/// When the installation would be refused.
pub async fn plan(node: &Node, shim_source: &Path) -> Result<String> {
    let shim = Shim::read(shim_source)?;
    let plan = install::plan(node).await?;
    let mut steps = String::new();
    if plan.is_change() {
        judge_added(
            &plan.before,
            &node.dump_of(&plan.changed).await?,
            &plan.runtime,
        )?;
        let [old, new] = [&plan.config, &plan.changed].map(|text| String::from_utf8_lossy(text));
        let path = node.config.display().to_string();
        steps += &TextDiff::from_lines(&old, &new)
            .unified_diff()
            // Lines around the change may have passwords.
            .context_radius(0)
            .header(&path, &path)
            .to_string();
    }
    if !shim.is_at(&node.host().path(&node.shim))? {
        steps += &format!(
            "place {} with sha256 {}\n",
            node.shim.display(),
            shim.sha256()
        );
    }
    let running = node.status().await?;
    if plan.is_change() || !running.handlers.contains(&node.handler) {
        steps += &format!("run `{}`\n", node.restart);
    }
    if steps.is_empty() {
        steps = "nothing to do\n".to_owned();
    }
    Ok(steps)
}
