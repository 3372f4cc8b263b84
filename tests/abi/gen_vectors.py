#!/usr/bin/env python3
"""Writes tests/abi/vectors.json: what the specification's own definitions.py does with random types,
values and damaged memories. The C++ test src/component/abi/vectors_test.cc replays it.

Run by hand after an update of the specification:
    tests/abi/gen_vectors.py [SEED [CASES [FILE]]]
More cases than are checked in: give a FILE and set TENON_ABI_VECTORS to it when running the test.

Types and values are JSON: a primitive type is its name, the others ["list", T], ["fixed", T, N], ["map", K, V],
["record", [[label, T]]],
["tuple", [T]], ["variant", [[label, T or null]]], ["enum", [label]], ["option", T],
["result", T or null, T or null], ["flags", [label]], ["own"], ["borrow"]. Integers of 64 bits are
decimal text, floats the hexadecimal text of their bits, chars code points, lists, maps (of pairs), records and tuples arrays,
variants [index] or [index, payload], options null or [payload], flags their bits, handles the rep.
"""
import glob
import json
import os
import random
import struct
import sys
import types

PATTERN = '~/.cargo/registry/src/*/wasm-tools-1.263.0/tests/component-model/design/mvp/canonical-abi'


def load_definitions():
    """definitions.py names types before they exist, which Python allows from 3.14 on only by itself."""
    path = os.path.join(glob.glob(os.path.expanduser(PATTERN))[0], 'definitions.py')
    module = types.ModuleType('definitions')
    sys.modules['definitions'] = module
    with open(path, encoding='utf-8') as source:
        code = 'from __future__ import annotations\n' + source.read()
    exec(compile(code, path, 'exec'), module.__dict__)
    return module


d = load_definitions()
d.DETERMINISTIC_PROFILE = True
MEMORY = 8192
BUMP_START = 8
ENCODINGS = ['utf8', 'utf16', 'latin1+utf16']
PRIMITIVES = {
    'bool': d.BoolType, 's8': d.S8Type, 'u8': d.U8Type, 's16': d.S16Type, 'u16': d.U16Type,
    's32': d.S32Type, 'u32': d.U32Type, 's64': d.S64Type, 'u64': d.U64Type, 'f32': d.F32Type,
    'f64': d.F64Type, 'char': d.CharType, 'string': d.StringType,
}
STRINGS = ['', 'a', 'hello, world', 'é', 'ÿ', 'Ā', 'aÿ', 'ab\u0100', 'naïve café', '日本語', '😀',
           'a😀é', '\0', '\ud7ff\ue000\uffff', '\U0010ffff', 'x' * 20 + 'é', 'é' * 5 + '☃',
           'x' * 33, '\x7f\x80', '\u07ff\u0800', 'abcdefgh' * 3 + '☃' + 'ijk']
CHARS = [0, 0x41, 0x7f, 0x80, 0xff, 0x100, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff]
FLOATS32 = ['00000000', '80000000', '3f800000', '7f800000', 'ff800000', '7fc00000', '00000001',
            '7f7fffff', 'c2f6e979']
FLOATS64 = ['0000000000000000', '8000000000000000', '3ff0000000000000', '7ff0000000000000',
            'fff0000000000000', '7ff8000000000000', '0000000000000001', '7fefffffffffffff']
rng = random.Random()


class Instance:
    def __init__(self):
        self.handles = d.Table()
        self.may_leave = True


RESOURCE = d.ResourceType(object())


class Context(d.LiftLowerContext):
    """Calls a bump allocator instead of a guest's realloc, and logs the calls."""

    def __init__(self, encoding, memory, borrow_scope):
        super().__init__(d.LiftLowerOptions(encoding, d.MemInst(memory, 'i32'), None), Instance(),
                         borrow_scope)
        self.bump = BUMP_START
        self.log = []

    def reallocate(self, old, old_size, alignment, new_size):
        pointer = (self.bump + alignment - 1) // alignment * alignment
        self.bump = pointer + new_size
        assert self.bump <= MEMORY
        memory = self.opts.memory.bytes
        keep = min(old_size, new_size)
        memory[pointer:pointer + keep] = memory[old:old + keep]
        self.log.append([old, old_size, alignment, new_size, pointer])
        return pointer


