//! Things with numbers, which the kernel is given to name them by.

/// A number is used again only after [`Slab::settle`]: until then the kernel may still name the thing that had it.
#[derive(Debug)]
pub struct Slab<T> {
    places: Vec<Option<T>>,
    free: Vec<usize>,
    freed: Vec<usize>,
}

impl<T> Slab<T> {
    /// An empty one.
    pub fn new() -> Self {
        Slab { places: Vec::new(), free: Vec::new(), freed: Vec::new() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.places.len() - self.free.len() - self.freed.len()
    }

    /// Puts one in, and gives its number.
    pub fn insert(&mut self, thing: T) -> usize {
        if let Some(number) = self.free.pop() {
            self.places[number] = Some(thing);
            return number;
        }
        self.places.push(Some(thing));
        self.places.len() - 1
    }

    /// The one with this number.
    pub fn get(&mut self, number: usize) -> Option<&mut T> {
        self.places.get_mut(number)?.as_mut()
    }

    /// Takes one out.
    pub fn remove(&mut self, number: usize) -> Option<T> {
        let thing = self.places.get_mut(number)?.take()?;
        self.freed.push(number);
        Some(thing)
    }

    /// All of them, with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        self.places.iter().enumerate().filter_map(|(number, place)| Some((number, place.as_ref()?)))
    }

    /// Says that nothing names any more what has been taken out.
    pub fn settle(&mut self) {
        self.free.append(&mut self.freed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_used_again_once_nothing_names_it() {
        let mut slab = Slab::new();
        assert_eq!([slab.insert('a'), slab.insert('b')], [0, 1]);
        assert_eq!(slab.remove(0), Some('a'));
        assert_eq!(slab.remove(0), None);
        assert_eq!((slab.len(), slab.insert('c')), (1, 2));
        slab.settle();
        assert_eq!(slab.insert('d'), 0);
        assert_eq!(
            slab.iter().map(|(number, c)| (number, *c)).collect::<Vec<_>>(),
            [(0, 'd'), (1, 'b'), (2, 'c')]
        );
    }
}
