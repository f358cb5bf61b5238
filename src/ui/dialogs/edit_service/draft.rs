//! What is filled in: a Service as it shall be, as text where a person types.

use std::{collections::BTreeMap, sync::Arc};

use super::Page;
use crate::{
    check::Fix,
    edit::{SessionAffinity, Via, Wanted, WantedType},
    inventory::{Protocol, ServicePort, ServiceRecord, TargetPort, Text, TrafficPolicy},
    topology::PortId,
};

/// Keys and values as they are typed; one with an empty key is none.
pub type Pairs = Vec<(String, String)>;

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
        let text = |text: &Option<Text>| text.as_deref().unwrap_or_default().to_owned();
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
    pub fn read(&self, has_node_ports: bool) -> Result<ServicePort, Text> {
        let port = number(&self.port)?
            .ok_or_else(|| Text::from("fill in the port, or remove its line"))?;
        let target = self.target_port.trim();
        Ok(ServicePort {
            name: filled(&self.name),
            protocol: self.protocol,
            port,
            target_port: match target.parse() {
                _ if target.is_empty() => TargetPort::Number(port),
                Ok(number) => TargetPort::Number(number),
                Err(_is_a_name) => TargetPort::Name(Text::from(target)),
            },
            node_port: match has_node_ports {
                true => number(&self.node_port)?,
                false => None,
            },
            app_protocol: filled(&self.app_protocol),
        })
    }
}

/// The fields of all pages.
#[derive(Clone, Debug)]
pub struct Draft {
    /// As the person saw it when the dialog was opened.
    pub from: Arc<ServiceRecord>,
    /// None: the type stays.
    pub to: Option<WantedType>,
    pub via: Option<Via>,
    pub external_name: String,
    pub ports: Vec<PortDraft>,
    pub selector: Pairs,
    pub sticky: bool,
    pub sticky_secs: String,
    pub external_policy: Option<TrafficPolicy>,
    pub internal_policy: Option<TrafficPolicy>,
    /// One a line.
    pub source_ranges: String,
    pub class: String,
    pub allocate: bool,
    pub publish_not_ready: bool,
    pub labels: Pairs,
    pub annotations: Pairs,
}

impl Draft {
    /// As the Service is.
    pub fn new(service: &Arc<ServiceRecord>) -> Self {
        let text = |text: &Option<Text>| text.as_deref().unwrap_or_default().to_owned();
        Self {
            to: None,
            via: None,
            external_name: text(&service.external_name),
            ports: service.ports.iter().map(PortDraft::of).collect(),
            selector: typed(&service.selector),
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
            labels: typed(&service.labels),
            annotations: typed(&service.annotations),
            from: service.clone(),
        }
    }

    /// The same wishes of the Service as it is now: fields that the person has touched keep what
    /// was filled in, all others are as they are.
    pub fn onto(self, now: &Arc<ServiceRecord>) -> Self {
        fn kept<T: PartialEq>(was: &T, mine: T, is: T) -> T {
            if mine == *was { is } else { mine }
        }
        let was = Self::new(&self.from);
        let is = Self::new(now);
        Self {
            from: is.from,
            to: self.to,
            via: self.via,
            external_name: kept(&was.external_name, self.external_name, is.external_name),
            ports: kept(&was.ports, self.ports, is.ports),
            selector: kept(&was.selector, self.selector, is.selector),
            sticky: kept(&was.sticky, self.sticky, is.sticky),
            sticky_secs: kept(&was.sticky_secs, self.sticky_secs, is.sticky_secs),
            external_policy: kept(
                &was.external_policy,
                self.external_policy,
                is.external_policy,
            ),
            internal_policy: kept(
                &was.internal_policy,
                self.internal_policy,
                is.internal_policy,
            ),
            source_ranges: kept(&was.source_ranges, self.source_ranges, is.source_ranges),
            class: kept(&was.class, self.class, is.class),
            allocate: kept(&was.allocate, self.allocate, is.allocate),
            publish_not_ready: kept(
                &was.publish_not_ready,
                self.publish_not_ready,
                is.publish_not_ready,
            ),
            labels: kept(&was.labels, self.labels, is.labels),
            annotations: kept(&was.annotations, self.annotations, is.annotations),
        }
    }

    /// Wants this type, by whichever way is right for it.
    pub fn choose(&mut self, to: WantedType) {
        if self.to != Some(to) {
            self.via = None;
        }
        self.to = Some(to);
    }

    /// Fills in what would mend a finding; says on which page that stands. What is no longer there
    /// to be mended is left as it is.
    pub fn mend(&mut self, fix: &Fix) -> Page {
        match fix {
            Fix::TargetPort { port, to } => {
                if let Some(draft) = self.port(port) {
                    draft.target_port = to.to_string();
                }
                Page::Ports
            }
            Fix::Protocol { port, to } => {
                if let Some(draft) = self.port(port) {
                    draft.protocol = *to;
                }
                Page::Ports
            }
            Fix::NodePort { port, to } => {
                if let Some(draft) = self.port(port) {
                    draft.node_port = to.map(|to| to.to_string()).unwrap_or_default();
                }
                Page::Ports
            }
            Fix::Selector { remove, key, value } => {
                let pair = (key.to_string(), value.to_string());
                let at = self.selector.iter().position(|(key, _)| **key == **remove);
                match at.and_then(|at| self.selector.get_mut(at)) {
                    Some(slot) => *slot = pair,
                    None => self.selector.push(pair),
                }
                Page::Selector
            }
        }
    }