def task():
    return d.Task(None, None, None, None, None)


def make_type(t):
    if isinstance(t, str):
        return PRIMITIVES[t]()
    match t[0]:
        case 'list': return d.ListType(make_type(t[1]))
        case 'fixed': return d.ListType(make_type(t[1]), t[2])
        case 'map': return d.MapType(make_type(t[1]), make_type(t[2]))
        case 'record': return d.RecordType([d.FieldType(n, make_type(f)) for n, f in t[1]])
        case 'tuple': return d.TupleType([make_type(f) for f in t[1]])
        case 'variant':
            return d.VariantType([d.CaseType(n, make_type(c) if c else None) for n, c in t[1]])
        case 'enum': return d.EnumType(t[1])
        case 'option': return d.OptionType(make_type(t[1]))
        case 'result':
            return d.ResultType(make_type(t[1]) if t[1] else None, make_type(t[2]) if t[2] else None)
        case 'flags': return d.FlagsType(t[1])
        case 'own': return d.OwnType(RESOURCE)
        case 'borrow': return d.BorrowType(RESOURCE)


def cases_of(t):
    """(label, payload) of what is a variant to the specification."""
    match t[0]:
        case 'variant': return [(n, c) for n, c in t[1]]
        case 'option': return [('none', None), ('some', t[1])]
        case 'result': return [('ok', t[1]), ('error', t[2])]
    raise AssertionError(t)


def to_case(t, v):
    """A JSON value of a variant, option or result as (index, payload or None)."""
    if t[0] == 'option':
        return (0, None) if v is None else (1, v[0])
    return (v[0], v[1] if len(v) > 1 else None)


def from_case(t, index, payload):
    if t[0] == 'option':
        return None if index == 0 else [payload]
    return [index] if cases_of(t)[index][1] is None else [index, payload]


def to_spec(t, v):
    """A JSON value as definitions.py has it."""
    if isinstance(t, str):
        match t:
            case 'bool' | 's8' | 'u8' | 's16' | 'u16' | 's32' | 'u32': return v
            case 's64' | 'u64': return int(v)
            case 'f32': return struct.unpack('>f', bytes.fromhex(v))[0]
            case 'f64': return struct.unpack('>d', bytes.fromhex(v))[0]
            case 'char': return chr(v)
            case 'string': return (v, 'utf8', len(v.encode('utf-8')))
    match t[0]:
        case 'list' | 'fixed': return [to_spec(t[1], x) for x in v]
        case 'map': return [{'0': to_spec(t[1], k), '1': to_spec(t[2], x)} for k, x in v]
        case 'record': return {n: to_spec(f, x) for (n, f), x in zip(t[1], v)}
        case 'tuple': return {str(i): to_spec(f, x) for i, (f, x) in enumerate(zip(t[1], v))}
        case 'variant' | 'option' | 'result':
            index, payload = to_case(t, v)
            label, inner = cases_of(t)[index]
            return {label: to_spec(inner, payload) if inner else None}
        case 'enum': return {t[1][v]: None}
        case 'flags': return {n: bool(v >> i & 1) for i, n in enumerate(t[1])}
        case 'own' | 'borrow': return v


def from_spec(t, v):
    if isinstance(t, str):
        match t:
            case 'bool' | 's8' | 'u8' | 's16' | 'u16' | 's32' | 'u32': return v
            case 's64' | 'u64': return str(v)
            case 'f32': return struct.pack('>f', v).hex()
            case 'f64': return struct.pack('>d', v).hex()
            case 'char': return ord(v)
            case 'string': return v[0]
    match t[0]:
        case 'list' | 'fixed': return [from_spec(t[1], x) for x in v]
        case 'map': return [[from_spec(t[1], x['0']), from_spec(t[2], x['1'])] for x in v]
        case 'record': return [from_spec(f, v[n]) for n, f in t[1]]
        case 'tuple': return [from_spec(f, v[str(i)]) for i, f in enumerate(t[1])]
        case 'variant' | 'option' | 'result':
            [(label, payload)] = v.items()
            index = [n for n, _ in cases_of(t)].index(label)
            inner = cases_of(t)[index][1]
            return from_case(t, index, from_spec(inner, payload) if inner else None)
        case 'enum':
            [label] = v.keys()
            return t[1].index(label)
        case 'flags': return sum(1 << i for i, n in enumerate(t[1]) if v[n])
        case 'own' | 'borrow': return v


