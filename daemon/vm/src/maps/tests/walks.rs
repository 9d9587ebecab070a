//! Keys one after the other, pages of entries, batches.

use super::*;

/// Walking by keys visits every entry once and ends with NO_MORE_KEYS.
#[test]
fn next_key_visits_every_entry_once() {
    let map = hash();
    for number in 0..500 {
        map.update(&key(number), &value(0), ANY).expect("room");
    }
    let mut seen = std::collections::BTreeSet::new();
    let mut last = None;
    let end = loop {
        match map.next_key(last.as_deref()) {
            Ok(next) => {
                assert!(seen.insert(next.clone()));
                last = Some(next);
            }
            Err(error) => break error.code,
        }
    };
    assert_eq!((500, ResultCode::NoMoreKeys), (seen.len(), end));
    let first = map.next_key(None);
    assert_eq!(
        first,
        map.next_key(Some(&key(100_000))),
        "a lost key starts over"
    );
}

/// Pages of entries cover the map, and an empty page ends them.
#[test]
fn entries_come_in_pages() {
    let hash = hash();
    for number in 0..100 {
        hash.update(&key(number), &value(number.into()), ANY)
            .expect("room");
    }
    for (map, count) in [(hash, 100), (array(), 3)] {
        let mut total = 0;
        let mut last: Option<Vec<u8>> = None;
        loop {
            let page = map.entries(last.as_deref(), 7).expect("a page");
            let Some((key, _)) = page.last() else { break };
            last = Some(key.clone());
            total += page.len();
        }
        assert_eq!(count, total);
    }
}

/// A page of large entries is short, but never empty.
#[test]
fn pages_of_large_entries_are_short() {
    let map = map(map_type::ARRAY, 4, 6 << 20, 4).expect("a valid map");
    let mut last: Option<Vec<u8>> = None;
    let mut sizes = Vec::new();
    loop {
        let page = map.entries(last.as_deref(), usize::MAX).expect("a page");
        let Some((key, _)) = page.last() else { break };
        last = Some(key.clone());
        sizes.push(page.len());
    }
    assert_eq!(vec![2, 2], sizes);
}

/// A batch updates in order until one fails, which its error names.
#[test]
fn batches_stop_at_the_first_error() {
    let map = array();
    let keys: Vec<u8> = [0, 1, 9, 2].into_iter().flat_map(key).collect();
    let error = map
        .update_batch(&keys, &[1; 24], ANY)
        .expect_err("9 is outside");
    assert_eq!(ResultCode::InvalidArgument, error.code);
    assert!(error.message.starts_with("entry 2: "), "{}", error.message);
    assert_eq!(Ok(vec![1; 6]), map.lookup(&key(1)));
    assert_eq!(Ok(vec![0; 6]), map.lookup(&key(2)));
    let map = hash();
    let keys: Vec<u8> = (0..3).flat_map(key).collect();
    assert_eq!(Ok(3), map.update_batch(&keys, &[1; 24], NOEXIST));
    assert_eq!(Ok(3), map.delete_batch(&keys));
    assert_eq!(ResultCode::KeyNotFound, code(map.delete_batch(&keys)));
}

/// Batches of odd lengths, or of nothing, are invalid.
#[test]
fn batches_check_their_lengths() {
    let map = hash();
    for (keys, values) in [(&b""[..], &b""[..]), (b"123", b""), (b"1234", b"1234567")] {
        let result = map.update_batch(keys, values, ANY);
        assert_eq!(ResultCode::InvalidArgument, code(result));
    }
    assert_eq!(
        ResultCode::InvalidArgument,
        code(map.delete_batch(b"12345"))
    );
}

/// Taking entries removes what it returns; an array's are set to zero.
#[test]
fn taken_entries_are_gone() {
    let map = hash();
    (0..10).for_each(|number| {
        map.update(&key(number), &value(number.into()), ANY)
            .expect("room")
    });
    let mut taken = map.take_entries(None, 4).expect("entries");
    assert_eq!((4, Some(6)), (taken.len(), map.count()));
    taken.extend(map.take_entries(None, 100).expect("entries"));
    taken.sort();
    let all = (0..10).map(|number| (key(number).to_vec(), value(number.into()).to_vec()));
    assert_eq!(all.collect::<Vec<_>>(), taken);
    assert_eq!(Ok(Vec::new()), map.take_entries(None, 100));
    let map = array();
    map.update(&key(1), &[5; 6], ANY).expect("exists");
    assert_eq!(3, map.take_entries(None, 100).expect("entries").len());
    assert_eq!(Ok(vec![0; 6]), map.lookup(&key(1)));
}

/// A key that is gone leads back to the first, so a walk that deletes as it goes ends.
#[test]
fn a_walk_may_delete_as_it_goes() {
    let map = hash();
    (0..200).for_each(|number| map.update(&key(number), &value(0), ANY).expect("room"));
    let mut deleted = 0;
    while let Ok(next) = map.next_key(None) {
        map.delete(&next).expect("is there");
        deleted += 1;
    }
    assert_eq!(200, deleted);
}
