//! Everything the user can ask for by menu, key or palette: one list, one source.

use egui::{Key, KeyboardShortcut, Modifiers};
use egui_phosphor::regular as icon;

/// One thing to ask for that needs nothing but the selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UiCommand {
    /// Forward a port of the selection.
    Forward,
    /// Send a request to the selection.
    Curl,
    /// Test all paths to the selected Service.
    TestPaths,
    /// Change the type of the selected Service.
    ChangeType,
    /// Change anything else of the selected Service.
    EditService,
    /// Create a Service for the selected pod or workload.
    Expose,
    /// Create a Service like the selected one.
    Duplicate,
    /// Delete the selected Service.
    Delete,
    /// Take back the last change of the session.
    UndoChange,
    /// Bring the selection into view.
    ShowOnMap,
    /// Copy the in-cluster DNS name of the selected Service.
    CopyDnsName,
    /// Select the next Service of the list.
    NextService,
    /// Select the one before.
    PreviousService,
    /// Select the next Service with a problem.
    NextProblem,
    /// Type into the search field.
    Search,
    /// Open the palette.
    Palette,
    /// Choose what the map shows.
    Filter,
    /// Show only what is wrong, or all again.
    OnlyProblems,
    /// Show only what is around the selected Service.
    Neighbourhood,
    /// Show everything again.
    ClearFilter,
    /// One group for each namespace.
    GroupByNamespace,
    /// A group for each application.
    GroupByApp,
    /// No groups: all Services together.
    GroupByNothing,
    /// Lay the map out afresh.
    ResetLayout,
    /// Put back what tidying up moved away from where it was dragged.
    UndoResetLayout,
    /// Hold the map still, or let it follow again.
    Pause,
    /// Save the map as a picture or as data.
    Export,
    /// Show the whole map.
    FitMap,
    /// Show all that belongs to the selection.
    FitSelection,
    /// Show or hide the minimap.
    ToggleMinimap,
    /// Larger.
    ZoomIn,
    /// Smaller.
    ZoomOut,
    /// Show the forwards.
    ShowForwards,
    /// Show the requests.
    ShowRequests,
    /// Show the problems.
    ShowProblems,
    /// Show the activity.
    ShowActivity,
    /// Show what was changed in this session.
    ShowChanges,
    /// Show the test of paths.
    ShowPaths,
    /// Show or hide the list of Services.
    ToggleList,
    /// Show or hide the inspector.
    ToggleInspector,
    /// Show or hide the bottom panel.
    ToggleBottom,
    /// Light or dark.
    ToggleTheme,
    /// Show or hide what frames cost.
    ToggleFrameTimes,
    /// Connect again now.
    Reconnect,
    /// Test the connection step by step.
    TestConnection,
    /// Mark contexts as read-only or production.
    ProtectContexts,
    /// Watch all namespaces.
    AllNamespaces,
    /// Start every saved forward.
    StartSavedForwards,
    /// Stop every forward.
    StopAllForwards,
    /// Write the saved forwards to a file.
    ExportForwards,
    /// Save the forwards of a file.
    ImportForwards,
    /// Write the journal of changes to a file.
    ExportAuditLog,
    /// List all shortcuts.
    Help,
    /// Leave.
    Quit,
}

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

