//! Order: what is named comes before what names it. Iterative, since a graph may be as deep as its author likes.

/// An order, and why there is none for the rest.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// What is named before what names it; what is in or behind a cycle is not among them.
    pub order: Vec<usize>,
    /// By place: the longest way down to something that names nothing. Zero where there is no order.
    pub depth: Vec<usize>,
    /// Each cycle, from some member on along what it needs.
    pub cycles: Vec<Vec<usize>>,
}

/// Orders `0..needs.len()`, where `needs[i]` are the places that `i` names.
pub(super) fn order(needs: &[Vec<usize>]) -> Order {
    let mut waits: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut named_by: Vec<Vec<usize>> = vec![Vec::new(); needs.len()];
    for (place, needs) in needs.iter().enumerate() {
        for &need in needs {
            named_by[need].push(place);
        }
    }
    let mut depth = vec![0; needs.len()];
    let mut order: Vec<usize> = (0..needs.len()).filter(|&place| waits[place] == 0).collect();
    let mut next = 0;
    while let Some(&place) = order.get(next) {
        next += 1;
        for &by in &named_by[place] {
            depth[by] = depth[by].max(depth[place] + 1);
            waits[by] -= 1;
            if waits[by] == 0 {
                order.push(by);
            }
        }
    }
    Order { order, depth, cycles: cycles(needs, &waits) }
}

/// Follows the first unmet need from everything that still waits: whoever is met again on the same walk is in a cycle.
fn cycles(needs: &[Vec<usize>], waits: &[usize]) -> Vec<Vec<usize>> {
    let mut seen = vec![false; needs.len()];
    let mut found = Vec::new();
    for start in (0..needs.len()).filter(|&place| waits[place] > 0) {
        let mut walk = Vec::new();
        let mut at = Some(start);
        while let Some(place) = at.filter(|&place| !seen[place]) {
            seen[place] = true;
            walk.push(place);
            at = needs[place].iter().copied().find(|&need| waits[need] > 0);
        }
        if let Some(first) = walk.iter().position(|&place| Some(place) == at) {
            found.push(walk.split_off(first));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_comes_first() {
        let found = order(&[vec![1, 2], vec![2], vec![], vec![0, 0]]);
        assert_eq!(found.order, [2, 1, 0, 3]);
        assert_eq!(found.depth, [2, 1, 0, 3]);
        assert!(found.cycles.is_empty());
        assert!(order(&[]).order.is_empty());
    }

    #[test]
    fn every_cycle_is_found_once_and_what_hangs_on_it_is_none() {
        // 0 -> 0; 1 -> 2 -> 3 -> 1; 4 -> 1; 5 alone.
        let found = order(&[vec![0], vec![2], vec![3], vec![1], vec![1], vec![]]);
        assert_eq!(found.order, [5]);
        assert_eq!(found.cycles, [vec![0], vec![1, 2, 3]]);
    }

    #[test]
    fn a_chain_of_a_million_does_not_overflow_the_stack() {
        let needs: Vec<Vec<usize>> = (0..1_000_000_usize).map(|i| i.checked_sub(1).into_iter().collect()).collect();
        assert_eq!(order(&needs).depth.last(), Some(&999_999));
    }
}
