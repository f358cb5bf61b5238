//! Finding room in a district for families that came or changed.

use std::sync::Arc;

use super::{
    ComponentLayout, MapPoint, MapRect,
    fill::column_corner,
    free_space::{self, VerticalStrip},
    pins::{self, ComponentPins},
    size,
};

/// A family and where it stands on the map.
pub(super) struct PositionedComponent {
    pub area: MapRect,
    pub component: Arc<ComponentLayout>,
}

impl PositionedComponent {
    fn at(corner: MapPoint, component: Arc<ComponentLayout>) -> Self {
        Self {
            area: MapRect::at(corner, component.size),
            component,
        }
    }
}

/// A family that wants a place.
pub(super) struct UnplacedComponent {
    pub component: Arc<ComponentLayout>,
    /// Where it stood, if it stood in this district.
    pub previous_area: Option<MapRect>,
    /// Whether the user put it somewhere else since.
    pub moved_by_user: bool,
}

/// Which room is given to who comes.
#[derive(Clone, Copy)]
enum GapPolicy {
    /// What leaves those who stand room for a pod more.
    KeepGrowthHeight,
    /// All.
    UseAll,
}

/// A district that takes in families.
pub(super) struct GroupSpace<'a> {
    /// Its area, which grows as needed.
    pub area: MapRect,
    /// Who stands in it, by the name of the first Service.
    pub components: Vec<PositionedComponent>,
    /// Where the other districts are.
    pub others: &'a [MapRect],
    /// Where the user put families.
    pub pins: &'a ComponentPins,
    /// The wanted shape of the map.
    pub aspect: f32,
}

