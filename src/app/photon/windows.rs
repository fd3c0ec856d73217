//! Which of several windows is meant.

/// A window that may be meant. The first of its names is its title; others are what else it is known by.
pub struct Candidate<I> {
    pub id: I,
    pub names: Vec<String>,
    /// How the user may name it for certain, where there is a way.
    pub sure: Option<String>,
}

/// Longest list of windows in an error.
const LISTED: usize = 8;

/// The one that is called so; else the only one with that in a name, whatever its case. Otherwise what is wrong.
pub fn choose<I: Copy>(named: &str, all: &[Candidate<I>]) -> Result<I, String> {
    let called: Vec<_> = all.iter().filter(|w| w.names.iter().any(|name| name == named)).collect();
    let part = named.to_lowercase();
    let has = |name: &String| !part.is_empty() && name.to_lowercase().contains(&part);
    let matching =
        if called.is_empty() { all.iter().filter(|w| w.names.iter().any(has)).collect() } else { called };
    match matching[..] {
        [] => Err(format!("no visible window '{named}'")),
        [one] => Ok(one.id),
        _ => Err(format!(
            "{} windows match '{named}': {}{}",
            matching.len(),
            matching.iter().take(LISTED).map(|w| told(w)).collect::<Vec<_>>().join(", "),
            if matching.len() > LISTED { ", and others" } else { "" }
        )),
    }
}

fn told<I>(window: &Candidate<I>) -> String {
    let mut names = window.names.iter().filter(|name| !name.is_empty());
    let title = format!("'{}'", names.next().map_or("", String::as_str));
    let others: Vec<&str> = names.map(String::as_str).collect();
    let others = if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
    window.sure.iter().map(|id| format!("{id} ")).collect::<String>() + &title + &others
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(id: u32, title: &str, app: &str) -> Candidate<u32> {
        Candidate { id, names: vec![title.into(), app.into()], sure: Some(format!("0x{id:x}")) }
    }

    #[test]
    fn window_is_chosen_by_its_whole_title_or_by_a_part_that_no_other_has() {
        let all =
            [window(1, "Editor", "ed"), window(2, "Editor - notes.txt", "ed"), window(17, "Clock", "xclock")];
        assert_eq!(choose("Editor", &all), Ok(1), "a whole title wins over parts");
        assert_eq!(choose("notes", &all), Ok(2));
        assert_eq!(choose("XCLOCK", &all), Ok(17), "what else it is called, in whatever case");
        assert_eq!(choose("nobody", &all).unwrap_err(), "no visible window 'nobody'");
        assert_eq!(choose("", &all).unwrap_err(), "no visible window ''", "every title has nothing in it");
        assert_eq!(
            choose("ed", &all).unwrap_err(),
            "2 windows match 'ed': 0x1 'Editor' (ed), 0x2 'Editor - notes.txt' (ed)"
        );
    }

    #[test]
    fn many_windows_are_not_all_listed() {
        let all: Vec<_> = (0..20).map(|id| window(id, "same", "")).collect();
        let text = choose("same", &all).unwrap_err();
        assert!(text.starts_with("20 windows match") && text.ends_with("0x7 'same', and others"), "{text}");
    }
}
