//! Changing a stack into what is pending, and back when something fails.

use std::collections::BTreeSet;

use super::resource::is_kept;
use super::{Engine, Failed};
use crate::Result;
use crate::cloudformation::report::{Reason, Report};
use crate::cloudformation::state::{OnFailure, Resource};
use crate::cloudformation::types;

/// What an update has done so far.
#[derive(Default)]
struct Done {
    /// The logical ids of the resources that it changed or tried to change, in that order.
    touched: Vec<String>,
    /// Physical resources that were replaced.
    replaced: Vec<Resource>,
}

/// AWS's reason for a replacement.
const REPLACES: &str = "Requested update requires the creation of a new physical resource; hence creating one.";

impl Engine {
    /// Changes what differs. `hindrance`: why nothing can be changed at all.
    pub(super) async fn update(&mut self, hindrance: Option<String>) -> Result<()> {
        let before = self.stack.clone();
        let mut done = Done::default();
        let failed = match hindrance {
            Some(text) => Some(Failed::Other(text)),
            None => self.change_all(&mut done).await?,
        };
        let failed = match failed {
            Some(failed) => failed,
            None => match self.outputs().and_then(|outputs| self.check_exports(&outputs).map(|()| outputs)) {
                Ok(outputs) => {
                    self.tell(Report::Outputs(outputs))?;
                    return self.clean_up(done).await;
                }
                Err(error) => Failed::Other(error.message().to_owned()),
            },
        };
        if self.stack.on_failure == OnFailure::DoNothing {
            self.tell(Report::Settled(true))?;
            return self.stack_is("UPDATE_FAILED", Some(failed.text("")));
        }
        self.roll_back(before.resources.values().cloned().collect(), done, failed).await
    }

    async fn change_all(&mut self, done: &mut Done) -> Result<Option<Failed>> {
        for id in self.definition().order.clone() {
            let existing = self.stack.resources.get(&id).filter(|resource| resource.exists()).cloned();
            let Some(existing) = existing else {
                done.touched.push(id.clone());
                if !self.make(&id).await? {
                    return Ok(Some(Failed::Resources("create", vec![id])));
                }
                continue;
            };
            if !self.change_one(existing, done).await? {
                return Ok(Some(Failed::Resources("update", vec![id])));
            }
        }
        Ok(None)
    }

    /// Brings a resource up to date, in place or by replacement. `false` if that failed, which is reported.
    async fn change_one(&mut self, existing: Resource, done: &mut Done) -> Result<bool> {
        let id = existing.logical_id.clone();
        let wanted = match self.properties(&id) {
            Ok(properties) => properties,
            Err(error) => {
                done.touched.push(id);
                let reason = Reason::Own(error.message().to_owned());
                self.resource_is(&existing, "UPDATE_FAILED", Some(reason))?;
                return Ok(false);
            }
        };
        let Some(declared) = self.definition().template.resource(&id).cloned() else { return Ok(true) };
        let existing = Resource {
            deletion_policy: declared.deletion_policy.clone(),
            update_replace_policy: declared.update_replace_policy.clone(),
            ..existing
        };
        self.stack.resources.insert(id.clone(), existing.clone());
        if existing.kind == declared.kind && existing.properties == wanted {
            return Ok(true);
        }
        done.touched.push(id.clone());
        let kind = types::find(&declared.kind);
        let replace =
            existing.kind != declared.kind || kind.is_some_and(|kind| kind.must_replace(&existing.properties, &wanted));
        if !replace {
            let is_changed = self.change(&existing, &wanted).await?;
            // Who makes a custom resource may have made it anew.
            if self.stack.resources.get(&id).is_some_and(|now| now.physical_id != existing.physical_id) {
                done.replaced.push(existing);
            }
            return Ok(is_changed);
        }
        let custom_name = kind.and_then(|kind| kind.name_property).and_then(|property| wanted.get(property));
        if custom_name.and_then(|name| name.as_str()).is_some_and(|name| existing.physical_id.as_deref() == Some(name))
        {
            let name = existing.physical_id.clone().unwrap_or_default();
            let text = format!(
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename {name} and \
                 update the stack again."
            );
            self.resource_is(&existing, "UPDATE_FAILED", Some(Reason::Own(text)))?;
            return Ok(false);
        }
        self.resource_is(&existing, "UPDATE_IN_PROGRESS", Some(Reason::Own(REPLACES.to_owned())))?;
        done.replaced.push(existing);
        self.make_anew(&id).await
    }

