//! What stands on the map and where: the shown part of the graph with its layout.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use imbl::OrdMap;

use super::MapView;
use svcscope_check::ServiceReport;
use svcscope_filter::{FilterCounts, FilteredMap};
use svcscope_model::{
    inventory::ObjectKey,
    layout::{self, MapLayout, MapPoint, ServiceGrouping},
    topology::{NodeId, Topology},
};

/// Where families were put by hand, by any of their Services.
pub(super) type PinPositionMap = Arc<BTreeMap<ObjectKey, MapPoint>>;

type ServiceReportMap = OrdMap<ObjectKey, Arc<ServiceReport>>;

/// While the first lists arrive everything is laid out afresh, and again after this many times the
/// time that it took: a fifth of the engine's time at most.
const FRESH_LAYOUT_PAUSE_FACTOR: u32 = 4;

/// The map as it stands.
#[derive(Debug, Default)]
pub(super) struct MapState {
    view: Arc<MapView>,
    filtered_map: FilteredMap,
    layout: Arc<MapLayout>,
    /// Shown Services that may be different since the layout was made.
    services_to_lay_out: BTreeSet<ObjectKey>,
    /// The next layout has nothing to follow.
    needs_fresh_layout: bool,
    /// The layout of everything, kept while a filter hides something.
    unfiltered: Option<UnfilteredLayout>,
    /// Width by height of the window's map.
    aspect_ratio: Option<f32>,
    pins: BTreeMap<ServiceGrouping, PinPositionMap>,
    /// The pins that the last tidying up took away.
    reset_pins: BTreeMap<ServiceGrouping, PinPositionMap>,
    /// The first lists are there: from now on nothing moves that did not change.
    initial_lists_complete: bool,
    next_layout_at: Option<Instant>,
}

#[derive(Debug)]
struct UnfilteredLayout {
    layout: Arc<MapLayout>,
    services_to_lay_out: BTreeSet<ObjectKey>,
}

impl MapState {
    pub(super) fn view(&self) -> &Arc<MapView> {
        &self.view
    }

    pub(super) fn layout(&self) -> &Arc<MapLayout> {
        &self.layout
    }

    pub(super) fn filter_counts(&self) -> FilterCounts {
        self.filtered_map.counts()
    }

    /// Follows a change of the graph or of the reports at the cost of what changed.
    pub(super) fn apply_changes(
        &mut self,
        whole: &Topology,
        reports: &ServiceReportMap,
        changed: &[ObjectKey],
    ) {
        if let Some(aside) = &mut self.unfiltered {
            aside.services_to_lay_out.extend(changed.iter().cloned());
        }
        let differ = self.filtered_map.update(whole, reports, changed);
        self.services_to_lay_out.extend(differ);
    }

    /// Shows something else, or otherwise. Says whether that is so.
    pub(super) fn set_view(
        &mut self,
        view: MapView,
        whole: &Topology,
        reports: &ServiceReportMap,
    ) -> bool {
        if *self.view == view {
            return false;
        }
        let same_grouping = self.view.grouping == view.grouping;
        let showed_all = self.view.filter.is_empty();
        if self.view.filter != view.filter {
            self.filtered_map = FilteredMap::new(view.filter.clone(), whole, reports);
        }
        if !same_grouping {
            self.unfiltered = None;
        } else if showed_all && !self.needs_fresh_layout && !view.filter.is_empty() {
            self.unfiltered = Some(UnfilteredLayout {
                layout: self.layout.clone(),
                services_to_lay_out: std::mem::take(&mut self.services_to_lay_out),
            });
        }
        self.services_to_lay_out.clear();
        self.needs_fresh_layout = true;
        if view.filter.is_empty()
            && let Some(aside) = self.unfiltered.take()
        {
            self.layout = aside.layout;
            self.services_to_lay_out = aside.services_to_lay_out;
            self.needs_fresh_layout = false;
        }
        self.view = Arc::new(view);
        true
    }

    /// Notes the shape of the window's map for the next layout that is made afresh.
    pub(super) fn set_aspect_ratio(&mut self, aspect: f32) {
        self.aspect_ratio = Some(aspect);
    }

    /// Has everything laid out afresh, for a window of this shape. What was put somewhere by hand
    /// in this grouping is put back.
    pub(super) fn reset_layout(&mut self, aspect: f32) {
        self.aspect_ratio = Some(aspect);
        if let Some(pins) = self.pins.remove(&self.view.grouping)
            && !pins.is_empty()
        {
            self.reset_pins.insert(self.view.grouping, pins);
        }
        self.request_fresh_layout();
    }

    /// How many places [`Self::undo_reset_layout`] would bring back.
    pub(super) fn reset_pin_count(&self) -> usize {
        self.reset_pins
            .get(&self.view.grouping)
            .map_or(0, |pins| pins.len())
    }

