//! What is filled in: a Service as it shall be, as text where the user types.

use std::{collections::BTreeMap, sync::Arc};

use super::EditPage;
use svcscope_check::SuggestedFix;
use svcscope_edit::{DesiredServiceState, MigrationPath, ServiceKind, SessionAffinity};
use svcscope_model::{
    inventory::{Protocol, ServicePort, ServiceRecord, SharedStr, TargetPort, TrafficPolicy},
    topology::PortId,
};

/// Keys and values as they are typed; one with an empty key is none.
pub type KeyValuePairs = Vec<(String, String)>;

/// A port as it is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortDraft {
    pub name: String,
    pub protocol: Protocol,
    pub port: String,
    /// A number or a name; empty is the port's own number.
    pub target_port: String,
    /// Empty is any, where the type has nodePorts.
    pub node_port: String,
    pub app_protocol: String,
}

impl PortDraft {
    /// As an existing port is.
    pub fn of(port: &ServicePort) -> Self {
        let text = |text: &Option<SharedStr>| text.as_deref().unwrap_or_default().to_owned();
        Self {
            name: text(&port.name),
            protocol: port.protocol,
            port: port.port.to_string(),
            target_port: port.target_port.to_string(),
            node_port: port.node_port.map(|it| it.to_string()).unwrap_or_default(),
            app_protocol: text(&port.app_protocol),
        }
    }

    /// One that nothing is known of.
    pub fn empty() -> Self {
        Self {
            name: String::new(),
            protocol: Protocol::Tcp,
            port: String::new(),
            target_port: String::new(),
            node_port: String::new(),
            app_protocol: String::new(),
        }
    }

    /// The port, or what is wrong with it.
    pub fn parse(&self, has_node_ports: bool) -> Result<ServicePort, SharedStr> {
        let port = parse_port_number(&self.port)?
            .ok_or_else(|| SharedStr::from("fill in the port, or remove its line"))?;
        let target = self.target_port.trim();
        Ok(ServicePort {
            name: non_empty(&self.name),
            protocol: self.protocol,
            port,
            target_port: match target.parse() {
                _ if target.is_empty() => TargetPort::Number(port),
                Ok(number) => TargetPort::Number(number),
                Err(_is_a_name) => TargetPort::Name(SharedStr::from(target)),
            },
            node_port: match has_node_ports {
                true => parse_port_number(&self.node_port)?,
                false => None,
            },
            app_protocol: non_empty(&self.app_protocol),
        })
    }
}

/// The fields of all pages.
#[derive(Clone, Debug)]
pub struct ServiceDraft {
    /// As the user saw it when the dialog was opened.
    pub original: Arc<ServiceRecord>,
    /// None: the type stays.
    pub desired_type: Option<ServiceKind>,
    pub via: Option<MigrationPath>,
    pub external_name: String,
    pub ports: Vec<PortDraft>,
    pub selector: KeyValuePairs,
    pub sticky: bool,
    pub sticky_secs: String,
    pub external_policy: Option<TrafficPolicy>,
    pub internal_policy: Option<TrafficPolicy>,
    /// One a line.
    pub source_ranges: String,
    pub class: String,
    pub allocate: bool,
    pub publish_not_ready: bool,
    pub labels: KeyValuePairs,
    pub annotations: KeyValuePairs,
}

impl ServiceDraft {
    /// As the Service is.
    pub fn new(service: &Arc<ServiceRecord>) -> Self {
        let text = |text: &Option<SharedStr>| text.as_deref().unwrap_or_default().to_owned();
        Self {
            desired_type: None,
            via: None,
            external_name: text(&service.external_name),
            ports: service.ports.iter().map(PortDraft::of).collect(),
            selector: to_key_value_pairs(&service.selector),
            sticky: service.session_affinity_client_ip,
            sticky_secs: service
                .session_affinity_timeout_secs
                .map(|secs| secs.to_string())
                .unwrap_or_default(),
            external_policy: service.external_traffic_policy,
            internal_policy: service.internal_traffic_policy,
            source_ranges: service.source_ranges.join("\n"),
            class: text(&service.load_balancer_class),
            allocate: service.allocate_load_balancer_node_ports != Some(false),
            publish_not_ready: service.publish_not_ready_addresses,
            labels: to_key_value_pairs(&service.labels),
            annotations: to_key_value_pairs(&service.annotations),
            original: service.clone(),
        }
    }

