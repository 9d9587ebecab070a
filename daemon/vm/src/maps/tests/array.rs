//! ARRAY.

use super::*;

/// A huge array reserves addresses, not memory.
#[test]
fn a_large_array_takes_memory_on_use_only() {
    let map = map(map_type::ARRAY, 4, 8, u32::MAX).expect("32 GiB of addresses");
    map.update(&key(u32::MAX - 1), &value(7), ANY)
        .expect("the last entry");
    assert_eq!(
        value(7).to_vec(),
        map.lookup(&key(u32::MAX - 1)).expect("is there")
    );
}

/// Array entries always exist: no NOEXIST, deleting sets to zero, the size is fixed.
#[test]
fn arrays_follow_the_rules_of_the_model() {
    let map = array();
    let six = [1, 2, 3, 4, 5, 6];
    assert_eq!(Ok(vec![0; 6]), map.lookup(&key(2)));
    assert_eq!(Ok(()), map.update(&key(2), &six, EXIST));
    assert_eq!(Ok(six.to_vec()), map.lookup(&key(2)));
    assert_eq!(Ok(()), map.delete(&key(2)));
    assert_eq!(Ok(vec![0; 6]), map.lookup(&key(2)));
    assert_eq!(
        ResultCode::InvalidArgument,
        code(map.update(&key(2), &six, NOEXIST))
    );
    assert_eq!(
        ResultCode::InvalidArgument,
        code(map.update(&key(3), &six, ANY))
    );
    assert_eq!(ResultCode::InvalidArgument, code(map.delete(&key(3))));
    assert_eq!(ResultCode::ObjectNotFound, code(map.lookup(&key(3))));
    assert_eq!(Ok(key(0).to_vec()), map.next_key(None));
    assert_eq!(Ok(key(2).to_vec()), map.next_key(Some(&key(1))));
    assert_eq!(ResultCode::NoMoreKeys, code(map.next_key(Some(&key(2)))));
}

/// Every entry exists and none can be taken out.
#[test]
fn arrays_cannot_look_up_and_delete() {
    assert_eq!(ResultCode::InvalidArgument, code(array().take(&key(0))));
    assert_eq!(Some(3), array().count());
}

/// A flag beyond 2 is invalid, an index beyond the end too.
#[test]
fn arrays_check_flags_and_indexes() {
    let map = array();
    for flags in [3, u64::MAX] {
        let result = map.update(&key(0), &[0; 6], flags);
        assert_eq!(ResultCode::InvalidArgument, code(result));
    }
    assert_eq!(
        ResultCode::InvalidArgument,
        code(map.update(&key(u32::MAX), &[0; 6], ANY))
    );
    assert_eq!(
        ResultCode::NoMoreKeys,
        code(map.next_key(Some(&key(u32::MAX))))
    );
}
