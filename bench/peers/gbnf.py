"""The call language of a project's skills as a GBNF grammar, for peers that decode inside one."""
import glob
import json
import os

CHARACTER = r"""char ::= [^'\\\x00-\x1F\x7F] | "\\" ['\\nt]"""


def literal(text):
    return json.dumps(text)


def value(schema):
    if "enum" in schema:
        return "( " + " | ".join(literal("'%s'" % v) for v in schema["enum"]) + " )"
    kind = schema.get("type")
    if kind == "string":
        return "string"
    if kind == "integer":
        low, high = schema.get("minimum", -(10**15)), schema.get("maximum", 10**15)
        if high - low <= 1000:
            return "( " + " | ".join(literal(str(v)) for v in range(low, high + 1)) + " )"
        return '"-"? ( "0" | [1-9] [0-9]{0,14} )'
    if kind == "number":
        return '"-"? ( "0" | [1-9] [0-9]{0,8} ) ( "." [0-9]{1,6} )?'
    if kind == "boolean":
        return '( "true" | "false" )'
    raise ValueError("no grammar for %r" % schema)


def call(name, parameters):
    """Arguments in the signature's order, optional ones left out or not."""
    properties = list(parameters.get("properties", {}).items())
    required = set(parameters.get("required", []))
    rules = {}

    def tail(i, first):
        key = "%s-%d-%s" % (name.replace(".", "-").replace("_", "-"), i, "a" if first else "b")
        if key in rules:
            return key
        rules[key] = ""
        if i == len(properties):
            rules[key] = '")"'
            return key
        argument, schema = properties[i]
        given = "%s %s %s" % (literal(("" if first else ", ") + argument + "="), value(schema), tail(i + 1, False))
        rules[key] = given if argument in required else "%s | %s" % (given, tail(i + 1, first))
        return key

    start = tail(0, True)
    return "%s %s" % (literal(name + "("), start), rules


def grammar(project, max_calls=4):
    calls, rules = [], {}
    for path in sorted(glob.glob(os.path.join(project, "skills", "*.json"))):
        with open(path, encoding="utf-8") as file:
            skill = json.load(file)
        for tool in skill["tools"]:
            function = tool["function"]
            if skill.get("functions", {}).get(function["name"], {}).get("permission") == "deny":
                continue
            text, more = call(skill["name"] + "." + function["name"], function.get("parameters", {}))
            calls.append(text)
            rules.update(more)
    lines = ['root ::= "none()" | call ( "\\n" call ){0,%d}' % (max_calls - 1), "call ::= " + " | ".join(calls)]
    lines += ["%s ::= %s" % rule for rule in rules.items()]
    lines += ["string ::= \"'\" char+ \"'\"", CHARACTER]
    return "\n".join(lines)