    /// The same changes of the Service as it is now: fields that the user has touched keep what
    /// was filled in, all others are as they are.
    pub fn rebased_onto(self, now: &Arc<ServiceRecord>) -> Self {
        fn merged_field<T: PartialEq>(was: &T, mine: T, is: T) -> T {
            if mine == *was { is } else { mine }
        }
        let was = Self::new(&self.original);
        let is = Self::new(now);
        Self {
            original: is.original,
            desired_type: self.desired_type,
            via: self.via,
            external_name: merged_field(&was.external_name, self.external_name, is.external_name),
            ports: merged_field(&was.ports, self.ports, is.ports),
            selector: merged_field(&was.selector, self.selector, is.selector),
            sticky: merged_field(&was.sticky, self.sticky, is.sticky),
            sticky_secs: merged_field(&was.sticky_secs, self.sticky_secs, is.sticky_secs),
            external_policy: merged_field(
                &was.external_policy,
                self.external_policy,
                is.external_policy,
            ),
            internal_policy: merged_field(
                &was.internal_policy,
                self.internal_policy,
                is.internal_policy,
            ),
            source_ranges: merged_field(&was.source_ranges, self.source_ranges, is.source_ranges),
            class: merged_field(&was.class, self.class, is.class),
            allocate: merged_field(&was.allocate, self.allocate, is.allocate),
            publish_not_ready: merged_field(
                &was.publish_not_ready,
                self.publish_not_ready,
                is.publish_not_ready,
            ),
            labels: merged_field(&was.labels, self.labels, is.labels),
            annotations: merged_field(&was.annotations, self.annotations, is.annotations),
        }
    }

    /// Wants this type, by whichever way is right for it.
    pub fn choose_type(&mut self, to: ServiceKind) {
        if self.desired_type != Some(to) {
            self.via = None;
        }
        self.desired_type = Some(to);
    }

    /// Fills in what would mend a finding; says on which page that stands. What is no longer there
    /// to be mended is left as it is.
    pub fn apply_fix(&mut self, fix: &SuggestedFix) -> EditPage {
        match fix {
            SuggestedFix::TargetPort { port, to } => {
                if let Some(draft) = self.port(port) {
                    draft.target_port = to.to_string();
                }
                EditPage::Ports
            }
            SuggestedFix::Protocol { port, to } => {
                if let Some(draft) = self.port(port) {
                    draft.protocol = *to;
                }
                EditPage::Ports
            }
            SuggestedFix::NodePort { port, to } => {
                if let Some(draft) = self.port(port) {
                    draft.node_port = to.map(|to| to.to_string()).unwrap_or_default();
                }
                EditPage::Ports
            }
            SuggestedFix::Selector { remove, key, value } => {
                let pair = (key.to_string(), value.to_string());
                let at = self.selector.iter().position(|(key, _)| **key == **remove);
                match at.and_then(|at| self.selector.get_mut(at)) {
                    Some(slot) => *slot = pair,
                    None => self.selector.push(pair),
                }
                EditPage::Selector
            }
        }
    }

    fn port(&mut self, id: &PortId) -> Option<&mut PortDraft> {
        let is = |port: &ServicePort| port.port == id.port && port.protocol == id.protocol;
        let at = self.original.ports.iter().position(is)?;
        self.ports.get_mut(at)
    }

    /// The type that it shall have.
    pub fn effective_type(&self) -> ServiceKind {
        self.desired_type
            .unwrap_or_else(|| ServiceKind::of(&self.original))
    }

    /// What is filled in as a change, or what is missing.
    pub fn desired_state(&self) -> Result<DesiredServiceState, SharedStr> {
        let to = self.effective_type();
        let external_name = self.external_name()?;
        let ports = self.ports(to)?;
        let target = ServiceRecord {
            selector: parse_key_value_pairs(&self.selector)?,
            session_affinity_client_ip: self.sticky,
            session_affinity_timeout_secs: self.sticky_secs()?,
            external_traffic_policy: self.external_policy,
            internal_traffic_policy: self.internal_policy,
            source_ranges: self
                .source_ranges
                .split_whitespace()
                .map(SharedStr::from)
                .collect(),
            load_balancer_class: non_empty(&self.class),
            publish_not_ready_addresses: self.publish_not_ready,
            labels: parse_key_value_pairs(&self.labels)?,
            annotations: parse_key_value_pairs(&self.annotations)?,
            ..ServiceRecord::clone(&self.original)
        };
        let balanced = to == ServiceKind::LoadBalancer;
        let between = DesiredServiceState::between(&self.original, &target);
        let differs = |is: bool| is.then_some(());
        Ok(DesiredServiceState {
            service_type: self.desired_type,
            migration_path: self.via,
            external_name,
            ports,
            session_affinity: between.session_affinity,
            external_traffic_policy: self
                .external_policy
                .filter(|policy| Some(*policy) != self.original.external_traffic_policy),
            source_ranges: differs(balanced && target.source_ranges != self.original.source_ranges)
                .map(|()| target.source_ranges.clone()),
            load_balancer_class: target.load_balancer_class.clone().filter(|_| {
                balanced && target.load_balancer_class != self.original.load_balancer_class
            }),
            allocate_load_balancer_node_ports: Some(self.allocate).filter(|allocate| {
                let now = self.original.allocate_load_balancer_node_ports != Some(false);
                balanced && *allocate != now
            }),
            seen_record: Some(self.original.clone()),
            ..between
        })
    }

