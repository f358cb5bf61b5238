//! Sends a plan: tried first, written, read back, compared.

use super::{
    FieldError, Outcome, Plan, ServiceWriter, WriteError, WriteMode, Written, planner::node_ports,
};
use crate::inventory::{ServiceRecord, ServiceType, Text};

/// Why a plan could not be tried or applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The API server refuses the change.
    #[error("the API server refuses the change: {message}")]
    Refused {
        /// The server's words.
        message: Text,
        /// The same by field.
        fields: Vec<FieldError>,
    },
    /// Somebody changed the Service since the person saw it. Nothing was written.
    #[error(
        "somebody changed the Service after it was read, so nothing was written: look at it again \
         and plan anew ({message})"
    )]
    Conflict {
        /// The server's words.
        message: Text,
    },
    /// The person may not change Services there.
    #[error("the change is not permitted: {message}")]
    Forbidden {
        /// The server's words.
        message: Text,
    },
    /// The Service is gone.
    #[error("the Service does not exist any more: {message}")]
    NotFound {
        /// The server's words.
        message: Text,
    },
    /// The write was accepted, and the Service is not as wanted: no success.
    #[error("the API server accepted the change, but {message}; look at the Service again")]
    NothingChanged {
        /// What is not as wanted.
        message: Text,
    },
    /// The write was accepted, and the Service could not be read after.
    #[error(
        "the API server accepted the change, but it could not be read back, so it is not certain: \
         {message}"
    )]
    NotReadBack {
        /// What was tried and what the other side said.
        message: Text,
    },
    /// Anything else.
    #[error("{message}")]
    Other {
        /// What was tried and what the other side said.
        message: Text,
    },
}

impl EditError {
    /// The server's complaints by field, where it made any.
    pub fn fields(&self) -> &[FieldError] {
        match self {
            Self::Refused { fields, .. } => fields,
            _ => &[],
        }
    }
}

impl From<WriteError> for EditError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Invalid { message, fields } => Self::Refused { message, fields },
            WriteError::Conflict { message } => Self::Conflict { message },
            WriteError::Forbidden { message } => Self::Forbidden { message },
            WriteError::NotFound { message } => Self::NotFound { message },
            WriteError::Other { message } => Self::Other { message },
        }
    }
}

/// Lets the API server check a plan and say what the Service would be. Nothing is stored.
///
/// What the server would allocate (a clusterIP, a nodePort) is a placeholder in its answer and is
/// left out here; the range of a nodePort is not checked: only [`apply`] tells.
pub async fn dry_run(plan: &Plan, writer: &dyn ServiceWriter) -> Result<Written, EditError> {
    let mut written = writer
        .patch(&plan.service, &plan.patch, WriteMode::DryRun)
        .await?;
    drop_placeholders(plan, &mut written.service);
    Ok(written)
}

/// A dry run allocates nothing: the server fills in values that nobody will ever get, nodePorts
/// even beyond the range (pkg/registry/core/service/portallocator/operation.go).
fn drop_placeholders(plan: &Plan, preview: &mut ServiceRecord) {
    let before = &plan.before;
    if before.virtual_ips().next().is_none() && !before.is_headless() {
        preview.cluster_ips.clear();
    }
    for (at, port) in preview.ports.iter_mut().enumerate() {
        let held = before
            .ports
            .iter()
            .filter(|held| (held.protocol, held.port) == (port.protocol, port.port))
            .find_map(|held| held.node_port);
        let asked_for = plan.change.node_ports.get(at).copied().flatten();
        if port.node_port != held && port.node_port != asked_for {
            port.node_port = None;
        }
    }
}

/// Writes a plan, reads the Service back and compares: a 200 that changed nothing is no success.
pub async fn apply(plan: &Plan, writer: &dyn ServiceWriter) -> Result<Outcome, EditError> {
    let written = writer
        .patch(&plan.service, &plan.patch, WriteMode::Apply)
        .await?;
    let after = writer
        .read(&plan.service)
        .await
        .map_err(|error| EditError::NotReadBack {
            message: error.to_string().into(),
        })?;
    compare(plan, &after.service)?;
    Ok(Outcome {
        before: plan.before.clone(),
        after: after.service.into(),
        warnings: written.warnings,
    })
}

/// Whether the Service is what the plan wanted.
fn compare(plan: &Plan, after: &ServiceRecord) -> Result<(), EditError> {
    let wanted = &plan.change;
    let differs = |message: String| {
        Err(EditError::NothingChanged {
            message: message.into(),
        })
    };
    if after.service_type != wanted.to {
        return differs(format!("its type is {}", after.service_type));
    }
    if wanted.to == ServiceType::ExternalName
        && after.external_name.as_deref() != wanted.external_name.as_deref()
    {
        return differs(format!(
            "its externalName is {}",
            after.external_name.as_deref().unwrap_or("empty")
        ));
    }
    let asked = wanted.node_ports.iter().any(Option::is_some);
    for (port, node_port) in node_ports(&plan.before, wanted).filter(|_| asked) {
        let held = after
            .ports
            .iter()
            .find(|held| (held.protocol, held.port) == (port.protocol, port.port))
            .and_then(|held| held.node_port);
        if node_port.is_some() && held != node_port {
            return differs(format!(
                "port {} has {}",
                port.port,
                held.map_or_else(|| "no nodePort".to_owned(), |n| format!("nodePort {n}"))
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
