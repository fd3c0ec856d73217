//! Files around a model: what is found, and what is refused.

mod model_support;

use std::fs;
use std::path::Path;

use model_support::{File, check_promises, png};
use scanout::scenes::model::{Model, ModelError};

/// A folder `models` with `scene.gltf`, its buffer and its texture; beside it a file that must not be read.
struct Folder {
    dir: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("models/textures")).unwrap();
        fs::create_dir(dir.path().join("models-2")).unwrap();
        let this = Self { dir };
        for outside in ["secret.png", "models-2/secret.png", "models/textures/a b.png"] {
            fs::write(this.dir.path().join(outside), png(2, 2)).unwrap();
        }
        this.write("mesh.bin", "textures/a%20b.png");
        this
    }

    /// Writes the model with these URIs.
    fn write(&self, buffer: &str, image: &str) {
        let mut file = File::triangle();
        let uv = file.floats("VEC2", &[0., 0., 1., 0., 0., 1.]);
        file.mesh(&format!(r#""material":0,"attributes":{{"POSITION":0,"TEXCOORD_0":{uv}}}"#));
        file.nodes[0] = r#"{"mesh":1}"#.to_owned();
        let image = image.replace('\\', "\\\\");
        let file = file.with(&format!(
            r#""materials":[{{"pbrMetallicRoughness":{{"baseColorTexture":{{"index":0}}}}}}],"textures":[{{"source":0}}],"images":[{{"uri":"{image}"}}]"#
        ));
        let json = file.json_with_buffer(&format!(r#","uri":"{buffer}""#));
        fs::write(self.path("scene.gltf"), json).unwrap();
        fs::write(self.path("mesh.bin"), &file.bin).unwrap();
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join("models").join(name)
    }

    fn load(&self) -> Result<Model, ModelError> {
        Model::load(&self.path("scene.gltf"))
    }
}

#[test]
fn external_buffer_and_image_are_read() {
    let folder = Folder::new();
    let model = folder.load().unwrap();
    check_promises(&model);
    assert_eq!((model.images.len(), model.images[0].width), (1, 2));
    let bytes = fs::read(folder.path("scene.gltf")).unwrap();
    Model::from_slice(&bytes, Some(&folder.path(""))).unwrap();
    for uri in ["./textures/a%20b.png", "textures/./a b.png", "textures//a%20b.png"] {
        folder.write("mesh.bin", uri);
        assert!(folder.load().is_ok(), "{uri}");
    }
}

#[test]
fn external_files_without_a_folder_are_refused() {
    let bytes = fs::read(Folder::new().path("scene.gltf")).unwrap();
    assert!(matches!(Model::from_slice(&bytes, None), Err(ModelError::Uri { .. })));
}

#[test]
fn uris_that_leave_the_folder_are_refused() {
    let folder = Folder::new();
    let absolute = folder.dir.path().join("secret.png").to_str().unwrap().to_owned();
    let file_url = format!("file://{absolute}");
    for uri in [
        "../secret.png",
        "textures/../../secret.png",
        "textures/../textures/a b.png",
        "%2e%2e/secret.png",
        "%2E%2E%2Fsecret.png",
        "..%2fsecret.png",
        "../models-2/secret.png",
        "..\\\\secret.png",
        "..%5Csecret.png",
        &absolute,
        &file_url,
        "FILE:///etc/hostname",
        "http://127.0.0.1:1/x.png",
        "https://example.org/x.png",
        "C:/x.png",
        "C%3A/x.png",
        "a%00b.png",
        "%",
        "%ff",
        "",
        "data:image/png;base64",
        "data:image/png,abc",
        "data:image/png;base64,A",
        "data:image/png;base64,!!!!",
    ] {
        folder.write("mesh.bin", uri);
        match folder.load() {
            Err(e @ ModelError::Uri { .. }) => assert!(!e.to_string().contains('\n')),
            other => panic!("{uri:?}: {other:?}"),
        }
        folder.write(uri, "textures/a b.png");
        assert!(matches!(folder.load(), Err(ModelError::Uri { .. })), "buffer {uri:?}");
    }
}

#[test]
#[cfg(unix)]
fn symbolic_links_out_of_the_folder_are_refused() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new();
    symlink("../secret.png", folder.path("link.png")).unwrap();
    symlink("../..", folder.path("textures/up")).unwrap();
    // A folder whose name begins alike is another folder.
    symlink("../models-2/secret.png", folder.path("beside.png")).unwrap();
    symlink("textures/a b.png", folder.path("inside.png")).unwrap();
    for (uri, good) in
        [("link.png", false), ("textures/up/secret.png", false), ("beside.png", false), ("inside.png", true)]
    {
        folder.write("mesh.bin", uri);
        match folder.load() {
            Ok(_) => assert!(good, "{uri}"),
            Err(e) => assert!(!good && matches!(e, ModelError::Uri { .. }), "{uri}: {e}"),
        }
    }
    // The model itself may be reached through a link: its own folder is then the link's.
    symlink("models", folder.dir.path().join("alias")).unwrap();
    folder.write("mesh.bin", "textures/a b.png");
    Model::load(&folder.dir.path().join("alias/scene.gltf")).unwrap();
}

#[test]
fn missing_files_are_named() {
    let folder = Folder::new();
    match Model::load(&folder.path("none.glb")) {
        Err(e @ ModelError::Io { .. }) => assert!(e.to_string().contains("none.glb")),
        other => panic!("{other:?}"),
    }
    folder.write("mesh.bin", "gone.png");
    match folder.load() {
        Err(e @ ModelError::Io { .. }) => {
            assert!(e.to_string().contains("gone.png"));
            assert!(std::error::Error::source(&e).is_some());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn directories_are_not_files() {
    let folder = Folder::new();
    assert!(matches!(Model::load(&folder.path("")), Err(ModelError::NotAFile { .. })));
    assert!(Model::load(Path::new("")).is_err());
    folder.write("mesh.bin", "textures");
    assert!(matches!(folder.load(), Err(ModelError::NotAFile { .. })));
    folder.write(".", "textures/a b.png");
    assert!(matches!(folder.load(), Err(ModelError::NotAFile { .. })));
}

#[test]
#[cfg(unix)]
fn pipes_and_devices_do_not_hang() {
    let folder = Folder::new();
    let status = std::process::Command::new("mkfifo").arg(folder.path("pipe")).status();
    if status.is_ok_and(|s| s.success()) {
        assert!(matches!(Model::load(&folder.path("pipe")), Err(ModelError::NotAFile { .. })));
    }
    assert!(matches!(Model::load(Path::new("/dev/zero")), Err(ModelError::NotAFile { .. })));
}

#[test]
fn buffers_shorter_than_they_say_are_errors() {
    let folder = Folder::new();
    let bin = fs::read(folder.path("mesh.bin")).unwrap();
    fs::write(folder.path("mesh.bin"), &bin[..bin.len() - 1]).unwrap();
    assert!(
        matches!(folder.load(), Err(ModelError::Invalid { place, .. }) if place == "buffers[0].byteLength")
    );
    fs::write(folder.path("mesh.bin"), b"").unwrap();
    assert!(
        matches!(folder.load(), Err(ModelError::Invalid { place, .. }) if place == "buffers[0].byteLength")
    );
}

#[test]
fn huge_files_are_refused_before_they_are_read() {
    let folder = Folder::new();
    // A sparse file: it takes no room, but says 1 GiB.
    fs::File::create(folder.path("mesh.bin")).unwrap().set_len(1 << 30).unwrap();
    assert!(matches!(folder.load(), Err(ModelError::TooLarge { .. })));
    fs::File::create(folder.path("scene.gltf")).unwrap().set_len(1 << 30).unwrap();
    assert!(matches!(folder.load(), Err(ModelError::TooLarge { .. })));
}
