//! What varies with a case's parameters is decoded once for every combination of those that it names, not for every instance.

use std::collections::BTreeMap;

use super::each::Parameter;
use super::template::{self, Values};
use super::tree::Node;

/// A part of a case that may have templates: made once for every combination of the parameters that it names.
pub struct Varying<T> {
    node: Node,
    /// Which parameters it names, by their place.
    names: Vec<usize>,
    /// Whether it also names something that is no parameter: then nothing can be made of it.
    pub spoiled: bool,
    made: BTreeMap<Vec<usize>, (Node, T)>,
}

impl<T: Default> Varying<T> {
    /// A part of a case with these parameters.
    pub fn new(node: &Node, parameters: &[Parameter]) -> Self {
        let uses = template::uses(node, &[]);
        let named = |p: &Parameter| uses.iter().any(|found| found.name == p.name);
        let names = parameters.iter().enumerate().filter(|(_, p)| named(p)).map(|(i, _)| i).collect();
        let spoiled = uses.iter().any(|found| !parameters.iter().any(|p| p.name == found.name));
        Varying { node: node.clone(), names, spoiled, made: BTreeMap::new() }
    }

    /// The tree with this combination's values, and what was made of it so far.
    pub fn at(&mut self, combination: &[usize], values: &Values<'_>) -> (&Node, &mut T) {
        let key: Vec<usize> = self.names.iter().filter_map(|&i| combination.get(i).copied()).collect();
        let node = &self.node;
        let constant = self.names.is_empty();
        let (node, made) = self
            .made
            .entry(key)
            .or_insert_with(|| (if constant { node.clone() } else { template::put_in(node, values) }, T::default()));
        (node, made)
    }
}

impl<T: Clone> Varying<Option<Option<T>>> {
    /// What `make` gives for this combination; it is asked once for each.
    pub fn made(
        &mut self,
        combination: &[usize],
        values: &Values<'_>,
        make: impl FnOnce(&Node) -> Option<T>,
    ) -> Option<T> {
        if self.spoiled {
            return None;
        }
        let (node, made) = self.at(combination, values);
        made.get_or_insert_with(|| make(node)).clone()
    }
}
