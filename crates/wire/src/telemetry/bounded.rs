//! Bounds what one event can make us store: its further rejects become one.
//!
//! A kilobyte of zeros and commas is five hundred parts that are no readings; an entry for each would make a hundred
//! kilobytes of it.

use super::{MAX_REJECTS_PER_EVENT, Reject};

/// Puts all rejects of an event but its first ones together in one, in place of the first of them; readings stay.
///
/// The event's parts are those from `from` on, in order.
/// Whoever rejects readings after they were decoded calls this again.
pub fn bound_rejects<R>(parts: &mut Vec<Result<R, Reject>>, from: usize) {
    let own = parts.get(from..).unwrap_or_default();
    if own.len() <= MAX_REJECTS_PER_EVENT {
        return;
    }
    let further = own.iter().filter_map(|part| part.as_ref().err()).skip(MAX_REJECTS_PER_EVENT - 1);
    let n_parts = further.clone().map(n_parts_of).sum();
    let Some(first) = further.clone().next().filter(|_| n_parts > 1) else { return };
    let mut together = Some(Reject::TooManyRejects { n_parts, first: first_of(first) });
    let (mut place, mut n_kept) = (0, 0);
    parts.retain_mut(|part| {
        place += 1;
        let Err(reject) = part else { return true };
        n_kept += usize::from(place > from);
        if n_kept < MAX_REJECTS_PER_EVENT {
            return true;
        }
        match together.take() {
            Some(rest) => {
                *reject = rest;
                true
            }
            None => false,
        }
    });
}

/// How many parts of the event a reject stands for.
fn n_parts_of(reject: &Reject) -> usize {
    match reject {
        Reject::TooManyRejects { n_parts, .. } => *n_parts,
        _ => 1,
    }
}

fn first_of(reject: &Reject) -> String {
    match reject {
        Reject::TooManyRejects { first, .. } => first.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Parts = Vec<Result<usize, Reject>>;

    /// `.` is a reading, `x` a reject.
    fn parts(pattern: &str) -> Parts {
        let part = |(n, c)| if c == '.' { Ok(n) } else { Err(Reject::NotAnObject) };
        (0..).zip(pattern.chars()).map(part).collect()
    }

    fn bounded(mut parts: Parts) -> Parts {
        bound_rejects(&mut parts, 0);
        parts
    }

    #[test]
    fn a_few_rejects_stand_for_themselves() {
        for pattern in ["", ".", "x", "x.x.x", &"x".repeat(MAX_REJECTS_PER_EVENT), &".".repeat(500)] {
            assert_eq!(bounded(parts(pattern)), parts(pattern), "{pattern}");
        }
    }

    #[test]
    fn the_rest_is_one_and_readings_stay_in_their_order() {
        let most = MAX_REJECTS_PER_EVENT;
        let bounded = bounded(parts(&".x".repeat(250)));
        let readings: Vec<usize> = bounded.iter().filter_map(|part| part.as_ref().ok().copied()).collect();
        assert_eq!(readings, (0..500).step_by(2).collect::<Vec<_>>());
        let rejects: Vec<&Reject> = bounded.iter().filter_map(|part| part.as_ref().err()).collect();
        assert_eq!(rejects.len(), most);
        assert!(rejects[..most - 1].iter().all(|reject| **reject == Reject::NotAnObject));
        let first = Reject::NotAnObject.to_string();
        assert_eq!(*rejects[most - 1], Reject::TooManyRejects { n_parts: 251 - most, first });
        assert!(bounded[2 * most - 1].is_err(), "it stands where the first of them stood");
    }

    #[test]
    fn an_earlier_event_s_parts_are_left_alone() {
        let mut two = parts(&"x".repeat(100));
        two.extend(parts(&"x".repeat(20)));
        bound_rejects(&mut two, 100);
        assert_eq!(two.len(), 100 + MAX_REJECTS_PER_EVENT);
        assert_eq!(two[..100], parts(&"x".repeat(100)));
    }

    #[test]
    fn bounded_again_nothing_is_lost_count_of() {
        let once = bounded(parts(&"x".repeat(500)));
        assert_eq!(bounded(once.clone()), once);
        let mut more = once;
        more.insert(0, Err(Reject::Empty));
        let rejects = bounded(more);
        assert_eq!(rejects.len(), MAX_REJECTS_PER_EVENT);
        let n_parts: usize = rejects.iter().filter_map(|part| part.as_ref().err()).map(n_parts_of).sum();
        assert_eq!(n_parts, 501);
    }
}
