//! The protocol of epochs, step by step.

use std::ptr;

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
        pinned: &raw const words[2],
        sharing: None,
        crowd: Mutex::new(0),
        held: AtomicUsize::new(0),
        frozen: AtomicBool::new(false),
    }
}

/// What was retired under a pin waits for that pin, and no longer.
#[test]
fn a_pin_holds_back_what_is_retired_while_it_lives() {
    let domain = domain();
    let pin = Pin::enter(3, &domain, &[]);
    let stamp = domain.stamp();
    assert!(domain.advance(), "all have announced the current epoch");
    assert!(!domain.advance(), "one has not announced the new one");
    assert!(!domain.is_safe(stamp));
    drop(pin);
    assert!(domain.advance());
    assert!(domain.is_safe(stamp));
}

/// A pin inside of a pin changes nothing.
#[test]
fn pins_nest() {
    let domain = domain();
    let outer = Pin::enter(3, &domain, &[]);
    assert!(domain.advance());
    drop(Pin::enter(3, &domain, &[]));
    assert!(!domain.advance());
    drop(outer);
    assert!(domain.advance());
}

/// Threads without a slot of their own share one, which holds until the last has left.
#[test]
fn a_crowd_shares_the_last_slot() {
    let domain = domain();
    let crowd = [(); 2].map(|()| Pin::enter(SHARED_SLOT, &domain, &[]));
    let [first, second] = crowd;
    drop(first);
    assert!(domain.advance());
    assert!(!domain.advance());
    drop(second);
    assert!(domain.advance());
}

/// Nobody pins a frozen domain, and nobody freezes one that is pinned.
#[test]
fn a_frozen_domain_keeps_threads_out() {
    let domain = domain();
    let pins = [0, SHARED_SLOT].map(|number| Pin::enter(number, &domain, &[]));
    for pin in pins {
        assert!(domain.freeze(Duration::ZERO).is_none());
        drop(pin);
    }
    let hold = domain.hold();
    assert!(domain.freeze(Duration::ZERO).is_none());
    drop(hold);
    let frozen = domain.freeze(Duration::ZERO).expect("nobody is pinned");
    std::thread::scope(|scope| {
        let entered = [1, SHARED_SLOT].map(|number| {
            let domain = &domain;
            scope.spawn(move || Pin::enter(number, domain, &[]).entered)
        });
        assert!(entered.iter().all(|thread| !thread.is_finished()));
        drop(frozen);
        for thread in entered {
            assert_eq!(1, thread.join().expect("no panic"));
        }
    });
}

/// However many there are, all hold until the pin ends, and one that is frozen holds up the pin.
#[test]
fn a_pin_of_many_domains_enters_them_all() {
    for count in [1, MARKED, MARKED + 1, MARKED + 2, 3 * MARKED] {
        let (first, others) = (
            domain(),
            Vec::from_iter((0..count).map(|_| Arc::new(domain()))),
        );
        let all = || iter::once(&first).chain(others.iter().map(|domain| &**domain));
        let busy = || all().filter(|domain| domain.slot(0, 3).load(Ordering::Relaxed) != IDLE);
        let pin = Pin::enter(3, &first, &others);
        assert_eq!(count + 1, busy().count());
        drop(Pin::enter(3, &first, &others));
        assert_eq!(count + 1, busy().count());
        drop(pin);
        assert_eq!(0, busy().count());

        let last = others.last().expect("one at least");
        let frozen = last.freeze(Duration::ZERO).expect("nobody is pinned");
        let pin = Pin::announced(3, &first, &others);
        assert!(pin.frozen().is_some_and(|domain| ptr::eq(domain, &**last)));
        drop((pin, frozen));
    }
}

/// A thread that waits for one domain holds up nobody in the others.
#[test]
fn who_waits_for_a_frozen_domain_has_left_the_others() {
    let (first, others) = (domain(), [Arc::new(domain())]);
    let frozen = others[0].freeze(Duration::ZERO).expect("nobody is pinned");
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| Pin::enter(3, &first, &others).entered);
        assert!(first.freeze(Duration::from_secs(60)).is_some());
        drop(frozen);
        assert_eq!(0b11, waits.join().expect("no panic"));
    });
}
