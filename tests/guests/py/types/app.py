"""The interface `basic` in Python: shows that values survive what componentize-py makes of them."""

import wit_world
from componentize_py_types import Err, Ok


class WitWorld(wit_world.WitWorld):
    def greet(self, name):
        return f"Hello, {name}!"


def same(self, v):
    return v


class Basic:
    echo_bool = same
    echo_u32 = same
    echo_s64 = same
    echo_f64 = same
    echo_char = same
    echo_string = same
    echo_bytes = same
    echo_strings = same
    echo_person = same
    echo_people = same
    echo_tuple = same
    echo_shape = same
    echo_color = same
    echo_option = same

    def echo_result(self, v):
        """A result arrives as `Ok` or `Err`; an error is returned by raising it."""
        if isinstance(v, Err):
            raise v
        return v.value
