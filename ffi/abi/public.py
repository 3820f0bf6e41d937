"""Reduces what abidw says of the library to its public part, which is what a C program sees.

Rust's debug information has every type of the implementation in it, and they change from day to day. What is left here:
the symbols, each function by its parameters, and the structs that the header defines. All other types are opaque, and
Rust's ways to say "pointer" (Option<&T>, &mut MaybeUninit<T>, ...) are pointers. The enums are taken from the header:
functions speak of them in plain integers, so the debug information has but those that something else keeps there.

    abidw --load-all-types ... LIBRARY | public.py HEADER >PUBLIC.xml
"""

import re
import sys
import xml.etree.ElementTree as ET

abi = ET.parse(sys.stdin).getroot()
header = open(sys.argv[1], encoding="utf-8").read()
header = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
DEFINED = set(re.findall(r"^typedef struct (\w+) {", header, re.MULTILINE))
OPAQUE = set(re.findall(r"^typedef struct (\w+) \1;", header, re.MULTILINE))

known = {element.get("id"): element for element in abi.iter() if element.get("id")}
public = {}  # what is written, by its id


def add(identity, element, **attributes):
    """Takes a type in, under an id that says what it is."""
    copy = ET.Element(element, {**attributes, "id": identity})
    public[identity] = copy
    return copy


def wrapped(element):
    """The type within one of Rust's own around it, or None."""
    name = element.get("name", "")
    if name.startswith("Option<"):
        some = [inner for inner in element.iter("class-decl") if inner.get("name") == "Some"]
        return some[0].find("data-member/var-decl").get("type-id")
    if name.startswith("MaybeUninit<"):
        return wrapped_value(element)
    return None


def wrapped_value(union):
    """MaybeUninit<T> is a union of () and a struct around a struct ... around T."""
    members = {member.get("name"): member.get("type-id") for member in union.iter("var-decl")}
    inner = known[members["value"]]
    while re.match("(ManuallyDrop|MaybeDangling)<", inner.get("name", "")):
        identity = inner.find("data-member/var-decl").get("type-id")
        inner = known[identity]
    return identity


def use(identity):
    """The public type of that id in abidw's document, taken in with all that it is made of."""
    element = known[identity]
    name = element.get("name", "")
    inside = wrapped(element)
    if inside:
        return use(inside)
    if element.tag == "pointer-type-def":
        target = use(element.get("type-id"))
        result = target + "-pointer"
        if result not in public:
            add(result, "pointer-type-def", **{"type-id": target, "size-in-bits": element.get("size-in-bits")})
        return result
    if element.tag == "function-type":
        parameters = [use(parameter.get("type-id")) for parameter in element.iter("parameter")]
        returned = use(element.find("return").get("type-id"))
        result = "-".join(["function", *parameters, "to", returned])
        if result not in public:
            function = add(result, "function-type", **{"size-in-bits": element.get("size-in-bits")})
            for parameter in parameters:
                ET.SubElement(function, "parameter", {"type-id": parameter})
            ET.SubElement(function, "return", {"type-id": returned})
        return result
    if name == "c_void" or name == "void":
        return scalar("void", None)
    if name in public:
        return name
    if name in DEFINED:
        return struct(name, element)
    if name in OPAQUE:
        opaque = {"is-struct": "yes", "visibility": "default", "is-declaration-only": "yes"}
        add(name, "class-decl", name=name, **opaque)
        return name
    if element.tag == "type-decl":
        return scalar(name, element.get("size-in-bits"))
    sys.exit(f"public.py: the interface uses a type that is not in the header: {element.tag} {element.attrib}")


def scalar(name, size):
    if name not in public:
        add(name, "type-decl", name=name, **({"size-in-bits": size} if size else {}))
    return name


def struct(name, element):
    result = add(name, "class-decl", name=name, **{"size-in-bits": element.get("size-in-bits"), "is-struct": "yes"})
    result.set("visibility", "default")
    for member in element.iterfind("data-member"):
        variable = member.find("var-decl")
        offset = {"access": "public", "layout-offset-in-bits": member.get("layout-offset-in-bits")}
        ET.SubElement(
            ET.SubElement(result, "data-member", offset),
            "var-decl",
            {"name": variable.get("name"), "type-id": use(variable.get("type-id")), "visibility": "default"},
        )
    return name


def enum(name, body):
    result = add(name, "enum-decl", name=name, **{"is-non-reachable": "yes"})
    ET.SubElement(result, "underlying-type", {"type-id": scalar("i32", "32")})
    for constant, value in re.findall(r"(\w+) = (\d+),", body):
        ET.SubElement(result, "enumerator", {"name": constant, "value": value})


functions = {}
for function in abi.iter("function-decl"):
    symbol = function.get("elf-symbol-id")
    if not symbol or symbol in functions:
        continue
    fields = ("name", "mangled-name", "visibility", "binding", "size-in-bits", "elf-symbol-id")
    copy = functions[symbol] = ET.Element("function-decl", {field: function.get(field) for field in fields})
    for parameter in function.iterfind("parameter"):
        ET.SubElement(copy, "parameter", {"type-id": use(parameter.get("type-id"))})
    ET.SubElement(copy, "return", {"type-id": use(function.find("return").get("type-id"))})

for name, body in re.findall(r"^typedef enum (\w+) {(.*?)}", header, re.MULTILINE | re.DOTALL):
    enum(name, body)
if missing := DEFINED - public.keys():
    sys.exit(f"public.py: no function uses {sorted(missing)}")

symbols = {symbol.get("name") for symbol in abi.iter("elf-symbol") if symbol.get("is-defined") == "yes"}
if symbols != functions.keys():
    sys.exit(f"public.py: there is no debug information of {sorted(symbols ^ functions.keys())}")

out = ET.Element("abi-corpus", {key: abi.get(key) for key in ("version", "architecture", "soname")})
out.set("tracking-non-reachable-types", "yes")
out.append(abi.find("elf-function-symbols"))
unit = ET.SubElement(out, "abi-instr", {"address-size": "64", "path": "chatnio.h", "language": "LANG_C99"})
unit.extend(public[identity] for identity in sorted(public))
unit.extend(functions[symbol] for symbol in sorted(functions))
ET.indent(out)
ET.ElementTree(out).write(sys.stdout, encoding="unicode")
print()
