# SPDX-License-Identifier: GPL-2.0
"""Holds a netlink spec against the kernel's schema and against a C header.

Usage: spec.py SPEC HEADER KERNEL-SOURCE
"""

import re
import sys

import jsonschema
import yaml

number = 0
status = 0


def check(name, problems):
    global number, status
    number += 1
    for problem in problems:
        print(f'# {problem}')
    print(f'{"not ok" if problems else "ok"} {number} spec: {name}')
    status |= bool(problems)


def schema_problems(spec, source):
    with open(f'{source}/Documentation/netlink/genetlink.yaml') as file:
        schema = yaml.safe_load(file)
    return [f'{"/".join(map(str, error.path))}: {error.message}'
            for error in jsonschema.Draft7Validator(schema).iter_errors(spec)]


def enum(header, name):
    """The enumerators of a C enum, in order."""
    body = re.search(r'enum %s \{(.*?)\};' % name, header, re.S)
    if not body:
        return []
    return re.findall(r'^\t(\w+)', body.group(1), re.M)


def c_name(*parts):
    return '_'.join(parts).upper().replace('-', '_')


def difference(name, mine, theirs):
    if mine == theirs:
        return []
    return [f'{name}: in the spec only: {set(mine) - set(theirs) or "-"}; '
            f'in the header only: {set(theirs) - set(mine) or "-"}; '
            'or the order differs']


def main():
    with open(sys.argv[1]) as file:
        spec = yaml.safe_load(file)
    with open(sys.argv[2]) as file:
        header = file.read()

    check('valid by the schema', schema_problems(spec, sys.argv[3]))

    operations = spec['operations']['list']
    check('commands are the header\'s',
          difference('enum mregion_cmd',
                     [c_name('mregion_cmd', op['name']) for op in operations],
                     enum(header, 'mregion_cmd')))

    problems = []
    sets = {s['name']: s for s in spec['attribute-sets']}
    for name, attributes in sets.items():
        problems += difference(
            f'enum mregion_a_{name}',
            [c_name('mregion_a', name, a['name'])
             for a in attributes['attributes']],
            enum(header, f'mregion_a_{name}'))
    for name in re.findall(r'^enum mregion_a_(\w+)', header, re.M):
        if name not in sets:
            problems.append(f'enum mregion_a_{name} is in the header only')
    check('attributes are the header\'s', problems)

    problems = []
    for name, attributes in sets.items():
        for attr in attributes['attributes']:
            symbol = c_name('mregion_a', name, attr['name'])
            said = re.search(r'@%s:\s+\((\w+)' % symbol, header)
            wanted = None if attr['type'] == 'pad' else attr['type']
            if (said and said.group(1)) != wanted:
                problems.append(f'{symbol}: {attr["type"]} in the spec, '
                                f'{said and said.group(1)} in the header')
    check('types are those that the header says', problems)

    problems = [
        f'{key} is not {value}' for key, value in (
            ('MREGION_FAMILY_NAME', f'"{spec["name"]}"'),
            ('MREGION_MCGRP_EVENTS',
             f'"{spec["mcast-groups"]["list"][0]["name"]}"'))
        if not re.search(r'#define %s\s+%s' % (key, value), header)]
    check('names are the header\'s', problems)
    return status


sys.exit(main())
