//! Where code may lie: whole pages, and lines of pages that small programs share.
//!
//! ```text
//!   page        0           1           2           3
//!             | a a b c c . | d d d d d d d d . . | . . .       a, b, c: small ones; d: a large one
//!                       ^ the open page is filled from its start
//! ```
//!
//! What lay in a page is not handed out again before the whole page was
//! empty and its memory returned: no processor can still have instructions of
//! a program that is gone at an address that another one has now.  As small
//! ones lie in one page each, a program never keeps more than its own pages.

use std::collections::BTreeMap;

const PAGE: usize = 4_096;
/// Programs begin at lines of the processor's caches: see `layout`.
const LINE: usize = 64;
/// The largest program that shares a page.
pub const SMALL: usize = PAGE / 2;

/// Which parts of a number of pages are free.
#[derive(Debug)]
pub struct Room {
    /// Free pages by their start, never two adjacent ranges.
    free: BTreeMap<usize, usize>,
    /// How many programs there are in each shared page.
    shared: BTreeMap<usize, usize>,
    /// The shared page that is being filled, and how far it is full.
    open: (usize, usize),
    /// Pages that nobody has any more, with memory behind them.
    left: Vec<(usize, usize)>,
}

impl Room {
    /// All of `size` bytes, which are whole pages.
    pub fn new(size: usize) -> Self {
        Self {
            free: BTreeMap::from([(0, size)]),
            shared: BTreeMap::new(),
            open: (0, PAGE),
            left: Vec::new(),
        }
    }

    /// A place for a program, as low as possible: so programs stay together.
    pub fn take(&mut self, length: usize) -> Option<usize> {
        if length > SMALL {
            return self.take_pages(length.next_multiple_of(PAGE));
        }
        if self.open.1 + length > PAGE {
            let page = self.take_pages(PAGE)?;
            let (full, _) = std::mem::replace(&mut self.open, (page, 0));
            self.leave_if_empty(full);
            self.shared.insert(page, 0);
        }
        let (page, used) = self.open;
        self.open.1 = (used + length.max(1)).next_multiple_of(LINE);
        *self.shared.get_mut(&page)? += 1;
        Some(page + used)
    }

    /// Give up a place.
    pub fn leave(&mut self, place: usize, length: usize) {
        if length > SMALL {
            return self.left.push((place, length.next_multiple_of(PAGE)));
        }
        let page = place - place % PAGE;
        if let Some(programs) = self.shared.get_mut(&page) {
            *programs -= 1;
        }
        if page != self.open.0 {
            self.leave_if_empty(page);
        }
    }

    /// Pages whose memory is to be returned, and which are to be given back then.
    pub fn next_left(&mut self) -> Option<(usize, usize)> {
        self.left.pop()
    }

    /// Join pages with their free neighbours.
    pub fn give_back(&mut self, mut start: usize, mut length: usize) {
        if let Some(room) = self.free.remove(&(start + length)) {
            length += room;
        }
        let before = self.free.range(..start).next_back();
        let before = before.map(|(at, room)| (*at, *room));
        if let Some((at, room)) = before.filter(|(at, room)| at + room == start) {
            start = at;
            length += room;
        }
        self.free.insert(start, length);
    }

    fn leave_if_empty(&mut self, page: usize) {
        if self.shared.get(&page) == Some(&0) {
            self.shared.remove(&page);
            self.left.push((page, PAGE));
        }
    }

    fn take_pages(&mut self, length: usize) -> Option<usize> {
        let mut ranges = self.free.iter();
        let fitting = ranges.find(|(_, room)| **room >= length);
        let (start, room) = fitting.map(|(start, room)| (*start, *room))?;
        self.free.remove(&start);
        if room > length {
            self.free.insert(start + length, room - length);
        }
        Some(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that can be free is: all but the page that is being filled.
    fn free(room: &Room) -> usize {
        room.free.values().sum::<usize>() + usize::from(!room.shared.is_empty()) * PAGE
    }

    fn tidy(room: &mut Room) {
        while let Some((start, length)) = room.next_left() {
            room.give_back(start, length);
        }
    }

    /// Small programs share a page; what lay there is not handed out again while others are there.
    #[test]
    fn small_programs_share_pages() {
        let mut room = Room::new(4 * PAGE);
        assert_eq!(Some(0), room.take(100));
        assert_eq!(Some(128), room.take(1));
        room.leave(0, 100);
        assert_eq!(Some(192), room.take(SMALL));
        assert_eq!(Some(PAGE), room.take(SMALL));
        room.leave(192, SMALL);
        tidy(&mut room);
        assert_eq!(Some(2 * PAGE), room.take(PAGE), "128 is still in use");
        room.leave(128, 1);
        tidy(&mut room);
        assert_eq!(Some(0), room.take(PAGE));
    }

    /// Places never overlap, whatever comes and goes, and all pages come back.
    #[test]
    fn places_are_handed_out_once() {
        let mut room = Room::new(256 * PAGE);
        let mut taken: Vec<(usize, usize)> = Vec::new();
        let mut number = 1_usize;
        for _ in 0..20_000 {
            number = number
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let random = number >> 33;
            let length = 1 + random / 2 % (1 << (random % 14));
            if random % 7 < 4 && taken.len() < 60 {
                let place = room.take(length).expect("there is room");
                let apart = |(other, size): &(usize, usize)| {
                    place + length <= *other || other + size <= place
                };
                assert!(taken.iter().all(apart), "{length} bytes at {place}");
                assert_eq!(0, place % LINE);
                taken.push((place, length));
            } else if !taken.is_empty() {
                let (place, length) = taken.swap_remove(random % taken.len());
                room.leave(place, length);
                tidy(&mut room);
            }
        }
        for (place, length) in taken {
            room.leave(place, length);
        }
        tidy(&mut room);
        assert_eq!(256 * PAGE, free(&room));
    }
}
