# SPDX-License-Identifier: GPL-2.0
"""Reads a live machine by the kernel's ynl, in the test VM; prints TAP.

What the family has and the spec does not say makes ynl fail. What the spec says
and the family does not have is found by what no message ever had.
"""

import subprocess
import sys
import time

import yaml

sys.path.append('/root/ynl')
from lib import YnlFamily, NlError  # noqa: E402
from lib.ynl import NlAttr  # noqa: E402

# ynl takes ASCII alone, and regions' names are any bytes.
NlAttr.as_strz = lambda self: self.raw.decode(errors='replace')[:-1]

SPEC = '/root/mregion.yaml'
# No object of the machine has them.
NEVER = {
    'server-get': {'dead'},
    'claim-get': {'region'},
}

number = 0
status = 0


def check(name, problems):
    global number, status
    number += 1
    for problem in problems:
        print(f'# {problem}')
    print(f'{"not ok" if problems else "ok"} {number} live: {name}',
          flush=True)
    status |= bool(problems)


class Machine:
    """The process that holds it, see command_machine.c."""

    def __init__(self):
        self.process = subprocess.Popen(['/root/command_machine'], text=True,
                                        stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit('command_machine: ended')
            if line.startswith('ready'):
                break

    def do(self, line):
        print(line, file=self.process.stdin, flush=True)
        return self.process.stdout.readline()

    def end(self):
        self.process.communicate('end\n')


def operations():
    with open(SPEC) as file:
        return yaml.safe_load(file)['operations']['list']


def request_of(operation, way):
    return set(operation.get(way, {}).get('request', {}).get('attributes', []))


def gets(machines, family):
    """Dump all there is of all kinds; what was never seen, by operation."""
    seen = {}
    for operation in operations():
        name = operation['name']
        if 'dump' not in operation:
            continue
        queries = [{}]
        if 'machine' in request_of(operation, 'dump'):
            queries = [{'machine': m['id']} for m in machines]
        if 'space' in request_of(operation, 'dump'):
            queries = [{'machine': s['machine'], 'space': s['id']}
                       for query in queries
                       for s in family.dump('space-get', query)]
        seen[name] = set()
        for query in queries:
            for reply in family.dump(name, query):
                seen[name] |= set(reply)
    return seen


def check_dumps(family, machines):
    problems = []
    seen = gets(machines, family)
    for operation in operations():
        if 'dump' not in operation:
            continue
        name = operation['name']
        said = set(operation['dump']['reply']['attributes'])
        unseen = said - seen[name] - NEVER.get(name, set())
        if unseen:
            problems.append(f'{name}: never seen: {sorted(unseen)}')
    check('dumps have what the spec says, and no more', problems)


def check_dos(family, machines):
    problems = []
    for operation in operations():
        name = operation['name']
        wanted = request_of(operation, 'do')
        if 'do' not in operation or 'space' in wanted:
            continue
        for m in machines:
            query = {'machine': m['id']} if 'machine' in wanted else {}
            for entry in family.dump(name, query):
                one = family.do(name, {a: entry[a] for a in wanted})
                # what moves on its own
                for reply in (one, entry):
                    reply.pop('counters', None)
                if one.keys() != entry.keys() or one['id'] != entry['id']:
                    problems.append(f'{name}: {one} is not {entry}')
    check('do gives what dump gives', problems)


def check_translate(family, machines):
    problems = []
    for m in machines:
        for space in family.dump('space-get', {'machine': m['id']}):
            query = {'machine': m['id'], 'space': space['id']}
            for entry in family.dump('range-get', query):
                one = family.do('range-get',
                                query | {'start': entry['start']})
                if one['region'] != entry['region']:
                    problems.append(f'{one} is not {entry}')
    check('do of a range is what the view has there', problems)


def check_policies():
    """What the kernel takes is what requests of the spec have."""
    control = YnlFamily('/root/nlctrl.yaml', '')
    policies_of = {}
    policies = {}
    for reply in control.dump('getpolicy', {'family-name': 'mregion'}):
        if 'op-policy' in reply:
            op = reply['op-policy']
            policies_of[op['op-id']] = {op[w] for w in ('do', 'dump')
                                        if w in op}
        if 'policy' in reply:
            policy = reply['policy']
            policies.setdefault(policy['policy-id'], set()).add(
                (policy['attr-id'], policy['type']))
    with open(SPEC) as file:
        sets = {s['name']: s['attributes']
                for s in yaml.safe_load(file)['attribute-sets']}
    problems = []
    for value, operation in enumerate(operations(), 1):
        if 'event' in operation:
            continue
        asked = request_of(operation, 'do') | request_of(operation, 'dump')
        said = {(index, attr['type'])
                for index, attr in enumerate(
                    sets[operation['attribute-set']], 1)
                if attr['name'] in asked}
        taken = set()
        for policy in policies_of.get(value, ()):
            taken |= policies[policy]
        if taken != said:
            problems.append(f'{operation["name"]}: the kernel takes '
                            f'{sorted(taken)}, the spec says {sorted(said)}')
    check('requests are what the kernel\'s policies take', problems)


def check_refused(family, machines):
    problems = []
    for name, vals, why in (
            ('machine-get', {'id': 0x7fffffff}, 'network namespace'),
            ('region-get', {'machine': machines[0]['id'], 'id': 0x7fffffff},
             'id: '),
            ('region-get', {'machine': machines[0]['id']}, 'id: is missing')):
        try:
            family.do(name, vals)
            problems.append(f'{name} {vals} was done')
        except NlError as error:
            if why not in str(error):
                problems.append(f'{name} {vals}: {error}')
    check('what is refused says why', problems)


def check_events():
    # a socket that has sent nothing yet
    family = YnlFamily(SPEC, '')
    family.ntf_subscribe('events')
    other = Machine()
    other.do('commit 2')
    other.do('die')
    other.end()
    time.sleep(1)
    family.check_ntf()
    seen = {}
    while family.async_msg_queue:
        message = family.async_msg_queue.pop(0)
        seen.setdefault(message['name'], set()).update(message['msg'])
    problems = []
    for operation in operations():
        if 'event' not in operation or operation['name'] == 'ring-full':
            continue
        name = operation['name']
        said = set(operation['event']['attributes']) - {'cut'}
        if said - seen.get(name, set()):
            problems.append(f'{name}: never seen: '
                            f'{sorted(said - seen.get(name, set()))}')
        if seen.get(name, set()) - said - {'cut'}:
            problems.append(f'{name}: not in the spec: '
                            f'{sorted(seen[name] - said)}')
    check('events have what the spec says, and no more', problems)


def main():
    machine = Machine()
    machine.do('write 1 0xfe000000 4 1')
    family = YnlFamily(SPEC, '')
    machines = family.dump('machine-get', {})
    check_dumps(family, machines)
    check_dos(family, machines)
    check_translate(family, machines)
    check_policies()
    check_refused(family, machines)
    check_events()
    machine.end()
    return status


sys.exit(main())
