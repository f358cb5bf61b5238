//! Everything the user can ask for by menu, key or palette: one table, one source.

use egui::{Key, KeyboardShortcut, Modifiers};
use egui_phosphor::regular as icon;

/// A group of commands in the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandGroup {
    /// What is done to the selection.
    Selection,
    /// Finding things.
    Find,
    /// What the map shows.
    Map,
    /// The view of the map and the panels.
    View,
    /// The connection and the app.
    App,
}

impl CommandGroup {
    /// Every group in the order of the help.
    pub const ALL: [Self; 5] = [
        Self::Selection,
        Self::Find,
        Self::Map,
        Self::View,
        Self::App,
    ];

    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Selection => "Selected Service or pod",
            Self::Find => "Find",
            Self::Map => "What the map shows",
            Self::View => "View and panels",
            Self::App => "Cluster and app",
        }
    }
}

/// What the user reads and presses of one command: a row of the table.
struct CommandEntry {
    group: CommandGroup,
    shortcut: Option<KeyboardShortcut>,
    icon: &'static str,
    text: &'static str,
    tooltip: &'static str,
}

/// A key alone; it works while nothing is being typed.
const fn plain(key: Key) -> Option<KeyboardShortcut> {
    Some(KeyboardShortcut::new(Modifiers::NONE, key))
}

/// A key with Ctrl (Cmd on macOS).
const fn ctrl(key: Key) -> Option<KeyboardShortcut> {
    Some(KeyboardShortcut::new(Modifiers::COMMAND, key))
}

/// Makes [`UiCommand`] of the table; what a command does stands in `run_command.rs`.
macro_rules! commands {
    ($($name:ident: $group:ident, $shortcut:expr, $icon:ident, $text:literal, $tooltip:literal;)*) => {
        /// One thing to ask for that needs nothing but the selection.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum UiCommand {
            $(#[doc = $tooltip] $name,)*
        }

        impl UiCommand {
            /// Every command in the order of the help and of an empty palette.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            const fn entry(self) -> &'static CommandEntry {
                match self {
                    $(Self::$name => &const {
                        CommandEntry {
                            group: CommandGroup::$group,
                            shortcut: $shortcut,
                            icon: icon::$icon,
                            text: $text,
                            tooltip: $tooltip,
                        }
                    },)*
                }
            }
        }
    };
}