    /// Whether something is filled in that is not so now.
    pub fn is_changed(&self) -> bool {
        self.desired_state().is_ok_and(|wanted| {
            let nothing = DesiredServiceState {
                seen_record: wanted.seen_record.clone(),
                migration_path: wanted.migration_path,
                ..DesiredServiceState::default()
            };
            wanted != nothing
        })
    }

    fn external_name(&self) -> Result<Option<SharedStr>, SharedStr> {
        if self.effective_type() != ServiceKind::ExternalName {
            return Ok(None);
        }
        let host = non_empty(&self.external_name)
            .ok_or_else(|| SharedStr::from("fill in the name that it shall point to"))?;
        Ok(Some(host).filter(|host| {
            self.desired_type.is_some() || self.original.external_name.as_ref() != Some(host)
        }))
    }

    fn ports(&self, to: ServiceKind) -> Result<Option<Vec<ServicePort>>, SharedStr> {
        let untouched = self.original.ports.iter().map(PortDraft::of);
        if untouched.eq(self.ports.iter().cloned()) {
            return Ok(None);
        }
        let read = |port: &PortDraft| port.parse(to.has_node_ports());
        self.ports
            .iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map(Some)
    }

    fn sticky_secs(&self) -> Result<Option<u32>, SharedStr> {
        let typed = self.sticky_secs.trim();
        if !self.sticky || typed.is_empty() {
            return Ok(None);
        }
        let secs = typed.parse::<u32>().ok();
        secs.map(Some)
            .ok_or_else(|| format!("`{typed}` is not a number of seconds").into())
    }
}

/// As the user would type them.
pub fn to_key_value_pairs(pairs: &BTreeMap<SharedStr, SharedStr>) -> KeyValuePairs {
    pairs
        .iter()
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect()
}

/// What was typed, or which key is given twice.
pub fn parse_key_value_pairs(
    pairs: &KeyValuePairs,
) -> Result<BTreeMap<SharedStr, SharedStr>, SharedStr> {
    let mut read = BTreeMap::new();
    for (key, value) in pairs {
        let key = key.trim();
        if key.is_empty() {
            continue;
        }
        if read
            .insert(SharedStr::from(key), SharedStr::from(&**value))
            .is_some()
        {
            return Err(format!("`{key}` is given twice").into());
        }
    }
    Ok(read)
}

fn non_empty(text: &str) -> Option<SharedStr> {
    let text = text.trim();
    (!text.is_empty()).then(|| SharedStr::from(text))
}

fn parse_port_number(typed: &str) -> Result<Option<u16>, SharedStr> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let number = typed.parse::<u16>().ok().filter(|port| *port > 0);
    number
        .map(Some)
        .ok_or_else(|| format!("`{typed}` is not a port number; leave it empty for any").into())
}