impl UiCommand {
    /// Every command in the order of the help and of an empty palette.
    pub const ALL: [Self; 54] = [
        Self::Forward,
        Self::Curl,
        Self::TestPaths,
        Self::ChangeType,
        Self::EditService,
        Self::Expose,
        Self::Duplicate,
        Self::Delete,
        Self::UndoChange,
        Self::ShowOnMap,
        Self::CopyDnsName,
        Self::Search,
        Self::Palette,
        Self::NextService,
        Self::PreviousService,
        Self::NextProblem,
        Self::Filter,
        Self::OnlyProblems,
        Self::Neighbourhood,
        Self::ClearFilter,
        Self::GroupByNamespace,
        Self::GroupByApp,
        Self::GroupByNothing,
        Self::ResetLayout,
        Self::UndoResetLayout,
        Self::Pause,
        Self::Export,
        Self::FitMap,
        Self::FitSelection,
        Self::ZoomIn,
        Self::ZoomOut,
        Self::ToggleMinimap,
        Self::ShowForwards,
        Self::ShowRequests,
        Self::ShowProblems,
        Self::ShowActivity,
        Self::ShowChanges,
        Self::ShowPaths,
        Self::ToggleList,
        Self::ToggleInspector,
        Self::ToggleBottom,
        Self::ToggleTheme,
        Self::ToggleFrameTimes,
        Self::Reconnect,
        Self::TestConnection,
        Self::ProtectContexts,
        Self::AllNamespaces,
        Self::StartSavedForwards,
        Self::StopAllForwards,
        Self::ExportForwards,
        Self::ImportForwards,
        Self::ExportAuditLog,
        Self::Help,
        Self::Quit,
    ];