    fn port(&mut self, id: &PortId) -> Option<&mut PortDraft> {
        let is = |port: &ServicePort| port.port == id.port && port.protocol == id.protocol;
        let at = self.from.ports.iter().position(is)?;
        self.ports.get_mut(at)
    }

    /// The type that it shall have.
    pub fn wanted_type(&self) -> WantedType {
        self.to.unwrap_or_else(|| WantedType::of(&self.from))
    }

    /// What is filled in as a change, or what is missing.
    pub fn wanted(&self) -> Result<Wanted, Text> {
        let to = self.wanted_type();
        let external_name = self.external_name()?;
        let ports = self.ports(to)?;
        let target = ServiceRecord {
            selector: read(&self.selector)?,
            session_affinity_client_ip: self.sticky,
            session_affinity_timeout_secs: self.sticky_secs()?,
            external_traffic_policy: self.external_policy,
            internal_traffic_policy: self.internal_policy,
            source_ranges: self
                .source_ranges
                .split_whitespace()
                .map(Text::from)
                .collect(),
            load_balancer_class: filled(&self.class),
            publish_not_ready_addresses: self.publish_not_ready,
            labels: read(&self.labels)?,
            annotations: read(&self.annotations)?,
            ..ServiceRecord::clone(&self.from)
        };
        let balanced = to == WantedType::LoadBalancer;
        let between = Wanted::between(&self.from, &target);
        let differs = |is: bool| is.then_some(());
        Ok(Wanted {
            to: self.to,
            via: self.via,
            external_name,
            ports,
            session_affinity: between.session_affinity,
            external_traffic_policy: self
                .external_policy
                .filter(|policy| Some(*policy) != self.from.external_traffic_policy),
            source_ranges: differs(balanced && target.source_ranges != self.from.source_ranges)
                .map(|()| target.source_ranges.clone()),
            load_balancer_class: target.load_balancer_class.clone().filter(|_| {
                balanced && target.load_balancer_class != self.from.load_balancer_class
            }),
            allocate_load_balancer_node_ports: Some(self.allocate).filter(|allocate| {
                let now = self.from.allocate_load_balancer_node_ports != Some(false);
                balanced && *allocate != now
            }),
            seen: Some(self.from.clone()),
            ..between
        })
    }

    /// Whether something is filled in that is not so now.
    pub fn is_changed(&self) -> bool {
        self.wanted().is_ok_and(|wanted| {
            let nothing = Wanted {
                seen: wanted.seen.clone(),
                via: wanted.via,
                ..Wanted::default()
            };
            wanted != nothing
        })
    }

    fn external_name(&self) -> Result<Option<Text>, Text> {
        if self.wanted_type() != WantedType::ExternalName {
            return Ok(None);
        }
        let host = filled(&self.external_name)
            .ok_or_else(|| Text::from("fill in the name that it shall point to"))?;
        Ok(Some(host)
            .filter(|host| self.to.is_some() || self.from.external_name.as_ref() != Some(host)))
    }

    fn ports(&self, to: WantedType) -> Result<Option<Vec<ServicePort>>, Text> {
        let untouched = self.from.ports.iter().map(PortDraft::of);
        if untouched.eq(self.ports.iter().cloned()) {
            return Ok(None);
        }
        let read = |port: &PortDraft| port.read(to.has_node_ports());
        self.ports
            .iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map(Some)
    }

    fn sticky_secs(&self) -> Result<Option<u32>, Text> {
        let typed = self.sticky_secs.trim();
        if !self.sticky || typed.is_empty() {
            return Ok(None);
        }
        let secs = typed.parse::<u32>().ok();
        secs.map(Some)
            .ok_or_else(|| format!("`{typed}` is no number of seconds").into())
    }
}

/// As a person would type them.
pub fn typed(pairs: &BTreeMap<Text, Text>) -> Pairs {
    pairs
        .iter()
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect()
}

/// What was typed, or which key stands there twice.
pub fn read(pairs: &Pairs) -> Result<BTreeMap<Text, Text>, Text> {
    let mut read = BTreeMap::new();
    for (key, value) in pairs {
        let key = key.trim();
        if key.is_empty() {
            continue;
        }
        if read.insert(Text::from(key), Text::from(&**value)).is_some() {
            return Err(format!("`{key}` stands there twice").into());
        }
    }
    Ok(read)
}

fn filled(text: &str) -> Option<Text> {
    let text = text.trim();
    (!text.is_empty()).then(|| Text::from(text))
}

