//! The flags that choose what `svcscope map` prints.

use std::{str::FromStr, sync::Arc};

use clap::{ArgAction, ValueEnum};

use super::{
    engine_client::EngineClient,
    exit::{CliExit, cli_error},
};
use svcscope_check::Health;
use svcscope_engine::{EngineCommand, MapView, Scene};
use svcscope_filter::{
    FilterCounts, FilteredMap, LabelFilter, SearchQuery, ServiceFilter, ServiceKind,
};
use svcscope_model::{
    inventory::{ObjectKey, ResourceKind},
    layout::ServiceGrouping,
    topology::Topology,
};

/// Which Services are meant; all of the flags that are given must hold.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Filter")]
pub struct FilterFlags {
    /// Only Services of these types; headless is one of its own
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',', action = ArgAction::Append)]
    pub types: Vec<ServiceKind>,
    /// Only Services with this health: healthy, pending, degraded, broken or unknown
    #[arg(long = "state", value_name = "STATE", value_delimiter = ',', action = ArgAction::Append)]
    pub states: Vec<Health>,
    /// Only Services with labels like these, as kubectl reads them: app=web,tier!=front,!old
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub selector: Option<LabelFilter>,
    /// Only matches of this search text, as in the search of the window: words, and ns: type: state:
    /// port: pod: label:
    #[arg(long = "filter", value_name = "TEXT")]
    pub text: Option<String>,
    /// Only Services with an error or a warning
    #[arg(long)]
    pub only_wrong: bool,
    /// Only what shares pods with this Service, or leads to it
    #[arg(long, visible_alias = "neighborhood", value_name = "NAMESPACE/NAME")]
    pub neighbourhood: Option<ServiceName>,
    /// How Services are grouped in a picture
    #[arg(long, value_enum, default_value = "namespace", value_name = "WHAT")]
    pub group_by: GroupBy,
}

/// How Services are grouped in a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum GroupBy {
    /// A namespace.
    #[default]
    Namespace,
    /// An application, by its labels.
    App,
    /// Everything.
    None,
}

/// `NAMESPACE/NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceName(pub ObjectKey);

/// A word that names no Service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a Service is named NAMESPACE/NAME, such as shop/web")]
pub struct ParseServiceNameError;

impl FromStr for ServiceName {
    type Err = ParseServiceNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((namespace, name))
                if !namespace.is_empty() && !name.is_empty() && !name.contains('/') =>
            {
                Ok(Self(ObjectKey::new(namespace, name)))
            }
            _ => Err(ParseServiceNameError),
        }
    }
}

impl FilterFlags {
    /// What the map shall show.
    pub fn view(&self) -> MapView {
        MapView {
            filter: ServiceFilter {
                types: self.types.iter().copied().collect(),
                health: self.states.iter().copied().collect(),
                text: SearchQuery::parse(self.text.as_deref().unwrap_or_default()),
                labels: self.selector.clone().unwrap_or_default(),
                only_problems: self.only_wrong,
                neighbourhood: self.neighbourhood.clone().map(|name| name.0),
                ..ServiceFilter::default()
            },
            grouping: match self.group_by {
                GroupBy::Namespace => ServiceGrouping::Namespace,
                GroupBy::App => ServiceGrouping::App,
                GroupBy::None => ServiceGrouping::None,
            },
        }
    }

    /// Whether what the checks found decides which Services are shown.
    pub fn needs_checks(&self) -> bool {
        self.view().filter.needs_reports()
    }

    /// Has the engine show it, now that the cluster is known; gives the scene that does.
    pub(super) fn apply(&self, remote: &EngineClient) -> anyhow::Result<Arc<Scene>> {
        let view = self.view();
        remote
            .handle()
            .send(EngineCommand::SetMapView(view.clone()));
        remote.wait_for(None, "the filter", |scene| {
            (*scene.map_view == view).then_some(())
        })?;
        Ok(remote.handle().scene())
    }

    /// The part of a scene's graph that is meant. Says on stderr what is left out.
    pub(super) fn filtered_topology(&self, scene: &Scene) -> anyhow::Result<Topology> {
        if let Some(ServiceName(key)) = &self.neighbourhood
            && scene.topology.service(key).is_none()
        {
            // Where they may not be listed, that it is not seen says nothing.
            return Err(
                match scene
                    .inventory
                    .why_unknown(ResourceKind::Service, &key.namespace)
                {
                    Some(why) => cli_error(
                        CliExit::Incomplete,
                        format!("Service {key} is not seen: {why}"),
                    ),
                    None => cli_error(
                        CliExit::NotFound,
                        format!("there is no Service {key} to look around"),
                    ),
                },
            );
        }
        let part = FilteredMap::new(self.view().filter, &scene.topology, &scene.reports);
        if let Some(words) = omitted_text(&part.counts()) {
            eprintln!("svcscope: {words}");
        }
        Ok(part.topology().clone())
    }
}

/// `28 of 40 Services left out: 20 by type, 8 by state`
fn omitted_text(shown: &FilterCounts) -> Option<String> {
    let reasons: Vec<String> = shown
        .hidden_by
        .iter()
        .map(|(criterion, count)| format!("{count} by {}", criterion.word()))
        .collect();
    (shown.hidden() > 0).then(|| {
        format!(
            "{} of {} Services left out: {}",
            shown.hidden(),
            shown.of_services,
            reasons.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_named_with_its_namespace() {
        let key = ObjectKey::new("shop", "web");
        assert_eq!("shop/web".parse(), Ok(ServiceName(key)));
        for text in ["web", "/web", "shop/", "a/b/c", ""] {
            assert!(text.parse::<ServiceName>().is_err(), "{text}");
        }
    }
}
