//! The map as a file.
//!
//! **In**: a [`Scene`] and what of it is wanted ([`MapExport`]). **Out**: the bytes of a file: SVG and
//! PNG, drawn by the canvas in an egui that has no window, from the very shapes that a window would
//! paint; and the graph as DOT and JSON.
//!
//! It takes as long as it takes: the window has it done by a thread of its own ([`pending`]).

mod dimensions;
pub mod pending;
mod picture;
pub mod png;
pub mod svg;
mod svg_fonts;

use std::{collections::BTreeSet, io, sync::Arc};

use jiff::Timestamp;

pub use dimensions::ZoomReduction;
pub use picture::MapPicture;

use super::canvas::MapViewport;
use svcscope_engine::Scene;
use svcscope_model::{
    inventory::{ObjectKey, ResourceKind},
    topology,
    topology::NodeId,
};

/// The form of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ExportFormat {
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

impl ExportFormat {
    /// Every form in the order in which the user is asked.
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
pub enum ExportScope {
    /// All of it, at this zoom or as near as there is room for: 1 shows everything.
    WholeMap {
        /// Points for each map unit, at most 1.
        zoom: f32,
    },
    /// What a window shows.
    Window(WindowView),
}

/// What a window shows of the map.
#[derive(Clone, Debug)]
pub struct WindowView {
    /// From where.
    pub viewport: MapViewport,
    /// What is selected there.
    pub selection: Option<NodeId>,
    /// The Services that the search means; none where nothing is searched.
    pub search_hits: Option<BTreeSet<ObjectKey>>,
}

impl ExportScope {
    fn selection(&self) -> Option<&NodeId> {
        match self {
            Self::WholeMap { .. } => None,
            Self::Window(seen) => seen.selection.as_ref(),
        }
    }

    fn matches_search(&self, service: &ObjectKey) -> bool {
        match self {
            Self::WholeMap { .. } => true,
            Self::Window(seen) => {
                let hits = seen.search_hits.as_ref();
                hits.is_none_or(|hits| hits.contains(service))
            }
        }
    }
}

/// A file that is wanted.
#[derive(Clone, Debug)]
pub struct MapExport {
    /// The map.
    pub scene: Arc<Scene>,
    /// The form of the file.
    pub format: ExportFormat,
    /// What a picture shows; the graph is always whole.
    pub scope: ExportScope,
    /// The theme of a picture.
    pub dark: bool,
    /// When the scene was taken.
    pub captured_at: Timestamp,
}

/// A file that is ready to be written.
#[derive(Clone, Debug)]
pub struct ExportedFile {
    /// Its contents.
    pub bytes: Vec<u8>,
    /// Where it is not what was asked for, why.
    pub zoom_reduction: Option<ZoomReduction>,
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

impl MapExport {
    /// Draws or writes it.
    pub fn render(&self) -> Result<ExportedFile, ExportError> {
        let topology = &self.scene.topology;
        let mut bytes = Vec::new();
        match self.format {
            ExportFormat::Dot => {
                let is_listed = self.scene.inventory.was_listed(ResourceKind::EndpointSlice);
                topology::dot::write_dot(topology, is_listed, &mut bytes)?;
            }
            ExportFormat::Json => {
                let known = self.scene.completeness();
                topology::json::write_json(topology, known, &mut bytes)?;
                bytes.push(b'\n');
            }
            ExportFormat::Svg | ExportFormat::Png => return self.draw(),
        }
        Ok(ExportedFile {
            bytes,
            zoom_reduction: None,
        })
    }

    fn draw(&self) -> Result<ExportedFile, ExportError> {
        let (picture, measures, smaller) = picture::draw(
            &self.scene,
            &self.scope,
            self.dark,
            self.format,
            self.captured_at,
        );
        let bytes = match self.format {
            ExportFormat::Png => png::render(&picture, measures.pixels_per_point)?,
            _ => svg::write(&picture, svg::FontEmbedding::Embedded)
                .text
                .into_bytes(),
        };
        Ok(ExportedFile {
            bytes,
            zoom_reduction: smaller,
        })
    }
}
