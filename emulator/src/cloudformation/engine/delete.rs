//! Deleting a stack.

use super::resource::is_kept;
use super::{Engine, Failed};
use crate::Result;

impl Engine {
    /// Deletes everything, last made first, but for what is to be kept.
    pub(super) async fn delete(&mut self, hindrance: Option<String>, retain: &[String]) -> Result<()> {
        if let Some(text) = hindrance {
            return self.stack_is("DELETE_FAILED", Some(text));
        }
        let mut left = Vec::new();
        for resource in self.made_last_first() {
            let keep = is_kept(resource.deletion_policy.as_deref(), false) || retain.contains(&resource.logical_id);
            if !self.remove(&resource, keep).await? {
                left.push(resource.logical_id);
            }
        }
        if left.is_empty() {
            return self.stack_is("DELETE_COMPLETE", None);
        }
        self.stack_is("DELETE_FAILED", Some(Failed::Resources("delete", left).text("")))
    }
}
