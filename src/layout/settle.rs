//! Finding room in a district for families that came or changed.

use std::sync::Arc;

use super::{
    Area, Family, Point,
    fill::column_corner,
    free::{self, Strip},
    pins::{self, Pins},
    size,
};

/// A family and where it stands on the map.
pub(super) struct Standing {
    pub area: Area,
    pub family: Arc<Family>,
}

impl Standing {
    fn at(corner: Point, family: Arc<Family>) -> Self {
        Self {
            area: Area::at(corner, family.size),
            family,
        }
    }
}

/// A family that wants a place.
pub(super) struct Homeless {
    pub family: Arc<Family>,
    /// Where it stood, if it stood in this district.
    pub before: Option<Area>,
    /// Whether a person put it somewhere else since.
    pub put: bool,
}

/// Which room is given to who comes.
#[derive(Clone, Copy)]
enum Room {
    /// What leaves those who stand room for a pod more.
    Spare,
    /// All.
    All,
}

/// A district that takes in families.
pub(super) struct Ground<'a> {
    /// Its area, which grows as needed.
    pub area: Area,
    /// Who stands in it, by the name of the first Service.
    pub standing: Vec<Standing>,
    /// Where the other districts are.
    pub others: &'a [Area],
    /// Where a person put families.
    pub pins: &'a Pins,
    /// The wanted shape of the map.
    pub aspect: f32,
}

