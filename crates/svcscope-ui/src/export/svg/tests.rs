use egui::{
    Align2, Color32, Context, CornerRadius, FontId, Mesh, Pos2, RawInput, Rect, Shape, Stroke,
    StrokeKind, Theme,
    emath::Rot2,
    epaint::{CubicBezierShape, EllipseShape, PathShape, QuadraticBezierShape, RectShape},
    pos2, vec2,
};
use proptest::prelude::*;
use resvg::usvg::roxmltree::{Document, Node};

use super::*;
use crate::{
    export::png,
    theme::{self, mono, regular, semibold},
};

/// What an egui without a window paints.
fn painted(size: egui::Vec2, mut paint: impl FnMut(&egui::Painter)) -> MapPicture {
    let ctx = Context::default();
    theme::apply(&ctx);
    ctx.set_theme(Theme::Dark);
    let input = RawInput {
        screen_rect: Some(Rect::from_min_size(Pos2::ZERO, size)),
        ..RawInput::default()
    };
    let mut output = ctx.run_ui(input, |ui| paint(ui.painter()));
    let picture = MapPicture {
        size,
        background: Color32::BLACK,
        shapes: std::mem::take(&mut output.shapes),
        title: "a \"picture\"".to_owned(),
        description: "for <tests> & nobody".to_owned(),
    };
    output.drop_without_applying_deltas();
    picture
}

fn text(painter: &egui::Painter, at: Pos2, says: &str, font: FontId) {
    painter.text(at, Align2::LEFT_TOP, says, font, Color32::WHITE);
}

fn document(picture: &MapPicture) -> String {
    write(picture, FontEmbedding::Named).text
}

fn elements<'a>(document: &'a Document<'_>, name: &str) -> Vec<Node<'a, 'a>> {
    document
        .descendants()
        .filter(|node| node.has_tag_name(name))
        .collect()
}

fn one_of_each() -> MapPicture {
    let red = Color32::from_rgba_unmultiplied(255, 0, 0, 128);
    let line = Stroke::new(1.5, Color32::WHITE);
    let block = Rect::from_min_size(pos2(10.2, 10.4), vec2(40.0, 20.0));
    painted(vec2(200.0, 120.0), |painter| {
        for kind in [StrokeKind::Inside, StrokeKind::Middle, StrokeKind::Outside] {
            painter.rect(block, 4, Color32::GRAY, Stroke::new(2.0, red), kind);
        }
        painter.rect_filled(
            block.translate(vec2(50.0, 0.0)),
            CornerRadius {
                nw: 6,
                ne: 0,
                sw: 6,
                se: 0,
            },
            red,
        );
        painter.add(RectShape::filled(block, 0, red).with_angle(0.5));
        painter.circle(pos2(20.0, 60.0), 8.0, red, line);
        painter.add(EllipseShape::filled(pos2(40.0, 60.0), vec2(9.0, 4.0), red));
        painter.extend(Shape::dashed_line(
            &[pos2(10.0, 80.0), pos2(60.0, 80.0)],
            Stroke::new(1.0, Color32::WHITE),
            5.0,
            5.0,
        ));
        painter.add(PathShape::convex_polygon(
            vec![pos2(70.0, 60.0), pos2(80.0, 60.0), pos2(75.0, 70.0)],
            red,
            Stroke::NONE,
        ));
        painter.add(Shape::line(
            vec![pos2(90.0, 60.0), pos2(95.0, 65.0), pos2(99.0, 60.0)],
            line,
        ));
        painter.add(CubicBezierShape::from_points_stroke(
            [
                pos2(0.0, 90.0),
                pos2(30.0, 90.0),
                pos2(30.0, 110.0),
                pos2(60.0, 110.0),
            ],
            false,
            Color32::TRANSPARENT,
            line,
        ));
        painter.add(QuadraticBezierShape::from_points_stroke(
            [pos2(70.0, 90.0), pos2(90.0, 90.0), pos2(90.0, 110.0)],
            true,
            red,
            Stroke::NONE,
        ));
        let mut mesh = Mesh::default();
        mesh.add_colored_rect(Rect::from_min_size(pos2(110.0, 60.0), vec2(9.0, 9.0)), red);
        mesh.colored_vertex(pos2(130.0, 60.0), Color32::WHITE);
        mesh.colored_vertex(pos2(140.0, 60.0), Color32::WHITE);
        mesh.colored_vertex(pos2(135.0, 70.0), Color32::WHITE);
        mesh.add_triangle(4, 5, 6);
        painter.add(mesh);
        text(painter, pos2(100.0, 80.0), "web", semibold(14.0));
        text(painter, pos2(100.0, 95.0), "10.96.57.0 → 8443", mono(11.0));
        text(painter, pos2(100.0, 105.0), "2 of 3 ready", regular(11.0));
        let cut = Rect::from_min_size(pos2(150.0, 0.0), vec2(20.0, 50.0));
        painter
            .with_clip_rect(cut)
            .circle_filled(pos2(150.0, 20.0), 10.0, red);
        painter
            .with_clip_rect(cut)
            .circle_filled(pos2(160.0, 20.0), 5.0, red);
        painter
            .with_clip_rect(cut)
            .circle_filled(pos2(190.0, 20.0), 5.0, red);
    })
}

