//! Icons as lines: sharp at every zoom, and no step of a zoom costs new glyphs.

use egui::{Color32, Pos2, Shape, Stroke, Vec2, pos2, vec2};

use svcscope_model::inventory::{ServiceRecord, ServiceType};

/// What an icon says. Types and actions have a word beside them or as their label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MapIcon {
    ClusterIp,
    NodePort,
    LoadBalancer,
    ExternalName,
    Headless,
    Forward,
    Curl,
    ChangeType,
    Plus,
    Minus,
    Fit,
    Legend,
    Minimap,
}

impl MapIcon {
    /// The icon of a Service's type.
    pub fn of(service: &ServiceRecord) -> Self {
        if service.is_headless() {
            return Self::Headless;
        }
        match service.service_type {
            ServiceType::ClusterIP => Self::ClusterIp,
            ServiceType::NodePort => Self::NodePort,
            ServiceType::LoadBalancer => Self::LoadBalancer,
            ServiceType::ExternalName => Self::ExternalName,
        }
    }

    /// Draws it into a square of `size` points around `center`.
    pub fn shapes(self, center: Pos2, size: f32, color: Color32, out: &mut Vec<Shape>) {
        let half = size / 2.0;
        let stroke = Stroke::new((size / 10.0).max(1.0), color);
        let at = |x: f32, y: f32| pos2(center.x + x * half, center.y + y * half);
        let path = |points: &[(f32, f32)]| {
            Shape::line(points.iter().map(|&(x, y)| at(x, y)).collect(), stroke)
        };
        match self {
            Self::ClusterIp => {
                out.push(Shape::circle_stroke(center, half * 0.82, stroke));
                // Too small for a ring it is a disc, which also costs less.
                out.push(if half < 5.0 {
                    Shape::circle_filled(center, half * 0.36, color)
                } else {
                    Shape::circle_stroke(center, half * 0.36, stroke)
                });
            }
            Self::NodePort => {
                out.push(path(&[
                    (-0.8, -0.8),
                    (0.8, -0.8),
                    (0.8, 0.8),
                    (-0.8, 0.8),
                    (-0.8, -0.84),
                ]));
                out.push(path(&[(0.0, -0.8), (0.0, 0.8)]));
                out.push(path(&[(-0.8, 0.0), (0.8, 0.0)]));
            }
            Self::LoadBalancer => {
                for y in [-0.6, 0.0, 0.6] {
                    out.push(path(&[(-0.9, y), (0.85, y)]));
                    out.push(path(&[(0.5, y - 0.26), (0.9, y), (0.5, y + 0.26)]));
                }
            }
            Self::ExternalName => {
                out.push(path(&[(-0.65, 0.65), (0.65, -0.65)]));
                out.push(path(&[(-0.2, -0.7), (0.7, -0.7), (0.7, 0.2)]));
            }
            Self::Headless => {
                for step in 0_u8..6 {
                    let turn = std::f32::consts::TAU * f32::from(step) / 6.0;
                    let (from, to) = (turn, turn + 0.6);
                    let dir = |angle: f32| center + Vec2::angled(angle) * half * 0.8;
                    out.push(Shape::line_segment([dir(from), dir(to)], stroke));
                }
            }
            Self::Forward => {
                out.push(path(&[(-0.9, 0.0), (0.4, 0.0)]));
                out.push(path(&[(-0.05, -0.45), (0.42, 0.0), (-0.05, 0.45)]));
                out.push(path(&[(0.85, -0.8), (0.85, 0.8)]));
            }
            Self::Curl => {
                out.push(path(&[(-0.8, -0.6), (-0.15, 0.0), (-0.8, 0.6)]));
                out.push(path(&[(0.05, 0.65), (0.85, 0.65)]));
            }
            Self::ChangeType => {
                out.push(path(&[(-0.85, -0.4), (0.8, -0.4)]));
                out.push(path(&[(0.4, -0.8), (0.82, -0.4), (0.4, 0.0)]));
                out.push(path(&[(0.85, 0.45), (-0.8, 0.45)]));
                out.push(path(&[(-0.4, 0.05), (-0.82, 0.45), (-0.4, 0.85)]));
            }
            Self::Plus => {
                out.push(path(&[(-0.65, 0.0), (0.65, 0.0)]));
                out.push(path(&[(0.0, -0.65), (0.0, 0.65)]));
            }
            Self::Minus => out.push(path(&[(-0.65, 0.0), (0.65, 0.0)])),
            Self::Fit => {
                for (x, y) in [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)] {
                    let (x, y) = (x * 0.75, y * 0.75);
                    out.push(path(&[(x * 0.4, y), (x, y), (x, y * 0.4)]));
                }
            }
            Self::Minimap => {
                out.push(path(&[
                    (-0.85, -0.65),
                    (0.85, -0.65),
                    (0.85, 0.65),
                    (-0.85, 0.65),
                    (-0.85, -0.69),
                ]));
                out.push(path(&[
                    (-0.45, -0.3),
                    (0.2, -0.3),
                    (0.2, 0.25),
                    (-0.45, 0.25),
                    (-0.45, -0.34),
                ]));
            }
            Self::Legend => {
                for y in [-0.55, 0.0, 0.55] {
                    out.push(path(&[(-0.2, y), (0.85, y)]));
                    out.push(Shape::circle_filled(
                        center + vec2(-0.65, y) * half,
                        (half * 0.16).max(1.0),
                        color,
                    ));
                }
            }
        }
    }
}