impl Ground<'_> {
    /// Gives every family a place. Nobody who stands moves, but for those in the way of what a
    /// person put there, and all together where the district has to move as a whole.
    pub(super) fn settle(&mut self, families: Vec<Homeless>) {
        let (pinned, families): (Vec<_>, Vec<_>) = families
            .into_iter()
            .partition(|homeless| pins::of(&homeless.family, self.pins).is_some());
        let mut homeless: Vec<Homeless> = Vec::new();
        for family in pinned {
            homeless.extend(self.pin(family));
        }
        // Who did not grow takes its place before anybody grows into it.
        let (grown, same): (Vec<_>, Vec<_>) = families.into_iter().partition(Homeless::grew);
        homeless.extend(same.into_iter().filter_map(|family| self.stay(family)));
        homeless.extend(grown.into_iter().filter_map(|family| self.stay(family)));
        for family in homeless {
            let corner = self.find_room(&family);
            self.stand(Standing::at(corner, family.family));
        }
        if self.is_in_the_way() {
            self.move_away();
        }
    }

    /// Stands a family where a person put it; says who has to leave.
    fn pin(&mut self, family: Homeless) -> Vec<Homeless> {
        let corner = match (family.before, pins::of(&family.family, self.pins)) {
            (Some(before), _) if !family.put => before.corner(),
            (_, Some(pin)) => Point {
                x: self.area.x + pin.x,
                y: self.area.y + pin.y,
            },
            (_, None) => self.area.corner(),
        };
        let mut area = Area::at(corner, family.family.size);
        if !self.may_grow_to(&area) {
            // The neighbours are in the way: as near as the district goes.
            let right = self.area.right() - size::DISTRICT_PADDING - area.width;
            let bottom = self.area.bottom() - size::DISTRICT_PADDING - area.height;
            area.x = area.x.min(right).max(self.area.x + size::DISTRICT_PADDING);
            area.y = area.y.min(bottom).max(self.area.y + size::DISTRICT_HEADER);
        }
        let fixed: Vec<Area> = self
            .standing
            .iter()
            .filter(|standing| pins::of(&standing.family, self.pins).is_some())
            .map(|standing| standing.area)
            .collect();
        area = pins::clear_of(area, &fixed);
        let in_the_way =
            |standing: &mut Standing| free::crowds(&standing.area, &area, size::ROW_GAP);
        let left: Vec<Homeless> = self
            .standing
            .extract_if(.., in_the_way)
            .map(|standing| Homeless {
                before: Some(standing.area),
                family: standing.family,
                put: false,
            })
            .collect();
        self.stand(Standing::at(area.corner(), family.family));
        left
    }

    /// Leaves a family where it stood, if there is room.
    fn stay(&mut self, family: Homeless) -> Option<Homeless> {
        let Some(before) = family.before else {
            return Some(family);
        };
        let area = Area::at(before.corner(), family.family.size);
        if !self.is_free(&area) || !self.may_grow_to(&area) {
            return Some(family);
        }
        self.stand(Standing::at(area.corner(), family.family));
        None
    }

    /// The gap nearest to where it stood, else to its neighbour by name; else where the district
    /// keeps the best shape when it grows.
    fn find_room(&self, homeless: &Homeless) -> Point {
        let family = &homeless.family;
        let near = self.neighbourhood(homeless);
        let strips = self.strips(family);
        let with_spare = family.size.height + family.spare;
        [
            (Room::Spare, with_spare),
            (Room::All, with_spare),
            (Room::All, family.size.height),
        ]
        .into_iter()
        .find_map(|(room, height)| self.nearest_gap(&strips, room, height, near))
        .unwrap_or_else(|| self.grow_for(family, &strips))
    }

    fn nearest_gap(&self, strips: &[Strip], kept: Room, height: f32, near: Point) -> Option<Point> {
        let floor = self.area.bottom() - size::DISTRICT_PADDING;
        let distance = |at: &Point| (at.x - near.x).abs() + (at.y - near.y).abs();
        strips
            .iter()
            .flat_map(|strip| {
                self.gaps(strip, kept)
                    .into_iter()
                    .filter(|(y, room)| *room >= height && y + height <= floor)
                    .map(|(y, _)| Point {
                        x: strip.corner.x,
                        y,
                    })
            })
            .min_by(|a, b| distance(a).total_cmp(&distance(b)))
    }

    /// The end of the shortest column, or a new column: where the district may grow to, rather
    /// than where it would have to move.
    fn grow_for(&self, family: &Family, strips: &[Strip]) -> Point {
        let end = |strip: &Strip| {
            let gaps = self.gaps(strip, Room::Spare);
            gaps.last().map(|(y, _)| Point {
                x: strip.corner.x,
                y: *y,
            })
        };
        let shortest = strips
            .iter()
            .filter_map(end)
            .min_by(|a, b| a.y.total_cmp(&b.y));
        let new_column = end(&self.strip(size::units(self.area.width), family));
        let cost = |at: &Point| {
            let area = Area::at(*at, family.size);
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
    fn neighbourhood(&self, homeless: &Homeless) -> Point {
        if let Some(before) = homeless.before {
            return before.corner();
        }
        let at = self.place_by_name(&homeless.family);
        let above = at.checked_sub(1).and_then(|at| self.standing.get(at));
        match above {
            Some(above) => Point {
                x: above.area.x,
                y: above.area.bottom(),
            },
            None => self.area.corner(),
        }
    }

    /// The columns that a family can stand in.
    fn strips(&self, family: &Family) -> Vec<Strip> {
        let columns = size::units(self.area.width);
        let last = (columns + 1).saturating_sub(size::columns(family.size.width));
        (0..last).map(|column| self.strip(column, family)).collect()
    }

    fn strip(&self, column: usize, family: &Family) -> Strip {
        let corner = column_corner(column);
        Strip {
            corner: Point {
                x: self.area.x + corner.x,
                y: self.area.y + corner.y,
            },
            width: family.size.width,
            gap: size::ROW_GAP,
        }
    }

    fn gaps(&self, strip: &Strip, room: Room) -> Vec<(f32, f32)> {
        strip.gaps(self.standing.iter().map(|standing| match room {
            Room::Spare => Area {
                height: standing.area.height + standing.family.spare,
                ..standing.area
            },
            Room::All => standing.area,
        }))
    }

    fn place_by_name(&self, family: &Family) -> usize {
        let lead = family.lead();
        self.standing
            .partition_point(|standing| standing.family.lead() < lead)
    }

    fn stand(&mut self, standing: Standing) {
        self.area = self.grown(&standing.area);
        let at = self.place_by_name(&standing.family);
        self.standing.insert(at, standing);
    }

    fn is_free(&self, area: &Area) -> bool {
        let mut standing = self.standing.iter();
        !standing.any(|standing| free::crowds(&standing.area, area, size::ROW_GAP))
    }

    /// The district with this in it.
    fn grown(&self, area: &Area) -> Area {
        let right = area.right() + size::DISTRICT_PADDING - self.area.x;
        let bottom = area.bottom() + size::DISTRICT_PADDING - self.area.y;
        Area {
            width: if right > self.area.width {
                size::width_of(size::units(right))
            } else {
                self.area.width
            },
            height: self.area.height.max(size::on_grid(bottom)),
            ..self.area
        }
    }

    fn may_grow_to(&self, area: &Area) -> bool {
        let grown = self.grown(area);
        let mut others = self.others.iter();
        !others.any(|other| free::crowds(&grown, other, size::DISTRICT_GAP))
    }

    fn is_in_the_way(&self) -> bool {
        let mut others = self.others.iter();
        others.any(|other| free::crowds(&self.area, other, size::DISTRICT_GAP))
    }

    /// Goes to a free place of the map, with room to grow so that it need not move soon again.
    fn move_away(&mut self) {
        let height = size::on_grid(self.area.height * 1.25);
        let units = size::units(self.area.width);
        let to = free::on_map(self.others, units, height, self.aspect);
        let (right, down) = (to.x - self.area.x, to.y - self.area.y);
        for standing in &mut self.standing {
            standing.area.x += right;
            standing.area.y += down;
        }
        self.area = Area {
            x: to.x,
            y: to.y,
            height,
            ..self.area
        };
    }
}

impl Homeless {
    fn grew(&self) -> bool {
        let now = self.family.size;
        self.before
            .is_some_and(|before| now.width > before.width || now.height > before.height)
    }
}
