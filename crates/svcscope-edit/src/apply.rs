//! Sends a plan: written step by step, read back, compared.

use std::sync::Arc;

use serde_json::Value;

use super::{
    ChangeOutcome, ChangePlan, EditConflict, EditError, ServiceKind, ServiceSnapshot,
    ServiceWriteError, ServiceWriter, WriteAction, WriteMode, WriteResponse, differences, manifest,
    planner::with_resource_version,
};
use svcscope_model::inventory::SharedStr;

/// What became of one step, for the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct ExecutedStep {
    /// Which step of the plan.
    pub sentence: SharedStr,
    /// `patch`, `delete` or `create`.
    pub verb: &'static str,
    /// What was sent.
    pub sent: Option<Value>,
    /// What the server said, if it refused.
    pub error: Option<SharedStr>,
}

/// Writes a plan, reads the Service back and compares all that was wanted: a 200 that changed
/// nothing is no success.
///
/// `log` gets what was sent. A step is sent with the resourceVersion that the one before left, so
/// that nobody else's change is overwritten between two either.
pub async fn apply(
    plan: &Arc<ChangePlan>,
    writer: &dyn ServiceWriter,
    log: &mut Vec<ExecutedStep>,
) -> Result<ChangeOutcome, EditError> {
    let mut version = plan
        .before
        .as_ref()
        .map(|before| before.record.resource_version.clone())
        .unwrap_or_default();
    let mut warnings = Vec::new();
    let mut answer = None;
    for (index, step) in plan.steps.iter().enumerate() {
        let mut tries = 0;
        let done = loop {
            let sent = match &step.action {
                WriteAction::Patch(patch) => Some(with_resource_version(patch, &version)),
                WriteAction::Create(object) => Some(object.clone()),
                WriteAction::Delete => None,
            };
            let done = send(plan, writer, &step.action, sent.as_ref(), answer.as_ref()).await;
            log.push(ExecutedStep {
                sentence: step.sentence.clone(),
                verb: step.action.verb(),
                sent,
                error: done.as_ref().err().map(|error| error.to_string().into()),
            });
            match version_after_controllers(&done)
                .filter(|_| index > 0 && tries < CONTROLLER_CONFLICT_RETRIES)
            {
                Some(newer) => version = newer,
                None => break done,
            }
            tries += 1;
        };
        match done {
            Ok(Some(written)) => {
                version = written.service.resource_version.clone();
                warnings.extend(written.warnings.iter().cloned());
                answer = Some(written);
            }
            Ok(None) => {}
            Err(error) if index == 0 => return Err(error),
            Err(error) => return Err(partial_failure(plan, writer, step, error, log).await),
        }
    }
    let (after, later) = read_back(plan, writer, answer.as_ref()).await?;
    warnings.extend(later);
    Ok(ChangeOutcome {
        plan: plan.clone(),
        after,
        warnings,
    })
}

/// How often a later step is sent again because a controller was quicker.
const CONTROLLER_CONFLICT_RETRIES: usize = 5;

/// The version to go on with where only controllers wrote since the step before: the one that takes
/// down a load balancer removes its finalizer and its address when the type changes.
fn version_after_controllers(done: &Result<Option<WriteResponse>, EditError>) -> Option<SharedStr> {
    let conflict = done.as_ref().err()?.conflict()?;
    let theirs = ["status", "metadata.finalizers"];
    conflict
        .changes
        .iter()
        .all(|change| theirs.iter().any(|field| change.field.starts_with(field)))
        .then(|| Some(conflict.current.as_ref()?.record.resource_version.clone()))
        .flatten()
}

