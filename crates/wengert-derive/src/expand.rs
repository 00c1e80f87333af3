//! Generation of the implementations.

use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::visit_mut::{VisitMut, visit_type_mut};
use syn::{GenericParam, Generics, Type, parse_quote};

use crate::input::{Field, Input, Variant};

/// Generates all implementations.
pub fn expand(input: &Input) -> TokenStream {
    let tree = tree(input);
    let feed = feed(input);
    let into_tree = into_tree(input);
    quote!(#tree #feed #into_tree)
}

fn tree(input: &Input) -> TokenStream {
    let k = &input.plumbing;
    let name = &input.name;
    let first = &input.trees[0];
    let mut generics = bounded(input, |t| match t == first {
        true => quote!(#k::Tree),
        false => quote! {
            #k::Tree<Leaf = <#first as #k::Tree>::Leaf>
        },
    });
    require_static(input, &mut generics);
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let own = arguments(input, |t| quote!(#t));
    let with = arguments(input, |t| quote!(<#t as #k::Tree>::With<__M>));
    let nest = arguments(input, |t| quote!(<#t as #k::Tree>::Nest<__S>));
    let leaf = quote!(<#first as #k::Tree>::Leaf);
    let walk = give_out(input, |f| {
        let local = &f.local;
        quote!(#k::Tree::walk(#local, __out);)
    });
    let walk_mut = give_out(input, |f| {
        let local = &f.local;
        quote!(#k::Tree::walk_mut(#local, __out);)
    });
    let into_leaves = give_out(input, |f| {
        let local = &f.local;
        quote!(#k::Tree::into_leaves(#local, __out);)
    });
    let from_leaves = from_leaves(input);
    quote! {
        #[automatically_derived]
        impl #impl_generics #k::Tree for #name #own #where_clause {
            type Leaf = #leaf;
            type With<__M: #k::Leaf> = #name #with;
            type Nest<__S: #k::Tree> = #name #nest;

            fn walk<'__a>(&'__a self, __out: &mut dyn #k::Sink<&'__a #leaf>) {
                #walk
            }

            fn walk_mut<'__a>(
                &'__a mut self,
                __out: &mut dyn #k::Sink<&'__a mut #leaf>,
            ) {
                #walk_mut
            }

            fn into_leaves(self, __out: &mut dyn #k::Sink<#leaf>) {
                #into_leaves
            }

            fn from_leaves(
                __def: &mut #k::Cursor<'_>,
                __leaves: &mut dyn ::core::iter::Iterator<Item = #leaf>,
            ) -> #k::Result<Self> {
                #from_leaves
            }
        }
    }
}

fn feed(input: &Input) -> TokenStream {
    let k = &input.plumbing;
    let name = &input.name;
    let target = |t: &Ident| format_ident!("__{t}");
    let mut generics = bounded(input, |t| {
        let target = target(t);
        quote!(#k::Feed<#target>)
    });
    let first = target(&input.trees[0]);
    let leaf = quote!(<#first as #k::Tree>::Leaf);
    for t in &input.trees {
        let target = target(t);
        let bound = match target == first {
            true => quote!(#k::Tree),
            false => quote!(#k::Tree<Leaf = #leaf>),
        };
        // Type parameters must follow lifetimes; their order among themselves does not matter here.
        generics.params.push(parse_quote!(#target: #bound));
    }
    require_static(input, &mut generics);
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let own = arguments(input, |t| quote!(#t));
    let fed = arguments(input, |t| target(t).into_token_stream());
    let targets: HashMap<Ident, Ident> =
        input.trees.iter().map(|t| (t.clone(), target(t))).collect();
    let call = |method: TokenStream| {
        give_out(input, |f| {
            let (local, from, mut to) = (&f.local, &f.ty, f.ty.clone());
            Rename(&targets).visit_type_mut(&mut to);
            quote!(<#from as #k::Feed<#to>>::#method(#local, __out);)
        })
    };
    let moved = call(quote!(feed));
    let lent = call(quote!(feed_ref));
    quote! {
        #[automatically_derived]
        impl #impl_generics #k::Feed<#name #fed> for #name #own #where_clause {
            fn feed(self, __out: &mut dyn #k::Sink<#leaf>) {
                #moved
            }

            fn feed_ref(&self, __out: &mut dyn #k::Sink<#leaf>) {
                #lent
            }
        }
    }
}

fn into_tree(input: &Input) -> TokenStream {
    let k = &input.plumbing;
    let name = &input.name;
    let mut generics = bounded(input, |_| quote!(#k::IntoTree));
    require_static(input, &mut generics);
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let own = arguments(input, |t| quote!(#t));
    let tree = arguments(input, |t| quote!(<#t as #k::IntoTree>::Tree));
    let arms = input.variants.iter().map(|v| {
        let path = &v.path;
        let pattern = pattern(v);
        let fields = v.fields.iter().map(|f| {
            let (member, local, ty) = (&f.member, &f.local, &f.ty);
            match f.skip {
                true => quote!(#member: #local),
                false => quote! {
                    #member: <#ty as #k::IntoTree>::into_tree(#local)
                },
            }
        });
        quote!(#pattern => #path { #(#fields),* },)
    });
    quote! {
        #[automatically_derived]
        impl #impl_generics #k::IntoTree for #name #own #where_clause {
            type Tree = #name #tree;

            fn into_tree(self) -> Self::Tree {
                match self { #(#arms)* }
            }
        }
    }
}

/// Generates a match on `self` that passes on the structure, and the fields that are trees by `each`.
fn give_out(input: &Input, each: impl Fn(&Field) -> TokenStream) -> TokenStream {
    let k = &input.plumbing;
    let arms = input.variants.iter().enumerate().map(|(index, v)| {
        let pattern = pattern(v);
        let name = &v.name;
        let labels = v.fields.iter().map(|f| &f.label);
        let fields = quote!(&[#(#labels),*]);
        let node = match input.is_enum {
            false => quote!(Struct { name: #name, fields: #fields }),
            true => quote!(Variant { name: #name, index: #index, fields: #fields }),
        };
        let parts = v.fields.iter().map(|f| match f.skip {
            true => {
                // The local is a value or a reference; the annotated type makes either a reference.
                let (local, ty) = (&f.local, &f.ty);
                quote!(__out.node(#k::Node::fixed::<#ty>(&#local));)
            }
            false => each(f),
        });
        quote! {
            #pattern => {
                __out.node(#k::Node::#node);
                #(#parts)*
            }
        }
    });
    quote!(match self { #(#arms)* })
}

fn from_leaves(input: &Input) -> TokenStream {
    let k = &input.plumbing;
    let built = |v: &Variant| {
        let path = &v.path;
        let fields = v.fields.iter().map(|f| {
            let (member, ty) = (&f.member, &f.ty);
            match f.skip {
                true => quote!(#member: __def.fixed::<#ty>()?),
                false => quote! {
                    #member: <#ty as #k::Tree>::from_leaves(__def, __leaves)?
                },
            }
        });
        quote!(#path { #(#fields),* })
    };
    let name = &input.variants[0].name;
    if !input.is_enum {
        let built = built(&input.variants[0]);
        return quote! {
            __def.structure(#name)?;
            ::core::result::Result::Ok(#built)
        };
    }
    let name = input.name.to_string();
    let count = input.variants.len();
    let arms = input.variants.iter().enumerate().map(|(index, v)| {
        let built = built(v);
        quote!(#index => #built,)
    });
    quote! {
        ::core::result::Result::Ok(match __def.variant(#name, #count)? {
            #(#arms)*
            _ => ::core::unreachable!("a variant has a number below their count"),
        })
    }
}

/// Generates a pattern that binds each field of a variant to its local.
fn pattern(v: &Variant) -> TokenStream {
    let path = &v.path;
    let members = v.fields.iter().map(|f| &f.member);
    let locals = v.fields.iter().map(|f| &f.local);
    quote!(#path { #(#members: #locals),* })
}

/// Returns the generics of the type, with a bound on each parameter that stands for a tree.
fn bounded(input: &Input, bound: impl Fn(&Ident) -> TokenStream) -> Generics {
    let mut generics = input.generics.clone();
    for p in generics.type_params_mut() {
        if input.trees.contains(&p.ident) {
            let bound = bound(&p.ident);
            p.bounds.push(parse_quote!(#bound));
        }
    }
    generics
}

/// Requires the generic types of skipped fields to be `Static`.
fn require_static(input: &Input, generics: &mut Generics) {
    let k = &input.plumbing;
    for field in input.fields().filter(|f| f.skip) {
        if input.is_generic(&field.ty) {
            let ty = &field.ty;
            let clause = generics.make_where_clause();
            clause
                .predicates
                .push(parse_quote!(#ty: #k::Static + ::core::clone::Clone));
        }
    }
}

/// Returns the arguments of the type, with those that stand for trees changed.
fn arguments(input: &Input, change: impl Fn(&Ident) -> TokenStream) -> TokenStream {
    let arguments = input.generics.params.iter().map(|p| match p {
        GenericParam::Lifetime(p) => p.lifetime.to_token_stream(),
        GenericParam::Const(p) => p.ident.to_token_stream(),
        GenericParam::Type(p) if input.trees.contains(&p.ident) => change(&p.ident),
        GenericParam::Type(p) => p.ident.to_token_stream(),
    });
    quote!(<#(#arguments),*>)
}

/// Renames type parameters in a type.
struct Rename<'a>(&'a HashMap<Ident, Ident>);

impl VisitMut for Rename<'_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::Path(path) = ty
            && path.qself.is_none()
            && path.path.leading_colon.is_none()
            && let Some(first) = path.path.segments.first_mut()
            && let Some(name) = self.0.get(&first.ident)
        {
            first.ident = name.clone();
        }
        visit_type_mut(self, ty);
    }
}
