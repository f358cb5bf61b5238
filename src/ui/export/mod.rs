//! The map as a file.
//!
//! **In**: a [`Scene`] and what of it is wanted ([`Export`]). **Out**: the bytes of a file: SVG and
//! PNG, drawn by the canvas in an egui that has no window, from the very shapes that a window would
//! paint; and the graph as DOT and JSON.
//!
//! It takes as long as it takes: the window has it done by a thread of its own ([`saving`]).

mod faces;
mod picture;
pub mod png;
pub mod saving;
mod size;
pub mod svg;

use std::{collections::BTreeSet, io, sync::Arc};

use jiff::Timestamp;

pub use picture::Picture;
pub use size::Smaller;

use super::canvas::Viewpoint;
use crate::{
    engine::Scene,
    inventory::{Kind, ObjectKey},
    topology,
    topology::NodeId,
};

/// The form of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// Shapes and text.
    #[default]
    Svg,
    /// Pixels.
    Png,
    /// The graph for Graphviz.
    Dot,
    /// The graph for programs.
    Json,
}

impl Format {
    /// Every form in the order in which a person is asked.
    pub const ALL: [Self; 4] = [Self::Svg, Self::Png, Self::Dot, Self::Json];

    /// Its name, as people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Svg => "SVG",
            Self::Png => "PNG",
            Self::Dot => "DOT",
            Self::Json => "JSON",
        }
    }

    /// What the name of its files ends with.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
            Self::Dot => "dot",
            Self::Json => "json",
        }
    }

    /// Whether it is a picture of the map; the others hold the graph.
    pub fn is_picture(self) -> bool {
        matches!(self, Self::Svg | Self::Png)
    }
}

/// What of the map is drawn.
#[derive(Clone, Debug)]
pub enum What {
    /// All of it, at this zoom or as near as there is room for: 1 shows everything.
    Whole {
        /// Points for each map unit, at most 1.
        zoom: f32,
    },
    /// What a window shows.
    Seen(Seen),
}

/// What a window shows of the map.
#[derive(Clone, Debug)]
pub struct Seen {
    /// From where.
    pub viewpoint: Viewpoint,
    /// What is selected there.
    pub selection: Option<NodeId>,
    /// The Services that the search means; none where nothing is searched.
    pub hits: Option<BTreeSet<ObjectKey>>,
}

impl What {
    fn selection(&self) -> Option<&NodeId> {
        match self {
            Self::Whole { .. } => None,
            Self::Seen(seen) => seen.selection.as_ref(),
        }
    }

    fn is_meant(&self, service: &ObjectKey) -> bool {
        match self {
            Self::Whole { .. } => true,
            Self::Seen(seen) => {
                let hits = seen.hits.as_ref();
                hits.is_none_or(|hits| hits.contains(service))
            }
        }
    }
}

/// A file that is wanted.
#[derive(Clone, Debug)]
pub struct Export {
    /// The map.
    pub scene: Arc<Scene>,
    /// The form of the file.
    pub format: Format,
    /// What a picture shows; the graph is always whole.
    pub what: What,
    /// The theme of a picture.
    pub dark: bool,
    /// When the scene was taken.
    pub at: Timestamp,
}

/// A file that is ready to be written.
#[derive(Clone, Debug)]
pub struct Exported {
    /// Its contents.
    pub bytes: Vec<u8>,
    /// Where it is not what was asked for, why.
    pub smaller: Option<Smaller>,
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The picture could not be rendered.
    #[error(transparent)]
    Png(#[from] png::PngError),
    /// The graph could not be written.
    #[error("the graph could not be written: {0}")]
    Graph(#[from] io::Error),
}

impl Export {
    /// Draws or writes it.
    pub fn make(&self) -> Result<Exported, ExportError> {
        let topology = &self.scene.topology;
        let mut bytes = Vec::new();
        match self.format {
            Format::Dot => {
                let is_listed = self.scene.inventory.is_seen(Kind::EndpointSlice);
                topology::dot::write_dot(topology, is_listed, &mut bytes)?;
            }
            Format::Json => {
                let known = self.scene.completeness();
                topology::export::write_json(topology, known, &mut bytes)?;
                bytes.push(b'\n');
            }
            Format::Svg | Format::Png => return self.draw(),
        }
        Ok(Exported {
            bytes,
            smaller: None,
        })
    }

    fn draw(&self) -> Result<Exported, ExportError> {
        let (picture, measures, smaller) =
            picture::draw(&self.scene, &self.what, self.dark, self.format, self.at);
        let bytes = match self.format {
            Format::Png => png::render(&picture, measures.scale)?,
            _ => svg::write(&picture, svg::Fonts::Embedded).text.into_bytes(),
        };
        Ok(Exported { bytes, smaller })
    }
}
