//! Every colour of the window, once.

use egui::Color32;

use super::Health;
use svcscope_model::{
    inventory::{ServiceRecord, ServiceType},
    topology::BackendState,
};

/// The colours of one theme. Text colours keep a contrast of at least 4.5 on every surface.
#[derive(Clone, Debug, PartialEq)]
pub struct ColorTokens {
    /// Whether this is the dark theme.
    pub dark: bool,
    /// Behind everything: the canvas.
    pub background: Color32,
    /// Side panels, bars, districts.
    pub panel: Color32,
    /// Cards, windows, text fields.
    pub card: Color32,
    /// Borders and separators.
    pub line: Color32,
    /// What is read first.
    pub text: Color32,
    /// What is read second.
    pub dim: Color32,
    /// Selection, links, focus.
    pub accent: Color32,
    /// The fill of the one button that is meant most.
    pub primary: Color32,
    /// The fill of a row or card that is selected.
    pub selected: Color32,
    /// The fill of what the pointer is over.
    pub hover: Color32,
    /// Takes traffic, nothing found.
    pub healthy: Color32,
    /// Works in part.
    pub degraded: Color32,
    /// Leads nowhere.
    pub broken: Color32,
    /// Not permitted, not synced, stale.
    pub unknown: Color32,
    /// Under way.
    pub pending: Color32,
    /// Type ClusterIP.
    pub cluster_ip: Color32,
    /// Type NodePort.
    pub node_port: Color32,
    /// Type LoadBalancer.
    pub load_balancer: Color32,
    /// Type ExternalName.
    pub external_name: Color32,
    /// A ClusterIP Service whose clusterIP is `None`.
    pub headless: Color32,
    /// What a shadow is made of.
    pub shadow: Color32,
}

impl ColorTokens {
    /// The dark theme.
    pub const fn dark() -> Self {
        Self {
            dark: true,
            background: hex(0x12151a),
            panel: hex(0x191d24),
            card: hex(0x212732),
            line: hex(0x343c49),
            text: hex(0xe7eaf0),
            dim: hex(0x98a2b1),
            accent: hex(0x6cb6ff),
            primary: hex(0x265a94),
            selected: hex(0x23374f),
            hover: hex(0x2a3240),
            healthy: hex(0x4cc38a),
            degraded: hex(0xf2b84b),
            broken: hex(0xff6b70),
            unknown: hex(0x8b93a1),
            pending: hex(0xb18cff),
            cluster_ip: hex(0x6ea8fe),
            node_port: hex(0x4dd0c0),
            load_balancer: hex(0xc792ea),
            external_name: hex(0xf6a06b),
            headless: hex(0x9fb3c8),
            shadow: hex_alpha(0x000000, 0x80),
        }
    }

    /// The light theme: the same hues, as far from their surfaces as in the dark one.
    pub const fn light() -> Self {
        Self {
            dark: false,
            background: hex(0xeef1f5),
            panel: hex(0xf8f9fb),
            card: hex(0xffffff),
            line: hex(0xcbd3dd),
            text: hex(0x1a2029),
            dim: hex(0x566070),
            accent: hex(0x0b5fb8),
            primary: hex(0xbedcfb),
            selected: hex(0xd9e9fb),
            hover: hex(0xe6ebf2),
            healthy: hex(0x12703f),
            degraded: hex(0x865200),
            broken: hex(0xc0262d),
            unknown: hex(0x5b6472),
            pending: hex(0x6a3fc4),
            cluster_ip: hex(0x2058c7),
            node_port: hex(0x0a6b61),
            load_balancer: hex(0x7f35b2),
            external_name: hex(0x9c4a14),
            headless: hex(0x48607a),
            shadow: hex_alpha(0x2a3446, 0x40),
        }
    }

