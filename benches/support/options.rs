//! Command lines of benches: names with values.

use std::num::NonZero;

/// Gives each option with its value to `take`, which says whether there is such a one.
pub fn options(
    arguments: &[String],
    mut take: impl FnMut(&str, &str) -> Result<bool, String>,
) -> Result<(), String> {
    // The first of all is from cargo.
    let mut rest = arguments.iter().filter(|name| *name != "--bench");
    while let Some(name) = rest.next() {
        let value = rest.next().ok_or_else(|| format!("{name}: no value"))?;
        match take(name, value) {
            Ok(true) => {}
            Ok(false) => return Err(format!("{name}: unknown")),
            Err(e) => return Err(format!("{name} {value}: {e}")),
        }
    }
    Ok(())
}

/// A value of any kind that can be read from text.
pub fn read<T: std::str::FromStr<Err: std::fmt::Display>>(value: &str) -> Result<T, String> {
    value.parse().map_err(|e: T::Err| e.to_string())
}

/// How often: once at least.
pub fn times(value: &str) -> Result<usize, String> {
    read::<NonZero<usize>>(value).map(NonZero::get)
}

/// Names with commas between them, each one of `known`.
pub fn names(value: &str, known: &[&str]) -> Result<Vec<String>, String> {
    let names: Vec<String> = value.split(',').map(Into::into).collect();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(format!("there is no `{name}`, but {}", known.join(", "))),
        None => Ok(names),
    }
}