#[test]
fn one_of_each_shape() {
    insta::assert_snapshot!(document(&one_of_each()));
}

#[test]
fn every_shape_is_an_element() {
    let text = document(&one_of_each());
    let document = Document::parse(&text).expect("well-formed");
    let count = |name| elements(&document, name).len();
    // The background, four blocks and what cuts.
    assert_eq!(count("rect"), 1 + 4 + 1);
    // What lies outside of what cuts is not there.
    assert_eq!(
        (count("circle"), count("ellipse"), count("text")),
        (3, 1, 3)
    );
    // A block with two round corners, dashes as one, two lines, two curves, two colours of a mesh.
    assert_eq!(count("path"), 1 + 1 + 2 + 2 + 2);
    assert_eq!(count("clipPath"), 1);
    let cut = elements(&document, "g");
    let inside: Vec<_> = cut[0].children().filter(Node::is_element).collect();
    assert_eq!(
        (cut.len(), inside.len()),
        (1, 1),
        "only what sticks out is cut"
    );
}

#[test]
fn the_same_picture_gives_the_same_bytes() {
    assert_eq!(document(&one_of_each()), document(&one_of_each()));
}

#[test]
fn faces_are_carried_only_where_they_are_used() {
    let picture = painted(vec2(80.0, 20.0), |painter| {
        text(painter, Pos2::ZERO, "web", regular(13.0));
    });
    let carried = write(&picture, FontEmbedding::Embedded).text;
    assert_eq!(carried.matches("@font-face").count(), 1);
    assert!(carried.len() < 400_000, "{}", carried.len());
    Document::parse(&carried).expect("well-formed");
    assert!(!document(&picture).contains("@font-face"));
}

#[test]
fn text_of_two_colours_and_faces_stands_in_runs() {
    use egui::text::{LayoutJob, TextFormat};
    let picture = painted(vec2(300.0, 60.0), |painter| {
        let mut job = LayoutJob::default();
        let red = TextFormat::simple(regular(13.0), Color32::RED);
        job.append("ä red ", 0.0, red.clone());
        job.append(
            "bold\nsecond",
            0.0,
            TextFormat::simple(semibold(15.0), Color32::WHITE),
        );
        job.append(" end", 0.0, red);
        let galley = painter.layout_job(job);
        painter.galley(pos2(5.0, 5.0), galley, Color32::BLUE);
    });
    let text = document(&picture);
    let document = Document::parse(&text).expect("well-formed");
    let runs: Vec<_> = elements(&document, "text")
        .into_iter()
        .map(|run| {
            let attribute = |name| run.attribute(name).unwrap_or_default();
            (
                run.text().unwrap_or_default(),
                attribute("class"),
                attribute("fill"),
            )
        })
        .collect();
    assert_eq!(
        runs,
        [
            ("ä red ", "r", "#ff0000"),
            ("bold", "b", "#ffffff"),
            ("second", "b", "#ffffff"),
            (" end", "r", "#ff0000"),
        ]
    );
}

