//! Images: what comes out is what went in, and nothing else gets in.

use std::fs::File;
use std::os::fd::FromRawFd;

use super::*;
use crate::exec::Options;
use crate::fixtures::{object, ready, sample};
use crate::maps::Storage;
use crate::spec::Object;

const ANY: u64 = 0;

fn maps_of(object: &Object, storage: fn() -> Storage) -> Vec<Arc<Map>> {
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

/// The image of these programs of an object, which somebody vouches for, with ids from 7 on; the
/// arrays have all programs that the object's own declaration puts there.
fn made(object: &Object, names: &[&str], storage: fn() -> Storage) -> Result<Image> {
    let (maps, information) = (maps_of(object, storage), sample());
    let options = Options {
        verified: Verified::Proved(77),
        budget: Some(1234),
        ..Options::default()
    };
    let number = |name: &str| {
        let place = object.programs.iter().position(|spec| spec.name == name);
        place.expect("a program of this name")
    };
    let ready = |spec| Arc::new(ready(spec, maps.clone(), options.clone()));
    let all: Vec<_> = object.programs.iter().map(ready).collect();
    for (spec, array) in object.maps.iter().zip(&maps) {
        for (index, name) in &spec.values {
            if spec.map_type == map_type::PROG_ARRAY {
                let (number, key) = (number(name), index.to_le_bytes());
                array.set_program(&key, Arc::clone(&all[number]), 7 + number as u32, ANY)?;
            }
        }
    }
    let made = |name: &&str| Made {
        program: &all[number(name)],
        spec: &object.programs[number(name)],
        information: &information,
        maps: &maps,
        tag: 7 + number(name) as u64,
    };
    let made: Vec<_> = names.iter().map(made).collect();
    Image::of(&made).map(|(image, _)| image)
}

fn image() -> Image {
    made(&object("globals"), &["globals"], || Storage::Memfd).expect("it can run elsewhere")
}

/// The image of a program that leads to two others.
fn leading() -> Image {
    let names = ["start", "hidden", "shown"];
    made(&object("values"), &names, || Storage::Memfd).expect("they can run elsewhere")
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
    for image in [image(), leading()] {
        assert!(!image.maps.is_empty());
        assert_eq!(
            Ok(image.clone()),
            Image::sealed(&memfd(&image.bytes(), SEALS))
        );
    }
}

/// An array goes as what it leads to: programs of the image, by index and by id.
#[test]
fn programs_that_it_leads_to_go_along() {
    let image = leading();
    let names: Vec<_> = image.programs.iter().map(|part| &part.spec.name).collect();
    assert_eq!(["start", "hidden", "shown"], *names);
    let [steps] = &image.maps[..] else {
        panic!("one map is used, not {:?}", image.maps);
    };
    let id_of = |number: usize| image.programs[number].tag;
    let entry = |index, program| Entry {
        index,
        tag: id_of(program),
        program,
    };
    assert_eq!(vec![entry(0, 2), entry(2, 1)], steps.programs);
    assert!(!steps.is_in_file());
    let alone = made(&object("values"), &["start", "shown"], || Storage::Memfd);
    let refused = alone.expect_err("hidden is missing").message;
    assert!(refused.contains("array steps leads to"), "{refused}");
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
    for bytes in [image().bytes(), leading().bytes()] {
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
}

/// Maps and programs that an image does not have are asked for by none.
#[test]
fn what_an_image_leads_to_is_in_it() {
    let whole = leading();
    for spoil in [
        |image: &mut Image| image.maps.clear(),
        |image: &mut Image| image.programs.clear(),
        |image: &mut Image| drop(image.programs.pop()),
    ] {
        let mut image = whole.clone();
        spoil(&mut image);
        assert!(Image::parse(&image.bytes()).is_err());
    }
}

/// What only the daemon has is named.
#[test]
fn what_keeps_a_program_here_is_said() {
    let refused = made(&object("globals"), &["globals"], || Storage::Anonymous);
    let refused = refused.expect_err("in memory");
    assert_eq!(ResultCode::OperationNotSupported, refused.code);
    let values = made(&object("values"), &["start"], || Storage::Memfd);
    assert_eq!(
        ResultCode::InvalidArgument,
        values.expect_err("the others are missing").code
    );
}
