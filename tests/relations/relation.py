"""What a relation is: a change of the input whose effect on the answer is known, and why.

Each is a function that makes the changed case, under a name, with a sentence that says why the answer must hold. It
returns a Changed; it raises Unfit where the case is not one that the sentence speaks of."""
from dataclasses import dataclass, field

from answer import Naming, Permit

RELATIONS = {}


class Unfit(Exception):
    """The relation does not speak of this case; the text says why."""


@dataclass
class Changed:
    case: object
    permit: Permit = field(default_factory=Permit)
    naming: Naming = field(default_factory=Naming)  # how names are read as those of the unchanged case
    unfit: object = lambda before: None             # why the relation does not hold for this unchanged answer, or None
    base: object = None                             # the case to compare with, where it is not the unchanged one


@dataclass
class Relation:
    name: str
    why: str
    over: str       # case: one run a case; capture: one for each capture; host: one for each host that has a capture
    change: object  # function (case, which, random) to Changed

    def variants(self, case):
        if self.over == "case":
            return [None]
        captures = case.captures()
        return captures if self.over == "capture" else sorted({case.inputs[n].host for n in captures})

    def label(self, case, which):
        return case.inputs[which].file if self.over == "capture" else which


def relation(name, why, over="case"):
    def add(function):
        RELATIONS[name] = Relation(name, why, over, function)
        return function
    return add


def relations(name, why, amounts, over="case"):
    """A relation for each amount: its function takes the amount last."""
    def add(function):
        for label, amount in amounts.items():
            def one(case, which, rng, amount=amount):
                return function(case, which, rng, amount)
            RELATIONS[name.format(label)] = Relation(name.format(label), why.format(label), over, one)
        return function
    return add