    /// Everything is as it is to be: what is no longer wanted goes.
    async fn clean_up(&mut self, done: Done) -> Result<()> {
        self.stack_is("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", None)?;
        let order = self.definition().order.clone();
        for resource in done.replaced.iter().rev() {
            let keep = is_kept(resource.update_replace_policy.as_deref(), false);
            // What cannot be deleted is left behind, and the update is complete all the same.
            self.remove_aside(resource, keep).await?;
        }
        let old_order = self.stack.definition.order.clone();
        let dropped: BTreeSet<&String> = old_order.iter().filter(|id| !order.contains(id)).collect();
        for id in old_order.iter().rev().filter(|id| dropped.contains(id)) {
            let Some(resource) = self.stack.resources.get(id).filter(|resource| resource.exists()).cloned() else {
                continue;
            };
            let keep = is_kept(resource.deletion_policy.as_deref(), false);
            self.remove_aside(&resource, keep).await?;
        }
        let kept = self.stack.resources.values().filter(|resource| order.contains(&resource.logical_id));
        self.tell(Report::Resources(kept.cloned().collect()))?;
        self.tell(Report::Settled(true))?;
        self.stack_is("UPDATE_COMPLETE", None)
    }

    /// Back to how it was: what was changed is changed back, what was made is deleted.
    async fn roll_back(&mut self, before: Vec<Resource>, done: Done, failed: Failed) -> Result<()> {
        self.stack_is("UPDATE_ROLLBACK_IN_PROGRESS", Some(failed.text("")))?;
        self.tell(Report::Settled(false))?;
        // From here on the old definition counts.
        self.stack.pending = None;
        let mut left = Vec::new();
        let mut made = Vec::new();
        for id in done.touched.iter().rev() {
            let Some(now) = self.stack.resources.get(id).cloned() else { continue };
            let was = before.iter().find(|resource| resource.logical_id == *id && resource.exists());
            let Some(was) = was else {
                made.push(now);
                continue;
            };
            let is_custom = types::find(&now.kind).is_some_and(types::ResourceType::is_custom);
            if now.kind != was.kind || (now.physical_id != was.physical_id && !is_custom) {
                // The old one was never deleted.
                self.resource_is(was, "UPDATE_COMPLETE", None)?;
                made.push(now);
            } else if !self.change(&now, &was.properties).await? {
                left.push(id.clone());
            } else if self.stack.resources.get(id).is_some_and(|back| back.physical_id != now.physical_id) {
                made.push(now);
            }
        }
        if !left.is_empty() {
            let text = Failed::Resources("update", left).text("");
            return self.stack_is("UPDATE_ROLLBACK_FAILED", Some(text));
        }
        self.stack_is("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", None)?;
        for resource in &made {
            self.remove_aside(resource, false).await?;
        }
        let kept: Vec<Resource> = self.stack.resources.values().map(|now| before_or(&before, now)).collect();
        let kept = kept.into_iter().filter(|now| before.iter().any(|was| was.logical_id == now.logical_id)).collect();
        self.tell(Report::Resources(kept))?;
        self.stack_is("UPDATE_ROLLBACK_COMPLETE", None)
    }
}

/// A resource after a rollback: the old policies, whatever the update had wanted.
fn before_or(before: &[Resource], now: &Resource) -> Resource {
    match before.iter().find(|was| was.logical_id == now.logical_id) {
        Some(was) => Resource {
            deletion_policy: was.deletion_policy.clone(),
            update_replace_policy: was.update_replace_policy.clone(),
            ..now.clone()
        },
        None => now.clone(),
    }
}
