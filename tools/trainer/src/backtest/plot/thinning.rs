//! From all points of a series to those that can be seen: at most four for each column of pixels.

/// Columns in which a picture can show anything.
const N_COLUMNS: i64 = 1200;
/// Usual intervals between two points from which there is a gap in the line.
const GAP_INTERVALS: i64 = 6;

/// Times in epoch milliseconds with values, in order of time.
pub(super) type Points = Vec<(i64, f64)>;

/// Lines between gaps, without points beyond `range`.
pub(super) fn segments(points: &Points, times: (i64, i64), range: (f64, f64)) -> Vec<Points> {
    let gap = gap_ms(points, times);
    let mut segments: Vec<Points> = Vec::new();
    let mut current: Points = Vec::new();
    for point in points {
        let is_apart = current.last().is_some_and(|before| point.0 - before.0 > gap);
        let is_inside = (range.0..=range.1).contains(&point.1);
        if (is_apart || !is_inside) && !current.is_empty() {
            segments.push(thin(&current, times));
            current.clear();
        }
        if is_inside {
            current.push(*point);
        }
    }
    if !current.is_empty() {
        segments.push(thin(&current, times));
    }
    segments
}

/// Points beyond `range`, moved to its edge; one for each column and edge.
pub(super) fn edges(points: &Points, times: (i64, i64), range: (f64, f64)) -> Points {
    let outside = points.iter().filter(|point| !(range.0..=range.1).contains(&point.1));
    let mut edges: Points = outside.map(|point| (point.0, point.1.clamp(range.0, range.1))).collect();
    edges.dedup_by_key(|point| (column(point.0, times), point.1 > range.0));
    edges
}

/// The first, the least, the greatest and the last point of each column.
fn thin(points: &Points, times: (i64, i64)) -> Points {
    let mut thinned = Points::new();
    for points in points.chunk_by(|one, other| column(one.0, times) == column(other.0, times)) {
        let by_value = |one: &&(i64, f64), other: &&(i64, f64)| one.1.total_cmp(&other.1);
        let ends = [points.first(), points.last()];
        let extremes = [points.iter().min_by(by_value), points.iter().max_by(by_value)];
        let mut kept: Points = ends.into_iter().chain(extremes).flatten().copied().collect();
        kept.sort_by_key(|point| point.0);
        kept.dedup();
        thinned.extend(kept);
    }
    thinned
}

fn column(at_ms: i64, (from, to): (i64, i64)) -> i64 {
    at_ms.saturating_sub(from).saturating_mul(N_COLUMNS) / (to - from).max(1)
}

fn gap_ms(points: &Points, (from, to): (i64, i64)) -> i64 {
    let mut intervals: Vec<i64> = points.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    intervals.sort_unstable();
    let usual = intervals.get(intervals.len() / 2).copied().unwrap_or(0);
    (GAP_INTERVALS * usual).max((to - from) / N_COLUMNS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_are_kept_and_most_points_are_not() {
        let mut points: Points = (0..100_000).map(|n| (n, 0.5)).collect();
        points[54_321].1 = 9.0;
        points[54_322].1 = -9.0;
        let thinned = thin(&points, (0, 100_000));
        assert!(thinned.len() <= 4 * 1201, "{}", thinned.len());
        assert!(thinned.contains(&(54_321, 9.0)) && thinned.contains(&(54_322, -9.0)));
        assert!(thinned.is_sorted_by_key(|point| point.0));
    }

    #[test]
    fn a_line_ends_at_a_gap_and_where_a_value_is_beyond_the_picture() {
        let points: Points =
            (0..3000).chain(4000..7000).map(|n| (n, if n == 5000 { 99.0 } else { 0.0 })).collect();
        let ends: Vec<(i64, i64)> = segments(&points, (0, 7000), (-1.0, 1.0))
            .iter()
            .map(|segment| (segment[0].0, segment[segment.len() - 1].0))
            .collect();
        assert_eq!(ends, [(0, 2999), (4000, 4999), (5001, 6999)]);
        assert_eq!(edges(&points, (0, 7000), (-1.0, 1.0)), [(5000, 1.0)]);
    }
}