def random_type(depth):
    simple = list(PRIMITIVES) + ['string'] * 2 + ['own', 'borrow', 'enum', 'flags']
    nested = ['list', 'list', 'fixed', 'map', 'record', 'tuple', 'variant', 'option', 'result']
    kind = rng.choice(simple if depth == 0 else simple + nested * 3)
    some = lambda most: range(rng.randint(1, most))
    maybe = lambda: random_type(depth - 1) if rng.random() < 0.75 else None
    match kind:
        case 'own' | 'borrow': return [kind]
        case 'enum':
            return ['enum', [f'c{i}' for i in range(rng.choice([1, 2, 5, 256, 257])
                                                    if rng.random() < 0.2 else rng.randint(1, 6))]]
        case 'flags': return ['flags', [f'f{i}' for i in range(rng.choice([1, 3, 8, 9, 16, 17, 32]))]]
        case 'list': return ['list', random_type(depth - 1)]
        case 'fixed': return ['fixed', random_type(depth - 1), rng.randint(1, 4)]
        case 'map': return ['map', rng.choice(['u8', 's64', 'char', 'string']), random_type(depth - 1)]
        case 'record': return ['record', [[f'f{i}', random_type(depth - 1)] for i in some(5)]]
        case 'tuple': return ['tuple', [random_type(depth - 1) for _ in some(4)]]
        case 'variant': return ['variant', [[f'c{i}', maybe()] for i in some(4)]]
        case 'option': return ['option', random_type(depth - 1)]
        case 'result': return ['result', maybe(), maybe()]
    return kind


def random_int(bits, signed):
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return rng.choice([low, high, 0, 1, rng.randint(low, high)])


def random_value(t):
    if isinstance(t, str):
        match t:
            case 'bool': return rng.random() < 0.5
            case 's64' | 'u64': return str(random_int(64, t == 's64'))
            case 'f32': return rng.choice(FLOATS32)
            case 'f64': return rng.choice(FLOATS64)
            case 'char': return rng.choice(CHARS)
            case 'string': return rng.choice(STRINGS)
        return random_int(int(t[1:]), t[0] == 's')
    match t[0]:
        case 'fixed': return [random_value(t[1]) for _ in range(t[2])]
        case 'map': return [[random_value(t[1]), random_value(t[2])] for _ in range(rng.randint(0, 3))]
        case 'list': return [random_value(t[1]) for _ in range(rng.choice([0, 1, 2, 3, 5]))]
        case 'record': return [random_value(f) for _, f in t[1]]
        case 'tuple': return [random_value(f) for f in t[1]]
        case 'variant' | 'option' | 'result':
            index = rng.randrange(len(cases_of(t)))
            inner = cases_of(t)[index][1]
            return from_case(t, index, random_value(inner) if inner else None)
        case 'enum': return rng.randrange(len(t[1]))
        case 'flags': return rng.getrandbits(len(t[1]))
        case 'own' | 'borrow': return rng.choice([0, 7, 0xffffffff, rng.getrandbits(32)])


def bits_of(flat_type, v):
    if flat_type == 'f32':
        return struct.unpack('<I', struct.pack('<f', v))[0]
    if flat_type == 'f64':
        return struct.unpack('<Q', struct.pack('<d', v))[0]
    return v


def core_value(flat_type, bits):
    if flat_type == 'f32':
        return struct.unpack('<f', struct.pack('<I', bits & 0xffffffff))[0]
    if flat_type == 'f64':
        return struct.unpack('<d', struct.pack('<Q', bits))[0]
    return bits & 0xffffffff if flat_type == 'i32' else bits


