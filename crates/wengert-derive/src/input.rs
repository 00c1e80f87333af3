//! Parsing of types that derive `Tree`, and errors in them.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::visit::{Visit, visit_type_path};
use syn::visit_mut::{VisitMut, visit_type_mut};
use syn::{
    Attribute, Data, DeriveInput, Error, Fields, Generics, LitStr, Member, Path, Result, Type,
    TypePath, parse_quote,
};

/// A struct or an enum.
pub struct Input {
    pub name: Ident,
    /// The module whose items the generated code uses.
    pub plumbing: TokenStream,
    pub generics: Generics,
    /// The type parameters that stand for trees; at least one.
    pub trees: Vec<Ident>,
    pub is_enum: bool,
    /// The variants; a struct has exactly one.
    pub variants: Vec<Variant>,
}

/// A struct, or a variant of an enum.
pub struct Variant {
    /// Its path in code: `Name`, `Name::Variant`.
    pub path: TokenStream,
    /// Its name in messages.
    pub name: String,
    pub fields: Vec<Field>,
}

/// A field.
pub struct Field {
    pub member: Member,
    /// Its name in paths.
    pub label: String,
    pub ty: Type,
    /// Whether it is part of the structure instead of a tree.
    pub skip: bool,
    /// The variable it is bound to in a pattern.
    pub local: Ident,
}

