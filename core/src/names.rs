//! `names!`: the values of an enum and what they are called, from one list.

/// Gives an enum `ALL` and `name`. The compiler misses a variant that is not in the list, so that neither can lack one. A
/// variant that holds something stands with an example of that.
macro_rules! names {
    (impl $enum:ident {
        $(#[$all:meta])* $all_visibility:vis ALL;
        $(#[$name:meta])* $name_visibility:vis name;
        $($variant:ident $({ $($field:tt)* })? $(( $($inner:tt)* ))? => $text:literal,)+
    }) => {
        impl $enum {
            $(#[$all])*
            $all_visibility const ALL: [$enum; [$($text),+].len()] =
                [$($enum::$variant $({ $($field)* })? $(( $($inner)* ))?),+];

            $(#[$name])*
            $name_visibility fn name(self) -> &'static str {
                match self {
                    $($enum::$variant { .. } => $text,)+
                }
            }
        }
    };
}

pub(crate) use names;