async fn send(
    plan: &ChangePlan,
    writer: &dyn ServiceWriter,
    action: &WriteAction,
    sent: Option<&Value>,
    last: Option<&WriteResponse>,
) -> Result<Option<WriteResponse>, EditError> {
    let nothing = Value::Null;
    let body = sent.unwrap_or(&nothing);
    let before = plan.before.as_ref().map(|known| &known.record);
    match (action, before) {
        (WriteAction::Patch(_), _) => {
            match writer.patch(&plan.service, body, WriteMode::Apply).await {
                Ok(written) => Ok(Some(written)),
                Err(ServiceWriteError::Other { message }) => {
                    recheck_unanswered_patch(plan, writer, body, message)
                        .await
                        .map(Some)
                }
                Err(error) => Err(conflict_with(plan, writer, error, last).await),
            }
        }
        (WriteAction::Create(_), _) => create(plan, writer, body).await.map(Some),
        (WriteAction::Delete, Some(before)) => {
            if let Err(error) = writer.delete(before, WriteMode::Apply).await {
                return Err(match error {
                    // It may have been deleted all the same: only a look tells.
                    ServiceWriteError::Other { message } => {
                        match writer.wait_until_deleted(before).await {
                            Ok(()) => return Ok(None),
                            Err(_still_there) => EditError::UnknownOutcome { message },
                        }
                    }
                    error => conflict_with(plan, writer, error, last).await,
                });
            }
            writer
                .wait_until_deleted(before)
                .await
                .map(|()| None)
                .map_err(|error| EditError::UnknownOutcome {
                    message: format!("it was deleted, but it is still there: {error}").into(),
                })
        }
        (WriteAction::Delete, None) => Err(EditError::Other {
            message: "a Service that is not there can't be deleted".into(),
        }),
    }
}

/// There was no answer to a patch. Its precondition lets it be done once at most, so that a look at
/// the Service tells whether it was.
async fn recheck_unanswered_patch(
    plan: &ChangePlan,
    writer: &dyn ServiceWriter,
    sent: &Value,
    message: SharedStr,
) -> Result<WriteResponse, EditError> {
    let Ok(now) = writer.read(&plan.service).await else {
        return Err(EditError::UnknownOutcome { message });
    };
    let precondition = super::snapshot::text_at(sent, "metadata/resourceVersion");
    if Some(&now.service.resource_version) == precondition.as_ref() {
        return Err(EditError::Other { message });
    }
    if differences::unmet_goals(sent, &now.object).is_empty() {
        return Ok(now);
    }
    Err(EditError::UnknownOutcome { message })
}

/// Creates an object; where there was no answer, once more: a name can't be created twice.
async fn create(
    plan: &ChangePlan,
    writer: &dyn ServiceWriter,
    object: &Value,
) -> Result<WriteResponse, EditError> {
    let namespace = &plan.service.namespace;
    let message = match writer.create(namespace, object, WriteMode::Apply).await {
        Ok(written) => return Ok(written),
        Err(ServiceWriteError::Other { message }) => message,
        Err(error) => return Err(error.into()),
    };
    match writer.create(namespace, object, WriteMode::Apply).await {
        Ok(written) => Ok(written),
        // The first try was done after all, unless somebody else was quicker.
        Err(ServiceWriteError::Exists { .. }) => match writer.read(&plan.service).await {
            Ok(now) if differences::unmet_goals(object, &now.object).is_empty() => Ok(now),
            _ => Err(EditError::UnknownOutcome { message }),
        },
        Err(error) => Err(error.into()),
    }
}

/// A later step failed. What was deleted is put back as it was, where that is possible.
async fn partial_failure(
    plan: &ChangePlan,
    writer: &dyn ServiceWriter,
    step: &super::PlanStep,
    cause: EditError,
    log: &mut Vec<ExecutedStep>,
) -> EditError {
    let key = &plan.service;
    let cause = Box::new(cause);
    let WriteAction::Create(object) = &step.action else {
        let state = match writer.read(key).await {
            Ok(now) => format!("Service {key} is {} now", ServiceKind::of(&now.service)),
            Err(_unread) => format!("Service {key} is on its way"),
        };
        return EditError::PartlyApplied {
            state: format!("{state}, and could not be changed further").into(),
            cause,
            next: "Plan the change again from what it is now, or back to what it was".into(),
            manifest: None,
        };
    };
    let manifest = Some(Box::new(object.clone()));
    let Some(before) = &plan.before else {
        return *cause;
    };
    let old = manifest::without_server_fields(&before.object);
    let restored = writer.create(&key.namespace, &old, WriteMode::Apply).await;
    log.push(ExecutedStep {
        sentence: "put it back as it was".into(),
        verb: "create",
        sent: Some(old.clone()),
        error: restored
            .as_ref()
            .err()
            .map(|error| error.to_string().into()),
    });
    match restored {
        Ok(_) => EditError::PartlyApplied {
            state: format!(
                "Service {key} was deleted, could not be created as wanted, and was created again \
                 as it was, with another uid"
            )
            .into(),
            cause,
            next: "Correct what was refused and plan again".into(),
            manifest,
        },
        Err(again) => EditError::PartlyApplied {
            state: format!("Service {key} was deleted and could not be created again").into(),
            cause,
            next: format!(
                "Nor could it be created as it was ({again}). Create it from its manifest, which is \
                 in the journal: {old}"
            )
            .into(),
            manifest,
        },
    }
}