def handles_of(cx):
    """[own, rep] of each entry of the handle table, from index 1."""
    return [[h.own, h.rep] for h in cx.inst.handles.array[1:]]


def lifting_context(encoding, memory, handles):
    cx = Context(encoding, bytearray(memory), d.Subtask())
    scope = task()
    for own, rep in handles:
        cx.inst.handles.add(d.ResourceHandle(RESOURCE, rep, own, None if own else scope))
    return cx


def damaged(data, start):
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 4])):
        if start < len(data):
            at = rng.randrange(start, len(data))
            data[at] = rng.choice([0, 1, 2, 3, 0x7f, 0x80, 0xc0, 0xd8, 0xdf, 0xed, 0xff,
                                   data[at] ^ 1 << rng.randrange(8), rng.getrandbits(8)])
    return bytes(data)


def outcome(t, lift):
    try:
        return {'v': from_spec(t, lift())}
    except d.Trap:
        return {'trap': True}


def make_case():
    encoding = rng.choice(ENCODINGS)
    t = random_type(3)
    spec_type = make_type(t)
    v = random_value(t)
    size, alignment = d.elem_size(spec_type, 'i32'), d.alignment(spec_type, 'i32')
    case = {'t': t, 'e': encoding, 'v': v, 'size': size, 'align': alignment}

    cx = Context(encoding, bytearray(MEMORY), task())
    pointer = cx.allocate(alignment, size)
    d.store(cx, to_spec(t, v), spec_type, pointer)
    memory = bytes(cx.opts.memory.bytes[:cx.bump])
    handles = handles_of(cx)
    case |= {'p': pointer, 'm': memory.hex(), 'log': cx.log[1:], 'h': handles}

    damage = []
    for _ in range(2):
        hurt = damaged(memory, pointer)
        scope = lifting_context(encoding, hurt, handles)
        damage.append({'m': hurt.hex()} | outcome(t, lambda: d.load(scope, pointer, spec_type)))
    case['damaged'] = damage

    flat_types = d.flatten_type(spec_type, d.LiftLowerOptions(encoding, d.MemInst(bytearray(), 'i32')))
    case['flatCount'] = len(flat_types)
    if len(flat_types) <= 16:
        cx = Context(encoding, bytearray(MEMORY), task())
        flat = d.lower_flat(cx, to_spec(t, v), spec_type)
        bits = [bits_of(ft, x) for ft, x in zip(flat_types, flat)]
        memory = bytes(cx.opts.memory.bytes[:cx.bump])
        case['flat'] = [f'{x:x}' for x in bits]
        case['flatLog'] = cx.log
        hurt_bits = list(bits)
        for _ in range(rng.randint(1, 2)):
            at = rng.randrange(len(bits))
            hurt_bits[at] = rng.choice([0, 1, 2, bits[at] ^ 1 << rng.randrange(64),
                                        bits[at] + 1, rng.getrandbits(64)]) & 0xffffffffffffffff
            if flat_types[at] in ('i32', 'f32'):
                hurt_bits[at] &= 0xffffffff
        values = [core_value(ft, x) for ft, x in zip(flat_types, hurt_bits)]
        scope = lifting_context(encoding, memory, handles_of(cx))
        case['flatDamaged'] = {'f': [f'{x:x}' for x in hurt_bits], 'm': memory.hex(),
                               'h': handles_of(cx)} | outcome(
            t, lambda: d.lift_flat(scope, d.CoreValueIter(values), spec_type))
    return case


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 260
    path = sys.argv[3] if len(sys.argv) > 3 else os.path.join(os.path.dirname(__file__), 'vectors.json')
    rng.seed(seed)
    cases = []
    while len(cases) < count:
        try:
            cases.append(make_case())
        except AssertionError:
            pass  # a value too large for the small memory
    with open(path, 'w', encoding='utf-8') as out:
        out.write('[\n' + ',\n'.join(json.dumps(c, ensure_ascii=False, separators=(',', ':'))
                                     for c in cases) + '\n]\n')


if __name__ == '__main__':
    main()
