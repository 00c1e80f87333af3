//! Reading the text form.