commands! {
    // Command: group in the help, key, icon, text (`…` where it asks for more), tooltip.
    Forward: Selection, plain(Key::F), ARROW_LINE_RIGHT, "Forward a port…",
        "Listen on a local port and carry connections to a ready pod";
    Curl: Selection, plain(Key::C), TERMINAL, "Curl…",
        "Send a request through a forward, the API server, a node, a load balancer or from inside";
    TestPaths: Selection, plain(Key::R), PATH, "Test all paths",
        "Try every port of the Service from everywhere and say what is wrong";
    ChangeType: Selection, plain(Key::T), ARROWS_LEFT_RIGHT, "Change type…",
        "Plan a change of the Service's type, try it by a dry run, then apply it";
    EditService: Selection, plain(Key::E), PENCIL_SIMPLE, "Edit…",
        "Change the Service's ports, selector, traffic, labels or YAML";
    Expose: Selection, None, PLUS_CIRCLE, "Expose…",
        "Create a Service that leads to the selected pod or workload";
    Duplicate: Selection, None, COPY_SIMPLE, "Duplicate…",
        "Create a Service like this one under another name";
    Delete: Selection, plain(Key::Delete), TRASH, "Delete…",
        "Delete the Service, after a confirmation";
    UndoChange: App, None, ARROW_COUNTER_CLOCKWISE, "Undo the last change…",
        "Plan the opposite of the last change of this session";
    ShowOnMap: Selection, plain(Key::G), CROSSHAIR, "Show on the map",
        "Bring the selection into view on the map";
    CopyDnsName: Selection, plain(Key::D), COPY, "Copy the DNS name",
        "Put the Service's in-cluster DNS name on the clipboard";
    Search: Find, plain(Key::Slash), MAGNIFYING_GLASS, "Search",
        "Find Services by name, type, port, pod, label or address";
    Palette: Find, ctrl(Key::K), COMMAND, "Commands",
        "Find any command, Service, context or namespace by typing";
    NextService: Find, plain(Key::J), ARROW_DOWN, "Next Service",
        "Select the next Service of the list";
    PreviousService: Find, plain(Key::K), ARROW_UP, "Previous Service",
        "Select the Service before it in the list";
    NextProblem: Find, plain(Key::N), WARNING, "Next problem",
        "Select the next Service with an error or a warning";
    Filter: Map, ctrl(Key::F), FUNNEL, "Filter the map…",
        "Choose the Services on the map by text, labels, type, state or namespace";
    OnlyProblems: Map, plain(Key::W), WARNING_CIRCLE, "Only problems",
        "Show only Services with an error or a warning; again shows all";
    Neighbourhood: Map, plain(Key::H), SHARE_NETWORK, "Show the neighbourhood",
        "Show only what shares pods with the selected Service, or leads to it";
    ClearFilter: Map, plain(Key::X), FUNNEL_X, "Clear the filter",
        "Show all Services again";
    GroupByNamespace: Map, plain(Key::Num1), SQUARES_FOUR, "Group by namespace",
        "One group for each namespace";
    GroupByApp: Map, plain(Key::Num2), SQUARES_FOUR, "Group by application",
        "One group for each application, by the label app.kubernetes.io/part-of or instance";
    GroupByNothing: Map, plain(Key::Num3), SQUARES_FOUR, "Do not group",
        "No groups: all Services together";
    ResetLayout: Map, plain(Key::L), BROOM, "Reset the layout",
        "Compute the layout again and discard dragged positions; can be undone";
    UndoResetLayout: Map, ctrl(Key::Z), ARROW_COUNTER_CLOCKWISE, "Undo the layout reset",
        "Restore the dragged positions from before the layout reset";
    Pause: Map, plain(Key::P), PAUSE, "Pause or resume the map",
        "Hold the picture still; everything else goes on";
    Export: Map, ctrl(Key::E), EXPORT, "Export…",
        "Save the map as SVG or PNG, or the graph as DOT or JSON";
    FitMap: View, plain(Key::Num0), CORNERS_OUT, "Show the whole map",
        "Zoom out until everything is in view";
    FitSelection: View, plain(Key::Z), FRAME_CORNERS, "Fit the selection",
        "Zoom to the selection with its entry points and pods";
    ZoomIn: View, plain(Key::Plus), MAGNIFYING_GLASS_PLUS, "Zoom in",
        "Draw the map larger";
    ZoomOut: View, plain(Key::Minus), MAGNIFYING_GLASS_MINUS, "Zoom out",
        "Draw the map smaller";
    ToggleMinimap: View, plain(Key::M), MAP_TRIFOLD, "Show or hide the minimap",
        "The whole map in a corner, with the part that is in view";
    ShowForwards: View, ctrl(Key::Num1), PLUGS, "Show forwards",
        "Port-forwards and their state";
    ShowRequests: View, ctrl(Key::Num2), PAPER_PLANE_TILT, "Show requests",
        "Requests sent and what came back";
    ShowProblems: View, ctrl(Key::Num3), WARNING, "Show problems",
        "Everything the checks found";
    ShowActivity: View, ctrl(Key::Num4), LIST_BULLETS, "Show activity",
        "What happened, the newest first";
    ShowChanges: View, ctrl(Key::Num5), CLOCK_COUNTER_CLOCKWISE, "Show changes",
        "Changes since svcscope started; each can be undone";
    ShowPaths: View, ctrl(Key::Num6), PATH, "Show paths",
        "The test of all paths to a Service";
    ToggleList: View, ctrl(Key::B), SIDEBAR_SIMPLE, "Show or hide the list",
        "The list of Services at the left";
    ToggleInspector: View, ctrl(Key::I), SIDEBAR_SIMPLE, "Show or hide the inspector",
        "Details of the selection at the right";
    ToggleBottom: View, ctrl(Key::J), SIDEBAR_SIMPLE, "Show or hide the bottom panel",
        "Forwards, requests, problems and activity";
    ToggleTheme: View, ctrl(Key::L), SUN, "Switch between light and dark",
        "Light or dark";
    ToggleFrameTimes: View, None, GAUGE, "Show or hide frame times",
        "How many frames were drawn in the last second they were drawn in, and what one costs";
    Reconnect: App, plain(Key::F5), ARROWS_CLOCKWISE, "Reconnect",
        "Reconnect now and restart all watches";
    TestConnection: App, None, STETHOSCOPE, "Test the connection",
        "Say what works and what does not: credentials, proxy, TLS, rights, watches, port-forward";
    ProtectContexts: App, None, LOCK, "Protect contexts…",
        "Mark contexts as read-only or production";
    AllNamespaces: App, None, STACK, "Watch all namespaces",
        "Watch every namespace of the cluster";
    StartSavedForwards: App, None, PLAY, "Start all saved forwards",
        "Start the saved forwards of this context that are not running";
    StopAllForwards: App, None, STOP, "Stop all forwards",
        "Close every local listener";
    ExportForwards: App, None, EXPORT, "Export forwards…",
        "Write the forwards that are kept for this context to a file";
    ImportForwards: App, None, DOWNLOAD_SIMPLE, "Import forwards…",
        "Add the forwards in a file to the saved forwards of this context";
    ExportAuditLog: App, None, EXPORT, "Export the audit log…",
        "Write every change since svcscope started to a file, with the objects before and after";
    Help: App, plain(Key::Questionmark), KEYBOARD, "Keyboard shortcuts",
        "List all shortcuts";
    Quit: App, ctrl(Key::Q), X, "Quit",
        "Stop all forwards and leave";
}

