//! The range of nodePorts that an API server named, by context: no API tells it.

use std::{
    collections::BTreeMap,
    io,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::state_files::{lock, read_or_move_aside, write_atomically};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct NodePortRangeFile {
    /// First and last number, by context.
    ranges: BTreeMap<String, (u16, u16)>,
    #[serde(flatten)]
    unknown: serde_json::Map<String, serde_json::Value>,
}

/// Where the ranges are kept: beside the settings, in a file of their own, because window and
/// command line both learn of them.
pub fn node_ports_path(settings: &Path) -> PathBuf {
    settings.with_file_name("node-ports.json")
}

/// The range that the API server of a context named the last time.
pub fn node_port_range(path: &Path, context: &str) -> Option<RangeInclusive<u16>> {
    let (page, _broken): (NodePortRangeFile, _) = read_or_move_aside(path);
    let (start, end) = page.ranges.get(context)?;
    Some(*start..=*end)
}

/// Remembers what the API server of a context named, beside what the file holds by then.
pub fn save_node_port_range(
    path: &Path,
    context: &str,
    range: &RangeInclusive<u16>,
) -> io::Result<()> {
    let _lock = lock(path)?;
    let (mut page, _broken): (NodePortRangeFile, _) = read_or_move_aside(path);
    let range = (*range.start(), *range.end());
    if page.ranges.insert(context.to_owned(), range) == Some(range) {
        return Ok(());
    }
    write_atomically(&page, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_kept_by_context() {
        let folder = tempfile::tempdir().unwrap();
        let path = node_ports_path(&folder.path().join("settings.json"));
        assert_eq!(node_port_range(&path, "lab"), None);
        save_node_port_range(&path, "lab", &(20000..=22767)).unwrap();
        save_node_port_range(&path, "prod", &(30000..=30100)).unwrap();
        save_node_port_range(&path, "lab", &(20000..=23000)).unwrap();
        assert_eq!(node_port_range(&path, "lab"), Some(20000..=23000));
        assert_eq!(node_port_range(&path, "prod"), Some(30000..=30100));
        std::fs::write(&path, "{").unwrap();
        assert_eq!(node_port_range(&path, "lab"), None);
    }
}
