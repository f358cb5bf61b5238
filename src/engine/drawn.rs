//! What stands on the map and where: the shown part of the graph with its layout.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use imbl::OrdMap;

use super::MapView;
use crate::{
    check::Report,
    filter::{FilteredMap, Shown},
    inventory::ObjectKey,
    layout::{self, Grouping, Layout, Point},
    topology::{NodeId, Topology},
};

/// Where families were put by hand, by any of their Services.
pub(super) type Pins = Arc<BTreeMap<ObjectKey, Point>>;

type Reports = OrdMap<ObjectKey, Arc<Report>>;

/// While the first lists arrive everything is laid out afresh, and again after this many times the
/// time that it took: a fifth of the engine's time at most.
const PAUSE_AFTER_FRESH: u32 = 4;

/// The map as it stands.
#[derive(Debug, Default)]
pub(super) struct Drawn {
    view: Arc<MapView>,
    part: FilteredMap,
    layout: Arc<Layout>,
    /// Shown Services that may be different since the layout was made.
    pending: BTreeSet<ObjectKey>,
    /// The next layout has nothing to follow.
    afresh: bool,
    /// The layout of everything, kept while a filter hides something.
    aside: Option<Aside>,
    /// Width by height of the window's map.
    aspect: Option<f32>,
    pins: BTreeMap<Grouping, Pins>,
    /// The pins that the last tidying up took away.
    tidied: BTreeMap<Grouping, Pins>,
    /// The first lists are there: from now on nothing moves that did not change.
    settled: bool,
    not_before: Option<Instant>,
}

#[derive(Debug)]
struct Aside {
    layout: Arc<Layout>,
    pending: BTreeSet<ObjectKey>,
}

impl Drawn {
    pub(super) fn view(&self) -> &Arc<MapView> {
        &self.view
    }

    pub(super) fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    pub(super) fn shown(&self) -> Shown {
        self.part.shown()
    }

    /// Follows a change of the graph or of the reports at the cost of what changed.
    pub(super) fn follow(&mut self, whole: &Topology, reports: &Reports, changed: &[ObjectKey]) {
        if let Some(aside) = &mut self.aside {
            aside.pending.extend(changed.iter().cloned());
        }
        let differ = self.part.update(whole, reports, changed);
        self.pending.extend(differ);
    }

    /// Shows something else, or otherwise. Says whether that is so.
    pub(super) fn set_view(&mut self, view: MapView, whole: &Topology, reports: &Reports) -> bool {
        if *self.view == view {
            return false;
        }
        let same_grouping = self.view.grouping == view.grouping;
        let showed_all = self.view.filter.is_empty();
        if self.view.filter != view.filter {
            self.part = FilteredMap::new(view.filter.clone(), whole, reports);
        }
        if !same_grouping {
            self.aside = None;
        } else if showed_all && !self.afresh && !view.filter.is_empty() {
            self.aside = Some(Aside {
                layout: self.layout.clone(),
                pending: std::mem::take(&mut self.pending),
            });
        }
        self.pending.clear();
        self.afresh = true;
        if view.filter.is_empty()
            && let Some(aside) = self.aside.take()
        {
            self.layout = aside.layout;
            self.pending = aside.pending;
            self.afresh = false;
        }
        self.view = Arc::new(view);
        true
    }

    /// Notes the shape of the window's map for the next layout that is made afresh.
    pub(super) fn set_aspect(&mut self, aspect: f32) {
        self.aspect = Some(aspect);
    }

    /// Has everything laid out afresh, for a window of this shape. What was put somewhere by hand
    /// in this grouping is put back.
    pub(super) fn tidy_up(&mut self, aspect: f32) {
        self.aspect = Some(aspect);
        if let Some(pins) = self.pins.remove(&self.view.grouping)
            && !pins.is_empty()
        {
            self.tidied.insert(self.view.grouping, pins);
        }
        self.lay_out_afresh();
    }

    /// How many places [`Self::untidy`] would bring back.
    pub(super) fn tidied(&self) -> usize {
        self.tidied
            .get(&self.view.grouping)
            .map_or(0, |pins| pins.len())
    }

