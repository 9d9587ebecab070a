//! Images: what comes out is what went in, and nothing else gets in.

use std::fs::File;
use std::os::fd::FromRawFd;

use super::*;
use crate::fixtures::{object, program, sample};
use crate::maps::Storage;

fn maps_of(object: &crate::spec::Object, storage: fn() -> Storage) -> Vec<Arc<Map>> {
    let make = |spec| {
        let mut options = MapOptions::of(spec, &object.maps);
        let holds_objects = [map_type::PROG_ARRAY, map_type::ARRAY_OF_MAPS];
        if !options.read_only && !holds_objects.contains(&options.map_type) {
            options.storage = storage();
        }
        Arc::new(Map::new(options).expect("a valid map"))
    };
    object.maps.iter().map(make).collect()
}

fn image() -> Image {
    let object = object("globals");
    let spec = object.programs.first().expect("a program");
    let maps = maps_of(&object, || Storage::Memfd);
    let (image, _) = Image::of(spec, &maps, &sample()).expect("it can run elsewhere");
    Image {
        verified: Verified::Proved(77),
        budget: 1234,
        tag: 9,
        ..image
    }
}

/// A memfd with these bytes and seals.
fn memfd(bytes: &[u8], seals: i32) -> File {
    use std::io::Write;
    // SAFETY: a new descriptor, ours alone.
    let mut file = unsafe {
        let descriptor = libc::memfd_create(c"image".as_ptr(), libc::MFD_ALLOW_SEALING);
        File::from_raw_fd(descriptor)
    };
    file.write_all(bytes).expect("room");
    // SAFETY: sealing our own memfd.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) };
    file
}

/// What is read is what was written.
#[test]
fn an_image_survives_its_bytes() {
    let image = image();
    assert!(!image.maps.is_empty());
    assert_eq!(
        Ok(image.clone()),
        Image::sealed(&memfd(&image.bytes(), SEALS))
    );
}

/// A file that somebody could change is nobody's word.
#[test]
fn only_what_is_sealed_is_believed() {
    let bytes = image().bytes();
    let refused = Image::sealed(&memfd(&bytes, SEALS & !libc::F_SEAL_WRITE));
    assert!(
        refused
            .expect_err("it could change")
            .message
            .contains("not sealed")
    );
}

/// Wherever an image ends too early, and whatever follows it, it is refused.
#[test]
fn damaged_images_are_refused() {
    let bytes = image().bytes();
    for end in 0..bytes.len() {
        assert!(
            Image::parse(&bytes[..end]).is_err(),
            "{end} bytes are enough"
        );
    }
    assert!(Image::parse(&[&bytes[..], b"x"].concat()).is_err());
    for place in (8..bytes.len()).step_by(3) {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0xff;
        let _ = Image::parse(&damaged);
    }
}

/// What only the daemon has is named.
#[test]
fn what_keeps_a_program_here_is_said() {
    let globals = object("globals");
    let maps = maps_of(&globals, || Storage::Anonymous);
    let refused = Image::of(&globals.programs[0], &maps, &sample()).expect_err("in memory");
    assert_eq!(ResultCode::OperationNotSupported, refused.code);
    let values = object("values");
    let maps = maps_of(&values, || Storage::Anonymous);
    let refused = Image::of(program(&values, "start"), &maps, &sample()).expect_err("it leads on");
    assert!(refused.message.contains("programs that it leads to"));
}
