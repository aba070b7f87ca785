//! The shape of a configuration or state. Each attribute is declared once, by the `model!` macro; the wire schema, the codec, the plan
//! pipeline and the documentation all read that declaration.

use std::collections::BTreeMap;

use super::Value;

/// The type of a value, as Terraform's type system knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `bool`
    Bool,
    /// `number`
    Number,
    /// `string`
    String,
    /// `list(T)`
    List(Box<Type>),
    /// `set(T)`
    Set(Box<Type>),
    /// `map(T)`
    Map(Box<Type>),
    /// `object({...})`
    Object(BTreeMap<String, Type>),
    /// `tuple([...])`: only in a value of [`Type::Dynamic`].
    Tuple(Vec<Type>),
    /// Any type: the value says which. Only for parameters of functions.
    Dynamic,
}

/// How often a nested object occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// Once.
    Single,
    /// In a list.
    List,
    /// In a map.
    Map,
}

/// What an attribute holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A plain type.
    Plain(Type),
    /// An object with its own attributes.
    Nested {
        /// How often it occurs.
        nesting: Nesting,
        /// Its attributes.
        attributes: Vec<Attribute>,
    },
}

impl Kind {
    /// The type of the value.
    #[must_use]
    pub fn value_type(&self) -> Type {
        match self {
            Self::Plain(plain) => plain.clone(),
            Self::Nested { nesting, attributes } => {
                let object = object_type(attributes);
                match nesting {
                    Nesting::Single => object,
                    Nesting::List => Type::List(Box::new(object)),
                    Nesting::Map => Type::Map(Box::new(object)),
                }
            }
        }
    }
}

fn object_type(attributes: &[Attribute]) -> Type {
    Type::Object(attributes.iter().map(|attribute| (attribute.name.clone(), attribute.kind.value_type())).collect())
}

/// How an attribute behaves. Made by [`required`], [`optional`], [`computed`] or [`optional_computed`] and the methods below.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Must be in the configuration.
    pub required: bool,
    /// May be in the configuration.
    pub optional: bool,
    /// May be set by the provider.
    pub computed: bool,
    /// Not shown in output. It still lands in state: use [`Flags::write_only`] for secrets.
    pub sensitive: bool,
    /// Reaches the provider and is stored nowhere.
    pub write_only: bool,
    /// A change replaces the resource.
    pub requires_replace: bool,
    /// A change elsewhere leaves this computed value as it is.
    pub keep_prior: bool,
    /// A list whose order has no meaning and which holds no member twice.
    pub unordered: bool,
    /// A point in time: another time zone is no other value.
    pub timestamp: bool,
    /// The value when the configuration has none.
    pub default: Option<Value>,
}

/// An attribute that the configuration must have.
#[must_use]
pub fn required() -> Flags {
    Flags { required: true, ..Flags::default() }
}

/// An attribute that the configuration may have.
#[must_use]
pub fn optional() -> Flags {
    Flags { optional: true, ..Flags::default() }
}

/// An attribute that only the provider sets. It is planned unknown whenever anything changes, unless [`Flags::keep_prior`].
#[must_use]
pub fn computed() -> Flags {
    Flags { computed: true, ..Flags::default() }
}

/// An attribute that the configuration may have and that the provider sets otherwise. If it is not set in the configuration, the
/// current value is kept.
#[must_use]
pub fn optional_computed() -> Flags {
    Flags { optional: true, computed: true, keep_prior: true, ..Flags::default() }
}

impl Flags {
    /// Not shown in output.
    #[must_use]
    pub fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// Reaches the provider and is stored nowhere.
    #[must_use]
    pub fn write_only(mut self) -> Self {
        self.write_only = true;
        self
    }

    /// A change replaces the resource.
    #[must_use]
    pub fn requires_replace(mut self) -> Self {
        self.requires_replace = true;
        self
    }

    /// A change elsewhere leaves this computed value as it is.
    #[must_use]
    pub fn keep_prior(mut self) -> Self {
        self.keep_prior = true;
        self
    }

    /// The order of the list has no meaning, and no member may occur twice.
    #[must_use]
    pub fn unordered(mut self) -> Self {
        self.unordered = true;
        self
    }

    /// A point in time as RFC 3339 writes it: the same one in another time zone is no other value.
    #[must_use]
    pub fn timestamp(mut self) -> Self {
        self.timestamp = true;
        self
    }

    /// The value if the configuration has none. Terraform requires such an attribute to be computed as well, so it is.
    #[must_use]
    pub fn defaults_to(mut self, value: impl Into<Value>) -> Self {
        self.default = Some(value.into());
        self.computed = true;
        self
    }
}

/// One declared attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name in HCL.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Meaning, default, unit and what a change does. Markdown.
    pub description: String,
    /// How it behaves.
    pub flags: Flags,
}

/// The schema of a provider, resource or data source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// Version of the stored state's shape.
    pub version: i64,
    /// What it manages. Markdown.
    pub description: String,
    /// Its attributes.
    pub attributes: &'static [Attribute],
}

impl Schema {
    /// The type of the whole object.
    #[must_use]
    pub fn value_type(&self) -> Type {
        object_type(self.attributes)
    }
}
