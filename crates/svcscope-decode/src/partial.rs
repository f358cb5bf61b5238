//! The macro that writes partial types, which parse only what a record needs.

use serde::{Deserialize, Deserializer};

/// Derives for structs that hold a part of a JSON object and borrow from its text. What is absent
/// or `null` is the field's default: an empty text or list, or `None` where that differs from
/// empty. Keys are in `camelCase`, or as `as` says.
///
/// ```ignore
/// partial! {
///     struct PartialPodStatus<'json> {
///         phase: JsonText<'json>,
///         pod_ip as "podIP": JsonText<'json>,
///         conditions: Vec<PartialCondition<'json>>,
///     }
/// }
/// ```
///
/// becomes
///
/// ```ignore
/// #[derive(Debug, Default, Deserialize)]
/// #[serde(rename_all = "camelCase", expecting = "an object", bound(deserialize = "'de: 'json"))]
/// struct PartialPodStatus<'json> {
///     #[serde(default, deserialize_with = "null_as_default")]
///     phase: JsonText<'json>,
///     #[serde(rename = "podIP", default, deserialize_with = "null_as_default")]
///     pod_ip: JsonText<'json>,
///     #[serde(default, deserialize_with = "null_as_default")]
///     conditions: Vec<PartialCondition<'json>>,
/// }
/// ```
macro_rules! partial {
    ($(
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident<'json> {
            $($field_visibility:vis $field:ident $(as $key:literal)?: $type:ty,)*
        }
    )*) => {$(
        $(#[$attribute])*
        #[derive(Debug, Default, serde::Deserialize)]
        #[serde(
            rename_all = "camelCase",
            expecting = "an object",
            bound(deserialize = "'de: 'json")
        )]
        $visibility struct $name<'json> {$(
            $(#[serde(rename = $key)])?
            #[serde(default, deserialize_with = "crate::partial::null_as_default")]
            $field_visibility $field: $type,
        )*}
    )*};
}
pub(crate) use partial;

/// `null` as if the key were absent.
pub fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