impl GroupSpace<'_> {
    /// Gives every family a place. Nobody who stands moves, but for those in the way of what a
    /// person put there, and all together where the district has to move as a whole.
    pub(super) fn place_all(&mut self, families: Vec<UnplacedComponent>) {
        let (pinned, families): (Vec<_>, Vec<_>) = families
            .into_iter()
            .partition(|homeless| pins::of(&homeless.component, self.pins).is_some());
        let mut homeless: Vec<UnplacedComponent> = Vec::new();
        for family in pinned {
            homeless.extend(self.pin(family));
        }
        // Who did not grow takes its place before anybody grows into it.
        let (grown, same): (Vec<_>, Vec<_>) =
            families.into_iter().partition(UnplacedComponent::grew);
        homeless.extend(
            same.into_iter()
                .filter_map(|family| self.keep_in_place(family)),
        );
        homeless.extend(
            grown
                .into_iter()
                .filter_map(|family| self.keep_in_place(family)),
        );
        for family in homeless {
            let corner = self.find_gap(&family);
            self.insert(PositionedComponent::at(corner, family.component));
        }
        if self.overlaps_others() {
            self.move_group();
        }
    }

    /// Stands a family where the user put it; says who has to leave.
    fn pin(&mut self, family: UnplacedComponent) -> Vec<UnplacedComponent> {
        let corner = match (family.previous_area, pins::of(&family.component, self.pins)) {
            (Some(before), _) if !family.moved_by_user => before.corner(),
            (_, Some(pin)) => MapPoint {
                x: self.area.x + pin.x,
                y: self.area.y + pin.y,
            },
            (_, None) => self.area.corner(),
        };
        let mut area = MapRect::at(corner, family.component.size);
        if !self.may_grow_to(&area) {
            // The neighbours are in the way: as near as the district goes.
            let right = self.area.right() - size::SERVICE_GROUP_PADDING - area.width;
            let bottom = self.area.bottom() - size::SERVICE_GROUP_PADDING - area.height;
            area.x = area
                .x
                .min(right)
                .max(self.area.x + size::SERVICE_GROUP_PADDING);
            area.y = area
                .y
                .min(bottom)
                .max(self.area.y + size::SERVICE_GROUP_HEADER);
        }
        let fixed: Vec<MapRect> = self
            .components
            .iter()
            .filter(|standing| pins::of(&standing.component, self.pins).is_some())
            .map(|standing| standing.area)
            .collect();
        area = pins::clear_of(area, &fixed);
        let in_the_way = |standing: &mut PositionedComponent| {
            free_space::is_too_close(&standing.area, &area, size::ROW_GAP)
        };
        let left: Vec<UnplacedComponent> = self
            .components
            .extract_if(.., in_the_way)
            .map(|standing| UnplacedComponent {
                previous_area: Some(standing.area),
                component: standing.component,
                moved_by_user: false,
            })
            .collect();
        self.insert(PositionedComponent::at(area.corner(), family.component));
        left
    }

    /// Leaves a family where it stood, if there is room.
    fn keep_in_place(&mut self, family: UnplacedComponent) -> Option<UnplacedComponent> {
        let Some(before) = family.previous_area else {
            return Some(family);
        };
        let area = MapRect::at(before.corner(), family.component.size);
        if !self.is_free(&area) || !self.may_grow_to(&area) {
            return Some(family);
        }
        self.insert(PositionedComponent::at(area.corner(), family.component));
        None
    }

    /// The gap nearest to where it stood, else to its neighbour by name; else where the district
    /// keeps the best shape when it grows.
    fn find_gap(&self, homeless: &UnplacedComponent) -> MapPoint {
        let family = &homeless.component;
        let near = self.preferred_position(homeless);
        let strips = self.strips(family);
        let with_spare = family.size.height + family.growth_height;
        [
            (GapPolicy::KeepGrowthHeight, with_spare),
            (GapPolicy::UseAll, with_spare),
            (GapPolicy::UseAll, family.size.height),
        ]
        .into_iter()
        .find_map(|(room, height)| self.nearest_gap(&strips, room, height, near))
        .unwrap_or_else(|| self.grow_for(family, &strips))
    }

    fn nearest_gap(
        &self,
        strips: &[VerticalStrip],
        kept: GapPolicy,
        height: f32,
        near: MapPoint,
    ) -> Option<MapPoint> {
        let floor = self.area.bottom() - size::SERVICE_GROUP_PADDING;
        let distance = |at: &MapPoint| (at.x - near.x).abs() + (at.y - near.y).abs();
        strips
            .iter()
            .flat_map(|strip| {
                self.gaps(strip, kept)
                    .into_iter()
                    .filter(|(y, room)| *room >= height && y + height <= floor)
                    .map(|(y, _)| MapPoint {
                        x: strip.corner.x,
                        y,
                    })
            })
            .min_by(|a, b| distance(a).total_cmp(&distance(b)))
    }

    /// The end of the shortest column, or a new column: where the district may grow to, rather
    /// than where it would have to move.
    fn grow_for(&self, family: &ComponentLayout, strips: &[VerticalStrip]) -> MapPoint {
        let end = |strip: &VerticalStrip| {
            let gaps = self.gaps(strip, GapPolicy::KeepGrowthHeight);
            gaps.last().map(|(y, _)| MapPoint {
                x: strip.corner.x,
                y: *y,
            })
        };
        let shortest = strips
            .iter()
            .filter_map(end)
            .min_by(|a, b| a.y.total_cmp(&b.y));
        let new_column = end(&self.strip(size::units(self.area.width), family));
        let cost = |at: &MapPoint| {
            let area = MapRect::at(*at, family.size);
            let grown = self.grown(&area);
            let shape = (grown.width / self.aspect).max(grown.height);
            (!self.may_grow_to(&area), shape)
        };
        shortest
            .into_iter()
            .chain(new_column)
            .min_by(|a, b| {
                let (a, b) = (cost(a), cost(b));
                a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
            })
            .unwrap_or_else(|| self.area.corner())
    }

    /// Where a family would like to stand near.
    fn preferred_position(&self, homeless: &UnplacedComponent) -> MapPoint {
        if let Some(before) = homeless.previous_area {
            return before.corner();
        }
        let at = self.place_by_name(&homeless.component);
        let above = at.checked_sub(1).and_then(|at| self.components.get(at));
        match above {
            Some(above) => MapPoint {
                x: above.area.x,
                y: above.area.bottom(),
            },
            None => self.area.corner(),
        }
    }

    /// The columns that a family can stand in.
    fn strips(&self, family: &ComponentLayout) -> Vec<VerticalStrip> {
        let columns = size::units(self.area.width);
        let last = (columns + 1).saturating_sub(size::columns(family.size.width));
        (0..last).map(|column| self.strip(column, family)).collect()
    }

    fn strip(&self, column: usize, family: &ComponentLayout) -> VerticalStrip {
        let corner = column_corner(column);
        VerticalStrip {
            corner: MapPoint {
                x: self.area.x + corner.x,
                y: self.area.y + corner.y,
            },
            width: family.size.width,
            gap: size::ROW_GAP,
        }
    }

    fn gaps(&self, strip: &VerticalStrip, room: GapPolicy) -> Vec<(f32, f32)> {
        strip.gaps(self.components.iter().map(|standing| match room {
            GapPolicy::KeepGrowthHeight => MapRect {
                height: standing.area.height + standing.component.growth_height,
                ..standing.area
            },
            GapPolicy::UseAll => standing.area,
        }))
    }

    fn place_by_name(&self, family: &ComponentLayout) -> usize {
        let lead = family.key_service();
        self.components
            .partition_point(|standing| standing.component.key_service() < lead)
    }

    fn insert(&mut self, standing: PositionedComponent) {
        self.area = self.grown(&standing.area);
        let at = self.place_by_name(&standing.component);
        self.components.insert(at, standing);
    }

    fn is_free(&self, area: &MapRect) -> bool {
        let mut standing = self.components.iter();
        !standing.any(|standing| free_space::is_too_close(&standing.area, area, size::ROW_GAP))
    }

    /// The district with this in it.
    fn grown(&self, area: &MapRect) -> MapRect {
        let right = area.right() + size::SERVICE_GROUP_PADDING - self.area.x;
        let bottom = area.bottom() + size::SERVICE_GROUP_PADDING - self.area.y;
        MapRect {
            width: if right > self.area.width {
                size::width_of(size::units(right))
            } else {
                self.area.width
            },
            height: self.area.height.max(size::on_grid(bottom)),
            ..self.area
        }
    }

    fn may_grow_to(&self, area: &MapRect) -> bool {
        let grown = self.grown(area);
        let mut others = self.others.iter();
        !others.any(|other| free_space::is_too_close(&grown, other, size::SERVICE_GROUP_GAP))
    }

    fn overlaps_others(&self) -> bool {
        let mut others = self.others.iter();
        others.any(|other| free_space::is_too_close(&self.area, other, size::SERVICE_GROUP_GAP))
    }

    /// Goes to a free place of the map, with room to grow so that it need not move soon again.
    fn move_group(&mut self) {
        let height = size::on_grid(self.area.height * 1.25);
        let units = size::units(self.area.width);
        let to = free_space::on_map(self.others, units, height, self.aspect);
        let (right, down) = (to.x - self.area.x, to.y - self.area.y);
        for standing in &mut self.components {
            standing.area.x += right;
            standing.area.y += down;
        }
        self.area = MapRect {
            x: to.x,
            y: to.y,
            height,
            ..self.area
        };
    }
}

impl UnplacedComponent {
    fn grew(&self) -> bool {
        let now = self.component.size;
        self.previous_area
            .is_some_and(|before| now.width > before.width || now.height > before.height)
    }
}
