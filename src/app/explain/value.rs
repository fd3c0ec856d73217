//! Single values of a JSON file. What is a list or an object where none is expected is passed over where it stands.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A short text: names of fields, phases and categories. None of ours is longer; what is counts as empty.
#[derive(Copy, Clone, Debug, Default)]
pub struct Word {
    bytes: [u8; 32],
    len: u8,
}

impl Word {
    fn new(text: &str) -> Self {
        let mut word = Self::default();
        if let Some(room) = word.bytes.get_mut(..text.len()) {
            room.copy_from_slice(text.as_bytes());
            word.len = text.len() as u8;
        }
        word
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::Text(word) => word,
            _ => Self::default(),
        })
    }
}

/// A value that takes no memory of its own.
#[derive(Copy, Clone, Debug, Default)]
pub enum Value {
    /// It is not there, or null.
    #[default]
    Absent,
    Bool(bool),
    Whole(i128),
    Float(f64),
    Text(Word),
    /// A list or an object.
    Other,
}

impl Value {
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    pub fn unsigned(&self) -> Option<u64> {
        if let Self::Whole(n) = *self { n.try_into().ok() } else { None }
    }

    pub fn signed(&self) -> Option<i64> {
        if let Self::Whole(n) = *self { n.try_into().ok() } else { None }
    }

    pub const fn float(&self) -> Option<f64> {
        match *self {
            Self::Whole(n) => Some(n as f64),
            Self::Float(x) => Some(x),
            _ => None,
        }
    }

    pub const fn is_true(&self) -> bool {
        matches!(self, Self::Bool(true))
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Plain(None))
    }
}

/// Reads a text into a string that is used again and again. Whether it was one.
pub struct Into<'s>(pub &'s mut String);

impl<'de> DeserializeSeed<'de> for Into<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        Ok(matches!(deserializer.deserialize_any(Plain(Some(self.0)))?, Value::Text(_)))
    }
}

struct Plain<'s>(Option<&'s mut String>);

impl<'de> Visitor<'de> for Plain<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, is: bool) -> Result<Value, E> {
        Ok(Value::Bool(is))
    }

    fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
        Ok(Value::Whole(n.into()))
    }

    fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
        Ok(Value::Whole(n.into()))
    }

    fn visit_f64<E>(self, x: f64) -> Result<Value, E> {
        Ok(Value::Float(x))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        if let Some(into) = self.0 {
            into.clear();
            into.push_str(text);
        }
        Ok(Value::Text(Word::new(text)))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Absent)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }
}

/// Something that an object is read into, field by field.
pub trait Fields {
    /// Reads the field `key`, or passes it over.
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error>;
}

/// Reads an object into its fields. Whether it was one.
pub struct Object<'f, F>(pub &'f mut F);

impl<'de, F: Fields> DeserializeSeed<'de> for Object<'_, F> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// What is anything else than expected is passed over.
macro_rules! otherwise_nothing {
    () => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a value")
        }
        fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
            Ok(false)
        }
        fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
            Ok(false)
        }
        fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
            Ok(false)
        }
        fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
            Ok(false)
        }
        fn visit_str<E>(self, _: &str) -> Result<bool, E> {
            Ok(false)
        }
        fn visit_unit<E>(self) -> Result<bool, E> {
            Ok(false)
        }
    };
}

impl<'de, F: Fields> Visitor<'de> for Object<'_, F> {
    type Value = bool;

    otherwise_nothing!();

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        while let Some(key) = map.next_key::<Word>()? {
            self.0.field(key.as_str(), &mut map)?;
        }
        Ok(true)
    }
}

/// Reads a list, one object after the other, and hands each over once it is there. Whether it was one.
pub struct Each<'f, F, T>(pub &'f mut F, pub T);

impl<'de, F: Fields, T: FnMut(&mut F, bool)> DeserializeSeed<'de> for Each<'_, F, T> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: Fields, T: FnMut(&mut F, bool)> Visitor<'de> for Each<'_, F, T> {
    type Value = bool;

    otherwise_nothing!();

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<bool, A::Error> {
        while let Some(is_object) = list.next_element_seed(Object(&mut *self.0))? {
            (self.1)(self.0, is_object);
        }
        Ok(true)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(false)
    }
}