/// How affinity is said where it is chosen.
pub fn affinity_word(sticky: bool) -> String {
    let affinity = match sticky {
        true => SessionAffinity::ClientIP { timeout_secs: None },
        false => SessionAffinity::None,
    };
    affinity.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use svcscope_model::inventory::ObjectKey;

    fn draft() -> ServiceDraft {
        let mut service = ServiceRecord::new(ObjectKey::new("shop", "web"));
        service.selector = [(SharedStr::from("app"), SharedStr::from("web"))].into();
        service.ports.push(ServicePort {
            name: None,
            protocol: Protocol::Tcp,
            port: 80,
            target_port: TargetPort::Number(80),
            node_port: None,
            app_protocol: None,
        });
        ServiceDraft::new(&Arc::new(service))
    }

    fn only(wanted: DesiredServiceState) -> DesiredServiceState {
        assert!(wanted.seen_record.is_some());
        DesiredServiceState {
            seen_record: None,
            ..wanted
        }
    }

    #[test]
    fn what_is_not_touched_is_not_wanted() {
        let draft = draft();
        assert_eq!(
            only(draft.desired_state().unwrap()),
            DesiredServiceState::default()
        );
        assert!(!draft.is_changed());
    }

    /// kubectl ends its `last-applied-configuration` with a line break.
    #[test]
    fn a_value_is_kept_as_it_is() {
        let mut service = ServiceRecord::new(ObjectKey::new("shop", "web"));
        service.annotations = [(SharedStr::from("applied"), SharedStr::from("{}\n"))].into();
        assert!(!ServiceDraft::new(&Arc::new(service)).is_changed());
    }

    #[test]
    fn each_field_that_is_touched_is_wanted_and_nothing_else() {
        let mut with = draft();
        with.selector.push(("tier".into(), "web".into()));
        with.labels.push((" a ".into(), "1".into()));
        with.publish_not_ready = true;
        let wanted = only(with.desired_state().unwrap());
        let selector = [("app", "web"), ("tier", "web")];
        let expected = DesiredServiceState {
            selector: Some(
                selector
                    .map(|(k, v)| (SharedStr::from(k), SharedStr::from(v)))
                    .into(),
            ),
            labels: [(SharedStr::from("a"), Some(SharedStr::from("1")))].into(),
            publish_not_ready_addresses: Some(true),
            ..DesiredServiceState::default()
        };
        assert_eq!(wanted, expected);
        assert!(with.is_changed());
    }

    #[test]
    fn a_fix_fills_in_what_it_mends_and_nothing_else() {
        let port = PortId {
            service: ObjectKey::new("shop", "web"),
            protocol: Protocol::Tcp,
            port: 80,
        };
        let mut with = draft();
        let to = TargetPort::Name("http".into());
        let fix = SuggestedFix::TargetPort { port, to };
        assert_eq!(with.apply_fix(&fix), EditPage::Ports);
        let ports = only(with.desired_state().unwrap()).ports.unwrap();
        assert_eq!(ports[0].target_port, TargetPort::Name("http".into()));
        let mut with = draft();
        let fix = SuggestedFix::Selector {
            remove: "app".into(),
            key: "run".into(),
            value: "web".into(),
        };
        assert_eq!(with.apply_fix(&fix), EditPage::Selector);
        let selector = only(with.desired_state().unwrap()).selector.unwrap();
        assert_eq!(
            selector,
            [(SharedStr::from("run"), SharedStr::from("web"))].into()
        );
    }

    #[test]
    fn a_target_port_is_a_number_a_name_or_the_port_itself() {
        let mut draft = draft();
        draft.ports[0].target_port = "http".into();
        draft.ports.push(PortDraft {
            port: "443".into(),
            ..PortDraft::empty()
        });
        let ports = draft.desired_state().unwrap().ports.unwrap();
        assert_eq!(ports[0].target_port, TargetPort::Name("http".into()));
        assert_eq!(ports[1].target_port, TargetPort::Number(443));
    }

    #[test]
    fn wishes_go_over_to_the_service_as_somebody_left_it() {
        let mut draft = draft();
        draft.desired_type = Some(ServiceKind::NodePort);
        draft.publish_not_ready = true;
        let mut now = ServiceRecord::clone(&draft.original);
        now.resource_version = SharedStr::from("2");
        now.labels = [(SharedStr::from("touched"), SharedStr::from("yes"))].into();
        now.ports[0].target_port = TargetPort::Number(8080);
        let wanted = draft
            .rebased_onto(&Arc::new(now.clone()))
            .desired_state()
            .unwrap();
        let seen = wanted.seen_record.clone().unwrap();
        assert_eq!(*seen, now);
        let expected = DesiredServiceState {
            publish_not_ready_addresses: Some(true),
            ..DesiredServiceState::of_type(ServiceKind::NodePort)
        };
        assert_eq!(only(wanted), expected);
    }

    #[test]
    fn what_can_not_be_is_said() {
        let said = |change: fn(&mut ServiceDraft)| {
            let mut draft = draft();
            change(&mut draft);
            draft.desired_state().unwrap_err().to_string()
        };
        assert!(said(|draft| draft.ports[0].port = "http".into()).contains("`http` is not a port"));
        assert!(said(|draft| draft.ports[0].port.clear()).contains("fill in the port"));
        assert!(
            said(|draft| draft.desired_type = Some(ServiceKind::ExternalName)).contains("the name")
        );
        let twice = said(|draft| draft.selector.push(("app".into(), "x".into())));
        assert!(twice.contains("`app` is given twice"));
        let secs = said(|draft| (draft.sticky, draft.sticky_secs) = (true, "an hour".into()));
        assert!(secs.contains("not a number of seconds"));
    }

    #[test]
    fn node_ports_are_asked_for_only_where_the_type_has_them() {
        let mut draft = draft();
        draft.ports[0].node_port = "30080".into();
        assert_eq!(
            draft.desired_state().unwrap().ports.unwrap()[0].node_port,
            None
        );
        draft.desired_type = Some(ServiceKind::NodePort);
        let ports = draft.desired_state().unwrap().ports.unwrap();
        assert_eq!(ports[0].node_port, Some(30080));
    }
}