#[test]
fn what_a_document_cannot_hold_is_counted() {
    let picture = painted(vec2(50.0, 50.0), |painter| {
        let mut image = Mesh::with_texture(egui::TextureId::User(1));
        let all = Rect::from_min_size(Pos2::ZERO, vec2(10.0, 10.0));
        image.add_rect_with_uv(all, all, Color32::WHITE);
        painter.add(image);
    });
    assert_eq!(write(&picture, FontEmbedding::Named).unsupported_shapes, 1);
    assert_eq!(
        write(&one_of_each(), FontEmbedding::Named).unsupported_shapes,
        0
    );
}

#[test]
fn a_png_shows_what_egui_paints() {
    let picture = painted(vec2(100.0, 50.0), |painter| {
        painter.rect_filled(
            Rect::from_min_size(pos2(50.0, 0.0), vec2(50.0, 50.0)),
            0,
            Color32::from_rgba_unmultiplied(0, 0, 255, 255),
        );
        text(painter, pos2(60.0, 20.0), "MMM", semibold(16.0));
    });
    let png = png::render(&picture, 2.0).expect("it renders");
    let pixels = resvg::tiny_skia::Pixmap::decode_png(&png).expect("a PNG");
    assert_eq!((pixels.width(), pixels.height()), (200, 100));
    let at = |x, y| {
        pixels
            .pixel(x, y)
            .map(|color| [color.red(), color.green(), color.blue()])
    };
    assert_eq!(at(10, 10), Some([0, 0, 0]));
    assert_eq!(at(190, 10), Some([0, 0, 255]));
    let white = pixels
        .pixels()
        .iter()
        .filter(|color| color.red() > 200)
        .count();
    assert!((100..2000).contains(&white), "{white} pixels of text");
}

proptest! {
    #[test]
    fn any_text_is_read_back(says in prop_oneof![
        "\\PC{1,40}",
        "[a-z][\"'<>&\\]\u{1}\u{fffe}-]{1,20}",
        "[a-z0-9.-]{253}",
        "[가-힣ء-ي界]{1,60}",
    ]) {
        let mut picture = painted(vec2(4000.0, 40.0), |painter| {
            text(painter, pos2(5.0, 5.0), &says, regular(13.0));
        });
        picture.title.clone_from(&says);
        let text = document(&picture);
        let document = Document::parse(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let held = says.replace(['\u{1}', '\u{fffe}'], "\u{fffd}");
        let read: String = elements(&document, "text").iter().filter_map(Node::text).collect();
        // For a vowel sign on its own, as for a space, egui has nothing to paint.
        let is_painted = picture.shapes.iter().any(|clipped| match &clipped.shape {
            Shape::Text(text) => text.galley.rows.iter().any(|row| !row.row.visuals.mesh.is_empty()),
            _ => false,
        });
        if is_painted && !says.trim().is_empty() {
            prop_assert_eq!(&read, &held);
        }
        prop_assert_eq!(elements(&document, "title")[0].text().unwrap_or_default(), held);
    }

    #[test]
    fn any_shape_gives_a_document(
        x in prop::num::f32::ANY, y in prop::num::f32::ANY, size in prop::num::f32::ANY,
    ) {
        let picture = painted(vec2(100.0, 100.0), |painter| {
            let rect = Rect::from_min_size(pos2(x, y), vec2(size, size));
            painter.rect_stroke(rect, 3, Stroke::new(1.0, Color32::WHITE), StrokeKind::Outside);
            painter.circle_filled(pos2(x, y), size, Color32::WHITE);
            painter.add(Shape::line(vec![pos2(x, y), pos2(y, x)], Stroke::new(size, Color32::WHITE)));
        });
        let text = document(&picture);
        prop_assert!(Document::parse(&text).is_ok());
        prop_assert!(!text.contains("NaN") && !text.contains("inf"));
    }
}

#[test]
fn a_turn_is_said_in_degrees() {
    let quarter = Rot2::from_angle(std::f32::consts::FRAC_PI_2).angle();
    assert_eq!(rotation(quarter, pos2(1.0, 2.5)), "rotate(90 1 2.5)");
}
