use super::*;

fn set(files: &[(&str, &str)]) -> impl FnMut(&str) -> Result<Option<Found>, String> {
    let files: Vec<_> = files.iter().map(|(n, t)| ((*n).to_owned(), (*t).to_owned())).collect();
    move |name: &str| {
        let found = files.iter().find(|(n, _)| n == name);
        Ok(found.map(|(n, t)| Found { shown: format!("s/{n}"), text: t.clone().into() }))
    }
}

fn flat(text: &str, defines: &[(&str, &str)], files: &[(&str, &str)]) -> Result<Flat, Refused> {
    let defines: Vec<_> = defines.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    flatten("s/root", text, &defines, &mut set(files))
}

/// Where a line of the text comes from.
fn place_of<'a>(flat: &'a Flat, text: &str) -> (&'a str, u32) {
    let at = flat.text.lines().position(|l| l == text).unwrap_or_else(|| panic!("{text}: {flat:?}"));
    flat.place(at as u32 + 1).expect("a place")
}

#[test]
fn text_without_directives_of_ours_is_passed_on_as_it_is() {
    let text = "#version 330 core\n// #include \"a\"\n/* #include \"b\"\n#include \"c\" */\nvoid main() {}\n";
    let flat = flat(text, &[], &[]).unwrap();
    assert_eq!(flat.text, text);
    assert_eq!(flat.files, ["s/root"]);
}

#[test]
fn every_line_keeps_its_file_and_number() {
    let root = "#version 330 core\none\n #include \"a\" // why\nfour\n#if 0\n#include \"b\"\n#endif\neight\n";
    let files = [("a", "a1\n#include \"b\"\na3"), ("b", "#pragma once\nb2\nb3\n")];
    let flat = flat(root, &[("X", "1"), ("Y", "vec2(0)")], &files).unwrap();
    for (word, place) in [
        ("#version 330 core", ("s/root", 1)),
        ("one", ("s/root", 2)),
        ("a1", ("s/a", 1)),
        ("b2", ("s/b", 2)),
        ("b3", ("s/b", 3)),
        ("a3", ("s/a", 3)),
        ("four", ("s/root", 4)),
        ("eight", ("s/root", 8)),
    ] {
        assert_eq!(place_of(&flat, word), place, "{word}");
    }
    assert_eq!(flat.text.matches("b3").count(), 1, "once means once");
    assert!(flat.text.starts_with("#version 330 core\n#define X 1\n#define Y vec2(0)\none\n"));
    assert_eq!(place_of(&flat, "#define Y vec2(0)"), ("s/root", 1));
    assert_eq!((flat.place(0), flat.place(1000)), (None, None));
    assert_eq!(flat.files, ["s/root", "s/a", "s/b"]);
}

#[test]
fn a_files_own_line_directive_does_not_put_the_count_wrong() {
    let flat = flat("#version 330\n#line 100\nthree\n", &[], &[]).unwrap();
    assert_eq!(place_of(&flat, "three"), ("s/root", 3));
    assert!(!flat.text.contains("#line"));
}

#[test]
fn includes_that_cannot_be_are_named_with_file_and_line() {
    let fault = |text: &str, files: &[(&str, &str)]| {
        let e = flat(text, &[], files).unwrap_err();
        (e.file, e.line, e.fault)
    };
    let missing = ShaderFault::IncludeMissing { name: "no".into() };
    assert_eq!(fault("a\n#include \"no\"", &[]), ("s/root".into(), 2, missing.clone()));
    assert_eq!(fault("#include \"a\"", &[("a", "\n\n#include \"no\"")]), ("s/a".into(), 3, missing));
    let chain = ["a", "b", "a"].map(str::to_owned).to_vec();
    let round = [("a", "#include \"b\""), ("b", "\n#include \"a\"")];
    assert_eq!(
        fault("#include \"a\"", &round),
        ("s/b".into(), 2, ShaderFault::IncludeCycle { chain: [vec!["s/root".to_owned()], chain].concat() })
    );
    for bad in [
        "#include <a>",
        "#include a",
        "#include",
        "#include \"\"",
        "#include \"a\" /* and",
        "#include \"a\" \"b\"",
    ] {
        assert!(matches!(fault(bad, &[("a", "")]).2, ShaderFault::Include { .. }), "{bad}");
    }
    for outside in ["../a", "/etc/passwd", "x/../../a", "./a", "c:a", "a\\b", "a//b"] {
        let text = format!("#include \"{outside}\"");
        assert!(matches!(fault(&text, &[]).2, ShaderFault::IncludeOutside { .. }), "{outside}");
    }
    assert_eq!(fault("ok\n/* never\nclosed", &[]), ("s/root".into(), 3, ShaderFault::OpenComment));
    let unreadable = flatten("r", "#include \"a\"", &[], &mut |_: &str| Err("not now".into())).unwrap_err();
    assert!(matches!(unreadable.fault, ShaderFault::IncludeUnreadable { .. }));
}

