//! How the map of a context was left.

use serde::{Deserialize, Serialize};
use svcscope_model::layout::ServiceGrouping;

/// How many places are remembered for each context; the oldest make room.
const MAX_PINS: usize = 2_000;

/// A Service that the user put somewhere, from the upper left corner of its district.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PinnedService {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub service: String,
    /// How far to the right, in map units.
    pub x: f32,
    /// How far down.
    pub y: f32,
}

/// The map of a context; every field has a default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MapSettings {
    /// What stands together.
    pub grouping: ServiceGrouping,
    /// What was put somewhere, the oldest first.
    pub pins: Vec<PinnedService>,
    /// What a later version wrote.
    #[serde(flatten)]
    pub unknown: serde_json::Map<String, serde_json::Value>,
}

impl MapSettings {
    /// Remembers a place; a Service has one.
    pub fn pin(&mut self, pin: PinnedService) {
        self.unpin(&pin.namespace, &pin.service);
        self.pins.push(pin);
        let too_many = self.pins.len().saturating_sub(MAX_PINS);
        self.pins.drain(..too_many);
    }

    /// Forgets the place of a Service.
    pub fn unpin(&mut self, namespace: &str, service: &str) {
        self.pins
            .retain(|pin| (&*pin.namespace, &*pin.service) != (namespace, service));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(service: usize) -> PinnedService {
        PinnedService {
            namespace: "shop".to_owned(),
            service: service.to_string(),
            x: 4.0,
            y: 8.0,
        }
    }

    #[test]
    fn a_service_has_one_place_and_the_oldest_make_room() {
        let mut map = MapSettings::default();
        for service in [1, 2, 1] {
            map.pin(pin(service));
        }
        assert_eq!(map.pins, [pin(2), pin(1)]);
        map.unpin("shop", "2");
        assert_eq!(map.pins, [pin(1)]);
        for service in 0..MAX_PINS + 5 {
            map.pin(pin(service));
        }
        assert_eq!(map.pins.len(), MAX_PINS);
        assert_eq!(map.pins[0], pin(5));
    }

    #[test]
    fn what_a_later_version_wrote_is_kept_or_passed_over() {
        let text = r#"{"grouping": "team", "pins": [{"service": "a", "z": 1}], "zoom": 2}"#;
        let map: MapSettings = serde_json::from_str(text).unwrap();
        assert_eq!(map.grouping, ServiceGrouping::Namespace);
        assert_eq!(map.pins[0].service, "a");
        assert!(serde_json::to_string(&map).unwrap().contains("zoom"));
    }
}
