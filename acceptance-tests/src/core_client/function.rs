//! Functions as core reads their declarations.

use terraform_provider_clickpipes::proto::tfplugin6 as pb;

use super::value_type::Type;

/// What may be passed to a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, for documentation only.
    pub name: String,
    /// The type to which Terraform converts the argument.
    pub value_type: Type,
    /// Whether null may be passed; if not, core refuses the call itself.
    pub allow_null: bool,
    /// Whether a partly unknown value may be passed; if not, core does not call, and the result is unknown.
    pub allow_unknown: bool,
}

/// A function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// One for each argument, in order.
    pub parameters: Vec<Parameter>,
    /// For any number of further arguments.
    pub variadic: Option<Parameter>,
    /// The type of the result.
    pub returns: Type,
}

impl Function {
    /// Reads a declaration.
    ///
    /// # Errors
    /// An invalid type, in core's words.
    pub fn decode(declared: &pb::Function) -> Result<Self, String> {
        let returned = declared.r#return.as_ref().map_or(&[][..], |returned| &returned.r#type);
        let parameter = |parameter: &pb::function::Parameter| {
            Ok(Parameter {
                name: parameter.name.clone(),
                value_type: Type::parse(&parameter.r#type).map_err(|error| format!("invalid type constraint: {error}"))?,
                allow_null: parameter.allow_null_value,
                allow_unknown: parameter.allow_unknown_values,
            })
        };
        let parameters = declared.parameters.iter().enumerate().map(|(index, declared)| {
            parameter(declared).map_err(|error: String| format!("invalid parameter {index} ({:?}): {error}", declared.name))
        });
        let variadic = declared.variadic_parameter.as_ref().map(|declared| {
            parameter(declared).map_err(|error: String| format!("invalid variadic parameter ({:?}): {error}", declared.name))
        });
        Ok(Self {
            returns: Type::parse(returned).map_err(|error| format!("invalid return type constraint: {error}"))?,
            parameters: parameters.collect::<Result<_, _>>()?,
            variadic: variadic.transpose()?,
        })
    }

    /// The parameter that takes the argument at this place.
    #[must_use]
    pub fn parameter(&self, index: usize) -> Option<&Parameter> {
        self.parameters.get(index).or(self.variadic.as_ref())
    }
}