impl UiCommand {
    /// What a menu, the palette and the help call it; `…` where it asks for more.
    pub fn text(self) -> &'static str {
        self.entry().text
    }

    /// What it does, in a sentence.
    pub fn tooltip(self) -> &'static str {
        self.entry().tooltip
    }

    /// The key that asks for it. Keys without Ctrl work while nothing is being typed.
    pub fn shortcut(self) -> Option<KeyboardShortcut> {
        self.entry().shortcut
    }

    /// The icon beside its text.
    pub fn icon(self) -> &'static str {
        self.entry().icon
    }

    /// Where the help lists it.
    pub fn group(self) -> CommandGroup {
        self.entry().group
    }

    /// Its key as this system spells it: `Ctrl+K`.
    pub fn shortcut_text(self, ctx: &egui::Context) -> Option<String> {
        self.shortcut().map(|shortcut| {
            if shortcut.modifiers.is_none() {
                // `/` and not `Slash`: what is printed on the key.
                match shortcut.logical_key {
                    Key::Questionmark => "?".to_owned(),
                    key => key.symbol_or_name().to_owned(),
                }
            } else {
                ctx.format_shortcut(&shortcut)
            }
        })
    }

    /// Its tooltip with its key.
    pub fn hover_text(self, ctx: &egui::Context) -> String {
        match self.shortcut_text(ctx) {
            Some(key) => format!("{} ({key})", self.tooltip()),
            None => self.tooltip().to_owned(),
        }
    }

    /// Takes the keys of this frame that ask for a command.
    ///
    /// While text is typed only keys with a modifier count, and so do function keys.
    pub fn take_shortcuts(ctx: &egui::Context) -> Vec<Self> {
        let typing = ctx.text_edit_focused();
        Self::ALL
            .iter()
            .copied()
            .filter(|command| {
                let Some(shortcut) = command.shortcut() else {
                    return false;
                };
                let types_text = shortcut.modifiers.is_none() && shortcut.logical_key != Key::F5;
                if typing && types_text {
                    return false;
                }
                ctx.input_mut(|input| {
                    let exact = shortcut.modifiers.is_none() && input.modifiers.command;
                    let pressed = !exact && input.consume_shortcut(&shortcut);
                    if pressed && types_text {
                        // The key that moves the focus into a text field must not be typed there.
                        input
                            .events
                            .retain(|event| !matches!(event, egui::Event::Text(_)));
                    }
                    pressed
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_commands_share_a_key_or_a_text() {
        let mut keys = BTreeSet::new();
        let mut texts = BTreeSet::new();
        for command in UiCommand::ALL.iter().copied() {
            assert!(texts.insert(command.text()), "{command:?}");
            if let Some(shortcut) = command.shortcut() {
                assert!(keys.insert(format!("{shortcut:?}")), "{command:?}");
            }
        }
    }

    #[test]
    fn every_command_is_listed_once_and_belongs_to_a_group() {
        let listed: BTreeSet<_> = UiCommand::ALL.iter().map(|c| format!("{c:?}")).collect();
        assert_eq!(listed.len(), UiCommand::ALL.len());
        for group in CommandGroup::ALL {
            assert!(UiCommand::ALL.iter().any(|c| c.group() == group));
        }
    }

    #[test]
    fn words_are_plain_sentences() {
        for command in UiCommand::ALL.iter().copied() {
            assert!(!command.tooltip().ends_with('.'), "{command:?}");
            assert!(!command.text().is_empty());
        }
    }
}