    /// Puts back where it was what the last tidying up of this grouping moved; what was put
    /// somewhere since stays there. Says what was put back.
    pub(super) fn untidy(&mut self) -> Vec<(ObjectKey, Point)> {
        let Some(before) = self.tidied.remove(&self.view.grouping) else {
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
        self.lay_out_afresh();
        put_back
    }

    fn lay_out_afresh(&mut self) {
        self.aside = None;
        self.afresh = true;
        self.not_before = None;
    }

    /// Puts a family somewhere, or back where it would stand by itself. Says of which Services a
    /// place is not remembered any more: a family has one.
    pub(super) fn pin(&mut self, service: &ObjectKey, at: Option<Point>) -> Vec<ObjectKey> {
        let kin: Vec<ObjectKey> = self
            .layout
            .find(&NodeId::Service(service.clone()))
            .and_then(|found| self.layout.family(found))
            .map(|placed| placed.family.services().cloned().collect())
            .unwrap_or_else(|| vec![service.clone()]);
        let pins = Arc::make_mut(self.pins.entry(self.view.grouping).or_default());
        let mut forgotten = Vec::new();
        for key in kin {
            if pins.remove(&key).is_some() {
                forgotten.push(key);
            }
        }
        if let Some(at) = at {
            pins.insert(service.clone(), at);
            forgotten.retain(|key| key != service);
        }
        self.pending.insert(service.clone());
        if let Some(aside) = &mut self.aside {
            aside.pending.insert(service.clone());
        }
        forgotten
    }

    /// Takes over how the map was left the last time, before anything is drawn.
    pub(super) fn recall(&mut self, view: MapView, pins: Pins) {
        self.view = Arc::new(view);
        self.pins = BTreeMap::from([(Grouping::Namespace, pins)]);
        self.tidied.clear();
        self.clear();
    }

    /// Another cluster, or other namespaces, come: what was chosen stays, what was drawn goes.
    pub(super) fn clear(&mut self) {
        let none = Topology::default();
        *self = Self {
            part: FilteredMap::new(self.view.filter.clone(), &none, &Reports::new()),
            view: self.view.clone(),
            aspect: self.aspect,
            pins: std::mem::take(&mut self.pins),
            tidied: std::mem::take(&mut self.tidied),
            ..Self::default()
        };
    }

    /// The first lists are there: they are laid out once more as a whole.
    pub(super) fn settle(&mut self) {
        if !self.settled {
            self.settled = true;
            self.afresh = true;
            self.not_before = None;
        }
    }

    /// When a layout that is due may be made; nothing where none is.
    pub(super) fn due(&self) -> Option<Instant> {
        if self.is_old() { self.not_before } else { None }
    }

    fn is_old(&self) -> bool {
        self.afresh || !self.pending.is_empty()
    }

    /// Brings the layout up to date; says whether it had to and could.
    pub(super) fn arrange(&mut self) -> bool {
        let begun = Instant::now();
        if !self.is_old() || self.not_before.is_some_and(|then| begun < then) {
            return false;
        }
        let options = self.options();
        let topology = self.part.topology();
        let next = if self.afresh || !self.settled {
            layout::arrange(topology, &options, None)
        } else {
            let changed: Vec<ObjectKey> = self.pending.iter().cloned().collect();
            layout::follow(topology, &options, &self.layout, &changed)
        };
        self.layout = Arc::new(next);
        self.pending.clear();
        self.afresh = false;
        self.not_before = (!self.settled).then(|| {
            let ended = Instant::now();
            ended + PAUSE_AFTER_FRESH * (ended - begun)
        });
        true
    }

    fn options(&self) -> layout::Options {
        let usual = layout::Options::default();
        let grouping = self.view.grouping;
        layout::Options {
            aspect: self.aspect.unwrap_or(usual.aspect),
            grouping,
            pins: self.pins.get(&grouping).cloned().unwrap_or_default(),
            ..usual
        }
    }
}
