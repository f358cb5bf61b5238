//! A forward that the user gave a name, as it is kept.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use svcscope_model::inventory::SharedStr;
use svcscope_net::forward::{ForwardSpec, ForwardTarget, RemotePort, SpreadPolicy};

/// A forward with a name that is known at the next start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SavedForwardJson", into = "SavedForwardJson")]
pub struct SavedForward {
    /// Names it among those of its context.
    pub name: SharedStr,
    /// What it is started together with.
    pub group: Option<SharedStr>,
    /// Whether it starts when the app comes to its context.
    pub start_with_app: bool,
    /// What is forwarded; it bears the name too.
    pub spec: ForwardSpec,
    /// What a later version wrote.
    unknown: serde_json::Map<String, serde_json::Value>,
}

impl SavedForward {
    /// A forward by this name.
    pub fn new(name: impl Into<SharedStr>, spec: ForwardSpec) -> Self {
        let name = name.into();
        Self {
            group: None,
            start_with_app: false,
            spec: ForwardSpec {
                name: Some(name.clone()),
                last_port: None,
                ..spec
            },
            name,
            unknown: serde_json::Map::new(),
        }
    }

    /// Whether other machines can reach it whenever the app comes to its context.
    pub fn exposes_port_at_start(&self) -> bool {
        self.start_with_app && self.spec.listens_beyond_loopback()
    }

    /// The same under another name.
    pub fn renamed(self, name: impl Into<SharedStr>) -> Self {
        Self {
            group: self.group,
            start_with_app: self.start_with_app,
            unknown: self.unknown,
            ..Self::new(name, self.spec)
        }
    }

    /// Why a word is no name or group, where it is none.
    pub fn invalid_name_reason(name: &str) -> Option<&'static str> {
        if name.trim().is_empty() {
            Some("a name is needed")
        } else if name.trim() != name || name.chars().any(char::is_control) {
            Some("a name has no spaces around it and nothing invisible in it")
        } else if name.chars().count() > 80 {
            Some("a name has 80 letters at most")
        } else {
            None
        }
    }
}

/// Its form in a file, for people to read.
#[derive(Clone, Serialize, Deserialize)]
struct SavedForwardJson {
    name: SharedStr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<SharedStr>,
    namespace: SharedStr,
    /// `svc/web`.
    target: String,
    port: RemotePort,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    local_port: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    local_address: Option<IpAddr>,
    #[serde(default)]
    spread: SpreadPolicy,
    #[serde(default)]
    start_with_app: bool,
    #[serde(flatten)]
    unknown: serde_json::Map<String, serde_json::Value>,
}

impl TryFrom<SavedForwardJson> for SavedForward {
    type Error = String;

    fn try_from(written: SavedForwardJson) -> Result<Self, String> {
        let name = &written.name;
        let group = written.group.as_deref();
        for word in [Some(&**name), group].into_iter().flatten() {
            if let Some(why) = Self::invalid_name_reason(word) {
                return Err(format!("forward `{name}`: {why}"));
            }
        }
        let target =
            ForwardTarget::parse(&written.namespace, &written.target).ok_or_else(|| {
                format!(
                    "forward `{name}`: `{}` is no target such as svc/web or deployment/web",
                    written.target
                )
            })?;
        if written.port == RemotePort::Number(0) || written.local_port == Some(0) {
            return Err(format!(
                "forward `{name}`: a port is a number from 1 to 65535"
            ));
        }
        let spec = ForwardSpec {
            local_address: written.local_address,
            local_port: written.local_port,
            spread: written.spread,
            ..ForwardSpec::new(target, written.port)
        };
        Ok(Self {
            group: written.group,
            start_with_app: written.start_with_app,
            unknown: written.unknown,
            ..Self::new(written.name, spec)
        })
    }
}

impl From<SavedForward> for SavedForwardJson {
    fn from(saved: SavedForward) -> Self {
        let spec = saved.spec;
        Self {
            name: saved.name,
            group: saved.group,
            namespace: spec.target.key().namespace.clone(),
            target: spec.target.to_string(),
            port: spec.port,
            local_port: spec.local_port,
            local_address: spec.local_address,
            spread: spec.spread,
            start_with_app: saved.start_with_app,
            unknown: saved.unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use svcscope_model::inventory::ObjectKey;

    #[test]
    fn it_is_kept_in_a_form_for_people() {
        let target = ForwardTarget::Service(ObjectKey::new("shop", "web"));
        let spec = ForwardSpec {
            local_port: Some(8080),
            spread: SpreadPolicy::Pinned("web-0".into()),
            ..ForwardSpec::new(target, RemotePort::Name("http".into()))
        };
        let mut saved = SavedForward::new("shop front", spec);
        saved.group = Some("shop".into());
        let text = serde_json::to_string(&saved).unwrap();
        assert_eq!(
            text,
            r#"{"name":"shop front","group":"shop","namespace":"shop","target":"svc/web","port":"http","local_port":8080,"spread":{"pinned":"web-0"},"start_with_app":false}"#
        );
        assert_eq!(serde_json::from_str::<SavedForward>(&text).unwrap(), saved);
        assert_eq!(saved.spec.name.as_deref(), Some("shop front"));
    }

    #[test]
    fn little_needs_to_be_written_and_what_is_not_understood_stays() {
        let text = r#"{"name":"db","namespace":"infra","target":"sts/db","port":5432,"colour":1}"#;
        let saved: SavedForward = serde_json::from_str(text).unwrap();
        assert_eq!(saved.spec.spread, SpreadPolicy::Sticky);
        assert_eq!(saved.spec.local_port, None);
        let again = serde_json::to_string(&saved.renamed("pg")).unwrap();
        assert!(again.contains(r#""colour":1"#) && again.contains(r#""name":"pg""#));
    }

    #[test]
    fn what_is_no_forward_is_refused_with_its_name() {
        for (wrong, said) in [
            (r#""target":"cm/db","port":5432"#, "`cm/db` is no target"),
            (r#""target":"svc/db","port":0"#, "from 1 to 65535"),
            (
                r#""target":"svc/db","port":1,"group":" ""#,
                "a name is needed",
            ),
        ] {
            let text = format!(r#"{{"name":"db","namespace":"infra",{wrong}}}"#);
            let error = serde_json::from_str::<SavedForward>(&text).unwrap_err();
            let error = error.to_string();
            assert!(error.contains("`db`") && error.contains(said), "{error}");
        }
    }
}