    /// What a menu, the palette and the help call it; `…` where it asks for more.
    pub fn text(self) -> &'static str {
        match self {
            Self::Forward => "Forward a port…",
            Self::Curl => "Curl…",
            Self::TestPaths => "Test all paths",
            Self::ChangeType => "Change type…",
            Self::EditService => "Edit…",
            Self::Expose => "Expose…",
            Self::Duplicate => "Duplicate…",
            Self::Delete => "Delete…",
            Self::UndoChange => "Undo the last change…",
            Self::ShowOnMap => "Show on the map",
            Self::CopyDnsName => "Copy the DNS name",
            Self::NextService => "Next Service",
            Self::PreviousService => "Previous Service",
            Self::NextProblem => "Next problem",
            Self::Search => "Search",
            Self::Palette => "Commands",
            Self::Filter => "Filter the map…",
            Self::OnlyProblems => "Only problems",
            Self::Neighbourhood => "Show the neighbourhood",
            Self::ClearFilter => "Clear the filter",
            Self::GroupByNamespace => "Group by namespace",
            Self::GroupByApp => "Group by application",
            Self::GroupByNothing => "Do not group",
            Self::ResetLayout => "Reset the layout",
            Self::UndoResetLayout => "Undo the layout reset",
            Self::Pause => "Pause or resume the map",
            Self::Export => "Export…",
            Self::FitMap => "Show the whole map",
            Self::FitSelection => "Fit the selection",
            Self::ToggleMinimap => "Show or hide the minimap",
            Self::ZoomIn => "Zoom in",
            Self::ZoomOut => "Zoom out",
            Self::ShowForwards => "Show forwards",
            Self::ShowRequests => "Show requests",
            Self::ShowProblems => "Show problems",
            Self::ShowActivity => "Show activity",
            Self::ShowChanges => "Show changes",
            Self::ShowPaths => "Show paths",
            Self::ToggleList => "Show or hide the list",
            Self::ToggleInspector => "Show or hide the inspector",
            Self::ToggleBottom => "Show or hide the bottom panel",
            Self::ToggleTheme => "Switch between light and dark",
            Self::ToggleFrameTimes => "Show or hide frame times",
            Self::Reconnect => "Reconnect",
            Self::TestConnection => "Test the connection",
            Self::ProtectContexts => "Protect contexts…",
            Self::AllNamespaces => "Watch all namespaces",
            Self::StartSavedForwards => "Start all saved forwards",
            Self::StopAllForwards => "Stop all forwards",
            Self::ExportForwards => "Export forwards…",
            Self::ImportForwards => "Import forwards…",
            Self::ExportAuditLog => "Export the audit log…",
            Self::Help => "Keyboard shortcuts",
            Self::Quit => "Quit",
        }
    }

    /// What it does, in a sentence.
    pub fn tooltip(self) -> &'static str {
        match self {
            Self::Forward => "Listen on a local port and carry connections to a ready pod",
            Self::Curl => {
                "Send a request through a forward, the API server, a node, a load balancer or from inside"
            }
            Self::TestPaths => {
                "Try every port of the Service from everywhere and say what is wrong"
            }
            Self::ChangeType => {
                "Plan a change of the Service's type, try it by a dry run, then apply it"
            }
            Self::EditService => "Change the Service's ports, selector, traffic, labels or YAML",
            Self::Expose => "Create a Service that leads to the selected pod or workload",
            Self::Duplicate => "Create a Service like this one under another name",
            Self::Delete => "Delete the Service, after a confirmation",
            Self::UndoChange => "Plan the opposite of the last change of this session",
            Self::ShowOnMap => "Bring the selection into view on the map",
            Self::CopyDnsName => "Put the Service's in-cluster DNS name on the clipboard",
            Self::NextService => "Select the next Service of the list",
            Self::PreviousService => "Select the Service before it in the list",
            Self::NextProblem => "Select the next Service with an error or a warning",
            Self::Search => "Find Services by name, type, port, pod, label or address",
            Self::Palette => "Find any command, Service, context or namespace by typing",
            Self::Filter => {
                "Choose the Services on the map by text, labels, type, state or namespace"
            }
            Self::OnlyProblems => "Show only Services with an error or a warning; again shows all",
            Self::Neighbourhood => {
                "Show only what shares pods with the selected Service, or leads to it"
            }
            Self::ClearFilter => "Show all Services again",
            Self::GroupByNamespace => "One group for each namespace",
            Self::GroupByApp => {
                "One group for each application, by the label app.kubernetes.io/part-of or instance"
            }
            Self::GroupByNothing => "No groups: all Services together",
            Self::ResetLayout => {
                "Compute the layout again and discard dragged positions; can be undone"
            }
            Self::UndoResetLayout => "Restore the dragged positions from before the layout reset",
            Self::Pause => "Hold the picture still; everything else goes on",
            Self::Export => "Save the map as SVG or PNG, or the graph as DOT or JSON",
            Self::FitMap => "Zoom out until everything is in view",
            Self::FitSelection => "Zoom to the selection with its entry points and pods",
            Self::ToggleMinimap => "The whole map in a corner, with the part that is in view",
            Self::ZoomIn => "Draw the map larger",
            Self::ZoomOut => "Draw the map smaller",
            Self::ShowForwards => "Port-forwards and their state",
            Self::ShowRequests => "Requests sent and what came back",
            Self::ShowProblems => "Everything the checks found",
            Self::ShowActivity => "What happened, the newest first",
            Self::ShowChanges => "Changes since svcscope started; each can be undone",
            Self::ShowPaths => "The test of all paths to a Service",
            Self::ToggleList => "The list of Services at the left",
            Self::ToggleInspector => "Details of the selection at the right",
            Self::ToggleBottom => "Forwards, requests, problems and activity",
            Self::ToggleTheme => "Light or dark",
            Self::ToggleFrameTimes => {
                "How many frames were drawn in the last second they were drawn in, and what one costs"
            }
            Self::Reconnect => "Reconnect now and restart all watches",
            Self::TestConnection => {
                "Say what works and what does not: credentials, proxy, TLS, rights, watches, port-forward"
            }
            Self::ProtectContexts => "Mark contexts as read-only or production",
            Self::AllNamespaces => "Watch every namespace of the cluster",
            Self::StartSavedForwards => {
                "Start the saved forwards of this context that are not running"
            }
            Self::StopAllForwards => "Close every local listener",
            Self::ExportForwards => "Write the forwards that are kept for this context to a file",
            Self::ImportForwards => {
                "Add the forwards in a file to the saved forwards of this context"
            }
            Self::ExportAuditLog => {
                "Write every change since svcscope started to a file, with the objects before and after"
            }
            Self::Help => "List all shortcuts",
            Self::Quit => "Stop all forwards and leave",
        }
    }

    /// The key that asks for it. Keys without Ctrl work while nothing is being typed.
    pub fn shortcut(self) -> Option<KeyboardShortcut> {
        let plain = |key| Some(KeyboardShortcut::new(Modifiers::NONE, key));
        let ctrl = |key| Some(KeyboardShortcut::new(Modifiers::COMMAND, key));
        match self {
            Self::Forward => plain(Key::F),
            Self::Curl => plain(Key::C),
            Self::TestPaths => plain(Key::R),
            Self::ChangeType => plain(Key::T),
            Self::EditService => plain(Key::E),
            Self::Delete => plain(Key::Delete),
            Self::ShowOnMap => plain(Key::G),
            Self::CopyDnsName => plain(Key::D),
            Self::NextService => plain(Key::J),
            Self::PreviousService => plain(Key::K),
            Self::NextProblem => plain(Key::N),
            Self::Search => plain(Key::Slash),
            Self::Palette => ctrl(Key::K),
            Self::Filter => ctrl(Key::F),
            Self::OnlyProblems => plain(Key::W),
            Self::Neighbourhood => plain(Key::H),
            Self::ClearFilter => plain(Key::X),
            Self::GroupByNamespace => plain(Key::Num1),
            Self::GroupByApp => plain(Key::Num2),
            Self::GroupByNothing => plain(Key::Num3),
            Self::ResetLayout => plain(Key::L),
            Self::UndoResetLayout => ctrl(Key::Z),
            Self::Pause => plain(Key::P),
            Self::Export => ctrl(Key::E),
            Self::FitMap => plain(Key::Num0),
            Self::FitSelection => plain(Key::Z),
            Self::ToggleMinimap => plain(Key::M),
            Self::ZoomIn => plain(Key::Plus),
            Self::ZoomOut => plain(Key::Minus),
            Self::ShowForwards => ctrl(Key::Num1),
            Self::ShowRequests => ctrl(Key::Num2),
            Self::ShowProblems => ctrl(Key::Num3),
            Self::ShowActivity => ctrl(Key::Num4),
            Self::ShowChanges => ctrl(Key::Num5),
            Self::ShowPaths => ctrl(Key::Num6),
            Self::ToggleList => ctrl(Key::B),
            Self::ToggleInspector => ctrl(Key::I),
            Self::ToggleBottom => ctrl(Key::J),
            Self::ToggleTheme => ctrl(Key::L),
            Self::Reconnect => plain(Key::F5),
            Self::Help => plain(Key::Questionmark),
            Self::Quit => ctrl(Key::Q),
            Self::AllNamespaces
            | Self::ProtectContexts
            | Self::TestConnection
            | Self::Expose
            | Self::Duplicate
            | Self::UndoChange
            | Self::ExportAuditLog
            | Self::StartSavedForwards
            | Self::StopAllForwards
            | Self::ExportForwards
            | Self::ImportForwards
            | Self::ToggleFrameTimes => None,
        }
    }

    /// The icon beside its text.
    pub fn icon(self) -> &'static str {
        match self {
            Self::Forward => icon::ARROW_LINE_RIGHT,
            Self::Curl => icon::TERMINAL,
            Self::TestPaths | Self::ShowPaths => icon::PATH,
            Self::ChangeType => icon::ARROWS_LEFT_RIGHT,
            Self::EditService => icon::PENCIL_SIMPLE,
            Self::Expose => icon::PLUS_CIRCLE,
            Self::Duplicate => icon::COPY_SIMPLE,
            Self::Delete => icon::TRASH,
            Self::UndoChange => icon::ARROW_COUNTER_CLOCKWISE,
            Self::ShowChanges => icon::CLOCK_COUNTER_CLOCKWISE,
            Self::ShowOnMap => icon::CROSSHAIR,
            Self::CopyDnsName => icon::COPY,
            Self::NextService => icon::ARROW_DOWN,
            Self::PreviousService => icon::ARROW_UP,
            Self::NextProblem | Self::ShowProblems => icon::WARNING,
            Self::Search => icon::MAGNIFYING_GLASS,
            Self::Palette => icon::COMMAND,
            Self::Filter => icon::FUNNEL,
            Self::OnlyProblems => icon::WARNING_CIRCLE,
            Self::Neighbourhood => icon::SHARE_NETWORK,
            Self::ClearFilter => icon::FUNNEL_X,
            Self::GroupByNamespace | Self::GroupByApp | Self::GroupByNothing => icon::SQUARES_FOUR,
            Self::ResetLayout => icon::BROOM,
            Self::UndoResetLayout => icon::ARROW_COUNTER_CLOCKWISE,
            Self::Pause => icon::PAUSE,
            Self::Export => icon::EXPORT,
            Self::FitMap => icon::CORNERS_OUT,
            Self::FitSelection => icon::FRAME_CORNERS,
            Self::ToggleMinimap => icon::MAP_TRIFOLD,
            Self::ZoomIn => icon::MAGNIFYING_GLASS_PLUS,
            Self::ZoomOut => icon::MAGNIFYING_GLASS_MINUS,
            Self::ShowForwards => icon::PLUGS,
            Self::ShowRequests => icon::PAPER_PLANE_TILT,
            Self::ShowActivity => icon::LIST_BULLETS,
            Self::ToggleList | Self::ToggleInspector | Self::ToggleBottom => icon::SIDEBAR_SIMPLE,
            Self::ToggleTheme => icon::SUN,
            Self::ToggleFrameTimes => icon::GAUGE,
            Self::Reconnect => icon::ARROWS_CLOCKWISE,
            Self::TestConnection => icon::STETHOSCOPE,
            Self::ProtectContexts => icon::LOCK,
            Self::AllNamespaces => icon::STACK,
            Self::StartSavedForwards => icon::PLAY,
            Self::StopAllForwards => icon::STOP,
            Self::ExportForwards | Self::ExportAuditLog => icon::EXPORT,
            Self::ImportForwards => icon::DOWNLOAD_SIMPLE,
            Self::Help => icon::KEYBOARD,
            Self::Quit => icon::X,
        }
    }

    /// Where the help lists it.
    pub fn group(self) -> CommandGroup {
        match self {
            Self::Forward
            | Self::Curl
            | Self::TestPaths
            | Self::ChangeType
            | Self::EditService
            | Self::Expose
            | Self::Duplicate
            | Self::Delete
            | Self::ShowOnMap
            | Self::CopyDnsName => CommandGroup::Selection,
            Self::Search
            | Self::Palette
            | Self::NextService
            | Self::PreviousService
            | Self::NextProblem => CommandGroup::Find,
            Self::Filter
            | Self::OnlyProblems
            | Self::Neighbourhood
            | Self::ClearFilter
            | Self::GroupByNamespace
            | Self::GroupByApp
            | Self::GroupByNothing
            | Self::ResetLayout
            | Self::UndoResetLayout
            | Self::Pause
            | Self::Export => CommandGroup::Map,
            Self::FitMap
            | Self::FitSelection
            | Self::ToggleMinimap
            | Self::ZoomIn
            | Self::ZoomOut
            | Self::ShowForwards
            | Self::ShowRequests
            | Self::ShowProblems
            | Self::ShowActivity
            | Self::ShowChanges
            | Self::ShowPaths
            | Self::ToggleList
            | Self::ToggleInspector
            | Self::ToggleBottom
            | Self::ToggleTheme
            | Self::ToggleFrameTimes => CommandGroup::View,
            Self::Reconnect
            | Self::TestConnection
            | Self::ProtectContexts
            | Self::AllNamespaces
            | Self::StartSavedForwards
            | Self::StopAllForwards
            | Self::ExportForwards
            | Self::ImportForwards
            | Self::UndoChange
            | Self::ExportAuditLog
            | Self::Help
            | Self::Quit => CommandGroup::App,
        }
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
            .into_iter()
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
        for command in UiCommand::ALL {
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
        for command in UiCommand::ALL {
            assert!(!command.tooltip().ends_with('.'), "{command:?}");
            assert!(!command.text().is_empty());
        }
    }
}
