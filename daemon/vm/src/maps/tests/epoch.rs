//! The protocol of epochs, step by step.

use super::*;

/// A domain of its own, so that tests do not disturb each other.
fn domain() -> Domain {
    let words: &'static [AtomicU64] = Vec::leak(
        (0..2 + SLOTS * LINE)
            .map(|_| AtomicU64::new(IDLE))
            .collect(),
    );
    words[0].store(1, Ordering::Relaxed);
    words[1].store(1, Ordering::Relaxed);
    Domain {
        words: &raw const words[0],
        slots: &raw const words[2],
        sharing: None,
        crowd: Mutex::new(0),
        frozen: AtomicBool::new(false),
    }
}

/// What was retired under a pin waits for that pin, and no longer.
#[test]
fn a_pin_holds_back_what_is_retired_while_it_lives() {
    let domain = domain();
    assert!(domain.enter(3));
    let stamp = domain.stamp();
    assert!(domain.advance(), "all have announced the current epoch");
    assert!(!domain.advance(), "one has not announced the new one");
    assert!(!domain.is_safe(stamp));
    domain.leave(3);
    assert!(domain.advance());
    assert!(domain.is_safe(stamp));
}

/// A pin inside of a pin changes nothing.
#[test]
fn pins_nest() {
    let domain = domain();
    assert!(domain.enter(3));
    assert!(!domain.enter(3));
    assert!(domain.advance());
    assert!(!domain.advance());
}

/// Threads without a slot of their own share one, which holds until the last has left.
#[test]
fn a_crowd_shares_the_last_slot() {
    let domain = domain();
    domain.enter(SHARED_SLOT);
    domain.enter(SHARED_SLOT);
    domain.leave(SHARED_SLOT);
    assert!(domain.advance());
    assert!(!domain.advance());
    domain.leave(SHARED_SLOT);
    assert!(domain.advance());
}

/// Nobody pins a frozen domain, and nobody freezes one that is pinned.
#[test]
fn a_frozen_domain_keeps_threads_out() {
    let domain = domain();
    assert!(domain.enter(0) && domain.enter(SHARED_SLOT));
    assert!(domain.freeze(Duration::ZERO).is_none());
    domain.leave(0);
    assert!(domain.freeze(Duration::ZERO).is_none());
    domain.leave(SHARED_SLOT);
    let frozen = domain.freeze(Duration::ZERO).expect("nobody is pinned");
    std::thread::scope(|scope| {
        let entered = [1, SHARED_SLOT].map(|number| {
            let domain = &domain;
            scope.spawn(move || domain.enter(number))
        });
        assert!(entered.iter().all(|thread| !thread.is_finished()));
        drop(frozen);
        for thread in entered {
            assert!(thread.join().expect("no panic"));
        }
    });
}