/// The Service as it is after the last `answer`, and what somebody else changed since that.
async fn read_back(
    plan: &ChangePlan,
    writer: &dyn ServiceWriter,
    answer: Option<&WriteResponse>,
) -> Result<(Option<ServiceSnapshot>, Option<SharedStr>), EditError> {
    let is_deletion = plan.projected_service.is_none();
    let now = match writer.read(&plan.service).await {
        Ok(now) => now,
        Err(ServiceWriteError::NotFound { .. }) if is_deletion => return Ok((None, None)),
        Err(error) => {
            return Err(EditError::UnknownOutcome {
                message: format!("it was written, but could not be read back: {error}").into(),
            });
        }
    };
    let known = ServiceSnapshot::from(now);
    if is_deletion {
        // Another one of that name is somebody else's.
        let is_same = plan
            .before
            .as_ref()
            .is_some_and(|before| before.record.uid == known.record.uid);
        return if is_same {
            Err(EditError::UnknownOutcome {
                message: "it was deleted, but it is still there".into(),
            })
        } else {
            Ok((None, None))
        };
    }
    let goal = plan.goal();
    let differences = differences::unmet_goals(&goal, &known.object);
    if differences.is_empty() {
        return Ok((Some(known), None));
    }
    // At another version than the one that was written, it is somebody else's doing.
    let overtaken = answer.filter(|answer| {
        answer.service.resource_version != known.record.resource_version
            && differences::unmet_goals(&goal, &answer.object).is_empty()
    });
    let Some(answer) = overtaken else {
        return Err(EditError::GoalNotMet { differences });
    };
    let later: Vec<_> = differences::differences(&answer.object, &known.object)
        .iter()
        .map(ToString::to_string)
        .collect();
    let writers = differences::writers_between(&answer.object, &known.object);
    let said = format!(
        "it was written, and another writer changed it again at once ({}): {}",
        writers.join(", "),
        later.join(", ")
    );
    Ok((Some(known), Some(said.into())))
}

/// A failed write; where it was a conflict, with who changed what since the `last` answer, or since
/// the plan was made.
pub(crate) async fn conflict_with(
    plan: &ChangePlan,
    writer: &dyn ServiceWriter,
    error: ServiceWriteError,
    last: Option<&WriteResponse>,
) -> EditError {
    let ServiceWriteError::Conflict { message } = error else {
        return error.into();
    };
    let planned_with = plan.before.as_ref().map(|before| &*before.object);
    let Some(before) = last.map(|last| &last.object).or(planned_with) else {
        return EditError::Conflict {
            message,
            conflict: None,
        };
    };
    let conflict = match writer.read(&plan.service).await {
        Ok(now) => Some(EditConflict {
            writers: differences::writers_between(before, &now.object),
            changes: differences::differences(before, &now.object),
            current: Some(now.into()),
        }),
        Err(ServiceWriteError::NotFound { .. }) => Some(EditConflict {
            writers: Vec::new(),
            changes: Vec::new(),
            current: None,
        }),
        Err(_unread) => None,
    };
    EditError::Conflict {
        message,
        conflict: conflict.map(Arc::new),
    }
}

#[cfg(test)]
mod tests;