    /// The theme that egui shows now.
    pub fn of(ctx: &egui::Context) -> &'static Self {
        static DARK: ColorTokens = ColorTokens::dark();
        static LIGHT: ColorTokens = ColorTokens::light();
        match ctx.theme() {
            egui::Theme::Dark => &DARK,
            egui::Theme::Light => &LIGHT,
        }
    }

    /// The colour of a state. It never stands alone: an icon or a word goes with it.
    pub fn health_color(&self, state: Health) -> Color32 {
        match state {
            Health::Healthy => self.healthy,
            Health::Degraded => self.degraded,
            Health::Broken => self.broken,
            Health::Unknown => self.unknown,
            Health::Pending => self.pending,
        }
    }

    /// The colour of an endpoint's conditions.
    pub fn backend_color(&self, state: BackendState) -> Color32 {
        self.health_color(Health::from(state))
    }

    /// The colour of a Service's type; headless is a type of its own here.
    pub fn service_color(&self, service: &ServiceRecord) -> Color32 {
        if service.is_headless() {
            self.headless
        } else {
            self.service_type_color(service.service_type)
        }
    }

    /// The colour of a type by its name.
    pub fn service_type_color(&self, service_type: ServiceType) -> Color32 {
        match service_type {
            ServiceType::ClusterIP => self.cluster_ip,
            ServiceType::NodePort => self.node_port,
            ServiceType::LoadBalancer => self.load_balancer,
            ServiceType::ExternalName => self.external_name,
        }
    }

    /// A surface that only hints at `color`: the ground of a badge or of a warning on a panel.
    pub fn tint(&self, color: Color32) -> Color32 {
        self.panel
            .lerp_to_gamma(color, if self.dark { 0.12 } else { 0.08 })
    }
}

const fn hex(rgb: u32) -> Color32 {
    hex_alpha(rgb, 0xff)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "each part is masked to a byte by the shift"
)]
const fn hex_alpha(rgb: u32, alpha: u8) -> Color32 {
    Color32::from_rgba_premultiplied(
        ((rgb >> 16 & 0xff) * alpha as u32 / 255) as u8,
        ((rgb >> 8 & 0xff) * alpha as u32 / 255) as u8,
        ((rgb & 0xff) * alpha as u32 / 255) as u8,
        alpha,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2.2, relative luminance and contrast ratio.
    fn contrast(a: Color32, b: Color32) -> f32 {
        let luminance = |color: Color32| {
            let part = |byte: u8| {
                let value = f32::from(byte) / 255.0;
                if value <= 0.040_45 {
                    value / 12.92
                } else {
                    ((value + 0.055) / 1.055).powf(2.4)
                }
            };
            0.2126 * part(color.r()) + 0.7152 * part(color.g()) + 0.0722 * part(color.b())
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn text_colors(tokens: &ColorTokens) -> [(&'static str, Color32); 13] {
        [
            ("text", tokens.text),
            ("dim", tokens.dim),
            ("accent", tokens.accent),
            ("healthy", tokens.healthy),
            ("degraded", tokens.degraded),
            ("broken", tokens.broken),
            ("unknown", tokens.unknown),
            ("pending", tokens.pending),
            ("ClusterIP", tokens.cluster_ip),
            ("NodePort", tokens.node_port),
            ("LoadBalancer", tokens.load_balancer),
            ("ExternalName", tokens.external_name),
            ("headless", tokens.headless),
        ]
    }

    #[test]
    fn every_text_colour_is_readable_on_every_surface() {
        for tokens in [ColorTokens::dark(), ColorTokens::light()] {
            for (name, color) in text_colors(&tokens) {
                for surface in [
                    tokens.background,
                    tokens.panel,
                    tokens.card,
                    tokens.tint(color),
                ] {
                    let ratio = contrast(color, surface);
                    assert!(
                        ratio >= 4.5,
                        "{name} on {surface:?} (dark: {}) has only {ratio:.2}",
                        tokens.dark
                    );
                }
            }
        }
    }

    #[test]
    fn text_is_readable_on_what_is_selected_hovered_or_primary() {
        for tokens in [ColorTokens::dark(), ColorTokens::light()] {
            for surface in [tokens.selected, tokens.hover, tokens.primary] {
                assert!(contrast(tokens.text, surface) >= 4.5, "{surface:?}");
            }
            for surface in [tokens.selected, tokens.hover] {
                assert!(contrast(tokens.dim, surface) >= 4.5, "dim on {surface:?}");
            }
        }
    }

    #[test]
    fn states_differ_from_each_other() {
        for tokens in [ColorTokens::dark(), ColorTokens::light()] {
            let colors = Health::ALL.map(|state| tokens.health_color(state));
            for (at, color) in colors.iter().enumerate() {
                assert!(!colors[at + 1..].contains(color));
            }
        }
    }
}
