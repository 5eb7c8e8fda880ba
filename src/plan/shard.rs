//! Shards: a run cut into parts that are disjoint and together the whole.

/// Part `index` of `count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 1 to `count`.
    index: usize,
    count: usize,
}

impl Shard {
    /// Parses `K/N`.
    ///
    /// # Errors
    /// What is wrong with it, for the person who wrote it.
    pub fn parse(text: &str) -> Result<Shard, String> {
        let number =
            |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<usize>().ok()).flatten();
        let parts = text.split_once('/').and_then(|(index, count)| Some((number(index)?, number(count)?)));
        match parts {
            Some((index, count)) if (1..=count).contains(&index) => Ok(Shard { index, count }),
            Some((index, count)) => Err(format!("there is no shard {index} of {count}: K of K/N is from 1 to N")),
            None => Err("a shard is written K/N, such as 1/4".to_owned()),
        }
    }

    /// Whether the case at this position of the selection, from 0, is in it. Neighbours go to different shards, so that
    /// a slow topic is everybody's.
    pub fn has(&self, position: usize) -> bool {
        position % self.count == self.index - 1
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_disjoint_exhaustive_and_near_equal() {
        for count in 1..10 {
            let shards: Vec<Shard> = (1..=count).map(|k| Shard::parse(&format!("{k}/{count}")).unwrap()).collect();
            for total in [0, 1, 5, 100, 101] {
                let sizes: Vec<usize> = shards.iter().map(|s| (0..total).filter(|p| s.has(*p)).count()).collect();
                assert_eq!(sizes.iter().sum::<usize>(), total);
                assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
                assert!((0..total).all(|p| shards.iter().filter(|s| s.has(p)).count() == 1));
            }
        }
    }

    #[test]
    fn what_is_no_shard_says_why() {
        for text in ["", "1", "/", "1/", "/2", "a/b", "1/2/3", "-1/2", "+1/2", " 1/2", "1/99999999999999999999999"] {
            assert_eq!(Shard::parse(text), Err("a shard is written K/N, such as 1/4".to_owned()), "{text:?}");
        }
        for text in ["0/2", "3/2", "0/0", "1/0"] {
            assert!(Shard::parse(text).unwrap_err().starts_with("there is no shard"), "{text:?}");
        }
        assert_eq!(Shard::parse("2/4").unwrap().to_string(), "2/4");
    }
}
