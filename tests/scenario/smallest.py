"""Cut a failing world down to the smallest that still fails: what can be left out is tried, and stays out where it does not matter."""
import copy

TRIES = 500


def smaller(chance, labels):
    """Worlds with one thing less each, the largest cuts first. labels: packets that something befalls."""
    def changed(change):
        other = copy.deepcopy(chance)
        change(other)
        return other

    for n in range(len(chance.flows)):
        if len(chance.flows) > 1:
            yield changed(lambda c: c.flows.pop(n))
    for name in sorted(chance.faults):
        yield changed(lambda c: c.faults.discard(name))
    for name in ("drop", "miss", "both", "dup", "delay", "merge", "middle", "no_ts", "bare"):
        if getattr(chance, name):
            yield changed(lambda c: setattr(c, name, type(getattr(c, name))()))
    if any(chance.offsets):
        yield changed(lambda c: setattr(c, "offsets", [0, 0]))
    for n, flow in enumerate(chance.flows):
        for k in range(len(flow[5])):
            if len(flow[5]) > 1:
                yield changed(lambda c: c.flows[n][5].pop(k))
        for k, (at, side, many, size, every) in enumerate(flow[5]):
            if many > 1:
                yield changed(lambda c: c.flows[n][5].__setitem__(k, (at, side, many // 2, size, every)))
    size = (len(labels) + 1) // 2
    while size:
        for at in range(0, len(labels), size):
            if size < len(labels):
                yield changed(lambda c: c.spare.update(labels[at:at + size]))
        size //= 2


def smallest(chance, fails):
    """fails(chance): (whether it fails, labels of packets that something befalls)."""
    labels, tries = fails(chance)[1], 0
    shrunk = True
    while shrunk and tries < TRIES:
        shrunk = False
        for candidate in smaller(chance, [label for label in labels if label not in chance.spare]):
            tries += 1
            failed, befallen = fails(candidate)
            if failed:
                chance, labels, shrunk = candidate, befallen, True
                break
            if tries >= TRIES:
                break
    return chance
