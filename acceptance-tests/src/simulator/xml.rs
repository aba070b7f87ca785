//! Encodes answers of the awsQuery protocol.

use quick_xml::escape::escape;

use super::error::ApiError;

/// Builds the content of one answer.
#[derive(Debug, Default)]
pub(crate) struct Xml {
    text: String,
}

impl Xml {
    /// An element with text.
    pub(crate) fn text(&mut self, name: &str, value: impl ToString) -> &mut Self {
        self.text.push_str(&format!("<{name}>{}</{name}>", escape(value.to_string().as_str())));
        self
    }

    /// Text inside the current element.
    pub(crate) fn raw(&mut self, text: &str) -> &mut Self {
        self.text.push_str(&escape(text));
        self
    }

    /// An element with text, left out if there is no text.
    pub(crate) fn optional(&mut self, name: &str, value: Option<impl ToString>) -> &mut Self {
        if let Some(value) = value {
            self.text(name, value);
        }
        self
    }

    /// An element with nested elements.
    pub(crate) fn element(&mut self, name: &str, inside: impl FnOnce(&mut Self)) -> &mut Self {
        self.text.push_str(&format!("<{name}>"));
        inside(self);
        self.text.push_str(&format!("</{name}>"));
        self
    }

    /// A list element with one element per member.
    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        member: &str,
        items: impl IntoIterator<Item = T>,
        each: impl Fn(&mut Self, T),
    ) -> &mut Self {
        self.element(name, |xml| {
            for item in items {
                xml.element(member, |xml| each(xml, item));
            }
        })
    }

    /// Replaces the text of the answer.
    pub(crate) fn edit(&mut self, edited: impl FnOnce(&str) -> String) {
        self.text = edited(&self.text);
    }

    /// The whole answer to `action`.
    pub(crate) fn into_response(self, namespace: &str, action: &str, request_id: &str) -> String {
        format!(
            "<{action}Response xmlns=\"{namespace}\"><{action}Result>{}</{action}Result><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>",
            self.text
        )
    }
}

/// An error answer.
pub(crate) fn error_response(error: &ApiError, namespace: &str, request_id: &str) -> String {
    let fault = if error.status >= 500 { "Receiver" } else { "Sender" };
    format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{fault}</Type><Code>{}</Code><Message>{}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
        error.code,
        escape(error.message.as_str())
    )
}
