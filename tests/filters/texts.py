"""Good documents for tests.

udhr.json: the beginning of the Universal Declaration of Human Rights, from Article 1 on, by language code (public
domain; from the translations that the United Nations publish, as collected in NLTK's udhr2).
"""

import json
from pathlib import Path

UDHR: dict[str, str] = json.loads(Path(__file__).with_name("udhr.json").read_text("utf-8"))
ARTICLE_1 = {code: text.partition("\n")[0] for code, text in UDHR.items()}

TECHNICAL = '''Abstract

This PEP proposes adding a sentinel, `NotGiven`, to the standard library. Today a module that must tell "no argument"
from "None" writes its own object, and every such object has another repr, another name and another way to be copied.

Rationale

* A bare `object()` has a long repr that says nothing to the reader of a signature.
* An `Enum` with a single value is heavy, and its type cannot be written in an annotation.
* A class of one's own is not safe to pickle unless `__reduce__` is written for it.

    class Sentinel:
        """A value that stands for itself."""

        def __init__(self, name):
            self.name = name

        def __repr__(self):
            return self.name

        def __reduce__(self):
            return self.name

    NotGiven = Sentinel("NotGiven")

    def get(mapping, key, default=NotGiven):
        if key in mapping:
            return mapping[key]
        if default is NotGiven:
            raise KeyError(key)
        return default

Backwards Compatibility

The name `sentinels` is not used by a module of the standard library, nor by a popular package (version 3.11.0.1 of
the index was searched). Code that has its own sentinels goes on working as before.

============  ========  =======
Approach      repr      pickle
============  ========  =======
object()      long      no
Enum          fair      yes
Sentinel      short     yes
============  ========  =======

Open Issues

What should happen when a sentinel is used in a boolean context? Some want an error, because `if default:` is then
always a mistake; others want it to be true, as objects are by default.
'''