fn number(typed: &str) -> Result<Option<u16>, Text> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let number = typed.parse::<u16>().ok().filter(|port| *port > 0);
    number
        .map(Some)
        .ok_or_else(|| format!("`{typed}` is no port; leave it empty for any").into())
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
    use crate::inventory::ObjectKey;

    fn draft() -> Draft {
        let mut service = ServiceRecord::new(ObjectKey::new("shop", "web"));
        service.selector = [(Text::from("app"), Text::from("web"))].into();
        service.ports.push(ServicePort {
            name: None,
            protocol: Protocol::Tcp,
            port: 80,
            target_port: TargetPort::Number(80),
            node_port: None,
            app_protocol: None,
        });
        Draft::new(&Arc::new(service))
    }

    fn only(wanted: Wanted) -> Wanted {
        assert!(wanted.seen.is_some());
        Wanted {
            seen: None,
            ..wanted
        }
    }

    #[test]
    fn what_is_not_touched_is_not_wanted() {
        let draft = draft();
        assert_eq!(only(draft.wanted().unwrap()), Wanted::default());
        assert!(!draft.is_changed());
    }

    /// kubectl ends its `last-applied-configuration` with a line break.
    #[test]
    fn a_value_is_kept_as_it_is() {
        let mut service = ServiceRecord::new(ObjectKey::new("shop", "web"));
        service.annotations = [(Text::from("applied"), Text::from("{}\n"))].into();
        assert!(!Draft::new(&Arc::new(service)).is_changed());
    }

    #[test]
    fn each_field_that_is_touched_is_wanted_and_nothing_else() {
        let mut with = draft();
        with.selector.push(("tier".into(), "web".into()));
        with.labels.push((" a ".into(), "1".into()));
        with.publish_not_ready = true;
        let wanted = only(with.wanted().unwrap());
        let selector = [("app", "web"), ("tier", "web")];
        let expected = Wanted {
            selector: Some(selector.map(|(k, v)| (Text::from(k), Text::from(v))).into()),
            labels: [(Text::from("a"), Some(Text::from("1")))].into(),
            publish_not_ready_addresses: Some(true),
            ..Wanted::default()
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
        let fix = Fix::TargetPort { port, to };
        assert_eq!(with.mend(&fix), Page::Ports);
        let ports = only(with.wanted().unwrap()).ports.unwrap();
        assert_eq!(ports[0].target_port, TargetPort::Name("http".into()));
        let mut with = draft();
        let fix = Fix::Selector {
            remove: "app".into(),
            key: "run".into(),
            value: "web".into(),
        };
        assert_eq!(with.mend(&fix), Page::Selector);
        let selector = only(with.wanted().unwrap()).selector.unwrap();
        assert_eq!(selector, [(Text::from("run"), Text::from("web"))].into());
    }

    #[test]
    fn a_target_port_is_a_number_a_name_or_the_port_itself() {
        let mut draft = draft();
        draft.ports[0].target_port = "http".into();
        draft.ports.push(PortDraft {
            port: "443".into(),
            ..PortDraft::empty()
        });
        let ports = draft.wanted().unwrap().ports.unwrap();
        assert_eq!(ports[0].target_port, TargetPort::Name("http".into()));
        assert_eq!(ports[1].target_port, TargetPort::Number(443));
    }

    #[test]
    fn wishes_go_over_to_the_service_as_somebody_left_it() {
        let mut draft = draft();
        draft.to = Some(WantedType::NodePort);
        draft.publish_not_ready = true;
        let mut now = ServiceRecord::clone(&draft.from);
        now.resource_version = Text::from("2");
        now.labels = [(Text::from("touched"), Text::from("yes"))].into();
        now.ports[0].target_port = TargetPort::Number(8080);
        let wanted = draft.onto(&Arc::new(now.clone())).wanted().unwrap();
        let seen = wanted.seen.clone().unwrap();
        assert_eq!(*seen, now);
        let expected = Wanted {
            publish_not_ready_addresses: Some(true),
            ..Wanted::to(WantedType::NodePort)
        };
        assert_eq!(only(wanted), expected);
    }

    #[test]
    fn what_can_not_be_is_said() {
        let said = |change: fn(&mut Draft)| {
            let mut draft = draft();
            change(&mut draft);
            draft.wanted().unwrap_err().to_string()
        };
        assert!(said(|draft| draft.ports[0].port = "http".into()).contains("`http` is no port"));
        assert!(said(|draft| draft.ports[0].port.clear()).contains("fill in the port"));
        assert!(said(|draft| draft.to = Some(WantedType::ExternalName)).contains("the name"));
        let twice = said(|draft| draft.selector.push(("app".into(), "x".into())));
        assert!(twice.contains("`app` stands there twice"));
        let secs = said(|draft| (draft.sticky, draft.sticky_secs) = (true, "an hour".into()));
        assert!(secs.contains("no number of seconds"));
    }

    #[test]
    fn node_ports_are_asked_for_only_where_the_type_has_them() {
        let mut draft = draft();
        draft.ports[0].node_port = "30080".into();
        assert_eq!(draft.wanted().unwrap().ports.unwrap()[0].node_port, None);
        draft.to = Some(WantedType::NodePort);
        let ports = draft.wanted().unwrap().ports.unwrap();
        assert_eq!(ports[0].node_port, Some(30080));
    }
}