impl Input {
    /// Parses a type.
    pub fn read(input: DeriveInput) -> Result<Input> {
        let name = input.ident;
        let shown = name.unraw();
        let library = library(&input.attrs)?;
        let (is_enum, variants) = match input.data {
            Data::Struct(data) => {
                let variant = Variant::read(quote!(#name), shown.to_string(), &data.fields)?;
                (false, vec![variant])
            }
            Data::Enum(data) => {
                let read = |v: &syn::Variant| {
                    let variant = &v.ident;
                    Variant::read(
                        quote!(#name::#variant),
                        format!("{shown}::{}", variant.unraw()),
                        &v.fields,
                    )
                };
                (true, data.variants.iter().map(read).collect::<Result<_>>()?)
            }
            Data::Union(data) => {
                return Err(Error::new_spanned(
                    data.union_token,
                    "a union has no fixed leaves: derive `Tree` for a struct or an enum",
                ));
            }
        };
        let mut input = Input {
            name,
            plumbing: quote!(#library::tree::plumbing),
            generics: input.generics,
            trees: vec![],
            is_enum,
            variants,
        };
        input.name_self();
        input.find_trees()?;
        Ok(input)
    }

    /// Replaces `Self` in field types by the type with its parameters.
    fn name_self(&mut self) {
        struct Named(Type);
        impl VisitMut for Named {
            fn visit_type_mut(&mut self, ty: &mut Type) {
                match ty {
                    Type::Path(path) if path.path.is_ident("Self") => *ty = self.0.clone(),
                    _ => visit_type_mut(self, ty),
                }
            }
        }
        let name = &self.name;
        let (_, arguments, _) = self.generics.split_for_impl();
        let mut named = Named(parse_quote!(#name #arguments));
        for field in self.variants.iter_mut().flat_map(|v| &mut v.fields) {
            named.visit_type_mut(&mut field.ty);
        }
    }

    /// Returns all fields, of all variants.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.variants.iter().flat_map(|v| &v.fields)
    }

    /// Finds the parameters that stand for trees, and the fields without any.
    fn find_trees(&mut self) -> Result<()> {
        let parameters: HashSet<Ident> = self
            .generics
            .type_params()
            .map(|p| p.ident.clone())
            .collect();
        if parameters.is_empty() {
            let name = &self.name;
            return Err(Error::new(
                name.span(),
                format!(
                    "a tree holds traced values in one place and data in another, so its leaves need a \
                     type parameter: add `<T = Var>` to `{name}`, and write `T` for its leaves"
                ),
            ));
        }
        let mut used = HashSet::new();
        let mut errors: Option<Error> = None;
        for field in self.fields().filter(|f| !f.skip) {
            let here = mentioned(&field.ty, &parameters);
            if here.is_empty() {
                let error = Error::new_spanned(
                    &field.ty,
                    "no leaf parameter in this field: write `T` for a leaf and `Vec<T>`, `Other<T>`.. \
                     for what holds some, or mark the field `#[tree(skip)]` if it is not traced",
                );
                match &mut errors {
                    Some(errors) => errors.combine(error),
                    None => errors = Some(error),
                }
            }
            used.extend(here);
        }
        if let Some(errors) = errors {
            return Err(errors);
        }
        let trees = self.generics.type_params().map(|p| p.ident.clone());
        self.trees = trees.filter(|p| used.contains(p)).collect();
        if self.trees.is_empty() {
            return Err(Error::new(
                self.name.span(),
                "no field holds a leaf: give the type a leaf parameter, `T = Var`, and a field that uses \
                 it (`PhantomData<T>`, if there is none)",
            ));
        }
        for parameter in self.generics.type_params() {
            if self.trees.contains(&parameter.ident) && !parameter.bounds.is_empty() {
                return Err(Error::new_spanned(
                    &parameter.bounds,
                    "a bound on a leaf parameter would have to hold for `Var`, `Array`, `f64` and all \
                     that may stand for a leaf: write it on the `impl` blocks that need it",
                ));
            }
        }
        let trees: HashSet<Ident> = self.trees.iter().cloned().collect();
        for field in self.fields().filter(|f| f.skip) {
            if !mentioned(&field.ty, &trees).is_empty() {
                return Err(Error::new_spanned(
                    &field.ty,
                    "a skipped field holds no leaves, so its type cannot depend on the leaf parameter",
                ));
            }
        }
        Ok(())
    }

    /// Returns whether a type mentions some of the type parameters.
    pub fn is_generic(&self, ty: &Type) -> bool {
        let parameters = self.generics.type_params().map(|p| p.ident.clone());
        !mentioned(ty, &parameters.collect()).is_empty()
    }
}

impl Variant {
    fn read(path: TokenStream, name: String, fields: &Fields) -> Result<Variant> {
        let read = |(i, (member, field)): (usize, (Member, &syn::Field))| {
            Ok(Field {
                label: match &member {
                    Member::Named(name) => name.unraw().to_string(),
                    Member::Unnamed(place) => place.index.to_string(),
                },
                member,
                ty: field.ty.clone(),
                skip: is_skipped(&field.attrs)?,
                local: format_ident!("__field{i}", span = Span::mixed_site()),
            })
        };
        let fields = fields.members().zip(fields.iter()).enumerate();
        Ok(Variant {
            path,
            name,
            fields: fields.map(read).collect::<Result<_>>()?,
        })
    }
}

/// Returns the path of the library, from `#[tree(crate = "..")]` on the type.
fn library(attributes: &[Attribute]) -> Result<Path> {
    let mut library = parse_quote!(::wengert);
    for attribute in attributes.iter().filter(|a| a.path().is_ident("tree")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error(
                    "the attribute of a type is `#[tree(crate = \"path::of::wengert\")]`; `#[tree(skip)]` \
                     belongs to a field",
                ));
            }
            let path: LitStr = meta.value()?.parse()?;
            library = path.parse_with(Path::parse_mod_style)?;
            Ok(())
        })?;
    }
    Ok(library)
}

fn is_skipped(attributes: &[Attribute]) -> Result<bool> {
    let mut skip = false;
    for attribute in attributes.iter().filter(|a| a.path().is_ident("tree")) {
        attribute.parse_nested_meta(|meta| {
            skip = meta.path.is_ident("skip");
            match skip {
                true => Ok(()),
                false => Err(meta.error("the attribute of a field is `#[tree(skip)]`")),
            }
        })?;
    }
    Ok(skip)
}

/// Returns the parameters that a type mentions.
fn mentioned(ty: &Type, parameters: &HashSet<Ident>) -> HashSet<Ident> {
    struct Search<'a> {
        parameters: &'a HashSet<Ident>,
        found: HashSet<Ident>,
    }
    impl<'ast> Visit<'ast> for Search<'_> {
        fn visit_type_path(&mut self, path: &'ast TypePath) {
            if let Some(first) = path.path.segments.first()
                && path.path.leading_colon.is_none()
                && path.qself.is_none()
                && self.parameters.contains(&first.ident)
            {
                self.found.insert(first.ident.clone());
            }
            visit_type_path(self, path);
        }
    }
    let mut search = Search {
        parameters,
        found: HashSet::new(),
    };
    search.visit_type(ty);
    search.found
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn refused(input: DeriveInput, expected: &str) {
        match Input::read(input) {
            Ok(_) => panic!("expected: {expected}"),
            Err(error) => assert!(error.to_string().contains(expected), "{error}"),
        }
    }

    #[test]
    fn what_is_refused() {
        refused(
            parse_quote!(
                struct Rates {
                    alpha: Var,
                }
            ),
            "add `<T = Var>` to `Rates`, and write `T` for its leaves",
        );
        refused(
            parse_quote!(
                enum Kind {
                    A,
                    B,
                }
            ),
            "add `<T = Var>` to `Kind`",
        );
        refused(
            parse_quote!(
                struct A<T = Var> {
                    x: T,
                    n: usize,
                }
            ),
            "mark the field `#[tree(skip)]` if it is not traced",
        );
        refused(
            parse_quote!(
                struct A<T = Var> {
                    #[tree(skip)]
                    x: Vec<T>,
                    y: T,
                }
            ),
            "cannot depend on the leaf parameter",
        );
        refused(
            parse_quote!(
                struct A<T = Var> {
                    #[tree(skip)]
                    n: usize,
                }
            ),
            "no field holds a leaf",
        );
        refused(
            parse_quote!(
                struct A<T = Var> {
                    #[tree(leaf)]
                    x: T,
                }
            ),
            "the attribute of a field is `#[tree(skip)]`",
        );
        refused(
            parse_quote!(
                #[tree(leaf = T)]
                struct A<T = Var> {
                    x: T,
                }
            ),
            "`#[tree(skip)]` belongs to a field",
        );
        refused(
            parse_quote!(
                struct A<T: Copy = Var> {
                    x: T,
                }
            ),
            "write it on the `impl` blocks that need it",
        );
        refused(
            parse_quote!(union A<T> { x: T }),
            "a union has no fixed leaves",
        );
    }

    #[test]
    fn where_the_library_is() {
        let plumbing = |input| Input::read(input).unwrap().plumbing.to_string();
        let plain: DeriveInput = parse_quote!(
            struct A<T = Var> {
                x: T,
            }
        );
        assert_eq!(plumbing(plain), ":: wengert :: tree :: plumbing");
        let renamed: DeriveInput = parse_quote!(
            #[tree(crate = "crate::numerics")]
            struct A<T = Var> {
                x: T,
            }
        );
        assert_eq!(plumbing(renamed), "crate :: numerics :: tree :: plumbing");
        refused(
            parse_quote!(
                #[tree(crate = "not a path")]
                struct A<T = Var> {
                    x: T,
                }
            ),
            "unexpected token",
        );
        refused(
            parse_quote!(
                #[tree(skip)]
                struct A<T = Var> {
                    x: T,
                }
            ),
            "belongs to a field",
        );
    }

    #[test]
    fn which_parameters_are_trees() {
        let input = parse_quote! {
            struct A<'a, K, P, const N: usize, T> {
                p: Option<P>,
                t: [T; N],
                #[tree(skip)]
                k: &'a K,
            }
        };
        let input = Input::read(input).unwrap();
        assert_eq!(input.trees, ["P", "T"]);
        assert!(input.is_generic(&parse_quote!(Vec<K>)));
        assert!(!input.is_generic(&parse_quote!(other::K)));
    }
}
