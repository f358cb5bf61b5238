//! The keys of the settings' file, and which of them a misspelt one means.

/// Every key that this version knows.
const KEYS: [&str; 10] = [
    "theme",
    "ui_zoom",
    "last_context",
    "last_namespaces",
    "read_only_contexts",
    "production_contexts",
    "maps",
    "bells",
    "suppressed_checks",
    "probe_image",
];

/// The key that is perhaps meant: the same but for case and what joins its words, one with a few
/// letters that differ, or one that protects by its name.
pub(super) fn closest_key(key: &str) -> Option<&'static str> {
    let plain = |key: &str| {
        let letters = key.chars().filter(|letter| letter.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect::<String>()
    };
    let wanted = plain(key);
    for (word, known) in [
        ("readonly", "read_only_contexts"),
        ("production", "production_contexts"),
    ] {
        if wanted.contains(word) {
            return Some(known);
        }
    }
    let distance = |known: &&str| strsim::damerau_levenshtein(&plain(known), &wanted);
    let known = KEYS.into_iter().min_by_key(distance)?;
    (distance(&known) <= known.len() / 5).then_some(known)
}