#[test]
fn zero_bytes_are_named_before_a_driver_ends_there() {
    let e = flat("#version 330\n#include \"a\"\n", &[], &[("a", "int x;\n// \0\nint y;\n")]).unwrap_err();
    assert_eq!((e.file.as_str(), e.line, &e.fault), ("s/a", 2, &ShaderFault::ZeroByte));
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = |n: usize| {
        let mut find = move |name: &str| {
            let at: usize = name.parse().unwrap();
            let text = if at < n { format!("#include \"{}\"\n", at + 1) } else { "x\n".into() };
            Ok(Some(Found { shown: name.into(), text: text.into() }))
        };
        flatten("r", "#include \"1\"\n", &[], &mut find)
    };
    assert!(deep(MAX_DEPTH).is_ok());
    let e = deep(MAX_DEPTH + 1).unwrap_err();
    assert_eq!(e.fault, ShaderFault::IncludeDepth { limit: MAX_DEPTH });
    // Each level twice: 2^8 copies of 4 KiB.
    let mut find = |name: &str| {
        let at: usize = name.parse().unwrap();
        let twice = format!("#include \"{0}\"\n#include \"{0}\"\n", at + 1);
        let text = if at < 9 { twice } else { "x".repeat(4096) };
        Ok(Some(Found { shown: name.into(), text: text.into() }))
    };
    let e = flatten("r", "#include \"1\"\n", &[], &mut find).unwrap_err();
    assert_eq!(e.fault, ShaderFault::TooLong { limit: MAX_TEXT });
    let mut find = |name: &str| {
        let at: usize = name.parse().unwrap();
        let often = format!("#include \"{}\"\n", at + 1).repeat(40);
        let text = if at < MAX_DEPTH { often } else { String::new() };
        Ok(Some(Found { shown: name.into(), text: text.into() }))
    };
    let e = flatten("r", "#include \"1\"\n", &[], &mut find).unwrap_err();
    assert_eq!(e.fault, ShaderFault::IncludeCount { limit: MAX_INCLUDES });
}

#[test]
fn defines_that_are_no_plain_macros_are_refused() {
    for (name, value) in [("", "1"), ("2X", ""), ("A B", ""), ("gl_X", ""), ("X", "1\n#error"), ("F(x)", "x")]
    {
        let e = flat("#version 330\n", &[(name, value)], &[]).unwrap_err();
        assert_eq!(e.fault, ShaderFault::Define { name: name.into() });
    }
    assert_eq!(flat("void\n", &[("X", "1")], &[]).unwrap().text, "#define X 1\nvoid\n");
}

#[test]
fn declarations_are_found_in_the_file_that_has_them() {
    let root = "#version 330\n// u_eye is nice\n#include \"a\"\nout vec4 o;\nvoid main() { o = u_eye; }\n";
    let flat = flat(root, &[("N", "2")], &[("a", "\nuniform vec4 u_eye2;\nuniform vec4 u_eye;\n")]).unwrap();
    assert_eq!(flat.declaration("u_eye", "uniform"), Some(("s/a", 3)));
    assert_eq!(flat.declaration("o", "out"), Some(("s/root", 4)));
    assert_eq!(flat.declaration("o", "uniform"), Some(("s/root", 4)));
    assert_eq!(flat.declaration("nothing", "uniform"), None);
}