    /// Puts back where it was what the last tidying up of this grouping moved; what was put
    /// somewhere since stays there. Says what was put back.
    pub(super) fn undo_reset_layout(&mut self) -> Vec<(ObjectKey, MapPoint)> {
        let Some(before) = self.reset_pins.remove(&self.view.grouping) else {
            return Vec::new();
        };
        let pins = Arc::make_mut(self.pins.entry(self.view.grouping).or_default());
        let mut put_back = Vec::new();
        for (service, at) in before.iter() {
            if !pins.contains_key(service) {
                pins.insert(service.clone(), *at);
                put_back.push((service.clone(), *at));
            }
        }
        self.request_fresh_layout();
        put_back
    }

    fn request_fresh_layout(&mut self) {
        self.unfiltered = None;
        self.needs_fresh_layout = true;
        self.next_layout_at = None;
    }

    /// Puts a family somewhere, or back where it would stand by itself. Says of which Services a
    /// place is not remembered any more: a family has one.
    pub(super) fn pin(&mut self, service: &ObjectKey, at: Option<MapPoint>) -> Vec<ObjectKey> {
        let component: Vec<ObjectKey> = self
            .layout
            .find(&NodeId::Service(service.clone()))
            .and_then(|found| self.layout.component(found))
            .map(|placed| placed.component.services().cloned().collect())
            .unwrap_or_else(|| vec![service.clone()]);
        let pins = Arc::make_mut(self.pins.entry(self.view.grouping).or_default());
        let mut forgotten = Vec::new();
        for key in component {
            if pins.remove(&key).is_some() {
                forgotten.push(key);
            }
        }
        if let Some(at) = at {
            pins.insert(service.clone(), at);
            forgotten.retain(|key| key != service);
        }
        self.services_to_lay_out.insert(service.clone());
        if let Some(aside) = &mut self.unfiltered {
            aside.services_to_lay_out.insert(service.clone());
        }
        forgotten
    }

    /// Takes over how the map was left the last time, before anything is drawn.
    pub(super) fn restore(&mut self, view: MapView, pins: PinPositionMap) {
        self.view = Arc::new(view);
        self.pins = BTreeMap::from([(ServiceGrouping::Namespace, pins)]);
        self.reset_pins.clear();
        self.clear();
    }

    /// Another cluster, or other namespaces, come: what was chosen stays, what was drawn goes.
    pub(super) fn clear(&mut self) {
        let none = Topology::default();
        *self = Self {
            filtered_map: FilteredMap::new(
                self.view.filter.clone(),
                &none,
                &ServiceReportMap::new(),
            ),
            view: self.view.clone(),
            aspect_ratio: self.aspect_ratio,
            pins: std::mem::take(&mut self.pins),
            reset_pins: std::mem::take(&mut self.reset_pins),
            ..Self::default()
        };
    }

    /// The first lists are there: they are laid out once more as a whole.
    pub(super) fn complete_initial_lists(&mut self) {
        if !self.initial_lists_complete {
            self.initial_lists_complete = true;
            self.needs_fresh_layout = true;
            self.next_layout_at = None;
        }
    }

    /// When a layout that is due may be made; nothing where none is.
    pub(super) fn next_layout_at(&self) -> Option<Instant> {
        if self.is_outdated() {
            self.next_layout_at
        } else {
            None
        }
    }

    fn is_outdated(&self) -> bool {
        self.needs_fresh_layout || !self.services_to_lay_out.is_empty()
    }

    /// Brings the layout up to date; says whether it had to and could.
    pub(super) fn update_layout(&mut self) -> bool {
        let begun = Instant::now();
        if !self.is_outdated() || self.next_layout_at.is_some_and(|then| begun < then) {
            return false;
        }
        let options = self.options();
        let topology = self.filtered_map.topology();
        let next = if self.needs_fresh_layout || !self.initial_lists_complete {
            layout::arrange(topology, &options, None)
        } else {
            let changed: Vec<ObjectKey> = self.services_to_lay_out.iter().cloned().collect();
            layout::update_layout(topology, &options, &self.layout, &changed)
        };
        self.layout = Arc::new(next);
        self.services_to_lay_out.clear();
        self.needs_fresh_layout = false;
        self.next_layout_at = (!self.initial_lists_complete).then(|| {
            let ended = Instant::now();
            ended + FRESH_LAYOUT_PAUSE_FACTOR * (ended - begun)
        });
        true
    }

    fn options(&self) -> layout::LayoutOptions {
        let usual = layout::LayoutOptions::default();
        let grouping = self.view.grouping;
        layout::LayoutOptions {
            aspect: self.aspect_ratio.unwrap_or(usual.aspect),
            grouping,
            pins: self.pins.get(&grouping).cloned().unwrap_or_default(),
            ..usual
        }
    }
}
