//! Making a stack, and taking back what was made when something fails.

use super::resource::is_kept;
use super::{Engine, Failed};
use crate::Result;
use crate::cloudformation::report::Report;
use crate::cloudformation::state::{OnFailure, Resource};

impl Engine {
    /// Makes everything. `hindrance`: why nothing can be made at all.
    pub(super) async fn create(&mut self, hindrance: Option<String>) -> Result<()> {
        if let Some(text) = hindrance {
            return self.creation_failed(Failed::Other(text)).await;
        }
        for id in self.definition().order.clone() {
            if !self.make(&id).await? {
                return self.creation_failed(Failed::Resources("create", vec![id])).await;
            }
        }
        match self.outputs() {
            Ok(outputs) => self.tell(Report::Outputs(outputs))?,
            Err(error) => return self.creation_failed(Failed::Other(error.message().to_owned())).await,
        }
        self.stack_is("CREATE_COMPLETE", None)
    }

    async fn creation_failed(&mut self, failed: Failed) -> Result<()> {
        let (doing, done, broken, consequence) = match self.stack.on_failure {
            OnFailure::DoNothing => return self.stack_is("CREATE_FAILED", Some(failed.text(""))),
            OnFailure::Rollback => {
                ("ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "Rollback requested by user.")
            }
            OnFailure::Delete => {
                ("DELETE_IN_PROGRESS", "DELETE_COMPLETE", "DELETE_FAILED", "Delete requested by user.")
            }
        };
        self.stack_is(doing, Some(failed.text(consequence)))?;
        let mut left = Vec::new();
        for resource in self.made_last_first() {
            let policy = resource.deletion_policy.as_deref();
            let keep = resource.exists() && !self.stack.retain_except_on_create && is_kept(policy, true);
            if !self.remove(&resource, keep).await? {
                left.push(resource.logical_id);
            }
        }
        if left.is_empty() {
            return self.stack_is(done, None);
        }
        self.stack_is(broken, Some(Failed::Resources("delete", left).text("")))
    }

    /// The stack's resources, in the order in which they are deleted: what needs another before that.
    pub(super) fn made_last_first(&self) -> Vec<Resource> {
        let order = &self.definition().order;
        let known = order.iter().rev().filter_map(|id| self.stack.resources.get(id));
        let others = self.stack.resources.values().filter(|resource| !order.contains(&resource.logical_id));
        let all = known.chain(others);
        all.filter(|resource| !matches!(&*resource.status, "DELETE_COMPLETE" | "DELETE_SKIPPED")).cloned().collect()
    }
}
